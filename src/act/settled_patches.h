// Patches of objects whose own fields we keep true (pools, overlays, buffers, node classes): one request at a
// time an object, which is then left alone until the watch shows what was written. Loop thread.
#pragma once

#include <functional>
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
    // `body` is a merge patch. `after` hears whether the object is another by it. REQUIRES: may_send().
    void send(const kube::Resource& resource, const api::ObjectMeta& seen, std::string_view subresource,
              std::string body, std::function<void(bool is_changed)> after = {});

  private:
    Services& services_;
    Settling settling_;  // By the object's path.
};

// The end of a request about the object: it is left alone until the watch shows what was written, or for a
// while. `what` was to be done.
void settle(Services& services, Settling& settling, const std::string& key, const Result<std::string>& result,
            std::string_view what);

}  // namespace joiner::act
