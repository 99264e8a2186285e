#include "control/provisioner.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "act/binder.h"
#include "act/launcher.h"
#include "act/object_writer.h"
#include "api/names.h"
#include "control/claim_decisions.h"
#include "control/moves.h"
#include "model/headroom.h"
#include "model/reservations.h"
#include "observe/log.h"
#include "plan/lifecycle/initialization.h"
#include "plan/lifecycle/promise.h"
#include "plan/provision/passed_over.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::control {
namespace {

// The more pods, the more there is to save: a small batch is planned in a few milliseconds, one of thousands
// in the planner's own time.
constexpr std::uint64_t kEffortAPod = 30'000;
constexpr Duration kReconcileAgain = std::chrono::seconds{10};
// A node that is not up by then keeps no pod waiting for it; the claim itself has its own, longer time.
constexpr Duration kRoomPatience = std::chrono::minutes{5};

}  // namespace

void Provisioner::start() {
    started_ = true;
    // Their ReplicaSets may still be at work.
    for (const model::PodKey& key : services_.cluster.unbound_pods()) {
        const model::PodState& pod = *services_.cluster.find_pod(key);
        if (options_.plan_ahead && wants_room(pod) &&
            services_.loop.now() - pod.created < ComingPlaces::kStalled)
            coming_.note_arrival(pod, services_.loop.monotonic());
    }
    trigger();
    sweep();
}

// Once in a while everything is reconciled again: pods that wait, and pods whose claim does not come up.
void Provisioner::sweep() {
    const WallTime now = services_.loop.now();
    holds_.reconcile_newcomers();
    std::vector<std::string> late;
    for (const auto& [claim, pods] : planned_.by_claim()) {
        const model::ClaimState* state = services_.cluster.find_claim(claim);
        if (state == nullptr || rules::is_true(state->claim.conditions, "Initialized")) continue;
        if (now - state->claim.meta.created >= kRoomPatience) late.push_back(claim);
    }
    for (const std::string& claim : late) {
        say_late(claim);
        release(claim);
    }
    // The scheduler may find no place for pods that were left to it.
    const bool some_wait =
        some_wait_ || std::any_of(services_.cluster.unbound_pods().begin(),
                                  services_.cluster.unbound_pods().end(), [&](const model::PodKey& key) {
                                      const model::PodState& pod = *services_.cluster.find_pod(key);
                                      return wants_room(pod) && !planned_.has(pod.id.uid());
                                  });
    const bool has_less_headroom =
        headroom_.is_asked_for() && planned_version_ != services_.cluster.version();
    if (some_wait || has_less_headroom || !late.empty()) trigger();
    services_.loop.after(kReconcileAgain, [this] { sweep(); });
}

// To the pods that wait for it.
void Provisioner::say_late(const std::string& name) {
    const api::NodeClaim& claim = services_.cluster.find_claim(name)->claim;
    const model::NodeState* node = services_.cluster.node_of(claim);
    std::string why;
    if (rules::is_true(claim.conditions, "Registered") && node != nullptr) {
        why = plan::missing_for_initialization(claim, node->node);
    } else if (rules::is_true(claim.conditions, "Launched")) {
        why = plan::why_given_up(claim, nullptr, "registration_timeout");
    }
    if (why.empty()) return;
    for (const auto& [key, uid] : planned_.by_claim().find(name)->second) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        if (pod != nullptr) notes_.say_waiting(pod->id, late_node(name, why));
    }
}

