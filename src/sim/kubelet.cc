#include "sim/kubelet.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "rules/resources.h"
#include "rules/taints.h"

namespace joiner::sim {
namespace {

Json ready_conditions(const std::string& now) {
    const auto condition = [&](const char* type, const char* status, const char* reason,
                               const char* message) {
        return Json{{"type", type},       {"status", status},         {"reason", reason},
                    {"message", message}, {"lastHeartbeatTime", now}, {"lastTransitionTime", now}};
    };
    return Json::array(
        {condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
         condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                   "kubelet has sufficient memory available"),
         condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
         condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
         condition("NetworkUnavailable", "False", "RouteCreated", "RouteController created a route")});
}

bool is_of_job(const Json& pod) {
    const Json* owner = controller_of(pod);
    return owner && text_at(*owner, {"kind"}) == "Job";
}

}  // namespace

Kubelet::Kubelet(World& world, KubeletOptions options)
    : world_(world),
      options_(options),
      nodes_type_(world.verbs.type("nodes")),
      pods_type_(world.verbs.type("pods")),
      is_alive_(std::make_shared<bool>(true)),
      nodes_(world.verbs, nodes_type_,
             [this](EventType type, const ObjectPtr& node, const ObjectPtr&) { on_node(type, node); }),
      pods_(world.verbs, pods_type_, [this](EventType type, const ObjectPtr& pod, const ObjectPtr& previous) {
          on_pod(type, pod, previous);
      }) {}

void Kubelet::after(Duration delay, std::function<void()> task) {
    world_.loop().after(delay, [alive = is_alive_, task = std::move(task)] {
        if (*alive) task();
    });
}

bool Kubelet::plays(const Json& node) const {
    return options_.plays_all_nodes ||
           text_at(node, {"metadata", "annotations", "kwok.x-k8s.io/node"}) == "fake";
}

bool Kubelet::is_up(const std::string& name) const {
    const ObjectPtr node = world_.store().get(nodes_type_, "", name);
    return node && plays(node->json) && !stopped_.contains(name) && is_condition_true(node->json, "Ready");
}

ObjectPtr Kubelet::pod_of(const std::string& key, const std::string& uid) const {
    const auto [ns, name] = split_key(key);
    ObjectPtr pod = world_.store().get(pods_type_, ns, name);
    return pod && uid_of(pod->json) == uid ? pod : nullptr;
}

// --- nodes

void Kubelet::on_node(EventType type, const ObjectPtr& node) {
    if (type != EventType::kAdded || !plays(node->json)) return;
    const std::string name = name_of(node->json);
    const auto given = ready_delays_.find(name);
    const std::optional<Duration> delay =
        given == ready_delays_.end() ? std::optional(options_.node_ready_delay) : given->second;
    if (!delay) return;
    after(*delay, [this, name, uid = uid_of(node->json)] { make_ready(name, uid); });
}

void Kubelet::start_node(const std::string& name) {
    stopped_.erase(name);
    if (const ObjectPtr node = world_.store().get(nodes_type_, "", name))
        make_ready(name, uid_of(node->json));
}

