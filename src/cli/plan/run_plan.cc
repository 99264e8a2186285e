#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/plan/cluster_plan.h"

namespace joiner::cli {
namespace {

// Beside a table of one screen; the other forms have all of them.
constexpr std::size_t kMostWarnings = 5;

}  // namespace

int run_plan(const PlanOptions& options) {
    const auto plan = plan_cluster(options);
    if (!plan) return refuse(plan.error().message);
    const std::size_t shown =
        options.verbose ? plan->warnings.size() : std::min(plan->warnings.size(), kMostWarnings);
    for (std::size_t i = 0; i < shown; ++i) fmt::print(stderr, "joiner: warning: {}\n", plan->warnings[i]);
    if (shown < plan->warnings.size())
        fmt::print(stderr, "joiner: {} warnings more; -v prints them\n", plan->warnings.size() - shown);
    if (options.output == "json") {
        fmt::print("{}\n", plan_json(*plan));
    } else if (options.output == "html") {
        fmt::print("{}\n", plan_html(*plan));
    } else {
        fmt::print("{}", plan_table(*plan, options.verbose));
    }
    return 0;
}

}  // namespace joiner::cli
