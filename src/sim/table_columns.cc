// The columns kubectl shows of each built-in kind.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sim/selector.h"
#include "sim/table.h"

namespace joiner::sim {
namespace {

constexpr const char* kNone = "<none>";

std::string or_none(const std::string& text) {
    return text.empty() ? kNone : text;
}

Json name_cell(const TableRow& row) {
    return name_of(row.object);
}

Json time_cell(const std::string& text, WallTime now) {
    if (text.empty()) return "<unknown>";
    const auto time = parse_rfc3339(text);
    return time ? Json(human_duration(now - *time)) : Json("<invalid>");
}
Json age_cell(const TableRow& row) {
    return time_cell(text_at(row.object, {"metadata", "creationTimestamp"}), row.now);
}

constexpr TableColumn kName{"Name", "string", 0, name_cell};
constexpr TableColumn kAge{"Age", "string", 0, age_cell};

std::string join_field(const Json& list, std::string_view field) {
    std::string text;
    for (const Json& each : list) text += (text.empty() ? "" : ",") + text_at(each, {field});
    return or_none(text);
}
Json container_names(const TableRow& row) {
    return join_field(array_at(row.object, {"spec", "template", "spec", "containers"}), "name");
}
Json container_images(const TableRow& row) {
    return join_field(array_at(row.object, {"spec", "template", "spec", "containers"}), "image");
}
Json selector_cell(const TableRow& row) {
    return label_selector_text(row.object.value(Json::json_pointer("/spec/selector"), Json::object()));
}
constexpr TableColumn kContainers{"Containers", "string", 1, container_names};
constexpr TableColumn kImages{"Images", "string", 1, container_images};
constexpr TableColumn kSelector{"Selector", "string", 1, selector_cell};

template <typename... Keys>
std::int64_t status_count(const TableRow& row, Keys... keys) {
    return int_at(row.object, {"status", keys...});
}

// --- pods

Json pod_ready(const TableRow& row) {
    const Json& statuses = array_at(row.object, {"status", "containerStatuses"});
    const auto ready = std::count_if(statuses.begin(), statuses.end(),
                                     [](const Json& each) { return flag_at(each, {"ready"}); });
    return fmt::format("{}/{}", ready, array_at(row.object, {"spec", "containers"}).size());
}
Json pod_status(const TableRow& row) {
    if (is_deleting(row.object))
        return text_at(row.object, {"status", "reason"}) == "NodeLost" ? "Unknown" : "Terminating";
    for (const Json& status : array_at(row.object, {"status", "containerStatuses"})) {
        for (const char* state : {"waiting", "terminated"}) {
            const std::string& reason = text_at(status, {"state", state, "reason"});
            if (!reason.empty()) return reason;
        }
    }
    const Json* scheduled = find_condition(row.object, "PodScheduled");
    if (scheduled && text_at(*scheduled, {"reason"}) == "SchedulingGated") return "SchedulingGated";
    const std::string& reason = text_at(row.object, {"status", "reason"});
    return reason.empty() ? text_at(row.object, {"status", "phase"}) : reason;
}
Json pod_restarts(const TableRow& row) {
    std::int64_t restarts = 0;
    for (const Json& status : array_at(row.object, {"status", "containerStatuses"}))
        restarts += int_at(status, {"restartCount"});
    return std::to_string(restarts);
}
Json pod_ip(const TableRow& row) {
    return or_none(text_at(row.object, {"status", "podIP"}));
}
Json pod_node(const TableRow& row) {
    return or_none(text_at(row.object, {"spec", "nodeName"}));
}
Json pod_nominated(const TableRow& row) {
    return or_none(text_at(row.object, {"status", "nominatedNodeName"}));
}
Json pod_gates(const TableRow&) {
    return kNone;
}

// --- nodes

Json node_status(const TableRow& row) {
    const Json* ready = find_condition(row.object, "Ready");
    const std::string& status = ready ? text_at(*ready, {"status"}) : std::string();
    std::string text = !ready ? "Unknown" : status == "True" ? "Ready" : "NotReady";
    if (flag_at(row.object, {"spec", "unschedulable"})) text += ",SchedulingDisabled";
    return text;
}
Json node_roles(const TableRow& row) {
    constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
    std::string roles;
    for (const auto& [key, value] : object_at(row.object, {"metadata", "labels"}).items()) {
        if (key.starts_with(kPrefix) && key.size() > kPrefix.size())
            roles += (roles.empty() ? "" : ",") + key.substr(kPrefix.size());
    }
    return or_none(roles);
}
Json node_version(const TableRow& row) {
    return text_at(row.object, {"status", "nodeInfo", "kubeletVersion"});
}
template <int kind>
Json node_address(const TableRow& row) {
    for (const Json& address : array_at(row.object, {"status", "addresses"})) {
        if (text_at(address, {"type"}) == (kind == 0 ? "InternalIP" : "ExternalIP"))
            return text_at(address, {"address"});
    }
    return kNone;
}
std::string or_unknown(const std::string& text) {
    return text.empty() ? "<unknown>" : text;
}
Json node_image(const TableRow& row) {
    return or_unknown(text_at(row.object, {"status", "nodeInfo", "osImage"}));
}
Json node_kernel(const TableRow& row) {
    return or_unknown(text_at(row.object, {"status", "nodeInfo", "kernelVersion"}));
}
Json node_runtime(const TableRow& row) {
    return or_unknown(text_at(row.object, {"status", "nodeInfo", "containerRuntimeVersion"}));
}

// --- workloads

Json replicas_wanted(const TableRow& row) {
    return int_at(row.object, {"spec", "replicas"});
}
Json replicas_now(const TableRow& row) {
    return status_count(row, "replicas");
}
Json replicas_ready(const TableRow& row) {
    return status_count(row, "readyReplicas");
}
Json replicas_updated(const TableRow& row) {
    return status_count(row, "updatedReplicas");
}
Json replicas_available(const TableRow& row) {
    return status_count(row, "availableReplicas");
}
Json ready_of_wanted(const TableRow& row) {
    return fmt::format("{}/{}", status_count(row, "readyReplicas"), int_at(row.object, {"spec", "replicas"}));
}
Json daemon_desired(const TableRow& row) {
    return status_count(row, "desiredNumberScheduled");
}
Json daemon_current(const TableRow& row) {
    return status_count(row, "currentNumberScheduled");
}
Json daemon_ready(const TableRow& row) {
    return status_count(row, "numberReady");
}
Json daemon_updated(const TableRow& row) {
    return status_count(row, "updatedNumberScheduled");
}
Json daemon_available(const TableRow& row) {
    return status_count(row, "numberAvailable");
}
Json daemon_node_selector(const TableRow& row) {
    return label_selector_text(
        {{"matchLabels", object_at(row.object, {"spec", "template", "spec", "nodeSelector"})}});
}
Json job_status(const TableRow& row) {
    if (is_condition_true(row.object, "Complete")) return "Complete";
    if (is_condition_true(row.object, "Failed")) return "Failed";
    if (is_deleting(row.object)) return "Terminating";
    return is_condition_true(row.object, "Suspended") ? "Suspended" : "Running";
}
Json job_completions(const TableRow& row) {
    const Json* wanted = find(row.object, {"spec", "completions"});
    const auto done = status_count(row, "succeeded");
    if (wanted) return fmt::format("{}/{}", done, to_text(*wanted));
    const auto parallel = int_at(row.object, {"spec", "parallelism"});
    return parallel > 1 ? fmt::format("{}/1 of {}", done, parallel) : fmt::format("{}/1", done);
}
Json job_duration(const TableRow& row) {
    const auto began = parse_rfc3339(text_at(row.object, {"status", "startTime"}));
    if (!began) return "";
    const auto ended = parse_rfc3339(text_at(row.object, {"status", "completionTime"}));
    return human_duration((ended ? *ended : row.now) - *began);
}

// --- the rest

Json phase(const TableRow& row) {
    return text_at(row.object, {"status", "phase"});
}
Json type_cell(const TableRow& row) {
    return text_at(row.object, {"type"});
}
Json data_count(const TableRow& row) {
    return object_at(row.object, {"data"}).size() + object_at(row.object, {"binaryData"}).size();
}
Json service_type(const TableRow& row) {
    return text_at(row.object, {"spec", "type"});
}
Json service_cluster_ip(const TableRow& row) {
    return or_none(text_at(row.object, {"spec", "clusterIP"}));
}
Json service_external_ip(const TableRow&) {
    return kNone;
}
Json service_ports(const TableRow& row) {
    std::string text;
    for (const Json& port : array_at(row.object, {"spec", "ports"})) {
        text += text.empty() ? "" : ",";
        text += std::to_string(int_at(port, {"port"}));
        if (const auto node = int_at(port, {"nodePort"}); node > 0) text += fmt::format(":{}", node);
        text += "/" + text_at(port, {"protocol"});
    }
    return or_none(text);
}
Json service_selector(const TableRow& row) {
    return label_selector_text({{"matchLabels", object_at(row.object, {"spec", "selector"})}});
}

Json event_first_seen(const TableRow& row) {
    std::string first = text_at(row.object, {"firstTimestamp"});
    if (first.empty()) first = text_at(row.object, {"eventTime"});
    return time_cell(first, row.now);
}
Json event_last_seen(const TableRow& row) {
    const std::string& last = text_at(row.object, {"lastTimestamp"});
    return last.empty() ? event_first_seen(row) : time_cell(last, row.now);
}
Json event_reason(const TableRow& row) {
    return text_at(row.object, {"reason"});
}
Json event_object(const TableRow& row) {
    std::string kind = text_at(row.object, {"involvedObject", "kind"});
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return kind + "/" + text_at(row.object, {"involvedObject", "name"});
}
Json event_subobject(const TableRow& row) {
    return text_at(row.object, {"involvedObject", "fieldPath"});
}
Json event_source(const TableRow& row) {
    const std::string& component = text_at(row.object, {"source", "component"});
    const std::string& from = component.empty() ? text_at(row.object, {"reportingComponent"}) : component;
    const std::string& host = text_at(row.object, {"source", "host"});
    return host.empty() ? from : from + ", " + host;
}
Json event_message(const TableRow& row) {
    return text_at(row.object, {"message"});
}
Json event_count(const TableRow& row) {
    return std::max<std::int64_t>(1, int_at(row.object, {"count"}));
}

template <int which>
Json budget_bound(const TableRow& row) {
    const Json* bound = find(row.object, {"spec", which == 0 ? "minAvailable" : "maxUnavailable"});
    if (!bound) return "N/A";
    return bound->is_string() ? bound->get<std::string>() : to_text(*bound);
}
Json budget_allowed(const TableRow& row) {
    return status_count(row, "disruptionsAllowed");
}

Json capacity_cell(const TableRow& row) {
    const std::string& claimed = text_at(row.object, {"status", "capacity", "storage"});
    return claimed.empty() ? text_at(row.object, {"spec", "capacity", "storage"}) : claimed;
}
Json access_modes(const TableRow& row) {
    static const std::map<std::string_view, const char*> kShort = {{"ReadWriteOnce", "RWO"},
                                                                   {"ReadOnlyMany", "ROX"},
                                                                   {"ReadWriteMany", "RWX"},
                                                                   {"ReadWriteOncePod", "RWOP"}};
    std::string text;
    for (const Json& mode : array_at(row.object, {"spec", "accessModes"})) {
        const auto known = mode.is_string() ? kShort.find(mode.get_ref<const std::string&>()) : kShort.end();
        if (known != kShort.end()) text += (text.empty() ? "" : ",") + std::string(known->second);
    }
    return text;
}
Json storage_class(const TableRow& row) {
    return text_at(row.object, {"spec", "storageClassName"});
}
Json claim_volume(const TableRow& row) {
    return text_at(row.object, {"spec", "volumeName"});
}
Json volume_mode(const TableRow& row) {
    return text_at(row.object, {"spec", "volumeMode"});
}
Json volume_policy(const TableRow& row) {
    return text_at(row.object, {"spec", "persistentVolumeReclaimPolicy"});
}
Json volume_claim(const TableRow& row) {
    const std::string& name = text_at(row.object, {"spec", "claimRef", "name"});
    return name.empty() ? "" : text_at(row.object, {"spec", "claimRef", "namespace"}) + "/" + name;
}
Json attributes_class(const TableRow&) {
    return "<unset>";
}
Json status_reason(const TableRow& row) {
    return text_at(row.object, {"status", "reason"});
}

Json provisioner(const TableRow& row) {
    return text_at(row.object, {"provisioner"});
}
Json reclaim_policy(const TableRow& row) {
    return text_at(row.object, {"reclaimPolicy"});
}
Json binding_mode(const TableRow& row) {
    return text_at(row.object, {"volumeBindingMode"});
}
Json allows_expansion(const TableRow& row) {
    return flag_at(row.object, {"allowVolumeExpansion"});
}
Json driver_count(const TableRow& row) {
    return array_at(row.object, {"spec", "drivers"}).size();
}
Json attacher(const TableRow& row) {
    return text_at(row.object, {"spec", "attacher"});
}
Json attachment_volume(const TableRow& row) {
    return text_at(row.object, {"spec", "source", "persistentVolumeName"});
}
Json attachment_node(const TableRow& row) {
    return text_at(row.object, {"spec", "nodeName"});
}
Json is_attached(const TableRow& row) {
    return flag_at(row.object, {"status", "attached"});
}
Json holder(const TableRow& row) {
    return text_at(row.object, {"spec", "holderIdentity"});
}
Json priority_value(const TableRow& row) {
    return int_at(row.object, {"value"});
}
Json is_global_default(const TableRow& row) {
    return flag_at(row.object, {"globalDefault"});
}
Json preemption_policy(const TableRow& row) {
    return text_at(row.object, {"preemptionPolicy"});
}
Json handler(const TableRow& row) {
    return text_at(row.object, {"handler"});
}
Json created_at(const TableRow& row) {
    return text_at(row.object, {"metadata", "creationTimestamp"});
}
Json template_containers(const TableRow& row) {
    return join_field(array_at(row.object, {"template", "spec", "containers"}), "name");
}
Json template_images(const TableRow& row) {
    return join_field(array_at(row.object, {"template", "spec", "containers"}), "image");
}
Json template_labels(const TableRow& row) {
    return label_selector_text({{"matchLabels", object_at(row.object, {"template", "metadata", "labels"})}});
}

using Columns = std::vector<TableColumn>;

const std::map<std::string_view, Columns>& all_columns() {
    static const std::map<std::string_view, Columns> kColumns = {
        {"pods",
         {kName,
          {"Ready", "string", 0, pod_ready},
          {"Status", "string", 0, pod_status},
          {"Restarts", "string", 0, pod_restarts},
          kAge,
          {"IP", "string", 1, pod_ip},
          {"Node", "string", 1, pod_node},
          {"Nominated Node", "string", 1, pod_nominated},
          {"Readiness Gates", "string", 1, pod_gates}}},
        {"nodes",
         {kName,
          {"Status", "string", 0, node_status},
          {"Roles", "string", 0, node_roles},
          kAge,
          {"Version", "string", 0, node_version},
          {"Internal-IP", "string", 1, node_address<0>},
          {"External-IP", "string", 1, node_address<1>},
          {"OS-Image", "string", 1, node_image},
          {"Kernel-Version", "string", 1, node_kernel},
          {"Container-Runtime", "string", 1, node_runtime}}},
        {"namespaces", {kName, {"Status", "string", 0, phase}, kAge}},
        {"events",
         {{"Last Seen", "string", 0, event_last_seen},
          {"Type", "string", 0, type_cell},
          {"Reason", "string", 0, event_reason},
          {"Object", "string", 0, event_object},
          {"Subobject", "string", 1, event_subobject},
          {"Source", "string", 1, event_source},
          {"Message", "string", 0, event_message},
          {"First Seen", "string", 1, event_first_seen},
          {"Count", "string", 1, event_count},
          {"Name", "string", 1, name_cell}}},
        {"configmaps", {kName, {"Data", "string", 0, data_count}, kAge}},
        {"secrets", {kName, {"Type", "string", 0, type_cell}, {"Data", "string", 0, data_count}, kAge}},
        {"services",
         {kName,
          {"Type", "string", 0, service_type},
          {"Cluster-IP", "string", 0, service_cluster_ip},
          {"External-IP", "string", 0, service_external_ip},
          {"Port(s)", "string", 0, service_ports},
          kAge,
          {"Selector", "string", 1, service_selector}}},
        {"persistentvolumeclaims",
         {kName,
          {"Status", "string", 0, phase},
          {"Volume", "string", 0, claim_volume},
          {"Capacity", "string", 0, capacity_cell},
          {"Access Modes", "string", 0, access_modes},
          {"StorageClass", "string", 0, storage_class},
          {"VolumeAttributesClass", "string", 0, attributes_class},
          kAge,
          {"VolumeMode", "string", 1, volume_mode}}},
        {"persistentvolumes",
         {kName,
          {"Capacity", "string", 0, capacity_cell},
          {"Access Modes", "string", 0, access_modes},
          {"Reclaim Policy", "string", 0, volume_policy},
          {"Status", "string", 0, phase},
          {"Claim", "string", 0, volume_claim},
          {"StorageClass", "string", 0, storage_class},
          {"VolumeAttributesClass", "string", 0, attributes_class},
          {"Reason", "string", 0, status_reason},
          kAge,
          {"VolumeMode", "string", 1, volume_mode}}},
        {"podtemplates",
         {kName,
          {"Containers", "string", 0, template_containers},
          {"Images", "string", 0, template_images},
          {"Pod Labels", "string", 0, template_labels}}},
        {"replicationcontrollers",
         {kName,
          {"Desired", "integer", 0, replicas_wanted},
          {"Current", "integer", 0, replicas_now},
          {"Ready", "integer", 0, replicas_ready},
          kAge,
          kContainers,
          kImages}},
        {"deployments.apps",
         {kName,
          {"Ready", "string", 0, ready_of_wanted},
          {"Up-to-date", "string", 0, replicas_updated},
          {"Available", "string", 0, replicas_available},
          kAge,
          kContainers,
          kImages,
          kSelector}},
        {"replicasets.apps",
         {kName,
          {"Desired", "integer", 0, replicas_wanted},
          {"Current", "integer", 0, replicas_now},
          {"Ready", "integer", 0, replicas_ready},
          kAge,
          kContainers,
          kImages,
          kSelector}},
        {"statefulsets.apps", {kName, {"Ready", "string", 0, ready_of_wanted}, kAge, kContainers, kImages}},
        {"daemonsets.apps",
         {kName,
          {"Desired", "integer", 0, daemon_desired},
          {"Current", "integer", 0, daemon_current},
          {"Ready", "integer", 0, daemon_ready},
          {"Up-to-date", "integer", 0, daemon_updated},
          {"Available", "integer", 0, daemon_available},
          {"Node Selector", "string", 0, daemon_node_selector},
          kAge,
          kContainers,
          kImages,
          kSelector}},
        {"jobs.batch",
         {kName,
          {"Status", "string", 0, job_status},
          {"Completions", "string", 0, job_completions},
          {"Duration", "string", 0, job_duration},
          kAge,
          kContainers,
          kImages,
          kSelector}},
        {"poddisruptionbudgets.policy",
         {kName,
          {"Min Available", "string", 0, budget_bound<0>},
          {"Max Unavailable", "string", 0, budget_bound<1>},
          {"Allowed Disruptions", "integer", 0, budget_allowed},
          kAge}},
        {"storageclasses.storage.k8s.io",
         {kName,
          {"Provisioner", "string", 0, provisioner},
          {"ReclaimPolicy", "string", 0, reclaim_policy},
          {"VolumeBindingMode", "string", 0, binding_mode},
          {"AllowVolumeExpansion", "string", 0, allows_expansion},
          kAge}},
        {"csinodes.storage.k8s.io", {kName, {"Drivers", "integer", 0, driver_count}, kAge}},
        {"volumeattachments.storage.k8s.io",
         {kName,
          {"Attacher", "string", 0, attacher},
          {"PV", "string", 0, attachment_volume},
          {"Node", "string", 0, attachment_node},
          {"Attached", "boolean", 0, is_attached},
          kAge}},
        {"leases.coordination.k8s.io", {kName, {"Holder", "string", 0, holder}, kAge}},
        {"priorityclasses.scheduling.k8s.io",
         {kName,
          {"Value", "integer", 0, priority_value},
          {"Global-Default", "boolean", 0, is_global_default},
          kAge,
          {"PreemptionPolicy", "string", 0, preemption_policy}}},
        {"runtimeclasses.node.k8s.io", {kName, {"Handler", "string", 0, handler}, kAge}},
        {"customresourcedefinitions.apiextensions.k8s.io", {kName, {"Created At", "date", 0, created_at}}},
    };
    return kColumns;
}

}  // namespace

const std::vector<TableColumn>& built_in_columns(const ResourceType& type) {
    static const Columns kPlain = {kName, kAge};
    const auto found = all_columns().find(type.resource_name());
    return found == all_columns().end() ? kPlain : found->second;
}

}  // namespace joiner::sim
