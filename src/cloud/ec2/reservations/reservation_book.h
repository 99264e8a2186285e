// How many machines each capacity reservation has room for: as EC2 said last, less what has been launched
// since. A value, kept by the provider; loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cloud/ec2/calls/instance.h"
#include "cloud/ec2/calls/network.h"

namespace joiner::cloud::ec2 {

// Whether the instance holds a place in a reservation because it was launched into it. One that EC2 took into
// an open reservation by itself is an on-demand instance to us.
bool is_reserved(const InstanceInfo& info);

class ReservationBook {
  public:
    // What EC2 has answered to questions asked at `asked_at`: reservations, and all instances of the cluster.
    void note(const std::vector<CapacityReservation>& found, const std::vector<InstanceInfo>& instances,
              Duration asked_at, Duration now);
    void launched(const InstanceInfo& info, Duration now);
    void ended(const std::string& instance_id);
    // EC2 has refused a launch for want of room.
    void is_full(const std::string& id);

    // Machines that may be launched into it now.
    int free(const std::string& id) const;
    // What planners are told: what is free, and what this cluster's machines of its type and zone hold, in
    // this or another one. They charge each reservation with all reserved machines of its type and zone, so
    // what is left to them is what is free.
    int capacity(const std::string& id) const;
    // Changes with any capacity().
    int version() const { return version_; }

  private:
    struct Reservation {
        std::string type;
        std::string zone;
        int free = 0;
        Duration seen_at{0};
    };
    struct Holder {
        std::string reservation;
        std::pair<std::string, std::string> place;  // Type and zone.
        std::optional<Duration> launched_at;        // Where this process launched it.
    };
    void publish();

    std::map<std::string, Reservation> reservations_;  // By id.
    std::map<std::string, Holder> holders_;            // By instance id.
    std::map<std::string, int> capacities_;            // As they were published last.
    int version_ = 0;
};

}  // namespace joiner::cloud::ec2
