// The text of watch streams and lists, taken apart: lines into events, events into a type and the object's
// raw text. Knows no network and no clock, so that it can be fuzzed. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner::kube {

struct WatchEvent {
    enum class Type { kAdded, kModified, kDeleted, kBookmark, kError };
    Type type = Type::kAdded;
    std::string_view object;            // One object's JSON; of kError a metav1.Status.
    std::string_view resource_version;  // Never empty, but for kError.
    bool ends_initial_events = false;   // A bookmark that says: the state so far is complete.
};

class WatchParser {
  public:
    // What an event says, or why it could not be read: such a one stood for an object that nobody knows.
    // Views live during the call. False: enough, nothing more of this stream is wanted.
    using Sink = std::function<bool(const Result<WatchEvent>&)>;

    explicit WatchParser(std::size_t max_event_bytes);
    ~WatchParser();
    WatchParser(const WatchParser&) = delete;
    WatchParser& operator=(const WatchParser&) = delete;

    // Takes the next piece of the stream, cut anywhere. An event longer than `max_event_bytes` is reported as
    // bad when its bound is passed, and skipped to its end. REQUIRES: not called from within `sink`.
    void feed(std::string_view data, const Sink& sink);
    // Whether the stream, if it ended here, would end in the middle of an event.
    bool is_inside_event() const;
    // Forgets what was fed, for a new stream.
    void reset();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

struct ListMeta {
    std::string resource_version;
    std::string continue_token;  // Empty: this was the last page.
};

// Hands each item of a list to `on_item`, in order; a false return ends the reading with an empty result.
// `body` needs room to grow by some bytes. An error may come after items have been handed over: those then
// say nothing about the whole.
Result<ListMeta> parse_list(std::string& body, const std::function<bool(std::string_view)>& on_item);

}  // namespace joiner::kube
