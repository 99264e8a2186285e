#include "control/pool_doubts.h"

#include <algorithm>

namespace joiner::control {
namespace {

constexpr int kFreeTries = 2;
constexpr Duration kFirstDoubt = std::chrono::hours{1};
constexpr Duration kLongestDoubt = std::chrono::hours{4};

}  // namespace

void PoolDoubts::note_failed(const std::string& pool, WallTime bought, const std::string& why, WallTime now) {
    const auto [it, is_first] = failing_.try_emplace(pool);
    Failing& failing = it->second;
    failing.doubt.why = why;
    if (!is_first && bought < failing.failed_at) return;
    // To the second, as claims say when they were made.
    failing.failed_at = std::chrono::floor<std::chrono::seconds>(now);
    if (++failing.doubt.tries < kFreeTries) return;
    Duration distance = kFirstDoubt;
    for (int i = kFreeTries; i < failing.doubt.tries && distance < kLongestDoubt; ++i) distance *= 2;
    failing.doubt.until = now + std::min(distance, kLongestDoubt);
}

void PoolDoubts::note_up(const std::string& pool, WallTime at) {
    const auto it = failing_.find(pool);
    if (it != failing_.end() && at >= it->second.failed_at) failing_.erase(it);
}

const PoolDoubts::Doubt* PoolDoubts::find(const std::string& pool, WallTime now) const {
    const auto it = failing_.find(pool);
    return it == failing_.end() || now >= it->second.doubt.until ? nullptr : &it->second.doubt;
}

std::optional<WallTime> PoolDoubts::next_end(WallTime now) const {
    std::optional<WallTime> out;
    for (const auto& [pool, failing] : failing_) {
        const WallTime until = failing.doubt.until;
        if (until > now) out = std::min(out.value_or(until), until);
    }
    return out;
}

plan::Reason as_reason(const PoolDoubts::Doubt& doubt, const std::string& pool) {
    return {.rule = plan::Rule::kPoolInDoubt,
            .object = "NodePool " + pool,
            .detail = doubt.why,
            .amounts = {{"tries", doubt.tries}},
            .until = doubt.until};
}

}  // namespace joiner::control
