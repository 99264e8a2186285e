// What controller-manager does about nodes: taints by condition, evictions by taint, and pods whose node is
// gone.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "api/codec.h"
#include "sim/controllers.h"
#include "sim/node_match.h"

namespace joiner::sim {
namespace {

constexpr Duration kMonitorInterval = std::chrono::seconds{5};
constexpr Duration kStartupGrace = std::chrono::seconds{60};
constexpr const char* kNotReady = "node.kubernetes.io/not-ready";
constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";
constexpr const char* kUnschedulable = "node.kubernetes.io/unschedulable";

// The taints that a node's conditions call for. A node that has said nothing of itself has none.
Json taints_called_for(const Json& node) {
    Json taints = Json::array();
    const Json* ready = find_condition(node, "Ready");
    const std::string status = ready ? text_at(*ready, {"status"}) : "";
    const auto add = [&](const char* key, const char* effect) {
        taints.push_back({{"key", key}, {"effect", effect}});
    };
    if (status == "False") add(kNotReady, "NoSchedule"), add(kNotReady, "NoExecute");
    if (status == "Unknown") add(kUnreachable, "NoSchedule"), add(kUnreachable, "NoExecute");
    for (const auto& [type, key] :
         {std::pair{"MemoryPressure", "node.kubernetes.io/memory-pressure"},
          std::pair{"DiskPressure", "node.kubernetes.io/disk-pressure"},
          std::pair{"PIDPressure", "node.kubernetes.io/pid-pressure"},
          std::pair{"NetworkUnavailable", "node.kubernetes.io/network-unavailable"}}) {
        if (is_condition_true(node, type)) add(key, "NoSchedule");
    }
    if (flag_at(node, {"spec", "unschedulable"})) add(kUnschedulable, "NoSchedule");
    return taints;
}

bool is_condition_taint(const std::string& key) {
    static const std::set<std::string> kKeys = {kNotReady,
                                                kUnreachable,
                                                kUnschedulable,
                                                "node.kubernetes.io/memory-pressure",
                                                "node.kubernetes.io/disk-pressure",
                                                "node.kubernetes.io/pid-pressure",
                                                "node.kubernetes.io/network-unavailable"};
    return kKeys.contains(key);
}

bool is_same_taint(const Json& a, const Json& b) {
    return text_at(a, {"key"}) == text_at(b, {"key"}) && text_at(a, {"effect"}) == text_at(b, {"effect"});
}

// The nodes as controller-manager has come to see them; its controllers share the watch.
class SeenNodes {
  public:
    SeenNodes(World& world, Informer::Handler handler)
        : world_(world),
          handler_(std::move(handler)),
          informer_(world.verbs, world.verbs.type("nodes"),
                    [this](EventType type, const ObjectPtr& node, const ObjectPtr& previous) {
                        if (world_.options.nodes_seen_late_by == Duration{0})
                            return see(type, node, previous);
                        world_.loop().after(
                            world_.options.nodes_seen_late_by,
                            [this, alive = std::weak_ptr<bool>(is_alive_), type, node, previous] {
                                if (!alive.expired()) see(type, node, previous);
                            });
                    }) {}
    SeenNodes(const SeenNodes&) = delete;
    SeenNodes& operator=(const SeenNodes&) = delete;

    ObjectPtr find(const std::string& name) const {
        const auto it = seen_.find(name);
        return it == seen_.end() ? nullptr : it->second;
    }

  private:
    void see(EventType type, const ObjectPtr& node, const ObjectPtr& previous) {
        if (type == EventType::kDeleted) {
            seen_.erase(name_of(node->json));
        } else {
            seen_[name_of(node->json)] = node;
        }
        handler_(type, node, previous);
    }

    World& world_;
    Informer::Handler handler_;
    std::map<std::string, ObjectPtr> seen_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
    Informer informer_;
};

class NodeLifecycle final : public Controller {
  public:
    NodeLifecycle(World& world, std::function<bool(const std::string&)> is_silent)
        : world_(world),
          is_silent_(std::move(is_silent)),
          nodes_type_(world.verbs.type("nodes")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(split_key(key).second); }),
          nodes_(world, [this](EventType type, const ObjectPtr& node, const ObjectPtr&) {
              if (type != EventType::kDeleted) queue_.add(key_of(node->json));
              set_monitor();
          }) {}
    ~NodeLifecycle() override { world_.loop().cancel(timer_); }

  private:
    // Only while there are nodes, so that an empty world can come to rest.
    void set_monitor() {
        if (timer_ != 0 || world_.store().count(nodes_type_) == 0) return;
        timer_ = world_.loop().after(kMonitorInterval, [this] {
            timer_ = 0;
            for (const ObjectPtr& node : world_.store().list(nodes_type_)) monitor(node->json);
            set_monitor();
        });
    }

