// Defaults and validation of the kinds that make pods from a template.
#include <fmt/format.h>

#include "sim/kind_rules.h"
#include "sim/selector.h"

namespace joiner::sim {
namespace {

void set_deployment_defaults(Json& spec) {
    set_default(spec, "replicas", 1);
    set_default(spec, "revisionHistoryLimit", 10);
    set_default(spec, "progressDeadlineSeconds", 600);
    Json& strategy = at(spec, {"strategy"});
    if (!strategy.is_object()) strategy = Json::object();
    set_default(strategy, "type", "RollingUpdate");
    if (text_at(strategy, {"type"}) == "RollingUpdate") {
        Json& rolling = at(strategy, {"rollingUpdate"});
        if (!rolling.is_object()) rolling = Json::object();
        set_default(rolling, "maxSurge", "25%");
        set_default(rolling, "maxUnavailable", "25%");
    }
}

void set_stateful_set_defaults(Json& spec) {
    set_default(spec, "replicas", 1);
    set_default(spec, "revisionHistoryLimit", 10);
    set_default(spec, "podManagementPolicy", "OrderedReady");
    set_default(spec, "serviceName", "");
    set_default(spec, "updateStrategy", {{"type", "RollingUpdate"}});
    if (text_at(spec, {"updateStrategy", "type"}) == "RollingUpdate") {
        set_default(at(spec, {"updateStrategy", "rollingUpdate"}), "partition", 0);
    }
    set_default(spec, "persistentVolumeClaimRetentionPolicy",
                {{"whenDeleted", "Retain"}, {"whenScaled", "Retain"}});
}

void set_daemon_set_defaults(Json& spec) {
    set_default(spec, "revisionHistoryLimit", 10);
    set_default(spec, "updateStrategy", {{"type", "RollingUpdate"}});
    if (text_at(spec, {"updateStrategy", "type"}) == "RollingUpdate") {
        Json& rolling = at(spec, {"updateStrategy", "rollingUpdate"});
        set_default(rolling, "maxUnavailable", 1);
        set_default(rolling, "maxSurge", 0);
    }
}

void set_job_defaults(Json& spec) {
    const bool has_completions = find(spec, {"completions"}) != nullptr;
    const bool has_parallelism = find(spec, {"parallelism"}) != nullptr;
    if (!has_completions && !has_parallelism) spec["completions"] = 1;
    set_default(spec, "parallelism", 1);
    set_default(spec, "backoffLimit", 6);
    set_default(spec, "completionMode", "NonIndexed");
    set_default(spec, "suspend", false);
    set_default(spec, "manualSelector", false);
    set_default(spec, "podReplacementPolicy", "TerminatingOrFailed");
}

}  // namespace

void set_workload_defaults(Json& workload) {
    const std::string& kind = text_at(workload, {"kind"});
    Json& spec = at(workload, {"spec"});
    if (!spec.is_object()) spec = Json::object();
    if (kind == "Deployment") set_deployment_defaults(spec);
    if (kind == "ReplicaSet" || kind == "ReplicationController") set_default(spec, "replicas", 1);
    if (kind == "StatefulSet") set_stateful_set_defaults(spec);
    if (kind == "DaemonSet") set_daemon_set_defaults(spec);
    if (kind == "Job") set_job_defaults(spec);
    if (Json* pod_spec = find(spec, {"template", "spec"})) set_pod_spec_defaults(*pod_spec);
}

Answer<void> admit_job(Json& job, const AdmissionContext&) {
    if (flag_at(job, {"spec", "manualSelector"})) return {};
    const std::string uid = uid_of(job);
    const std::string name = name_of(job);
    at(job, {"spec", "selector", "matchLabels"})["batch.kubernetes.io/controller-uid"] = uid;
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"batch.kubernetes.io/controller-uid", uid},
             {"batch.kubernetes.io/job-name", name},
             {"controller-uid", uid},
             {"job-name", name}}) {
        at(job, {"spec", "template", "metadata", "labels"})[key] = value;
    }
    return {};
}

void validate_workload(const Json& workload, const Json* old, FieldProblems& problems) {
    const std::string& kind = text_at(workload, {"kind"});
    const Json* selector = find(workload, {"spec", "selector"});
    const Json& labels = object_at(workload, {"spec", "template", "metadata", "labels"});
    if (kind == "ReplicationController") return;
    if (!selector) {
        problems.push_back(required_value("spec.selector"));
    } else if (!matches_label_selector(*selector, labels)) {
        problems.push_back(invalid_value("spec.template.metadata.labels", labels,
                                         "`selector` does not match template `labels`"));
    } else if (selector->empty()) {
        problems.push_back(
            invalid_value("spec.selector", *selector, fmt::format("empty selector is invalid for {}", kind)));
    }
    if (old && selector && *selector != old->value(Json::json_pointer("/spec/selector"), Json())) {
        problems.push_back(invalid_value("spec.selector", *selector, "field is immutable"));
    }
    if (int_at(workload, {"spec", "replicas"}) < 0) {
        problems.push_back(invalid_value("spec.replicas", workload["spec"]["replicas"],
                                         "must be greater than or equal to 0"));
    }
    const std::string& restart = text_at(workload, {"spec", "template", "spec", "restartPolicy"});
    if (kind == "Job" && restart == "Always") {
        problems.push_back(
            unsupported_value("spec.template.spec.restartPolicy", "Always", {"OnFailure", "Never"}));
    }
    if (kind != "Job" && restart != "Always" && !restart.empty()) {
        problems.push_back(unsupported_value("spec.template.spec.restartPolicy", restart, {"Always"}));
    }
    const Json& pod_template = object_at(workload, {"spec", "template"});
    if (old && kind == "Job" && object_at(*old, {"spec", "template"}) != pod_template &&
        !flag_at(*old, {"spec", "suspend"})) {
        problems.push_back(invalid_value("spec.template", pod_template, "field is immutable"));
    }
    validate_pod_spec(object_at(workload, {"spec", "template", "spec"}), "spec.template.spec", problems);
}

}  // namespace joiner::sim
