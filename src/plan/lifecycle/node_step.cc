#include "plan/lifecycle/node_step.h"

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using Kind = NodeStep::Kind;

constexpr Duration kStuckTerminating = std::chrono::minutes{1};

const api::Taint& disrupted_taint() {
    static const api::Taint taint{std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}};
    return taint;
}

bool is_stuck(const model::PodState& pod, WallTime now) {
    return pod.deleted && now - *pod.deleted > kStuckTerminating;
}

// Ordinary pods go first, then ordinary daemons, critical pods, critical daemons.
int tier_of(const model::PodState& pod) {
    return (pod.is_critical ? 2 : 0) + (pod.is_daemon ? 1 : 0);
}

std::optional<WallTime> deadline_of(const model::ClaimState* claim) {
    if (claim == nullptr) return std::nullopt;
    const std::string_view text =
        api::find_or_empty(claim->claim.meta.annotations, api::kTerminationTimestampAnnotation);
    const auto time = parse_rfc3339(text);
    if (!time) return std::nullopt;
    return *time;
}

bool must_force(const model::PodState& pod, std::optional<WallTime> deadline, WallTime now) {
    if (!deadline) return false;
    if (pod.deleted) return *pod.deleted > *deadline;
    return now > *deadline - std::chrono::seconds{pod.termination_grace_seconds};
}

NodeStep drain_step(const NodeFacts& facts, std::vector<const model::PodState*> waiting, WallTime now) {
    NodeStep step{Kind::kDrain, {}, {}};
    const auto deadline = deadline_of(facts.claim);
    int lowest_tier = 4;
    for (const model::PodState* pod : waiting) lowest_tier = std::min(lowest_tier, tier_of(*pod));
    for (const model::PodState* pod : waiting) {
        if (must_force(*pod, deadline, now)) {
            step.force.push_back(pod->full_name());
        } else if (tier_of(*pod) == lowest_tier && !pod->deleted && !do_not_disrupt_is_active(*pod, now)) {
            step.evict.push_back(pod->full_name());
        }
    }
    return step;
}

}  // namespace

bool has_termination_finalizer(const api::ObjectMeta& meta) {
    return std::find(meta.finalizers.begin(), meta.finalizers.end(), api::kTerminationFinalizer) !=
           meta.finalizers.end();
}

bool is_drainable(const model::PodState& pod) {
    if (pod.is_mirror) return false;
    return std::none_of(pod.shape->tolerations.begin(), pod.shape->tolerations.end(),
                        [](const api::Toleration& t) { return rules::tolerates(t, disrupted_taint()); });
}

bool do_not_disrupt_is_active(const model::PodState& pod, WallTime now) {
    if (pod.do_not_disrupt.empty()) return false;
    if (pod.do_not_disrupt == "true") return true;
    const auto duration = parse_duration(pod.do_not_disrupt);
    if (!duration || duration->count() <= 0) return false;
    return !pod.started || now < *pod.started + *duration;
}

NodeStep next_node_step(const NodeFacts& facts, WallTime now) {
    if (facts.claim != nullptr && !facts.claim->claim.meta.deleted) return {Kind::kDeleteClaim, {}, {}};
    if (facts.instance_is_gone) return {Kind::kRemoveFinalizer, {}, {}};
    const api::Node& node = facts.node.node;
    if (!rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule)) return {Kind::kTaint, {}, {}};
    std::vector<const model::PodState*> waiting;
    for (const model::PodKey& key : facts.node.pods) {
        const model::PodState* pod = facts.cluster.find_pod(key);
        if (pod != nullptr && !pod->is_terminal && is_drainable(*pod) && !is_stuck(*pod, now))
            waiting.push_back(pod);
    }
    if (!waiting.empty()) return drain_step(facts, std::move(waiting), now);
    if (!facts.tainted_at || now - *facts.tainted_at < kDrainSettle) return {};
    return {Kind::kRemoveInstance, {}, {}};
}

}  // namespace joiner::plan
