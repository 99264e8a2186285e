#include "rules/taints.h"

#include <algorithm>

#include "api/names.h"

namespace joiner::rules {

bool tolerates(const api::Toleration& toleration, const api::Taint& taint) {
    if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
    if (!toleration.key.empty() && toleration.key != taint.key) return false;
    if (toleration.op == "Exists") return true;
    // An empty key with Equal is refused by the API server; it tolerates nothing.
    return toleration.op == "Equal" && !toleration.key.empty() && toleration.value == taint.value;
}

const api::Taint* untolerated_taint(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints) {
    for (const api::Taint& taint : taints) {
        if (taint.effect == api::kPreferNoSchedule) continue;
        const bool tolerated = std::any_of(tolerations.begin(), tolerations.end(),
                                           [&](const api::Toleration& t) { return tolerates(t, taint); });
        if (!tolerated) return &taint;
    }
    return nullptr;
}

bool same_taint(const api::Taint& a, const api::Taint& b) {
    return a.key == b.key && a.effect == b.effect;
}

bool has_taint(const std::vector<api::Taint>& taints, std::string_view key, std::string_view effect) {
    return std::any_of(taints.begin(), taints.end(),
                       [&](const api::Taint& t) { return t.key == key && t.effect == effect; });
}

bool is_ephemeral_taint(const api::Taint& taint) {
    if (taint.key == api::kNotReadyTaint) return true;
    if (taint.key == api::kUnreachableTaint) return taint.effect == api::kNoSchedule;
    if (taint.key == api::kCloudUninitializedTaint) return taint.effect == api::kNoSchedule;
    return taint.key == api::kUnregisteredTaint || taint.key == api::kBindingTaint ||
           taint.key.starts_with(api::kReadinessTaintPrefix);
}

}  // namespace joiner::rules
