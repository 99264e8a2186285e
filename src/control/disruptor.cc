#include "control/disruptor.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/binder.h"
#include "api/names.h"
#include "control/metric_words.h"
#include "plan/disrupt/outgoing.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::control {
namespace {

// Registration has a time limit of its own; this one covers all that must happen until a node is initialised.
constexpr Duration kReplacementTimeout = std::chrono::minutes{10};
// Moved pods that are not ready by then did not take the move well.
constexpr Duration kProofTime = std::chrono::minutes{5};
// A deletion that the watch does not show by then was lost.
constexpr Duration kAskAgain = std::chrono::seconds{5};
// The scheduler may be a little late to see a node closed, and not for longer is a node kept closed for pods
// that do not come.
constexpr Duration kCloseSettle = std::chrono::seconds{2};
constexpr Duration kLongestClose = std::chrono::seconds{10};
// A PodDisruptionBudget that allows nothing for so long objects, unless we have pods on the move ourselves.
constexpr Duration kBudgetPatience = std::chrono::seconds{30};
// Since the last node went, or the last pod came: room kept for pods that are made again later than that is
// given up.
constexpr Duration kLastPods = std::chrono::seconds{10};
constexpr Duration kLongestKept = std::chrono::minutes{1};
// A drain that takes longer holds up nobody else.
constexpr Duration kLongDrain = std::chrono::minutes{1};

bool is_marked(const api::NodeClaim& claim, const model::NodeState* node) {
    return api::find_condition(claim.conditions, "DisruptionReason") != nullptr ||
           (node != nullptr && !node->node.meta.deleted &&
            rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule));
}

// The pod asks for nothing but its node, so that we may bind the one that is made in its stead.
bool is_bound_by_us(const model::PodState& pod) {
    return pod.is_default_scheduler && pod.volumes == nullptr && !pod.is_stateful &&
           !act::looks_beyond_its_node(pod);
}

}  // namespace

bool Disruptor::may_start() const {
    return latecomers_.is_start_over() && provisioner_.is_idle() &&
           std::none_of(commands_.begin(), commands_.end(),
                        [](const auto& item) { return item.second.phase == Phase::kMark; });
}

void Disruptor::start(const model::Snapshot& snapshot, const plan::DisruptionCommand& planned) {
    Command command;
    command.number = next_command_++;
    command.reason = planned.reason;
    command.pool = planned.leaving.front().pool;
    command.drain_bound = planned.drain_bound;
    places_.keep(command.number, keep(snapshot, planned, command));
    command.began = services_.loop.now();
    command.saves = notes_.leave(snapshot, planned);
    for (const plan::Launch& launch : planned.launches) command.costs_after += launch.spec->price;
    savings_.promise(command.saves);
    commands_.emplace(command.number, std::move(command));
    refresh();
    step();
}

KeptPlaces::Kept Disruptor::keep(const model::Snapshot& snapshot, const plan::DisruptionCommand& planned,
                                 Command& command) {
    KeptPlaces::Kept kept;
    kept.binds = lifecycle_.binds_pods();
    std::set<std::string_view> moving;  // By uid.
    for (const plan::Candidate& candidate : planned.leaving) {
        command.leaving.push_back(candidate.claim);
        for (const model::PodId& id : candidate.pods) {
            moving.insert(id.uid());
            const model::PodState* pod = services_.cluster.find_pod(id.full_name());
            command.pods_were_ready &= pod != nullptr && pod->is_ready;
            if (pod == nullptr) continue;
            command.kin.insert(kin_of(*pod));
            ledger_.moves().note_leaving(candidate.pool, *pod, planned.rest, services_.loop.now());
            kept.binds &= is_bound_by_us(*pod);
        }
    }
    // Nothing for a pod that has gone meanwhile.
    const auto mover = [&](model::PodIndex pod) -> std::optional<KeptPlaces::Mover> {
        const model::PodState* state = services_.cluster.find_pod(snapshot.pods[pod].id.full_name());
        kept.binds &= state != nullptr;
        if (state == nullptr) return std::nullopt;
        return KeptPlaces::Mover{kin_of(*state), state->shape, state->labels, state->id};
    };
    for (const plan::Placement& placement : planned.placements) {
        const std::string& room = snapshot.rooms[placement.room].name;
        const model::NodeState* node = services_.cluster.find_node(room);
        if (node != nullptr) {
            if (const model::ClaimState* claim = services_.cluster.claim_of(node->node)) {
                command.places.insert(claim->claim.meta.name);
                if (auto moved = mover(placement.pod))
                    kept.places.push_back({std::move(*moved), claim->claim.meta.name});
            }
        }
        kept.whole[room] += snapshot.pods[placement.pod].shape->requests;
    }
    const std::vector<std::string> passed_over = provisioner_.passed_over(snapshot, planned.launches);
    for (std::size_t i = 0; i < planned.launches.size(); ++i) {
        const plan::Launch& launch = planned.launches[i];
        Command::Launch wanted{launch.spec, snapshot.pools[launch.spec->pool], {}, {}, passed_over[i]};
        for (const model::PodIndex pod : launch.pods) {
            if (!moving.contains(snapshot.pods[pod].id.uid())) continue;
            wanted.reserved += snapshot.pods[pod].shape->requests;
            if (auto moved = mover(pod)) wanted.movers.push_back(std::move(*moved));
        }
        command.launches.push_back(std::move(wanted));
    }
    return kept;
}