void Provisioner::pod_changed(const model::PodState* before, const model::PodState* after) {
    if (started_ && after != nullptr && (after->has_gates || (before != nullptr && before->has_gates)))
        coming_.note_gated(*after);
    if (before != nullptr) {
        const bool still_waits =
            after != nullptr && after->id.uid() == before->id.uid() && wants_room(*after);
        if (!still_waits) {
            holds_.forget(before->id.uid());
            const std::string claim = planned_.drop(before->id.uid());
            if (!claim.empty()) services_.reconcile_claim(claim);
        }
    }
    if (after != nullptr && wants_room(*after) && !planned_.has(after->id.uid())) {
        const bool is_news = before == nullptr || before->id.uid() != after->id.uid() ||
                             !wants_room(*before) || before->is_unschedulable != after->is_unschedulable ||
                             before->shape != after->shape;
        if (is_news) pod_came(*after);
    }
    // It stands where headroom was.
    const bool has_come =
        after != nullptr && !after->node_name.empty() && (before == nullptr || before->node_name.empty());
    if (has_come && !after->is_daemon && headroom_.is_asked_for()) trigger();
}

void Provisioner::pod_came(const model::PodState& pod) {
    if (options_.plan_ahead && started_) coming_.note_arrival(pod, services_.loop.monotonic());
    if (goes_to_its_place(pod) || goes_where_it_was_expected(pod)) return;
    // The batch that is open counts on it: it need not wait for the last of its ReplicaSet.
    const bool is_counted = batch_timer_ != 0 && coming_.is_counted(pod);
    coming_.count(pod);
    if (!is_counted) trigger();
}

bool Provisioner::goes_where_it_was_expected(const model::PodState& pod) {
    if (!started_) return false;
    ComingPlaces::Place place = coming_.take(pod);
    if (place.claim.empty() || has_begun_to_open(place.claim)) return false;
    if (place.is_bought_for_it) holds_.note_bought(pod.id.uid(), place.claim, place.pool);
    planned_.plan(pod.id.uid(), pod.id.full_name(), place.claim, act::is_bindable(pod) ? pod.shape : nullptr);
    notes_.decide(pod.id,
                  place.is_bought_for_it ? observe::Verdict::kNewNode : observe::Verdict::kExistingNode,
                  place.reasons);
    if (place.is_bought_for_it) say_nominated(pod.id, place.claim);
    services_.reconcile_claim(place.claim);
    return true;
}

// A pod that was moved is not planned again: it was planned before its node went.
bool Provisioner::goes_to_its_place(const model::PodState& pod) {
    if (!started_ || !act::is_bindable(pod)) return false;
    const std::string claim = places_.take(pod, services_.cluster, services_.loop.now());
    const model::ClaimState* state = services_.cluster.find_claim(claim);
    const model::NodeState* node = state == nullptr ? nullptr : services_.cluster.node_of(state->claim);
    if (node == nullptr || !rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule))
        return false;
    planned_.plan(pod.id.uid(), pod.id.full_name(), claim, pod.shape);
    notes_.decide(pod.id, observe::Verdict::kExistingNode,
                  plan::share({{.rule = plan::Rule::kKeptPlace, .object = "NodeClaim " + claim}}));
    services_.reconcile_claim(claim);
    return true;
}

void Provisioner::claim_changed(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) {
        // Not yet seen, or gone. While it is being created the watch is simply late.
        if (creating_.contains(name)) return;
        release(name);
        if (headroom_.claims().contains(name)) trigger();
        return;
    }
    creating_.erase(name);
    if (state->claim.meta.deleted) return release(name);
    // On an open node the rest is the scheduler's.
    const model::NodeState* node = services_.cluster.node_of(state->claim);
    if (node == nullptr || !rules::is_true(state->claim.conditions, "Initialized")) return;
    if (rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule)) return;
    coming_.note_open(name);
    if (planned_.drop_claim(name)) trigger();
}

// Nobody counts on its node any more.
void Provisioner::release(const std::string& claim) {
    const bool were_coming = coming_.drop_claim(claim);
    if (planned_.drop_claim(claim) || were_coming) trigger();
}

void Provisioner::world_changed() {
    if (some_wait_ || some_are_held_ || headroom_.is_asked_for()) trigger();
}

void Provisioner::headroom_changed() {
    if (headroom_.has_changed()) trigger();
}

