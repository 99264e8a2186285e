// What the metrics say of a cluster, and that the series of what is no more are gone. The whole controller on
// virtual time.
#include <gmock/gmock.h>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

using testing::HasSubstr;
using testing::Not;

class MetricsRig : public VirtualRig {
  protected:
    std::string metrics() const { return processes_.back()->metrics.text(); }
    // The value of the one series whose name and labels begin so; nullopt: there is none.
    std::optional<double> value(const std::string& series) const {
        const std::string text = metrics();
        const std::size_t at = text.find("\n" + series);
        if (at == std::string::npos) return std::nullopt;
        const std::size_t end = text.find('\n', at + 1);
        const std::size_t gap = text.rfind(' ', end);
        return std::strtod(text.c_str() + gap, nullptr);
    }
    void is_up(int pods) {
        apply(kPool);
        start();
        apply(deployment("web", pods, "1"));
        ASSERT_TRUE(runs(static_cast<std::size_t>(pods), minutes{1}));
        world_.run_for(seconds{15});
    }
};

TEST_F(MetricsRig, pods_are_timed_from_their_creation_and_from_the_plan_to_their_node_and_to_being_ready) {
    is_up(3);
    for (const char* series :
         {"karpenter_pods_bound_duration_seconds_count{dynamic_resources=\"false\"}",
          "karpenter_pods_provisioning_bound_duration_seconds_count{dynamic_resources=\"false\"}",
          "karpenter_pods_startup_duration_seconds_count",
          "karpenter_pods_provisioning_startup_duration_seconds_count",
          "karpenter_pods_scheduling_decision_duration_seconds_count"})
        EXPECT_EQ(value(series), 3) << series;
    EXPECT_GT(value("karpenter_pods_startup_duration_seconds_sum"),
              value("karpenter_pods_provisioning_startup_duration_seconds_sum"));
    EXPECT_THAT(metrics(), Not(HasSubstr("karpenter_pods_unstarted_time_seconds{")));
}

TEST_F(MetricsRig, a_pod_that_waits_is_told_of_by_name_until_it_is_gone) {
    is_up(1);
    apply(deployment("huge", 1, "10000"));
    world_.run_for(minutes{1});
    for (const char* gauge : {"pods_unstarted_time_seconds", "pods_unbound_time_seconds"}) {
        EXPECT_THAT(metrics(),
                    testing::ContainsRegex(std::string("karpenter_") + gauge +
                                           "\\{.*name=\"huge-[^\"]*\",namespace=\"default\"\\} [4-6]"))
            << gauge;
    }
    EXPECT_THAT(metrics(), Not(HasSubstr("karpenter_pods_provisioning_scheduling_undecided_time_seconds{")));
    EXPECT_THAT(metrics(), Not(HasSubstr("karpenter_pods_provisioning_unbound_time_seconds{")));
    ASSERT_TRUE(world_.scale("Deployment", "default", "huge", 0));
    world_.run_for(seconds{15});
    EXPECT_THAT(metrics(), Not(HasSubstr("name=\"huge-")));
}

TEST_F(MetricsRig, conditions_are_told_of_each_object_and_their_changes_by_status) {
    is_up(1);
    const std::string node = nodes().front().meta.name;
    const std::string claim = claims().front().meta.name;
    EXPECT_THAT(metrics(),
                HasSubstr(fmt::format(
                    "operator_nodeclaim_status_condition_count{{karpenter_kwok_sh_kwoknodeclass=\"default\","
                    "karpenter_sh_nodepool=\"default\",name=\"{}\",namespace=\"\",reason=\"Initialized\","
                    "status=\"True\",type=\"Initialized\"}} 1",
                    claim)));
    EXPECT_THAT(
        metrics(),
        HasSubstr("operator_nodepool_status_condition_count{name=\"default\",namespace=\"\",reason=\"Ready\","
                  "status=\"True\",type=\"Ready\"} 1"));
    EXPECT_THAT(metrics(),
                HasSubstr("operator_nodeclaim_status_condition_transition_seconds_count{"
                          "karpenter_kwok_sh_kwoknodeclass=\"default\",karpenter_sh_nodepool=\"default\","
                          "status=\"Unknown\",to_status=\"True\",type=\"Initialized\"} 1"));
    const std::string of_node = fmt::format(
        "operator_node_status_condition_current_status_seconds{{karpenter_kwok_sh_kwoknodeclass=\"default\","
        "karpenter_sh_initialized=\"true\",karpenter_sh_nodepool=\"default\",name=\"{}\",namespace=\"\",",
        node);
    const auto ready = [&](const char* status) {
        for (const char* reason : {"KubeletReady", "KubeletNotReady", "NodeStatusUnknown"}) {
            const auto found =
                value(fmt::format("{}reason=\"{}\",status=\"{}\",type=\"Ready\"}}", of_node, reason, status));
            if (found) return found;
        }
        return std::optional<double>{};
    };
    ASSERT_TRUE(ready("True").has_value());
    const double before = *ready("True");
    world_.run_for(minutes{1});
    EXPECT_NEAR(*ready("True"), before + 60, 11) << "told anew within ten seconds";
    world_.stop_node(node);
    ASSERT_TRUE(until([&] { return ready("Unknown").has_value(); }, minutes{3}));
    EXPECT_FALSE(ready("True").has_value()) << "one of a type, as it is now";
}

