// The rules of EC2's capacity reservations: which of them a class selects, how long one may be launched into,
// and what it costs. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/node_class.h"
#include "rules/money.h"
#include "rules/requirement.h"

namespace joiner::cloud::ec2 {

// EC2 ends what runs in a capacity block so long before the block does; nothing is launched into it, and its
// nodes go, ten minutes before that.
inline constexpr Duration kBlockReclaim = std::chrono::minutes{30};
inline constexpr Duration kBlockExpiry = std::chrono::minutes{40};

// The preference of what is launched into a reservation, and nowhere else.
inline constexpr std::string_view kReservationsOnly = "capacity-reservations-only";

struct ReservationQuestion {
    std::vector<std::string> ids;
    Filters filters;
};
// One for each term: an id that EC2 does not know spoils no other.
std::vector<ReservationQuestion> reservation_questions(const std::vector<ReservationTerm>& terms);

// As the class's status names it; nullopt: it has ended, or is none that can be launched into.
std::optional<StatusReservation> usable_reservation(const CapacityReservation& found, WallTime now);

// In the order in which a launch prefers them where they cost the same.
enum class ReservationKind { kDefault, kCapacityBlock, kInterruptible };
ReservationKind kind_of(const StatusReservation& reservation);

// It is paid for already, so next to nothing; still, the larger machine costs more.
rules::Money reserved_price(rules::Money on_demand);

// The labels of nodes in one of these; with none of them, that there must be no such label.
void add_reservation_labels(const std::vector<StatusReservation>& reservations, rules::Requirements& out);
// Whether it is one of those labels.
bool is_reservation_label(std::string_view key);

}  // namespace joiner::cloud::ec2
