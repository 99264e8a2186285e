#include "rules/interruption_rates.h"

#include <gtest/gtest.h>

namespace joiner::rules {
namespace {

using std::chrono::hours;

constexpr double kPrior = InterruptionRates::kPrior;

OfferingKey spot(const std::string& type, const std::string& zone = "a") {
    return {type, zone, "spot", ""};
}

TEST(InterruptionRates, where_nothing_is_known_one_rate_holds_for_all) {
    InterruptionRates rates;
    EXPECT_DOUBLE_EQ(rates.rate(spot("m5.large")), kPrior);
    EXPECT_EQ(rates.excess(spot("m5.large")), 0);
    EXPECT_EQ(rates.written(), "");
}

TEST(InterruptionRates, what_happens_is_weighed_by_the_hours_that_machines_have_run) {
    const struct {
        double hours;
        int interruptions;
        double rate;
    } cases[] = {
        {0, 0, kPrior},
        {0, 1, kPrior + 0.01},  // One bans nothing.
        {100, 0, kPrior / 2},
        {100, 1, kPrior / 2 + 0.005},
        {900, 9, kPrior / 10 + 0.009},
        {99'900, 999, kPrior / 1000 + 0.00999},  // What is seen, in the end.
        {-5, 0, kPrior},
    };
    for (const auto& c : cases) {
        InterruptionRates rates;
        rates.note_run(spot("m5.large"), c.hours);
        for (int i = 0; i < c.interruptions; ++i) rates.note_interrupted(spot("m5.large"));
        EXPECT_NEAR(rates.rate(spot("m5.large")), c.rate, 1e-9) << c.hours << " " << c.interruptions;
        EXPECT_NEAR(rates.excess(spot("m5.large")), std::max(0.0, c.rate - kPrior), 1e-9);
        EXPECT_EQ(rates.excess(spot("m5.large", "b")), 0);
    }
}

TEST(InterruptionRates, half_is_forgotten_in_three_days_and_all_in_the_end) {
    InterruptionRates rates;
    rates.note_run(spot("m5.large"), 100);
    for (int i = 0; i < 4; ++i) rates.note_interrupted(spot("m5.large"));
    for (int i = 0; i < 72; ++i) rates.forget(hours{1});
    EXPECT_NEAR(rates.seen().at(spot("m5.large")).hours, 50, 1e-6);
    EXPECT_NEAR(rates.seen().at(spot("m5.large")).interruptions, 2, 1e-6);
    rates.forget(-hours{72});  // A clock that was set back brings nothing back.
    EXPECT_NEAR(rates.seen().at(spot("m5.large")).interruptions, 2, 1e-6);
    rates.forget(hours{24 * 60});
    EXPECT_TRUE(rates.seen().empty());
}

TEST(InterruptionRates, what_is_written_is_read_again) {
    InterruptionRates rates;
    rates.note_run(spot("m5.large"), 12.5);
    rates.note_interrupted(spot("m5.large"));
    rates.note_run(spot("c5.xlarge", "b"), 3);
    rates.note_run(spot("no type"), 3);
    EXPECT_EQ(rates.written(),
              "c5.xlarge b spot hours 3.000 interruptions 0.000\n"
              "m5.large a spot hours 12.500 interruptions 1.000\n");
    InterruptionRates next;
    next.remember(rates.written());
    EXPECT_EQ(next.written(), rates.written());
    EXPECT_DOUBLE_EQ(next.rate(spot("m5.large")), rates.rate(spot("m5.large")));
}

TEST(InterruptionRates, lines_that_say_nothing_are_passed_over) {
    for (const char* text : {
             "",
             "\n\n",
             "m5.large a spot",
             "m5.large a spot hours x interruptions 1",
             "m5.large a spot hours -1 interruptions 1",
             "m5.large a spot hours nan interruptions 1",
             "m5.large a spot hours 1 interruptions inf",
             "m5.large a spot hours 1 interruptions 1e9",
             "m5.large a spot hours 1 interruptions 1 more",
             "m5.large a spot days 1 interruptions 1",
         }) {
        InterruptionRates rates;
        rates.remember(text);
        EXPECT_TRUE(rates.seen().empty()) << text;
    }
}

TEST(InterruptionRates, are_bounded) {
    InterruptionRates rates;
    for (std::size_t i = 0; i < InterruptionRates::kMostOfferings + 5; ++i)
        rates.note_interrupted(spot("t" + std::to_string(i)));
    EXPECT_EQ(rates.seen().size(), InterruptionRates::kMostOfferings);
    InterruptionRates next;
    next.remember(rates.written() + "one.more a spot hours 1 interruptions 1\n");
    EXPECT_EQ(next.seen().size(), InterruptionRates::kMostOfferings);
}

TEST(InterruptionCost, is_what_machine_and_pods_lose_by_it) {
    const InterruptionToll toll{.hours = 0.5, .dollars_a_core = 0.02};
    const struct {
        double excess, price, cores, cost;
    } cases[] = {
        {0, 0.1, 4, 0},    {0.01, 0.1, 4, 0.01 * (0.05 + 0.08)},
        {1, 0.1, 4, 0.13}, {100, 0.1, 4, 0.9},  // Nine times the price, and no more.
        {-1, 0.1, 4, 0},   {1, 0, 4, 0},
    };
    for (const auto& c : cases)
        EXPECT_NEAR(interruption_cost(c.excess, Money::from_dollars(c.price), c.cores, toll).dollars(),
                    c.cost, 1e-9)
            << c.excess;
}

}  // namespace
}  // namespace joiner::rules
