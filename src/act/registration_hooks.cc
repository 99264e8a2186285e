#include "act/registration_hooks.h"

#include <algorithm>

namespace joiner::act {
namespace {

constexpr Duration kRetry = std::chrono::seconds{5};
constexpr Duration kPatience = std::chrono::minutes{1};

}  // namespace

bool RegistrationHooks::are_done(const api::NodeClaim& claim) const {
    const std::vector<cloud::RegistrationHook*> hooks =
        services_.providers.of(claim.node_class).registration_hooks();
    const auto state = states_.find(claim.meta.name);
    return std::all_of(hooks.begin(), hooks.end(), [&](const cloud::RegistrationHook* hook) {
        return state != states_.end() && state->second.done.contains(hook->name());
    });
}

void RegistrationHooks::ask(const api::NodeClaim& claim) {
    const std::string name = claim.meta.name;
    State& state = states_[name];
    const WallTime now = services_.loop.now();
    if ((state.in_flight > 0 && now - state.asked_at < kPatience) || now < state.not_before) return;
    std::vector<cloud::RegistrationHook*> open =
        services_.providers.of(claim.node_class).registration_hooks();
    std::erase_if(open, [&](const auto* hook) { return state.done.contains(hook->name()); });
    state.in_flight = open.size();
    state.not_before = kNoTime;
    state.asked_at = now;
    state.round = ++rounds_;
    for (cloud::RegistrationHook* hook : open) {
        hook->ask(claim, [this, name, round = state.round, hook_name = std::string(hook->name())](
                             const Result<Duration>& wait) { answer(name, round, hook_name, wait); });
    }
}

void RegistrationHooks::answer(const std::string& claim, std::uint64_t round, const std::string& hook,
                               const Result<Duration>& wait) {
    const auto it = states_.find(claim);
    if (it == states_.end()) return;
    State& state = it->second;
    if (state.round != round) {
        if (wait && wait->count() <= 0) state.done.insert(hook);
        return;
    }
    --state.in_flight;
    if (!wait) services_.notices.failed("ask registration hook " + hook, wait.error());
    if (wait && wait->count() <= 0) {
        state.done.insert(hook);
    } else {
        // The shortest wait of all.
        const WallTime again = services_.loop.now() + wait.value_or(kRetry);
        state.not_before = state.not_before == kNoTime ? again : std::min(state.not_before, again);
    }
    if (state.in_flight == 0) services_.reconcile_claim(claim);
}

}  // namespace joiner::act
