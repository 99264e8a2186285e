#include "control/repair_policies.h"

#include <fmt/format.h>

namespace joiner::control {

Result<plan::RepairPoliciesByClass> repair_policies_of(const cloud::Providers& providers) {
    plan::RepairPoliciesByClass out;
    for (const cloud::Provider* provider : providers.all()) {
        auto policies = rules::RepairPolicies::make(provider->repair_policies());
        if (!policies)
            return invalid(fmt::format("provider {}: {}", provider->name(), policies.error().message));
        if (policies->reboot() && !provider->can_reboot())
            return invalid(
                fmt::format("provider {}: a repair policy reboots, which it cannot do", provider->name()));
        out.add(cloud::kinds_of(provider->node_class_resources()), std::move(*policies));
    }
    if (plan::are_empty(out)) return invalid("no provider has repair policies");
    return out;
}

plan::LegacyPoliciesByClass legacy_repair_policies_of(const cloud::Providers& providers) {
    plan::LegacyPoliciesByClass out;
    for (const cloud::Provider* provider : providers.all())
        out.add(cloud::kinds_of(provider->node_class_resources()), provider->repair_policies());
    return out;
}

}  // namespace joiner::control
