#include "plan/provision/few_pods.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "base/rng.h"

namespace joiner::plan {
namespace {

// Every pod by itself is tried on every machine open so far and on a new one.
double by_hand(const FewPodsQuestion& q) {
    const std::size_t n = q.columns.dimensions;
    std::vector<std::size_t> pods;
    for (std::size_t i = 0; i < q.counts.size(); ++i) pods.insert(pods.end(), q.counts[i], i);
    std::vector<std::vector<std::size_t>> open;
    double best = std::numeric_limits<double>::infinity();
    const auto price = [&](const std::vector<std::size_t>& on) {
        for (std::size_t j = 0; j < q.columns.size(); ++j) {
            bool holds = true;
            for (std::size_t d = 0; d < n; ++d) {
                double sum = 0;
                for (const std::size_t i : on) sum += q.requests[i * n + d];
                holds &= sum <= q.columns.capacity(j)[d];
            }
            for (const std::size_t i : on) holds &= q.admits.empty() || q.admits[j * q.counts.size() + i];
            if (holds) return q.columns.prices[j];
        }
        return std::numeric_limits<double>::infinity();
    };
    const std::function<void(std::size_t)> place = [&](std::size_t at) {
        if (at == pods.size()) {
            double sum = 0;
            for (const auto& on : open) sum += price(on);
            best = std::min(best, sum);
            return;
        }
        for (std::size_t m = 0; m < open.size(); ++m) {
            open[m].push_back(pods[at]);
            place(at + 1);
            open[m].pop_back();
        }
        open.push_back({pods[at]});
        place(at + 1);
        open.pop_back();
    };
    place(0);
    return best;
}

FewPodsQuestion some_question(Rng& rng, bool with_rules) {
    FewPodsQuestion q;
    q.columns.dimensions = 2;
    for (int j = 0; j < 5; ++j) {
        q.columns.prices.push_back(static_cast<double>(1 + rng.below(20)));
        for (int d = 0; d < 2; ++d) q.columns.capacities.push_back(static_cast<double>(2 + rng.below(12)));
    }
    std::sort(q.columns.prices.begin(), q.columns.prices.end());
    std::size_t pods = 0;
    while (pods < 6) {
        const std::uint32_t count = 1 + static_cast<std::uint32_t>(rng.below(3));
        q.counts.push_back(count);
        pods += count;
        for (int d = 0; d < 2; ++d) q.requests.push_back(static_cast<double>(1 + rng.below(5)));
    }
    if (with_rules) {
        for (std::size_t i = 0; i < 5 * q.counts.size(); ++i) q.admits.push_back(rng.below(4) != 0);
    }
    return q;
}

TEST(FewPods, nobody_finds_cheaper_machines) {
    Rng rng(1);
    int solved = 0;
    for (int i = 0; i < 60; ++i) {
        const FewPodsQuestion q = some_question(rng, i % 2 == 1);
        const double least = by_hand(q);
        const auto found = cheapest_for_few(q, 1'000'000);
        ASSERT_EQ(found.has_value(), least < std::numeric_limits<double>::infinity()) << i;
        if (!found) continue;
        ++solved;
        EXPECT_EQ(found->cost, least) << i;
        std::vector<std::uint32_t> placed(q.counts.size(), 0);
        double cost = 0;
        for (const FewPodsAnswer::Machine& machine : found->machines) {
            cost += q.columns.prices[machine.column];
            for (std::size_t s = 0; s < placed.size(); ++s) placed[s] += machine.counts[s];
        }
        EXPECT_EQ(placed, q.counts) << i;
        EXPECT_EQ(cost, least) << i;
    }
    EXPECT_GT(solved, 20);
}

TEST(FewPods, gives_up_where_they_are_many) {
    FewPodsQuestion q;
    q.columns = {1, {10}, {1}};
    q.requests = {1, 2, 3};
    q.counts = {100, 100, 100};
    EXPECT_FALSE(cheapest_for_few(q, 1'000'000));
    q.counts = {3, 3, 3};
    const auto found = cheapest_for_few(q, 1'000'000);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->cost, 2);
}

}  // namespace
}  // namespace joiner::plan
