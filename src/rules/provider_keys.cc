#include "rules/provider_keys.h"

namespace joiner::rules {

bool is_provider_key(std::string_view key) {
    // Each stands for its subdomains too: k8s.aws for karpenter.k8s.aws and topology.k8s.aws.
    constexpr std::string_view kDomains[] = {
        "k8s.aws",           "eks.amazonaws.com", "karpenter.azure.com",        "kubernetes.azure.com",
        "karpenter.k8s.gcp", "cloud.google.com",  "karpenter.k8s.alibabacloud", "karpenter.k8s.oracle",
        "karpenter.kwok.sh"};
    const std::size_t slash = key.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view domain = key.substr(0, slash);
    for (const std::string_view one : kDomains) {
        if (!domain.ends_with(one)) continue;
        if (domain.size() == one.size() || domain[domain.size() - one.size() - 1] == '.') return true;
    }
    return false;
}

}  // namespace joiner::rules
