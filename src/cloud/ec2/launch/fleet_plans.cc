#include "cloud/ec2/launch/fleet_plans.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "cloud/ec2/launch/launch_template_request.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::size_t kMostQuestions = 8;

std::string known_of_cluster(const Settings& settings) {
    return fmt::format("{}\n{}\n{}\n{}", settings.cluster_endpoint, settings.cluster_ca,
                       settings.service_cidr, settings.cluster_dns);
}

bool is_reserved(const LaunchChoice& choice) {
    return choice.offering->capacity_type() == api::kReserved;
}

}  // namespace

bool FleetPlans::is_answered_by(const Question& question, const LaunchRequest& request,
                                const std::set<rules::OfferingKey>& tried, const FleetGround& ground) {
    const api::NodeClaim& claim = request.claim;
    return question.node_class == request.node_class && question.types.lock() == request.types &&
           question.region.lock() == ground.region && question.choices == request.choices &&
           question.labels == claim.meta.labels && question.taints == claim.taints &&
           question.startup_taints == claim.startup_taints && question.wants_efa == wants_efa(claim) &&
           question.is_dedicated == must_be_dedicated(claim) && question.tried == tried &&
           question.subnets == ground.subnets && question.cluster == known_of_cluster(ground.settings);
}

Result<std::shared_ptr<const FleetPlan>> FleetPlans::plan(const LaunchRequest& request,
                                                          const std::set<rules::OfferingKey>& tried,
                                                          const FleetGround& ground) {
    // Reserved offerings are the cheapest, so they are among the first.
    const bool may_be_kept =
        !ground.placement_group && !request.choices.empty() && !is_reserved(request.choices.front());
    if (may_be_kept) {
        for (const Question& question : lately_)
            if (is_answered_by(question, request, tried, ground)) return question.answer;
    }
    TRY(FleetPlan made, plan_fleet(request, tried, ground));
    const auto out = std::make_shared<const FleetPlan>(std::move(made));
    if (!may_be_kept) return out;
    std::erase_if(lately_, [](const Question& question) { return question.types.expired(); });
    if (lately_.size() == kMostQuestions) lately_.pop_back();
    const api::NodeClaim& claim = request.claim;
    lately_.push_front({request.node_class, request.types, ground.region, request.choices, claim.meta.labels,
                        claim.taints, claim.startup_taints, wants_efa(claim), must_be_dedicated(claim), tried,
                        ground.subnets, known_of_cluster(ground.settings), out});
    return out;
}

}  // namespace joiner::cloud::ec2
