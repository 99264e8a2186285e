#include "plan/provision/urgent_first.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan/provision/reseat.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using model::PodIndex;

// Pairs of a pod that waits and an urgent one that is moved for it. What is beyond that, the next plan finds:
// the urgent pods stand then.
constexpr int kMostPairs = 8;

constexpr std::size_t kFewPods = 1'000;
constexpr std::size_t kFewBroken = 16;

bool must_spread(const model::PodView& pod) {
    const std::vector<rules::SpreadTerm>& spread = pod.shape->constraints.spread;
    return std::any_of(spread.begin(), spread.end(),
                       [](const rules::SpreadTerm& term) { return term.is_hard; });
}

bool some_spread(const model::Snapshot& snapshot) {
    return std::any_of(snapshot.pods.begin(), snapshot.pods.end(), must_spread);
}

// Some pod that must spread is less urgent than another.
bool some_more_urgent(const model::Snapshot& snapshot) {
    std::int32_t least = std::numeric_limits<std::int32_t>::max();
    std::int32_t most = std::numeric_limits<std::int32_t>::min();
    for (const model::PodView& pod : snapshot.pods) {
        most = std::max(most, pod.shape->priority);
        if (must_spread(pod)) least = std::min(least, pod.shape->priority);
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

void move_for_urgent(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan) {
    if (check_plan(snapshot, plan, Order::kUrgentFirst).empty()) return;
    const std::vector<bool> waited = waiting(snapshot, plan);
    drop_violations(snapshot, plan, Order::kUrgentFirst);
    std::vector<PodIndex> dropped;
    for (Wait& wait : plan.waits) {
        if (waited[wait.pod]) continue;
        wait = {wait.pod, "more urgent pods, which its topology spread counts, leave no place for it"};
        dropped.push_back(wait.pod);
    }
    reseat(snapshot, options, dropped, plan, Order::kUrgentFirst);
    int pairs = 0;
    std::set<const rules::PodShape*> hopeless;
    for (const PodIndex pod : dropped) {
        const rules::PodShape* shape = snapshot.pods[pod].shape.get();
        const std::vector<bool> waits = waiting(snapshot, plan);
        if (!waits[pod] || hopeless.contains(shape)) continue;
        const std::vector<PodIndex> urgent = urgent_ones(snapshot, waits, pod);
        const bool is_moved = std::any_of(urgent.begin(), urgent.end(), [&](PodIndex one) {
            return ++pairs <= kMostPairs &&
                   reseat_for(snapshot, options, pod, one, plan, Order::kUrgentFirst);
        });
        if (!is_moved) hopeless.insert(shape);
    }
    // It was the bound for more pods.
    if (waiting(snapshot, plan) != waited) plan.lower_bound = {};
}

void prefer_any_order_of_equals(const model::Snapshot& snapshot, const ProvisionOptions& options,
                                Plan& plan) {
    if (snapshot.pods.size() > kFewPods) return;
    std::map<PodIndex, std::string> broken;
    for (const Violation& one : check_plan(snapshot, plan, Order::kFreeFirst))
        broken.emplace(one.pod, "it is being moved");
    if (broken.empty() || broken.size() > kFewBroken) return;
    Plan other = plan;
    let_wait(snapshot, broken, other);
    std::vector<PodIndex> moved;
    for (const auto& [pod, what] : broken) moved.push_back(pod);
    reseat(snapshot, options, moved, other, Order::kFreeFirst);
    if (other.waits.size() == plan.waits.size() &&
        other.price + other.node_cost <= plan.price + plan.node_cost)
        plan = std::move(other);
}

}  // namespace

void hold_to_urgent_first(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan) {
    if (!some_spread(snapshot)) return;
    if (some_more_urgent(snapshot)) move_for_urgent(snapshot, options, plan);
    prefer_any_order_of_equals(snapshot, options, plan);
}

}  // namespace joiner::plan
