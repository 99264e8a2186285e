// Tells clouds which node each of their instances has become, where they want to hear it, and writes what
// they answer onto the claim. Five a second at most, so that many nodes at once are no storm of calls. It
// also shows them what each node says of itself. Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "act/services.h"

namespace joiner::control {

class NodeHerald {
  public:
    explicit NodeHerald(act::Services& services) : services_(services) {}

    // It may have registered by now.
    void claim_changed(const std::string& claim);
    void forget(const std::string& claim);

  private:
    // nullptr: there is nothing to tell.
    const api::NodeClaim* to_tell(const std::string& claim) const;
    void stop_telling(const std::string& claim);
    void show_node(const std::string& claim);
    void tell_next();
    void tell_later(Duration pause);
    void failed(const std::string& claim, const Error& error);
    void write(const std::string& claim, const api::StringMap& annotations);

    act::Services& services_;
    // The memory that the claim's node had when the cloud took note of it, in bytes; by claim.
    std::map<std::string, std::int64_t> shown_;
    std::set<std::string> waiting_;  // Claims.
    struct Told {
        WallTime not_before = kNoTime;  // When to tell again at the soonest.
        int failures = 0;               // In a row.
    };
    std::map<std::string, Told> told_;  // By claim.
    int under_way_ = 0;
    WallTime next_ = kNoTime;  // Nobody is told before.
    bool is_pausing_ = false;
};

}  // namespace joiner::control
