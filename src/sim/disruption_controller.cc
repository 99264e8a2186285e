#include <algorithm>
#include <set>

#include "sim/controllers.h"
#include "sim/selector.h"

namespace joiner::sim {
namespace {

// An eviction that was granted counts against the budget until the pod is seen to go, but no longer than
// this.
constexpr Duration kDeletionTimeout = std::chrono::minutes{2};

class DisruptionController final : public Controller {
  public:
    explicit DisruptionController(World& world)
        : world_(world),
          budgets_type_(world.verbs.type("poddisruptionbudgets")),
          pods_type_(world.verbs.type("pods")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          budgets_(world.verbs, budgets_type_,
                   [this](EventType, const ObjectPtr& budget, const ObjectPtr&) {
                       queue_.add(key_of(budget->json));
                   }),
          pods_(world.verbs, pods_type_, [this](EventType, const ObjectPtr& pod, const ObjectPtr& previous) {
              for (const ObjectPtr& budget : world_.store().list(budgets_type_, namespace_of(pod->json))) {
                  if (selects(budget->json, pod->json) || (previous && selects(budget->json, previous->json)))
                      queue_.add(key_of(budget->json));
              }
          }) {
        for (const char* kind : {"replicasets", "statefulsets", "replicationcontrollers", "deployments"}) {
            workloads_.push_back(std::make_unique<Informer>(
                world.verbs, world.verbs.type(kind),
                [this](EventType, const ObjectPtr& each, const ObjectPtr& previous) {
                    if (previous && int_at(previous->json, {"spec", "replicas"}) ==
                                        int_at(each->json, {"spec", "replicas"}))
                        return;
                    for (const ObjectPtr& budget :
                         world_.store().list(budgets_type_, namespace_of(each->json)))
                        queue_.add(key_of(budget->json));
                }));
        }
    }

  private:
    static bool selects(const Json& budget, const Json& pod) {
        const Json* selector = find(budget, {"spec", "selector"});
        return selector && matches_label_selector(*selector, object_at(pod, {"metadata", "labels"}));
    }

    // What the owners of these pods mean to have, each owner counted once; a Deployment stands for its sets.
    std::int64_t expected_scale(const std::vector<ObjectPtr>& pods) const {
        std::map<std::string, std::int64_t> scales;
        for (const ObjectPtr& pod : pods) {
            const Json* owner = controller_of(pod->json);
            if (!owner) continue;
            auto [uid, scale] = scale_of(namespace_of(pod->json), *owner);
            scales[uid] = scale;
        }
        std::int64_t total = 0;
        for (const auto& [uid, scale] : scales) total += scale;
        return total;
    }

    std::pair<std::string, std::int64_t> scale_of(const std::string& ns, const Json& owner) const {
        const ResourceType* type =
            world_.verbs.registry().find_kind(text_at(owner, {"apiVersion"}), text_at(owner, {"kind"}));
        const ObjectPtr object =
            type && type->scale ? world_.store().get(*type, ns, text_at(owner, {"name"})) : nullptr;
        if (!object) return {text_at(owner, {"uid"}), 0};
        const Json* above = controller_of(object->json);
        if (above && type->kind == "ReplicaSet") return scale_of(ns, *above);
        return {uid_of(object->json), int_at(object->json, {"spec", "replicas"})};
    }

    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr budget = world_.store().get(budgets_type_, ns, name);
        if (!budget) return;
        std::vector<ObjectPtr> pods;
        for (const ObjectPtr& pod : world_.store().list(pods_type_, ns)) {
            if (!is_pod_finished(pod->json) && selects(budget->json, pod->json)) pods.push_back(pod);
        }
        std::int64_t expected = static_cast<std::int64_t>(pods.size());
        std::int64_t desired = 0;
        if (const Json* most = find(budget->json, {"spec", "maxUnavailable"})) {
            expected = expected_scale(pods);
            desired = std::max<std::int64_t>(0, expected - scaled_value(*most, expected, true));
        } else if (const Json* least = find(budget->json, {"spec", "minAvailable"})) {
            if (least->is_string()) expected = expected_scale(pods);
            desired = scaled_value(*least, expected, true);
        }
        const Json disrupted = still_disrupted(*budget, pods);
        std::int64_t healthy = 0;
        for (const ObjectPtr& pod : pods) {
            if (!is_deleting(pod->json) && !disrupted.contains(name_of(pod->json)) && is_pod_ready(pod->json))
                ++healthy;
        }
        const std::int64_t allowed = expected > 0 ? std::max<std::int64_t>(0, healthy - desired) : 0;
        Json status = object_at(budget->json, {"status"});
        status["currentHealthy"] = healthy;
        status["desiredHealthy"] = desired;
        status["expectedPods"] = expected;
        status["disruptionsAllowed"] = allowed;
        status["observedGeneration"] = int_at(budget->json, {"metadata", "generation"});
        if (disrupted.empty()) {
            status.erase("disruptedPods");
        } else {
            status["disruptedPods"] = disrupted;
            queue_.add_after(key, kDeletionTimeout);
        }
        set_condition(status["conditions"],
                      {{"type", "DisruptionAllowed"},
                       {"status", allowed > 0 ? "True" : "False"},
                       {"message", ""},
                       {"reason", allowed > 0 ? "SufficientPods" : "InsufficientPods"},
                       {"observedGeneration", int_at(budget->json, {"metadata", "generation"})}},
                      world_.now_text());
        put_status(world_, budgets_type_, budget->json, std::move(status));
    }

    Json still_disrupted(const Object& budget, const std::vector<ObjectPtr>& pods) const {
        Json disrupted = Json::object();
        for (const auto& [name, time] : object_at(budget.json, {"status", "disruptedPods"}).items()) {
            const auto pod = std::find_if(
                pods.begin(), pods.end(),
                [&, wanted = name](const ObjectPtr& each) { return name_of(each->json) == wanted; });
            const auto since =
                time.is_string() ? parse_rfc3339(time.get<std::string>()) : Result<WallTime>(invalid(""));
            const bool is_recent = since && world_.loop().now() - *since < kDeletionTimeout;
            if (pod != pods.end() && !is_deleting((*pod)->json) && is_recent) disrupted[name] = time;
        }
        return disrupted;
    }

    World& world_;
    const ResourceType& budgets_type_;
    const ResourceType& pods_type_;
    WorkQueue queue_;
    Informer budgets_;
    Informer pods_;
    std::vector<std::unique_ptr<Informer>> workloads_;
};

}  // namespace

ControllerPtr make_disruption_controller(World& world) {
    return std::make_unique<DisruptionController>(world);
}

}  // namespace joiner::sim
