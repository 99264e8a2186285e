#include "plan/lifecycle/consistency.h"

#include <fmt/format.h>

#include "rules/resources.h"

namespace joiner::plan {

std::string inconsistency(const api::NodeClaim& claim, const api::Node& node) {
    const rules::Resources promised = rules::as_capacity(claim.capacity);
    const rules::Resources there = rules::as_capacity(node.capacity);
    for (const auto& [name, requested] : claim.requests) {
        const auto wanted = static_cast<double>(promised.get(name));
        const auto has = static_cast<double>(there.get(name));
        if (requested.is_zero() || wanted <= 0 || has >= kLeastOfPromised * wanted) continue;
        return fmt::format("the node has {:.1f} % of the {} that its NodeClaim was promised",
                           100 * has / wanted, name);
    }
    return {};
}

}  // namespace joiner::plan
