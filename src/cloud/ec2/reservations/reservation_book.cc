#include "cloud/ec2/reservations/reservation_book.h"

#include <algorithm>
#include <utility>

#include "cloud/ec2/reservations/reservation_rules.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

// An instance that was launched may not be listed for so long.
constexpr Duration kListedBy = minutes{2};
// A reservation that no class finds any more is forgotten.
constexpr Duration kForgottenAfter = minutes{10};

}  // namespace

bool is_reserved(const InstanceInfo& info) {
    return info.spot_request.empty() && info.lifecycle != "spot" && !info.reservation_id.empty() &&
           info.reservation_preference == kReservationsOnly;
}

void ReservationBook::note(const std::vector<CapacityReservation>& found,
                           const std::vector<InstanceInfo>& instances, Duration asked_at, Duration now) {
    std::erase_if(holders_, [&](const auto& each) {
        const std::optional<Duration> launched_at = each.second.launched_at;
        return !launched_at || asked_at - *launched_at >= kListedBy;
    });
    for (const InstanceInfo& each : instances) {
        const bool has_ended = each.state == "shutting-down" || each.state == "terminated";
        if (has_ended) holders_.erase(each.id);
        if (has_ended || !is_reserved(each)) continue;
        Holder& holder = holders_[each.id];
        holder.reservation = each.reservation_id;
        holder.place = {each.type, each.zone};
    }
    for (const CapacityReservation& each : found) {
        const auto later = std::count_if(holders_.begin(), holders_.end(), [&](const auto& item) {
            const std::optional<Duration> launched_at = item.second.launched_at;
            return item.second.reservation == each.id && launched_at && *launched_at >= asked_at;
        });
        reservations_[each.id] = {each.type, each.zone, std::max(0, each.available - static_cast<int>(later)),
                                  now};
    }
    std::erase_if(reservations_,
                  [&](const auto& each) { return now - each.second.seen_at >= kForgottenAfter; });
    publish();
}

void ReservationBook::launched(const InstanceInfo& info, Duration now) {
    holders_[info.id] = {info.reservation_id, {info.type, info.zone}, now};
    if (const auto it = reservations_.find(info.reservation_id); it != reservations_.end())
        it->second.free = std::max(0, it->second.free - 1);
    publish();
}

void ReservationBook::ended(const std::string& instance_id) {
    const auto holder = holders_.find(instance_id);
    if (holder == holders_.end()) return;
    if (const auto it = reservations_.find(holder->second.reservation); it != reservations_.end())
        ++it->second.free;
    holders_.erase(holder);
    publish();
}

void ReservationBook::is_full(const std::string& id) {
    if (const auto it = reservations_.find(id); it != reservations_.end()) it->second.free = 0;
    publish();
}

int ReservationBook::free(const std::string& id) const {
    const auto it = reservations_.find(id);
    return it == reservations_.end() ? 0 : it->second.free;
}

int ReservationBook::capacity(const std::string& id) const {
    const auto it = capacities_.find(id);
    return it == capacities_.end() ? 0 : it->second;
}

void ReservationBook::publish() {
    std::map<std::pair<std::string, std::string>, int> held;
    for (const auto& [id, holder] : holders_) ++held[holder.place];
    std::map<std::string, int> capacities;
    for (const auto& [id, each] : reservations_) capacities[id] = each.free + held[{each.type, each.zone}];
    if (capacities == capacities_) return;
    capacities_ = std::move(capacities);
    ++version_;
}

}  // namespace joiner::cloud::ec2
