#include "control/holds.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "plan/lifecycle/initialization.h"
#include "plan/lifecycle/promise.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::control {

void Holds::reconcile_newcomers() {
    const WallTime now = services_.loop.now();
    const model::ClaimNames before = std::exchange(given_up_, {});
    for (const auto& [name, state] : services_.cluster.claims()) {
        const api::NodeClaim& claim = state.claim;
        const std::string pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
        const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
        if (initialized != nullptr && initialized->status == "True") {
            if (!doubts_.empty()) doubts_.note_up(pool, initialized->last_transition);
            continue;
        }
        const bool is_given_up = plan::is_late(claim, plan::kInitializationPatience, now);
        if (is_given_up) given_up_.insert(name);
        const model::NodeState* node = services_.cluster.node_of(claim);
        if (!state.is_ours || node == nullptr || claim.meta.deleted ||
            !rules::is_true(claim.conditions, "Registered"))
            continue;
        const std::string missing = plan::missing_for_initialization(claim, node->node);
        if (missing.empty() || !plan::is_late(claim, plan::kSlowInitialization, now)) continue;
        notes_.warn(claim, "NodeNotInitialized", missing);
        if (is_given_up && !before.contains(name) && !pool.empty())
            doubts_.note_failed(pool, claim.meta.created, missing, now);
    }
}

void Holds::note_given_up(const api::NodeClaim& claim, std::string_view reason, const std::string& why) {
    // A cloud that did not answer says nothing of the pool's nodes.
    if (reason == "launch_timeout") return purchases_.note_failed(claim.meta.name, why);
    if (reason != "registration_timeout") return;
    notes_.warn(claim, "NodeNotRegistered", why);
    doubts_.note_failed(std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel)),
                        claim.meta.created, why, services_.loop.now());
}

void Holds::note_new_terms() {
    std::map<std::string, std::string> terms;
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const api::ObjectMeta& meta = state.pool.meta;
        std::string& its = terms[name];
        its = fmt::format("{} {}", meta.uid, meta.generation);
        const auto node_class = services_.cluster.find_node_class(state.pool.node_template.node_class);
        if (node_class == nullptr) continue;
        const api::ObjectMeta& of_class = node_class->meta;
        its += fmt::format(" {} {}", of_class.uid, of_class.generation);
        for (const auto& [key, value] : of_class.annotations) its += fmt::format(" {}={}", key, value);
    }
    if (terms == terms_) return;
    for (const auto& [name, its] : terms_) {
        const auto now = terms.find(name);
        if (now == terms.end() || now->second != its) doubts_.forget(name);
    }
    purchases_.forgive();
    terms_ = std::move(terms);
}

const PoolDoubts::Doubt* Holds::doubt(const std::string& pool) const {
    return doubts_.find(pool, services_.loop.now());
}

plan::Reasons Holds::doubts_about(const model::PodView& pod) const {
    plan::Reasons out;
    if (doubts_.empty()) return out;
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const PoolDoubts::Doubt* doubt = this->doubt(name);
        if (doubt == nullptr) continue;
        const model::PoolView view = model::make_pool_view(state.pool, {}, 0);
        const rules::WellKnownLabels& well_known =
            services_.providers.of(state.pool.node_template.node_class).labels().well_known;
        const bool may_go = std::any_of(pod.shape->required.begin(), pod.shape->required.end(),
                                        [&](const rules::Requirements& wanted) {
                                            return rules::compatible(view.requirements, wanted, &well_known);
                                        });
        if (may_go && rules::untolerated_taint(pod.shape->tolerations, view.taints) == nullptr)
            out.push_back(as_reason(*doubt, name));
    }
    return out;
}

bool Holds::hold_back(model::Snapshot& snapshot) {
    const WallTime now = services_.loop.now();
    std::set<model::PodKey> held_sets;
    const auto held = std::erase_if(snapshot.pods, [&](const model::PodView& pod) {
        const Purchases::Hold* last = purchases_.find(pod.id.uid());
        // Where the pool is to blame, another one may do.
        if (last == nullptr || doubt(last->pool) != nullptr) return false;
        const model::PodState* state = services_.cluster.find_pod(pod.id.full_name());
        // Headroom is bought again and again.
        const bool is_excused =
            state == nullptr || (last->came_up > 1 && broken_promise(*state, last->claim) == std::string{});
        const auto hold = purchases_.hold(pod.id.uid(), now, is_excused);
        if (hold && state != nullptr) {
            say_held(*state, *hold);
            held_sets.insert(model::replica_set_of(*state));
        }
        return hold.has_value();
    });
    if (!held_sets.empty()) {
        std::erase_if(snapshot.pods, [&](const model::PodView& pod) {
            return !pod.coming_of.empty() && held_sets.contains(pod.coming_of);
        });
    }
    return held > 0;
}

std::optional<WallTime> Holds::next_end() const {
    const WallTime now = services_.loop.now();
    auto end = purchases_.next_end(now);
    if (const auto doubt = doubts_.next_end(now)) end = std::min(end.value_or(*doubt), *doubt);
    return end;
}

std::optional<std::string> Holds::broken_promise(const model::PodState& pod, const std::string& name) const {
    const model::ClaimState* claim = services_.cluster.find_claim(name);
    const model::NodeState* node = claim == nullptr ? nullptr : services_.cluster.node_of(claim->claim);
    if (node == nullptr) return std::nullopt;
    return plan::broken_promise(pod, claim->claim, *node);
}

void Holds::say_held(const model::PodState& pod, const Purchases::Hold& hold) {
    if (hold.came_up < 2) {
        return notes_.say_waiting(pod.id, {.rule = plan::Rule::kFailedLaunches,
                                           .object = "NodePool " + hold.pool,
                                           .detail = hold.error,
                                           .amounts = {{"failed", hold.failed}},
                                           .until = hold.until});
    }
    const std::string reason = broken_promise(pod, hold.claim).value_or("the last of them is gone");
    notes_.say_waiting(pod.id, {.rule = plan::Rule::kNotAsPromised,
                                .object = "NodeClaim " + hold.claim,
                                .detail = reason,
                                .amounts = {{"bought", hold.came_up}},
                                .until = hold.until});
    say_broken(hold.claim, reason);
}

bool Holds::say_awaiting(const model::PodView& pod, const model::RoomView& room) {
    const model::NodeState* node = services_.cluster.find_node(room.name);
    const model::ClaimState* claim = node == nullptr ? nullptr : services_.cluster.claim_of(node->node);
    const model::PodState* state = services_.cluster.find_pod(pod.id.full_name());
    if (claim == nullptr || state == nullptr) return false;
    const auto taints = rules::undeclared_taints(node->node.taints, claim->claim);
    const bool is_kept_off = rules::untolerated_taint(pod.shape->tolerations, taints) != nullptr;
    if (!is_kept_off && !plan::is_late(claim->claim, plan::kSlowInitialization, services_.loop.now()))
        return false;
    const std::string reason = plan::broken_promise(*state, claim->claim, *node);
    if (reason.empty()) return false;
    notes_.say_waiting(pod.id, late_node(claim->claim.meta.name, reason));
    if (is_kept_off) say_broken(claim->claim.meta.name, reason);
    return true;
}

void Holds::say_broken(const std::string& name, const std::string& reason) {
    const model::ClaimState* claim = services_.cluster.find_claim(name);
    if (claim != nullptr) notes_.warn(claim->claim, "NodeNotAsPromised", reason);
}

}  // namespace joiner::control
