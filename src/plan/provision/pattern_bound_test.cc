#include "plan/provision/pattern_bound.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/rng.h"

namespace joiner::plan {
namespace {

PatternBoundQuestion some_question(Rng& rng) {
    PatternBoundQuestion out;
    out.columns.dimensions = 2;
    for (std::size_t j = 0; j < 4; ++j) {
        const auto size = static_cast<double>(4 + 3 * j);
        out.columns.capacities.insert(out.columns.capacities.end(),
                                      {size, size + static_cast<double>(rng.below(4))});
        out.columns.prices.push_back(2 * size + static_cast<double>(rng.below(5)));
    }
    for (std::size_t r = 0; r < 3; ++r) {
        out.requests.push_back(
            {static_cast<double>(1 + rng.below(4)), static_cast<double>(1 + rng.below(4))});
        out.counts.push_back(static_cast<double>(1 + rng.below(2)));
        out.is_capped.push_back(rng.below(2) == 0);
    }
    return out;
}

struct Machine {
    std::vector<double> used{0, 0};
    bool has_capped = false;
};

double price_of(const PatternBoundQuestion& q, const Machine& machine) {
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < q.columns.size(); ++j) {
        if (machine.used[0] <= q.columns.capacity(j)[0] && machine.used[1] <= q.columns.capacity(j)[1])
            least = std::min(least, q.columns.prices[j]);
    }
    return least;
}

// By every way to put the pods together.
double least_cost(const PatternBoundQuestion& q, std::vector<Machine>& machines, std::vector<double>& left,
                  std::size_t r) {
    while (r < left.size() && left[r] < 1) ++r;
    if (r == left.size()) {
        double sum = 0;
        for (const Machine& machine : machines) sum += price_of(q, machine);
        return sum;
    }
    double least = std::numeric_limits<double>::infinity();
    --left[r];
    machines.emplace_back();
    for (std::size_t i = 0; i < machines.size(); ++i) {
        const Machine before = machines[i];
        if (before.has_capped && q.is_capped[r]) continue;
        for (std::size_t d = 0; d < 2; ++d) machines[i].used[d] += q.requests[r][d];
        machines[i].has_capped = machines[i].has_capped || q.is_capped[r];
        const bool is_new = i + 1 == machines.size();
        if (is_new) {
            least = std::min(least, least_cost(q, machines, left, r));
        } else {
            std::vector<Machine> others = machines;
            others.pop_back();
            least = std::min(least, least_cost(q, others, left, r));
        }
        machines[i] = before;
    }
    machines.pop_back();
    ++left[r];
    return least;
}

TEST(PatternBound, no_plan_costs_less) {
    Rng rng(1);
    double bounds = 0;
    double costs = 0;
    for (int i = 0; i < 200; ++i) {
        const PatternBoundQuestion question = some_question(rng);
        std::vector<Machine> machines;
        std::vector<double> left = question.counts;
        const double least = least_cost(question, machines, left, 0);
        const double bound = pattern_bound(question, {}, 100'000'000);
        EXPECT_LE(bound, least) << i;
        bounds += bound;
        costs += least;
    }
    EXPECT_GT(bounds, 0.8 * costs);
}

TEST(PatternBound, knows_what_machines_leave_free) {
    // A machine holds one of the two pods and has nothing for the rest of its room; one that is far larger
    // is dear.
    PatternBoundQuestion question{{2, {10, 10, 1000, 1000}, {10, 2000}}, {{6, 6}}, {20}, {true}};
    EXPECT_GT(pattern_bound(question, {}, 100'000'000), 199);
    EXPECT_LE(pattern_bound(question, {}, 100'000'000), 200);
    question.is_capped = {false};
    EXPECT_GT(pattern_bound(question, {}, 100'000'000), 199);
}

TEST(PatternBound, says_nothing_where_there_is_no_time) {
    const PatternBoundQuestion question{{2, {10, 10, 1000, 1000}, {10, 2000}}, {{6, 6}}, {20}, {true}};
    EXPECT_EQ(pattern_bound(question, {}, 100'000'000, [] { return true; }), 0);
}

TEST(PatternBound, without_pods_or_machines_says_nothing) {
    EXPECT_EQ(pattern_bound({{2, {}, {}}, {{1, 1}}, {1}, {false}}, {}, 1'000), 0);
    EXPECT_EQ(pattern_bound({{2, {1, 1, 2, 2}, {1, 2}}, {}, {}, {}}, {}, 1'000), 0);
}

}  // namespace
}  // namespace joiner::plan
