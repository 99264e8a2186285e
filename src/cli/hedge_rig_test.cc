// Hedged launches: the whole controller over the test's rack, on virtual time. Whatever happens, each pod
// runs, and no machine is left that no claim speaks for.
#include <gmock/gmock.h>

#include <set>
#include <sstream>

#include "cli/testing/rack_rig.h"

namespace joiner {
namespace {

class HedgeRig : public RackRig {
  protected:
    HedgeRig() {
        install_rack();
        apply(
            "---\n{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: urgent}, value: "
            "1000}\n");
    }
    void begin(std::optional<std::int32_t> priority = 1000) {
        control::Options options = alone();
        options.hedge_priority = priority;
        options.hedge_after = seconds{5};
        start(options);
        world_.run_for(seconds{3});
    }
    void ask_for(int pods, std::string_view cpu = "3", bool are_urgent = true) {
        apply(deployment("web", pods, cpu, {.pod = are_urgent ? "priorityClassName: urgent" : ""}));
    }
    // What is counted of hedges.
    std::string metrics() const {
        std::string out;
        std::istringstream lines(processes_.back()->metrics.text());
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("joiner_hedged_launches_total{")) out += line + "\n";
        }
        return out;
    }
    // As the cloud's controller of nodes does, once a machine is gone.
    void remove_dead_nodes() {
        for (const api::Node& node : nodes()) {
            if (rack_.find(node.provider_id) == nullptr) (void)world_.remove("nodes", "", node.meta.name);
        }
    }
    // Nothing is left but what pods run on.
    std::string disorder_in_the_end(std::size_t machines_left) {
        if (!until([&] { return machines().size() == machines_left; }, minutes{6}))
            return fmt::format("{} machines", machines().size());
        world_.run_for(seconds{1});
        remove_dead_nodes();
        if (claims().size() != machines_left) return fmt::format("{} claims", claims().size());
        return disorder_after(minutes{1});
    }
    static std::string counted(std::string_view result, int times) {
        return fmt::format("joiner_hedged_launches_total{{result=\"{}\"}} {}\n", result, times);
    }
    std::set<std::string> machines() const {
        std::set<std::string> out;
        for (const RackMachine& machine : rack_.machines()) out.insert(machine.id);
        return out;
    }
};

// The machine is there and its answer lost for good: the worst of them, for nobody knows of it.
TEST_F(HedgeRig, a_launch_that_hangs_is_asked_for_again_elsewhere_and_its_machine_is_removed) {
    begin();
    rack_.faults.hang = 1;
    ask_for(1);
    ASSERT_TRUE(runs(1, seconds{20}));
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("asked", 1)));
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("won", 1)));
    EXPECT_EQ(nodes().size(), 2u);
    EXPECT_EQ(disorder_in_the_end(1), "");
    EXPECT_EQ(rack_.machines().front().offering.zone, "rack-b");
    EXPECT_EQ(running(), 1u);
}

TEST_F(HedgeRig, who_answers_late_but_first_stays_and_the_hedge_goes_unused) {
    begin();
    rack_.faults.slow = seconds{8};
    ask_for(1);
    ASSERT_TRUE(runs(1, seconds{30}));
    world_.run_for(seconds{2});
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("not_needed", 1)));
    rack_.faults.slow = {};
    EXPECT_EQ(disorder_in_the_end(1), "");
    EXPECT_EQ(rack_.machines().front().offering.zone, "rack-a");
}

// Which of the two stays is not known: a pod that comes now needs a machine of its own.
TEST_F(HedgeRig, no_pod_is_planned_for_a_hedge_that_stands_by) {
    begin();
    rack_.faults.slow = seconds{9};
    ask_for(1);
    ASSERT_TRUE(until([&] { return claims().size() == 2; }, seconds{7}));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 2));
    EXPECT_TRUE(until([&] { return claims().size() == 3; }, seconds{2}));
    rack_.faults.slow = {};
    ASSERT_TRUE(runs(2, minutes{1}));
    EXPECT_EQ(disorder_in_the_end(2), "");
}

