#include "control/provisioner.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/binder.h"
#include "act/launcher.h"
#include "act/object_writer.h"
#include "api/names.h"
#include "control/claim_decisions.h"
#include "model/headroom.h"
#include "observe/log.h"
#include "plan/lifecycle/initialization.h"
#include "plan/lifecycle/promise.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::control {
namespace {

// The more pods, the more there is to save: a small batch is planned in a few milliseconds, one of thousands
// in the planner's own time.
constexpr std::uint64_t kEffortAPod = 30'000;
constexpr Duration kLookAgain = std::chrono::seconds{10};
// Between Events that say the same of a claim or a pool.
constexpr Duration kSeldom = std::chrono::minutes{15};
// A node that is not up by then keeps no pod waiting for it; the claim itself has its own, longer time.
constexpr Duration kRoomPatience = std::chrono::minutes{5};

plan::Reason late_node(const std::string& claim, const std::string& why) {
    return {.rule = plan::Rule::kLateNode, .object = "NodeClaim " + claim, .detail = why};
}

// By index; made once for all pods that go to the room.
class RoomReasons {
  public:
    explicit RoomReasons(const model::Snapshot& snapshot) : snapshot_(snapshot) {}
    const plan::SharedReasons& of(model::RoomIndex room) {
        plan::SharedReasons& known = known_[room];
        if (known == nullptr) {
            const model::RoomView& view = snapshot_.rooms[room];
            known = plan::share({{.rule = plan::Rule::kRoom,
                                  .object = (view.is_claim ? "NodeClaim " : "Node ") + view.name}});
        }
        return known;
    }

  private:
    const model::Snapshot& snapshot_;
    std::map<model::RoomIndex, plan::SharedReasons> known_;
};

// What a wait says for itself, where it has no data.
plan::Reason as_reason(const model::PodView& pod, const plan::Wait& wait) {
    const bool is_its_own = !pod.shape->problem.empty();
    return {.rule = is_its_own ? plan::Rule::kPodItself : plan::Rule::kUnplaced, .detail = wait.reason};
}

}  // namespace

void Provisioner::start() {
    started_ = true;
    trigger();
    sweep();
}

// Once in a while everything is looked at again: pods that wait, and pods whose claim does not come up.
void Provisioner::sweep() {
    const WallTime now = services_.loop.now();
    look_after_newcomers();
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
    const bool has_less_headroom = keeps_headroom() && planned_version_ != services_.cluster.version();
    if (some_wait || has_less_headroom || !late.empty()) trigger();
    services_.loop.after(kLookAgain, [this] { sweep(); });
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
        if (pod != nullptr) say_waiting(pod->id, late_node(name, why));
    }
}

void Provisioner::look_after_newcomers() {
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
        warn(claim, "NodeNotInitialized", missing);
        if (is_given_up && !before.contains(name) && !pool.empty())
            doubts_.note_failed(pool, claim.meta.created, missing, now);
    }
}

void Provisioner::pod_changed(const model::PodState* before, const model::PodState* after) {
    if (before != nullptr) {
        const bool still_waits =
            after != nullptr && after->id.uid() == before->id.uid() && wants_room(*after);
        if (!still_waits) {
            purchases_.forget(before->id.uid());
            const std::string claim = planned_.drop(before->id.uid());
            if (!claim.empty()) services_.look_at_claim(claim);
        }
    }
    if (after != nullptr && wants_room(*after) && !planned_.has(after->id.uid())) {
        const bool is_news = before == nullptr || before->id.uid() != after->id.uid() ||
                             !wants_room(*before) || before->is_unschedulable != after->is_unschedulable ||
                             before->shape != after->shape;
        if (is_news && !goes_to_its_place(*after)) trigger();
    }
    // It stands where headroom was.
    const bool has_come =
        after != nullptr && !after->node_name.empty() && (before == nullptr || before->node_name.empty());
    if (has_come && !after->is_daemon && keeps_headroom()) trigger();
}

