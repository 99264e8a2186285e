#include "control/disruptor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "act/binder.h"
#include "api/names.h"
#include "control/claim_decisions.h"
#include "control/disruption_counts.h"
#include "control/metric_words.h"
#include "observe/log.h"
#include "plan/disrupt/outgoing.h"
#include "plan/disrupt/repair.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::control {
namespace {

// Registration has a time limit of its own; this one covers all that must happen until a node is initialised.
constexpr Duration kReplacementTimeout = std::chrono::minutes{10};
// Moved pods that are not ready by then did not take the move well.
constexpr Duration kProofTime = std::chrono::minutes{5};
// A replacement that has registered by the time its command is given up may still be of use to others.
constexpr Duration kLateTime = std::chrono::minutes{5};
// A node whose pods had no place is not tried again before, and others get their turn.
constexpr Duration kTryAgain = std::chrono::seconds{30};
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
constexpr Duration kEventGap = std::chrono::minutes{15};

plan::Reason objects(std::string sentence) {
    return {.rule = plan::Rule::kObjection, .detail = std::move(sentence)};
}

std::string consolidation_type(std::string_view reason, std::size_t nodes) {
    if (reason != plan::kUnderutilized) return "";
    return nodes > 1 ? "multi" : "single";
}

// Budgets protect what pods run on; a node that never came up is repaired without one.
bool uses_budget(std::string_view reason, const api::NodeClaim& claim) {
    return reason != plan::kUnhealthy || rules::is_true(claim.conditions, "Initialized");
}

bool is_marked(const api::NodeClaim& claim, const model::NodeState* node) {
    return api::find_condition(claim.conditions, "DisruptionReason") != nullptr ||
           (node != nullptr && !node->node.meta.deleted &&
            rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule));
}

}  // namespace

plan::DisruptionFacts Disruptor::facts() const {
    return {services_.cluster,
            provisioner_.planned().by_uid(),
            in_commands_,
            last_pod_event_,
            [this](const api::NodePool& pool) { return services_.offers.instance_types(pool); },
            &provisioner_.headroom_claims()};
}

plan::DisruptionGate Disruptor::gate() {
    const WallTime now = services_.loop.now();
    const Moves::Counts& moved = moves_.within_the_hour(now);
    return plan::DisruptionGate({services_.cluster, leaving_, held_pools_, moved, moves_.eases()}, now);
}

void Disruptor::report(const plan::DisruptionGate& gate) {
    nodes_.record(gate, services_.loop.now());
    for (const auto& [pool, why] : gate.refusals()) {
        const model::PoolState* state = services_.cluster.find_pool(pool);
        if (state == nullptr) continue;
        services_.events.record({{"karpenter.sh/v1", "NodePool", "", pool, state->pool.meta.uid, ""},
                                 false,
                                 "DisruptionBlocked",
                                 in_words(why),
                                 kEventGap});
    }
}

model::ClaimNames Disruptor::outgoing() {
    return plan::outgoing_claims(services_.cluster, gate(), services_.loop.now());
}

model::Snapshot Disruptor::snapshot_without(const std::vector<plan::Candidate>& leaving, Rooms rooms,
                                            const model::ClaimNames* gives_back) {
    model::ClaimNames names;
    for (const plan::Candidate& candidate : leaving) names.insert(candidate.claim);
    // Pods on nodes that are being drained are about to need a place too.
    for (const auto& [name, state] : services_.cluster.claims()) {
        if (state.claim.meta.deleted) names.insert(name);
    }
    model::Snapshot out = provisioner_.make_snapshot(&names, gives_back);
    if (rooms == Rooms::kThatStay) plan::close_rooms(out, services_.cluster, outgoing());
    return out;
}

bool Disruptor::may_start() const {
    return inherited_ && inherited_->empty() && provisioner_.is_idle() &&
           std::none_of(commands_.begin(), commands_.end(),
                        [](const auto& item) { return item.second.phase == Phase::kMark; });
}

