#include "plan/provision/provision.h"

#include <algorithm>
#include <utility>

#include "plan/provision/headroom.h"
#include "plan/provision/planner.h"
#include "plan/provision/priced.h"
#include "plan/provision/reserved.h"
#include "plan/provision/scarce.h"

namespace joiner::plan {
namespace {

constexpr int kMostRounds = 4;

// What is left of the time for a plan; a quarter of it always, so that what must be done is.
class Stopwatch {
  public:
    explicit Stopwatch(const ProvisionOptions& options)
        : options_(options), start_(options.clock ? options.clock() : 0) {}

    double seconds_left() const {
        if (!options_.clock) return options_.budget_seconds;
        return std::max(options_.budget_seconds / 4, options_.budget_seconds - (options_.clock() - start_));
    }

  private:
    const ProvisionOptions& options_;
    double start_;
};

// Pods that break a rule come last in another round, so that they do not spoil the plan of the others.
Planned plan_valid(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Pace pace;
    ProvisionOptions left = options;
    const Stopwatch watch(options);
    for (int round = 0; round < kMostRounds; ++round) {
        Planned planned = plan_pods(snapshot, left, pace);
        if (planned.broken.empty()) return planned;
        pace.comes_last.resize(snapshot.pods.size(), false);
        for (const model::PodIndex pod : planned.broken) pace.comes_last[pod] = true;
        left.budget_seconds = watch.seconds_left();
    }
    Planned out;
    out.plan = plan_by_first_fit(snapshot, options);
    out.plan.is_fallback = true;
    return out;
}

Plan plan_limited(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    const Stopwatch watch(options);
    Planned planned = plan_valid(snapshot, options);
    if (may_be_kept_out_by_limits(snapshot, planned.plan)) {
        ProvisionOptions left = options;
        left.budget_seconds = watch.seconds_left();
        planned = plan_scarce(snapshot, left, std::move(planned));
    }
    return std::move(planned.plan);
}

Plan plan_once(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    Plan plan = plan_limited(snapshot, options);
    if (!may_be_kept_out_by_reservations(snapshot, plan)) return plan;
    const model::Snapshot open = without_reservations(snapshot);
    Plan other = plan_limited(open, options);
    return other.waits.size() < plan.waits.size() ? other : plan;
}

Plan plan_by_worth(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    return plan_priced(snapshot, options, plan_once);
}

}  // namespace

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    const auto plan = [&](const model::Snapshot& question) {
        return options.preference_worth ? plan_by_worth(question, options) : plan_once(question, options);
    };
    return is_headroom_at_stake(snapshot) ? plan_with_headroom(snapshot, plan) : plan(snapshot);
}

}  // namespace joiner::plan
