// A static pool (spec.replicas) keeps as many nodes as it says, whether pods ask for them or not: which
// claims are missing, which are too many, and which drifted ones may be replaced one for one. Pure. Source:
// Karpenter's documented static capacity.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/terminate_first.h"

namespace joiner::plan {

struct StaticPoolFacts {
    const model::Cluster& cluster;
    const api::NodePool& pool;  // REQUIRES: with replicas.
    // Claims that a command under way removes: their replacements stand in for them already.
    const model::ClaimNames& leaving;
    std::int64_t creating = 0;  // Claims of the pool that were asked for and are not seen yet.
};

struct StaticPoolPlan {
    std::int64_t launches = 0;        // So many more claims, straight from the template.
    std::vector<std::string> remove;  // Claims too many, in the order they go.
    std::string shortage;             // Why fewer are launched than are missing; empty when none is.
    // How many more claims limits.nodes leaves room for, after `launches`.
    std::int64_t room = 0;
};

StaticPoolPlan plan_static_pool(const StaticPoolFacts& facts, WallTime now);

// How many more claims the reservations leave room for, where the pool may use nothing else; nullopt: they
// set no limit. Claims that are not launched yet will take theirs.
std::optional<std::int64_t> reservation_room(const DisruptionFacts& disruption, const StaticPoolFacts& facts);

// What leaves no room for a replacement beside the nodes there are: kNoReservedCapacity, kStaticAtLimit, or
// empty, where there is room. nullopt while the pool has more claims than replicas: a replacement is up or
// coming up, and the surplus has to go first.
std::optional<std::string_view> replacement_obstacle(const DisruptionFacts& disruption,
                                                     const StaticPoolFacts& facts);
// In the words of a sentence's end, "… leaves no room"; empty for none.
std::string obstacle_in_words(std::string_view obstacle, const api::NodePool& pool);
// Whether room comes of it when the claim goes first.
bool makes_room(const api::NodeClaim& claim, std::string_view obstacle, const DisruptionFacts& disruption,
                const StaticPoolFacts& facts);

struct StaticDrift {
    std::vector<Candidate> candidates;  // Those without pods first, then by how long they have been drifted.
    // As replacement_obstacle(): none of them can be replaced by one that comes first.
    std::string_view obstacle;
    // Those that would make no room by going first; they are no candidates.
    std::vector<Candidate> in_vain;
};

// What may be replaced, one for one.
StaticDrift plan_static_drift(const DisruptionFacts& disruption, const StaticPoolFacts& facts, WallTime now);

}  // namespace joiner::plan
