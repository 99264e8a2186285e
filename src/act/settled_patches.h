// Patches of objects whose own fields we keep true (pools, overlays, buffers, node classes): one request at a
// time an object, which is then left alone until the watch shows what was written. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "act/services.h"
#include "act/settling.h"

namespace joiner::act {

class SettledPatches {
  public:
    explicit SettledPatches(Services& services) : services_(services) {}

    // Nothing about the object is on its way, and our facts of it are not older than our last write.
    bool may_send(const kube::Resource& resource, const api::ObjectMeta& seen);
    // What changed nothing is not sent again while the object stays as it is, and `after` hears nothing then.
    // `body` is a merge patch. `after` hears whether the object is another by it. REQUIRES: may_send().
    void send(const kube::Resource& resource, const api::ObjectMeta& seen, std::string_view subresource,
              std::string body, std::function<void(bool is_changed)> after = {});

  private:
    Services& services_;
    // A patch that the server took and that changed nothing.
    struct Dropped {
        std::string version;
        std::uint64_t digest = 0;
        friend bool operator==(const Dropped&, const Dropped&) = default;
    };
    Settling settling_;  // By the object's path.
    std::map<std::string, Dropped> dropped_;
};

// The end of a request about the object: it is left alone until the watch shows what was written, or for a
// while. `what` was to be done.
void settle(Services& services, Settling& settling, const std::string& key, const Result<std::string>& result,
            std::string_view what);

}  // namespace joiner::act