void Disruptor::step() {
    std::vector<KeptPlaces::Number> ended;
    for (auto& [number, command] : commands_) {
        const Progress progress = step(command);
        if (progress == Progress::kStays) continue;
        end(command, progress);
        ended.push_back(number);
    }
    for (const KeptPlaces::Number number : ended) {
        commands_.erase(number);
        places_.forget(number);
    }
    if (!ended.empty()) refresh();
}

Disruptor::Progress Disruptor::step(Command& command) {
    if (command.objection) return Progress::kFailed;
    switch (command.phase) {
        case Phase::kMark:
            return mark(command);
        case Phase::kWait:
            return wait(command);
        case Phase::kClose:
            return close(command);
        case Phase::kLeave:
            return leave(command);
    }
    return Progress::kStays;
}

Disruptor::Progress Disruptor::mark(Command& command) {
    // Deleted by somebody else meanwhile: its pods are provisioning's to place.
    const bool has_lost_one =
        std::any_of(command.leaving.begin(), command.leaving.end(), [&](const std::string& name) {
            const model::ClaimState* state = services_.cluster.find_claim(name);
            return state == nullptr || state->claim.meta.deleted;
        });
    if (has_lost_one) {
        command.has_lost_one = true;
        return Progress::kFailed;
    }
    bool is_done = true;
    for (const std::string& name : command.leaving)
        is_done &= lifecycle_.mark_disrupted(name, command.reason);
    if (!is_done) return Progress::kStays;
    create(command);
    command.phase = Phase::kWait;
    command.launched_at = services_.loop.now();
    refresh();
    return wait(command);
}

void Disruptor::create(Command& command) {
    KeptPlaces::Kept& kept = places_.of(command.number);
    std::vector<std::shared_ptr<const plan::MachineSpec>> specs;
    for (const Command::Launch& launch : command.launches) specs.push_back(launch.spec);
    const std::vector<std::string> groups = provisioner_.launch_groups(specs);
    const std::string reason = lower(command.reason);
    for (std::size_t i = 0; i < specs.size(); ++i) {
        Command::Launch& launch = command.launches[i];
        const std::size_t pods = launch.movers.size();
        const std::string name =
            provisioner_.create(launch.pool, *launch.spec, {reason, groups[i], launch.passed_over},
                                [this, number = command.number](Status status) {
                                    const auto it = commands_.find(number);
                                    if (!status && it != commands_.end()) it->second.has_failed = true;
                                });
        notes_.replace(name, *launch.spec, pods);
        command.created.insert(name);
        command.places.insert(name);
        kept.whole[name] += launch.reserved;
        for (KeptPlaces::Mover& mover : launch.movers) kept.places.push_back({std::move(mover), name});
    }
    command.launches.clear();
}

Disruptor::Progress Disruptor::wait(Command& command) {
    if (command.has_failed) return Progress::kFailed;
    bool are_up = true;
    for (const std::string& name : command.created) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr && provisioner_.is_creating(name)) {
            are_up = false;
        } else if (state == nullptr || state->claim.meta.deleted) {
            return Progress::kFailed;
        } else {
            are_up &= rules::is_true(state->claim.conditions, "Initialized");
        }
    }
    if (are_up) {
        command.phase = Phase::kClose;
        places_.of(command.number).stage = KeptPlaces::Stage::kClosing;
        command.up_at = services_.loop.now();
        leave_to_scheduler(command);
        return close(command);
    }
    if (services_.loop.now() - command.launched_at < kReplacementTimeout) return Progress::kStays;
    ledger_.note_launch(command.pool, false);
    return Progress::kFailed;
}

