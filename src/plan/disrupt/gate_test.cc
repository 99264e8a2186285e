#include "plan/disrupt/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "api/names.h"
#include "plan/disrupt/testing/up_node.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using testing::HasSubstr;
using testing::SizeIs;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

Candidate a_candidate(std::size_t pods = 0) {
    Candidate out;
    out.pool = "default";
    out.pods.assign(pods, model::PodId("ns", "pod", "uid"));
    return out;
}

// A pool of ten nodes.
struct GateBench {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    model::ClaimNames leaving;
    std::map<std::string, std::string, std::less<>> held;
    std::map<std::string, std::int64_t, std::less<>> moved;

    explicit GateBench(std::vector<api::Budget> budgets, api::StringMap annotations = {}) {
        api::NodePool pool;
        pool.meta.annotations = std::move(annotations);
        pool.meta.name = "default";
        pool.budgets = std::move(budgets);
        cluster.upsert(pool);
        for (int i = 0; i < 10; ++i) {
            const samples::UpNode up =
                samples::up_node("c" + std::to_string(i), "n" + std::to_string(i), kNow - hours{1});
            cluster.upsert(up.claim);
            cluster.upsert(up.node);
        }
    }
    DisruptionGate gate(WallTime now = kNow) { return DisruptionGate({cluster, leaving, held, moved}, now); }
};

api::Budget budget(std::string nodes, std::vector<std::string> reasons = {}) {
    api::Budget out;
    out.nodes = std::move(nodes);
    out.has_reasons = !reasons.empty();
    out.reasons = std::move(reasons);
    return out;
}

TEST(Gate, s5_3_each_reason_has_its_budgets_and_all_count_what_is_under_way) {
    GateBench bench({budget("50%"), budget("2", {"Drifted"}), budget("0", {"Underutilized"})});
    DisruptionGate gate = bench.gate();
    EXPECT_EQ(gate.left("default", kEmpty), 5);
    EXPECT_EQ(gate.left("default", kDrifted), 2);
    EXPECT_FALSE(gate.admit({a_candidate()}, kUnderutilized));
    EXPECT_TRUE(gate.admit({a_candidate()}, kDrifted));
    EXPECT_EQ(gate.left("default", kEmpty), 4);
    EXPECT_TRUE(gate.admit({a_candidate()}, kEmpty));
    EXPECT_FALSE(gate.admit({a_candidate()}, kDrifted)) << "the empty one counts too";
    ASSERT_THAT(gate.refusals(), SizeIs(1)) << "used up is not forbidden";
    EXPECT_THAT(in_words(gate.refusals()[0].why), HasSubstr("Underutilized"));
}

TEST(Gate, s5_3_nodes_that_a_command_removes_count_before_they_go) {
    GateBench bench({budget("3")});
    bench.leaving = {"c1", "c2"};
    EXPECT_EQ(bench.gate().left("default", kDrifted), 1);
}

TEST(Gate, a_held_pool_loses_only_its_empty_nodes) {
    GateBench bench({budget("3")});
    bench.held["default"] = "its launches keep failing";
    DisruptionGate gate = bench.gate();
    EXPECT_FALSE(gate.admit({a_candidate()}, kDrifted));
    EXPECT_TRUE(gate.admit({a_candidate()}, kEmpty));
    ASSERT_THAT(gate.refusals(), SizeIs(1));
    EXPECT_EQ(in_words(gate.refusals()[0].why), "its launches keep failing");
}

