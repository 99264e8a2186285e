// Keeps one hand off an object while the other's work is on its way: an object is left alone while a request
// about it is in flight, until our own watch shows what the request wrote, and for a while after a failure.
// So a step is never repeated only because the watch is late. Loop thread.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"

namespace joiner::act {

class Settling {
  public:
    bool may_act(const std::string& key, std::string_view seen_version, WallTime now) {
        const auto it = states_.find(key);
        if (it == states_.end()) return true;
        State& state = it->second;
        if (state.in_flight) return false;
        if (now >= state.until) return true;
        return state.failures == 0 && number(seen_version) >= state.version;
    }
    void begin(const std::string& key) { states_[key].in_flight = true; }
    // The request was done; `version` is the object's new resourceVersion, empty when it has none (it is
    // gone).
    void done(const std::string& key, std::string_view version, WallTime now) {
        states_[key] = {false, version.empty() ? ~std::uint64_t{0} : number(version), now + kWatchPatience,
                        0};
    }
    void failed(const std::string& key, WallTime now, Duration at_least = {}) {
        State& state = states_[key];
        state.in_flight = false;
        state.failures = std::min(state.failures + 1, 9);
        state.until =
            now + std::max(at_least, std::min<Duration>(kFirstRetry * (1 << state.failures), kLastRetry));
    }
    void forget(const std::string& key) {
        const auto it = states_.find(key);
        if (it != states_.end() && !it->second.in_flight) states_.erase(it);
    }

  private:
    static constexpr Duration kWatchPatience = std::chrono::seconds{5};
    static constexpr Duration kFirstRetry = std::chrono::milliseconds{50};
    static constexpr Duration kLastRetry = std::chrono::seconds{20};

    struct State {
        bool in_flight = false;
        std::uint64_t version = 0;
        WallTime until = kNoTime;
        int failures = 0;
    };
    // Resource versions of one kind grow as numbers (since Kubernetes 1.35 by contract, before by habit).
    static std::uint64_t number(std::string_view version) {
        std::uint64_t out = 0;
        std::from_chars(version.data(), version.data() + version.size(), out);
        return out;
    }

    std::unordered_map<std::string, State> states_;
};

}  // namespace joiner::act
