#include "plan/lifecycle/node_step.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/selector.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using Kind = NodeStep::Kind;

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

int grace_until(WallTime deadline, WallTime now) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(deadline - now).count();
    return static_cast<int>(std::max<std::int64_t>(left, 1));
}

NodeStep drain_step(const NodeFacts& facts, const std::vector<const model::PodState*>& waiting,
                    WallTime now) {
    NodeStep step{Kind::kDrain};
    step.conditions = {{"Drained", "Unknown", "Draining", "pods are being evicted"}};
    const auto deadline = deadline_of(facts.claim);
    int lowest_tier = 4;
    for (const model::PodState* pod : waiting) lowest_tier = std::min(lowest_tier, tier_of(*pod));
    for (const model::PodState* pod : waiting) {
        if (must_force(*pod, deadline, now)) {
            step.force.push_back({pod->id.full_name(), grace_until(*deadline, now)});
            continue;
        }
        if (tier_of(*pod) != lowest_tier || pod->deleted) continue;
        if (!do_not_disrupt_is_active(*pod, now)) {
            step.evict.push_back(pod->id.full_name());
            continue;
        }
        step.remarks.push_back({{},
                                true,
                                "FailedDraining",
                                fmt::format("pod {} is annotated {}={}", pod->id.full_name(),
                                            api::kDoNotDisruptAnnotation, pod->do_not_disrupt)});
    }
    return step;
}

// Volumes of pods that are not drained are still in use, and stay attached.
std::set<std::string> volumes_in_use(const NodeFacts& facts, WallTime now) {
    std::set<std::string> out;
    const auto& claims = facts.cluster.volume_claims();
    for (const auto& [key, pod] : facts.node.pods) {
        if (pod->volumes == nullptr || (is_drainable(*pod) && !is_stuck(*pod, now))) continue;
        for (const model::VolumeUse& use : *pod->volumes) {
            const auto claim = claims.find(pod->id.ns() + "/" + use.claim);
            if (claim != claims.end()) out.insert(claim->second.object.volume_name);
        }
    }
    return out;
}

// What must come off the node before its machine goes: "attachment (volume)", by name.
std::vector<std::string> attached_volumes(const NodeFacts& facts, WallTime now) {
    std::vector<std::string> out;
    std::optional<std::set<std::string>> in_use;
    for (const auto& [name, kept] : facts.cluster.volume_attachments()) {
        const api::VolumeAttachment& attachment = kept.object;
        if (attachment.node_name != facts.node.node.meta.name || attachment.volume_name.empty()) continue;
        if (!in_use) in_use = volumes_in_use(facts, now);
        if (!in_use->contains(attachment.volume_name))
            out.push_back(fmt::format("{} ({})", name, attachment.volume_name));
    }
    return out;
}

NodeStep step_after_drain(const NodeFacts& facts, WallTime now) {
    NodeStep step{Kind::kRemoveInstance};
    step.conditions = {{"Drained", "True", "Drained"}};
    const std::vector<std::string> attached = attached_volumes(facts, now);
    const auto deadline = deadline_of(facts.claim);
    if (!attached.empty() && (!deadline || now < *deadline)) {
        step.kind = Kind::kNothing;
        step.remarks = {{{},
                         false,
                         "AwaitingVolumeDetachment",
                         fmt::format("volumes are still attached: {}", fmt::join(attached, ", "))}};
        step.conditions.push_back({"VolumesDetached", "Unknown", "AwaitingVolumeDetachment",
                                   fmt::format("still attached: {}", fmt::join(attached, ", "))});
        return step;
    }
    if (attached.empty()) {
        step.conditions.push_back({"VolumesDetached", "True", "VolumesDetached"});
    } else {
        step.conditions.push_back({"VolumesDetached", "False", "TerminationGracePeriodElapsed",
                                   fmt::format("still attached: {}", fmt::join(attached, ", "))});
    }
    step.conditions.push_back({"InstanceTerminating", "True", "InstanceTerminating"});
    return step;
}

// What pods that the drain passes over should be known for.
void remark_on(const model::PodState& pod, WallTime now, std::vector<Remark>& remarks) {
    if (is_stuck(pod, now)) {
        remarks.push_back({{},
                           true,
                           "FailedDraining",
                           fmt::format("pod {} should have been gone by {} (a finalizer, or a kubelet that "
                                       "does not answer) and is waited for no longer",
                                       pod.id.full_name(), format_rfc3339(*pod.deleted))});
    }
    if (!pod.do_not_disrupt.empty() && pod.do_not_disrupt != "true") {
        const auto duration = parse_duration(pod.do_not_disrupt);
        if (!duration || duration->count() <= 0)
            remarks.push_back({pod.id.full_name(), true, "InvalidDoNotDisruptAnnotation",
                               fmt::format("{}={} is neither true nor a duration, and is passed over",
                                           api::kDoNotDisruptAnnotation, pod.do_not_disrupt)});
    }
}

// Whom a drain waits for; what it passes over is remarked on.
std::vector<const model::PodState*> waited_for(const model::NodeState& node, WallTime now,
                                               std::vector<Remark>& remarks) {
    std::vector<const model::PodState*> out;
    for (const auto& [key, pod] : node.pods) {
        if (pod->is_terminal || !is_drainable(*pod)) continue;
        remark_on(*pod, now, remarks);
        if (!is_stuck(*pod, now)) out.push_back(pod);
    }
    return out;
}

}  // namespace

NodeStep next_drain_step(const model::Cluster& cluster, const model::NodeState& node, WallTime now) {
    std::vector<Remark> remarks;
    const std::vector<const model::PodState*> waiting = waited_for(node, now, remarks);
    if (waiting.empty()) return {};
    NodeStep step = drain_step({.cluster = cluster, .node = node, .tainted_at = {}}, waiting, now);
    step.conditions.clear();
    step.remarks.insert(step.remarks.begin(), remarks.begin(), remarks.end());
    return step;
}

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

std::vector<std::string> budgets_of(const model::Cluster& cluster, const model::PodState& pod) {
    std::vector<std::string> out;
    for (const auto& [name, kept] : cluster.pod_disruption_budgets()) {
        if (kept.object.meta.ns == pod.id.ns() && rules::matches(kept.object.selector, pod.labels->labels))
            out.push_back(kept.object.meta.name);
    }
    return out;
}

NodeStep next_node_step(const NodeFacts& facts, WallTime now) {
    if (facts.claim != nullptr && !facts.claim->claim.meta.deleted) return {Kind::kDeleteClaim};
    if (facts.instance_is_gone) return {Kind::kRemoveFinalizer};
    const api::Node& node = facts.node.node;
    if (!is_ready(node) && !facts.instance_was_asked) return {Kind::kAskInstance};
    if (!rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule) ||
        !node.meta.labels.contains(api::kExcludeBalancersLabel))
        return {Kind::kTaint};
    std::vector<Remark> remarks;
    const std::vector<const model::PodState*> waiting = waited_for(facts.node, now, remarks);
    NodeStep step;
    if (!waiting.empty()) {
        step = drain_step(facts, waiting, now);
    } else if (facts.tainted_at && now - *facts.tainted_at >= kDrainSettle) {
        step = step_after_drain(facts, now);
    }
    step.remarks.insert(step.remarks.begin(), remarks.begin(), remarks.end());
    return step;
}

}  // namespace joiner::plan
