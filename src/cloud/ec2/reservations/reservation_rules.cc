#include "cloud/ec2/reservations/reservation_rules.h"

#include <algorithm>
#include <set>

#include "cloud/ec2/classes/selectors.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::int64_t kShareOfPrice = 10'000'000;

void add(std::string_view key, const std::set<std::string>& values, rules::Requirements& out) {
    if (values.empty())
        out.add(rules::Requirement::does_not_exist(std::string(key)));
    else
        out.add(rules::Requirement::in(std::string(key), {values.begin(), values.end()}));
}

}  // namespace

std::vector<ReservationQuestion> reservation_questions(const std::vector<ReservationTerm>& terms) {
    std::vector<ReservationQuestion> out;
    for (const ReservationTerm& term : terms) {
        if (!term.id.empty()) {
            out.push_back({{term.id}, {}});
            continue;
        }
        Filters filters = tag_filters(term.tags);
        if (!term.owner.empty()) filters.push_back({"owner-id", {term.owner}});
        if (!term.match_criteria.empty())
            filters.push_back({"instance-match-criteria", {term.match_criteria}});
        filters.push_back({"state", {"active"}});
        out.push_back({{}, std::move(filters)});
    }
    return out;
}

std::optional<StatusReservation> usable_reservation(const CapacityReservation& found, WallTime now) {
    if (found.state != "active" || (found.ends && *found.ends <= now)) return std::nullopt;
    if (found.match_criteria != "open" && found.match_criteria != "targeted") return std::nullopt;
    if (found.kind != "default" && found.kind != "capacity-block") return std::nullopt;
    StatusReservation out;
    out.id = found.id;
    out.zone = found.zone;
    out.type = found.type;
    out.owner = found.owner;
    out.match_criteria = found.match_criteria;
    out.kind = found.kind;
    out.is_interruptible = found.is_interruptible;
    out.ends = found.ends;
    out.is_expiring = found.kind == "capacity-block" && found.ends && *found.ends - now <= kBlockExpiry;
    return out;
}

ReservationKind kind_of(const StatusReservation& reservation) {
    if (reservation.kind == "capacity-block") return ReservationKind::kCapacityBlock;
    return reservation.is_interruptible ? ReservationKind::kInterruptible : ReservationKind::kDefault;
}

rules::Money reserved_price(rules::Money on_demand) {
    return {(on_demand.nanos + kShareOfPrice - 1) / kShareOfPrice};
}

void add_reservation_labels(const std::vector<StatusReservation>& reservations, rules::Requirements& out) {
    std::set<std::string> ids;
    std::set<std::string> kinds;
    std::set<std::string> interruptible;
    for (const StatusReservation& each : reservations) {
        ids.insert(each.id);
        kinds.insert(each.kind);
        interruptible.insert(each.is_interruptible ? "true" : "false");
    }
    add(kReservationLabel, ids, out);
    add(kReservationTypeLabel, kinds, out);
    add(kReservationInterruptibleLabel, interruptible, out);
}

bool is_reservation_label(std::string_view key) {
    return key == kReservationLabel || key == kReservationTypeLabel || key == kReservationInterruptibleLabel;
}

}  // namespace joiner::cloud::ec2
