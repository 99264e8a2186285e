#include <fmt/format.h>

#include <algorithm>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

constexpr const char* kRevision = "deployment.kubernetes.io/revision";

std::int64_t replicas_of(const Json& set) {
    return int_at(set, {"spec", "replicas"});
}
std::int64_t available_of(const Json& set) {
    return int_at(set, {"status", "availableReplicas"});
}

Json template_without_hash(const Json& set) {
    Json pod_template = object_at(set, {"spec", "template"});
    drop(pod_template, {"metadata", "labels", "pod-template-hash"});
    return pod_template;
}

class DeploymentController final : public Controller {
  public:
    explicit DeploymentController(World& world)
        : world_(world),
          deployments_type_(world.verbs.type("deployments")),
          sets_type_(world.verbs.type("replicasets")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          deployments_(
              world.verbs, deployments_type_,
              [this](EventType, const ObjectPtr& each, const ObjectPtr&) { queue_.add(key_of(each->json)); }),
          sets_(world.verbs, sets_type_, [this](EventType, const ObjectPtr& set, const ObjectPtr&) {
              const Json* owner = controller_of(set->json);
              if (owner && text_at(*owner, {"kind"}) == "Deployment") {
                  queue_.add(namespace_of(set->json) + "/" + text_at(*owner, {"name"}));
              }
          }) {}

  private:
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr deployment = world_.store().get(deployments_type_, ns, name);
        if (!deployment || is_deleting(deployment->json)) return;
        ObjectPtr newest;
        std::vector<ObjectPtr> older;
        for (const ObjectPtr& set : world_.store().list(sets_type_, ns)) {
            const Json* owner = controller_of(set->json);
            if (!owner || text_at(*owner, {"uid"}) != uid_of(deployment->json)) continue;
            if (!newest && template_without_hash(set->json) == template_without_hash(deployment->json)) {
                newest = set;
            } else {
                older.push_back(set);
            }
        }
        if (!flag_at(deployment->json, {"spec", "paused"})) {
            if (!newest) newest = create_set(deployment->json, older);
            if (newest) roll(deployment->json, newest, older);
        }
        write_status(deployment->json, newest, older);
    }

    ObjectPtr create_set(const Json& deployment, const std::vector<ObjectPtr>& older) {
        std::int64_t revision = 1;
        for (const ObjectPtr& set : older) {
            revision = std::max(
                revision, std::atol(text_at(set->json, {"metadata", "annotations", kRevision}).c_str()) + 1);
        }
        const std::string hash = safe_hash(to_text(template_without_hash(deployment)));
        Json set = {{"metadata",
                     {{"name", name_of(deployment) + "-" + hash},
                      {"ownerReferences", Json::array({owner_reference(deployment)})}}},
                    {"spec",
                     {{"replicas", 0},
                      {"selector", deployment["spec"]["selector"]},
                      {"template", deployment["spec"]["template"]}}}};
        at(set, {"metadata", "annotations"})[kRevision] = std::to_string(revision);
        set["metadata"]["labels"] = object_at(deployment, {"spec", "template", "metadata", "labels"});
        set["metadata"]["labels"]["pod-template-hash"] = hash;
        at(set, {"spec", "selector", "matchLabels"})["pod-template-hash"] = hash;
        at(set, {"spec", "template", "metadata", "labels"})["pod-template-hash"] = hash;
        const auto made = world_.verbs.create(sets_type_, namespace_of(deployment), std::move(set));
        if (!made) return nullptr;
        Json annotations = {{"metadata", {{"annotations", {{kRevision, std::to_string(revision)}}}}}};
        (void)world_.verbs.patch(deployments_type_, namespace_of(deployment), name_of(deployment), "",
                                 PatchKind::kMerge, annotations);
        return *made;
    }

    void roll(const Json& deployment, const ObjectPtr& newest, const std::vector<ObjectPtr>& older) {
        const std::int64_t wanted = replicas_of(deployment);
        std::int64_t old_total = 0;
        for (const ObjectPtr& set : older) old_total += replicas_of(set->json);
        if (text_at(deployment, {"spec", "strategy", "type"}) == "Recreate") {
            for (const ObjectPtr& set : older) scale(deployment, set->json, 0);
            std::size_t old_pods = 0;
            for (const ObjectPtr& set : older) old_pods += world_.pods.owned_by(uid_of(set->json)).size();
            if (old_pods == 0) scale(deployment, newest->json, wanted);
            return;
        }
        const Json& rolling = object_at(deployment, {"spec", "strategy", "rollingUpdate"});
        const std::int64_t surge = scaled_value(rolling.value("maxSurge", Json("25%")), wanted, true);
        std::int64_t unavailable = scaled_value(rolling.value("maxUnavailable", Json("25%")), wanted, false);
        if (surge == 0 && unavailable == 0) unavailable = 1;
        const std::int64_t room = wanted + surge - old_total;
        scale(
            deployment, newest->json,
            old_total == 0 ? wanted : std::clamp(room, std::min(replicas_of(newest->json), wanted), wanted));

        shrink_older(deployment, newest->json, older, wanted - unavailable);
    }

