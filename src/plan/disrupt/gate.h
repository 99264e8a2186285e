// The one gate that all voluntary disruption passes: the pools' budgets, counted over every reason at once,
// their pauses, how many of their pods may be moved in an hour, and the pools that are held because what was
// launched for them lately did not come up. Made anew for each look. Pure; loop thread, because it reads the
// Cluster. Source: Karpenter's documented disruption budgets; the rest is ours.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/candidate.h"

namespace joiner::plan {

// Budgets name these, and so do events, metrics and the DisruptionReason condition.
inline constexpr std::string_view kDrifted = "Drifted";
inline constexpr std::string_view kEmpty = "Empty";
inline constexpr std::string_view kUnderutilized = "Underutilized";
inline constexpr std::string_view kUnhealthy = "Unhealthy";
inline constexpr std::string_view kExpired = "Expired";  // Ours.
inline constexpr std::string_view kDisruptionReasons[] = {kEmpty, kDrifted, kUnderutilized, kUnhealthy,
                                                          kExpired};

struct GateFacts {
    const model::Cluster& cluster;
    // Claims that a command under way removes: on their way out, though nothing is deleted yet.
    const model::ClaimNames& leaving;
    // Pools that nothing is launched for just to replace something, and why, in one sentence.
    const std::map<std::string, std::string, std::less<>>& held_pools;
    // Pods of each pool that were moved by choice within the last hour.
    const std::map<std::string, std::int64_t, std::less<>>& moved_lately;
    // When the first of those is an hour old, by pool.
    std::map<std::string, WallTime, std::less<>> pace_eases = {};
};

class DisruptionGate {
  public:
    DisruptionGate(const GateFacts& facts, WallTime now);

    // How many more nodes of the pool may be disrupted for `reason`, with those admitted so far counted.
    std::int64_t left(const std::string& pool, std::string_view reason) const;
    // Why no node of the pool may be disrupted for `reason` at all now, in one sentence; empty when budgets
    // leave some, even where those are used up.
    std::string closed(const std::string& pool, std::string_view reason) const;
    // Why nothing of the pool may be disrupted by choice, budgets aside; empty when it may.
    std::string paused(const std::string& pool) const;
    // The same for a command under way, which a hold on new ones does not stop: the pool's pause, or budgets
    // that leave none.
    std::string forbidden(const std::string& pool, std::string_view reason) const;
    // What the pool's budgets allow for `reason`, whatever is under way.
    std::int64_t allowed(const std::string& pool, std::string_view reason) const;
    // Whether it is closed; notes the refusal.
    bool refuses(const std::string& pool, std::string_view reason);
    // Counts the nodes as disrupted and their pods as moved, if the gate lets all of them through; else none.
    bool admit(const std::vector<Candidate>& leaving, std::string_view reason);

    struct Refusal {
        std::string pool;
        std::string why;  // One sentence.
    };
    // Pools that were asked for and may not be touched at all now, by budget, by their pace or because they
    // are held; each pool and sentence once. A budget that is merely used up is not among them.
    std::vector<Refusal> refusals() const;

  private:
    struct Use {
        std::int64_t nodes = 0;
        std::int64_t disrupted = 0;
        std::int64_t unready = 0;  // Of the others.
        std::int64_t moved = 0;    // Pods, of those admitted.
    };
    Use use_of(std::string_view pool) const;
    // Why so many more pods of the pool may not be moved now; empty when they may.
    std::string pace_obstacle(const std::string& pool, std::int64_t pods) const;

    const GateFacts facts_;
    WallTime now_;
    std::map<std::string, Use, std::less<>> use_;
    std::set<std::pair<std::string, std::string>> refusals_;
};

}  // namespace joiner::plan
