#include "plan/provision/provision.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "model/commitments.h"
#include "plan/provision/headroom.h"
#include "plan/provision/held_ratio.h"
#include "plan/provision/paid_once.h"
#include "plan/provision/planner.h"
#include "plan/provision/priced.h"
#include "plan/provision/reseat.h"
#include "plan/provision/reserved.h"
#include "plan/provision/scarce.h"
#include "plan/provision/urgent_first.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

constexpr int kMostRounds = 4;

// Of the time, a quarter always, so that what must be done is.
double seconds_left(const ProvisionOptions& options, double used) {
    return std::max(options.budget_seconds / 4, options.budget_seconds - used);
}

// Pods alike come last together: one of them would break the same rule as another.
void hold_back(const model::Snapshot& snapshot, const std::vector<model::PodIndex>& broken, Pace& pace) {
    std::set<const rules::PodShape*> shapes;
    for (const model::PodIndex pod : broken) shapes.insert(snapshot.pods[pod].shape.get());
    pace.comes_last.resize(snapshot.pods.size(), false);
    for (model::PodIndex pod = 0; pod < snapshot.pods.size(); ++pod)
        pace.comes_last[pod] = pace.comes_last[pod] || shapes.contains(snapshot.pods[pod].shape.get());
}

std::vector<model::PodIndex> pods_that_wait(const Plan& plan) {
    std::vector<model::PodIndex> out;
    for (const Wait& wait : plan.waits) out.push_back(wait.pod);
    return out;
}

// Pods that break a rule come last in another round, so that they do not spoil the plan of the others. Where
// even that does not do, each is tried everywhere; and a plan without regard to price is taken that places
// more.
Planned plan_valid(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Pace pace;
    ProvisionOptions left = options;
    Planned planned;
    double used = 0;
    for (int round = 0; round < kMostRounds; ++round) {
        planned = plan_pods(snapshot, left, pace);
        used += planned.seconds;
        planned.seconds = used;
        if (planned.broken.empty()) return planned;
        hold_back(snapshot, planned.broken, pace);
        left.budget_seconds = seconds_left(options, used);
    }
    const std::vector<model::PodIndex> waited = pods_that_wait(planned.plan);
    drop_violations(snapshot, planned.plan);
    std::vector<model::PodIndex> dropped;
    const std::vector<model::PodIndex> wait = pods_that_wait(planned.plan);
    std::set_difference(wait.begin(), wait.end(), waited.begin(), waited.end(), std::back_inserter(dropped));
    reseat(snapshot, left, dropped, planned.plan);
    planned.broken.clear();
    // It was the bound for more pods.
    planned.plan.lower_bound = {};
    Plan other = plan_by_first_fit(snapshot, options);
    if (!check_plan(snapshot, planned.plan).empty() || places_more_than(snapshot, other, planned.plan)) {
        planned.plan = std::move(other);
        planned.plan.is_fallback = true;
    }
    return planned;
}

Plan plan_limited(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Planned planned = plan_valid(snapshot, options);
    if (may_be_kept_out_by_limits(snapshot, planned.plan)) {
        ProvisionOptions left = options;
        left.budget_seconds = seconds_left(options, planned.seconds);
        planned = plan_scarce(snapshot, left, std::move(planned));
    }
    hold_to_urgent_first(snapshot, options, planned.plan);
    return std::move(planned.plan);
}

Plan plan_once(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Plan plan = plan_limited(snapshot, options);
    if (!may_be_kept_out_by_reservations(snapshot, plan)) return plan;
    const model::Snapshot open = without_reservations(snapshot);
    Plan other = plan_limited(open, options);
    return other.waits.size() < plan.waits.size() ? other : plan;
}

void raise_bound(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan) {
    if (!may_have_a_better_bound(snapshot, plan)) return;
    ProvisionOptions quick = options;
    quick.budget_seconds = 0;
    const Plan unpaid = plan_once(at_list_price(snapshot), quick);
    if (!unpaid.waits.empty()) return;
    plan.lower_bound = std::max(plan.lower_bound, unpaid.lower_bound - model::most_saved(snapshot.pools));
}

Plan plan_paid_once(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Plan plan = plan_once(snapshot, options);
    if (const auto dealt = with_commitments_dealt(snapshot, plan)) {
        // The bound of the first question holds for the second: that one has less to buy.
        const rules::Money bound = plan.lower_bound;
        plan = plan_once(*dealt, options);
        plan.lower_bound = bound;
    }
    raise_bound(snapshot, options, plan);
    return plan;
}

Plan plan_by_worth(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    return plan_priced(snapshot, options, plan_paid_once);
}

Plan plan_with_room_to_keep(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    const auto plan = [&](const model::Snapshot& question) {
        return options.preference_worth ? plan_by_worth(question, options)
                                        : plan_paid_once(question, options);
    };
    return is_headroom_at_stake(snapshot) ? plan_with_headroom(snapshot, plan) : plan(snapshot);
}

}  // namespace

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    return keeps_ratio(snapshot) && !snapshot.pods.empty()
               ? plan_with_ratio(snapshot, options, plan_with_room_to_keep)
               : plan_with_room_to_keep(snapshot, options);
}

}  // namespace joiner::plan
