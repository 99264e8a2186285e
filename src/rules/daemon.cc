#include "rules/daemon.h"

#include <algorithm>

#include "rules/taints.h"

namespace joiner::rules {

bool daemon_lands(const PodShape& daemon, const Requirements& node, const std::vector<api::Taint>& taints,
                  const WellKnownLabels* undefined) {
    return untolerated_taint(daemon.tolerations, taints) == nullptr &&
           std::any_of(daemon.required.begin(), daemon.required.end(),
                       [&](const Requirements& wanted) { return compatible(node, wanted, undefined); });
}

}  // namespace joiner::rules
