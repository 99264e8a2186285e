// What is kept: objects by kind and name, one counter of versions, and the recent history of each kind, from
// which watches start and consistent pages of lists are read. Objects are immutable and shared. Loop thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/json.h"
#include "sim/resource_type.h"

namespace joiner::sim {

using Version = std::uint64_t;

class Object {
  public:
    Object(Json object, Version at) : json(std::move(object)), version(at) {}

    const Json json;
    const Version version;
    // Serialised at the first call, and kept for all who ask later.
    const std::string& text() const {
        if (text_.empty()) text_ = to_text(json);
        return text_;
    }

  private:
    mutable std::string text_;
};
using ObjectPtr = std::shared_ptr<const Object>;

enum class EventType { kAdded, kModified, kDeleted };

struct Event {
    EventType type = EventType::kAdded;
    ObjectPtr object;    // Of a deletion: the last state, with the deletion's own version.
    ObjectPtr previous;  // Null for kAdded.
    Version version = 0;

    // The line of a watch stream, shared by all watchers who see the event as `as`.
    const std::shared_ptr<const std::string>& line(EventType as) const;

  private:
    mutable std::shared_ptr<const std::string> lines_[3];
};
using EventPtr = std::shared_ptr<const Event>;

const char* to_string(EventType type);

class Store {
  public:
    // `history` events of each kind are kept for watches to start from.
    explicit Store(std::size_t history) : history_(history) {}
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    // Of the last write to anything.
    Version version() const { return version_; }
    // The version the next write will get.
    Version next_version() const { return version_ + 1; }

    ObjectPtr get(const ResourceType& type, std::string_view ns, std::string_view name) const;
    // In order of namespace and name; of all namespaces when `ns` is empty.
    std::vector<ObjectPtr> list(const ResourceType& type, std::string_view ns = {}) const;
    std::size_t count(const ResourceType& type) const;
    // As it was right after `version`; nullopt when the history no longer goes back so far.
    std::optional<std::vector<ObjectPtr>> list_at(const ResourceType& type, std::string_view ns,
                                                  Version version) const;

    // Sets metadata.resourceVersion and tells the listeners.
    ObjectPtr put(const ResourceType& type, Json object);
    ObjectPtr erase(const ResourceType& type, std::string_view ns, std::string_view name, Json last_state);

    using Listener = std::function<void(const EventPtr&)>;
    using ListenerId = std::uint64_t;
    // Called from inside put() and erase(): it must neither write nor listen, only take note.
    ListenerId listen(const ResourceType& type, Listener listener);
    void forget(const ResourceType& type, ListenerId id);
    // What came after `version`; nullopt when the history no longer goes back so far.
    std::optional<std::vector<EventPtr>> events_since(const ResourceType& type, Version version) const;
    // Drops the history of a kind, so that watches from before find it gone.
    void compact(const ResourceType& type);

  private:
    struct Collection {
        std::map<std::string, ObjectPtr, std::less<>> objects;  // By "namespace/name".
        std::deque<EventPtr> history;
        Version known_since = 0;  // History is whole from here on.
        std::map<ListenerId, Listener> listeners;
    };

    Collection& collection(const ResourceType& type) { return collections_[type.resource_name()]; }
    const Collection* find(const ResourceType& type) const;
    void publish(Collection& collection, EventPtr event);

    std::size_t history_;
    Version version_ = 0;
    ListenerId next_listener_ = 1;
    std::unordered_map<std::string, Collection> collections_;
};

}  // namespace joiner::sim
