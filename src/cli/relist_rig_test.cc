// What goes while the watches are away, and is found gone when everything is listed anew (410): nobody saw it
// go, and all that waited for it must hear of it. The whole controller on virtual time.
#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

class RelistRig : public VirtualRig {
  protected:
    // Long enough for every watch to be given up, and then none may go on from where it was.
    void while_watches_are_away(const std::function<void()>& happens) {
        processes_.back()->http.set_path_dead(true);
        happens();
        world_.run_for(minutes{2});
        world_.faults().change({.expire_watch = 1});
        processes_.back()->http.set_path_dead(false);
        world_.run_for(minutes{1});
        world_.faults().change({});
    }
    bool some_window_is_closed() const {
        const std::vector<api::Node> all = nodes();
        return std::any_of(all.begin(), all.end(), [](const api::Node& node) {
            return rules::has_taint(node.taints, api::kBindingTaint, api::kNoSchedule);
        });
    }
};

TEST_F(RelistRig, pods_that_were_bound_and_are_gone_keep_no_window_closed) {
    latency_ = std::chrono::milliseconds{200};
    apply(node_class() + node_pool({.disruption = "consolidateAfter: Never"}));
    start();
    apply(deployment("web", 10, "1"));
    ASSERT_TRUE(world_.run_until([&] { return world_.bound_pods() == 10; }, minutes{1}));
    ASSERT_TRUE(some_window_is_closed());
    while_watches_are_away([&] { ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0)); });
    EXPECT_TRUE(until([&] { return !some_window_is_closed(); }, minutes{2}));
    EXPECT_FALSE(nodes().empty());
}

TEST_F(RelistRig, pods_of_a_claim_that_is_gone_are_planned_again) {
    apply(node_class("default", "nodeRegistrationDelay: 24h") + node_pool());
    start();
    apply(deployment("web", 10, "1"));
    ASSERT_TRUE(until([&] { return !claims().empty(); }, seconds{10}));
    world_.run_for(seconds{5});
    const std::vector<api::NodeClaim> lost = claims();
    while_watches_are_away([&] {
        apply(node_class("default", "nodeRegistrationDelay: 0s"));
        for (const api::NodeClaim& claim : lost) {
            ASSERT_TRUE(
                world_.patch("nodeclaims", "", claim.meta.name, R"({"metadata":{"finalizers":null}})"));
            ASSERT_TRUE(world_.remove("nodeclaims", "", claim.meta.name));
        }
    });
    EXPECT_TRUE(runs(10, seconds{30}));
    EXPECT_EQ(disorder_after(minutes{3}), "");
}

}  // namespace
}  // namespace joiner
