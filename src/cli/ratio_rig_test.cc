// A ratio of on-demand to spot through some hours: the whole controller over the test's rack, on virtual
// time. What is printed with "course" before it is what docs/ratio.md draws (bench/ratio/chart.py).
#include <gmock/gmock.h>

#include <cstdio>

#include "cli/testing/rack_rig.h"
#include "rules/capacity_ratio.h"
#include "rules/conditions.h"

namespace joiner {
namespace {

using cloud::InstanceEvent;

constexpr rules::CapacityRatio kRatio{16'000, 25};

class RatioRig : public RackRig {
  protected:
    static std::string ratio_pool(std::string_view base = "16", std::string_view percent = "25",
                                  std::string_view types = "spot, on-demand") {
        return fmt::format(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: rack
  annotations: {{joiner.sh/on-demand-base: "{}", joiner.sh/on-demand-percent-above-base: "{}"}}
spec:
  template:
    spec:
      nodeClassRef: {{group: rack.test, kind: RackNodeClass, name: default}}
      requirements: [{{key: karpenter.sh/capacity-type, operator: In, values: [{}]}}]
  disruption: {{consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 10s, budgets: [{{nodes: "100%"}}]}}
)",
                           base, percent, types);
    }
    void begin() {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(ratio_pool());
        start();
    }
    rules::CapacityMix mix() const {
        rules::CapacityMix out{kRatio};
        for (const RackMachine& machine : rack_.machines()) {
            const std::int64_t cores = machine.offering.type == "rack-16" ? 16'000 : 4'000;
            (machine.offering.capacity_type == "spot" ? out.spot : out.on_demand) += cores;
        }
        return out;
    }
    std::string mix_text() const {
        const rules::CapacityMix now = mix();
        return fmt::format("{} on demand, {} spot", now.on_demand / 1000, now.spot / 1000);
    }
    std::string condition() const {
        const auto pool = api::decode_node_pool(*world_.get("nodepools", "", "rack"));
        const api::Condition* held = api::find_condition(pool->conditions, "CapacityRatioHeld");
        return held == nullptr ? "" : held->status + " " + held->reason + " " + held->message;
    }
    bool is_ready() const {
        const auto pool = api::decode_node_pool(*world_.get("nodepools", "", "rack"));
        return rules::is_true(pool->conditions, "Ready");
    }
    void sell(std::string_view capacity_type, bool is_sold) {
        for (const char* type : {"rack-4", "rack-16"}) {
            for (const char* zone : {"rack-a", "rack-b"}) {
                const rules::OfferingKey key{type, zone, std::string(capacity_type), ""};
                if (is_sold) {
                    rack_.sold_out.erase(key);
                } else {
                    rack_.sold_out.insert(key);
                }
            }
        }
    }
    void interrupt(std::size_t machines) {
        for (const RackMachine& machine : rack_.machines()) {
            if (machines == 0 || machine.offering.capacity_type != "spot") continue;
            --machines;
            reports_->happened({InstanceEvent::Kind::kInterruption, machine.id,
                                world_.loop().now() + minutes{2}, "SpotInterrupted", "taken back"});
        }
    }
    void scale(int pods) { ASSERT_TRUE(world_.scale("Deployment", "default", "web", pods)); }
    // With a line a minute of the course. The ratio is kept at every moment, but while on demand is sold out.
    void go_on(Duration time, std::string_view what) {
        for (Duration passed{0}; passed < time; passed += minutes{1}) {
            const rules::CapacityMix now = mix();
            std::printf("course %lld %lld %lld %lld %s\n", static_cast<long long>(minute_++),
                        static_cast<long long>(now.on_demand / 1000), static_cast<long long>(now.spot / 1000),
                        static_cast<long long>(now.wanted(now.on_demand + now.spot) / 1000),
                        passed == Duration{0} ? std::string(what).c_str() : "");
            EXPECT_TRUE(now.missing() == 0 || !is_sold_on_demand_) << mix_text() << " after " << what;
            world_.run_for(minutes{1});
        }
    }

    std::int64_t minute_ = 0;
    bool is_sold_on_demand_ = true;
};

TEST_F(RatioRig, is_held_through_hours_of_scaling_interruptions_stock_outs_and_consolidation) {
    begin();
    apply(deployment("web", 40, "1"));
    go_on(minutes{15}, "40 cores asked for");
    EXPECT_EQ(running(), 40u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    EXPECT_GT(mix().spot, 0);
    EXPECT_THAT(condition(), testing::StartsWith("True"));

    scale(120);
    go_on(minutes{15}, "120 cores");
    EXPECT_EQ(running(), 120u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    EXPECT_GE(mix().spot, 64'000) << mix_text();

    interrupt(3);
    go_on(minutes{20}, "three spot machines taken back");
    EXPECT_EQ(running(), 120u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();

    sell("spot", false);
    scale(160);
    interrupt(2);
    go_on(minutes{25}, "spot sold out, 160 cores");
    EXPECT_EQ(running(), 160u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    const std::int64_t most_on_demand = mix().on_demand;
    EXPECT_GE(most_on_demand, 90'000) << mix_text();

    sell("spot", true);
    go_on(minutes{150}, "spot is back");
    EXPECT_EQ(running(), 160u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    EXPECT_LT(mix().on_demand, most_on_demand) << "by price, as far as the ratio goes";

    sell("on-demand", false);
    is_sold_on_demand_ = false;
    scale(240);
    go_on(minutes{30}, "on demand sold out, 240 cores");
    EXPECT_EQ(running(), 240u) << "no pod waits for a ratio";
    EXPECT_GT(mix().missing(), 0) << mix_text();
    EXPECT_THAT(condition(), testing::HasSubstr("False TooLittleOnDemand"));
    EXPECT_TRUE(is_ready());

    sell("on-demand", true);
    scale(300);
    go_on(minutes{25}, "on demand is back, 300 cores");
    EXPECT_EQ(running(), 300u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    EXPECT_THAT(condition(), testing::StartsWith("True"));
    is_sold_on_demand_ = true;

    scale(30);
    go_on(minutes{40}, "30 cores");
    EXPECT_EQ(running(), 30u);
    EXPECT_EQ(mix().missing(), 0) << mix_text();
    EXPECT_LE(mix().on_demand + mix().spot, 48'000) << mix_text();

    scale(0);
    go_on(minutes{15}, "none");
    EXPECT_TRUE(rack_.machines().empty()) << mix_text();
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_F(RatioRig, that_cannot_be_held_is_said_and_the_pool_buys_as_if_it_had_none) {
    begin();
    const struct {
        const char* base;
        const char* percent;
        const char* types;
        const char* said;
    } cases[] = {
        {"many", "25", "spot, on-demand", "False InvalidAnnotation joiner.sh/on-demand-base: \"many\""},
        {"16", "250", "spot, on-demand", "False InvalidAnnotation"},
        {"16", "25", "spot", "False OneCapacityType"},
    };
    int pods = 0;
    for (const auto& c : cases) {
        apply(ratio_pool(c.base, c.percent, c.types));
        world_.run_for(seconds{10});
        EXPECT_THAT(condition(), testing::StartsWith(c.said));
        EXPECT_TRUE(is_ready()) << c.said;
        const std::int64_t before = mix().on_demand;
        apply(deployment("web", pods += 8, "1"));
        EXPECT_TRUE(runs(static_cast<std::size_t>(pods), minutes{3})) << c.said;
        EXPECT_EQ(mix().on_demand, before) << c.said;
    }
    apply(ratio_pool("0", "0"));
    world_.run_for(seconds{10});
    EXPECT_THAT(condition(), testing::StartsWith("True"));
}

}  // namespace
}  // namespace joiner