void Kubelet::make_ready(const std::string& name, const std::string& uid) {
    const ObjectPtr node = world_.store().get(nodes_type_, "", name);
    if (!node || uid_of(node->json) != uid || stopped_.contains(name)) return;
    Json status = object_at(node->json, {"status"});
    const std::string now = world_.now_text();
    status["conditions"] = ready_conditions(now);
    status["phase"] = "Running";
    set_default(status, "capacity", {{"cpu", "1k"}, {"memory", "1Ti"}, {"pods", "1M"}});
    set_default(status, "allocatable", Json(status["capacity"]));
    set_default(status, "nodeInfo", Json::object());
    const std::string& arch = text_at(node->json, {"metadata", "labels", "kubernetes.io/arch"});
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"architecture", arch.empty() ? "amd64" : arch},
             {"bootID", ""},
             {"containerRuntimeVersion", "kwok"},
             {"kernelVersion", "kwok"},
             {"kubeProxyVersion", "kwok"},
             {"kubeletVersion", "kwok"},
             {"machineID", ""},
             {"operatingSystem", "linux"},
             {"osImage", ""},
             {"systemUUID", ""}}) {
        set_default(status["nodeInfo"], key, value);
    }
    if (array_at(status, {"addresses"}).empty()) {
        const std::uint64_t n = next_address_++;
        status["addresses"] =
            Json::array({{{"type", "InternalIP"},
                          {"address", fmt::format("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255)}}});
    }
    put_status(world_, nodes_type_, node->json, std::move(status));
    // What was bound while the node was not up yet.
    for (const auto& [key, pod] : PodIndex::Pods(world_.pods.on_node(name))) admit(pod);
}

// --- pods

void Kubelet::on_pod(EventType type, const ObjectPtr& pod, const ObjectPtr& previous) {
    const std::string uid = uid_of(pod->json);
    if (type == EventType::kDeleted) {
        admitted_.erase(uid);
        return;
    }
    const std::string& node = text_at(pod->json, {"spec", "nodeName"});
    if (node.empty()) return;
    const bool was_bound = previous && !text_at(previous->json, {"spec", "nodeName"}).empty();
    if (is_deleting(pod->json)) {
        if (previous && is_deleting(previous->json) && was_bound) return;
        after(options_.pod_stop_delay, [this, key = key_of(pod->json), uid] { remove(key, uid); });
        return;
    }
    if (!was_bound) admit(pod);
}

void Kubelet::admit(const ObjectPtr& pod) {
    const std::string& name = text_at(pod->json, {"spec", "nodeName"});
    const std::string uid = uid_of(pod->json);
    if (is_deleting(pod->json) || text_at(pod->json, {"status", "phase"}) != "Pending" || !is_up(name) ||
        admitted_.contains(uid))
        return;
    const ObjectPtr node = world_.store().get(nodes_type_, "", name);
    if (const std::string reason = reason_to_refuse(pod->json, node->json); !reason.empty()) {
        Json status = object_at(pod->json, {"status"});
        status["phase"] = "Failed";
        status["reason"] = reason;
        status["message"] = "Pod was rejected: " + reason;
        put_status(world_, pods_type_, pod->json, std::move(status));
        world_.events.record(pod->json, true, reason, "Pod was rejected: " + reason, "kubelet");
        return;
    }
    admitted_.insert(uid);
    after(options_.pod_start_delay, [this, key = key_of(pod->json), uid] { start(key, uid); });
}

std::string Kubelet::reason_to_refuse(const Json& pod, const Json& node) const {
    if (!options_.refuses_surplus) return {};
    const auto wanted = api::decode_pod(to_text(pod));
    const auto host = api::decode_node(to_text(node));
    if (!wanted || !host) return {};
    for (const api::Taint& taint : host->taints) {
        const bool tolerated =
            std::any_of(wanted->spec.tolerations.begin(), wanted->spec.tolerations.end(),
                        [&](const api::Toleration& each) { return rules::tolerates(each, taint); });
        if (taint.effect == "NoExecute" && !tolerated) return "TaintToleration";
    }
    rules::Resources free = rules::as_capacity(host->allocatable);
    for (const auto& [key, other] : world_.pods.on_node(name_of(node))) {
        if (!admitted_.contains(uid_of(other->json)) || is_pod_finished(other->json)) continue;
        if (const auto decoded = api::decode_pod(other->text()))
            free -= rules::pod_requests(decoded->spec, decoded->status);
    }
    const rules::Resources request = rules::pod_requests(wanted->spec, wanted->status);
    if (rules::fits(request, free)) return {};
    const std::string shortage = rules::shortage(request, free);
    return "OutOf" + shortage.substr(0, shortage.find(':'));
}

void Kubelet::start(const std::string& key, const std::string& uid) {
    const ObjectPtr pod = pod_of(key, uid);
    if (!pod || is_deleting(pod->json) || !is_up(text_at(pod->json, {"spec", "nodeName"}))) return;
    const std::string now = world_.now_text();
    Json status = object_at(pod->json, {"status"});
    status["phase"] = "Running";
    status["startTime"] = now;
    const std::uint64_t n = next_address_++;
    status["podIP"] = fmt::format("10.{}.{}.{}", 128 + (n >> 16) % 128, (n >> 8) & 255, n & 255);
    for (const char* type : {"Initialized", "Ready", "ContainersReady"}) {
        set_condition(status["conditions"], {{"type", type}, {"status", "True"}, {"lastProbeTime", nullptr}},
                      now);
    }
    Json containers = Json::array();
    for (const Json& container : array_at(pod->json, {"spec", "containers"})) {
        containers.push_back({{"name", text_at(container, {"name"})},
                              {"image", text_at(container, {"image"})},
                              {"imageID", ""},
                              {"ready", true},
                              {"restartCount", 0},
                              {"state", {{"running", {{"startedAt", now}}}}}});
    }
    status["containerStatuses"] = std::move(containers);
    put_status(world_, pods_type_, pod->json, std::move(status));
    if (is_of_job(pod->json)) after(options_.job_duration, [this, key, uid] { finish(key, uid); });
}

void Kubelet::finish(const std::string& key, const std::string& uid) {
    const ObjectPtr pod = pod_of(key, uid);
    if (!pod || !is_pod_active(pod->json) || !is_up(text_at(pod->json, {"spec", "nodeName"}))) return;
    const std::string now = world_.now_text();
    Json status = object_at(pod->json, {"status"});
    status["phase"] = "Succeeded";
    for (const char* type : {"Ready", "ContainersReady"}) {
        set_condition(
            status["conditions"],
            {{"type", type}, {"status", "False"}, {"reason", "PodCompleted"}, {"lastProbeTime", nullptr}},
            now);
    }
    for (Json& container : status["containerStatuses"]) {
        container["ready"] = false;
        container["state"] = {
            {"terminated",
             {{"exitCode", 0}, {"reason", "Completed"}, {"startedAt", now}, {"finishedAt", now}}}};
    }
    put_status(world_, pods_type_, pod->json, std::move(status));
}

void Kubelet::remove(const std::string& key, const std::string& uid) {
    const ObjectPtr pod = pod_of(key, uid);
    if (!pod || !is_deleting(pod->json)) return;
    const std::string& name = text_at(pod->json, {"spec", "nodeName"});
    const ObjectPtr node = world_.store().get(nodes_type_, "", name);
    if (!node || !plays(node->json) || stopped_.contains(name)) return;
    const auto [ns, pod_name] = split_key(key);
    (void)world_.verbs.remove(pods_type_, ns, pod_name,
                              {.uid = uid, .resource_version = {}, .grace_seconds = 0});
}

}  // namespace joiner::sim
