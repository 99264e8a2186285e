// Only who leads may write: a leader that was frozen and goes on, and one that is told to stop, leave the
// cluster to their successor without a word. The whole controller twice, on virtual time.
#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

class LeadershipRig : public VirtualRig {
  protected:
    Process& start_candidate(const std::string& identity) {
        control::Options options;
        options.leader_election_namespace = "kube-system";
        options.identity = identity;
        start(options);
        world_.run_for(seconds{1});
        return *processes_.back();
    }
    std::string holder() const {
        const auto lease = world_.get("leases", "kube-system", "karpenter-leader-election");
        return lease ? nlohmann::json::parse(*lease)["spec"].value("holderIdentity", "") : "";
    }
};

// However far its work had come: the freeze strikes at another moment each time.
class FrozenLeader : public LeadershipRig, public testing::WithParamInterface<int> {};

TEST_P(FrozenLeader, that_goes_on_after_its_lease_has_run_out_writes_nothing) {
    latency_ = std::chrono::milliseconds{40};
    apply(kPool);
    Process& first = start_candidate("first");
    Process& second = start_candidate("second");
    ASSERT_TRUE(first.controller.is_leader());
    apply(deployment("web", 60, "1"));
    world_.run_for(std::chrono::milliseconds{50 * GetParam()});
    first.loop.freeze();
    world_.run_for(seconds{40});
    ASSERT_TRUE(second.controller.is_leader());
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 90));
    world_.run_for(seconds{5});
    const std::size_t before = first.writes;
    first.loop.thaw();
    EXPECT_FALSE(first.controller.is_leader()) << "and nothing has run yet";
    EXPECT_TRUE(runs(90, minutes{2}));
    EXPECT_EQ(first.writes, before);
    EXPECT_EQ(holder(), "second");
    EXPECT_EQ(disorder_after(minutes{1}), "");
}
INSTANTIATE_TEST_SUITE_P(Moments, FrozenLeader, testing::Range(1, 21, 3));

class StoppedLeader : public LeadershipRig, public testing::WithParamInterface<int> {};

TEST_P(StoppedLeader, has_nothing_under_way_when_it_hands_the_lease_back) {
    latency_ = std::chrono::milliseconds{40};
    apply(kPool);
    Process& first = start_candidate("first");
    ASSERT_EQ(holder(), "first");
    apply(deployment("web", 60, "1"));
    world_.run_for(std::chrono::milliseconds{50 * GetParam()});
    bool is_stopped = false;
    first.controller.stop([&] { is_stopped = true; });
    ASSERT_TRUE(until([&] { return holder().empty(); }, seconds{5}));
    const std::size_t before = first.writes;
    world_.run_for(seconds{30});
    EXPECT_TRUE(is_stopped);
    EXPECT_EQ(first.writes, before);
    first.loop.kill();
    start_candidate("second");
    EXPECT_TRUE(runs(60, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}
INSTANTIATE_TEST_SUITE_P(Moments, StoppedLeader, testing::Range(1, 21, 3));

}  // namespace
}  // namespace joiner
