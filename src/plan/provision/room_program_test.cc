#include "plan/provision/room_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"
#include "plan/provision/ceilings.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kDimensions = 2;

double amount(Rng& rng, std::uint64_t below) {
    return static_cast<double>(rng.below(below));
}

RoomQuestion some_question(Rng& rng, std::size_t kinds, std::size_t rooms) {
    RoomQuestion out;
    out.columns.dimensions = kDimensions;
    for (std::size_t j = 0; j < 3; ++j) {
        out.columns.capacities.push_back(5 + amount(rng, 8));
        out.columns.capacities.push_back(5 + amount(rng, 8));
        out.columns.prices.push_back(5 + amount(rng, 8));
    }
    for (std::size_t p = 0; p < kinds; ++p) {
        for (std::size_t d = 0; d < kDimensions; ++d) out.requests.push_back(1 + amount(rng, 5));
        out.counts.push_back(1 + amount(rng, 2));
    }
    for (std::size_t r = 0; r < rooms; ++r) {
        for (std::size_t d = 0; d < kDimensions; ++d) out.rooms.push_back(amount(rng, 8));
        out.times.push_back(1);
        for (std::size_t p = 0; p < kinds; ++p) out.admits.push_back(rng.below(5) != 0);
    }
    return out;
}

// The least that the pods can cost, by trying every place for each: rooms, machines bought by then, one more.
class Placing {
  public:
    explicit Placing(const RoomQuestion& question) : q_(question), free_(question.rooms) {
        for (std::size_t p = 0; p < q_.counts.size(); ++p)
            pods_.insert(pods_.end(), static_cast<std::size_t>(q_.counts[p]), p);
    }

    double least() {
        place(0);
        return least_;
    }

  private:
    void place(std::size_t i) {
        if (i == pods_.size()) {
            double sum = 0;
            for (const std::vector<double>& used : bought_) sum += price(used);
            least_ = std::min(least_, sum);
            return;
        }
        const double* request = &q_.requests[kDimensions * pods_[i]];
        for (std::size_t r = 0; r < q_.times.size(); ++r) {
            double* room = &free_[kDimensions * r];
            if (!q_.admits[r * q_.counts.size() + pods_[i]] || !has_room(room, request, kDimensions))
                continue;
            for (std::size_t d = 0; d < kDimensions; ++d) room[d] -= request[d];
            place(i + 1);
            for (std::size_t d = 0; d < kDimensions; ++d) room[d] += request[d];
        }
        bought_.emplace_back(kDimensions, 0);
        for (std::size_t m = 0; m < bought_.size(); ++m) {
            for (std::size_t d = 0; d < kDimensions; ++d) bought_[m][d] += request[d];
            if (price(bought_[m]) < 1e9) place(i + 1);
            for (std::size_t d = 0; d < kDimensions; ++d) bought_[m][d] -= request[d];
        }
        bought_.pop_back();
    }

    double price(const std::vector<double>& used) const {
        if (std::all_of(used.begin(), used.end(), [](double one) { return one == 0; })) return 0;
        double least = 1e9;
        for (std::size_t j = 0; j < q_.columns.size(); ++j) {
            if (has_room(q_.columns.capacity(j), used.data(), kDimensions))
                least = std::min(least, q_.columns.prices[j]);
        }
        return least;
    }

    const RoomQuestion& q_;
    std::vector<std::size_t> pods_;
    std::vector<double> free_;
    std::vector<std::vector<double>> bought_;  // What is used of each.
    double least_ = 1e9;
};

TEST(RoomProgram, no_placing_costs_less_than_its_bound) {
    Rng rng(1);
    double bounds = 0;
    double costs = 0;
    for (int i = 0; i < 150; ++i) {
        const RoomQuestion question = some_question(rng, 4, 3);
        const double least = Placing(question).least();
        RoomProgram program(question, 1'000'000, {});
        program.solve();
        EXPECT_LE(program.bound(), least * (1 + 1e-9)) << i;
        bounds += program.bound();
        costs += least;
    }
    EXPECT_GT(bounds, 0.5 * costs);  // Machines are bought whole, of which the program knows nothing.
}

TEST(RoomProgram, no_prices_whatever_promise_too_much) {
    Rng rng(2);
    for (int i = 0; i < 100; ++i) {
        const RoomQuestion question = some_question(rng, 4, 3);
        const double least = Placing(question).least();
        RoomProgram program(question, 1'000'000, {});
        RoomPrices prices;
        for (std::size_t p = 0; p < question.counts.size(); ++p) prices.pods.push_back(10 * rng.unit() - 1);
        prices.units = {{3 * rng.unit(), 3 * rng.unit()}, {3 * rng.unit(), 3 * rng.unit()}};
        EXPECT_LE(program.bound_at(prices), least * (1 + 1e-9)) << i;
    }
}

// What two kinds of machines have too much of does not make up for what the other has too little of.
TEST(RoomProgram, tells_kinds_of_machines_apart) {
    RoomQuestion question{{2, {4, 1, 1, 4}, {1, 1}}, {1, 1, 2, 2}, {6, 1}, {2, 2}, {1}, {}};
    RoomProgram program(question, 1'000'000, {});
    program.solve();
    // The large pod stands in the room, and each of the others alone, not two on two machines and a half.
    EXPECT_NEAR(program.bound(), 6, 0.1);
}

TEST(RoomProgram, fills_rooms_with_pods_that_there_are_and_have_room) {
    Rng rng(3);
    double outside = 0;
    double bounds = 0;
    for (int i = 0; i < 100; ++i) {
        const RoomQuestion question = some_question(rng, 6, 12);
        const std::size_t kinds = question.counts.size();
        RoomProgram program(question, 1'000'000, {});
        program.solve();
        const RoomProgram::Filling filling = program.fill();
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
        const std::vector<double> each =
            ceilings(question.columns, question.requests, program.prices().units);
        outside += std::inner_product(left.begin(), left.end(), each.begin(), 0.0);
        bounds += program.bound();
    }
    EXPECT_LT(outside, 1.2 * bounds);
}

TEST(RoomProgram, without_effort_rooms_are_filled_all_the_same) {
    Rng rng(4);
    const RoomQuestion question = some_question(rng, 4, 30);
    RoomProgram program(question, 0, {});
    program.solve();
    EXPECT_GE(program.bound(), 0);
    const RoomProgram::Filling filling = program.fill();
    EXPECT_TRUE(std::any_of(filling.begin(), filling.end(), [](const auto& take) { return !take.empty(); }));
}

TEST(RoomProgram, rooms_alike_are_as_good_as_one_after_the_other) {
    Rng rng(5);
    for (int i = 0; i < 20; ++i) {
        RoomQuestion once = some_question(rng, 5, 3);
        once.admits.clear();
        RoomQuestion apart = once;
        once.times.assign(3, 2);
        apart.rooms.insert(apart.rooms.end(), once.rooms.begin(), once.rooms.end());
        apart.times.assign(6, 1);
        RoomProgram a(once, 10'000'000, {});
        RoomProgram b(apart, 10'000'000, {});
        a.solve();
        b.solve();
        EXPECT_NEAR(a.bound(), b.bound(), 0.01 * (1 + b.bound())) << i;
    }
}

}  // namespace
}  // namespace joiner::plan
