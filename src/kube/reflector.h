// Keeps a handler in step with one kind on the API server: a streaming watch-list, or, on servers without it,
// a list followed by a watch; bookmarks, resourceVersion, 410, silence and reconnects with jittered back-off
// are all dealt with here. Owned by control; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "base/time.h"
#include "io/loop.h"
#include "kube/client.h"

namespace joiner::kube {

// Called in the server's order. Texts are one object's JSON and live only during the call.
class ObjectHandler {
  public:
    virtual ~ObjectHandler() = default;
    // A full state follows: objects that are not seen again before end_replace() are gone.
    virtual void begin_replace() = 0;
    virtual void upsert(std::string_view json) = 0;
    virtual void remove(std::string_view json) = 0;
    // The state is complete; the first call means "synced".
    virtual void end_replace() = 0;
    // The server does not know the kind: there are no such objects now. It is asked again later.
    virtual void missing() {}
};

struct ReflectorOptions {
    std::string field_selector = {};
    std::string label_selector = {};
    std::string ns = {};  // Empty: all namespaces.
    Duration silence = std::chrono::seconds{90};
    Duration min_watch = std::chrono::seconds{290};  // timeoutSeconds is drawn between the two.
    Duration max_watch = std::chrono::seconds{590};
    Duration min_backoff = std::chrono::milliseconds{200};
    Duration max_backoff = std::chrono::seconds{30};
    std::size_t max_event_bytes =
        16u << 20;  // A longer event ends the watch; the object is reported, the rest goes on.
    std::size_t page_size = 5'000;  // Of the fallback list.
    // A kind that most clusters do without: one that we are not allowed to read is as if it were not there.
    bool is_dispensable = false;
};

class Reflector {
  public:
    Reflector(io::Loop& loop, Client& client, Resource resource, ReflectorOptions options, Rng rng,
              ObjectHandler& handler);
    ~Reflector();
    Reflector(const Reflector&) = delete;
    Reflector& operator=(const Reflector&) = delete;

    void start();
    void stop();
    // The server can be reached again: what waits for its next attempt need not wait so long.
    void retry_soon();

    bool is_synced() const;
    // Since when the stream is broken, or nullopt while it is fine. For health and for "do not act on old
    // facts".
    std::optional<WallTime> broken_since() const;
    // The last failure in one sentence; empty when all is well.
    const std::string& problem() const;

    struct Counters {
        std::uint64_t lists = 0;
        std::uint64_t watches = 0;
        std::uint64_t events = 0;
        std::uint64_t bad_events = 0;
    };
    const Counters& counters() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::kube
