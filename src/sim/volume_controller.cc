// Claims get volumes: existing ones that fit, or new ones where the claim's storage class provisions them. A
// class that waits for the first consumer waits for the scheduler to name the node.
#include <fmt/format.h>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

constexpr const char* kSelectedNode = "volume.kubernetes.io/selected-node";

class VolumeController final : public Controller {
  public:
    explicit VolumeController(World& world)
        : world_(world),
          claims_type_(world.verbs.type("persistentvolumeclaims")),
          volumes_type_(world.verbs.type("persistentvolumes")),
          queue_(world.loop(), [this](const std::string& key) { reconcile(key); }),
          claims_(world.verbs, claims_type_,
                  [this](EventType type, const ObjectPtr& claim, const ObjectPtr&) {
                      if (type == EventType::kDeleted) {
                          release(claim->json);
                      } else {
                          queue_.add(key_of(claim->json));
                      }
                  }) {}

  private:
    void reconcile(const std::string& key) {
        const auto [ns, name] = split_key(key);
        const ObjectPtr claim = world_.store().get(claims_type_, ns, name);
        if (!claim || text_at(claim->json, {"status", "phase"}) == "Bound") return;
        const std::string& class_name = text_at(claim->json, {"spec", "storageClassName"});
        const std::string& wanted = text_at(claim->json, {"spec", "volumeName"});
        if (!wanted.empty()) {
            if (const ObjectPtr volume = world_.store().get(volumes_type_, "", wanted))
                bind(claim->json, volume->json);
            return;
        }
        const ObjectPtr storage = world_.store().get(world_.verbs.type("storageclasses"), "", class_name);
        if (!storage) return;
        const bool waits = text_at(storage->json, {"volumeBindingMode"}) == "WaitForFirstConsumer";
        const std::string& node = text_at(claim->json, {"metadata", "annotations", kSelectedNode});
        if (waits && node.empty()) return;
        provision(claim->json, storage->json, node);
    }

    void provision(const Json& claim, const Json& storage, const std::string& node_name) {
        const std::string name = "pvc-" + uid_of(claim);
        Json volume = {{"metadata", {{"name", name}}},
                       {"spec",
                        {{"accessModes", array_at(claim, {"spec", "accessModes"})},
                         {"capacity", object_at(claim, {"spec", "resources", "requests"})},
                         {"storageClassName", name_of(storage)},
                         {"persistentVolumeReclaimPolicy", text_at(storage, {"reclaimPolicy"})},
                         {"csi", {{"driver", text_at(storage, {"provisioner"})}, {"volumeHandle", name}}}}}};
        const ObjectPtr node = world_.store().get(world_.verbs.type("nodes"), "", node_name);
        const std::string zone =
            node ? text_at(node->json, {"metadata", "labels", "topology.kubernetes.io/zone"}) : "";
        if (!zone.empty()) {
            const Json in_zone = {
                {"key", "topology.kubernetes.io/zone"}, {"operator", "In"}, {"values", {zone}}};
            Json& terms = at(volume, {"spec", "nodeAffinity", "required", "nodeSelectorTerms"});
            terms = Json::array({{{"matchExpressions", Json::array({in_zone})}}});
        }
        const auto made = world_.verbs.create(volumes_type_, "", std::move(volume));
        if (made) bind(claim, (*made)->json);
    }

    void bind(const Json& claim, const Json& volume) {
        Json volume_update = volume;
        volume_update["spec"]["claimRef"] = {{"apiVersion", "v1"},
                                             {"kind", "PersistentVolumeClaim"},
                                             {"namespace", namespace_of(claim)},
                                             {"name", name_of(claim)},
                                             {"uid", uid_of(claim)}};
        if (const auto updated =
                world_.verbs.update(volumes_type_, "", name_of(volume), "", std::move(volume_update))) {
            put_status(world_, volumes_type_, (*updated)->json, {{"phase", "Bound"}});
        }
        const auto named =
            world_.verbs.patch(claims_type_, namespace_of(claim), name_of(claim), "", PatchKind::kMerge,
                               {{"spec", {{"volumeName", name_of(volume)}}}});
        if (named) {
            put_status(world_, claims_type_, (*named)->json,
                       {{"phase", "Bound"},
                        {"accessModes", array_at(claim, {"spec", "accessModes"})},
                        {"capacity", object_at(volume, {"spec", "capacity"})}});
        }
    }

    void release(const Json& claim) {
        const std::string& name = text_at(claim, {"spec", "volumeName"});
        const ObjectPtr volume = name.empty() ? nullptr : world_.store().get(volumes_type_, "", name);
        if (!volume || text_at(volume->json, {"spec", "claimRef", "uid"}) != uid_of(claim)) return;
        if (text_at(volume->json, {"spec", "persistentVolumeReclaimPolicy"}) == "Delete") {
            (void)world_.verbs.remove(volumes_type_, "", name);
        } else {
            put_status(world_, volumes_type_, volume->json, {{"phase", "Released"}});
        }
    }

    World& world_;
    const ResourceType& claims_type_;
    const ResourceType& volumes_type_;
    WorkQueue queue_;
    Informer claims_;
};

}  // namespace

ControllerPtr make_volume_controller(World& world) {
    return std::make_unique<VolumeController>(world);
}

}  // namespace joiner::sim
