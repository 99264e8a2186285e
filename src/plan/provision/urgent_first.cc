#include "plan/provision/urgent_first.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "plan/provision/reseat.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using model::PodIndex;

// Pairs of a pod that waits and an urgent one that is moved for it. What is beyond that, the next plan finds:
// the urgent pods stand then.
constexpr int kMostPairs = 32;

// Some pod that must spread is less urgent than another.
bool may_matter(const model::Snapshot& snapshot) {
    std::int32_t least = std::numeric_limits<std::int32_t>::max();
    std::int32_t most = std::numeric_limits<std::int32_t>::min();
    for (const model::PodView& pod : snapshot.pods) {
        const std::vector<rules::SpreadTerm>& spread = pod.shape->constraints.spread;
        most = std::max(most, pod.shape->priority);
        if (std::any_of(spread.begin(), spread.end(),
                        [](const rules::SpreadTerm& term) { return term.is_hard; }))
            least = std::min(least, pod.shape->priority);
    }
    return least < most;
}

std::vector<bool> waiting(const model::Snapshot& snapshot, const Plan& plan) {
    std::vector<bool> out(snapshot.pods.size(), false);
    for (const Wait& wait : plan.waits) out[wait.pod] = true;
    return out;
}

// More urgent pods that a spread of `pod` counts, and that the plan places.
std::vector<PodIndex> urgent_ones(const model::Snapshot& snapshot, const std::vector<bool>& waits,
                                  PodIndex pod) {
    const rules::PodShape& own = *snapshot.pods[pod].shape;
    const auto is_counted = [&](const model::PodView& other) {
        return other.labels != nullptr &&
               std::any_of(own.constraints.spread.begin(), own.constraints.spread.end(),
                           [&](const rules::SpreadTerm& term) {
                               return term.is_hard && term.pods.selects(*other.labels, snapshot.namespaces);
                           });
    };
    std::vector<PodIndex> out;
    for (PodIndex other = 0; other < snapshot.pods.size(); ++other) {
        if (!waits[other] && snapshot.pods[other].shape->priority > own.priority &&
            is_counted(snapshot.pods[other]))
            out.push_back(other);
    }
    return out;
}

// `pod` waits, and has a place once `urgent` has another.
bool move_for(const model::Snapshot& snapshot, const ProvisionOptions& options, PodIndex urgent, PodIndex pod,
              Plan& plan) {
    Plan other = plan;
    let_wait(snapshot, {{urgent, "it is being moved"}}, other);
    reseat(snapshot, options, {pod, urgent}, other, Order::kUrgentFirst);
    if (other.waits.size() >= plan.waits.size() || waiting(snapshot, other)[urgent]) return false;
    plan = std::move(other);
    return true;
}

}  // namespace

void hold_to_urgent_first(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan) {
    if (!may_matter(snapshot) || check_plan(snapshot, plan, Order::kUrgentFirst).empty()) return;
    const std::vector<bool> waited = waiting(snapshot, plan);
    drop_violations(snapshot, plan, Order::kUrgentFirst);
    std::vector<PodIndex> dropped;
    for (Wait& wait : plan.waits) {
        if (waited[wait.pod]) continue;
        wait.reason = "more urgent pods, which its topology spread counts, leave no place for it";
        dropped.push_back(wait.pod);
    }
    reseat(snapshot, options, dropped, plan, Order::kUrgentFirst);
    int pairs = 0;
    for (const PodIndex pod : dropped) {
        const std::vector<bool> waits = waiting(snapshot, plan);
        if (!waits[pod]) continue;
        for (const PodIndex urgent : urgent_ones(snapshot, waits, pod)) {
            if (++pairs > kMostPairs || move_for(snapshot, options, urgent, pod, plan)) break;
        }
    }
    // It was the bound for more pods.
    if (waiting(snapshot, plan) != waited) plan.lower_bound = {};
}

}  // namespace joiner::plan