TEST(Gate, s5_3_windows_are_utc) {
    api::Budget nightly = budget("0");
    nightly.schedule = "0 22 * * *";
    nightly.duration = hours{8};
    GateBench bench({nightly});
    EXPECT_EQ(bench.gate(parse_rfc3339("2027-03-10T21:59:59Z").value()).left("default", kDrifted),
              std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(bench.gate(parse_rfc3339("2027-03-10T22:00:00Z").value()).left("default", kDrifted), 0);
    EXPECT_EQ(bench.gate(parse_rfc3339("2027-03-11T00:00:00+03:00").value()).left("default", kDrifted),
              std::numeric_limits<std::int64_t>::max())
        << "21:00 in UTC";
    EXPECT_EQ(bench.gate(parse_rfc3339("2027-03-11T05:59:59Z").value()).left("default", kDrifted), 0);
}

// An older API server may hold what a newer one refuses.
TEST(Gate, s5_3_a_budget_that_cannot_be_read_closes_its_pool_and_is_named) {
    api::Budget odd_hour = budget("5");
    odd_hour.schedule = "61 0 * * *";
    odd_hour.duration = hours{8};
    const struct {
        api::Budget budget;
        const char* named;
    } cases[] = {{budget("-1"), "\"-1\""}, {budget("200%"), "\"200%\""}, {odd_hour, "61 0 * * *"}};
    for (const auto& [wrong, named] : cases) {
        GateBench bench({budget("100%"), wrong});
        DisruptionGate gate = bench.gate();
        EXPECT_FALSE(gate.admit({a_candidate()}, kEmpty)) << named;
        ASSERT_THAT(gate.refusals(), SizeIs(1)) << named;
        EXPECT_THAT(in_words(gate.refusals()[0].why), HasSubstr(named));
    }
}

TEST(Gate, s5_3_nodes_of_one_step_go_together_or_not_at_all) {
    GateBench bench({budget("2")});
    DisruptionGate gate = bench.gate();
    EXPECT_FALSE(gate.admit({a_candidate(), a_candidate(), a_candidate()}, kUnderutilized));
    EXPECT_TRUE(gate.admit({a_candidate(), a_candidate()}, kUnderutilized));
    EXPECT_FALSE(gate.admit({a_candidate()}, kUnderutilized));
    EXPECT_THAT(gate.refusals(), SizeIs(0)) << "used up is not forbidden";
}

TEST(Gate, says_with_its_numbers_why_nodes_are_not_let_through) {
    GateBench bench({budget("2")}, {{std::string(api::kPodMovesAnnotation), "10"}});
    bench.moved["default"] = 4;
    DisruptionGate gate = bench.gate();
    EXPECT_THAT(gate.obstacles({a_candidate(1)}, kDrifted), SizeIs(0));
    const Reasons pace = gate.obstacles({a_candidate(7)}, kDrifted);
    ASSERT_THAT(pace, SizeIs(1));
    EXPECT_EQ(pace[0].amounts, (std::vector<Amount>{{"limit", 10}, {"moved", 4}}));
    ASSERT_TRUE(gate.admit({a_candidate(), a_candidate()}, kDrifted));
    const Reasons used_up = gate.obstacles({a_candidate()}, kDrifted);
    ASSERT_THAT(used_up, SizeIs(1));
    EXPECT_EQ(used_up[0].rule, Rule::kBudgetUsedUp);
    EXPECT_EQ(in_words(used_up),
              "the budgets of NodePool default allow 2 nodes at once as Drifted, and 2 are disrupted");
    const std::vector<DisruptionGate::Answer> answers = gate.answers();
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_EQ(answers[0].reason, kDrifted);
    EXPECT_THAT(answers[0].refusals, SizeIs(0)) << "used up is not closed";
}

TEST(Gate, a_pause_holds_for_every_reason_and_is_said) {
    for (const char* value : {"true", "2027-03-10T12:00:01Z", "tomorrow"}) {
        GateBench bench({budget("100%")}, {{std::string(api::kPausedAnnotation), value}});
        DisruptionGate gate = bench.gate();
        for (const std::string_view reason : {kEmpty, kDrifted, kUnderutilized, kExpired})
            EXPECT_FALSE(gate.admit({a_candidate()}, reason)) << value << " " << reason;
        ASSERT_THAT(gate.refusals(), SizeIs(1)) << value;
        EXPECT_THAT(in_words(gate.refusals()[0].why), HasSubstr("paused"));
    }
    GateBench over({budget("100%")}, {{std::string(api::kPausedAnnotation), "2027-03-10T11:59:59Z"}});
    EXPECT_TRUE(over.gate().admit({a_candidate()}, kEmpty));
}

TEST(Gate, pods_are_moved_at_the_pools_pace) {
    const auto bench = [](const std::string& moves) {
        return GateBench({budget("100%")}, {{std::string(api::kPodMovesAnnotation), moves}});
    };
    GateBench ten = bench("10");
    DisruptionGate gate = ten.gate();
    EXPECT_TRUE(gate.admit({a_candidate(6)}, kUnderutilized));
    EXPECT_FALSE(gate.admit({a_candidate(3), a_candidate(2)}, kUnderutilized));
    EXPECT_TRUE(gate.admit({a_candidate(4)}, kDrifted));
    EXPECT_TRUE(gate.admit({a_candidate()}, kEmpty)) << "nothing moves";

    ten.moved["default"] = 8;
    EXPECT_FALSE(ten.gate().admit({a_candidate(3)}, kUnderutilized));
    EXPECT_TRUE(ten.gate().admit({a_candidate(2)}, kUnderutilized));
    ten.moved["default"] = 0;
    EXPECT_TRUE(ten.gate().admit({a_candidate(30)}, kUnderutilized)) << "else it could never move";
    EXPECT_FALSE(bench("0").gate().admit({a_candidate(1)}, kUnderutilized));
    GateBench wrong = bench("a few");
    DisruptionGate paused = wrong.gate();
    EXPECT_FALSE(paused.admit({a_candidate(1)}, kUnderutilized));
    EXPECT_THAT(in_words(paused.refusals()[0].why), HasSubstr("\"a few\" is not a whole number"));
}

}  // namespace
}  // namespace joiner::plan
