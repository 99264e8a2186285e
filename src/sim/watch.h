// One open watch: the state so far where that is asked for, then every change that its selector sees,
// bookmarks, and its end. Owned by ApiServer; loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "io/loop.h"
#include "sim/exchange.h"
#include "sim/selector.h"
#include "sim/store.h"

namespace joiner::sim {

// How objects are shown to a client.
enum class View { kWhole, kTable, kMetadata };

struct WatchOptions {
    const ResourceType* type = nullptr;
    std::string ns;
    Selector selector;
    View view = View::kWhole;
    std::optional<Version> from;  // Nullopt: the state now, then what comes.
    bool sends_initial_events = false;
    bool marks_initial_end = false;  // With a bookmark.
    bool allows_bookmarks = false;
    Duration timeout{0};
    Duration bookmark_interval{0};
};

class Watch {
  public:
    // The stream is started with the first line; from there on this listens to the store.
    Watch(io::Loop& loop, Store& store, WatchOptions options, std::shared_ptr<Exchange> exchange);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Nothing more will be sent; the owner may drop it.
    bool is_over() const { return is_over_ || exchange_->is_closed(); }
    void end();

  private:
    void start();
    void on_event(const EventPtr& event);
    void send(EventType type, const ObjectPtr& object);
    void send_bookmark(bool ends_initial_events);
    void send_expired();
    bool sees(const Json& object) const;
    Json shown(const Json& object);
    void set_bookmark_timer();

    io::Loop& loop_;
    Store& store_;
    WatchOptions options_;
    std::shared_ptr<Exchange> exchange_;
    Store::ListenerId listener_ = 0;
    io::TimerId bookmark_timer_ = 0;
    io::TimerId end_timer_ = 0;
    bool is_over_ = false;
    bool has_sent_columns_ = false;
};

}  // namespace joiner::sim