void Provisioner::trigger() {
    if (!started_) return;
    if (batch_timer_ != 0) services_.loop.cancel(batch_timer_);
    batch_timer_ =
        services_.loop.after(batch_window_.note(services_.loop.monotonic()), [this] { close_batch(); });
}

void Provisioner::close_batch() {
    batch_timer_ = 0;
    batch_window_.close();
    // Claims on their way would look like missing room; the watch brings them in a moment.
    if (!may_plan()) {
        batch_timer_ = services_.loop.after(std::chrono::milliseconds{20}, [this] { close_batch(); });
        return;
    }
    plan();
}

bool Provisioner::may_plan() const {
    return services_.cluster.is_synced() && facts_are_fresh_() &&
           std::all_of(creating_.begin(), creating_.end(), [&](const std::string& claim) {
               return services_.cluster.find_claim(claim) != nullptr;
           });
}

bool Provisioner::is_usable(const api::NodePool& pool) const {
    return !pool.replicas && !pool.meta.deleted && pool.spec_problem.empty() &&
           rules::is_true(pool.conditions, "Ready") && doubt(pool.meta.name) == nullptr;
}

model::SnapshotInputs Provisioner::snapshot_inputs() const {
    model::SnapshotInputs inputs;
    inputs.types = [this](const api::NodePool& pool) { return services_.offers.instance_types(pool); };
    inputs.why_no_types = [this](const api::NodePool& pool) { return services_.offers.why_no_types(pool); };
    inputs.is_usable = [this](const api::NodePool& pool) { return is_usable(pool); };
    inputs.well_known = [this](const api::NodeClassReference& node_class) {
        return services_.providers.of(node_class).labels().well_known;
    };
    inputs.planned = &planned_.by_uid();
    inputs.reserved = &places_.reserved(KeptPlaces::For::kProvisioning);
    inputs.expected = &places_.expected(KeptPlaces::For::kProvisioning);
    inputs.default_spread = &options_.default_spread;
    inputs.given_up = &holds_.given_up();
    inputs.commitments = &commitments();
    inputs.now = services_.loop.now();
    return inputs;
}

model::Snapshot Provisioner::make_snapshot(KeptPlaces::For asker, const model::ClaimNames* leaving,
                                           const model::ClaimNames* gives_back) const {
    model::SnapshotInputs inputs = snapshot_inputs();
    inputs.leaving = leaving;
    model::ReservedRoom reserved = places_.reserved(asker);
    if (asker == KeptPlaces::For::kMoves) {
        for (const auto& [claim, amount] : coming_.reserved()) reserved[claim] += amount;
    }
    inputs.reserved = &reserved;
    inputs.expected = &places_.expected(asker);
    if (gives_back != nullptr)
        return model::make_snapshot_once_given_back(services_.cluster, inputs, *gives_back);
    return model::make_snapshot(services_.cluster, inputs);
}

plan::ProvisionOptions Provisioner::plan_options(std::size_t pods) const {
    plan::ProvisionOptions out;
    out.min_values_policy = options_.min_values_policy;
    out.preference_worth = options_.preference_worth;
    out.effort = std::min(out.effort, kEffortAPod * pods);
    out.clock = [this] { return to_seconds(services_.loop.monotonic()); };
    return out;
}

// With what is still to come.
model::Snapshot Provisioner::make_question() {
    const std::set<std::string> moving = places_.kins();
    const std::vector<model::ComingPods> coming =
        coming_.begin_plan([&](const model::PodState& pod) { return moving.contains(kin_of(pod)); });
    model::SnapshotInputs inputs = snapshot_inputs();
    inputs.coming = &coming;
    return model::make_snapshot(services_.cluster, inputs);
}

