#include "cli/budget_status.h"

#include <algorithm>

#include "rules/selector.h"

namespace joiner::cli {
namespace {

// Percentages round up, as Kubernetes has it for both fields.
std::int64_t scaled(const api::IntOrPercent& value, std::int64_t of) {
    return value.is_percent ? (value.value * of + 99) / 100 : value.value;
}

}  // namespace

std::int64_t disruptions_allowed(const api::PodDisruptionBudget& budget, const model::Cluster& cluster) {
    std::int64_t expected = 0;
    std::int64_t healthy = 0;
    for (const auto& [key, pod] : cluster.pods()) {
        if (pod.id.ns() != budget.meta.ns || !pod.is_active() ||
            !rules::matches(budget.selector, pod.labels->labels))
            continue;
        ++expected;
        if (!pod.node_name.empty()) ++healthy;
    }
    std::int64_t desired = 0;
    if (budget.max_unavailable) {
        desired = std::max<std::int64_t>(0, expected - scaled(*budget.max_unavailable, expected));
    } else if (budget.min_available) {
        desired = scaled(*budget.min_available, expected);
    }
    return expected > 0 ? std::max<std::int64_t>(0, healthy - desired) : 0;
}

}  // namespace joiner::cli
