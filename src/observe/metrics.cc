#include "observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/summary.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

#include "base/check.h"
#include "observe/gauges.h"

namespace joiner::observe {
namespace {

struct Description {
    std::string_view name;
    std::string_view help;
};
// Every metric there is; tools/check_metrics.py holds that each is recorded somewhere.
constexpr Description kDescriptions[] = {
    {"build_info", "What was built: 1, with the version as a label."},
    {"scheduler_scheduling_duration_seconds", "Time one planning pass took."},
    {"scheduler_queue_depth", "Pods waiting for a plan."},
    {"scheduler_unschedulable_pods_count", "Pods the last plan could not place."},
    {"scheduler_ignored_pods_count", "Pods passed over because they avoid every NodePool."},
    {"cluster_state_node_count", "Nodes known."},
    {"cluster_state_synced", "1 once every watched kind is known in full."},
    {"nodeclaims_created_total", "NodeClaims created."},
    {"nodeclaims_terminated_total", "NodeClaims whose instance and object are gone."},
    {"nodeclaims_disrupted_total", "NodeClaims deleted by the controller, by reason."},
    {"nodeclaims_unhealthy_disrupted_total", "Sick nodes whose repair was begun, by condition."},
    {"nodes_reboots_total", "Reboots of nodes in their place, by what came of them."},
    {"nodes_reboot_duration_seconds", "Time from the request of a reboot to its end."},
    {"nodes_reboot_recovery_duration_seconds", "Time from the start of a reboot until the node was back."},
    {"pods_disruption_initiated_total",
     "Pods to be made again elsewhere, on nodes whose NodeClaims were deleted."},
    {"pod_deletion_cost_nodes_with_pending_annotation_writes",
     "Nodes of a NodePool with pods whose deletion cost is being written."},
    {"pod_deletion_cost_pod_annotation_writes_total",
     "Writes of pods' deletion costs, by what came of them."},
    {"pods_startup_duration_seconds", "Time from the creation of a pod until it was ready."},
    {"pods_unstarted_time_seconds", "Time since the creation of a pod that is not ready yet."},
    {"pods_bound_duration_seconds", "Time from the creation of a pod until it was bound."},
    {"pods_unbound_time_seconds", "Time since the creation of a pod that is not bound yet."},
    {"pods_provisioning_bound_duration_seconds",
     "Time from the first plan that had a node for a pod until it was bound."},
    {"pods_provisioning_unbound_time_seconds",
     "Time since the first plan that had a node for a pod that is not bound yet."},
    {"pods_provisioning_startup_duration_seconds",
     "Time from the first plan that had a node for a pod until it was ready."},
    {"pods_provisioning_unstarted_time_seconds",
     "Time since the first plan that had a node for a pod that is not ready yet."},
    {"pods_scheduling_decision_duration_seconds",
     "Time from when a pod was first seen until something was decided about it."},
    {"pods_provisioning_scheduling_undecided_time_seconds",
     "Time since a pod was first seen about which nothing is decided yet."},
    {"voluntary_disruption_decisions_total", "Disruptions that were decided upon."},
    {"voluntary_disruption_decisions_by_nodepool_total",
     "Disruptions that were decided upon, by the NodePool of their nodes."},
    {"voluntary_disruption_eligible_nodes", "Nodes that could be disrupted for a reason, budgets aside."},
    {"voluntary_disruption_failed_validations_total",
     "Steps of a consolidation that did not hold any more when their turn came."},
    {"voluntary_disruption_queue_failures_total", "Disruptions that were begun and given up."},
    {"voluntary_disruption_decision_evaluation_duration_seconds", "Time a search for a consolidation took."},
    {"voluntary_disruption_terminate_first_decisions_total",
     "Nodes that went before their replacement because it had no room beside them."},
    {"nodes_created_total", "Nodes registered."},
    {"nodes_terminated_total", "Nodes removed."},
    {"nodes_drained_total", "Nodes drained."},
    {"pods_eviction_requests_total", "Evictions asked for, by the server's answer."},
    {"nodepools_limit", "Limits of NodePools."},
    {"nodepools_usage", "What counts against the limits of NodePools."},
    {"nodepools_cost_total", "Price per hour of a NodePool's nodes."},
    {"nodepools_allowed_disruptions", "Nodes that budgets allow to be disrupted now."},
    {"nodepools_nodes_consuming_budgets", "Nodes that count against the budgets of a NodePool now."},
    {"joiner_disruption_held", "1 where a NodePool is left alone because its replacements kept failing."},
    {"cloudprovider_duration_seconds", "Time a call to the cloud took."},
    {"cloudprovider_errors_total", "Calls to the cloud that failed."},
    {"cloudprovider_instance_type_cpu_cores", "Cores of an instance type."},
    {"cloudprovider_instance_type_memory_bytes", "Memory that a node of an instance type is taken to have."},
    {"cloudprovider_instance_type_offering_available", "1 where an offering is to be had."},
    {"cloudprovider_instance_type_offering_price_estimate", "Dollars an hour of an offering."},
    {"cloudprovider_instance_launch_failures_total",
     "Errors that fleets named, also beside instances, by AWS's code."},
    {"cloudprovider_batcher_batch_time_seconds", "Time the first question of a call for many has waited."},
    {"cloudprovider_batcher_batch_size", "Questions that one call for many has answered."},
    {"joiner_offering_sold_out",
     "1 where an offering is left alone because it was sold out, 0 where few launches try it again."},
    {"joiner_offering_interruptions_per_hour",
     "How often a machine of a spot offering is taken back, as far as is learned; of those that were."},
    {"joiner_offering_interruption_cost_per_hour",
     "What these interruptions cost beyond those of other offerings, as plans compare prices."},
    {"joiner_launch_offerings_sold_out_total", "Offerings that launches asked for and found sold out."},
    {"joiner_hedged_launches_total",
     "Launches that were slow: asked for a second time, won by the second, not needed after all, or "
     "impossible."},
    {"joiner_pods_bound_total", "Pods bound by the controller itself, by result."},
    {"joiner_plan_price_per_hour", "Price of what the last plan buys."},
    {"joiner_plan_lower_bound_per_hour", "What no plan for the same pods could be cheaper than."},
    {"joiner_plan_fallbacks_total",
     "Plans dropped because they broke a scheduling rule, for one without regard to price."},
    {"interruption_received_messages_total", "Messages read from the queue of interruptions, by kind."},
    {"interruption_deleted_messages_total", "Messages removed from the queue of interruptions."},
    {"interruption_message_queue_duration_seconds",
     "Time from the sending of a message about an interruption until it was read."},
    {"interruption_instance_status_unhealthy_total",
     "Instances that EC2 itself calls sick, by what is wrong."},
    {"aws_sdk_go_request_total", "Calls to AWS."},
    {"aws_sdk_go_request_attempt_total", "Requests to AWS, of which a call may need several."},
    {"aws_sdk_go_request_duration_seconds", "Time a call to AWS took, all its requests together."},
    {"aws_sdk_go_request_attempt_duration_seconds", "Time one request to AWS took."},
    {"aws_sdk_go_request_retry_count", "Requests of a call to AWS beyond the first."},
};
// Of each kind of object that has conditions: "operator_<kind>_" before it.
constexpr Description kConditionDescriptions[] = {
    {"status_condition_count", "1 for each condition of an object as it is now."},
    {"status_condition_current_status_seconds", "Time since a condition of an object has been as it is."},
    {"status_condition_transitions_total", "Changes of conditions to a status."},
    {"status_condition_transition_seconds", "Time a condition had a status before it changed to another."},
    {"termination_current_time_seconds", "Time since the deletion of an object that is not gone yet."},
    {"termination_duration_seconds", "Time from the deletion of an object until it was gone."},
};
constexpr std::string_view kOfConditions = "operator_";

std::string full_name(std::string_view name) {
    if (name.starts_with("joiner_") || name.starts_with("aws_") || name.starts_with(kOfConditions))
        return std::string(name);
    return "karpenter_" + std::string(name);
}

// Empty for a name that is not described.
std::string_view help_for(std::string_view name) {
    for (const Description& description : kDescriptions) {
        if (description.name == name) return description.help;
    }
    if (!name.starts_with(kOfConditions)) return {};
    for (const Description& description : kConditionDescriptions) {
        if (name.ends_with(description.name)) return description.help;
    }
    return {};
}

// REQUIRES: the name is described.
Gauges::Names names_of(std::string_view name) {
    const std::string help(help_for(name));
    const bool is_described = !help.empty();
    CHECK(is_described);
    return {full_name(name), help};
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

// The ones that Karpenter has as summaries.
bool is_summary(std::string_view name) {
    return name == "pods_startup_duration_seconds";
}
const prometheus::Summary::Quantiles& quantiles() {
    static const prometheus::Summary::Quantiles quantiles = {
        {0, 0.01}, {0.5, 0.01}, {0.9, 0.01}, {0.99, 0.001}, {1, 0.001}};
    return quantiles;
}

template <typename T>
using Families = std::map<std::string, prometheus::Family<T>*, std::less<>>;

}  // namespace

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
    if (is_summary(name)) {
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