TEST_F(HedgeRig, pods_that_are_not_urgent_wait) {
    begin();
    rack_.faults.slow = seconds{20};
    ask_for(2, "3", false);
    world_.run_for(seconds{19});
    EXPECT_EQ(claims().size(), 2u);
    ASSERT_TRUE(runs(2, seconds{30}));
    EXPECT_THAT(metrics(), testing::Not(testing::HasSubstr("joiner_hedged_launches_total{")));
}

TEST_F(HedgeRig, nothing_is_hedged_unless_it_is_asked_for) {
    begin(std::nullopt);
    rack_.faults.slow = seconds{20};
    ask_for(2);
    world_.run_for(seconds{19});
    EXPECT_EQ(claims().size(), 2u);
    EXPECT_THAT(metrics(), testing::Not(testing::HasSubstr("joiner_hedged_launches_total{")));
}

TEST_F(HedgeRig, a_claim_has_one_hedge_and_a_hedge_has_none) {
    begin();
    rack_.faults.hang = 2;  // The hedge's too.
    ask_for(1);
    world_.run_for(minutes{2});
    EXPECT_EQ(claims().size(), 2u);
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("asked", 1)));
    // The next process finds both machines by their claims, and needs one of them.
    kill();
    begin();
    ASSERT_TRUE(runs(1, minutes{1}));
    EXPECT_EQ(disorder_in_the_end(1), "");
}

TEST_F(HedgeRig, what_else_could_be_bought_is_all_there_is) {
    begin();
    for (const char* type : {"rack-4", "rack-16"}) rack_.sold_out.insert({type, "rack-b", "on-demand", ""});
    rack_.faults.hang = 1;
    ask_for(1);
    // Sold out, the hedge takes the other type in the zone, or goes.
    (void)runs(1, minutes{1});
    kill();
    begin();
    ASSERT_TRUE(runs(1, minutes{1}));
    EXPECT_EQ(disorder_in_the_end(1), "");
}

TEST_F(HedgeRig, a_limit_of_the_pool_holds_for_hedges) {
    apply(rack_pool("on-demand", "limits: {cpu: 4}"));
    begin();
    rack_.faults.slow = seconds{20};
    ask_for(1);
    world_.run_for(seconds{19});
    EXPECT_EQ(claims().size(), 1u);
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("impossible", 1)));
    ASSERT_TRUE(runs(1, seconds{30}));
}

TEST_F(HedgeRig, a_limit_of_the_pool_holds_for_hedges_of_one_moment) {
    apply(rack_pool("on-demand", "limits: {cpu: 12}"));
    begin();
    rack_.faults.slow = seconds{20};
    ask_for(2);
    world_.run_for(seconds{19});
    EXPECT_EQ(claims().size(), 3u);
    EXPECT_THAT(metrics(), testing::HasSubstr(counted("asked", 1)));
    ASSERT_TRUE(runs(2, seconds{40}));
}

// Killed at every moment of it: no machine too many is left, and nothing runs on one that went.
TEST_F(HedgeRig, killed_in_the_middle_one_machine_is_left) {
    begin();
    int pods = 0;
    for (int tenths = 44; tenths <= 100; tenths += 4) {
        rack_.faults.slow = pods % 2 == 0 ? seconds{7} : Duration{};
        rack_.faults.hang = pods % 2 == 0 ? 0 : 1;
        ++pods;
        if (pods == 1)
            ask_for(pods);
        else
            ASSERT_TRUE(world_.scale("Deployment", "default", "web", pods));
        world_.run_for(std::chrono::milliseconds{100} * tenths);
        kill();
        rack_.faults.slow = {};
        rack_.faults.hang = 0;
        begin();
        ASSERT_TRUE(runs(static_cast<std::size_t>(pods), minutes{1})) << tenths;
        EXPECT_EQ(disorder_in_the_end(static_cast<std::size_t>(pods)), "") << tenths;
    }
    EXPECT_EQ(running(), static_cast<std::size_t>(pods));
}

}  // namespace
}  // namespace joiner
