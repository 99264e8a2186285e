#include "sim/store.h"

#include <fmt/format.h>

#include <utility>

namespace joiner::sim {
namespace {

std::string key_of(std::string_view ns, std::string_view name) {
    return fmt::format("{}/{}", ns, name);
}

}  // namespace

const char* to_string(EventType type) {
    switch (type) {
        case EventType::kAdded:
            return "ADDED";
        case EventType::kModified:
            return "MODIFIED";
        case EventType::kDeleted:
            return "DELETED";
    }
    return "";
}

const std::shared_ptr<const std::string>& Event::line(EventType as) const {
    auto& line = lines_[static_cast<std::size_t>(as)];
    if (!line) {
        line = std::make_shared<const std::string>(
            fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", to_string(as), object->text()));
    }
    return line;
}

const Store::Collection* Store::find(const ResourceType& type) const {
    const auto found = collections_.find(type.resource_name());
    return found == collections_.end() ? nullptr : &found->second;
}

ObjectPtr Store::get(const ResourceType& type, std::string_view ns, std::string_view name) const {
    const Collection* kept = find(type);
    if (!kept) return nullptr;
    const auto found = kept->objects.find(key_of(ns, name));
    return found == kept->objects.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::list(const ResourceType& type, std::string_view ns) const {
    std::vector<ObjectPtr> result;
    const Collection* kept = find(type);
    if (!kept) return result;
    const std::string prefix = ns.empty() ? std::string() : std::string(ns) + "/";
    if (prefix.empty()) result.reserve(kept->objects.size());
    for (auto at = kept->objects.lower_bound(prefix); at != kept->objects.end(); ++at) {
        if (!at->first.starts_with(prefix)) break;
        result.push_back(at->second);
    }
    return result;
}

std::size_t Store::count(const ResourceType& type) const {
    const Collection* kept = find(type);
    return kept ? kept->objects.size() : 0;
}

std::optional<std::vector<ObjectPtr>> Store::list_at(const ResourceType& type, std::string_view ns,
                                                     Version version) const {
    const Collection* kept = find(type);
    if (!kept) return std::vector<ObjectPtr>();
    if (version < kept->known_since) return std::nullopt;
    // What changed since, turned back: the first event of an object after `version` knows its state before.
    std::map<std::string, ObjectPtr, std::less<>> before;
    for (const EventPtr& event : kept->history) {
        if (event->version <= version) continue;
        before.try_emplace(key_of(namespace_of(event->object->json), name_of(event->object->json)),
                           event->previous);
    }
    std::map<std::string, ObjectPtr, std::less<>> objects = kept->objects;
    for (auto& [key, object] : before) {
        if (object) {
            objects[key] = object;
        } else {
            objects.erase(key);
        }
    }
    std::vector<ObjectPtr> result;
    const std::string prefix = ns.empty() ? std::string() : std::string(ns) + "/";
    for (auto at = objects.lower_bound(prefix); at != objects.end() && at->first.starts_with(prefix); ++at) {
        result.push_back(at->second);
    }
    return result;
}

ObjectPtr Store::put(const ResourceType& type, Json object) {
    Collection& kept = collection(type);
    const Version version = ++version_;
    object["metadata"]["resourceVersion"] = std::to_string(version);
    ObjectPtr& slot = kept.objects[key_of(namespace_of(object), name_of(object))];
    ObjectPtr previous = std::move(slot);
    slot = std::make_shared<const Object>(std::move(object), version);
    const ObjectPtr written = slot;
    auto event = std::make_shared<Event>();
    event->type = previous ? EventType::kModified : EventType::kAdded;
    event->object = written;
    event->previous = std::move(previous);
    event->version = version;
    publish(kept, std::move(event));
    return written;
}

ObjectPtr Store::erase(const ResourceType& type, std::string_view ns, std::string_view name,
                       Json last_state) {
    Collection& kept = collection(type);
    const auto found = kept.objects.find(key_of(ns, name));
    if (found == kept.objects.end()) return nullptr;
    const Version version = ++version_;
    last_state["metadata"]["resourceVersion"] = std::to_string(version);
    auto event = std::make_shared<Event>();
    event->type = EventType::kDeleted;
    event->object = std::make_shared<const Object>(std::move(last_state), version);
    event->previous = std::move(found->second);
    event->version = version;
    kept.objects.erase(found);
    ObjectPtr gone = event->object;
    publish(kept, std::move(event));
    return gone;
}

void Store::publish(Collection& kept, EventPtr event) {
    kept.history.push_back(event);
    if (kept.history.size() > history_) {
        kept.known_since = kept.history.front()->version;
        kept.history.pop_front();
    }
    for (const auto& [id, listener] : kept.listeners) listener(event);
}

Store::ListenerId Store::listen(const ResourceType& type, Listener listener) {
    const ListenerId id = next_listener_++;
    collection(type).listeners.emplace(id, std::move(listener));
    return id;
}

void Store::forget(const ResourceType& type, ListenerId id) {
    collection(type).listeners.erase(id);
}

std::optional<std::vector<EventPtr>> Store::events_since(const ResourceType& type, Version version) const {
    const Collection* kept = find(type);
    if (!kept) return std::vector<EventPtr>();
    if (version < kept->known_since) return std::nullopt;
    std::vector<EventPtr> events;
    for (auto at = kept->history.rbegin(); at != kept->history.rend() && (*at)->version > version; ++at)
        events.push_back(*at);
    return std::vector<EventPtr>(events.rbegin(), events.rend());
}

void Store::compact(const ResourceType& type) {
    Collection& kept = collection(type);
    kept.history.clear();
    kept.known_since = version_;
}

}  // namespace joiner::sim
