// What is exposed, under which names, and that series go with their objects.
#include "observe/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/gauge_set.h"

namespace joiner::observe {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, names_have_their_projects_prefix) {
    Metrics metrics;
    metrics.count("nodes_drained_total", {{"nodepool", "p"}});
    metrics.set("joiner_disruption_held", {{"nodepool", "p"}}, 1);
    metrics.count("operator_nodeclaim_status_condition_transitions_total", {{"type", "Ready"}});
    const std::string text = metrics.text();
    EXPECT_THAT(text, HasSubstr("\nkarpenter_nodes_drained_total{nodepool=\"p\"} 1"));
    EXPECT_THAT(text, HasSubstr("\njoiner_disruption_held{nodepool=\"p\"} 1"));
    EXPECT_THAT(text, HasSubstr("\noperator_nodeclaim_status_condition_transitions_total{type=\"Ready\"} 1"));
}

TEST(Metrics, durations_have_the_buckets_of_their_kind) {
    const struct {
        const char* name;
        const char* bucket;
    } cases[] = {
        {"scheduler_scheduling_duration_seconds", "le=\"0.005\""},
        {"nodes_reboot_duration_seconds", "le=\"1280\""},
        {"operator_node_status_condition_transition_seconds", "le=\"8192\""},
        {"operator_node_termination_duration_seconds", "le=\"8192\""},
        {"pods_startup_duration_seconds", "quantile=\"0.99\""},
    };
    for (const auto& c : cases) {
        Metrics metrics;
        metrics.observe(c.name, {}, 3);
        EXPECT_THAT(metrics.text(), HasSubstr(c.bucket)) << c.name;
        EXPECT_THAT(metrics.text(), HasSubstr("_count 1")) << c.name;
    }
}

TEST(GaugeSet, what_a_pass_does_not_set_is_gone) {
    Metrics metrics;
    GaugeSet gauges(metrics);
    gauges.set("nodepools_usage", {{"nodepool", "a"}}, 1);
    gauges.set("nodepools_usage", {{"nodepool", "b"}}, 2);
    gauges.end_pass();
    gauges.set("nodepools_usage", {{"nodepool", "b"}}, 3);
    EXPECT_THAT(metrics.text(), HasSubstr("nodepool=\"a\"")) << "until the pass is over";
    gauges.end_pass();
    EXPECT_THAT(metrics.text(), Not(HasSubstr("nodepool=\"a\"")));
    EXPECT_THAT(metrics.text(), HasSubstr("{nodepool=\"b\"} 3"));
    gauges.end_pass();
    EXPECT_THAT(metrics.text(), Not(HasSubstr("nodepool=\"b\"")));
}

TEST(MetricsDeath, a_name_that_is_not_described_is_a_bug) {
    Metrics metrics;
    EXPECT_DEATH(metrics.count("nodes_forgotten_total", {}), "CHECK failed: described");
}

}  // namespace
}  // namespace joiner::observe
