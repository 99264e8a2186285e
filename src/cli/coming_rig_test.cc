// Nodes for pods that are still to be made. The whole controller on virtual time.
#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

// As controller-manager makes pods where nobody has told it to make more.
sim::ClusterOptions making(double pods_a_second) {
    sim::ClusterOptions out;
    out.world.pods_created_per_second = pods_a_second;
    return out;
}

class ComingRig : public VirtualRig {
  protected:
    explicit ComingRig(double pods_a_second = 20) : VirtualRig(making(pods_a_second)) {
        apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus)}));
    }
    std::size_t pods() { return world_.count("pods"); }
    std::size_t bound() {
        std::size_t out = 0;
        for (const std::string& text : world_.list("pods", "default"))
            out += api::decode_pod(text)->spec.node_name.empty() ? 0 : 1;
        return out;
    }
    // Claims that were ever created.
    double launched() const {
        constexpr std::string_view kName = "\nkarpenter_nodeclaims_created_total{";
        const std::string text = processes_.back()->metrics.text();
        double sum = 0;
        for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at + 1))
            sum += std::stod(text.substr(text.find("} ", at) + 2));
        return sum;
    }
};

// Three of them fill a node.
constexpr int kPods = 60;
constexpr std::size_t kNodes = 20;

TEST_F(ComingRig, all_nodes_are_bought_when_the_first_pods_are_there) {
    start();
    apply(deployment("web", kPods, "1200m"));
    ASSERT_TRUE(until([&] { return claims().size() == kNodes; }, seconds{1}));
    EXPECT_LT(pods(), static_cast<std::size_t>(kPods) / 2);
    ASSERT_TRUE(runs(kPods, seconds{6})) << running();
    EXPECT_EQ(claims().size(), kNodes);
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(claims().size(), kNodes);
}

TEST_F(ComingRig, a_pod_is_bound_when_it_comes) {
    start();
    apply(deployment("web", kPods, "1200m"));
    ASSERT_TRUE(until([&] { return pods() == kPods; }, seconds{10}));
    world_.run_for(std::chrono::milliseconds{100});
    EXPECT_EQ(bound(), static_cast<std::size_t>(kPods));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(ComingRig, only_pods_that_are_there_are_planned_for_where_that_is_switched_off) {
    control::Options options = alone();
    options.plan_ahead = false;
    start(options);
    apply(deployment("web", kPods, "1200m"));
    ASSERT_FALSE(until([&] { return claims().size() == kNodes; }, seconds{1}));
    ASSERT_TRUE(runs(kPods, minutes{1}));
}

TEST_F(ComingRig, another_process_goes_on) {
    start();
    apply(deployment("web", kPods, "1200m"));
    ASSERT_TRUE(until([&] { return claims().size() == kNodes; }, seconds{1}));
    kill();
    world_.run_for(seconds{1});
    start();
    ASSERT_TRUE(runs(kPods, minutes{1}));
    EXPECT_EQ(claims().size(), kNodes);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(ComingRig, what_is_not_wanted_any_more_goes) {
    start();
    apply(deployment("web", kPods, "1200m"));
    ASSERT_TRUE(until([&] { return claims().size() == kNodes; }, seconds{1}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 6));
    EXPECT_TRUE(until([&] { return claims().size() <= 6 && running() == 6; }, minutes{3}))
        << claims().size() << " claims, " << running() << " pods run";
}

class SlowRig : public ComingRig {
  protected:
    SlowRig() : ComingRig(0.5) {}
};

// The last pods come when their nodes have been open for a while.
TEST_F(SlowRig, nodes_of_a_slow_controller_are_not_taken_for_empty) {
    apply(node_class() + node_pool({.requirements = of_types(sim::kFourCpus),
                                    .disruption = "consolidationPolicy: WhenEmpty, consolidateAfter: 0s, "
                                                  "budgets: [{nodes: \"100%\"}]"}));
    start();
    apply(deployment("web", 45, "1200m"));
    ASSERT_TRUE(until([&] { return claims().size() == 15; }, seconds{5}));
    ASSERT_TRUE(runs(45, minutes{2}));
    EXPECT_EQ(launched(), 15);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

class StalledRig : public ComingRig {
  protected:
    StalledRig() : ComingRig(0.05) {}
};

TEST_F(StalledRig, a_set_that_stalls_is_not_believed_again) {
    start();
    apply(deployment("web", kPods, "1200m"));
    ASSERT_TRUE(until([&] { return pods() == 1; }, seconds{30}));
    ASSERT_TRUE(until([&] { return claims().size() > 1; }, seconds{5}));
    ASSERT_TRUE(until([&] { return claims().size() <= pods(); }, minutes{2}))
        << claims().size() << " claims, " << pods() << " pods";
    const double bought = launched();
    ASSERT_TRUE(until([&] { return pods() == 12; }, minutes{5}));
    ASSERT_TRUE(until([&] { return running() == pods(); }, seconds{9}));
    EXPECT_LE(launched(), bought + 4);
}

}  // namespace
}  // namespace joiner
