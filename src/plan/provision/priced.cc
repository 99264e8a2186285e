#include "plan/provision/priced.h"

#include <array>
#include <map>
#include <memory>
#include <tuple>

namespace joiner::plan {
namespace {

using rules::Preferences;

constexpr std::array kScopes = {Preferences::kAll, Preferences::kAmongPodsOfANode, Preferences::kNone};
// The plan without preferences comes first; what it leaves of the time is shared.
constexpr double kPart = 1.0 / static_cast<double>(kScopes.size());

rules::Money worth_of(Preferences scope, const model::Snapshot& snapshot, rules::Money of_a_hundred) {
    std::int64_t weight = 0;
    for (const model::PodView& pod : snapshot.pods) weight += rules::weight_of(scope, *pod.shape);
    return rules::Money::from_dollars(of_a_hundred.dollars() * static_cast<double>(weight) / 100);
}

model::Snapshot without(Preferences scope, const model::Snapshot& snapshot) {
    model::Snapshot out = snapshot;
    std::map<const rules::PodShape*, std::shared_ptr<const rules::PodShape>> known;
    for (model::PodView& pod : out.pods) {
        auto& shape = known[pod.shape.get()];
        if (shape == nullptr)
            shape = std::make_shared<const rules::PodShape>(rules::without(scope, *pod.shape));
        pod.shape = shape;
    }
    return out;
}

}  // namespace

Plan plan_priced(const model::Snapshot& snapshot, const ProvisionOptions& options,
                 const std::function<Plan(const model::Snapshot&, const ProvisionOptions&)>& plan) {
    const auto worth = [&](Preferences scope) {
        return worth_of(scope, snapshot, *options.preference_worth);
    };
    if (worth(Preferences::kAll).nanos == 0) return plan(snapshot, options);
    ProvisionOptions part = options;
    part.effort /= kScopes.size();
    part.budget_seconds *= kPart;
    Plan best;
    rules::Money lower_bound;
    double first_plan_seconds = 0;
    std::pair<std::size_t, rules::Money> least;
    for (const Preferences scope : kScopes) {
        // Nothing is told apart by it.
        if (scope == Preferences::kAmongPodsOfANode &&
            (worth(scope).nanos == 0 || worth(scope) == worth(Preferences::kAll)))
            continue;
        Plan one = scope == Preferences::kNone ? plan(snapshot, part) : plan(without(scope, snapshot), part);
        const bool is_first = scope == kScopes.front();
        // What holds without preferences holds with them.
        if (is_first) lower_bound = one.lower_bound;
        if (is_first) first_plan_seconds = one.first_plan_seconds;
        const std::pair sum{one.waits.size(), one.price + one.node_cost + worth(scope)};
        if (!is_first && least <= sum) continue;
        least = sum;
        best = std::move(one);
    }
    best.lower_bound = lower_bound;
    best.first_plan_seconds = first_plan_seconds;
    return best;
}

}  // namespace joiner::plan
