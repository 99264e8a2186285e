// Which zones traffic has been shifted away from, as Amazon's Application Recovery Controller says of the
// cluster: nothing new is bought there. Asked each half minute, where the settings want it. Borrows the
// calls. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/calls/zonal_shift.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class ZonalShift {
  public:
    // `on_change`: away_from() has changed.
    ZonalShift(io::Loop& loop, Eks& eks, ArcZonalShift& arc, std::string cluster_name,
               std::function<void()> on_change)
        : loop_(loop),
          eks_(eks),
          arc_(arc),
          cluster_name_(std::move(cluster_name)),
          on_change_(std::move(on_change)) {}
    ~ZonalShift() { *is_alive_ = false; }
    ZonalShift(const ZonalShift&) = delete;
    ZonalShift& operator=(const ZonalShift&) = delete;

    // From now on, for good. Does nothing the second time.
    void start();
    // Ids of zones ("use1-az1").
    const std::set<std::string>& away_from() const { return away_from_; }
    // Rises with each change.
    int version() const { return version_; }
    // Of the last question; nullopt: it was answered.
    const std::optional<Error>& problem() const { return problem_; }

  private:
    void find_cluster();
    void look();
    void again();

    io::Loop& loop_;
    Eks& eks_;
    ArcZonalShift& arc_;
    const std::string cluster_name_;
    const std::function<void()> on_change_;
    std::string arn_;
    bool is_started_ = false;
    std::set<std::string> away_from_;
    int version_ = 0;
    std::optional<Error> problem_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

// Of the shifts that ARC names, those that are in force.
std::set<std::string> zones_shifted_away(const std::vector<ShiftedZone>& shifts, WallTime now);

}  // namespace joiner::cloud::ec2
