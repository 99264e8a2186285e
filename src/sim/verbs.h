// What can be done to objects, with the API server's rules: creates, updates, patches, deletions and the
// special subresources. This is the in-process interface that the controllers of the pretend world use;
// ApiServer puts HTTP in front of it. Loop thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "io/loop.h"
#include "sim/kind_rules.h"
#include "sim/patch.h"
#include "sim/selector.h"
#include "sim/store.h"

namespace joiner::sim {

struct WriteOptions {
    bool is_dry_run = false;
    bool is_strict = false;                       // Unknown fields are refused.
    std::vector<std::string>* unknown = nullptr;  // Where to note them otherwise.
};

enum class Propagation { kDefault, kBackground, kForeground, kOrphan };

struct DeleteOptions {
    std::string uid;               // Precondition, when not empty.
    std::string resource_version;  // Likewise.
    std::optional<std::int64_t> grace_seconds;
    Propagation propagation = Propagation::kDefault;
    bool is_dry_run = false;
};

struct Deletion {
    ObjectPtr object;
    bool is_gone = false;  // Else it is on its way out.
};

class Verbs {
  public:
    // `seed` makes uids and generated names.
    Verbs(io::Loop& loop, Store& store, Registry& registry, std::uint64_t seed);
    Verbs(const Verbs&) = delete;
    Verbs& operator=(const Verbs&) = delete;

    Answer<ObjectPtr> get(const ResourceType& type, std::string_view ns, std::string_view name) const;
    Answer<ObjectPtr> create(const ResourceType& type, std::string_view ns, Json object,
                             const WriteOptions& options = {});
    // `subresource` is empty or "status". `was_created` (may be nullptr) tells a create by update.
    Answer<ObjectPtr> update(const ResourceType& type, std::string_view ns, std::string_view name,
                             std::string_view subresource, Json object, const WriteOptions& options = {},
                             bool* was_created = nullptr);
    Answer<ObjectPtr> patch(const ResourceType& type, std::string_view ns, std::string_view name,
                            std::string_view subresource, PatchKind kind, const Json& patch,
                            const WriteOptions& options = {}, bool* was_created = nullptr);
    Answer<Deletion> remove(const ResourceType& type, std::string_view ns, std::string_view name,
                            const DeleteOptions& options = {});
    // Returns what was deleted, or marked.
    Answer<std::vector<ObjectPtr>> remove_all(const ResourceType& type, std::string_view ns,
                                              const Selector& selector, const DeleteOptions& options);

    // pods/binding and pods/eviction, with the bodies a client posts.
    Answer<void> bind(std::string_view ns, std::string_view pod, const Json& binding);
    Answer<void> evict(std::string_view ns, std::string_view pod, const Json& eviction);
    // The Scale of an object, and what a changed Scale does to it.
    Answer<Json> get_scale(const ResourceType& type, std::string_view ns, std::string_view name) const;
    Answer<Json> put_scale(const ResourceType& type, std::string_view ns, std::string_view name,
                           const Json& scale, const WriteOptions& options = {});
    // namespaces/finalize.
    Answer<ObjectPtr> finalize_namespace(std::string_view name, const Json& object);

    // Shorter, for kinds that are always there: "pods", "deployments.apps".
    const ResourceType& type(std::string_view resource_name) const;
    const Store& store() const { return store_; }
    // As Store's, for the controllers.
    Store::ListenerId listen(const ResourceType& type, Store::Listener listener) {
        return store_.listen(type, std::move(listener));
    }
    void forget(const ResourceType& type, Store::ListenerId id) { store_.forget(type, id); }
    const Registry& registry() const { return registry_; }
    io::Loop& loop() const { return loop_; }

  private:
    AdmissionContext admission() const { return {store_, registry_, loop_.now()}; }
    std::string new_uid();
    std::string generated_name(std::string_view prefix);

    Answer<void> decode(const ResourceType& type, Json& object, const WriteOptions& options) const;
    Answer<void> check_identity(const ResourceType& type, std::string_view ns, std::string_view name,
                                Json& object) const;
    Answer<void> check_namespace(const ResourceType& type, std::string_view ns, std::string_view name) const;
    Answer<ObjectPtr> finish_update(const ResourceType& type, const ObjectPtr& old,
                                    std::string_view subresource, Json object, const WriteOptions& options);
    Answer<ObjectPtr> commit(const ResourceType& type, Json object, const WriteOptions& options);
    Answer<void> mark_deleted(const ResourceType& type, Json& object, const DeleteOptions& options,
                              bool& is_gone) const;
    ObjectPtr erase(const ResourceType& type, Json object);
    void remove_custom_objects(const Json& definition);
    Answer<void> decrement_budget(const ObjectPtr& pod, const ObjectPtr& budget);

    io::Loop& loop_;
    Store& store_;
    Registry& registry_;
    Rng rng_;
};

}  // namespace joiner::sim