void Provisioner::plan() {
    const Duration start = services_.loop.monotonic();
    holds_.note_new_terms();
    model::Snapshot snapshot = make_question();
    planned_version_ = services_.cluster.version();
    decide_on_pools(snapshot);
    some_are_held_ = holds_.hold_back(snapshot);
    plan_when_holds_end();
    metrics_.set("scheduler_queue_depth", {{"controller", "provisioner"}},
                 static_cast<double>(std::count_if(snapshot.pods.begin(), snapshot.pods.end(),
                                                   [](const auto& pod) { return pod.exists(); })));
    if (snapshot.pods.empty()) {
        some_wait_ = false;
        headroom_.clear();
        return;
    }
    const plan::Plan plan = plan::plan_provisioning(snapshot, plan_options(snapshot.pods.size()));
    if (plan.is_fallback) metrics_.count("joiner_plan_fallbacks_total", {});
    const double seconds = to_seconds(services_.loop.monotonic() - start);
    metrics_.observe("scheduler_scheduling_duration_seconds", {{"controller", "provisioner"}}, seconds);
    metrics_.set(
        "scheduler_unschedulable_pods_count", {{"controller", "provisioner"}},
        static_cast<double>(std::count_if(plan.waits.begin(), plan.waits.end(), [&](const plan::Wait& wait) {
            return snapshot.pods[wait.pod].exists();
        })));
    if (!plan.launches.empty()) {
        metrics_.set("joiner_plan_price_per_hour", {}, plan.price.dollars());
        metrics_.set("joiner_plan_lower_bound_per_hour", {}, plan.lower_bound.dollars());
        observe::log_info("provisioner", "planned",
                          {{"pods", std::to_string(snapshot.pods.size())},
                           {"nodes", std::to_string(plan.launches.size())},
                           {"placed", std::to_string(plan.placements.size())},
                           {"waiting", std::to_string(plan.waits.size())},
                           {"price", std::to_string(plan.price.dollars())},
                           {"seconds", std::to_string(seconds)}});
    }
    carry_out(snapshot, plan);
}

void Provisioner::carry_out(const model::Snapshot& snapshot, const plan::Plan& plan) {
    headroom_.note(snapshot, plan);
    some_wait_ = std::any_of(plan.waits.begin(), plan.waits.end(),
                             [&](const plan::Wait& wait) { return snapshot.pods[wait.pod].exists(); });
    RoomReasons reasons(snapshot);
    for (const plan::Placement& placement : plan.placements) {
        const model::PodView& pod = snapshot.pods[placement.pod];
        if (pod.is_headroom()) continue;
        const model::RoomView& room = snapshot.rooms[placement.room];
        if (!pod.coming_of.empty()) {
            const std::string claim = claim_of(services_.cluster, room);
            if (!claim.empty())
                coming_.keep(pod.coming_of, {claim, "", reasons.of(placement.room), false}, room.is_open);
            continue;
        }
        // On an open node it is the scheduler's own: it finds the place itself. Looked at again in case it
        // does not.
        some_wait_ |= room.is_open;
        if (room.is_open && holds_.say_awaiting(pod, room)) continue;
        notes_.decide(pod.id, observe::Verdict::kExistingNode, reasons.of(placement.room));
        if (room.is_open) continue;
        const std::string claim = claim_of(services_.cluster, room);
        if (claim.empty()) continue;
        if (has_begun_to_open(claim)) {
            some_wait_ = true;
            continue;
        }
        plan_pod(pod, claim);
    }
    std::size_t bought_for = 0;
    for (const plan::Launch& one : plan.launches) bought_for += one.pods.size();
    const plan::Reason whole{.rule = plan::Rule::kWholePlan,
                             .detail = fmt::format("{:.4f}", plan.lower_bound.dollars()),
                             .amounts = {{"nodes", static_cast<std::int64_t>(plan.launches.size())},
                                         {"pods", static_cast<std::int64_t>(bought_for)}},
                             .money = plan.price + plan.node_cost};
    std::vector<std::shared_ptr<const plan::MachineSpec>> specs;
    for (const plan::Launch& one : plan.launches) specs.push_back(one.spec);
    const std::vector<std::string> groups = launch_groups(specs);
    const std::vector<std::string> stands_in_for = passed_over(snapshot, plan.launches);
    for (std::size_t i = 0; i < specs.size(); ++i)
        launch(snapshot, plan.launches[i], {"provisioned", groups[i], stands_in_for[i]}, whole);
    notes_.say_waits(snapshot, plan.waits, holds_.some_doubt(),
                     [this](const model::PodView& pod) { return holds_.doubts_about(pod); });
}

