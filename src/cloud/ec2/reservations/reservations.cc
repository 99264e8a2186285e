#include "cloud/ec2/reservations/reservations.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cloud/ec2/launch/launcher.h"
#include "cloud/ec2/reservations/reservation_rules.h"

namespace joiner::cloud::ec2 {

void Reservations::look(const std::vector<ReservationTerm>& terms,
                        aws::Done<std::vector<StatusReservation>> done) {
    if (terms.empty()) return done(std::vector<StatusReservation>());
    struct Join {
        std::size_t left;
        aws::Answer<std::vector<CapacityReservation>> all = std::vector<CapacityReservation>();
    };
    const std::vector<ReservationQuestion> questions = reservation_questions(terms);
    const auto join = std::make_shared<Join>(Join{questions.size()});
    const Duration asked_at = loop_.monotonic();
    for (const ReservationQuestion& question : questions)
        ec2_.describe_capacity_reservations(
            question.ids, question.filters,
            [this, join, asked_at, done,
             is_alive = is_alive_](const aws::Answer<std::vector<CapacityReservation>>& found) {
                if (!*is_alive) return;
                // An id that EC2 does not know selects nothing.
                if (!found && found.error().kind != ErrorKind::kNotFound)
                    join->all = found;
                else if (found && join->all)
                    join->all->insert(join->all->end(), found->begin(), found->end());
                if (--join->left > 0) return;
                if (!join->all) return done(tl::unexpected<aws::CallError>(join->all.error()));
                on_found(std::move(*join->all), asked_at, done);
            });
}

void Reservations::on_found(std::vector<CapacityReservation> found, Duration asked_at,
                            aws::Done<std::vector<StatusReservation>> done) {
    const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
    const auto same_id = [](const auto& a, const auto& b) { return a.id == b.id; };
    std::sort(found.begin(), found.end(), by_id);
    found.erase(std::unique(found.begin(), found.end(), same_id), found.end());
    std::vector<StatusReservation> usable;
    for (const CapacityReservation& each : found) {
        if (auto one = usable_reservation(each, loop_.now())) usable.push_back(std::move(*one));
    }
    instances_.list([this, found = std::move(found), usable = std::move(usable), asked_at,
                     done = std::move(done),
                     is_alive = is_alive_](const aws::Answer<std::vector<InstanceInfo>>& listed) {
        if (!*is_alive) return;
        if (!listed) return done(tl::unexpected<aws::CallError>(listed.error()));
        change([&] { book_.note(found, *listed, asked_at, loop_.monotonic()); });
        tell_of_expiring(usable, *listed);
        done(usable);
    });
}

void Reservations::tell_of_expiring(const std::vector<StatusReservation>& usable,
                                    const std::vector<InstanceInfo>& instances) {
    for (const StatusReservation& reservation : usable) {
        if (!reservation.is_expiring) continue;
        for (const InstanceInfo& each : instances) {
            if (!is_reserved(each) || each.reservation_id != reservation.id) continue;
            const WallTime deadline = *reservation.ends - kBlockReclaim;
            reports_.happened({InstanceEvent::Kind::kInterruption, provider_id(each.zone, each.id), deadline,
                               "CapacityReservationExpiring",
                               fmt::format("EC2 ends what runs in the capacity block {} at {}",
                                           reservation.id, format_rfc3339(deadline))});
        }
    }
}

void Reservations::change(const std::function<void()>& make) {
    const int before = book_.version();
    make();
    if (book_.version() != before) reports_.offers_changed();
}

}  // namespace joiner::cloud::ec2