void Disruptor::start(const model::Snapshot& snapshot, const plan::DisruptionCommand& planned) {
    Command command;
    command.number = next_command_++;
    command.reason = planned.reason;
    command.pool = planned.leaving.front().pool;
    command.drain_bound = planned.drain_bound;
    std::set<std::string_view> moving;  // By uid.
    for (const plan::Candidate& candidate : planned.leaving) {
        command.leaving.push_back(candidate.claim);
        for (const model::PodId& id : candidate.pods) {
            moving.insert(id.uid());
            const model::PodState* pod = services_.cluster.find_pod(id.full_name());
            command.pods_were_ready &= pod != nullptr && pod->is_ready;
            if (pod == nullptr) continue;
            command.kin.insert(kin_of(*pod));
            moves_.note_leaving(candidate.pool, *pod, planned.rest, services_.loop.now());
            command.binds &= pod->is_default_scheduler && pod->volumes == nullptr && !pod->is_stateful &&
                             !act::looks_beyond_its_node(*pod);
        }
    }
    command.binds &= lifecycle_.binds_pods();
    const auto mover = [&](model::PodIndex pod) {
        const model::PodState* state = services_.cluster.find_pod(snapshot.pods[pod].id.full_name());
        command.binds &= state != nullptr;
        return state == nullptr ? Mover{} : Mover{kin_of(*state), state->shape};
    };
    for (const plan::Placement& placement : planned.placements) {
        const std::string& room = snapshot.rooms[placement.room].name;
        const model::NodeState* node = services_.cluster.find_node(room);
        if (node != nullptr) {
            if (const model::ClaimState* claim = services_.cluster.claim_of(node->node)) {
                command.places.insert(claim->claim.meta.name);
                command.kept.push_back({mover(placement.pod), claim->claim.meta.name});
            }
        }
        command.reserved[room] += snapshot.pods[placement.pod].shape->requests;
    }
    for (const plan::Launch& launch : planned.launches) {
        Launch wanted{launch.spec, snapshot.pools[launch.spec->pool], {}, {}};
        for (const model::PodIndex pod : launch.pods) {
            if (!moving.contains(snapshot.pods[pod].id.uid())) continue;
            wanted.reserved += snapshot.pods[pod].shape->requests;
            wanted.movers.push_back(mover(pod));
        }
        command.launches.push_back(std::move(wanted));
    }
    const std::string type = consolidation_type(command.reason, command.leaving.size());
    count_decision(metrics_, services_.cluster,
                   {.decision = !planned.terminates_first_for.empty() ? "terminate-first"
                                : command.launches.empty()            ? "delete"
                                                                      : "replace",
                    .reason = command.reason,
                    .consolidation_type = type},
                   command.leaving);
    if (!planned.terminates_first_for.empty()) {
        metrics_.count("voluntary_disruption_terminate_first_decisions_total",
                       {{"nodepool", command.pool},
                        {"reason", lower(command.reason)},
                        {"terminate_first_reason", std::string(planned.terminates_first_for)}});
    }
    observe::log_info("disruption", "disrupting nodes",
                      {{"reason", command.reason},
                       {"NodeClaims", fmt::format("{}", fmt::join(command.leaving, " "))},
                       {"replacements", std::to_string(command.launches.size())},
                       {"pods", std::to_string(moving.size())}});
    decide_to_leave(snapshot, planned);
    commands_.emplace(command.number, std::move(command));
    refresh();
    step();
}

