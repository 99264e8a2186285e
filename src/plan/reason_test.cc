#include "plan/reason.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace joiner::plan {
namespace {

const std::int64_t kNow = 1'800'000'000;

Reason budget() {
    return {.rule = Rule::kBudgetUsedUp,
            .object = "NodePool default",
            .detail = "Drifted",
            .amounts = {{"allowed", 1}, {"disrupted", 2}}};
}

TEST(Reason, has_words_for_every_rule_and_no_word_twice) {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(Rule::kCutOff); ++i) {
        const auto rule = static_cast<Rule>(i);
        EXPECT_TRUE(words.insert(word_for(rule)).second) << word_for(rule);
        EXPECT_EQ(word_for(rule).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos);
        const std::string text = in_words({.rule = rule, .object = "it", .detail = "so"});
        EXPECT_FALSE(text.empty()) << word_for(rule);
        EXPECT_EQ(text.find('{'), std::string::npos) << text;
        EXPECT_EQ(what_would_change({.rule = rule, .object = "it", .detail = "so"}).find('{'),
                  std::string::npos)
            << word_for(rule);
    }
}

TEST(Reason, is_said_with_its_object_and_its_numbers) {
    EXPECT_EQ(in_words(budget()),
              "the budgets of NodePool default allow 1 nodes at once as Drifted, and 2 are disrupted");
    EXPECT_EQ(what_would_change(budget()),
              "the end of what is under way, or a larger budget of NodePool default");
    const Reason saves{.rule = Rule::kSaves,
                       .detail = "now 0.3 $ an hour, after 0.05",
                       .amounts = {{"nodes", 2}, {"moves", 7}, {"bought", 0}},
                       .money = rules::Money::from_dollars(0.25)};
    EXPECT_EQ(in_words(saves),
              "2 nodes go, 7 pods move and 0 nodes are bought for them: now 0.3 $ an hour, after 0.05, and "
              "0.2500 $ an hour are saved");
    EXPECT_EQ(in_words(Reasons{budget(), {.rule = Rule::kPodsComing}}),
              in_words(budget()) + "; pods are about to be bound to it");
}

TEST(Reason, that_ends_by_itself_says_when) {
    const WallTime until{std::chrono::seconds{kNow}};
    EXPECT_EQ(what_would_change({.rule = Rule::kRest, .until = until}), "at 2027-01-15T08:00:00Z");
    EXPECT_EQ(what_would_change({.rule = Rule::kEmptyNode}), "");
}

}  // namespace
}  // namespace joiner::plan
