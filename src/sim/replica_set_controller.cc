#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "sim/controllers.h"
#include "sim/selector.h"

namespace joiner::sim {
namespace {

// What nobody can read counts for nothing, as what is not there.
int deletion_cost(const Json& pod) {
    const std::string& text =
        text_at(pod, {"metadata", "annotations", "controller.kubernetes.io/pod-deletion-cost"});
    int cost = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cost);
    return error == std::errc{} && end == text.data() + text.size() ? cost : 0;
}

// Which pods go first when there are too many: those not bound, not running, not ready, of the lowest
// deletion cost, then the youngest.
bool goes_before(const Json& a, const Json& b) {
    const auto rank = [](const Json& pod) {
        return std::tuple(!text_at(pod, {"spec", "nodeName"}).empty(),
                          text_at(pod, {"status", "phase"}) == "Running", is_pod_ready(pod));
    };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (deletion_cost(a) != deletion_cost(b)) return deletion_cost(a) < deletion_cost(b);
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
          pods_(world.verbs, pods_type_,
                [this](EventType type, const ObjectPtr& pod, const ObjectPtr& previous) {
                    const bool is_relabelled =
                        previous && object_at(previous->json, {"metadata", "labels"}) !=
                                        object_at(pod->json, {"metadata", "labels"});
                    const bool is_going = type == EventType::kDeleted || is_deleting(pod->json);
                    if (previous) look_at_owner(previous->json, is_relabelled, is_going);
                    look_at_owner(pod->json, is_relabelled, is_going);
                    if (type == EventType::kDeleted || controller_of(pod->json)) {
                        orphans_.erase(key_of(pod->json));
                    } else if (!is_deleting(pod->json)) {
                        look_for_owner(pod->json);
                    }
                }) {}

  private:
    void look_at_owner(const Json& pod, bool is_relabelled, bool is_going) {
        const Json* owner = controller_of(pod);
        if (!owner || text_at(*owner, {"kind"}) != "ReplicaSet") return;
        const std::string key = namespace_of(pod) + "/" + text_at(*owner, {"name"});
        if (is_relabelled) relabelled_.insert(key);
        if (is_going && world_.options.pods_missed_late_by > Duration{0}) {
            queue_.add_after(key, world_.options.pods_missed_late_by);
        } else {
            queue_.add(key);
        }
    }

    static bool selects(const Json& set, const Json& pod) {
        const Json* selector = find(set, {"spec", "selector"});
        return selector && matches_label_selector(*selector, object_at(pod, {"metadata", "labels"}));
    }

    void look_for_owner(const Json& pod) {
        orphans_.erase(key_of(pod));
        for (const ObjectPtr& set : world_.store().list(sets_type_, namespace_of(pod))) {
            if (!selects(set->json, pod)) continue;
            orphans_.insert(key_of(pod));
            queue_.add(key_of(set->json));
        }
    }

    // Pods whose labels no longer match are let go, and those that match and belong to nobody are taken on.
    void claim_pods(const Json& set) {
        std::vector<ObjectPtr> strangers;
        if (relabelled_.erase(key_of(set)) > 0) {
            for (const auto& [key, pod] : world_.pods.owned_by(uid_of(set))) {
                if (!selects(set, pod->json)) strangers.push_back(pod);
            }
        }
        for (const ObjectPtr& pod : strangers) set_owners(pod->json, without_owner(pod->json, uid_of(set)));
        for (const std::string& key : std::set<std::string>(orphans_)) {
            const auto [ns, name] = split_key(key);
            const ObjectPtr pod =
                ns == namespace_of(set) ? world_.store().get(pods_type_, ns, name) : nullptr;
            if (!pod || is_deleting(pod->json) || controller_of(pod->json) || !selects(set, pod->json))
                continue;
            Json owners = array_at(pod->json, {"metadata", "ownerReferences"});
            if (!owners.is_array()) owners = Json::array();
            owners.push_back(owner_reference(set));
            set_owners(pod->json, std::move(owners));
        }
    }

    static Json without_owner(const Json& pod, const std::string& uid) {
        Json out = Json::array();
        for (const Json& owner : array_at(pod, {"metadata", "ownerReferences"})) {
            if (text_at(owner, {"uid"}) != uid) out.push_back(owner);
        }
        return out;
    }

    void set_owners(const Json& pod, Json owners) {
        Json updated = pod;
        updated["metadata"]["ownerReferences"] = std::move(owners);
        if (updated["metadata"]["ownerReferences"].empty()) updated["metadata"].erase("ownerReferences");
        (void)world_.verbs.update(pods_type_, namespace_of(pod), name_of(pod), "", std::move(updated));
    }

    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr set = world_.store().get(sets_type_, ns, name);
        if (!set) {
            makes_more_at_.erase(key);
            return;
        }
        if (!is_deleting(set->json)) claim_pods(set->json);
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
                // Once: each further look would come with its own look again.
                Duration& next = makes_more_at_[key];
                if (next > now) return;
                next = now + world_.pod_creations.wait(now);
                queue_.add_after(key, next - now);
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
    std::set<std::string> relabelled_;               // Sets that own a pod whose labels have changed.
    std::map<std::string, Duration> makes_more_at_;  // Sets that wait for their turn, or did.
    std::set<std::string> orphans_;                  // Pods without a controller that some set selects.
    Informer sets_;
    Informer pods_;
};

}  // namespace

ControllerPtr make_replica_set_controller(World& world) {
    return std::make_unique<ReplicaSetController>(world);
}

}  // namespace joiner::sim
