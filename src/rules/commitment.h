// Money that is spent already: reserved instances and Savings Plans. An on-demand machine that an unused part
// of one covers costs nothing more. Value types; any thread. Source: AWS's published order in which discounts
// apply and its normalisation factors.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/instance_type.h"
#include "rules/money.h"

namespace joiner::rules {

// In the order in which AWS applies them.
enum class CommitmentKind { kZonalReserved, kRegionalReserved, kFamilyPlan, kComputePlan };

struct Commitment {
    std::string name;
    CommitmentKind kind = CommitmentKind::kZonalReserved;
    std::string instance_type = {};  // Of reserved instances.
    std::string zone = {};           // Of zonal ones.
    std::string family = {};         // Of a plan for one family.
    std::string os = "linux";        // As the label kubernetes.io/os has it.
    // How much there is, without what others use: thousandths of the size "small" where sizes of a family
    // share it, thousandths of an instance of others, nano-dollars an hour of plans.
    std::int64_t amount = 0;
    // What an hour takes of a plan, by type; of other types the price less the discount (0.3 is 30 %).
    // A type with neither is not covered.
    std::map<std::string, Money, std::less<>> rates = {};
    std::optional<double> discount = std::nullopt;

    bool is_plan() const {
        return kind == CommitmentKind::kFamilyPlan || kind == CommitmentKind::kComputePlan;
    }
};
using Commitments = std::vector<Commitment>;

// What `count` instances of the type come to as a commitment's `amount`.
std::int64_t reserved_amount(CommitmentKind kind, std::string_view instance_type, std::string_view os,
                             std::int64_t count);

// How much of the commitment an hour of such a machine takes, in the unit of `amount`; 0: it does not cover
// it. `price`: on demand.
std::int64_t units_taken(const Commitment& commitment, const InstanceType& type, std::string_view zone,
                         std::string_view os, Money price);

// A machine on demand, with the shared tenancy.
struct PaidMachine {
    const InstanceType* type = nullptr;
    std::string zone;
    std::string os = "linux";
    Money price;  // On demand.
};

struct CommitmentUse {
    std::vector<std::int64_t> left;  // Of each commitment.
    std::vector<double> uncovered;   // Of each machine: the part of its price that is paid on top, 0 to 1.
};

// Reserved instances first, zonal before regional, then plans, those of a family first; of a plan the largest
// discount first, of sizes of a family the smallest first. Of machines alike the first come first: what
// stands last in `machines` is what costs.
CommitmentUse use_commitments(const Commitments& commitments, const std::vector<PaidMachine>& machines);

}  // namespace joiner::rules
