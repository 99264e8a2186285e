#include "control/disruption_ledger.h"

#include <utility>

namespace joiner::control {
namespace {

// A node whose pods had no place is not tried again before, and others get their turn.
constexpr Duration kTryAgain = std::chrono::seconds{30};

}  // namespace

plan::DisruptionGate DisruptionLedger::gate() {
    const WallTime now = loop_.now();
    const Moves::Counts& moved = moves_.within_the_hour(now);
    return plan::DisruptionGate({cluster_, leaving_, held_pools_, moved, moves_.eases()}, now);
}

void DisruptionLedger::set_claims(model::ClaimNames leaving, model::ClaimNames in_commands) {
    leaving_ = std::move(leaving);
    in_commands_ = std::move(in_commands);
}

void DisruptionLedger::put_off(const std::string& claim) {
    not_before_[claim] = loop_.now() + kTryAgain;
}

bool DisruptionLedger::is_put_off(const std::string& claim) const {
    const auto it = not_before_.find(claim);
    return it != not_before_.end() && loop_.now() < it->second;
}

void DisruptionLedger::put_pool_off(const std::string& pool) {
    pool_not_before_[pool] = loop_.now() + kTryAgain;
}

bool DisruptionLedger::is_pool_put_off(const std::string& pool) const {
    const auto it = pool_not_before_.find(pool);
    return it != pool_not_before_.end() && loop_.now() < it->second;
}

void DisruptionLedger::note_launch(const std::string& pool, bool has_come_up) {
    if (has_come_up) {
        breaker_.succeeded(pool, plan::Breaker::Trouble::kLaunch);
    } else {
        breaker_.failed(pool, plan::Breaker::Trouble::kLaunch, loop_.now());
    }
}

void DisruptionLedger::note_consolidated(const std::string& pool, bool has_strays) {
    if (has_strays) {
        fruitless_.failed(pool, plan::Breaker::Trouble::kStrays, loop_.now());
    } else {
        fruitless_.succeeded(pool, plan::Breaker::Trouble::kStrays);
    }
}

void DisruptionLedger::reconcile() {
    const WallTime now = loop_.now();
    // A change of the pool is a new beginning.
    for (const auto& [name, state] : cluster_.our_pools()) {
        const auto [known, is_new] = pool_generations_.try_emplace(name, state.pool.meta.generation);
        if (is_new || known->second == state.pool.meta.generation) continue;
        known->second = state.pool.meta.generation;
        breaker_.forget(name);
        fruitless_.forget(name);
    }
    held_pools_ = breaker_.held(now);
    for (auto* put_off : {&not_before_, &pool_not_before_})
        std::erase_if(*put_off, [&](const auto& item) { return item.second <= now; });
}

}  // namespace joiner::control
