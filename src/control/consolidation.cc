#include "control/consolidation.h"

#include <algorithm>
#include <utility>

#include "control/young_pods.h"
#include "observe/log.h"
#include "plan/disrupt/empty.h"

namespace joiner::control {
namespace {

// Changes come in crowds; what they leave is reconciled once they have rested, or have gone on for so long.
constexpr Duration kQuiet = std::chrono::seconds{3};
constexpr Duration kLongestUnrest = std::chrono::seconds{30};
// Where nodes fall empty all the time, consolidation does not wait for the last of them.
constexpr Duration kLongestForEmpty = std::chrono::seconds{30};
// A workload that is just being changed is waited for longer: what is planned meanwhile moves pods that are
// about to go, to nodes that are about to be too large. Told by the part of all pods, and the number, that
// come or go within three passes.
constexpr Duration kLongestSlide = std::chrono::minutes{2};
constexpr std::uint64_t kSlidePart = 100;
constexpr std::uint64_t kSlideLeast = 3;
// Prices, rules and budgets of pods change without being watched for.
constexpr Duration kLookAnyway = std::chrono::minutes{5};
// A step that is not begun by then is of another time.
constexpr Duration kStepsLast = std::chrono::minutes{5};
// Looks of the search in one slice: a few milliseconds.
constexpr std::uint64_t kSlice = 1'000'000;
// Steps that are held against the facts in one piece: some tens of milliseconds with a snapshot of thousands
// of nodes. The others follow a second later.
constexpr std::size_t kStepsAtOnce = 100;
// At most this part of one core goes to searching.
constexpr int kShareOfTime = 10;

const std::map<std::string, std::string> kLabels = {{"reason", "underutilized"},
                                                    {"consolidation_type", "multi"}};

}  // namespace

void Consolidation::reconcile() {
    watch_facts();
    watch_slides();
    if (is_planning_) return;
    if (!steps_.empty()) hand_over();
    if (steps_.empty() && is_due() && may_begin()) ask();
}

void Consolidation::watch_facts() {
    const WallTime now = services_.loop.now();
    // The high half is the pods', so that neither hides the other.
    const std::uint64_t mark =
        plan::consolidation_mark(services_.cluster, disruption_.ledger.gate()) ^ (pod_events_ << 32);
    if (std::exchange(mark_, mark) == mark) return;
    if (!changed_first_) changed_first_ = now;
    changed_last_ = now;
}

void Consolidation::watch_slides() {
    const std::uint64_t few =
        std::max<std::uint64_t>(kSlideLeast, services_.cluster.pods().size() / kSlidePart);
    is_sliding_ = pod_events_ - pod_events_before_.front() > few;
    std::rotate(pod_events_before_.begin(), pod_events_before_.begin() + 1, pod_events_before_.end());
    pod_events_before_.back() = pod_events_;
}

bool Consolidation::is_due() const {
    const WallTime now = services_.loop.now();
    if (now < not_before_) return false;
    if (is_sliding_ && changed_first_ && now - *changed_first_ < kLongestSlide) return false;
    if (changed_first_ && (now - changed_last_ >= kQuiet || now - *changed_first_ >= kLongestUnrest))
        return true;
    return (look_again_at_ && now >= *look_again_at_) || now - reconciled_at_ >= kLookAnyway;
}

// Pods come first: none is being planned, none waits for its node, and none is so young that the scheduler
// may just be about to bind it.
bool Consolidation::may_begin() {
    if (!disruption_.disruptor.may_start() || !provisioner_.planned().by_claim().empty() ||
        is_emptiness_first())
        return false;
    return !some_pod_is_young(services_.cluster, services_.loop.now());
}

// An empty node that is still open is where the scheduler puts a pod that was moved.
bool Consolidation::is_emptiness_first() {
    const WallTime now = services_.loop.now();
    plan::DisruptionGate gate = disruption_.ledger.gate();
    if (!plan::plan_empty(disruption_.ground.facts(), gate, now).is_any_at_hand) {
        waits_for_empty_since_.reset();
        return false;
    }
    if (!waits_for_empty_since_) waits_for_empty_since_ = now;
    return now - *waits_for_empty_since_ < kLongestForEmpty;
}

void Consolidation::ask() {
    if (!disruption_.disruptor.is_settled()) return;
    const Duration began = services_.loop.monotonic();
    const WallTime now = services_.loop.now();
    const plan::DisruptionFacts facts = disruption_.ground.facts();
    plan::DisruptionGate gate = disruption_.ledger.gate();
    plan::Consolidatable found = plan::find_consolidatable(facts, gate, now);
    reconciled_at_ = now;
    changed_first_.reset();
    look_again_at_ = found.look_again_at;
    report(found);
    disruption_.notes.report(gate);
    const auto fruitless = disruption_.ledger.fruitless_pools();
    std::erase_if(found.candidates, [&](const plan::Candidate& one) {
        const auto held = fruitless.find(one.pool);
        if (held != fruitless.end() && !one.pods.empty()) {
            const plan::Reason why{
                .rule = plan::Rule::kFruitless, .object = "NodePool " + one.pool, .detail = held->second};
            disruption_.notes.keep({one.claim, one.node, {why}}, observe::Matter::kConsolidation);
        }
        return held != fruitless.end() || disruption_.ledger.is_put_off(one.claim);
    });
    // What it holds would be bought again elsewhere.
    std::erase_if(found.candidates, [&](const plan::Candidate& one) {
        const bool is_needed = provisioner_.headroom().claims().contains(one.claim);
        if (is_needed) keep(one, {.rule = plan::Rule::kHeadroom});
        return is_needed;
    });
    leave_at_rest(found);
    const bool any_pods = std::any_of(found.candidates.begin(), found.candidates.end(),
                                      [](const plan::Candidate& one) { return !one.pods.empty(); });
    if (!any_pods) return;
    candidates_ = std::move(found);
    is_planning_ = true;
    spent_ = services_.loop.monotonic() - began;
    plan_soon();
}

// What moved there last must have paid for itself before it moves again.
void Consolidation::leave_at_rest(plan::Consolidatable& found) {
    const WallTime now = services_.loop.now();
    std::erase_if(found.candidates, [&](const plan::Candidate& one) {
        WallTime until = kNoTime;
        for (const model::PodId& pod : one.pods)
            until = std::max(until, disruption_.ledger.moves().rests_until(pod.uid()));
        if (until <= now) return false;
        look_again_at_ = std::min(look_again_at_.value_or(until), until);
        disruption_.notes.keep({one.claim, one.node, {{.rule = plan::Rule::kRest, .until = until}}},
                               observe::Matter::kConsolidation, "Unconsolidatable");
        return true;
    });
}

void Consolidation::report(const plan::Consolidatable& found) {
    metrics_.set("voluntary_disruption_eligible_nodes", {{"reason", "underutilized"}},
                 static_cast<double>(std::count_if(found.candidates.begin(), found.candidates.end(),
                                                   [](const auto& one) { return !one.pods.empty(); })));
    for (const plan::Blocked& one : found.blocked)
        disruption_.notes.keep(one, observe::Matter::kConsolidation);
    for (const plan::Blocked& one : found.unconsolidatable)
        disruption_.notes.keep(one, observe::Matter::kConsolidation, "Unconsolidatable");
    nodes_.keep(found.closed, observe::Matter::kConsolidation, services_.loop.now());
    for (const auto& [at, one] : found.later) keep(one, {.rule = plan::Rule::kIdleTime, .until = at});
}

void Consolidation::keep(const plan::Candidate& one, plan::Reason why) {
    nodes_.keep(one.claim, observe::Matter::kConsolidation, {std::move(why)}, services_.loop.now());
}

void Consolidation::plan_soon() {
    services_.loop.post([this] {
        if (is_planning_) plan_on();
    });
}

void Consolidation::plan_on() {
    const Duration began = services_.loop.monotonic();
    const bool is_done = plan_a_piece();
    spent_ += services_.loop.monotonic() - began;
    if (!is_done) return plan_soon();
    if (bound_by_budgets()) return plan_soon();
    is_planning_ = false;
    conclude();
}

// A step of more nodes than its pool's budgets ever let go at once would wait for good: it is planned again
// with so many.
bool Consolidation::bound_by_budgets() {
    std::map<std::string_view, std::string_view> pool_of;
    for (const plan::Candidate& one : question_.candidates) pool_of[one.claim] = one.pool;
    const plan::DisruptionGate gate = disruption_.ledger.gate();
    bool is_bounded = false;
    for (const plan::RepackStep& step : run_->steps()) {
        std::map<std::string, std::int64_t> leaving;
        for (const std::string& claim : step.claims) ++leaving[std::string(pool_of[claim])];
        for (const auto& [pool, nodes] : leaving) {
            const std::int64_t allowed = gate.allowed(pool, plan::kUnderutilized);
            if (nodes > allowed && allowed > 0)
                is_bounded |= question_.may_leave.try_emplace(pool, allowed).second;
        }
    }
    if (is_bounded) run_ = std::make_unique<plan::Repack>(question_, options_);
    return is_bounded;
}

// Each piece is short even where there are thousands of nodes. Facts that change between the first ones are
// like those that change during the search: the steps are held against the newest.
bool Consolidation::plan_a_piece() {
    if (candidates_) {
        make_question();
        candidates_.reset();
        run_ = std::make_unique<plan::Repack>(question_, options_);
        return false;
    }
    return run_->run_slice(kSlice);
}

void Consolidation::make_question() {
    model::ReservedRoom claimed = disruption_.places.claimed();
    for (const auto& [name, amount] : provisioner_.headroom().room()) claimed[name] += amount;
    model::SnapshotInputs inputs = provisioner_.snapshot_inputs();
    inputs.reserved = &claimed;
    inputs.expected = &disruption_.places.expected(KeptPlaces::For::kMoves);
    question_ =
        plan::make_consolidation_question(services_.cluster, std::move(inputs), std::move(*candidates_),
                                          disruption_.ledger.gate(), services_.loop.now());
}

void Consolidation::conclude() {
    const WallTime now = services_.loop.now();
    steps_ = run_->steps();
    run_.reset();
    // Those without pods are emptiness's.
    std::erase_if(steps_, [](const plan::RepackStep& step) { return step.evictions == 0; });
    steps_until_ = now + kStepsLast;
    not_before_ = now + kShareOfTime * spent_;
    metrics_.observe("voluntary_disruption_decision_evaluation_duration_seconds", kLabels,
                     to_seconds(spent_));
    std::set<std::string_view> leaving;
    for (const plan::RepackStep& step : steps_) leaving.insert(step.nodes.begin(), step.nodes.end());
    for (const plan::Candidate& one : question_.candidates) {
        if (one.pods.empty() || leaving.contains(one.node)) continue;
        disruption_.notes.keep(
            {one.claim, one.node, {{.rule = plan::Rule::kNoBetterPlace, .money = one.price}}},
            observe::Matter::kConsolidation, "Unconsolidatable");
    }
    if (steps_.empty()) return;
    rules::Money saving;
    std::size_t evictions = 0;
    for (const plan::RepackStep& step : steps_) {
        saving += step.saving;
        evictions += step.evictions;
    }
    observe::log_info("disruption", "planned a consolidation",
                      {{"steps", std::to_string(steps_.size())},
                       {"nodes", std::to_string(leaving.size())},
                       {"evictions", std::to_string(evictions)},
                       {"saves", std::to_string(saving.dollars())},
                       {"seconds", std::to_string(to_seconds(spent_))}});
}

// What the steps that are handed over together share.
struct Consolidation::Round {
    plan::CandidateFinder finder;
    plan::DisruptionGate gate;
    bool is_first = true;
    std::optional<model::Snapshot> snapshot = {};
    std::optional<plan::StepCheck> check = {};
};

void Consolidation::hand_over() {
    if (services_.loop.now() >= steps_until_) return steps_.clear();
    if (!may_begin()) return;
    const plan::DisruptionFacts facts = disruption_.ground.facts();
    Round round{{facts, plan::DisruptionClass::kGraceful, services_.loop.now()}, disruption_.ledger.gate()};
    // Behind those that have not been tried.
    std::vector<plan::RepackStep> later;
    const std::size_t count = std::min(steps_.size(), kStepsAtOnce);
    for (std::size_t i = 0; i < count; ++i) {
        plan::RepackStep& step = steps_[i];
        switch (hand_over(step, round)) {
            case Verdict::kBegun:
                round.is_first = false;
                break;
            case Verdict::kLater:
                later.push_back(std::move(step));
                break;
            case Verdict::kDropped:
                drop(step);
                metrics_.count("voluntary_disruption_failed_validations_total",
                               {{"consolidation_type", step.nodes.size() > 1 ? "multi" : "single"}});
                break;
        }
    }
    steps_.erase(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(count));
    std::move(later.begin(), later.end(), std::back_inserter(steps_));
    disruption_.notes.report(round.gate);
}

void Consolidation::drop(const plan::RepackStep& step) {
    for (const std::string& claim : step.claims) {
        if (disruption_.ledger.leaving().contains(claim) || disruption_.ledger.is_put_off(claim)) continue;
        nodes_.keep(claim, observe::Matter::kConsolidation, {{.rule = plan::Rule::kChangedSince}},
                    services_.loop.now());
    }
}

Consolidation::Verdict Consolidation::hand_over(const plan::RepackStep& step, Round& round) {
    const WallTime now = services_.loop.now();
    auto leaving = plan::still_leaving(question_, step, round.finder, services_.cluster, now);
    if (!leaving) return Verdict::kDropped;
    const bool is_put_off = std::any_of(leaving->begin(), leaving->end(), [&](const plan::Candidate& one) {
        return disruption_.ledger.is_put_off(one.claim);
    });
    if (is_put_off) return Verdict::kDropped;
    if (!round.gate.admit(*leaving, plan::kUnderutilized)) {
        const plan::SharedReasons why = plan::share(round.gate.obstacles(*leaving, plan::kUnderutilized));
        for (const plan::Candidate& one : *leaving)
            nodes_.record(one.claim, observe::Matter::kConsolidation, observe::Verdict::kKept, why, now);
        return Verdict::kLater;
    }
    if (!round.check) {
        round.snapshot = provisioner_.make_snapshot(KeptPlaces::For::kMoves);
        round.check.emplace(question_, *round.snapshot);
    }
    if (round.check->is_as_planned(step)) {
        round.check->take(step);
        disruption_.disruptor.start(question_.snapshot, plan::to_command(step, std::move(*leaving)));
        return Verdict::kBegun;
    }
    // It is planned anew on a snapshot that does not show yet what others of this round launch.
    if (!round.is_first) return Verdict::kLater;
    const model::Snapshot snapshot = disruption_.ground.snapshot_without(*leaving);
    const auto command = plan::plan_step_again(question_, step, snapshot, *leaving,
                                               provisioner_.plan_options(snapshot.pods.size()));
    if (!command) return Verdict::kDropped;
    disruption_.disruptor.start(snapshot, *command);
    return Verdict::kBegun;
}

}  // namespace joiner::control
