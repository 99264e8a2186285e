#include "cli/plan/cluster_plan.h"

namespace joiner::cli {

std::string plan_html(const ClusterPlan& plan) {
    return plan_json(plan);
}

}  // namespace joiner::cli
