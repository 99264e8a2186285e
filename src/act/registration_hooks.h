// Asks the provider's registration hooks about a claim, all at once, until each has said that it is done.
// Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "act/services.h"

namespace joiner::act {

class RegistrationHooks {
  public:
    explicit RegistrationHooks(Services& services) : services_(services) {}

    bool are_done(const api::NodeClaim& claim) const;
    // Asks those that are not done, unless an answer is on its way or it is too early to ask again. What has
    // not been answered within a minute is asked again. The claim is reconciled again when there is an
    // answer.
    void ask(const api::NodeClaim& claim);
    void forget(const std::string& claim) { states_.erase(claim); }

  private:
    struct State {
        std::set<std::string, std::less<>> done;  // Names of hooks.
        std::uint64_t round = 0;  // An answer to an earlier one tells what is done, and no more.
        std::size_t in_flight = 0;
        WallTime asked_at = kNoTime;
        WallTime not_before = kNoTime;
    };
    void answer(const std::string& claim, std::uint64_t round, const std::string& hook,
                const Result<Duration>& wait);

    Services& services_;
    std::uint64_t rounds_ = 0;
    std::map<std::string, State> states_;  // By claim.
};

}  // namespace joiner::act