void Disruptor::decide_to_leave(const model::Snapshot& snapshot, const plan::DisruptionCommand& command) {
    rules::Money after;
    for (const plan::Launch& launch : command.launches)
        after += launch.spec->price + snapshot.pools[launch.spec->pool].node_cost;
    std::size_t moves = 0;
    rules::Money before;
    for (const plan::Candidate& candidate : command.leaving) {
        moves += candidate.pods.size();
        before += candidate.price;
    }
    if (command.saving) before = after + *command.saving;
    plan::Reason why{
        .rule = plan::Rule::kSaves,
        .detail = fmt::format("now {:.4f} $ an hour, after {:.4f}", before.dollars(), after.dollars()),
        .amounts = {{"nodes", static_cast<std::int64_t>(command.leaving.size())},
                    {"moves", static_cast<std::int64_t>(moves)},
                    {"bought", static_cast<std::int64_t>(command.launches.size())},
                    {"nowNanoDollars", before.nanos},
                    {"afterNanoDollars", after.nanos}},
        .money = before - after};
    const plan::SharedReasons of_all = plan::share({why});
    for (const plan::Candidate& candidate : command.leaving) {
        plan::SharedReasons reasons = of_all;
        if (command.reason == plan::kDrifted || command.reason == plan::kExpired) {
            const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
            const api::Condition* drifted =
                claim == nullptr ? nullptr : api::find_condition(claim->claim.conditions, "Drifted");
            const bool has_drifted = command.reason == plan::kDrifted;
            plan::Reason first{.rule = has_drifted ? plan::Rule::kDriftedNode : plan::Rule::kExpiredNode};
            if (has_drifted && drifted != nullptr) first.detail = drifted->reason;
            reasons = plan::share({std::move(first), why});
        }
        for (const observe::Matter matter : {matter_of(command.reason), observe::Matter::kEnd})
            nodes_.record(candidate.claim, matter, observe::Verdict::kLeaves, reasons, services_.loop.now());
    }
}

void Disruptor::step() {
    std::vector<std::uint64_t> ended;
    for (auto& [number, command] : commands_) {
        const Progress progress = step(command);
        if (progress == Progress::kStays) continue;
        end(command, progress);
        ended.push_back(number);
    }
    for (const std::uint64_t number : ended) commands_.erase(number);
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
    for (Launch& launch : command.launches) {
        const std::size_t pods = launch.movers.size();
        const std::string name = provisioner_.create(launch.pool, *launch.spec, lower(command.reason),
                                                     [this, number = command.number](Status status) {
                                                         const auto it = commands_.find(number);
                                                         if (!status && it != commands_.end())
                                                             it->second.has_failed = true;
                                                     });
        decide_on_claim(decisions_, name, {bought(plan::Rule::kReplacement, name, *launch.spec, pods)},
                        services_.loop.now());
        command.created.insert(name);
        command.places.insert(name);
        command.reserved[name] += launch.reserved;
        for (Mover& mover : launch.movers) command.kept.push_back({std::move(mover), name});
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
        command.up_at = services_.loop.now();
        leave_to_scheduler(command);
        return close(command);
    }
    if (services_.loop.now() - command.launched_at < kReplacementTimeout) return Progress::kStays;
    breaker_.failed(command.pool, plan::Breaker::Trouble::kLaunch, services_.loop.now());
    return Progress::kFailed;
}

void Disruptor::leave_to_scheduler(Command& command) {
    if (command.kept.empty()) return;
    for (const std::string& name : outgoing()) {
        const model::ClaimState* claim = services_.cluster.find_claim(name);
        const model::NodeState* node = services_.cluster.node_of(claim->claim);
        if (node == nullptr || leaving_.contains(name) || claim->claim.meta.deleted ||
            node->node.unschedulable)
            continue;
        const rules::Resources free = node->allocatable - node->used;
        const bool takes_some =
            std::any_of(command.kept.begin(), command.kept.end(), [&](const Place& place) {
                return place.mover.shape != nullptr && rules::fits(place.mover.shape->requests, free);
            });
        if (takes_some) command.untold.insert(name);
    }
    command.binds &= command.untold.empty();
}

Disruptor::Progress Disruptor::close(Command& command) {
    const WallTime now = services_.loop.now();
    std::set<std::string_view> wanted;
    if (command.binds) {
        for (const Place& place : command.kept) wanted.insert(place.claim);
    }
    bool are_closed = true;
    for (const std::string_view claim : wanted) are_closed &= lifecycle_.close_window(std::string(claim));
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
    ask_again();
    if (command.objection) return Progress::kFailed;
    if (std::optional<plan::Reason> why = budget_objection(command)) {
        if (now - command.up_at < budget_patience()) return Progress::kStays;
        command.objection = std::move(why);
        return Progress::kFailed;
    }
    command.phase = Phase::kLeave;
    refresh();
    return leave(command);
}

