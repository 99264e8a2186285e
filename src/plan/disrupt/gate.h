// The one gate that all voluntary disruption passes: the pools' budgets, counted over every reason at once,
// their pauses, how many of their pods may be moved in an hour, and the pools that are held because what was
// launched for them lately did not come up. Made anew for each look. Pure; loop thread, because it reads the
// Cluster. Source: Karpenter's documented disruption budgets; the rest is ours.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/candidate.h"
#include "plan/reason.h"

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
    // Why no node of the pool may be disrupted for `reason` at all now; nullopt when budgets leave some, even
    // where those are used up.
    std::optional<Reason> closed(const std::string& pool, std::string_view reason) const;
    // Why nothing of the pool may be disrupted by choice, budgets aside; nullopt when it may.
    std::optional<Reason> paused(const std::string& pool) const;
    // The same for a command under way, which a hold on new ones does not stop: the pool's pause, or budgets
    // that leave none.
    std::optional<Reason> forbidden(const std::string& pool, std::string_view reason) const;
    // What the pool's budgets allow for `reason`, whatever is under way.
    std::int64_t allowed(const std::string& pool, std::string_view reason) const;
    // Nodes that count against the budgets for `reason`, those admitted so far among them.
    std::int64_t under_way(const std::string& pool, std::string_view reason) const;
    // Nodes of the pool that percentages of its budgets are of.
    std::int64_t nodes(const std::string& pool) const { return use_of(pool).nodes; }
    // Whether it is closed; notes the refusal.
    bool refuses(const std::string& pool, std::string_view reason);
    // Counts the nodes as disrupted and their pods as moved, if the gate lets all of them through; else none.
    bool admit(const std::vector<Candidate>& leaving, std::string_view reason);
    // Why it does not let them through; empty when it does.
    Reasons obstacles(const std::vector<Candidate>& leaving, std::string_view reason) const;

    struct Answer {
        std::string pool;
        std::string_view reason;  // One of kDisruptionReasons.
        Reasons refusals;         // Empty: it may be touched.
    };
    // Of each pool that was asked for, whether it may be touched at all now, by budget, by its pace or
    // because it is held. A budget that is merely used up is no refusal.
    std::vector<Answer> answers() const;
    struct Refusal {
        std::string pool;
        Reason why;
    };
    // Those of all answers, each of a pool once.
    std::vector<Refusal> refusals() const;

  private:
    struct Use {
        std::int64_t nodes = 0;
        std::int64_t disrupted = 0;
        std::int64_t unready = 0;  // Of the others.
        std::int64_t moved = 0;    // Pods, of those admitted.
    };
    Use use_of(std::string_view pool) const;
    struct Wish {
        std::int64_t nodes = 0;
        std::int64_t pods = 0;
    };
    static std::map<std::string, Wish> wishes_of(const std::vector<Candidate>& leaving);
    // Why so many more pods of the pool may not be moved now; nullopt when they may.
    std::optional<Reason> pace_obstacle(const std::string& pool, std::int64_t pods) const;
    Reasons& answer(const std::string& pool, std::string_view reason);

    const GateFacts facts_;
    WallTime now_;
    std::map<std::string, Use, std::less<>> use_;
    std::map<std::pair<std::string, std::string_view>, Reasons> answers_;
};

}  // namespace joiner::plan
