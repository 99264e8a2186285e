#include "observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "observe/described_metric.h"
#include "observe/gauges.h"

namespace joiner::observe {
namespace {

// Every metric there is; tools/check_metrics.py holds that each is recorded somewhere.
constexpr DescribedMetric kDescriptions[] = {
    {"build_info", MetricType::kGauge, "commit goarch goversion version",
     "What was built: 1, with the version as a label."},
    {"scheduler_scheduling_duration_seconds", MetricType::kHistogram, "controller",
     "Time one planning pass took."},
    {"scheduler_queue_depth", MetricType::kGauge, "controller", "Pods waiting for a plan."},
    {"scheduler_unschedulable_pods_count", MetricType::kGauge, "controller",
     "Pods the last plan could not place."},
    {"scheduler_ignored_pods_count", MetricType::kGauge, "",
     "Pods passed over because they avoid every NodePool."},
    {"cluster_state_node_count", MetricType::kGauge, "", "Nodes known."},
    {"cluster_state_synced", MetricType::kGauge, "", "1 once every watched kind is known in full."},
    {"nodeclaims_created_total", MetricType::kCounter, "min_values_relaxed nodepool reason",
     "NodeClaims created."},
    {"nodeclaims_terminated_total", MetricType::kCounter, "capacity_type nodepool zone",
     "NodeClaims whose instance and object are gone."},
    {"nodeclaims_disrupted_total", MetricType::kCounter,
     "capacity_type consolidation_policy nodepool reason termination_mode",
     "NodeClaims deleted by the controller, by reason."},
    {"nodeclaims_unhealthy_disrupted_total", MetricType::kCounter,
     "capacity_type condition image_id nodepool termination_mode",
     "Sick nodes whose repair was begun, by condition."},
    {"nodes_reboots_total", MetricType::kCounter, "result",
     "Reboots of nodes in their place, by what came of them."},
    {"nodes_reboot_duration_seconds", MetricType::kHistogram, "result",
     "Time from the request of a reboot to its end."},
    {"nodes_reboot_recovery_duration_seconds", MetricType::kHistogram, "",
     "Time from the start of a reboot until the node was back."},
    {"pods_disruption_initiated_total", MetricType::kCounter,
     "capacity_type consolidation_policy nodepool reason termination_mode",
     "Pods to be made again elsewhere, on nodes whose NodeClaims were deleted."},
    {"pod_deletion_cost_nodes_with_pending_annotation_writes", MetricType::kGauge, "nodepool",
     "Nodes of a NodePool with pods whose deletion cost is being written."},
    {"pod_deletion_cost_pod_annotation_writes_total", MetricType::kCounter, "result",
     "Writes of pods' deletion costs, by what came of them."},
    {"pods_startup_duration_seconds", MetricType::kSummary, "",
     "Time from the creation of a pod until it was ready."},
    {"pods_unstarted_time_seconds", MetricType::kGauge, "name namespace",
     "Time since the creation of a pod that is not ready yet."},
    {"pods_bound_duration_seconds", MetricType::kHistogram, "dynamic_resources",
     "Time from the creation of a pod until it was bound."},
    {"pods_unbound_time_seconds", MetricType::kGauge, "dynamic_resources name namespace",
     "Time since the creation of a pod that is not bound yet."},
    {"pods_provisioning_bound_duration_seconds", MetricType::kHistogram, "dynamic_resources",
     "Time from the first plan that had a node for a pod until it was bound."},
    {"pods_provisioning_unbound_time_seconds", MetricType::kGauge, "dynamic_resources name namespace",
     "Time since the first plan that had a node for a pod that is not bound yet."},
    {"pods_provisioning_startup_duration_seconds", MetricType::kHistogram, "",
     "Time from the first plan that had a node for a pod until it was ready."},
    {"pods_provisioning_unstarted_time_seconds", MetricType::kGauge, "name namespace",
     "Time since the first plan that had a node for a pod that is not ready yet."},
    {"pods_scheduling_decision_duration_seconds", MetricType::kHistogram, "",
     "Time from when a pod was first seen until something was decided about it."},
    {"pods_provisioning_scheduling_undecided_time_seconds", MetricType::kGauge, "name namespace",
     "Time since a pod was first seen about which nothing is decided yet."},
    {"voluntary_disruption_decisions_total", MetricType::kCounter, "consolidation_type decision reason",
     "Disruptions that were decided upon."},
    {"voluntary_disruption_decisions_by_nodepool_total", MetricType::kCounter,
     "consolidation_type decision nodepool reason",
     "Disruptions that were decided upon, by the NodePool of their nodes."},
    {"voluntary_disruption_eligible_nodes", MetricType::kGauge, "reason",
     "Nodes that could be disrupted for a reason, budgets aside."},
    {"voluntary_disruption_failed_validations_total", MetricType::kCounter, "consolidation_type",
     "Steps of a consolidation that did not hold any more when their turn came."},
    {"voluntary_disruption_queue_failures_total", MetricType::kCounter, "consolidation_type decision reason",
     "Disruptions that were begun and given up."},
    {"voluntary_disruption_decision_evaluation_duration_seconds", MetricType::kHistogram,
     "consolidation_type reason", "Time a search for a consolidation took."},
    {"voluntary_disruption_terminate_first_decisions_total", MetricType::kCounter,
     "nodepool reason terminate_first_reason",
     "Nodes that went before their replacement because it had no room beside them."},
    {"nodes_created_total", MetricType::kCounter, "nodepool zone", "Nodes registered."},
    {"nodes_terminated_total", MetricType::kCounter, "nodepool zone", "Nodes removed."},
    {"nodes_drained_total", MetricType::kCounter, "nodepool", "Nodes drained."},
    {"pods_eviction_requests_total", MetricType::kCounter, "code",
     "Evictions asked for, by the server's answer."},
    {"nodepools_limit", MetricType::kGauge, "nodepool resource_type", "Limits of NodePools."},
    {"nodepools_usage", MetricType::kGauge, "nodepool resource_type",
     "What counts against the limits of NodePools."},
    {"nodepools_cost_total", MetricType::kGauge, "nodepool", "Price per hour of a NodePool's nodes."},
    {"nodepools_allowed_disruptions", MetricType::kGauge, "nodepool reason",
     "Nodes that budgets allow to be disrupted now."},
    {"nodepools_nodes_consuming_budgets", MetricType::kGauge, "nodepool reason",
     "Nodes that count against the budgets of a NodePool now."},
    {"joiner_api_requests_total", MetricType::kCounter, "code method",
     "Requests to the API server, by HTTP's code; 0: it has not answered."},
    {"joiner_leader", MetricType::kGauge, "", "1 where this process leads."},
    {"joiner_disruption_held", MetricType::kGauge, "nodepool",
     "1 where a NodePool is left alone because its replacements kept failing."},
    {"nodes_termination_duration_seconds", MetricType::kSummary, "nodepool",
     "Time from the deletion of a node until it was gone."},
    {"nodes_lifetime_duration_seconds", MetricType::kHistogram, "nodepool",
     "Age of nodes when they were gone."},
    {"nodeclaims_termination_duration_seconds", MetricType::kHistogram, "nodepool",
     "Time from the deletion of a NodeClaim until it was gone."},
    {"nodeclaims_instance_termination_duration_seconds", MetricType::kHistogram, "nodepool",
     "Time from when an instance was to be removed until its NodeClaim was gone."},
    {"cluster_utilization_percent", MetricType::kGauge, "resource_type",
     "What pods ask for, of what nodes can give them."},
    {"joiner_cluster_price_per_hour", MetricType::kGauge, "nodepool",
     "Dollars an hour of nodes that have a price."},
    {"joiner_cluster_unpriced_nodes", MetricType::kGauge, "nodepool", "Nodes whose price nobody says."},
    {"joiner_cluster_lower_bound_per_hour", MetricType::kGauge, "",
     "Dollars an hour that no packing of the pods as they are could cost less than."},
    {"joiner_blocked_nodes", MetricType::kGauge, "nodepool reason",
     "Nodes that consolidation keeps, by the first reason."},
    {"joiner_savings_promised_per_hour_total", MetricType::kCounter, "nodepool reason",
     "Dollars an hour that disruptions were to save when they began."},
    {"joiner_savings_realised_per_hour_total", MetricType::kCounter, "nodepool reason",
     "Dollars an hour that disruptions have saved when they had ended."},
    {"joiner_pods_moved_total", MetricType::kCounter, "nodepool reason",
     "Pods of nodes that went, which were to be made again elsewhere."},
    {"cloudprovider_duration_seconds", MetricType::kHistogram, "controller method provider",
     "Time a call to the cloud took."},
    {"cloudprovider_errors_total", MetricType::kCounter, "controller error method nodepool provider",
     "Calls to the cloud that failed."},
    {"cloudprovider_instance_type_cpu_cores", MetricType::kGauge, "instance_type",
     "Cores of an instance type."},
    {"cloudprovider_instance_type_memory_bytes", MetricType::kGauge, "instance_type",
     "Memory that a node of an instance type is taken to have."},
    {"cloudprovider_instance_type_offering_available", MetricType::kGauge, "capacity_type instance_type zone",
     "1 where an offering is to be had."},
    {"cloudprovider_instance_type_offering_price_estimate", MetricType::kGauge,
     "capacity_type instance_type zone", "Dollars an hour of an offering."},
    {"cloudprovider_instance_launch_failures_total", MetricType::kCounter,
     "capacity_type reason zone zone_id", "Errors that fleets named, also beside instances, by AWS's code."},
    {"cloudprovider_batcher_batch_time_seconds", MetricType::kHistogram, "batcher",
     "Time the first question of a call for many has waited."},
    {"cloudprovider_batcher_batch_size", MetricType::kHistogram, "batcher",
     "Questions that one call for many has answered."},
    {"joiner_offering_sold_out", MetricType::kGauge, "capacity_type instance_type nodeclass zone",
     "1 where an offering is left alone because it was sold out, 0 where few launches try it again."},
    {"joiner_offering_interruptions_per_hour", MetricType::kGauge, "capacity_type instance_type zone",
     "How often a machine of a spot offering is taken back, as far as is learned; of those that were."},
    {"joiner_offering_interruption_cost_per_hour", MetricType::kGauge, "capacity_type instance_type zone",
     "What these interruptions cost beyond those of other offerings, as plans compare prices."},
    {"joiner_launch_offerings_sold_out_total", MetricType::kCounter, "nodepool",
     "Offerings that launches asked for and found sold out."},
    {"joiner_hedged_launches_total", MetricType::kCounter, "result",
     "Launches that were slow: asked for a second time, won by the second, not needed after all, or "
     "impossible."},
    {"joiner_pods_bound_total", MetricType::kCounter, "result",
     "Pods bound by the controller itself, by result."},
    {"joiner_plan_price_per_hour", MetricType::kGauge, "", "Price of what the last plan buys."},
    {"joiner_plan_lower_bound_per_hour", MetricType::kGauge, "",
     "What no plan for the same pods could be cheaper than."},
    {"joiner_plan_fallbacks_total", MetricType::kCounter, "",
     "Plans dropped because they broke a scheduling rule, for one without regard to price."},
    {"interruption_received_messages_total", MetricType::kCounter, "message_type",
     "Messages read from the queue of interruptions, by kind."},
    {"interruption_deleted_messages_total", MetricType::kCounter, "",
     "Messages removed from the queue of interruptions."},
    {"interruption_message_queue_duration_seconds", MetricType::kHistogram, "",
     "Time from the sending of a message about an interruption until it was read."},
    {"interruption_instance_status_unhealthy_total", MetricType::kCounter, "category",
     "Instances that EC2 itself calls sick, by what is wrong."},
    {"aws_sdk_go_request_total", MetricType::kCounter, "action code service", "Calls to AWS."},
    {"aws_sdk_go_request_attempt_total", MetricType::kCounter, "action code service",
     "Requests to AWS, of which a call may need several."},
    {"aws_sdk_go_request_duration_seconds", MetricType::kHistogram, "action code service",
     "Time a call to AWS took, all its requests together."},
    {"aws_sdk_go_request_attempt_duration_seconds", MetricType::kHistogram, "action code service",
     "Time one request to AWS took."},
    {"aws_sdk_go_request_retry_count", MetricType::kHistogram, "action code service",
     "Requests of a call to AWS beyond the first."},
};
// Of each kind of object that has conditions: "operator_<kind>_" before it.
constexpr DescribedMetric kConditionDescriptions[] = {
    {"status_condition_count", MetricType::kGauge, "name namespace reason status type",
     "1 for each condition of an object as it is now."},
    {"status_condition_current_status_seconds", MetricType::kGauge, "name namespace reason status type",
     "Time since a condition of an object has been as it is."},
    {"status_condition_transitions_total", MetricType::kCounter, "reason status type",
     "Changes of conditions to a status."},
    {"status_condition_transition_seconds", MetricType::kHistogram, "status to_status type",
     "Time a condition had a status before it changed to another."},
    {"termination_current_time_seconds", MetricType::kGauge, "name namespace",
     "Time since the deletion of an object that is not gone yet."},
    {"termination_duration_seconds", MetricType::kHistogram, "",
     "Time from the deletion of an object until it was gone."},
};
constexpr std::string_view kOfConditions = "operator_";

std::string full_name(std::string_view name) {
    if (name.starts_with("joiner_") || name.starts_with("aws_") || name.starts_with(kOfConditions))
        return std::string(name);
    return "karpenter_" + std::string(name);
}

// REQUIRES: the name is described.
Gauges::Names names_of(std::string_view name) {
    const DescribedMetric* described = described_metric(name);
    CHECK(described != nullptr);
    return {full_name(name), std::string(described->help)};
}

const prometheus::Histogram::BucketBoundaries& duration_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7,
        0.8,   0.9,  1,     1.25, 1.5, 1.75, 2,   2.5,  3,   3.5,  4,   4.5,  5,   6,   7,
        8,     9,    10,    15,   20,  25,   30,  40,   50,  60,   120, 180,  300, 450, 600};
    return buckets;
}

