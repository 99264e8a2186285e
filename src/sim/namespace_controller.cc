#include "sim/controllers.h"

namespace joiner::sim {
namespace {

class NamespaceController final : public Controller {
  public:
    explicit NamespaceController(World& world)
        : world_(world),
          type_(world.verbs.type("namespaces")),
          queue_(world.loop(), [this](const std::string& name) { reconcile(name); }),
          namespaces_(world.verbs, type_, [this](EventType type, const ObjectPtr& each, const ObjectPtr&) {
              if (type != EventType::kDeleted && is_deleting(each->json)) queue_.add(name_of(each->json));
          }) {}

  private:
    void reconcile(const std::string& name) {
        const ObjectPtr ns = world_.store().get(type_, "", name);
        if (!ns || !is_deleting(ns->json)) return;
        bool is_empty = true;
        for (const ResourceType* type : std::vector<const ResourceType*>(world_.verbs.registry().types())) {
            if (!type->is_namespaced) continue;
            (void)world_.verbs.remove_all(*type, name, {},
                                          {.uid = {},
                                           .resource_version = {},
                                           .grace_seconds = {},
                                           .propagation = Propagation::kBackground});
            is_empty = is_empty && world_.store().list(*type, name).empty();
        }
        if (!is_empty) return queue_.add_after(name, std::chrono::seconds{1});
        (void)world_.verbs.finalize_namespace(name, {{"spec", {{"finalizers", Json::array()}}}});
    }

    World& world_;
    const ResourceType& type_;
    WorkQueue queue_;
    Informer namespaces_;
};

}  // namespace

ControllerPtr make_namespace_controller(World& world) {
    return std::make_unique<NamespaceController>(world);
}

}  // namespace joiner::sim
