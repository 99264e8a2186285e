#include "rules/registration_health.h"

#include <gtest/gtest.h>

#include <string_view>

namespace joiner::rules {
namespace {

TEST(RegistrationHealth, s4_1_looks_at_the_last_four) {
    const struct {
        std::string_view outcomes;  // "+" registered, "-" did not; the oldest first.
        std::optional<bool> verdict;
    } cases[] = {
        {"", std::nullopt}, {"+", true},       {"-", std::nullopt},  {"--", false},
        {"-+", true},       {"-+-", false},    {"+-", std::nullopt}, {"--+", false},
        {"--+++", true},    {"++++--", false}, {"----++++", true},
    };
    for (const auto& c : cases) {
        RegistrationHealth health;
        for (const char outcome : c.outcomes) health.note(outcome == '+');
        EXPECT_EQ(health.verdict(), c.verdict) << c.outcomes;
    }
}

TEST(RegistrationHealth, s4_1_goes_on_from_what_the_condition_says) {
    EXPECT_EQ(RegistrationHealth::from(true).verdict(), true);
    RegistrationHealth bad = RegistrationHealth::from(false);
    EXPECT_EQ(bad.verdict(), false);
    bad.note(true);
    EXPECT_EQ(bad.verdict(), false) << "one good launch does not make up for two bad ones";
}

}  // namespace
}  // namespace joiner::rules