// The youngest first: where a budget has shrunk, the oldest may go on.
void Disruptor::ask_again() {
    const auto is_revocable = [](const auto& item) { return item.second.phase != Phase::kLeave; };
    if (std::none_of(commands_.begin(), commands_.end(), is_revocable)) return;
    const WallTime now = services_.loop.now();
    const plan::DisruptionFacts its_facts = facts();
    const plan::CandidateFinder graceful(its_facts, plan::DisruptionClass::kGraceful, now);
    const plan::CandidateFinder eventual(its_facts, plan::DisruptionClass::kEventual, now);
    const plan::DisruptionGate its_gate = gate();
    std::map<std::string, plan::PoolCounts, std::less<>> nodes;  // On their way out, by reason and pool.
    for (const auto& [number, command] : commands_) {
        for (const auto& [pool, count] : leaving_nodes(command)) nodes[command.reason][pool] += count;
    }
    for (auto it = commands_.rbegin(); it != commands_.rend(); ++it) {
        Command& command = it->second;
        if (!is_revocable(*it) || command.objection) continue;
        command.objection =
            objection(command, command.reason == plan::kDrifted ? eventual : graceful, its_gate);
        const plan::PoolCounts its_nodes = leaving_nodes(command);
        for (const auto& [pool, count] : its_nodes) {
            const std::int64_t allowed = its_gate.allowed(pool, command.reason);
            if (command.objection || nodes[command.reason][pool] <= allowed) continue;
            command.objection =
                objects(fmt::format("the budgets of NodePool {} leave no room for it any more", pool));
            command.objection->object = "NodePool " + pool;
            command.objection->amounts = {{"allowed", allowed}, {"disrupted", nodes[command.reason][pool]}};
        }
        if (!command.objection) continue;
        for (const auto& [pool, count] : its_nodes) nodes[command.reason][pool] -= count;
    }
}

plan::PoolCounts Disruptor::leaving_nodes(const Command& command) const {
    plan::PoolCounts out;
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state != nullptr && uses_budget(command.reason, state->claim))
            ++out[std::string(api::find_or_empty(state->claim.meta.labels, api::kNodePoolLabel))];
    }
    return out;
}

std::optional<plan::Reason> Disruptor::objection(const Command& command, const plan::CandidateFinder& finder,
                                                 const plan::DisruptionGate& gate) const {
    bool are_empty = true;
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted) continue;
        const std::string pool(api::find_or_empty(state->claim.meta.labels, api::kNodePoolLabel));
        if (std::optional<plan::Reason> why = uses_budget(command.reason, state->claim)
                                                  ? gate.forbidden(pool, command.reason)
                                                  : gate.paused(pool))
            return why;
        if (command.reason == plan::kDrifted && !rules::is_true(state->claim.conditions, "Drifted"))
            return objects("the node is what its NodePool would make again");
        if (command.reason == plan::kUnhealthy) {
            if (auto why = plan::repair_objection(facts(), repair_policies_, *state, services_.loop.now()))
                return why;
        } else if (command.reason != plan::kExpired) {
            // Expiry heeds budgets and pauses, and nothing that stands on the node.
            if (std::optional<plan::Reason> why = finder.objection(*state, false)) return why;
        }
        const model::NodeState* node = services_.cluster.node_of(state->claim);
        are_empty &= node == nullptr || plan::is_empty(*node);
    }
    if (are_empty && !command.kin.empty() && !command.created.empty())
        return objects("its pods are gone, and it needs no replacement any more");
    return std::nullopt;
}

