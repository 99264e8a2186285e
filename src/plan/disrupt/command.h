// A disruption that is decided upon: which nodes leave, and what must be up before they may. Data, like a
// Plan; it is carried out by control/disruptor. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "plan/disrupt/candidates.h"
#include "plan/plan.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// After a move that saves nothing, as drift and expiry bring about. One that saves rests until it has paid.
inline constexpr Duration kRest = std::chrono::hours{1};

// Indexes refer to the snapshot it was planned on.
struct DisruptionCommand {
    std::string_view reason;            // One of kDisruptionReasons.
    std::vector<Candidate> leaving;     // At least one.
    std::vector<Launch> launches;       // Come up first; each is for some pod of the leaving nodes.
    std::vector<Placement> placements;  // Pods of the leaving nodes that go where there is room already.
    Duration rest = kRest;              // So long nothing moves these pods for a saving again.
    // An hour, node costs included; nullopt where it is not done for a saving.
    std::optional<rules::Money> saving = {};
    // From the deletion on: pods that are not gone by then are deleted. nullopt: as the claims say.
    std::optional<Duration> drain_bound = {};
    // Why the nodes go before what replaces them (plan/disrupt/terminate_first.h); empty where they do not.
    std::string_view terminates_first_for = {};
    // A heavier NodePool that the pods go back to (plan/disrupt/pool_return.h); empty for any other command.
    std::string returns_to = {};
};

// Where the pods of `leaving` go, whatever that costs. kUnavailable names the first pod that would have no
// place. What is done for a saving is refused too where a pool would then lack more on demand than before;
// what must be done is not, but buys on demand where that helps. REQUIRES: the snapshot was made with the
// claims of `leaving` among SnapshotInputs::leaving.
Result<DisruptionCommand> plan_replacement(const model::Snapshot& snapshot, std::vector<Candidate> leaving,
                                           std::string_view reason, const ProvisionOptions& options);

}  // namespace joiner::plan