// Machines take minutes to start anew.
const prometheus::Histogram::BucketBoundaries& reboot_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets = {10, 20, 40, 80, 160, 320, 640, 1280};
    return buckets;
}

// Of an object's conditions and of its end.
const prometheus::Histogram::BucketBoundaries& condition_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets = {0.5, 1,   2,   4,    8,    16,   32,  64,
                                                                    128, 256, 512, 1024, 2048, 4096, 8192};
    return buckets;
}

const prometheus::Histogram::BucketBoundaries& size_buckets() {
    static const prometheus::Histogram::BucketBoundaries buckets = {
        1, 2, 4, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250, 300, 400, 500, 750, 1000};
    return buckets;
}

const prometheus::Histogram::BucketBoundaries& buckets_for(std::string_view name) {
    if (name.ends_with("_batch_size")) return size_buckets();
    if (name.starts_with("nodes_reboot_")) return reboot_buckets();
    return name.starts_with(kOfConditions) ? condition_buckets() : duration_buckets();
}

const prometheus::Summary::Quantiles& quantiles() {
    static const prometheus::Summary::Quantiles quantiles = {
        {0, 0.01}, {0.5, 0.01}, {0.9, 0.01}, {0.99, 0.001}, {1, 0.001}};
    return quantiles;
}

