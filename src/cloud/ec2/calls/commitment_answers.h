// What an account has paid for already, as EC2 (DescribeReservedInstances) and Savings Plans
// (DescribeSavingsPlans, DescribeSavingsPlanRates) say it. Value types; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "rules/money.h"

namespace joiner::cloud::ec2 {

struct ReservedInstances {
    std::string id;
    std::string type;     // Of instance.
    std::string scope;    // "Region" or "Availability Zone".
    std::string zone;     // Of the second; some answers name the zone's id alone.
    std::string product;  // "Linux/UNIX", "Windows (Amazon VPC)", ...
    std::string tenancy;  // "default" or "dedicated".
    std::string state;    // "active", ...
    std::int64_t count = 0;
    std::optional<WallTime> ends;

    friend bool operator==(const ReservedInstances&, const ReservedInstances&) = default;
};

struct SavingsPlan {
    std::string id;
    std::string kind;       // "Compute", "EC2Instance", ...
    std::string state;      // "active", ...
    std::string region;     // Of an EC2Instance plan.
    std::string family;     // Likewise: "c7g".
    rules::Money per_hour;  // What is committed, in the currency of the price lists.
    std::optional<WallTime> ends;

    friend bool operator==(const SavingsPlan&, const SavingsPlan&) = default;
};

// What an hour of a shared machine of Linux takes of a plan in one region.
struct SavingsPlanRate {
    std::string type;
    rules::Money per_hour;

    friend bool operator==(const SavingsPlanRate&, const SavingsPlanRate&) = default;
};

}  // namespace joiner::cloud::ec2
