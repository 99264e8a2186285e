// Nodes that go before what replaces them, because there is no room for both at a time: on a reservation that
// is full, or in a static pool at its limits.nodes. Pure. Source: Karpenter's gates TerminateFirstDrift and
// TerminateFirstRepair.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "model/reservations.h"
#include "rules/instance_type.h"

namespace joiner::plan {

// Which disruptions may be done so.
struct TerminateFirst {
    bool drift = false;
    bool repair = false;

    // `reason`: one of kDisruptionReasons.
    bool allows(std::string_view reason) const;
};

// What leaves no room, as metrics name it.
inline constexpr std::string_view kNoReservedCapacity = "no-reserved-capacity";
inline constexpr std::string_view kStaticAtLimit = "static-at-limit";

// How many more nodes there is room for where all that the pool may buy is reserved; nullopt where it may buy
// other things, even if they are not to be had at the moment.
std::optional<std::int64_t> reservation_room(const api::NodePool& pool,
                                             const std::vector<rules::InstanceType>& types,
                                             const model::ReservationsUsed& used);

// When the claim is gone, its pool may buy what it holds of a reservation.
bool gives_back_reservation(const api::NodeClaim& claim, const api::NodePool& pool,
                            const std::vector<rules::InstanceType>& types);

}  // namespace joiner::plan
