// Prices as Pricing (GetProducts) and EC2 (DescribeSpotPriceHistory) say them. Value types; any thread.
#pragma once

#include <string>

#include "base/time.h"
#include "rules/money.h"

namespace joiner::cloud::ec2 {

struct OnDemandPrice {
    std::string type;
    rules::Money per_hour;

    friend bool operator==(const OnDemandPrice&, const OnDemandPrice&) = default;
};

struct SpotPrice {
    std::string type;
    std::string zone;
    rules::Money per_hour;
    WallTime since = kNoTime;

    friend bool operator==(const SpotPrice&, const SpotPrice&) = default;
};

}  // namespace joiner::cloud::ec2