TEST_F(MetricsRig, the_series_of_what_is_gone_are_gone) {
    is_up(1);
    EXPECT_THAT(metrics(),
                HasSubstr("karpenter_nodepools_usage{nodepool=\"default\",resource_type=\"nodes\"} 1"));
    EXPECT_THAT(metrics(), HasSubstr("karpenter_nodepools_nodes_consuming_budgets{nodepool=\"default\","
                                     "reason=\"drifted\"} 0"));
    const std::string node = nodes().front().meta.name;
    const std::string claim = claims().front().meta.name;
    ASSERT_TRUE(world_.remove("NodePool", "", "default"));
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return claims().empty() && nodes().empty(); }, minutes{5}));
    world_.run_for(seconds{15});
    const std::string text = metrics();
    EXPECT_THAT(text, Not(HasSubstr("name=\"" + node + "\"")));
    EXPECT_THAT(text, Not(HasSubstr("name=\"" + claim + "\"")));
    EXPECT_THAT(text, Not(HasSubstr("name=\"default\"")));
    EXPECT_THAT(text, Not(HasSubstr("karpenter_nodepools_")));
    EXPECT_THAT(text, Not(HasSubstr("joiner_disruption_held{")));
    EXPECT_THAT(text, Not(HasSubstr("termination_current_time_seconds{")));
    EXPECT_THAT(text, HasSubstr("operator_nodeclaim_termination_duration_seconds_count{"));
    EXPECT_THAT(text, HasSubstr("karpenter_nodeclaims_terminated_total{")) << "what was counted stays";
}

TEST_F(MetricsRig, nodes_on_their_way_out_count_against_the_budgets_of_each_reason) {
    is_up(2);
    apply(disruption_budget("none", "web", "maxUnavailable: 0"));
    ASSERT_TRUE(world_.remove("nodeclaims", "", claims().front().meta.name));
    world_.run_for(seconds{30});
    for (const char* reason : {"drifted", "empty", "underutilized", "unhealthy"})
        EXPECT_EQ(
            value(fmt::format(
                "karpenter_nodepools_nodes_consuming_budgets{{nodepool=\"default\",reason=\"{}\"}}", reason)),
            1)
            << reason;
    EXPECT_THAT(metrics(),
                testing::ContainsRegex("operator_nodeclaim_termination_current_time_seconds\\{.*\\} [23]"));
}

TEST_F(MetricsRig, decisions_are_counted_by_pool_too) {
    is_up(2);
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return nodes().empty(); }, minutes{5}));
    EXPECT_THAT(metrics(),
                HasSubstr("karpenter_voluntary_disruption_decisions_by_nodepool_total{consolidation_type="
                          "\"empty\",decision=\"delete\",nodepool=\"default\",reason=\"empty\"} 1"));
    EXPECT_THAT(metrics(),
                HasSubstr("karpenter_voluntary_disruption_decisions_total{consolidation_type=\"empty\","
                          "decision=\"delete\",reason=\"empty\"} 1"));
}

// Of nodes that cost as they are labelled.
double price_of_all(const std::vector<api::Node>& nodes) {
    double out = 0;
    for (const api::Node& node : nodes)
        out += std::strtod(
            std::string(api::find_or_empty(node.meta.labels, "eks-node-viewer/instance-price")).c_str(),
            nullptr);
    return out;
}

TEST_F(MetricsRig, the_price_of_the_cluster_is_that_of_its_nodes_and_its_bound_is_no_more) {
    is_up(3);
    apply(
        "apiVersion: v1\nkind: Node\nmetadata: {name: other}\n"
        "status: {allocatable: {cpu: \"4\", memory: 8Gi, pods: \"110\"}}\n");
    world_.run_for(seconds{15});
    const auto price = value("joiner_cluster_price_per_hour{nodepool=\"default\"}");
    ASSERT_TRUE(price.has_value());
    EXPECT_NEAR(*price, price_of_all(nodes()), 1e-6);
    const auto bound = value("joiner_cluster_lower_bound_per_hour ");
    ASSERT_TRUE(bound.has_value());
    EXPECT_GT(*bound, 0);
    EXPECT_LE(*bound, *price + 1e-9);
    EXPECT_EQ(value("joiner_cluster_unpriced_nodes{nodepool=\"default\"}"), 0);
    EXPECT_EQ(value("joiner_cluster_unpriced_nodes{nodepool=\"\"}"), 1);
    EXPECT_GT(value("karpenter_cluster_utilization_percent{resource_type=\"cpu\"}"), 0);
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return claims().empty(); }, minutes{5}));
    world_.run_for(seconds{15});
    EXPECT_EQ(value("joiner_cluster_price_per_hour{nodepool=\"default\"}"), 0);
}

