#include "control/binding_windows.h"

#include <algorithm>

#include "rules/conditions.h"

namespace joiner::control {
namespace {

// What the scheduler's watch of pods may be behind its watch of nodes: this, and more where our own pods come
// late to us.
constexpr Duration kSettle = std::chrono::seconds{2};
constexpr Duration kLongestSettle = std::chrono::seconds{30};
constexpr int kLagsToWait = 5;
// How long a node stays closed for the sake of pods that are meant for others.
constexpr Duration kLongestDraw = std::chrono::seconds{10};
constexpr Duration kOverdue = std::chrono::seconds{30};
// After an outage the scheduler comes back to its watches one by one, each after a back-off (client-go: up to
// 30 s, doubled by its jitter). Until then it may see a node and not the pods on it, so none is opened to it.
constexpr Duration kLeastHold = std::chrono::seconds{5};
constexpr Duration kLongestHold = std::chrono::seconds{65};

}  // namespace

const model::NodeState* BindingWindows::node_of(const std::string& claim) const {
    const model::ClaimState* state = cluster_.find_claim(claim);
    return state == nullptr ? nullptr : cluster_.node_of(state->claim);
}

bool BindingWindows::holds_pods(const model::NodeState& node) const {
    return std::any_of(node.pods.begin(), node.pods.end(),
                       [](const auto& one) { return !one.second->is_daemon && !one.second->is_mirror; });
}

void BindingWindows::note_outage(Duration lasted, WallTime now) {
    hold_until_ = now + std::clamp<Duration>(2 * lasted + kLeastHold, kLeastHold, kLongestHold);
}

bool BindingWindows::may_open(const std::string& claim, WallTime now) {
    if (are_kept_closed_ || places_.keeps_closed(claim)) return false;
    const model::NodeState* node = node_of(claim);
    // Pods that are still to be made are waited for, but not for ever.
    const bool some_come = coming_.keeps_closed(claim) && !is_overdue(claim, now);
    if (node == nullptr || planned_.has_claim(claim) || some_come || !binder_.is_quiet(claim)) {
        full_since_.erase(claim);
        return false;
    }
    if (now < hold_until_) return false;
    const Duration closed = now - full_since_.try_emplace(claim, now).first->second;
    const Duration settle = std::min<Duration>(kLongestSettle, kSettle + kLagsToWait * binder_.lag(now));
    if (closed < settle && holds_pods(*node)) return false;
    // Pods that wait for their own nodes would be put here, by a scheduler that is behind even where there is
    // no room left; what was bought for them would stay empty.
    return closed >= kLongestDraw || !planned_.any_bindable_fits(node->allocatable);
}

bool BindingWindows::is_overdue(const std::string& claim, WallTime now) const {
    const model::ClaimState* state = cluster_.find_claim(claim);
    if (state == nullptr) return false;
    const api::Condition* registered = api::find_condition(state->claim.conditions, "Registered");
    return registered != nullptr && registered->status == "True" &&
           now - registered->last_transition >= kOverdue;
}

}  // namespace joiner::control
