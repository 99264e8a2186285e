#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/codec.h"
#include "sim/controllers.h"
#include "sim/node_match.h"

namespace joiner::sim {
namespace {

constexpr std::pair<const char*, const char*> kDaemonTolerations[] = {
    {"node.kubernetes.io/not-ready", "NoExecute"},      {"node.kubernetes.io/unreachable", "NoExecute"},
    {"node.kubernetes.io/disk-pressure", "NoSchedule"}, {"node.kubernetes.io/memory-pressure", "NoSchedule"},
    {"node.kubernetes.io/pid-pressure", "NoSchedule"},  {"node.kubernetes.io/unschedulable", "NoSchedule"},
};

class DaemonSetController final : public Controller {
  public:
    explicit DaemonSetController(World& world)
        : world_(world),
          sets_type_(world.verbs.type("daemonsets")),
          pods_type_(world.verbs.type("pods")),
          nodes_type_(world.verbs.type("nodes")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          sets_(world.verbs, sets_type_,
                [this](EventType, const ObjectPtr& set, const ObjectPtr&) { queue_.add(key_of(set->json)); }),
          nodes_(world.verbs, nodes_type_,
                 [this](EventType, const ObjectPtr& node, const ObjectPtr& previous) {
                     on_node(node, previous);
                 }),
          pods_(world.verbs, pods_type_, [this](EventType, const ObjectPtr& pod, const ObjectPtr&) {
              const Json* owner = controller_of(pod->json);
              if (owner && text_at(*owner, {"kind"}) == "DaemonSet") {
                  queue_.add(namespace_of(pod->json) + "/" + text_at(*owner, {"name"}));
              }
          }) {}

  private:
    void on_node(const ObjectPtr& node, const ObjectPtr& previous) {
        const auto same = [&](Path path) {
            const Json* a = find(node->json, path);
            const Json* b = find(previous->json, path);
            return a && b ? *a == *b : a == b;
        };
        if (previous && same({"metadata", "labels"}) && same({"spec"})) return;
        for (const ObjectPtr& set : world_.store().list(sets_type_)) queue_.add(key_of(set->json));
    }

    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr set = world_.store().get(sets_type_, ns, name);
        if (!set) return;
        // By the node they are for, which binding only confirms.
        std::map<std::string, std::vector<ObjectPtr>> pods;
        for (const auto& [pod_key, pod] : world_.pods.owned_by(uid_of(set->json)))
            pods[node_of(pod->json)].push_back(pod);
        const Json prototype = daemon_pod(set->json);
        const auto decoded = api::decode_pod(to_text(prototype));
        Counts counts;
        if (decoded && !is_deleting(set->json)) {
            for (const ObjectPtr& node : world_.store().list(nodes_type_)) {
                visit_node(set->json, prototype, decoded->spec, node, pods[name_of(node->json)], counts);
            }
        }
        write_status(set->json, counts);
    }

    struct Counts {
        std::int64_t desired = 0, current = 0, misscheduled = 0, ready = 0, updated = 0;
    };

    void visit_node(const Json& set, const Json& prototype, const api::PodSpec& spec, const ObjectPtr& object,
                    const std::vector<ObjectPtr>& pods, Counts& counts) {
        const auto node = api::decode_node(object->text());
        if (!node) return;
        const bool is_selected = selects_node(spec, *node);
        const bool should_run = is_selected && !first_untolerated(spec.tolerations, node->taints, false);
        const bool may_stay = is_selected && !first_untolerated(spec.tolerations, node->taints, true);
        std::size_t alive = 0;
        for (const ObjectPtr& pod : pods) {
            if (is_deleting(pod->json)) {
                ++alive;  // Its successor waits until it is gone.
                continue;
            }
            if (is_pod_finished(pod->json) || !may_stay || alive > 0) {
                remove(pod->json);
                continue;
            }
            ++alive;
            if (should_run) count(pod->json, counts, revision_of(set));
        }
        if (should_run) ++counts.desired;
        if (!should_run && alive > 0) ++counts.misscheduled;
        if (should_run && alive == 0) create(set, prototype, node->meta.name);
    }