    void monitor(const Json& node) {
        const std::string& name = name_of(node);
        const WallTime now = world_.loop().now();
        const Json* ready = find_condition(node, "Ready");
        if (!ready) {
            const auto made = parse_rfc3339(text_at(node, {"metadata", "creationTimestamp"}));
            if (made && now - *made > kStartupGrace)
                mark_unknown(node, "NodeStatusNeverUpdated", "Kubelet never posted node status.");
            return;
        }
        if (!is_silent_(name)) {
            silent_since_.erase(name);
            return;
        }
        const WallTime since = silent_since_.try_emplace(name, now).first->second;
        if (now - since >= world_.options.node_silence && text_at(*ready, {"status"}) != "Unknown") {
            mark_unknown(node, "NodeStatusUnknown", "Kubelet stopped posting node status.");
        }
    }

    void mark_unknown(const Json& node, const char* reason, const char* message) {
        Json status = object_at(node, {"status"});
        set_condition(status["conditions"],
                      {{"type", "Ready"}, {"status", "Unknown"}, {"reason", reason}, {"message", message}},
                      world_.now_text());
        put_status(world_, nodes_type_, node, std::move(status));
        const ResourceType& pods = world_.verbs.type("pods");
        for (const auto& [key, pod] : PodIndex::Pods(world_.pods.on_node(name_of(node)))) {
            if (!is_pod_ready(pod->json)) continue;
            Json pod_status = object_at(pod->json, {"status"});
            set_condition(pod_status["conditions"],
                          {{"type", "Ready"}, {"status", "False"}, {"lastProbeTime", nullptr}},
                          world_.now_text());
            put_status(world_, pods, pod->json, std::move(pod_status));
        }
    }

    // What to put and to take away is decided on what was seen, and done to the node as it is.
    void reconcile(const std::string& name) {
        const ObjectPtr seen = nodes_.find(name);
        const ObjectPtr node = world_.store().get(nodes_type_, "", name);
        if (!seen || !node) return;
        const Json wanted = taints_called_for(seen->json);
        const Json& shown = array_at(seen->json, {"spec", "taints"});
        const Json& before = array_at(node->json, {"spec", "taints"});
        const auto contains = [](const Json& list, const Json& taint) {
            return std::any_of(list.begin(), list.end(),
                               [&](const Json& each) { return is_same_taint(each, taint); });
        };
        Json taints = Json::array();
        for (const Json& taint : before) {
            if (!is_condition_taint(text_at(taint, {"key"})) || !contains(shown, taint) ||
                contains(wanted, taint))
                taints.push_back(taint);
        }
        for (Json taint : wanted) {
            if (contains(shown, taint) || contains(before, taint)) continue;
            taint["timeAdded"] = world_.now_text();
            taints.push_back(std::move(taint));
        }
        if (taints == before) return;
        Json updated = node->json;
        updated["spec"]["taints"] = std::move(taints);
        if (updated["spec"]["taints"].empty()) updated["spec"].erase("taints");
        (void)world_.verbs.update(nodes_type_, "", name, "", std::move(updated));
    }

    World& world_;
    std::function<bool(const std::string&)> is_silent_;
    const ResourceType& nodes_type_;
    std::map<std::string, WallTime> silent_since_;
    io::TimerId timer_ = 0;
    WorkQueue queue_;
    SeenNodes nodes_;
};

class TaintEviction final : public Controller {
  public:
    explicit TaintEviction(World& world)
        : world_(world),
          pods_type_(world.verbs.type("pods")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          nodes_(world,
                 [this](EventType type, const ObjectPtr& node, const ObjectPtr& previous) {
                     if (type == EventType::kDeleted ||
                         (previous && array_at(previous->json, {"spec", "taints"}) ==
                                          array_at(node->json, {"spec", "taints"})))
                         return;
                     for (const auto& [key, pod] : world_.pods.on_node(name_of(node->json))) queue_.add(key);
                 }),
          pods_(world.verbs, pods_type_,
                [this](EventType type, const ObjectPtr& pod, const ObjectPtr& previous) {
                    const bool was_bound = previous && !text_at(previous->json, {"spec", "nodeName"}).empty();
                    if (type == EventType::kDeleted) deadlines_.erase(uid_of(pod->json));
                    if (type != EventType::kDeleted && !was_bound &&
                        !text_at(pod->json, {"spec", "nodeName"}).empty())
                        queue_.add(key_of(pod->json));
                }) {}

  private:
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr object = world_.store().get(pods_type_, ns, name);
        if (!object || is_deleting(object->json)) return;
        const ObjectPtr host = nodes_.find(text_at(object->json, {"spec", "nodeName"}));
        if (!host) return;
        const std::string uid = uid_of(object->json);
        const auto wait = wait_of(object->json, host->json);
        if (!wait) {
            deadlines_.erase(uid);
            return;
        }
        const WallTime now = world_.loop().now();
        const WallTime deadline = deadlines_.try_emplace(uid, now + *wait).first->second;
        if (now < deadline) {
            queue_.add_after(key, deadline - now);
            return;
        }
        deadlines_.erase(uid);
        Json status = object_at(object->json, {"status"});
        set_condition(status["conditions"],
                      {{"type", "DisruptionTarget"},
                       {"status", "True"},
                       {"reason", "DeletionByTaintManager"},
                       {"message", "Taint manager: deleting due to NoExecute taint"}},
                      world_.now_text());
        put_status(world_, pods_type_, object->json, std::move(status));
        world_.events.record(object->json, false, "TaintManagerEviction", "Marking for deletion Pod " + key,
                             "taint-eviction-controller");
        (void)world_.verbs.remove(pods_type_, ns, name,
                                  {.uid = uid, .resource_version = {}, .grace_seconds = {}});
    }

