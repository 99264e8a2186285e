#include "plan/provision/priced.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace joiner::plan {
namespace {

using rules::Preferences;

constexpr Preferences kScopes[] = {Preferences::kAll, Preferences::kAmongPodsOfANode, Preferences::kNone};
// First plans tell which of them are worth a search: one that is so much dearer will not catch up.
constexpr double kInTheRunning = 1.02;
// What preferences are worth is a guess; a plan is not looked over for less than that.
constexpr double kGoodEnough = 1.002;

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
    struct Entry {
        model::Snapshot question;
        rules::Money worth;
        double sum = 0;  // What its first plan comes to.
        std::size_t waits = 0;
    };
    std::vector<Entry> entries;
    ProvisionOptions quick = options;
    quick.without.push_back("improve");
    rules::Money lower_bound;
    double first_plan_seconds = 0;
    for (const Preferences scope : kScopes) {
        // Nothing is told apart by it.
        if (scope == Preferences::kAmongPodsOfANode &&
            (worth(scope).nanos == 0 || worth(scope) == worth(Preferences::kAll)))
            continue;
        Entry entry{without(scope, snapshot), worth(scope)};
        const Plan first = plan(entry.question, quick);
        entry.sum = (first.price + first.node_cost + entry.worth).dollars();
        entry.waits = first.waits.size();
        // What holds without preferences holds with them.
        if (entries.empty()) lower_bound = first.lower_bound;
        if (entries.empty()) first_plan_seconds = first.first_plan_seconds;
        entries.push_back(std::move(entry));
    }
    const auto best_entry = std::min_element(
        entries.begin(), entries.end(),
        [](const auto& a, const auto& b) { return std::pair(a.waits, a.sum) < std::pair(b.waits, b.sum); });
    const std::size_t fewest = best_entry->waits;
    const double most = best_entry->sum * kInTheRunning;
    std::erase_if(entries, [&](const Entry& one) { return one.waits > fewest || one.sum > most; });
    ProvisionOptions part = options;
    part.good_enough = kGoodEnough;
    part.effort /= entries.size();
    part.budget_seconds /= static_cast<double>(entries.size());
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.sum < b.sum; });
    Plan best;
    std::pair<std::size_t, rules::Money> least;
    for (const Entry& entry : entries) {
        const bool is_first = &entry == &entries.front();
        // However long one looks, it comes to no less than that.
        if (!is_first && least <= std::pair{std::size_t{0}, lower_bound + entry.worth}) continue;
        Plan one = plan(entry.question, part);
        const std::pair sum{one.waits.size(), one.price + one.node_cost + entry.worth};
        if (!is_first && least <= sum) continue;
        least = sum;
        best = std::move(one);
    }
    best.lower_bound = lower_bound;
    best.first_plan_seconds = first_plan_seconds;
    return best;
}

}  // namespace joiner::plan