void Disruptor::leave_to_scheduler(Command& command) {
    KeptPlaces::Kept& kept = places_.of(command.number);
    if (kept.places.empty()) return;
    for (const std::string& name : ground_.outgoing()) {
        const model::ClaimState* claim = services_.cluster.find_claim(name);
        const model::NodeState* node = services_.cluster.node_of(claim->claim);
        if (node == nullptr || ledger_.leaving().contains(name) || claim->claim.meta.deleted ||
            node->node.unschedulable)
            continue;
        const rules::Resources free = node->allocatable - node->used;
        const bool takes_some = std::any_of(
            kept.places.begin(), kept.places.end(),
            [&](const KeptPlaces::Place& place) { return rules::fits(place.mover.shape->requests, free); });
        if (takes_some) command.untold.insert(name);
    }
    kept.binds &= command.untold.empty();
}

Disruptor::Progress Disruptor::close(Command& command) {
    const WallTime now = services_.loop.now();
    KeptPlaces::Kept& kept = places_.of(command.number);
    std::set<std::string_view> wanted;
    if (kept.binds) {
        for (const KeptPlaces::Place& place : kept.places) wanted.insert(place.claim);
    }
    bool are_closed = true;
    for (const std::string_view claim : wanted)
        are_closed &= lifecycle_.close_binding_window(std::string(claim));
    if (are_closed && command.closed_at == kNoTime) command.closed_at = now;
    std::erase_if(command.untold, [&](const std::string& name) {
        const model::ClaimState* claim = services_.cluster.find_claim(name);
        const model::NodeState* node = claim == nullptr ? nullptr : services_.cluster.node_of(claim->claim);
        return node == nullptr ||
               rules::has_taint(node->node.taints, plan::kOutgoingTaint, api::kPreferNoSchedule);
    });
    const bool has_settled =
        wanted.empty() ? command.untold.empty() : are_closed && now - command.closed_at >= kCloseSettle;
    if (!has_settled && now - command.up_at < kLongestClose) return Progress::kStays;
    objections_.ask(commands_);
    if (command.objection) return Progress::kFailed;
    if (std::optional<plan::Reason> why = objections_.by_budgets(command)) {
        if (now - command.up_at < budget_patience()) return Progress::kStays;
        command.objection = std::move(why);
        return Progress::kFailed;
    }
    command.phase = Phase::kLeave;
    kept.stage = KeptPlaces::Stage::kOpen;
    return leave(command);
}

Duration Disruptor::budget_patience() const {
    const bool some_move =
        proofs_.are_open() || std::any_of(commands_.begin(), commands_.end(), [](const auto& item) {
            return item.second.phase == Phase::kLeave && !item.second.is_proving;
        });
    return some_move ? kReplacementTimeout : kBudgetPatience;
}

void Disruptor::note_bound(const model::PodState& pod) {
    if (commands_.empty() && !proofs_.are_open()) return;
    const std::string kin = kin_of(pod);
    for (auto& [number, command] : commands_) {
        if (command.phase == Phase::kLeave && !command.is_proving && command.kin.contains(kin))
            command.arrived.insert(pod.id.full_name());
    }
    places_.note_bound(pod, kin, services_.cluster);
    proofs_.note_bound(kin, pod.id.full_name());
}

void Disruptor::prove(Command& command) {
    if (std::exchange(command.is_proving, true) || command.places.empty()) return;
    const WallTime now = services_.loop.now();
    proofs_.add({command.pool, command.reason, command.places, command.kin, command.arrived, command.left_at,
                 now, now + kProofTime, command.pods_were_ready});
}

Disruptor::Progress Disruptor::leave(Command& command) {
    const WallTime now = services_.loop.now();
    const bool asks = now - command.deleted_at >= kAskAgain;
    // To the second, as pods say when they were created.
    if (command.left_at == kNoTime) command.left_at = std::chrono::floor<std::chrono::seconds>(now);
    if (asks) command.deleted_at = now;
    if (now - command.left_at >= kLongestKept && !command.is_proving) {
        places_.give_up(command.number);
        prove(command);
        refresh();
    }
    Progress progress = Progress::kDone;
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr) continue;
        progress = Progress::kStays;
        if (!state->claim.meta.deleted) remove(command, name, asks);
    }
    // The last pods are made again a moment after their nodes have gone, and where controller-manager is
    // busy, several seconds after.
    const KeptPlaces::Kept& kept = places_.of(command.number);
    if (progress == Progress::kDone && !kept.places.empty()) {
        if (command.gone_at == kNoTime) command.gone_at = now;
        if (now - std::max(command.gone_at, kept.taken_at) < kLastPods) return Progress::kStays;
    }
    return progress;
}

