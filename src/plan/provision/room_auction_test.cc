#include "plan/provision/room_auction.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace joiner::plan {
namespace {

AuctionQuestion some_question(Rng& rng, std::size_t kinds, std::size_t rooms) {
    AuctionQuestion out;
    out.dimensions = 2;
    for (std::size_t p = 0; p < kinds; ++p) {
        out.requests.push_back(static_cast<double>(1 + rng.below(5)));
        out.requests.push_back(static_cast<double>(1 + rng.below(5)));
        out.counts.push_back(static_cast<double>(1 + rng.below(3)));
        out.ceilings.push_back(out.requests[2 * p] + 2 * out.requests[2 * p + 1]);
    }
    for (std::size_t r = 0; r < rooms; ++r) {
        out.rooms.push_back(static_cast<double>(rng.below(8)));
        out.rooms.push_back(static_cast<double>(rng.below(8)));
        out.times.push_back(1);
        for (std::size_t p = 0; p < kinds; ++p) out.admits.push_back(rng.below(5) != 0);
    }
    return out;
}

// The least that the pods can cost, by trying every place for each.
double least_cost(const AuctionQuestion& question, std::vector<double>& free, std::size_t p,
                  double more_of_it, double best) {
    if (best <= 0) return best;
    if (p == question.counts.size()) return 0;
    if (more_of_it < 1)
        return least_cost(question, free, p + 1, p + 1 < question.counts.size() ? question.counts[p + 1] : 0,
                          best);
    double least =
        question.ceilings[p] + least_cost(question, free, p, more_of_it - 1, best - question.ceilings[p]);
    for (std::size_t r = 0; r < question.times.size(); ++r) {
        const double* request = &question.requests[2 * p];
        double* room = &free[2 * r];
        if (!question.admits[r * question.counts.size() + p] || request[0] > room[0] || request[1] > room[1])
            continue;
        for (std::size_t d = 0; d < 2; ++d) room[d] -= request[d];
        least = std::min(least, least_cost(question, free, p, more_of_it - 1, least));
        for (std::size_t d = 0; d < 2; ++d) room[d] += request[d];
    }
    return least;
}

TEST(RoomAuction, no_placing_costs_less_than_its_bound) {
    Rng rng(1);
    double bounds = 0;
    double costs = 0;
    for (int i = 0; i < 100; ++i) {
        const AuctionQuestion question = some_question(rng, 4, 3);
        std::vector<double> free = question.rooms;
        const double least = least_cost(question, free, 0, question.counts[0], 1e9);
        RoomAuction auction(question, 1'000'000, {});
        auction.bid(12);
        const double bound = auction.bound();
        EXPECT_LE(bound, least * (1 + 1e-9)) << i;
        bounds += bound;
        costs += least;
    }
    EXPECT_GT(bounds, 0.9 * costs);
}

TEST(RoomAuction, fills_rooms_with_pods_that_there_are_and_have_room) {
    Rng rng(2);
    double filled_cost = 0;
    double costs = 0;
    for (int i = 0; i < 100; ++i) {
        const AuctionQuestion question = some_question(rng, 4, 3);
        const std::size_t kinds = question.counts.size();
        RoomAuction auction(question, 1'000'000, {});
        auction.bid(12);
        const RoomAuction::Filling filling = auction.fill();
        ASSERT_EQ(filling.size(), question.times.size());
        std::vector<double> left = question.counts;
        for (std::size_t r = 0; r < filling.size(); ++r) {
            std::vector<double> free{question.rooms[2 * r], question.rooms[2 * r + 1]};
            for (const auto& [p, count] : filling[r]) {
                EXPECT_TRUE(question.admits[r * kinds + p]) << i;
                left[p] -= count;
                for (std::size_t d = 0; d < 2; ++d) free[d] -= count * question.requests[2 * p + d];
            }
            EXPECT_GE(*std::min_element(free.begin(), free.end()), 0) << i;
        }
        EXPECT_GE(*std::min_element(left.begin(), left.end()), 0) << i;
        for (std::size_t p = 0; p < kinds; ++p) filled_cost += left[p] * question.ceilings[p];
        std::vector<double> free = question.rooms;
        costs += least_cost(question, free, 0, question.counts[0], 1e9);
    }
    EXPECT_LT(filled_cost, 1.1 * costs);
}

TEST(RoomAuction, without_effort_rooms_are_filled_all_the_same) {
    Rng rng(3);
    const AuctionQuestion question = some_question(rng, 4, 30);
    RoomAuction auction(question, 0, {});
    auction.bid(12);
    EXPECT_GE(auction.bound(), 0);
    const RoomAuction::Filling filling = auction.fill();
    EXPECT_TRUE(std::any_of(filling.begin(), filling.end(), [](const auto& take) { return !take.empty(); }));
}

}  // namespace
}  // namespace joiner::plan