    // How long the pod may stay; nullopt: as long as it likes.
    static std::optional<Duration> wait_of(const Json& pod, const Json& node) {
        std::optional<Duration> shortest;
        for (const Json& taint : array_at(node, {"spec", "taints"})) {
            if (text_at(taint, {"effect"}) != "NoExecute") continue;
            const api::Taint wanted{text_at(taint, {"key"}), text_at(taint, {"value"}), "NoExecute", {}};
            std::optional<Duration> tolerated;
            bool for_ever = false;
            for (const Json& each : array_at(pod, {"spec", "tolerations"})) {
                const std::string& op = text_at(each, {"operator"});
                const api::Toleration toleration{text_at(each, {"key"}), op.empty() ? "Equal" : op,
                                                 text_at(each, {"value"}), text_at(each, {"effect"})};
                if (!tolerates_taint({toleration}, wanted)) continue;
                const Json* seconds = find(each, {"tolerationSeconds"});
                for_ever = for_ever || !seconds;
                if (seconds)
                    tolerated = std::chrono::seconds{std::max<std::int64_t>(0, seconds->get<std::int64_t>())};
            }
            if (for_ever) continue;
            const Duration wait = tolerated.value_or(Duration{0});
            shortest = shortest ? std::min(*shortest, wait) : wait;
        }
        return shortest;
    }

    World& world_;
    const ResourceType& pods_type_;
    std::map<std::string, WallTime> deadlines_;  // By the pod's uid.
    WorkQueue queue_;
    SeenNodes nodes_;
    Informer pods_;
};

class PodGarbageCollector final : public Controller {
  public:
    explicit PodGarbageCollector(World& world)
        : world_(world),
          nodes_type_(world.verbs.type("nodes")),
          pods_type_(world.verbs.type("pods")),
          pods_(world.verbs, pods_type_,
                [this](EventType, const ObjectPtr&, const ObjectPtr&) { set_timer(); }),
          nodes_(world.verbs, nodes_type_,
                 [this](EventType, const ObjectPtr&, const ObjectPtr&) { set_timer(); }) {}
    ~PodGarbageCollector() override { world_.loop().cancel(timer_); }

  private:
    void set_timer() {
        if (timer_ != 0 || world_.pods.by_node().empty()) return;
        timer_ = world_.loop().after(world_.options.garbage_interval, [this] {
            timer_ = 0;
            collect();
            set_timer();
        });
    }

    void collect() {
        const WallTime now = world_.loop().now();
        std::vector<ObjectPtr> lost;
        std::set<std::string> missing;
        for (const auto& [node, pods] : world_.pods.by_node()) {
            if (world_.store().get(nodes_type_, "", node)) continue;
            missing.insert(node);
            if (now - missing_since_.try_emplace(node, now).first->second < world_.options.missing_node_grace)
                continue;
            for (const auto& [key, pod] : pods) lost.push_back(pod);
        }
        std::erase_if(missing_since_, [&](const auto& each) { return !missing.contains(each.first); });
        for (const ObjectPtr& pod : lost) {
            Json status = object_at(pod->json, {"status"});
            if (!is_pod_finished(pod->json)) status["phase"] = "Failed";
            set_condition(status["conditions"],
                          {{"type", "DisruptionTarget"},
                           {"status", "True"},
                           {"reason", "DeletionByPodGC"},
                           {"message", "PodGC: node no longer exists"}},
                          world_.now_text());
            put_status(world_, pods_type_, pod->json, std::move(status));
            (void)world_.verbs.remove(pods_type_, namespace_of(pod->json), name_of(pod->json),
                                      {.uid = uid_of(pod->json), .resource_version = {}, .grace_seconds = 0});
        }
    }

    World& world_;
    const ResourceType& nodes_type_;
    const ResourceType& pods_type_;
    std::map<std::string, WallTime> missing_since_;
    io::TimerId timer_ = 0;
    Informer pods_;
    Informer nodes_;
};

}  // namespace

ControllerPtr make_node_lifecycle(World& world, std::function<bool(const std::string& node)> is_silent) {
    return std::make_unique<NodeLifecycle>(world, std::move(is_silent));
}
ControllerPtr make_taint_eviction(World& world) {
    return std::make_unique<TaintEviction>(world);
}
ControllerPtr make_pod_garbage_collector(World& world) {
    return std::make_unique<PodGarbageCollector>(world);
}

}  // namespace joiner::sim