// A pod that was moved is not planned again: it was planned before its node went.
bool Provisioner::goes_to_its_place(const model::PodState& pod) {
    if (!started_ || !act::is_bindable(pod)) return false;
    const std::string claim = take_place_(pod);
    if (const auto kept = reserved_.find(claim); kept != reserved_.end()) kept->second -= pod.shape->requests;
    const model::ClaimState* state = services_.cluster.find_claim(claim);
    const model::NodeState* node = state == nullptr ? nullptr : services_.cluster.node_of(state->claim);
    if (node == nullptr || !rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule))
        return false;
    planned_.plan(pod.id.uid(), pod.id.full_name(), claim, pod.shape);
    decide(pod.id, observe::Verdict::kExistingNode,
           plan::share({{.rule = plan::Rule::kKeptPlace, .object = "NodeClaim " + claim}}));
    services_.look_at_claim(claim);
    return true;
}

void Provisioner::claim_changed(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) {
        // Not yet seen, or gone. While it is being created the watch is simply late.
        if (creating_.contains(name)) return;
        release(name);
        if (headroom_claims_.contains(name)) trigger();
        return;
    }
    creating_.erase(name);
    if (state->claim.meta.deleted) return release(name);
    // On an open node the rest is the scheduler's.
    const model::NodeState* node = services_.cluster.node_of(state->claim);
    if (node == nullptr || !rules::is_true(state->claim.conditions, "Initialized")) return;
    if (!rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule)) release(name);
}

void Provisioner::release(const std::string& claim) {
    if (planned_.drop_claim(claim)) trigger();
}

void Provisioner::world_changed() {
    if (some_wait_ || some_are_held_ || keeps_headroom()) trigger();
}

// Workloads say much that no buffer asks about.
void Provisioner::headroom_changed() {
    std::map<std::string, Asked, std::less<>> asked;
    for (const auto& [name, kept] : services_.cluster.buffers()) {
        const model::Headroom headroom = model::headroom_of(services_.cluster, kept.object);
        asked[name] = {headroom.replicas,
                       headroom.source == nullptr ? nullptr : headroom.source->shape.get()};
    }
    if (asked == asked_) return;
    asked_ = std::move(asked);
    trigger();
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
    inputs.is_usable = [this](const api::NodePool& pool) { return is_usable(pool); };
    inputs.well_known = services_.providers.well_known();
    inputs.planned = &planned_.by_uid();
    inputs.reserved = &reserved_;
    inputs.default_spread = &options_.default_spread;
    inputs.given_up = &given_up_;
    inputs.now = services_.loop.now();
    return inputs;
}

