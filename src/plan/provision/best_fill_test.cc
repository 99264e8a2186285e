#include "plan/provision/best_fill.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"

namespace joiner::plan {
namespace {

struct Pods {
    std::vector<double> requests;  // Two dimensions.
    std::vector<double> values;
    std::vector<std::uint32_t> counts;
};

Pods some_pods(Rng& rng, std::size_t kinds) {
    Pods out;
    for (std::size_t p = 0; p < kinds; ++p) {
        out.requests.push_back(static_cast<double>(rng.below(6)));
        out.requests.push_back(static_cast<double>(1 + rng.below(6)));
        out.values.push_back(static_cast<double>(rng.below(20)));
        out.counts.push_back(static_cast<std::uint32_t>(rng.below(4)));
    }
    return out;
}

// Of every choice, by counting through them.
double most_of_all(const Pods& pods, const std::vector<double>& room, std::size_t p = 0) {
    if (p == pods.values.size()) return 0;
    double most = 0;
    std::vector<double> left = room;
    for (std::uint32_t count = 0; count <= pods.counts[p]; ++count) {
        if (left[0] < 0 || left[1] < 0) break;
        most = std::max(most, count * pods.values[p] + most_of_all(pods, left, p + 1));
        for (std::size_t d = 0; d < 2; ++d) left[d] -= pods.requests[p * 2 + d];
    }
    return most;
}

double find(BestFill& best_fill, const Pods& pods, const std::vector<double>& room, BestFill::Effort effort) {
    best_fill.begin(room.data());
    for (std::uint32_t p = 0; p < pods.values.size(); ++p)
        best_fill.add(p, &pods.requests[p * 2], pods.values[p], pods.counts[p]);
    return best_fill.find(effort);
}

TEST(BestFill, finds_the_best_of_all_choices) {
    Rng rng(1);
    BestFill best_fill(2);
    for (int i = 0; i < 300; ++i) {
        const Pods pods = some_pods(rng, 6);
        const std::vector<double> room{static_cast<double>(rng.below(12)),
                                       static_cast<double>(rng.below(12))};
        const double most = most_of_all(pods, room);
        EXPECT_DOUBLE_EQ(find(best_fill, pods, room, {0, 1'000'000}), most) << i;
        EXPECT_DOUBLE_EQ(best_fill.value(), most) << i;
    }
}

TEST(BestFill, an_early_end_promises_too_much_and_never_too_little) {
    Rng rng(2);
    BestFill best_fill(2);
    for (int i = 0; i < 300; ++i) {
        const Pods pods = some_pods(rng, 8);
        const std::vector<double> room{static_cast<double>(rng.below(16)),
                                       static_cast<double>(rng.below(16))};
        const double most = most_of_all(pods, room);
        for (const std::uint64_t steps : {0, 1, 3, 10}) {
            EXPECT_GE(find(best_fill, pods, room, {0.05, steps}), most) << i << " after " << steps;
            EXPECT_LE(best_fill.value(), most) << i << " after " << steps;
        }
    }
}

TEST(BestFill, what_it_takes_has_room_and_is_there) {
    Rng rng(3);
    BestFill best_fill(2);
    for (int i = 0; i < 300; ++i) {
        const Pods pods = some_pods(rng, 8);
        const std::vector<double> room{static_cast<double>(rng.below(16)),
                                       static_cast<double>(rng.below(16))};
        find(best_fill, pods, room, {0.01, 50});
        std::vector<double> used(2, 0);
        double value = 0;
        for (const auto& [p, count] : best_fill.take()) {
            EXPECT_LE(count, pods.counts[p]) << i;
            value += count * pods.values[p];
            for (std::size_t d = 0; d < 2; ++d) used[d] += count * pods.requests[p * 2 + d];
        }
        EXPECT_LE(used[0], room[0]) << i;
        EXPECT_LE(used[1], room[1]) << i;
        EXPECT_DOUBLE_EQ(value, best_fill.value()) << i;
    }
}

}  // namespace
}  // namespace joiner::plan