std::optional<plan::Reason> Disruptor::budget_objection(const Command& command) const {
    if (command.reason == plan::kExpired || command.reason == plan::kUnhealthy) return std::nullopt;
    const plan::DisruptionFacts its_facts = facts();
    const plan::CandidateFinder finder(its_facts,
                                       command.reason == plan::kDrifted ? plan::DisruptionClass::kEventual
                                                                        : plan::DisruptionClass::kGraceful,
                                       services_.loop.now());
    for (const std::string& name : command.leaving) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted) continue;
        if (std::optional<plan::Reason> why = finder.objection(*state, true)) return why;
    }
    return std::nullopt;
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
    proofs_.note_bound(kin, pod.id.full_name());
}

void Disruptor::prove(Command& command) {
    if (std::exchange(command.is_proving, true) || command.places.empty()) return;
    const WallTime now = services_.loop.now();
    proofs_.add({command.pool, command.reason, command.places, command.kin, command.arrived, command.left_at,
                 now, now + kProofTime, command.pods_were_ready});
}

std::string Disruptor::take_place(const model::PodState& pod) {
    if (commands_.empty()) return {};
    const std::string kin = kin_of(pod);
    for (auto& [number, command] : commands_) {
        if (command.phase != Phase::kLeave || !command.binds) continue;
        const auto it = std::find_if(command.kept.begin(), command.kept.end(), [&](const Place& place) {
            return place.mover.shape == pod.shape && place.mover.kin == kin;
        });
        if (it == command.kept.end()) continue;
        std::string claim = std::move(it->claim);
        command.kept.erase(it);
        command.taken_at = services_.loop.now();
        return claim;
    }
    return {};
}

bool Disruptor::keeps_closed(const std::string& claim) const {
    return std::any_of(commands_.begin(), commands_.end(), [&](const auto& item) {
        const Command& command = item.second;
        return command.binds && (command.phase == Phase::kClose || command.phase == Phase::kLeave) &&
               std::any_of(command.kept.begin(), command.kept.end(),
                           [&](const Place& place) { return place.claim == claim; });
    });
}

Disruptor::Progress Disruptor::leave(Command& command) {
    const WallTime now = services_.loop.now();
    const bool asks = now - command.deleted_at >= kAskAgain;
    // To the second, as pods say when they were created.
    if (command.left_at == kNoTime) command.left_at = std::chrono::floor<std::chrono::seconds>(now);
    if (asks) command.deleted_at = now;
    if (now - command.left_at >= kLongestKept && !command.is_proving) {
        command.kept.clear();
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
    if (progress == Progress::kDone && !command.kept.empty()) {
        if (command.gone_at == kNoTime) command.gone_at = now;
        if (now - std::max(command.gone_at, command.taken_at) < kLastPods) return Progress::kStays;
    }
    return progress;
}

void Disruptor::remove(const Command& command, const std::string& name, bool asks) {
    if (asks)
        say(name, "DisruptionTerminating", fmt::format("the node is being removed: {}", command.reason));
    if (command.drain_bound) {
        (void)lifecycle_.end_by(name, command.left_at + *command.drain_bound, lower(command.reason));
    } else if (asks) {
        lifecycle_.delete_claim(name, lower(command.reason));
    }
}

void Disruptor::end(Command& command, Progress progress) {
    const WallTime now = services_.loop.now();
    if (progress == Progress::kDone) {
        if (command.reason == plan::kUnderutilized && command.has_strays) {
            fruitless_.failed(command.pool, plan::Breaker::Trouble::kStrays, now);
        } else if (command.reason == plan::kUnderutilized && !command.places.empty()) {
            fruitless_.succeeded(command.pool, plan::Breaker::Trouble::kStrays);
        }
        prove(command);
        return;
    }
    metrics_.count("voluntary_disruption_queue_failures_total",
                   {{"decision", "replace"},
                    {"reason", lower(command.reason)},
                    {"consolidation_type", consolidation_type(command.reason, command.leaving.size())}});
    observe::log_info(
        "disruption", "gave a disruption up",
        {{"reason", command.reason}, {"NodeClaims", fmt::format("{}", fmt::join(command.leaving, " "))}});
    // The next node's replacement would hardly fare better so soon.
    if (!command.created.empty() && !command.objection) pool_not_before_[command.pool] = now + kTryAgain;
    plan::Reason why = command.objection.value_or(plan::Reason{.rule = plan::Rule::kReplacementFailed});
    if (command.has_lost_one) why = {.rule = plan::Rule::kClaimGone};
    const plan::SharedReasons reasons = plan::share({std::move(why)});
    for (const std::string& name : command.leaving) {
        put_off(name);
        for (const observe::Matter matter : {matter_of(command.reason), observe::Matter::kEnd})
            nodes_.record(name, matter, observe::Verdict::kGivenUp, reasons, now);
        if (command.objection)
            say(name, "DisruptionBlocked", in_words(*command.objection));
        else if (command.phase == Phase::kWait)
            say(name, "DisruptionBlocked", in_words(*reasons));
    }
    // What is up is for emptiness to judge.
    for (const std::string& name : command.created) latecomers_[name] = now + kLateTime;
    send_latecomers_away();
}

void Disruptor::send_latecomers_away() {
    const WallTime now = services_.loop.now();
    std::erase_if(latecomers_, [&](const auto& item) {
        const auto& [name, until] = item;
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.deleted ||
            rules::is_true(state->claim.conditions, "Initialized") || provisioner_.planned().has_claim(name))
            return true;
        if (rules::is_true(state->claim.conditions, "Registered") && now < until) return false;
        lifecycle_.delete_claim(name, "replacement_too_late");
        return true;
    });
}