model::Snapshot Provisioner::make_snapshot(const model::ClaimNames* leaving) const {
    model::SnapshotInputs inputs = snapshot_inputs();
    inputs.leaving = leaving;
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

void Provisioner::plan() {
    const Duration start = services_.loop.monotonic();
    note_new_terms();
    model::Snapshot snapshot = make_snapshot();
    planned_version_ = services_.cluster.version();
    decide_on_pools(snapshot);
    hold_back(snapshot);
    metrics_.set("scheduler_queue_depth", {{"controller", "provisioner"}},
                 static_cast<double>(std::count_if(snapshot.pods.begin(), snapshot.pods.end(),
                                                   [](const auto& pod) { return !pod.is_headroom(); })));
    if (snapshot.pods.empty()) {
        some_wait_ = false;
        headroom_claims_.clear();
        headroom_room_.clear();
        headroom_places_.clear();
        return;
    }
    const plan::Plan plan = plan::plan_provisioning(snapshot, plan_options(snapshot.pods.size()));
    if (plan.is_fallback) metrics_.count("joiner_plan_fallbacks_total", {});
    const double seconds = to_seconds(services_.loop.monotonic() - start);
    metrics_.observe("scheduler_scheduling_duration_seconds", {{"controller", "provisioner"}}, seconds);
    metrics_.set(
        "scheduler_unschedulable_pods_count", {{"controller", "provisioner"}},
        static_cast<double>(std::count_if(plan.waits.begin(), plan.waits.end(), [&](const plan::Wait& wait) {
            return !snapshot.pods[wait.pod].is_headroom();
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
    note_headroom(snapshot, plan);
    some_wait_ = std::any_of(plan.waits.begin(), plan.waits.end(),
                             [&](const plan::Wait& wait) { return !snapshot.pods[wait.pod].is_headroom(); });
    RoomReasons reasons(snapshot);
    for (const plan::Placement& placement : plan.placements) {
        const model::PodView& pod = snapshot.pods[placement.pod];
        if (pod.is_headroom()) continue;
        const model::RoomView& room = snapshot.rooms[placement.room];
        // On an open node it is the scheduler's own: it finds the place itself. Looked at again in case it
        // does not.
        some_wait_ |= room.is_open;
        if (room.is_open && say_awaiting(pod, room)) continue;
        decide(pod.id, observe::Verdict::kExistingNode, reasons.of(placement.room));
        if (room.is_open) continue;
        const std::string claim = claim_of(room);
        if (claim.empty()) continue;
        if (has_begun_to_open_(claim)) {
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
    for (const plan::Launch& one : plan.launches) launch(snapshot, one, whole);
    say_waits(snapshot, plan.waits);
}

// Pods of a class share what is said of them, as far as they might go to the same pools in doubt.
void Provisioner::say_waits(const model::Snapshot& snapshot, const std::vector<plan::Wait>& waits) {
    struct Said {
        plan::SharedReasons reasons;
        std::string text;
    };
    std::map<std::tuple<const plan::Reasons*, std::string_view, const rules::PodShape*>, Said> known;
    for (const plan::Wait& wait : waits) {
        const model::PodView& pod = snapshot.pods[wait.pod];
        if (pod.is_headroom()) continue;
        const std::string_view text = wait.why == nullptr ? std::string_view(wait.reason) : "";
        const rules::PodShape* shape = doubts_.empty() && wait.why != nullptr ? nullptr : pod.shape.get();
        const auto [it, is_new] = known.try_emplace({wait.why.get(), text, shape});
        Said& said = it->second;
        if (is_new) {
            plan::Reasons reasons = doubts_about(pod);
            for (const plan::Reason& doubt : reasons) said.text += in_words(doubt) + "; ";
            said.text += wait.reason;
            if (reasons.empty() && wait.why != nullptr) {
                said.reasons = wait.why;
            } else {
                if (wait.why != nullptr)
                    reasons.insert(reasons.end(), wait.why->begin(), wait.why->end());
                else
                    reasons.push_back(as_reason(pod, wait));
                said.reasons = plan::share(std::move(reasons));
            }
        }
        say_waiting(pod.id, said.reasons, said.text);
    }
}

bool Provisioner::wants_room(const model::PodState& pod) const {
    return model::wants_room(services_.cluster, pod);
}

std::string Provisioner::claim_of(const model::RoomView& room) const {
    if (room.is_claim) return room.name;
    const model::NodeState* node = services_.cluster.find_node(room.name);
    const model::ClaimState* state = node == nullptr ? nullptr : services_.cluster.claim_of(node->node);
    return state == nullptr ? std::string{} : state->claim.meta.name;
}

void Provisioner::note_headroom(const model::Snapshot& snapshot, const plan::Plan& plan) {
    headroom_places_.clear();
    headroom_claims_.clear();
    headroom_room_.clear();
    std::map<std::string_view, std::size_t> missing;
    for (const model::PodView& pod : snapshot.pods) {
        if (!pod.is_headroom()) continue;
        headroom_places_[pod.buffer] = HeadroomPlace::kIsBoughtOrMissing;
        ++missing[pod.buffer];
    }
    for (const plan::Placement& placement : plan.placements) {
        const model::PodView& pod = snapshot.pods[placement.pod];
        if (!pod.is_headroom()) continue;
        headroom_room_[snapshot.rooms[placement.room].name] += pod.shape->requests;
        if (--missing[pod.buffer] == 0) headroom_places_[pod.buffer] = HeadroomPlace::kIsThere;
        if (std::string claim = claim_of(snapshot.rooms[placement.room]); !claim.empty())
            headroom_claims_.insert(std::move(claim));
    }
}

void Provisioner::plan_pod(const model::PodView& pod, const std::string& claim) {
    const model::PodState* state = services_.cluster.find_pod(pod.id.full_name());
    const bool is_bindable = state != nullptr && act::is_bindable(*state);
    planned_.plan(pod.id.uid(), pod.id.full_name(), claim, is_bindable ? pod.shape : nullptr);
    services_.look_at_claim(claim);
}

void Provisioner::launch(const model::Snapshot& snapshot, const plan::Launch& one,
                         const plan::Reason& whole) {
    const std::string name =
        create(snapshot.pools[one.spec->pool], *one.spec, "provisioned", [](const Status&) {});
    const plan::Reason own = bought(plan::Rule::kCheapestPlan, name, *one.spec, one.pods.size());
    decide_on_claim(decisions_, name, {own, whole}, services_.loop.now());
    const plan::SharedReasons of_pods = plan::share({own});
    for (const model::PodIndex index : one.pods) {
        const model::PodView& pod = snapshot.pods[index];
        purchases_.note_bought(pod.id.uid(), name, snapshot.pools[one.spec->pool].name);
        if (pod.is_headroom()) {
            headroom_claims_.insert(name);
            headroom_room_[name] += pod.shape->requests;
            continue;
        }
        plan_pod(pod, name);
        decide(pod.id, observe::Verdict::kNewNode, of_pods);
        services_.events.record({{"v1", "Pod", pod.id.ns(), pod.id.name(), pod.id.uid(), ""},
                                 false,
                                 "Nominated",
                                 "will be placed on nodeclaim/" + name,
                                 std::chrono::minutes{2}});
    }
}

std::string Provisioner::create(const model::PoolView& pool, const plan::MachineSpec& spec,
                                std::string_view reason, std::function<void(Status)> done) {
    std::string name = act::make_claim_name(pool.name, rng_);
    while (services_.cluster.find_claim(name) != nullptr || creating_.contains(name))
        name = act::make_claim_name(pool.name, rng_);
    creating_.insert(name);
    const rules::RestrictedLabels& labels =
        services_.providers.of(pool.pool.node_template.node_class).labels();
    act::create_claim(services_, act::make_claim(spec, pool, labels, name), reason,
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

void Provisioner::launch_failed(const api::NodeClaim& claim, const Error& error) {
    if (!cloud::gives_claim_up(error.kind)) return;  // It is tried again.
    const bool is_sold_out = error.kind == ErrorKind::kExhausted;
    purchases_.note_failed(claim.meta.name, error.message);
    if (is_sold_out) warn_pool_of(claim, "InsufficientCapacityError", error.message);
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

void Provisioner::given_up(const api::NodeClaim& claim, std::string_view reason, const std::string& why) {
    // A cloud that did not answer says nothing of the pool's nodes.
    if (reason == "launch_timeout") return purchases_.note_failed(claim.meta.name, why);
    if (reason != "registration_timeout") return;
    warn(claim, "NodeNotRegistered", why);
    doubts_.note_failed(std::string(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel)),
                        claim.meta.created, why, services_.loop.now());
}

const PoolDoubts::Doubt* Provisioner::doubt(const std::string& pool) const {
    return doubts_.find(pool, services_.loop.now());
}

plan::Reasons Provisioner::doubts_about(const model::PodView& pod) const {
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

void Provisioner::decide_on_pools(const model::Snapshot& snapshot) {
    std::map<std::string_view, plan::Reasons> closed;
    for (const model::PoolView& pool : snapshot.pools) {
        for (const auto& [resource, left] : pool.remaining) {
            if (left > 0 || pool.is_reservation) continue;
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

void Provisioner::note_new_terms() {
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

void Provisioner::hold_back(model::Snapshot& snapshot) {
    const WallTime now = services_.loop.now();
    const auto held = std::erase_if(snapshot.pods, [&](const model::PodView& pod) {
        const Purchases::Hold* last = purchases_.find(pod.id.uid());
        // Where the pool is to blame, another one may do.
        if (last == nullptr || doubt(last->pool) != nullptr) return false;
        const model::PodState* state = services_.cluster.find_pod(pod.id.full_name());
        // Headroom is bought again and again.
        const bool is_excused =
            state == nullptr || (last->came_up > 1 && broken_promise(*state, last->claim) == std::string{});
        const auto hold = purchases_.hold(pod.id.uid(), now, is_excused);
        if (hold && state != nullptr) say_held(*state, *hold);
        return hold.has_value();
    });
    some_are_held_ = held > 0;
    plan_when_holds_end();
}

std::optional<std::string> Provisioner::broken_promise(const model::PodState& pod,
                                                       const std::string& name) const {
    const model::ClaimState* claim = services_.cluster.find_claim(name);
    const model::NodeState* node = claim == nullptr ? nullptr : services_.cluster.node_of(claim->claim);
    if (node == nullptr) return std::nullopt;
    return plan::broken_promise(pod, claim->claim, *node);
}

void Provisioner::say_held(const model::PodState& pod, const Purchases::Hold& hold) {
    if (hold.came_up < 2) {
        return say_waiting(pod.id, {.rule = plan::Rule::kFailedLaunches,
                                    .object = "NodePool " + hold.pool,
                                    .detail = hold.error,
                                    .amounts = {{"failed", hold.failed}},
                                    .until = hold.until});
    }
    const std::string reason = broken_promise(pod, hold.claim).value_or("the last of them is gone");
    say_waiting(pod.id, {.rule = plan::Rule::kNotAsPromised,
                         .object = "NodeClaim " + hold.claim,
                         .detail = reason,
                         .amounts = {{"bought", hold.came_up}},
                         .until = hold.until});
    say_broken(hold.claim, reason);
}

void Provisioner::plan_when_holds_end() {
    if (hold_timer_ != 0) services_.loop.cancel(hold_timer_);
    hold_timer_ = 0;
    const WallTime now = services_.loop.now();
    auto end = purchases_.next_end(now);
    if (const auto doubt = doubts_.next_end(now)) end = std::min(end.value_or(*doubt), *doubt);
    if (!end) return;
    hold_timer_ = services_.loop.after(*end - now, [this] {
        hold_timer_ = 0;
        trigger();
    });
}

bool Provisioner::say_awaiting(const model::PodView& pod, const model::RoomView& room) {
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
    say_waiting(pod.id, late_node(claim->claim.meta.name, reason));
    if (is_kept_off) say_broken(claim->claim.meta.name, reason);
    return true;
}

// Where those who can mend it look.
void Provisioner::say_broken(const std::string& name, const std::string& reason) {
    const model::ClaimState* claim = services_.cluster.find_claim(name);
    if (claim != nullptr) warn(claim->claim, "NodeNotAsPromised", reason);
}

void Provisioner::warn(const api::NodeClaim& claim, const std::string& reason, const std::string& message) {
    services_.events.record({act::target_of(claim), true, reason, message, kSeldom});
    warn_pool_of(claim, reason, message);
}

void Provisioner::warn_pool_of(const api::NodeClaim& claim, const std::string& reason,
                               const std::string& message) {
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    if (pool == nullptr) return;
    const api::ObjectMeta& meta = pool->pool.meta;
    services_.events.record(
        {{"karpenter.sh/v1", "NodePool", "", meta.name, meta.uid, ""}, true, reason, message, kSeldom});
}

void Provisioner::decide(const model::PodId& pod, observe::Verdict verdict, plan::SharedReasons reasons) {
    decisions_.record({observe::Subject::pod(pod), observe::Matter::kPlacement, verdict, std::move(reasons),
                       services_.loop.now()});
}

void Provisioner::say_waiting(const model::PodId& pod, plan::Reason reason) {
    const std::string text = in_words(reason);
    say_waiting(pod, plan::share({std::move(reason)}), text);
}

void Provisioner::say_waiting(const model::PodId& pod, const plan::SharedReasons& reasons,
                              const std::string& text) {
    decide(pod, observe::Verdict::kWaits, reasons);
    services_.events.record({{"v1", "Pod", pod.ns(), pod.name(), pod.uid(), ""},
                             true,
                             "FailedScheduling",
                             text,
                             std::chrono::minutes{5}});
}

}  // namespace joiner::control