TEST_F(MetricsRig, an_empty_node_promises_its_price_and_has_saved_it_when_it_is_gone) {
    is_up(1);
    const double price = price_of_all(nodes());
    ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    ASSERT_TRUE(until([&] { return nodes().empty(); }, minutes{5}));
    world_.run_for(seconds{15});
    const std::string of = "{nodepool=\"default\",reason=\"empty\"}";
    EXPECT_NEAR(value("joiner_savings_promised_per_hour_total" + of).value_or(0), price, 1e-6);
    EXPECT_NEAR(value("joiner_savings_realised_per_hour_total" + of).value_or(0), price, 1e-6);
    EXPECT_FALSE(value("joiner_pods_moved_total").has_value());
    for (const char* timed :
         {"nodes_termination_duration_seconds", "nodes_lifetime_duration_seconds",
          "nodeclaims_termination_duration_seconds", "nodeclaims_instance_termination_duration_seconds"})
        EXPECT_EQ(value(fmt::format("karpenter_{}_count{{nodepool=\"default\"}}", timed)), 1) << timed;
}

TEST_F(MetricsRig, requests_to_the_api_server_are_counted_by_their_answer_and_the_leader_says_that_it_leads) {
    is_up(1);
    EXPECT_EQ(value("joiner_leader "), 1);
    EXPECT_GE(value("joiner_api_requests_total{code=\"201\",method=\"POST\"}"), 1);
    EXPECT_GE(value("joiner_api_requests_total{code=\"200\",method=\"PATCH\"}"), 1);
    kill();
    control::Options standby = alone();
    standby.leader_election = true;
    standby.identity = "b";
    start(standby);
    EXPECT_EQ(value("joiner_leader "), 0) << "before it has the lease";
    ASSERT_TRUE(until([&] { return value("joiner_leader ") == 1; }, minutes{1}));
}

class ScaleDownRig : public MetricsRig {
  protected:
    const std::string of_ = "{nodepool=\"default\",reason=\"underutilized\"}";

    // A node of the half that is left over, whose pods go to a smaller one or to the others.
    void begin() {
        apply(node_class() +
              node_pool({.disruption = "consolidationPolicy: WhenEmptyOrUnderutilized, "
                                       "consolidateAfter: 10s, budgets: [{nodes: \"100%\"}]"}));
        start();
        apply(deployment("web", 6, "3") + "---\n" + deployment("small", 6, "300m"));
        ASSERT_TRUE(runs(12, minutes{2}));
        before_ = price_of_all(nodes());
        ASSERT_TRUE(world_.scale("Deployment", "default", "web", 0));
    }

    double before_ = 0;
};

TEST_F(ScaleDownRig, a_scale_down_promises_and_realises_and_its_pods_have_moved) {
    begin();
    ASSERT_TRUE(
        until([&] { return value("joiner_savings_realised_per_hour_total" + of_) > 0; }, minutes{10}));
    world_.run_for(minutes{3});
    const double promised = value("joiner_savings_promised_per_hour_total" + of_).value_or(0);
    const double realised = value("joiner_savings_realised_per_hour_total" + of_).value_or(0);
    EXPECT_GT(promised, 0);
    EXPECT_NEAR(realised, promised, 0.01 * promised);
    const double of_empty =
        value("joiner_savings_realised_per_hour_total{nodepool=\"default\",reason=\"empty\"}").value_or(0);
    EXPECT_NEAR(before_ - price_of_all(nodes()), realised + of_empty, 1e-6);
    EXPECT_GE(value("joiner_pods_moved_total" + of_), 1);
    EXPECT_EQ(running(), 6);
}

TEST_F(ScaleDownRig, a_command_that_is_given_up_promises_and_does_not_realise) {
    begin();
    ASSERT_TRUE(
        until([&] { return value("joiner_savings_promised_per_hour_total" + of_) > 0; }, minutes{10}));
    // Whatever it does, its pods must not be touched any more.
    apply(disruption_budget("none", "small", "maxUnavailable: 0"));
    world_.run_for(minutes{5});
    EXPECT_GT(value("joiner_savings_promised_per_hour_total" + of_), 0);
    EXPECT_EQ(value("joiner_savings_realised_per_hour_total" + of_).value_or(0), 0);
    EXPECT_FALSE(value("joiner_pods_moved_total" + of_).has_value());
    EXPECT_GE(value("joiner_blocked_nodes{nodepool=\"default\",reason=\"pod-disruption-budget\"}"), 1);
    EXPECT_THAT(metrics(), HasSubstr("karpenter_voluntary_disruption_queue_failures_total{"));
}

}  // namespace
}  // namespace joiner