bool Provisioner::wants_room(const model::PodState& pod) const {
    return model::wants_room(services_.cluster, pod);
}

bool Provisioner::has_begun_to_open(const std::string& claim) const {
    return lifecycle_.has_begun_to_open(claim) || binding_windows_.is_overdue(claim, services_.loop.now());
}

void Provisioner::plan_pod(const model::PodView& pod, const std::string& claim) {
    const model::PodState* state = services_.cluster.find_pod(pod.id.full_name());
    const bool is_bindable = state != nullptr && act::is_bindable(*state);
    planned_.plan(pod.id.uid(), pod.id.full_name(), claim, is_bindable ? pod.shape : nullptr);
    services_.reconcile_claim(claim);
}

std::vector<std::string> Provisioner::passed_over(const model::Snapshot& snapshot,
                                                  const std::vector<plan::Launch>& launches) const {
    int heaviest = std::numeric_limits<int>::min();
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        if (!state.pool.replicas) heaviest = std::max(heaviest, state.pool.weight);
    }
    const bool is_all_of_the_heaviest = std::all_of(launches.begin(), launches.end(), [&](const auto& one) {
        return snapshot.pools[one.spec->pool].weight >= heaviest;
    });
    if (is_all_of_the_heaviest) return std::vector<std::string>(launches.size());
    std::vector<model::PoolView> at_best;
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const api::NodePool& pool = state.pool;
        if (pool.replicas || pool.meta.deleted || !pool.spec_problem.empty()) continue;
        model::PoolView& view = at_best.emplace_back(model::make_pool_view(pool, {}, 0));
        view.remaining.clear();
        view.types = services_.offers.all_types(pool);
        view.well_known = services_.providers.of(pool.node_template.node_class).labels().well_known;
    }
    return plan::passed_over(snapshot, launches, std::move(at_best));
}

void Provisioner::launch(const model::Snapshot& snapshot, const plan::Launch& one, const Purpose& purpose,
                         const plan::Reason& whole) {
    const std::string name = create(snapshot.pools[one.spec->pool], *one.spec, purpose, [](const Status&) {});
    const plan::Reason own = bought(plan::Rule::kCheapestPlan, name, *one.spec, one.pods.size());
    decide_on_claim(decisions_, name, {own, whole}, services_.loop.now());
    const plan::SharedReasons of_pods = plan::share({own});
    for (const model::PodIndex index : one.pods) {
        const model::PodView& pod = snapshot.pods[index];
        if (!pod.coming_of.empty()) {
            coming_.keep(pod.coming_of, {name, snapshot.pools[one.spec->pool].name, of_pods, true}, false);
            continue;
        }
        holds_.note_bought(pod.id.uid(), name, snapshot.pools[one.spec->pool].name);
        if (pod.is_headroom()) {
            headroom_.note_bought(pod, name);
            continue;
        }
        plan_pod(pod, name);
        notes_.decide(pod.id, observe::Verdict::kNewNode, of_pods);
        say_nominated(pod.id, name);
    }
}

void Provisioner::say_nominated(const model::PodId& pod, const std::string& claim) {
    services_.events.record({{"v1", "Pod", pod.ns(), pod.name(), pod.uid(), ""},
                             false,
                             "Nominated",
                             "will be placed on nodeclaim/" + claim,
                             std::chrono::minutes{2}});
}