void Disruptor::remove(const Command& command, const std::string& name, bool asks) {
    if (asks)
        notes_.say(name, "DisruptionTerminating",
                   fmt::format("the node is being removed: {}", command.reason));
    if (command.drain_bound) {
        (void)lifecycle_.end_by(name, command.left_at + *command.drain_bound, lower(command.reason));
    } else if (asks) {
        lifecycle_.delete_claim(name, lower(command.reason));
    }
}

void Disruptor::end(Command& command, Progress progress) {
    if (progress != Progress::kDone) return give_up(command);
    savings_.realise(command.saves + command.costs_after, command.created);
    if (command.reason == plan::kUnderutilized && (command.has_strays || !command.places.empty()))
        ledger_.note_consolidated(command.pool, command.has_strays);
    prove(command);
}

void Disruptor::give_up(const Command& command) {
    savings_.give_up(command.saves);
    notes_.fail(command.reason, command.leaving);
    if (!command.created.empty() && !command.objection) ledger_.put_pool_off(command.pool);
    plan::Reason why = command.objection.value_or(plan::Reason{.rule = plan::Rule::kReplacementFailed});
    if (command.has_lost_one) why = {.rule = plan::Rule::kClaimGone};
    const plan::SharedReasons reasons = plan::share({std::move(why)});
    for (const std::string& name : command.leaving) {
        ledger_.put_off(name);
        notes_.give_up(name, command.reason, reasons);
        if (command.objection)
            notes_.say(name, "DisruptionBlocked", in_words(*command.objection));
        else if (command.phase == Phase::kWait)
            notes_.say(name, "DisruptionBlocked", in_words(*reasons));
    }
    latecomers_.add(command.created);
}

void Disruptor::refresh() {
    model::ClaimNames leaving;
    model::ClaimNames in_commands;
    for (const auto& [number, command] : commands_) {
        leaving.insert(command.leaving.begin(), command.leaving.end());
        if (!command.is_proving) in_commands.insert(command.places.begin(), command.places.end());
    }
    in_commands.insert(leaving.begin(), leaving.end());
    // Nobody has come to a new node yet does not mean that nobody will.
    proofs_.add_places(in_commands);
    ledger_.set_claims(std::move(leaving), std::move(in_commands));
}

void Disruptor::reconcile() {
    latecomers_.reconcile();
    objections_.ask(commands_);
    step();
    take_off_stray_marks();
    if (proofs_.check(services_.cluster, ledger_.breaker(), services_.loop.now())) refresh();
    look_for_strays();
    ledger_.reconcile();
}

void Disruptor::take_off_stray_marks() {
    for (const auto& [name, state] : services_.cluster.our_claims()) {
        if (ledger_.leaving().contains(name) || state.claim.meta.deleted || plan::is_rebooting(state.claim))
            continue;
        if (is_marked(state.claim, services_.cluster.node_of(state.claim)))
            lifecycle_.mark_disrupted(name, "");
    }
}

// A plan for a moved pod that goes to none of its command's places.
void Disruptor::look_for_strays() {
    for (auto& [number, command] : commands_) {
        if (command.phase != Phase::kLeave || command.has_strays) continue;
        for (const auto& [claim, pods] : provisioner_.planned().by_claim()) {
            if (command.places.contains(claim)) continue;
            for (const auto& [key, uid] : pods) {
                const model::PodState* pod = services_.cluster.find_pod(key);
                command.has_strays |= pod != nullptr && places_.awaits(number, *pod);
            }
        }
    }
}

plan::PoolCounts Disruptor::moving(std::string_view reason) const {
    plan::PoolCounts out;
    for (const auto& [number, command] : commands_) {
        if (command.reason == reason && !command.places.empty() && !command.is_proving) ++out[command.pool];
    }
    proofs_.count(reason, out);
    return out;
}

bool Disruptor::is_settled() const {
    const WallTime now = services_.loop.now();
    return std::all_of(commands_.begin(), commands_.end(), [&](const auto& item) {
        return item.second.phase == Phase::kLeave && now - item.second.left_at >= kLongDrain;
    });
}

}  // namespace joiner::control