void Disruptor::refresh() {
    leaving_.clear();
    in_commands_.clear();
    model::ReservedRoom reserved;
    for (const auto& [number, command] : commands_) {
        leaving_.insert(command.leaving.begin(), command.leaving.end());
        if (!command.is_proving) in_commands_.insert(command.places.begin(), command.places.end());
        if (command.phase == Phase::kLeave) {
            // The scheduler's pods ask for the room themselves.
            for (const Place& place : command.kept) {
                if (command.binds) reserved[place.claim] += place.mover.shape->requests;
            }
        } else {
            for (const auto& [name, amount] : command.reserved) reserved[name] += amount;
        }
    }
    in_commands_.insert(leaving_.begin(), leaving_.end());
    // Nobody has come to a new node yet does not mean that nobody will.
    proofs_.add_places(in_commands_);
    provisioner_.reserve(std::move(reserved));
}

void Disruptor::look() {
    look_after_inherited();
    ask_again();
    step();
    take_off_stray_marks();
    send_latecomers_away();
    if (proofs_.check(services_.cluster, breaker_, services_.loop.now())) refresh();
    look_for_strays();
    // After all that may have tripped it.
    look_at_breaker();
    const WallTime now = services_.loop.now();
    for (auto* put_off : {&not_before_, &pool_not_before_})
        std::erase_if(*put_off, [&](const auto& item) { return item.second <= now; });
}

void Disruptor::take_off_stray_marks() {
    for (const auto& [name, state] : services_.cluster.our_claims()) {
        if (leaving_.contains(name) || state.claim.meta.deleted || plan::is_rebooting(state.claim)) continue;
        if (is_marked(state.claim, services_.cluster.node_of(state.claim)))
            lifecycle_.mark_disrupted(name, "");
    }
}

void Disruptor::look_after_inherited() {
    const WallTime now = services_.loop.now();
    const auto is_coming = [&](const std::string& name) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        return state != nullptr && !state->claim.meta.deleted && !plan::is_rebooting(state->claim) &&
               !rules::is_true(state->claim.conditions, "Initialized");
    };
    if (!inherited_) {
        began_at_ = now;
        inherited_.emplace();
        for (const auto& [name, state] : services_.cluster.our_claims()) {
            if (is_coming(name)) inherited_->insert(name);
        }
    }
    std::erase_if(*inherited_, [&](const std::string& name) {
        return !is_coming(name) || now - began_at_ >= kReplacementTimeout;
    });
}