std::string Provisioner::create(const model::PoolView& pool, const plan::MachineSpec& spec,
                                const Purpose& purpose, std::function<void(Status)> done) {
    std::string name = act::make_claim_name(pool.name, rng_);
    while (services_.cluster.find_claim(name) != nullptr || creating_.contains(name))
        name = act::make_claim_name(pool.name, rng_);
    creating_.insert(name);
    const rules::RestrictedLabels& labels =
        services_.providers.of(pool.pool.node_template.node_class).labels();
    api::NodeClaim claim = act::make_claim(spec, pool, labels, name);
    if (!purpose.launch_group.empty())
        claim.meta.annotations[std::string(api::kLaunchGroupAnnotation)] = purpose.launch_group;
    if (!purpose.passed_over.empty())
        claim.meta.annotations[std::string(api::kPassedOverAnnotation)] = purpose.passed_over;
    act::create_claim(services_, std::move(claim), purpose.reason,
                      [this, name, done = std::move(done)](Status status) {
                          if (!status) {
                              services_.notices.failed("create NodeClaim " + name, status.error());
                              decisions_.note_gone(observe::SubjectKind::kNodeClaim, "", name);
                              creating_.erase(name);
                              release(name);
                          }
                          done(std::move(status));
                      });
    return name;
}

std::vector<std::string> Provisioner::launch_groups(
    const std::vector<std::shared_ptr<const plan::MachineSpec>>& specs) {
    return act::launch_groups(specs, rng_);
}

void Provisioner::launch_failed(const api::NodeClaim& claim, const Error& error) {
    if (!cloud::gives_claim_up(error.kind)) return;  // It is tried again.
    const bool is_sold_out = error.kind == ErrorKind::kExhausted;
    holds_.note_launch_failed(claim.meta.name, error.message);
    if (is_sold_out) notes_.warn_pool_of(claim, "InsufficientCapacityError", error.message);
    const auto pods = planned_.by_claim().find(claim.meta.name);
    if (pods == planned_.by_claim().end()) return;
    for (const auto& [key, uid] : pods->second) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        if (pod == nullptr || pod->id.uid() != uid || !pod->node_name.empty() || !pod->is_active()) continue;
        services_.events.record({{"v1", "Pod", pod->id.ns(), pod->id.name(), uid, ""},
                                 true,
                                 is_sold_out ? "InsufficientCapacityError" : "FailedScheduling",
                                 "NodeClaim " + claim.meta.name + " could not be launched: " + error.message,
                                 std::chrono::minutes{5}});
    }
}

void Provisioner::decide_on_pools(const model::Snapshot& snapshot) {
    std::map<std::string_view, plan::Reasons> closed;
    for (const model::PoolView& pool : snapshot.pools) {
        if (pool.is_reservation) continue;
        // A share of the limits that stands aside for reservations is still to be bought with.
        for (const auto& [resource, left] : pool.remaining_without_reservations.empty()
                                                ? pool.remaining
                                                : pool.remaining_without_reservations) {
            if (left > 0) continue;
            closed[pool.name].push_back(
                {.rule = plan::Rule::kLimits,
                 .object = "NodePool " + pool.name,
                 .detail = fmt::format("its limits leave no room for another node: nothing is left of {}",
                                       resource),
                 .amounts = {{"left", left}}});
        }
    }
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        if (state.pool.replicas) continue;
        plan::Reasons reasons = std::move(closed[name]);
        if (const PoolDoubts::Doubt* its = doubt(name)) reasons.push_back(as_reason(*its, name));
        const auto verdict = reasons.empty() ? observe::Verdict::kOpen : observe::Verdict::kClosed;
        decisions_.record({observe::Subject::pool(state.pool.meta), observe::Matter::kPurchase, verdict,
                           plan::share(std::move(reasons)), services_.loop.now()});
    }
}

void Provisioner::plan_when_holds_end() {
    if (hold_timer_ != 0) services_.loop.cancel(hold_timer_);
    hold_timer_ = 0;
    const auto end = holds_.next_end();
    if (!end) return;
    hold_timer_ = services_.loop.after(*end - services_.loop.now(), [this] {
        hold_timer_ = 0;
        trigger();
    });
}

}  // namespace joiner::control