    static void count(const Json& pod, Counts& counts, const std::string& revision) {
        ++counts.current;
        if (is_pod_ready(pod)) ++counts.ready;
        if (text_at(pod, {"metadata", "labels", "controller-revision-hash"}) == revision) ++counts.updated;
    }

    static std::string revision_of(const Json& set) { return safe_hash(to_text(set["spec"]["template"])); }

    static Json daemon_pod(const Json& set) {
        Json pod = pod_from_template(set);
        pod["metadata"]["generateName"] = name_of(set) + "-";
        pod["metadata"]["labels"]["controller-revision-hash"] = revision_of(set);
        pod["metadata"]["labels"]["pod-template-generation"] =
            std::to_string(int_at(set, {"metadata", "generation"}));
        Json& tolerations = at(pod, {"spec", "tolerations"});
        for (const auto& [key, effect] : kDaemonTolerations)
            tolerations.push_back({{"key", key}, {"operator", "Exists"}, {"effect", effect}});
        if (flag_at(pod, {"spec", "hostNetwork"})) {
            tolerations.push_back({{"key", "node.kubernetes.io/network-unavailable"},
                                   {"operator", "Exists"},
                                   {"effect", "NoSchedule"}});
        }
        return pod;
    }

    static std::string node_of(const Json& pod) {
        const std::string& bound = text_at(pod, {"spec", "nodeName"});
        if (!bound.empty()) return bound;
        const Json& terms =
            array_at(pod, {"spec", "affinity", "nodeAffinity",
                           "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"});
        for (const Json& term : terms) {
            for (const Json& field : array_at(term, {"matchFields"})) {
                if (!array_at(field, {"values"}).empty())
                    return array_at(field, {"values"})[0].get<std::string>();
            }
        }
        return {};
    }

    void create(const Json& set, const Json& prototype, const std::string& node) {
        Json pod = prototype;
        const Json field = {{"key", "metadata.name"}, {"operator", "In"}, {"values", {node}}};
        Json& terms = at(pod, {"spec", "affinity", "nodeAffinity",
                               "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"});
        if (!terms.is_array() || terms.empty()) terms = Json::array({Json::object()});
        for (Json& term : terms) term["matchFields"] = Json::array({field});
        const auto made = world_.verbs.create(pods_type_, namespace_of(set), std::move(pod));
        if (made)
            world_.events.record(set, false, "SuccessfulCreate", "Created pod: " + name_of((*made)->json),
                                 "daemonset-controller");
    }

    void remove(const Json& pod) {
        (void)world_.verbs.remove(pods_type_, namespace_of(pod), name_of(pod),
                                  {.uid = uid_of(pod), .resource_version = {}, .grace_seconds = {}});
    }

    void write_status(const Json& before, const Counts& counts) {
        const ObjectPtr set = world_.store().get(sets_type_, namespace_of(before), name_of(before));
        if (!set) return;
        Json status = object_at(set->json, {"status"});
        status["desiredNumberScheduled"] = counts.desired;
        status["currentNumberScheduled"] = counts.current;
        status["numberMisscheduled"] = counts.misscheduled;
        status["numberReady"] = counts.ready;
        status["numberAvailable"] = counts.ready;
        status["numberUnavailable"] = counts.desired - counts.ready;
        status["updatedNumberScheduled"] = counts.updated;
        status["observedGeneration"] = int_at(set->json, {"metadata", "generation"});
        put_status(world_, sets_type_, set->json, std::move(status));
    }

    World& world_;
    const ResourceType& sets_type_;
    const ResourceType& pods_type_;
    const ResourceType& nodes_type_;
    WorkQueue queue_;
    Informer sets_;
    Informer nodes_;
    Informer pods_;
};

}  // namespace

ControllerPtr make_daemon_set_controller(World& world) {
    return std::make_unique<DaemonSetController>(world);
}

}  // namespace joiner::sim
