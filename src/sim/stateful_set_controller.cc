#include <fmt/format.h>

#include <charconv>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

// The number at the end of "web-12", or -1.
std::int64_t ordinal_of(const std::string& name) {
    const std::size_t dash = name.rfind('-');
    std::int64_t ordinal = -1;
    if (dash != std::string::npos)
        std::from_chars(name.data() + dash + 1, name.data() + name.size(), ordinal);
    return ordinal;
}

class StatefulSetController final : public Controller {
  public:
    explicit StatefulSetController(World& world)
        : world_(world),
          sets_type_(world.verbs.type("statefulsets")),
          pods_type_(world.verbs.type("pods")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          sets_(world.verbs, sets_type_,
                [this](EventType, const ObjectPtr& set, const ObjectPtr&) { queue_.add(key_of(set->json)); }),
          pods_(world.verbs, pods_type_, [this](EventType, const ObjectPtr& pod, const ObjectPtr&) {
              const Json* owner = controller_of(pod->json);
              if (owner && text_at(*owner, {"kind"}) == "StatefulSet") {
                  queue_.add(namespace_of(pod->json) + "/" + text_at(*owner, {"name"}));
              }
          }) {}

  private:
    // One step at a time from the lowest ordinal up, and down from the highest, unless all may go at once.
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr set = world_.store().get(sets_type_, ns, name);
        if (!set) return;
        if (!is_deleting(set->json)) step(set->json);
        write_status(set->json);
    }

    void step(const Json& set) {
        const bool is_parallel = text_at(set, {"spec", "podManagementPolicy"}) == "Parallel";
        const std::int64_t wanted = int_at(set, {"spec", "replicas"}, 1);
        bool all_ready = true;
        for (std::int64_t ordinal = 0; ordinal < wanted; ++ordinal) {
            const std::string name = fmt::format("{}-{}", name_of(set), ordinal);
            const ObjectPtr pod = world_.store().get(pods_type_, namespace_of(set), name);
            if (!pod) create(set, ordinal, name);
            if (pod && is_pod_finished(pod->json) && !is_deleting(pod->json)) remove(pod->json);
            const bool is_ready = pod && is_pod_active(pod->json) && is_pod_ready(pod->json);
            all_ready = all_ready && is_ready;
            if (!is_ready && !is_parallel) return;
        }
        std::map<std::int64_t, ObjectPtr, std::greater<>> surplus;
        for (const auto& [key, pod] : world_.pods.owned_by(uid_of(set))) {
            if (const std::int64_t ordinal = ordinal_of(name_of(pod->json)); ordinal >= wanted)
                surplus.emplace(ordinal, pod);
        }
        for (const auto& [ordinal, pod] : surplus) {
            if (!is_deleting(pod->json)) remove(pod->json);
            if (!is_parallel) return;
        }
        if (all_ready) roll(set, wanted);
    }

    // After a change of the template the pods are made anew, from the highest ordinal down.
    void roll(const Json& set, std::int64_t wanted) {
        if (text_at(set, {"spec", "updateStrategy", "type"}) != "RollingUpdate") return;
        const std::string revision = revision_of(set);
        const std::int64_t first = int_at(set, {"spec", "updateStrategy", "rollingUpdate", "partition"});
        for (std::int64_t ordinal = wanted - 1; ordinal >= first; --ordinal) {
            const ObjectPtr pod = world_.store().get(pods_type_, namespace_of(set),
                                                     fmt::format("{}-{}", name_of(set), ordinal));
            if (!pod || text_at(pod->json, {"metadata", "labels", "controller-revision-hash"}) == revision)
                continue;
            remove(pod->json);
            return;
        }
    }

    static std::string revision_of(const Json& set) {
        return name_of(set) + "-" + safe_hash(to_text(set["spec"]["template"]));
    }

    void create(const Json& set, std::int64_t ordinal, const std::string& name) {
        Json pod = pod_from_template(set);
        pod["metadata"]["name"] = name;
        pod["metadata"]["labels"]["statefulset.kubernetes.io/pod-name"] = name;
        pod["metadata"]["labels"]["apps.kubernetes.io/pod-index"] = std::to_string(ordinal);
        pod["metadata"]["labels"]["controller-revision-hash"] = revision_of(set);
        pod["spec"]["hostname"] = name;
        for (Json claim : array_at(set, {"spec", "volumeClaimTemplates"})) {
            const std::string volume = name_of(claim);
            const std::string claim_name = volume + "-" + name;
            claim["metadata"]["name"] = claim_name;
            claim["metadata"]["namespace"] = namespace_of(set);
            (void)world_.verbs.create(world_.verbs.type("persistentvolumeclaims"), namespace_of(set),
                                      std::move(claim));
            Json& volumes = at(pod, {"spec", "volumes"});
            volumes.push_back({{"name", volume}, {"persistentVolumeClaim", {{"claimName", claim_name}}}});
        }
        if (world_.verbs.create(pods_type_, namespace_of(set), std::move(pod))) {
            world_.events.record(
                set, false, "SuccessfulCreate",
                fmt::format("Create Pod {} in StatefulSet {} successful", name, name_of(set)),
                "statefulset-controller");
        }
    }

    void remove(const Json& pod) {
        (void)world_.verbs.remove(pods_type_, namespace_of(pod), name_of(pod),
                                  {.uid = uid_of(pod), .resource_version = {}, .grace_seconds = {}});
    }

    void write_status(const Json& before) {
        const ObjectPtr set = world_.store().get(sets_type_, namespace_of(before), name_of(before));
        if (!set) return;
        const std::string revision = revision_of(set->json);
        std::int64_t replicas = 0, ready = 0, updated = 0;
        for (const auto& [key, pod] : world_.pods.owned_by(uid_of(set->json))) {
            ++replicas;
            if (is_pod_active(pod->json) && is_pod_ready(pod->json)) ++ready;
            if (text_at(pod->json, {"metadata", "labels", "controller-revision-hash"}) == revision) ++updated;
        }
        Json status = object_at(set->json, {"status"});
        status["replicas"] = replicas;
        status["readyReplicas"] = ready;
        status["availableReplicas"] = ready;
        status["updatedReplicas"] = updated;
        status["currentReplicas"] = updated;
        status["currentRevision"] = revision;
        status["updateRevision"] = revision;
        status["collisionCount"] = 0;
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

ControllerPtr make_stateful_set_controller(World& world) {
    return std::make_unique<StatefulSetController>(world);
}

}  // namespace joiner::sim
