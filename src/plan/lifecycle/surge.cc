#include "plan/lifecycle/surge.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/node_step.h"
#include "rules/selector.h"

namespace joiner::plan {
namespace {

using Kind = SurgeStep::Kind;

bool asks_for_hash(const api::LabelSelector& selector) {
    return selector.match_labels.contains(api::kPodTemplateHashLabel) ||
           std::any_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                       [](const auto& each) { return each.key == api::kPodTemplateHashLabel; });
}

SurgeStep evict_without(std::string why) {
    return {Kind::kEvict, "evicted without a replacement: " + std::move(why)};
}

SurgeStep step_before_release(const SurgeFacts& facts) {
    const model::PodState& pod = facts.pod;
    // Nobody is served by it.
    if (!pod.is_ready) return {Kind::kEvict};
    if (pod.surge->replica_set.empty() || pod.surge->hash.empty())
        return evict_without("only pods of a Deployment's ReplicaSet can be replaced first");
    for (const std::string& name : budgets_of(facts.cluster, pod)) {
        const auto budget = facts.cluster.pod_disruption_budgets().find(pod.id.ns() + "/" + name);
        if (budget->second.object.selector && asks_for_hash(*budget->second.object.selector))
            return evict_without(
                fmt::format("PodDisruptionBudget {} selects on {}", name, api::kPodTemplateHashLabel));
    }
    if (!facts.service_selects_on_hash) return {Kind::kAskServices};
    if (*facts.service_selects_on_hash)
        return evict_without(
            fmt::format("a Service selects on {}, or that cannot be told", api::kPodTemplateHashLabel));
    return {Kind::kRelease};
}

}  // namespace

SurgeStep next_surge_step(const SurgeFacts& facts, WallTime now) {
    const model::PodSurge& surge = *facts.pod.surge;
    if (!surge.released) return step_before_release(facts);
    if (facts.owner) {
        // Scaled to nothing, or replaced by a newer one.
        if (!facts.owner->exists) return {Kind::kEvict};
        if (facts.owner->is_full() && facts.full_since && now - *facts.full_since >= kSurgeSettle)
            return {Kind::kEvict};
    }
    if (now - *surge.released >= kSurgePatience)
        return evict_without(fmt::format("ReplicaSet {} was not up to its number again within {}",
                                         surge.replica_set, format_duration(kSurgePatience)));
    if (!facts.owner) return {Kind::kAskOwner};
    return {Kind::kWait};
}

std::int64_t ready_pods(const model::Cluster& cluster, const std::string& ns,
                        const std::optional<api::LabelSelector>& selector) {
    return std::count_if(cluster.pods().begin(), cluster.pods().end(), [&](const auto& item) {
        const model::PodState& pod = item.second;
        return pod.id.ns() == ns && pod.is_active() && pod.is_ready &&
               rules::matches(selector, pod.labels->labels);
    });
}

std::string surging_text(const model::PodSurge& surge, WallTime now) {
    return fmt::format("{}/{}/{}", surge.replica_set, surge.hash, format_rfc3339(now));
}

}  // namespace joiner::plan
