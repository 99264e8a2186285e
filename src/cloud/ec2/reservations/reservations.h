// The capacity reservations that classes select: what EC2 says of them, once a minute while a class is looked
// at, and what runs in them. Tells of nodes in a capacity block that is about to end. Borrows the calls. Loop
// thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cloud/ec2/class_status.h"
#include "cloud/ec2/instances/instances.h"
#include "cloud/ec2/node_class.h"
#include "cloud/ec2/reservations/reservation_book.h"
#include "cloud/reports.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class Reservations {
  public:
    Reservations(io::Loop& loop, Ec2& ec2, Instances& instances, Reports& reports)
        : loop_(loop), ec2_(ec2), instances_(instances), reports_(reports) {}
    ~Reservations() { *is_alive_ = false; }
    Reservations(const Reservations&) = delete;
    Reservations& operator=(const Reservations&) = delete;

    // Those that the terms select and that can be launched into, by id. May come from inside the call, where
    // there are no terms.
    void look(const std::vector<ReservationTerm>& terms, aws::Done<std::vector<StatusReservation>> done);

    const ReservationBook& book() const { return book_; }
    void launched(const InstanceInfo& info) {
        change([&] { book_.launched(info, loop_.monotonic()); });
    }
    void ended(const std::string& instance_id) {
        change([&] { book_.ended(instance_id); });
    }
    void is_full(const std::string& id) {
        change([&] { book_.is_full(id); });
    }

  private:
    void on_found(std::vector<CapacityReservation> found, Duration asked_at,
                  aws::Done<std::vector<StatusReservation>> done);
    void tell_of_expiring(const std::vector<StatusReservation>& usable,
                          const std::vector<InstanceInfo>& instances);
    void change(const std::function<void()>& make);

    io::Loop& loop_;
    Ec2& ec2_;
    Instances& instances_;
    Reports& reports_;
    ReservationBook book_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
