#include <fmt/format.h>

#include <algorithm>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

// Which pods go first when there are too many: those not bound, not running, not ready, then the youngest.
bool goes_before(const Json& a, const Json& b) {
    const auto rank = [](const Json& pod) {
        return std::tuple(!text_at(pod, {"spec", "nodeName"}).empty(),
                          text_at(pod, {"status", "phase"}) == "Running", is_pod_ready(pod));
    };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    const std::string& made_a = text_at(a, {"metadata", "creationTimestamp"});
    const std::string& made_b = text_at(b, {"metadata", "creationTimestamp"});
    return made_a != made_b ? made_a > made_b : name_of(a) > name_of(b);
}

class ReplicaSetController final : public Controller {
  public:
    explicit ReplicaSetController(World& world)
        : world_(world),
          sets_type_(world.verbs.type("replicasets")),
          pods_type_(world.verbs.type("pods")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          sets_(world.verbs, sets_type_,
                [this](EventType, const ObjectPtr& set, const ObjectPtr&) { queue_.add(key_of(set->json)); }),
          pods_(world.verbs, pods_type_, [this](EventType, const ObjectPtr& pod, const ObjectPtr&) {
              const Json* owner = controller_of(pod->json);
              if (owner && text_at(*owner, {"kind"}) == "ReplicaSet") {
                  queue_.add(namespace_of(pod->json) + "/" + text_at(*owner, {"name"}));
              }
          }) {}

  private:
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr set = world_.store().get(sets_type_, ns, name);
        if (!set) return;
        std::vector<ObjectPtr> active;
        for (const auto& [pod_key, pod] : world_.pods.owned_by(uid_of(set->json))) {
            if (is_pod_active(pod->json)) active.push_back(pod);
        }
        const auto wanted = static_cast<std::size_t>(int_at(set->json, {"spec", "replicas"}, 1));
        if (!is_deleting(set->json)) {
            if (active.size() < wanted) create(set->json, wanted - active.size(), key);
            if (active.size() > wanted) remove(std::move(active), wanted, set->json);
        }
        write_status(set->json);
    }

    void create(const Json& set, std::size_t count, const std::string& key) {
        const Json pod = pod_from_template(set);
        for (; count > 0; --count) {
            const Duration now = world_.loop().monotonic();
            if (!world_.pod_creations.try_take(now)) {
                queue_.add_after(key, world_.pod_creations.wait(now));
                return;
            }
            Json copy = pod;
            copy["metadata"]["generateName"] = name_of(set) + "-";
            const auto made = world_.verbs.create(pods_type_, namespace_of(set), std::move(copy));
            if (!made) {
                world_.events.record(set, true, "FailedCreate", "Error creating: " + made.error().message,
                                     "replicaset-controller");
                queue_.add_after(key, std::chrono::seconds{5});
                return;
            }
            world_.events.record(set, false, "SuccessfulCreate", "Created pod: " + name_of((*made)->json),
                                 "replicaset-controller");
        }
    }

    void remove(std::vector<ObjectPtr> active, std::size_t wanted, const Json& set) {
        std::sort(active.begin(), active.end(),
                  [](const ObjectPtr& a, const ObjectPtr& b) { return goes_before(a->json, b->json); });
        for (std::size_t i = 0; i + wanted < active.size(); ++i) {
            (void)world_.verbs.remove(
                pods_type_, namespace_of(set), name_of(active[i]->json),
                {.uid = uid_of(active[i]->json), .resource_version = {}, .grace_seconds = {}});
            world_.events.record(set, false, "SuccessfulDelete", "Deleted pod: " + name_of(active[i]->json),
                                 "replicaset-controller");
        }
    }

    void write_status(const Json& before) {
        const ObjectPtr set = world_.store().get(sets_type_, namespace_of(before), name_of(before));
        if (!set) return;
        std::int64_t replicas = 0, ready = 0, terminating = 0;
        for (const auto& [key, pod] : world_.pods.owned_by(uid_of(set->json))) {
            if (is_pod_active(pod->json)) ++replicas;
            if (is_pod_active(pod->json) && is_pod_ready(pod->json)) ++ready;
            if (is_deleting(pod->json)) ++terminating;
        }
        Json status = object_at(set->json, {"status"});
        status["replicas"] = replicas;
        status["fullyLabeledReplicas"] = replicas;
        status["readyReplicas"] = ready;
        status["availableReplicas"] = ready;
        status["terminatingReplicas"] = terminating;
        status["observedGeneration"] = int_at(set->json, {"metadata", "generation"});
        put_status(world_, sets_type_, set->json, std::move(status));
    }

    World& world_;
    const ResourceType& sets_type_;
    const ResourceType& pods_type_;
    WorkQueue queue_;
    Informer sets_;
    Informer pods_;
};

}  // namespace

ControllerPtr make_replica_set_controller(World& world) {
    return std::make_unique<ReplicaSetController>(world);
}

}  // namespace joiner::sim
