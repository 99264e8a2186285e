#include "control/page_book.h"

#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using observe::Decision;
using observe::Matter;
using observe::Subject;
using observe::Verdict;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

Subject a_node() {
    return {observe::SubjectKind::kNode, {"", "n", "u"}};
}

TEST(PageBook, what_is_history) {
    const plan::SharedReasons empty = plan::share({{.rule = plan::Rule::kEmptyNode}});
    const plan::SharedReasons saves =
        plan::share({{.rule = plan::Rule::kSaves, .money = rules::Money::from_dollars(0.25)}});
    struct Case {
        const char* name;
        Decision decision;
        std::size_t entries;
    };
    const Case cases[] = {
        {"bought", {Subject::claim("c", ""), Matter::kPurchase, Verdict::kBought, nullptr, kNow}, 1},
        {"a pool buys",
         {{observe::SubjectKind::kNodePool, {"", "p", ""}}, Matter::kSize, Verdict::kBought, {}, kNow},
         0},
        {"came up", {Subject::claim("c", ""), Matter::kLaunch, Verdict::kCameUp, nullptr, kNow}, 1},
        {"failed", {Subject::claim("c", ""), Matter::kLaunch, Verdict::kFailed, nullptr, kNow}, 1},
        {"given up as a launch",
         {Subject::claim("c", ""), Matter::kLaunch, Verdict::kGivenUp, nullptr, kNow},
         1},
        {"a command given up", {a_node(), Matter::kEnd, Verdict::kGivenUp, saves, kNow}, 1},
        {"the same on its matter", {a_node(), Matter::kConsolidation, Verdict::kGivenUp, saves, kNow}, 0},
        {"leaves", {a_node(), Matter::kEnd, Verdict::kLeaves, saves, kNow}, 1},
        {"the same on its matter", {a_node(), Matter::kConsolidation, Verdict::kLeaves, saves, kNow}, 0},
        {"leaves empty", {a_node(), Matter::kEmptiness, Verdict::kLeaves, empty, kNow}, 1},
        {"kept", {a_node(), Matter::kDrift, Verdict::kKept, saves, kNow}, 0},
        {"a pod", {Subject::pod({"ns", "p", "u"}), Matter::kPlacement, Verdict::kNewNode, nullptr, kNow}, 0},
    };
    for (const Case& c : cases) {
        PageBook book;
        book.note(c.decision);
        EXPECT_EQ(book.history().size(), c.entries) << c.name;
    }
}

TEST(PageBook, an_entry_says_what_and_why_and_for_how_much) {
    PageBook book;
    book.note({a_node(), Matter::kEnd, Verdict::kLeaves,
               plan::share({{.rule = plan::Rule::kSaves,
                             .detail = std::string(2000, 'x'),
                             .amounts = {{"nodes", 1}, {"moves", 2}, {"bought", 0}},
                             .money = rules::Money::from_dollars(0.25)}}),
               kNow});
    ASSERT_EQ(book.history().size(), 1u);
    const HistoryEntry& entry = book.history().front();
    EXPECT_EQ(entry.number, 1u);
    EXPECT_EQ(entry.name, "n");
    EXPECT_EQ(entry.verdict, "leaves");
    EXPECT_EQ(entry.at, kNow);
    EXPECT_EQ(entry.dollars_per_hour, rules::Money::from_dollars(0.25));
    EXPECT_LE(entry.why.size(), PageBook::kMostWhy);
    EXPECT_FALSE(entry.why.empty());
}

TEST(PageBook, the_oldest_go_and_are_counted) {
    PageBook book;
    for (std::size_t i = 0; i < PageBook::kMostEntries + 3; ++i)
        book.note({Subject::claim("c" + std::to_string(i), ""), Matter::kPurchase, Verdict::kBought, nullptr,
                   kNow});
    EXPECT_EQ(book.history().size(), PageBook::kMostEntries);
    EXPECT_EQ(book.history_cut_off(), 3u);
    EXPECT_EQ(book.history().front().name, "c3");
    EXPECT_EQ(book.history().back().number, PageBook::kMostEntries + 3);
    for (std::size_t i = 0; i < PageBook::kMostSamples + 2; ++i)
        book.add({.at = kNow + i * PageBook::kBetweenSamples});
    EXPECT_EQ(book.samples().size(), PageBook::kMostSamples);
    EXPECT_EQ(book.samples_cut_off(), 2u);
    EXPECT_EQ(book.samples().front().at, kNow + 2 * PageBook::kBetweenSamples);
}

}  // namespace
}  // namespace joiner::control
