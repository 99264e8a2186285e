#include "plan/disrupt/candidates.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "api/names.h"
#include "model/capacity_mix.h"
#include "model/commitments.h"
#include "plan/lifecycle/node_step.h"
#include "plan/lifecycle/reboot.h"
#include "rules/conditions.h"
#include "rules/selector.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

std::string_view pool_of(const api::NodeClaim& claim) {
    return api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
}

// Nobody's ill health is made worse by evicting a pod that is not ready.
bool lets_unready_go(const api::PodDisruptionBudget& budget, const model::PodState& pod) {
    return budget.unhealthy_eviction_policy == "AlwaysAllow" && !pod.is_ready;
}

bool is_annotated(const api::Node& node) {
    return api::find_or_empty(node.meta.annotations, api::kDoNotDisruptAnnotation) == "true";
}

Reason node_annotated() {
    return {.rule = Rule::kNodeAnnotated, .detail = fmt::format("{}=true", api::kDoNotDisruptAnnotation)};
}

// nullptr: it is not sold any more.
const rules::Offering* offering_on(const rules::InstanceType& type, const api::StringMap& labels) {
    for (const rules::Offering& offering : type.offerings) {
        if (offering.zone() == api::find_or_empty(labels, api::kZoneLabel) &&
            offering.capacity_type() == api::find_or_empty(labels, api::kCapacityTypeLabel))
            return &offering;
    }
    return nullptr;
}

}  // namespace

std::optional<Reason> consolidation_barred(const api::Node& node) {
    if (api::find_or_empty(node.meta.annotations, api::kDoNotConsolidateAnnotation) != "true")
        return std::nullopt;
    return Reason{.rule = Rule::kNodeAnnotated,
                  .detail = fmt::format("{}=true", api::kDoNotConsolidateAnnotation)};
}

CandidateFinder::CandidateFinder(const DisruptionFacts& facts, DisruptionClass disruption, WallTime now)
    : facts_(facts), disruption_(disruption), now_(now) {
    for (const auto& [uid, claim] : facts.planned) planned_claims_.insert(claim);
    if (facts.coming != nullptr) planned_claims_.insert(facts.coming->begin(), facts.coming->end());
    for (const model::PodKey& key : facts.cluster.unbound_pods()) {
        const model::PodState& pod = *facts.cluster.find_pod(key);
        if (model::is_nominated(facts.cluster, pod)) {
            nominated_nodes_.insert(pod.nominated_node);
        } else if (model::is_waiting(pod)) {
            waiting_.push_back(&pod);
        }
    }
    for (const auto& [name, kept] : facts.cluster.pod_disruption_budgets())
        budgets_[kept.object.meta.ns].push_back(&kept.object);
}

bool CandidateFinder::is_out_of_play(const model::ClaimState& state) const {
    const api::NodeClaim& claim = state.claim;
    const model::NodeState* node = facts_.cluster.node_of(claim);
    const std::string_view needed = disruption_ == DisruptionClass::kRepair ? "Registered" : "Initialized";
    return node == nullptr || claim.meta.deleted || node->node.meta.deleted ||
           !rules::is_true(claim.conditions, needed) || is_rebooting(claim) ||
           facts_.in_commands.contains(claim.meta.name);
}

bool CandidateFinder::is_about_to_be_used(const model::ClaimState& state) const {
    return rules::is_true(state.claim.conditions, "Initialized") &&
           (planned_claims_.contains(state.claim.meta.name) ||
            nominated_nodes_.contains(facts_.cluster.node_of(state.claim)->node.meta.name));
}

Reasons CandidateFinder::obstacles(const model::ClaimState& state, std::size_t most) const {
    const api::NodeClaim& claim = state.claim;
    const model::NodeState& node = *facts_.cluster.node_of(claim);
    const bool repairs = disruption_ == DisruptionClass::kRepair;
    Reasons out;
    if (is_about_to_be_used(state)) out.push_back({.rule = Rule::kPodsComing});
    if (!repairs && is_annotated(node.node)) out.push_back(node_annotated());
    const model::PoolState* pool = facts_.cluster.find_pool(pool_of(claim));
    if (pool == nullptr) {
        out.push_back({.rule = Rule::kPoolMissing, .detail = std::string(pool_of(claim))});
    } else if (types_of(pool->pool).all == nullptr) {
        out.push_back({.rule = Rule::kTypesUnknown, .object = "NodePool " + pool->pool.meta.name});
    }
    if (disruption_ == DisruptionClass::kGraceful && out.size() < most) {
        if (auto reason = taint_obstacle(claim, node.node)) out.push_back(std::move(*reason));
    }
    const bool is_bounded = disruption_ == DisruptionClass::kEventual && claim.termination_grace_period;
    if (!is_bounded && !repairs) add_pod_obstacles(node, true, most, out);
    if (out.size() > most) out.resize(most);
    return out;
}

