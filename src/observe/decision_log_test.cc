// The bounds of the decision log, what it forgets, and that the same decision is heard once; its lines.
#include "observe/decision_log.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::observe {
namespace {

using plan::Rule;
using testing::HasSubstr;

const WallTime kNow{std::chrono::seconds{1'800'000'000}};

Subject pod(const std::string& name, const std::string& uid = "1") {
    return Subject::pod({"default", name, uid});
}
Subject node(const std::string& name) {
    return {SubjectKind::kNode, {"", name, "uid-of-" + name}};
}
plan::SharedReasons because(Rule rule, const std::string& detail = "so") {
    return plan::share({{.rule = rule, .object = "NodePool default", .detail = detail}});
}

struct Log {
    explicit Log(DecisionLog::Bounds bounds = {})
        : log([this](const Decision& one) { heard.push_back(in_words(one)); }, bounds) {}

    void waits(const Subject& subject, plan::SharedReasons reasons, WallTime at = kNow) {
        log.record({subject, Matter::kPlacement, Verdict::kWaits, std::move(reasons), at});
    }
    void kept(const std::string& name, Matter matter = Matter::kDrift) {
        log.record({node(name), matter, Verdict::kKept, because(Rule::kNodeAnnotated), kNow});
    }
    bool knows(const Subject& subject) const { return !log.all_of(subject).empty(); }

    std::vector<std::string> heard;
    DecisionLog log;
};

TEST(DecisionLog, hears_the_same_decision_once_and_keeps_since_when_it_was_so) {
    Log l;
    l.waits(pod("a"), because(Rule::kTaint, "x"));
    l.waits(pod("a"), because(Rule::kTaint, "x"), kNow + std::chrono::seconds{10});
    EXPECT_EQ(l.heard.size(), 1u);
    EXPECT_EQ(l.log.last(pod("a"), Matter::kPlacement)->at, kNow);
    l.waits(pod("a"), because(Rule::kTaint, "y"), kNow + std::chrono::seconds{20});
    EXPECT_EQ(l.heard.size(), 2u);
    EXPECT_EQ(l.log.last(pod("a"), Matter::kPlacement)->at, kNow + std::chrono::seconds{20});
    l.log.record({pod("a"), Matter::kPlacement, Verdict::kNewNode, because(Rule::kTaint, "y"), kNow});
    EXPECT_EQ(l.heard.size(), 3u) << "another verdict for the same reason";
    EXPECT_EQ(l.log.size(), 1u);
}

TEST(DecisionLog, keeps_one_decision_a_matter) {
    Log l;
    l.kept("n", Matter::kDrift);
    l.kept("n", Matter::kConsolidation);
    l.kept("n", Matter::kEmptiness);
    l.kept("n", Matter::kDrift);
    EXPECT_EQ(l.heard.size(), 3u);
    const auto all = l.log.all_of(node("n"));
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all.front()->matter, Matter::kEmptiness);
    EXPECT_EQ(l.log.last(node("n"), Matter::kRepair), nullptr);
    EXPECT_EQ(l.log.last(node("m"), Matter::kDrift), nullptr);
}

TEST(DecisionLog, shares_the_reasons_of_pods_of_a_class) {
    Log l;
    for (const WallTime at : {kNow, kNow + std::chrono::seconds{10}}) {
        const plan::SharedReasons reasons = because(Rule::kTaint);
        for (int i = 0; i < 100; ++i) l.waits(pod(fmt::format("p-{}", i)), reasons, at);
    }
    EXPECT_EQ(l.heard.size(), 100u);
    EXPECT_EQ(l.log.last(pod("p-0"), Matter::kPlacement)->reasons,
              l.log.last(pod("p-99"), Matter::kPlacement)->reasons);
}

TEST(DecisionLog, drops_what_is_gone_first_and_then_the_oldest) {
    Log l({.subjects = 3, .gone = 2});
    for (const char* name : {"a", "b", "c"}) l.waits(pod(name), because(Rule::kTaint));
    l.log.note_gone(SubjectKind::kPod, "default", "c");
    EXPECT_TRUE(l.knows(pod("c"))) << "there is room";
    l.waits(pod("d"), because(Rule::kTaint));
    EXPECT_FALSE(l.knows(pod("c")));
    EXPECT_EQ(l.log.cut_off(), 0u);
    l.waits(pod("a"), because(Rule::kTaint));  // Again, so that b is the oldest.
    l.waits(pod("e"), because(Rule::kTaint));
    EXPECT_FALSE(l.knows(pod("b")));
    EXPECT_TRUE(l.knows(pod("a")));
    EXPECT_EQ(l.log.cut_off(), 1u);
    EXPECT_EQ(l.log.size(), 3u);
}

TEST(DecisionLog, keeps_few_of_those_that_are_gone) {
    Log l({.subjects = 100, .gone = 2});
    for (const char* name : {"a", "b", "c", "d"}) {
        l.waits(pod(name), because(Rule::kTaint));
        l.log.note_gone(SubjectKind::kPod, "default", name);
    }
    EXPECT_EQ(l.log.size(), 2u);
    EXPECT_FALSE(l.knows(pod("b")));
    EXPECT_TRUE(l.knows(pod("c")));
    l.log.note_gone(SubjectKind::kPod, "default", "c");
    l.log.note_gone(SubjectKind::kPod, "default", "nobody");
    EXPECT_EQ(l.log.size(), 2u);
    EXPECT_EQ(l.log.cut_off(), 0u);
}

TEST(DecisionLog, forgets_what_was_decided_of_another_object_of_the_name) {
    Log l;
    l.waits(pod("db-0", "1"), because(Rule::kTaint));
    l.log.record({pod("db-0", "2"), Matter::kPlacement, Verdict::kWaits, because(Rule::kTaint), kNow});
    EXPECT_EQ(l.heard.size(), 2u);
    EXPECT_EQ(l.log.all_of(pod("db-0")).size(), 1u);
    // Claims have no uid yet when they are bought.
    l.log.record({Subject::claim("c", ""), Matter::kPurchase, Verdict::kBought, nullptr, kNow});
    l.log.record({Subject::claim("c", "7"), Matter::kLaunch, Verdict::kFailed, nullptr, kNow});
    EXPECT_EQ(l.log.all_of(Subject::claim("c", "")).size(), 2u);
    l.log.record({Subject::claim("c", "8"), Matter::kLaunch, Verdict::kFailed, nullptr, kNow});
    EXPECT_EQ(l.log.all_of(Subject::claim("c", "")).size(), 1u);
}

TEST(DecisionLog, keeps_of_an_object_only_the_matters_that_still_stand) {
    Log l;
    for (const char* name : {"a", "b", "c"}) l.kept(name);
    l.kept("b", Matter::kConsolidation);
    l.log.note_gone(SubjectKind::kNode, "", "c");
    for (const char* name : {"b", "c"})
        l.log.keep_only(node(name), [](Matter matter) { return matter != Matter::kDrift; });
    EXPECT_NE(l.log.last(node("a"), Matter::kDrift), nullptr);
    EXPECT_EQ(l.log.last(node("b"), Matter::kDrift), nullptr);
    EXPECT_NE(l.log.last(node("b"), Matter::kConsolidation), nullptr);
    EXPECT_NE(l.log.last(node("c"), Matter::kDrift), nullptr) << "it is gone, and that is why";
    l.kept("b");
    EXPECT_EQ(l.heard.size(), 5u) << "it is news again";
}

TEST(DecisionLog, says_how_many_reasons_it_has_cut_off) {
    Log l({.reasons = 2});
    plan::Reasons many(5, plan::Reason{.rule = Rule::kPodsComing});
    const plan::SharedReasons shared = plan::share(std::move(many));
    l.waits(pod("a"), shared);
    l.waits(pod("b"), shared);
    const plan::SharedReasons& kept = l.log.last(pod("a"), Matter::kPlacement)->reasons;
    ASSERT_EQ(kept->size(), 3u);
    EXPECT_EQ(plan::in_words(kept->back()), "and 3 more");
    EXPECT_EQ(kept, l.log.last(pod("b"), Matter::kPlacement)->reasons);
}

TEST(Decision, is_one_line_of_json_with_the_fields_that_are_documented) {
    const Decision decision{node("n-1"), Matter::kDrift, Verdict::kKept,
                            plan::share({{.rule = Rule::kBudgetUsedUp,
                                          .object = "NodePool default",
                                          .detail = "Drifted",
                                          .amounts = {{"allowed", 1}, {"disrupted", 1}},
                                          .money = rules::Money::from_dollars(0.5),
                                          .until = kNow}}),
                            kNow};
    const std::string text = to_json(decision);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["kind"], "Node");
    EXPECT_EQ(json["name"], "n-1");
    EXPECT_EQ(json["uid"], "uid-of-n-1");
    EXPECT_FALSE(json.contains("namespace"));
    EXPECT_EQ(json["matter"], "drift");
    EXPECT_EQ(json["verdict"], "kept");
    EXPECT_EQ(json["at"], "2027-01-15T08:00:00Z");
    const auto& reason = json["reasons"][0];
    EXPECT_EQ(reason["rule"], "budget-used-up");
    EXPECT_EQ(reason["object"], "NodePool default");
    EXPECT_EQ(reason["amounts"]["allowed"], 1);
    EXPECT_EQ(reason["dollarsPerHour"], 0.5);
    EXPECT_EQ(reason["until"], "2027-01-15T08:00:00Z");
    EXPECT_THAT(reason["wouldChange"].get<std::string>(), HasSubstr("a larger budget of NodePool default"));
    EXPECT_THAT(in_words(decision), HasSubstr("Node n-1, drift: kept, because the budgets of NodePool"));
}

TEST(Decision, takes_any_bytes_for_a_name) {
    const Decision decision{pod("a\xff\"b"), Matter::kPlacement, Verdict::kWaits, nullptr, kNow};
    EXPECT_TRUE(nlohmann::json::accept(to_json(decision)));
}

}  // namespace
}  // namespace joiner::observe
