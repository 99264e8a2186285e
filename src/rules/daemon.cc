#include "rules/daemon.h"

#include <algorithm>

#include "api/names.h"
#include "rules/taints.h"

namespace joiner::rules {
namespace {

// Every node of a pool has them once it is up.
bool comes_with_time(std::string_view key) {
    return key == api::kRegisteredLabel || key == api::kInitializedLabel;
}

bool suits(const Requirements& node, const Requirements& wanted, const WellKnownLabels* undefined) {
    if (compatible(node, wanted, undefined)) return true;
    const bool some_come = std::any_of(wanted.begin(), wanted.end(), [&](const Requirement& one) {
        return comes_with_time(one.key()) && !node.has(one.key());
    });
    if (!some_come || !node.has(api::kNodePoolLabel)) return false;
    Requirements later = node;
    for (const std::string_view key : {api::kRegisteredLabel, api::kInitializedLabel}) {
        if (!later.has(key)) later.add(Requirement::in(std::string(key), {"true"}));
    }
    return compatible(later, wanted, undefined);
}

}  // namespace

bool daemon_lands(const PodShape& daemon, const Requirements& node, const std::vector<api::Taint>& taints,
                  const WellKnownLabels* undefined) {
    return untolerated_taint(daemon.tolerations, taints) == nullptr &&
           std::any_of(daemon.required.begin(), daemon.required.end(),
                       [&](const Requirements& wanted) { return suits(node, wanted, undefined); });
}

}  // namespace joiner::rules
