// Ownership: what goes when its owner goes, and the finalizers "foregroundDeletion" and "orphan".
#include <algorithm>

#include "sim/controllers.h"

namespace joiner::sim {
namespace {

struct Reference {
    const ResourceType* type = nullptr;
    std::string ns;
    std::string name;

    friend bool operator<(const Reference& a, const Reference& b) {
        return std::tie(a.type, a.ns, a.name) < std::tie(b.type, b.ns, b.name);
    }
};

bool has_finalizer(const Json& object, std::string_view finalizer) {
    const Json& finalizers = array_at(object, {"metadata", "finalizers"});
    return std::find(finalizers.begin(), finalizers.end(), finalizer) != finalizers.end();
}

class GarbageCollector final : public Controller {
  public:
    explicit GarbageCollector(World& world)
        : world_(world),
          queue_(world.loop(), [this](const std::string& uid) { reconcile(uid); }),
          definitions_(world.verbs, world.verbs.type("customresourcedefinitions"),
                       [this](EventType, const ObjectPtr&, const ObjectPtr&) { follow_new_kinds(); }) {
        follow_new_kinds();
    }

  private:
    void follow_new_kinds() {
        for (const ResourceType* type : world_.verbs.registry().types()) {
            if (type->plural == "events" || !followed_.insert(type->serial).second) continue;
            informers_.push_back(std::make_unique<Informer>(
                world_.verbs, *type,
                [this, type](EventType event, const ObjectPtr& object, const ObjectPtr& previous) {
                    on_event(*type, event, object, previous);
                }));
        }
    }

    void on_event(const ResourceType& type, EventType event, const ObjectPtr& object,
                  const ObjectPtr& previous) {
        const Reference self{&type, namespace_of(object->json), name_of(object->json)};
        const std::string uid = uid_of(object->json);
        const Json no_owners = Json::array();
        const Json& before = previous ? array_at(previous->json, {"metadata", "ownerReferences"}) : no_owners;
        const Json& now = event == EventType::kDeleted
                              ? no_owners
                              : array_at(object->json, {"metadata", "ownerReferences"});
        if (before != now || event == EventType::kDeleted) {
            for (const Json& owner : before) forget_dependent(text_at(owner, {"uid"}), self);
            for (const Json& owner : now) {
                dependents_[text_at(owner, {"uid"})].insert(self);
                queue_.add(text_at(owner, {"uid"}));
            }
        }
        if (event == EventType::kDeleted) {
            alive_.erase(uid);
        } else {
            alive_[uid] = self;
        }
        if (dependents_.contains(uid) || is_deleting(object->json)) queue_.add(uid);
    }

    void forget_dependent(const std::string& owner, const Reference& self) {
        const auto found = dependents_.find(owner);
        if (found == dependents_.end()) return;
        found->second.erase(self);
        if (found->second.empty()) dependents_.erase(found);
        queue_.add(owner);  // A foreground deletion may wait for it.
    }

    void reconcile(const std::string& uid) {
        const auto owner = alive_.find(uid);
        const ObjectPtr object =
            owner == alive_.end()
                ? nullptr
                : world_.store().get(*owner->second.type, owner->second.ns, owner->second.name);
        const bool is_alive = object && uid_of(object->json) == uid;
        if (!is_alive) {
            // Kinds followed later may still tell of it.
            world_.loop().post([this, uid, alive = is_alive_] {
                if (*alive && !alive_.contains(uid)) collect(uid, Propagation::kBackground);
            });
            return;
        }
        if (!is_deleting(object->json)) return;
        const Reference self = owner->second;
        if (has_finalizer(object->json, "foregroundDeletion")) {
            collect(uid, Propagation::kForeground);
            if (!has_blocking_dependent(uid)) remove_finalizer(self, "foregroundDeletion");
        } else if (has_finalizer(object->json, "orphan")) {
            orphan_dependents(uid);
            remove_finalizer(self, "orphan");
        }
    }

    std::vector<Reference> dependents_of(const std::string& uid) const {
        const auto found = dependents_.find(uid);
        return found == dependents_.end()
                   ? std::vector<Reference>()
                   : std::vector<Reference>(found->second.begin(), found->second.end());
    }

    // Deletes those dependents of `uid` that no other living owner holds.
    void collect(const std::string& uid, Propagation propagation) {
        for (const Reference& each : dependents_of(uid)) {
            const ObjectPtr object = world_.store().get(*each.type, each.ns, each.name);
            if (!object || is_deleting(object->json)) continue;
            const Json& owners = array_at(object->json, {"metadata", "ownerReferences"});
            const bool is_held = std::any_of(owners.begin(), owners.end(), [&](const Json& owner) {
                return text_at(owner, {"uid"}) != uid && alive_.contains(text_at(owner, {"uid"}));
            });
            if (is_held) {
                drop_owner(each, *object, uid);
            } else {
                (void)world_.verbs.remove(*each.type, each.ns, each.name,
                                          {.uid = uid_of(object->json),
                                           .resource_version = {},
                                           .grace_seconds = {},
                                           .propagation = propagation});
            }
        }
    }

    bool has_blocking_dependent(const std::string& uid) const {
        for (const Reference& each : dependents_of(uid)) {
            const ObjectPtr object = world_.store().get(*each.type, each.ns, each.name);
            if (!object) continue;
            for (const Json& owner : array_at(object->json, {"metadata", "ownerReferences"})) {
                if (text_at(owner, {"uid"}) == uid && flag_at(owner, {"blockOwnerDeletion"})) return true;
            }
        }
        return false;
    }

    void orphan_dependents(const std::string& uid) {
        for (const Reference& each : dependents_of(uid)) {
            if (const ObjectPtr object = world_.store().get(*each.type, each.ns, each.name))
                drop_owner(each, *object, uid);
        }
    }

    void drop_owner(const Reference& dependent, const Object& object, const std::string& uid) {
        Json owners = Json::array();
        for (const Json& owner : array_at(object.json, {"metadata", "ownerReferences"})) {
            if (text_at(owner, {"uid"}) != uid) owners.push_back(owner);
        }
        (void)world_.verbs.patch(*dependent.type, dependent.ns, dependent.name, "", PatchKind::kMerge,
                                 {{"metadata", {{"ownerReferences", owners}}}});
    }

    void remove_finalizer(const Reference& self, std::string_view finalizer) {
        const ObjectPtr object = world_.store().get(*self.type, self.ns, self.name);
        if (!object) return;
        Json finalizers = Json::array();
        for (const Json& each : array_at(object->json, {"metadata", "finalizers"})) {
            if (each != finalizer) finalizers.push_back(each);
        }
        (void)world_.verbs.patch(*self.type, self.ns, self.name, "", PatchKind::kMerge,
                                 {{"metadata", {{"finalizers", finalizers}}}});
    }

    World& world_;
    WorkQueue queue_;
    std::map<std::string, std::set<Reference>> dependents_;  // By the owner's uid.
    std::map<std::string, Reference> alive_;                 // By uid.
    std::set<std::size_t> followed_;
    std::vector<std::unique_ptr<Informer>> informers_;
    Informer definitions_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);

  public:
    ~GarbageCollector() override { *is_alive_ = false; }
};

}  // namespace

ControllerPtr make_garbage_collector(World& world) {
    return std::make_unique<GarbageCollector>(world);
}

}  // namespace joiner::sim