std::optional<Reason> CandidateFinder::objection(const model::ClaimState& state, bool heeds_budgets) const {
    const model::NodeState* node = facts_.cluster.node_of(state.claim);
    if (node == nullptr) return std::nullopt;
    if (is_annotated(node->node)) return node_annotated();
    if (disruption_ == DisruptionClass::kEventual && state.claim.termination_grace_period)
        return std::nullopt;
    Reasons out;
    add_pod_obstacles(*node, heeds_budgets, 1, out);
    if (out.empty()) return std::nullopt;
    return std::move(out.front());
}

std::optional<Reason> CandidateFinder::blocking_pod(const model::NodeState& node) const {
    Reasons out;
    add_pod_obstacles(node, true, 1, out);
    if (out.empty()) return std::nullopt;
    return std::move(out.front());
}

// Pods that wait may wait for this very node.
std::optional<Reason> CandidateFinder::taint_obstacle(const api::NodeClaim& claim,
                                                      const api::Node& node) const {
    if (!model::is_young(claim, now_)) return std::nullopt;
    for (const api::Taint& taint : rules::undeclared_taints(node.taints, claim)) {
        const bool is_waited_for =
            std::any_of(waiting_.begin(), waiting_.end(), [&](const model::PodState* pod) {
                return rules::untolerated_taint(pod->shape->tolerations, {taint}) != nullptr;
            });
        if (is_waited_for) return Reason{.rule = Rule::kTaintAwaited, .detail = taint.key};
    }
    return std::nullopt;
}

void CandidateFinder::add_pod_obstacles(const model::NodeState& node, bool heeds_budgets, std::size_t most,
                                        Reasons& out) const {
    for (const auto& [key, pod] : node.pods) {
        if (out.size() >= most) return;
        if (!pod->is_active()) continue;
        if (do_not_disrupt_is_active(*pod, now_)) {
            out.push_back(
                {.rule = Rule::kPodAnnotated,
                 .object = "pod " + key,
                 .detail = fmt::format("{}={}", api::kDoNotDisruptAnnotation, pod->do_not_disrupt)});
        } else if (heeds_budgets && is_drainable(*pod)) {
            auto reason = budget_obstacle(*pod);
            const bool is_news = reason && std::none_of(out.begin(), out.end(), [&](const Reason& known) {
                                     return known.object == reason->object;
                                 });
            if (is_news) out.push_back(std::move(*reason));
        }
    }
}

std::optional<Reason> CandidateFinder::budget_obstacle(const model::PodState& pod) const {
    const auto budgets = budgets_.find(pod.id.ns());
    if (budgets == budgets_.end()) return std::nullopt;
    const api::PodDisruptionBudget* matched = nullptr;
    for (const api::PodDisruptionBudget* budget : budgets->second) {
        if (!rules::matches(budget->selector, pod.labels->labels)) continue;
        // The eviction API refuses such a pod.
        if (matched != nullptr)
            return Reason{.rule = Rule::kSeveralBudgets, .object = "pod " + pod.id.full_name()};
        matched = budget;
    }
    if (matched == nullptr || matched->disruptions_allowed > 0 || lets_unready_go(*matched, pod))
        return std::nullopt;
    return Reason{.rule = Rule::kPodDisruptionBudget,
                  .object = "PodDisruptionBudget " + api::full_name(matched->meta),
                  .detail = pod.id.full_name(),
                  .amounts = {{"allowed", matched->disruptions_allowed}}};
}

Candidate CandidateFinder::make(const model::ClaimState& state) const {
    const api::NodeClaim& claim = state.claim;
    const model::NodeState& node = *facts_.cluster.node_of(claim);
    Candidate out;
    out.claim = claim.meta.name;
    out.node = node.node.meta.name;
    out.pool = pool_of(claim);
    if (const model::PoolState* pool = facts_.cluster.find_pool(out.pool); pool != nullptr) {
        out.price = price_on_top(pool->pool, claim, node.node);
        const rules::Offering* offering = offering_of(pool->pool, node.node);
        if (offering != nullptr) out.interruption_cost = offering->interruption_cost;
    }
    out.is_spot = model::counts_as_spot(facts_.cluster, claim);
    out.milli_cores = model::capacity_cores(&claim, &node.node);
    for (const auto& [key, pod] : node.pods) {
        if (!pod->is_reschedulable()) continue;
        out.pods.push_back(pod->id);
        out.disruption_cost += std::max(0.0, eviction_cost(*pod));
    }
    out.steady_for = now_ - steady_since(claim, last_pod_event(claim.meta.name));
    return out;
}

const rules::Offering* CandidateFinder::offering_of(const api::NodePool& pool, const api::Node& node) const {
    const rules::InstanceType* type = type_of(pool, node);
    return type == nullptr ? nullptr : offering_on(*type, node.meta.labels);
}

rules::Money CandidateFinder::price_of(const api::NodePool& pool, const api::Node& node) const {
    const rules::Offering* offering = offering_of(pool, node);
    return offering == nullptr ? rules::Money{} : offering->price;
}

