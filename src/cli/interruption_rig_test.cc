// What interruptions teach of offerings: the whole controller over the test's rack, on virtual time.
#include <gmock/gmock.h>

#include "cli/testing/rack_rig.h"

namespace joiner {
namespace {

using std::chrono::hours;

class InterruptionRig : public RackRig {
  protected:
    // Spot in rack-a costs a twentieth less than in rack-b.
    void begin() {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: rack}
spec:
  template:
    spec:
      nodeClassRef: {group: rack.test, kind: RackNodeClass, name: default}
      requirements:
        - {key: karpenter.sh/capacity-type, operator: In, values: [spot]}
        - {key: node.kubernetes.io/instance-type, operator: In, values: [rack-4]}
  disruption: {consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 10s, budgets: [{nodes: "100%"}]}
)");
        begin_process();
    }
    void begin_process(bool heeds = true) {
        control::Options options = alone();
        options.gates.spot_to_spot_consolidation = true;
        options.heeds_interruption_costs = heeds;
        start(options);
        std::vector<rules::InstanceType> types = cloud::testing::rack_types();
        for (rules::InstanceType& type : types) {
            for (rules::Offering& offering : type.offerings) {
                if (offering.zone() == "rack-a")
                    offering.price = rules::Money::from_dollars(offering.price.dollars() * 0.95);
            }
        }
        provider_->set_types(std::move(types));
    }
    // Machines that run there.
    int machines(std::string_view zone) const {
        const auto all = rack_.machines();
        return static_cast<int>(std::count_if(all.begin(), all.end(),
                                              [&](const auto& one) { return one.offering.zone == zone; }));
    }
    // A machine in rack-a is taken back, and its pods find another; long after that, nothing is short any
    // more.
    void interrupt() {
        const auto all = rack_.machines();
        const auto it = std::find_if(all.begin(), all.end(),
                                     [](const auto& one) { return one.offering.zone == "rack-a"; });
        ASSERT_NE(it, all.end());
        reports_->happened({cloud::InstanceEvent::Kind::kInterruption, it->id,
                            world_.loop().now() + minutes{2}, "SpotInterrupted", "taken back"});
        world_.run_for(minutes{2});
        rack_.stop(it->id);
        world_.run_for(minutes{40});
    }
    void scale(int pods) {
        ASSERT_TRUE(world_.scale("Deployment", "default", "web", pods));
        ASSERT_TRUE(runs(static_cast<std::size_t>(pods), minutes{2}));
    }
    std::string remembered() const {
        const auto text = world_.get("configmaps", "default", "joiner-shortages");
        return text ? nlohmann::json::parse(*text)["data"]["interruptions"].get<std::string>() : "";
    }
    std::string metrics() const { return processes_.back()->metrics.text(); }
    // Of the claim that was made last.
    std::string bought_last() const {
        std::string name;
        WallTime last = kNoTime;
        for (const api::NodeClaim& claim : claims()) {
            if (claim.meta.created >= last)
                std::tie(last, name) = std::pair(claim.meta.created, claim.meta.name);
        }
        return decided_of_claim(name, observe::Matter::kPurchase);
    }
};

TEST_F(InterruptionRig, new_launches_leave_a_zone_whose_machines_are_taken_back_often) {
    begin();
    apply(deployment("web", 6, "3"));
    ASSERT_TRUE(runs(6, minutes{2}));
    EXPECT_EQ(machines("rack-a"), 6);
    EXPECT_THAT(metrics(), testing::Not(testing::HasSubstr("joiner_offering_interruption")));
    interrupt();
    // One bans nothing.
    scale(7);
    EXPECT_EQ(machines("rack-b"), 1);
    for (int i = 0; i < 3; ++i) interrupt();
    const int there = machines("rack-a");
    EXPECT_GE(there, 2);
    scale(8);
    EXPECT_EQ(machines("rack-a"), there);
    EXPECT_THAT(bought_last(),
                testing::HasSubstr("rack-4 rack-b spot, 0.0020 $ dearer than what is interrupted "
                                   "more) for 1 pods at 0.0400 $ an hour"));
    EXPECT_THAT(metrics(), testing::HasSubstr("joiner_offering_interruptions_per_hour{capacity_type=\"spot\","
                                              "instance_type=\"rack-4\",zone=\"rack-a\"} 0.0"));
    EXPECT_THAT(metrics(),
                testing::HasSubstr("joiner_offering_interruption_cost_per_hour{capacity_type=\"spot\","
                                   "instance_type=\"rack-4\",zone=\"rack-a\"} 0.00"));
    // The price that is shown is the cloud's.
    EXPECT_THAT(metrics(), testing::HasSubstr("nodepools_cost_total"));
    // What is known holds over a restart.
    EXPECT_THAT(remembered(), testing::HasSubstr("rack-4 rack-a spot hours "));
    kill();
    begin_process();
    world_.run_for(seconds{5});
    scale(9);
    EXPECT_EQ(machines("rack-a"), there);
    // No node that is there goes because of it.
    const std::size_t launches = rack_.machines().size();
    world_.run_for(hours{3});
    EXPECT_EQ(machines("rack-a"), there);
    EXPECT_EQ(rack_.machines().size(), launches);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(InterruptionRig, may_be_told_to_go_by_prices_alone) {
    begin();
    kill();
    begin_process(false);
    apply(deployment("web", 6, "3"));
    ASSERT_TRUE(runs(6, minutes{2}));
    for (int i = 0; i < 4; ++i) interrupt();
    const int there = machines("rack-a");
    scale(7);
    EXPECT_EQ(machines("rack-a"), there + 1);
}

}  // namespace
}  // namespace joiner