template <typename T>
using Families = std::map<std::string, prometheus::Family<T>*, std::less<>>;

}  // namespace

const DescribedMetric* described_metric(std::string_view name) {
    for (const DescribedMetric& each : kDescriptions) {
        if (each.name == name) return &each;
    }
    if (!name.starts_with(kOfConditions)) return nullptr;
    for (const DescribedMetric& each : kConditionDescriptions) {
        if (name.ends_with(each.name)) return &each;
    }
    return nullptr;
}

class Metrics::Impl {
  public:
    prometheus::Family<prometheus::Counter>& counters(std::string_view name) {
        return family(counters_, name, prometheus::BuildCounter());
    }
    Gauges& gauges() { return gauges_; }
    prometheus::Family<prometheus::Histogram>& histograms(std::string_view name) {
        return family(histograms_, name, prometheus::BuildHistogram());
    }
    prometheus::Family<prometheus::Summary>& summaries(std::string_view name) {
        return family(summaries_, name, prometheus::BuildSummary());
    }
    prometheus::Registry& registry() { return registry_; }

  private:
    template <typename T, typename Builder>
    prometheus::Family<T>& family(Families<T>& families, std::string_view name, Builder builder) {
        const auto it = families.find(name);
        if (it != families.end()) return *it->second;
        const Gauges::Names names = names_of(name);
        prometheus::Family<T>& made = builder.Name(names.full).Help(names.help).Register(registry_);
        families.emplace(std::string(name), &made);
        return made;
    }

    prometheus::Registry registry_;
    Families<prometheus::Counter> counters_;
    Gauges gauges_{names_of};
    Families<prometheus::Histogram> histograms_;
    Families<prometheus::Summary> summaries_;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count(std::string_view name, const Labels& labels, double by) {
    impl_->counters(name).Add(labels).Increment(by);
}
void Metrics::set(std::string_view name, const Labels& labels, double value) {
    impl_->gauges().set(name, labels, value);
}
void Metrics::drop(std::string_view name, const Labels& labels) {
    impl_->gauges().drop(name, labels);
}
void Metrics::observe(std::string_view name, const Labels& labels, double seconds) {
    const DescribedMetric* described = described_metric(name);
    CHECK(described != nullptr);
    if (described->type == MetricType::kSummary) {
        impl_->summaries(name).Add(labels, quantiles()).Observe(seconds);
    } else {
        impl_->histograms(name).Add(labels, buckets_for(name)).Observe(seconds);
    }
}
std::string Metrics::text() const {
    std::string out = prometheus::TextSerializer().Serialize(impl_->registry().Collect());
    impl_->gauges().write(out);
    return out;
}

}  // namespace joiner::observe