// A plan for a moved pod that goes to none of its command's places.
void Disruptor::look_for_strays() {
    for (auto& [number, command] : commands_) {
        if (command.phase != Phase::kLeave || command.has_strays) continue;
        for (const auto& [claim, pods] : provisioner_.planned().by_claim()) {
            if (command.places.contains(claim)) continue;
            for (const auto& [key, uid] : pods) {
                const model::PodState* pod = services_.cluster.find_pod(key);
                if (pod == nullptr) continue;
                const std::string kin = kin_of(*pod);
                command.has_strays |=
                    std::any_of(command.kept.begin(), command.kept.end(), [&](const Place& place) {
                        return place.mover.shape == pod->shape && place.mover.kin == kin;
                    });
            }
        }
    }
}

std::map<std::string, std::string, std::less<>> Disruptor::fruitless_pools() const {
    return fruitless_.held(services_.loop.now());
}

void Disruptor::look_at_breaker() {
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const auto [known, is_new] = pool_generations_.try_emplace(name, state.pool.meta.generation);
        if (is_new || known->second == state.pool.meta.generation) continue;
        known->second = state.pool.meta.generation;
        breaker_.forget(name);
        fruitless_.forget(name);
    }
    held_pools_ = breaker_.held(services_.loop.now());
}

plan::PoolCounts Disruptor::moving(std::string_view reason) const {
    plan::PoolCounts out;
    for (const auto& [number, command] : commands_) {
        if (command.reason == reason && !command.places.empty() && !command.is_proving) ++out[command.pool];
    }
    proofs_.count(reason, out);
    return out;
}

void Disruptor::say_blocked(const plan::Blocked& blocked, const std::string& reason) {
    say(blocked.claim, reason, in_words(blocked.reasons.front()));
}

void Disruptor::keep(const plan::Blocked& blocked, observe::Matter matter, const std::string& reason) {
    nodes_.keep(blocked.claim, matter, blocked.reasons, services_.loop.now());
    say_blocked(blocked, reason);
}

void Disruptor::put_off(const std::string& claim) {
    not_before_[claim] = services_.loop.now() + kTryAgain;
}

bool Disruptor::is_put_off(const std::string& claim) const {
    const auto it = not_before_.find(claim);
    return it != not_before_.end() && services_.loop.now() < it->second;
}

bool Disruptor::is_pool_put_off(const std::string& pool) const {
    const auto it = pool_not_before_.find(pool);
    return it != pool_not_before_.end() && services_.loop.now() < it->second;
}

model::ReservedRoom Disruptor::claimed_room() const {
    model::ReservedRoom out;
    for (const auto& [number, command] : commands_) {
        if (command.is_proving) continue;
        for (const auto& [name, amount] : command.reserved) out[name] += amount;
    }
    return out;
}

bool Disruptor::is_settled() const {
    const WallTime now = services_.loop.now();
    return std::all_of(commands_.begin(), commands_.end(), [&](const auto& item) {
        return item.second.phase == Phase::kLeave && now - item.second.left_at >= kLongDrain;
    });
}

void Disruptor::say(const std::string& name, const std::string& reason, const std::string& message) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) return;
    const api::ObjectMeta& claim = state->claim.meta;
    services_.events.record(
        {{"karpenter.sh/v1", "NodeClaim", "", claim.name, claim.uid, ""}, false, reason, message, kEventGap});
    const model::NodeState* node = services_.cluster.node_of(state->claim);
    if (node == nullptr) return;
    const api::ObjectMeta& meta = node->node.meta;
    services_.events.record({{"v1", "Node", "", meta.name, meta.uid, ""}, false, reason, message, kEventGap});
}

void Disruptor::note_launch(const std::string& pool, bool has_come_up) {
    if (has_come_up) {
        breaker_.succeeded(pool, plan::Breaker::Trouble::kLaunch);
    } else {
        breaker_.failed(pool, plan::Breaker::Trouble::kLaunch, services_.loop.now());
    }
}

}  // namespace joiner::control