    // Unready pods of older sets go first, then as many ready ones as leave `least` available.
    void shrink_older(const Json& deployment, const Json& newest, const std::vector<ObjectPtr>& older,
                      std::int64_t least) {
        const auto current = [&](const Json& set) {
            const ObjectPtr now = world_.store().get(sets_type_, namespace_of(set), name_of(set));
            return now ? now->json : set;
        };
        const Json newest_now = current(newest);
        std::int64_t total = replicas_of(newest_now);
        std::int64_t available = available_of(newest_now);
        for (const ObjectPtr& set : older) {
            total += replicas_of(set->json);
            available += available_of(set->json);
        }
        std::int64_t may_go =
            total - least -
            (replicas_of(newest_now) - std::min(replicas_of(newest_now), available_of(newest_now)));
        std::int64_t ready_may_go = available - least;
        for (const ObjectPtr& set : older) {
            const std::int64_t replicas = replicas_of(set->json);
            const std::int64_t unready = replicas - std::min(replicas, available_of(set->json));
            const std::int64_t unready_going = std::clamp<std::int64_t>(may_go, 0, unready);
            const std::int64_t ready_going = std::clamp<std::int64_t>(
                std::min(ready_may_go, may_go - unready_going), 0, replicas - unready);
            if (unready_going + ready_going > 0)
                scale(deployment, set->json, replicas - unready_going - ready_going);
            may_go -= unready_going + ready_going;
            ready_may_go -= ready_going;
        }
    }

    void scale(const Json& deployment, const Json& set, std::int64_t replicas) {
        const std::int64_t before = replicas_of(set);
        if (before == replicas) return;
        (void)world_.verbs.patch(sets_type_, namespace_of(set), name_of(set), "", PatchKind::kMerge,
                                 {{"spec", {{"replicas", replicas}}}});
        world_.events.record(deployment, false, "ScalingReplicaSet",
                             fmt::format("Scaled {} replica set {} from {} to {}",
                                         replicas > before ? "up" : "down", name_of(set), before, replicas),
                             "deployment-controller");
    }

    void write_status(const Json& before, const ObjectPtr& newest, const std::vector<ObjectPtr>& older) {
        const ObjectPtr deployment =
            world_.store().get(deployments_type_, namespace_of(before), name_of(before));
        if (!deployment) return;
        std::int64_t total = 0, ready = 0, available = 0;
        std::vector<ObjectPtr> sets = older;
        if (newest) sets.push_back(newest);
        for (const ObjectPtr& set : sets) {
            total += int_at(set->json, {"status", "replicas"});
            ready += int_at(set->json, {"status", "readyReplicas"});
            available += available_of(set->json);
        }
        const std::int64_t wanted = replicas_of(deployment->json);
        const std::int64_t updated = newest ? int_at(newest->json, {"status", "replicas"}) : 0;
        Json status = object_at(deployment->json, {"status"});
        for (const auto& [field, count] : std::initializer_list<std::pair<const char*, std::int64_t>>{
                 {"replicas", total},
                 {"readyReplicas", ready},
                 {"availableReplicas", available},
                 {"updatedReplicas", updated},
                 {"unavailableReplicas", std::max<std::int64_t>(0, std::max(total, wanted) - available)}}) {
            status[field] = count;
        }
        status["observedGeneration"] = int_at(deployment->json, {"metadata", "generation"});
        const Json& rolling = object_at(deployment->json, {"spec", "strategy", "rollingUpdate"});
        const bool is_available =
            available >= wanted - scaled_value(rolling.value("maxUnavailable", Json(0)), wanted, false);
        const bool is_complete = updated == wanted && total == wanted && available == wanted;
        const std::string now = world_.now_text();
        set_condition(status["conditions"],
                      {{"type", "Available"},
                       {"status", is_available ? "True" : "False"},
                       {"reason", is_available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable"},
                       {"message", is_available ? "Deployment has minimum availability."
                                                : "Deployment does not have minimum availability."}},
                      now);
        set_condition(
            status["conditions"],
            {{"type", "Progressing"},
             {"status", "True"},
             {"reason", is_complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated"},
             {"message", fmt::format("ReplicaSet \"{}\" {}", newest ? name_of(newest->json) : "",
                                     is_complete ? "has successfully progressed." : "is progressing.")}},
            now);
        put_status(world_, deployments_type_, deployment->json, std::move(status));
    }

    World& world_;
    const ResourceType& deployments_type_;
    const ResourceType& sets_type_;
    WorkQueue queue_;
    Informer deployments_;
    Informer sets_;
};

}  // namespace

ControllerPtr make_deployment_controller(World& world) {
    return std::make_unique<DeploymentController>(world);
}

}  // namespace joiner::sim
