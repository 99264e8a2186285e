// The one call that we make to Application Recovery Controller: which zones a cluster's traffic is shifted
// away from. See calls/ec2.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "cloud/ec2/aws/error.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

struct ShiftedZone {
    std::string zone_id;      // "use1-az1"
    bool is_applied = false;  // And not another one in its place.
    std::optional<WallTime> expires = {};

    friend bool operator==(const ShiftedZone&, const ShiftedZone&) = default;
};

class ArcZonalShift {
  public:
    explicit ArcZonalShift(aws::Client& client) : client_(client) {}
    // Shifts that people asked for, and those that AWS began. kNotFound: ARC does not look after the cluster.
    void get_managed_resource(const std::string& arn, aws::Done<std::vector<ShiftedZone>> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
