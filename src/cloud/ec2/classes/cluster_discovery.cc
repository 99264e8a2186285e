#include "cloud/ec2/classes/cluster_discovery.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/calls/json_reader.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kPause = std::chrono::minutes{1};
constexpr Duration kVersionLasts = std::chrono::minutes{5};

void fill(std::string& setting, const std::string& found) {
    if (setting.empty()) setting = found;
}

}  // namespace

Result<std::string> read_server_version(std::string_view body) {
    const nlohmann::json version = nlohmann::json::parse(body, nullptr, false);
    const std::string major = text_at(version, "major");
    std::string minor = text_at(version, "minor");
    minor.resize(std::min(minor.find_first_not_of("0123456789"), minor.size()));  // "34+" is EKS's.
    if (major.empty() || minor.empty())
        return fail(ErrorKind::kUnavailable, "the API server does not say which version it is");
    return major + "." + minor;
}

bool ClusterDiscovery::is_complete() const {
    return !settings_.cluster_endpoint.empty() && !settings_.cluster_ca.empty() &&
           !settings_.service_cidr.empty() && !settings_.kubernetes.empty();
}

bool ClusterDiscovery::is_version_due() const {
    return !is_version_set_ && loop_.monotonic() >= version_due_;
}

void ClusterDiscovery::look(std::function<void()> done) {
    const bool is_wanting = !is_complete() || is_version_due();
    if (!is_wanting || loop_.monotonic() < no_question_before_) return done();
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) return;
    problem_.reset();
    if (ask_version_ != nullptr && is_version_due()) return ask_version();
    ask_eks();
}

void ClusterDiscovery::ask_version() {
    ask_version_([this, is_alive = is_alive_](const Result<std::string>& version) {
        if (!*is_alive) return;
        if (version) {
            settings_.kubernetes = *version;
            version_due_ = loop_.monotonic() + kVersionLasts;
        } else {
            problem_ = version.error();
        }
        if (is_complete()) return finish();
        ask_eks();
    });
}

void ClusterDiscovery::ask_eks() {
    eks_.describe_cluster(settings_.cluster_name,
                          [this, is_alive = is_alive_](const aws::Answer<EksCluster>& answer) {
                              if (!*is_alive) return;
                              if (answer)
                                  take(*answer);
                              else
                                  problem_ = answer.error();
                              finish();
                          });
}

void ClusterDiscovery::finish() {
    no_question_before_ = loop_.monotonic() + kPause;
    for (const auto& waiting : std::exchange(waiting_, {})) waiting();
}

void ClusterDiscovery::take(const EksCluster& cluster) {
    fill(settings_.cluster_endpoint, cluster.endpoint);
    fill(settings_.cluster_ca, cluster.certificate_authority);
    fill(settings_.service_cidr,
         cluster.service_ipv4_cidr.empty() ? cluster.service_ipv6_cidr : cluster.service_ipv4_cidr);
    if (ask_version_ == nullptr && !is_version_set_ && !cluster.version.empty()) {
        settings_.kubernetes = cluster.version;
        version_due_ = loop_.monotonic() + kVersionLasts;
    }
    if (!is_complete())
        problem_ = Error{
            ErrorKind::kNotReady,
            "eks DescribeCluster does not say all that nodes must know of the cluster; is it being made?", 0};
}

}  // namespace joiner::cloud::ec2
