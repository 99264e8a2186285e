// What the decision log holds after each kind of decision about pods, claims and pools; the whole controller
// on virtual time.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using observe::Matter;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class Deciding : public VirtualRig {
  protected:
    const observe::DecisionLog& log() const { return processes_.back()->controller.decisions(); }
    const observe::Decision* placement(const std::string& pod) const {
        return log().last({observe::SubjectKind::kPod, {"default", pod, ""}}, Matter::kPlacement);
    }
};

TEST_F(Deciding, a_pod_and_its_claim_say_what_was_bought_for_how_much) {
    apply(kPool);
    start();
    apply(deployment("web", 3, "1"));
    ASSERT_TRUE(runs(3, minutes{1}));
    const std::string claim = claims().front().meta.name;
    const std::string pod = some_pod_of("web");
    const char* const why =
        "the cheapest plan found buys NodeClaim default-[a-z0-9]+ \\([a-z0-9-]+ [a-z0-9-]+ "
        "on-demand\\) for 3 pods at 0\\.[0-9]+ \\$ an hour; [0-9]+ types would do";
    EXPECT_THAT(placed(pod), AllOf(HasSubstr("Pod default/" + pod + ", placement: new-node"),
                                   ContainsRegex(why), HasSubstr(claim)));
    EXPECT_THAT(
        decided_of_claim(claim, Matter::kPurchase),
        AllOf(HasSubstr("bought"), ContainsRegex(why),
              ContainsRegex("the whole plan buys 1 nodes for 3 pods at 0\\.[0-9]+ \\$ an hour, and none "
                            "costs less than 0\\.[0-9]+ \\$")));
    EXPECT_THAT(decided_of_claim(claim, Matter::kLaunch),
                HasSubstr("came-up, because its node " + nodes().front().meta.name + " has registered"));
    EXPECT_THAT(decided_of_pool("default", Matter::kPurchase), HasSubstr("open"));
}

TEST_F(Deciding, a_pod_that_finds_room_says_where) {
    apply(node_class("default", "nodeRegistrationDelay: 20s") +
          node_pool({.requirements = of_types(sim::kFourCpus)}));
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(until([&] { return claims().size() == 1; }, minutes{1}));
    world_.run_for(seconds{2});
    apply(deployment("late", 1, "500m"));
    world_.run_for(seconds{2});
    EXPECT_THAT(placed(some_pod_of("late")), HasSubstr("existing-node, because NodeClaim " +
                                                       claims().front().meta.name + " has room for it"));
}

TEST_F(Deciding, pods_that_wait_share_their_reasons_and_keep_since_when) {
    apply(node_class() +
          node_pool(
              {.name = "guarded", .template_spec = "taints: [{key: team, value: red, effect: NoSchedule}]"}) +
          node_pool({.name = "small", .requirements = of_types(sim::kFourCpus)}));
    start();
    apply(deployment("huge", 2, "64"));
    world_.run_for(seconds{5});
    std::vector<const observe::Decision*> all;
    for (const std::string& text : world_.list("pods", "default"))
        all.push_back(placement(api::decode_pod(text)->meta.name));
    ASSERT_EQ(all.size(), 2u);
    ASSERT_NE(all[0], nullptr);
    EXPECT_EQ(all[0]->verdict, observe::Verdict::kWaits);
    EXPECT_EQ(all[0]->reasons, all[1]->reasons) << "one of a class";
    ASSERT_EQ(all[0]->reasons->size(), 2u);
    EXPECT_EQ(all[0]->reasons->at(0).rule, plan::Rule::kShortage);
    EXPECT_EQ(all[0]->reasons->at(0).object, "NodePool small");
    EXPECT_EQ(all[0]->reasons->at(1).rule, plan::Rule::kTaint);
    EXPECT_EQ(all[0]->reasons->at(1).detail, "team=red:NoSchedule");
    EXPECT_THAT(said("FailedScheduling"), HasSubstr(plan::in_words(*all[0]->reasons)));
    const WallTime since = all[0]->at;
    const plan::SharedReasons reasons = all[0]->reasons;
    world_.run_for(minutes{1});
    EXPECT_EQ(placement(some_pod_of("huge"))->at, since);
    EXPECT_EQ(placement(some_pod_of("huge"))->reasons, reasons);
}

TEST_F(Deciding, what_is_gone_is_known_to_be_gone) {
    apply(kPool);
    start();
    apply(deployment("web", 3, "1"));
    ASSERT_TRUE(runs(3, minutes{1}));
    EXPECT_EQ(log().gone(), 0u);
    const std::string claim = claims().front().meta.name;
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return claims().empty() && nodes().empty(); }, minutes{2}));
    world_.run_for(seconds{1});
    EXPECT_GE(log().gone(), 3u + 1u) << "three pods and a claim";
    EXPECT_THAT(decided_of_claim(claim, Matter::kEnd), HasSubstr("removed, because it was deleted: empty"));
    const std::size_t before = log().gone();
    ASSERT_TRUE(world_.remove("NodePool", "", "default"));
    world_.run_for(seconds{20});
    EXPECT_EQ(log().gone(), before + 1);
}

TEST_F(Deciding, a_launch_that_cannot_be_had_says_so_and_holds_the_pod_back) {
    apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus)}));
    ASSERT_TRUE(world_.patch("KWOKNodeClass", "", "default",
                             R"({"metadata":{"annotations":{"joiner.sh/sold-out":"*/*/on-demand"}}})"));
    start();
    apply(deployment("web", 1, "1"));
    ASSERT_TRUE(until([&] { return !said("InsufficientCapacityError").empty(); }, minutes{2}));
    const std::string event = said("InsufficientCapacityError");
    const std::size_t at = event.find("NodeClaim ") + 10;
    EXPECT_THAT(decided_of_claim(event.substr(at, event.find(' ', at) - at), Matter::kLaunch),
                HasSubstr("failed, because it could not be launched: "));
    EXPECT_TRUE(until([&] { return placed(some_pod_of("web")).find("waits, because ") != std::string::npos; },
                      minutes{2}));
}

TEST_F(Deciding, a_pool_whose_limits_are_used_up_says_so) {
    apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus), .spec = "limits: {nodes: 1}"}));
    start();
    apply(deployment("web", 9, "1"));
    world_.run_for(seconds{30});
    EXPECT_EQ(running(), 3u);
    EXPECT_THAT(decided_of_pool("default", Matter::kPurchase),
                HasSubstr("closed, because NodePool default: its "
                          "limits leave no room for another node"));
}

TEST(DecisionLogPage, names_every_matter_verdict_and_rule) {
    std::ifstream file(JOINER_SOURCE_DIR "/docs/decision-log.md");
    std::stringstream page;
    page << file.rdbuf();
    const auto is_named = [text = page.str()](std::string_view word) {
        return text.find(fmt::format("`{}`", word)) != std::string::npos;
    };
    for (std::size_t i = 0; i < observe::kMatters; ++i)
        EXPECT_TRUE(is_named(observe::word_for(static_cast<Matter>(i)))) << i;
    for (std::size_t i = 0; i < observe::kVerdicts; ++i)
        EXPECT_TRUE(is_named(observe::word_for(static_cast<observe::Verdict>(i)))) << i;
    for (int i = 0; i <= static_cast<int>(plan::Rule::kCutOff); ++i)
        EXPECT_TRUE(is_named(plan::word_for(static_cast<plan::Rule>(i)))) << i;
}

}  // namespace
}  // namespace joiner
