#include "sim/watch.h"

#include <fmt/format.h>

#include <utility>

#include "sim/table.h"

namespace joiner::sim {
namespace {

std::shared_ptr<const std::string> line_of(std::string_view type, const Json& object) {
    return std::make_shared<const std::string>(
        fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, to_text(object)));
}

}  // namespace

Watch::Watch(io::Loop& loop, Store& store, WatchOptions options, std::shared_ptr<Exchange> exchange)
    : loop_(loop), store_(store), options_(std::move(options)), exchange_(std::move(exchange)) {
    exchange_->start(200, "application/json");
    start();
    if (is_over_) return;
    listener_ = store_.listen(*options_.type, [this](const EventPtr& event) { on_event(event); });
    if (options_.timeout > Duration{0}) end_timer_ = loop_.after(options_.timeout, [this] { end(); });
    if (options_.allows_bookmarks) set_bookmark_timer();
}

Watch::~Watch() {
    end();
}

void Watch::end() {
    if (listener_ != 0) store_.forget(*options_.type, std::exchange(listener_, 0));
    loop_.cancel(bookmark_timer_);
    loop_.cancel(end_timer_);
    if (std::exchange(is_over_, true)) return;
    if (!exchange_->is_closed()) exchange_->end();
}

void Watch::start() {
    if (options_.sends_initial_events) {
        for (const ObjectPtr& object : store_.list(*options_.type, options_.ns)) {
            if (sees(object->json)) send(EventType::kAdded, object);
        }
        if (options_.marks_initial_end) send_bookmark(true);
        return;
    }
    if (!options_.from) return;
    const auto missed = store_.events_since(*options_.type, *options_.from);
    if (!missed) return send_expired();
    for (const EventPtr& event : *missed) on_event(event);
}

bool Watch::sees(const Json& object) const {
    if (!options_.ns.empty() && namespace_of(object) != options_.ns) return false;
    return options_.selector.selects_all() || matches(options_.selector, object);
}

// An object that comes to match, or no longer does, appears and disappears for this watcher.
void Watch::on_event(const EventPtr& event) {
    if (is_over()) return;
    const bool is_seen = event->type != EventType::kDeleted && sees(event->object->json);
    const bool was_seen = event->previous && sees(event->previous->json);
    if (!is_seen && !was_seen) return;
    const EventType as = !was_seen ? EventType::kAdded : is_seen ? EventType::kModified : EventType::kDeleted;
    if (as == EventType::kDeleted && event->type != EventType::kDeleted) {
        // The last state it was seen in, at the version of the change that took it out of sight.
        Json last = event->previous->json;
        last["metadata"]["resourceVersion"] = std::to_string(event->version);
        exchange_->chunk(line_of(to_string(as), shown(last)));
    } else if (options_.view == View::kWhole) {
        exchange_->chunk(event->line(as));
    } else {
        send(as, event->object);
    }
}

void Watch::send(EventType type, const ObjectPtr& object) {
    if (options_.view == View::kWhole) {
        exchange_->chunk(std::make_shared<const std::string>(
            fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", to_string(type), object->text())));
    } else {
        exchange_->chunk(line_of(to_string(type), shown(object->json)));
    }
}

Json Watch::shown(const Json& object) {
    switch (options_.view) {
        case View::kWhole:
            return object;
        case View::kMetadata:
            return metadata_only(object);
        case View::kTable:
            return table_of(*options_.type, {&object}, loop_.now(), !std::exchange(has_sent_columns_, true));
    }
    return object;
}

void Watch::send_bookmark(bool ends_initial_events) {
    Json metadata = {{"resourceVersion", std::to_string(store_.version())}, {"creationTimestamp", nullptr}};
    if (ends_initial_events) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
    Json object = {
        {"kind", options_.type->kind}, {"apiVersion", options_.type->api_version()}, {"metadata", metadata}};
    if (options_.view == View::kTable) {
        object = table_of(*options_.type, {}, loop_.now(), !std::exchange(has_sent_columns_, true));
        object["metadata"] = {{"resourceVersion", metadata["resourceVersion"]}};
    }
    if (options_.view == View::kMetadata) object = metadata_only(object);
    exchange_->chunk(line_of("BOOKMARK", object));
}

void Watch::send_expired() {
    const Refusal refusal =
        expired(fmt::format("too old resource version: {} ({})", *options_.from, store_.version()));
    exchange_->chunk(line_of("ERROR", status_of(refusal.value())));
    end();
}

void Watch::set_bookmark_timer() {
    bookmark_timer_ = loop_.after(options_.bookmark_interval, [this] {
        if (is_over()) return;
        send_bookmark(false);
        set_bookmark_timer();
    });
}

}  // namespace joiner::sim