rules::Money CandidateFinder::price_on_top(const api::NodePool& pool, const api::NodeClaim& claim,
                                           const api::Node& node) const {
    rules::Money out = price_of(pool, node);
    const auto& parts = uncovered();
    if (const auto it = parts.find(claim.meta.name); it != parts.end())
        out.nanos = std::llround(static_cast<double>(out.nanos) * it->second);
    return out;
}

const std::map<std::string, double, std::less<>>& CandidateFinder::uncovered() const {
    if (uncovered_) return *uncovered_;
    uncovered_.emplace();
    if (facts_.commitments == nullptr || facts_.commitments->empty()) return *uncovered_;
    model::OnDemandMachines there = model::on_demand_machines(facts_.cluster, facts_.types, nullptr);
    // Nodes that cannot go at all, for all that is known here, have no claim of ours.
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < there.owners.size(); ++i) {
        const model::ClaimState* claim = facts_.cluster.find_claim(there.owners[i]);
        const model::NodeState* node = claim == nullptr ? nullptr : facts_.cluster.node_of(claim->claim);
        double trouble = node == nullptr ? std::numeric_limits<double>::infinity() : 0;
        if (node != nullptr) {
            for (const auto& [key, pod] : node->pods) {
                if (pod->is_reschedulable()) trouble += std::max(0.0, eviction_cost(*pod));
            }
        }
        order.emplace_back(-trouble, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<rules::PaidMachine> machines;
    for (const auto& [trouble, i] : order) machines.push_back(std::move(there.machines[i]));
    const rules::CommitmentUse use = rules::use_commitments(*facts_.commitments, machines);
    for (std::size_t i = 0; i < order.size(); ++i)
        uncovered_->emplace(there.owners[order[i].second], use.uncovered[i]);
    return *uncovered_;
}

const CandidateFinder::Types& CandidateFinder::types_of(const api::NodePool& pool) const {
    const auto [it, is_new] = types_.try_emplace(pool.meta.name);
    if (!is_new) return it->second;
    it->second.all = facts_.types(pool);
    if (it->second.all != nullptr) {
        for (const rules::InstanceType& type : *it->second.all) it->second.by_name.emplace(type.name, &type);
    }
    return it->second;
}

const rules::InstanceType* CandidateFinder::type_of(const api::NodePool& pool, const api::Node& node) const {
    const Types& types = types_of(pool);
    const auto it = types.by_name.find(api::find_or_empty(node.meta.labels, api::kInstanceTypeLabel));
    return it == types.by_name.end() ? nullptr : it->second;
}

Candidates find_candidates(const DisruptionFacts& facts, DisruptionClass disruption, WallTime now) {
    Candidates out;
    const CandidateFinder finder(facts, disruption, now);
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        if (finder.is_out_of_play(state)) continue;
        if (Reasons reasons = finder.obstacles(state); !reasons.empty()) {
            out.blocked.push_back(
                {name, facts.cluster.node_of(state.claim)->node.meta.name, std::move(reasons)});
            continue;
        }
        if (disruption == DisruptionClass::kGraceful) {
            const api::NodePool& pool = facts.cluster.find_pool(pool_of(state.claim))->pool;
            const auto at = consolidatable_at(state.claim, pool, finder.last_pod_event(name));
            if (!at || *at > now) continue;
        }
        out.candidates.push_back(finder.make(state));
    }
    return out;
}

bool is_empty(const model::NodeState& node) {
    return std::none_of(node.pods.begin(), node.pods.end(),
                        [](const auto& one) { return one.second->is_reschedulable(); });
}

double eviction_cost(const model::PodState& pod) {
    constexpr double kOfWeight = 1.0 / (1 << 27);
    constexpr double kOfPriority = 1.0 / (1 << 25);
    return std::clamp(1 + pod.eviction_weight * kOfWeight + pod.priority * kOfPriority, -10.0, 10.0);
}

WallTime steady_since(const api::NodeClaim& claim, WallTime last_pod_event) {
    const WallTime since = std::max(last_pod_event, claim.last_pod_event.value_or(kNoTime));
    if (since != kNoTime) return since;
    const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
    return initialized == nullptr ? kNoTime : initialized->last_transition;
}

std::optional<WallTime> consolidatable_at(const api::NodeClaim& claim, const api::NodePool& pool,
                                          WallTime last_pod_event) {
    if (!pool.consolidate_after.value || pool.replicas) return std::nullopt;
    if (!rules::is_true(claim.conditions, "Initialized")) return std::nullopt;
    return steady_since(claim, last_pod_event) + *pool.consolidate_after.value;
}

WallTime CandidateFinder::last_pod_event(const std::string& claim) const {
    const auto it = facts_.last_pod_event.find(claim);
    return it == facts_.last_pod_event.end() ? kNoTime : it->second;
}

}  // namespace joiner::plan
