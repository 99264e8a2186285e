#include "rules/commitment.h"

#include <gmock/gmock.h>

namespace joiner::rules {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::Pointwise;

InstanceType a_type(const std::string& name, std::int64_t cpus = 2) {
    InstanceType out;
    out.name = name;
    out.capacity.cpu_milli = cpus * 1000;
    return out;
}

Commitment reserved(const std::string& name, const std::string& type, std::int64_t count,
                    const std::string& zone = "") {
    const auto kind = zone.empty() ? CommitmentKind::kRegionalReserved : CommitmentKind::kZonalReserved;
    return {.name = name,
            .kind = kind,
            .instance_type = type,
            .zone = zone,
            .amount = reserved_amount(kind, type, "linux", count)};
}

Commitment a_plan(const std::string& name, double dollars, const std::string& family = "") {
    return {.name = name,
            .kind = family.empty() ? CommitmentKind::kComputePlan : CommitmentKind::kFamilyPlan,
            .family = family,
            .amount = Money::from_dollars(dollars).nanos,
            .discount = 0.5};
}

TEST(Commitment, takes_by_type_zone_and_size) {
    struct Case {
        const char* what;
        Commitment commitment;
        InstanceType type;
        const char* zone;
        const char* os;
        std::int64_t units;
    };
    Commitment windows = reserved("w", "m5.large", 1);
    windows.os = "windows";
    windows.amount = reserved_amount(windows.kind, "m5.large", "windows", 1);
    Commitment rated = a_plan("r", 1);
    rated.rates["m5.large"] = Money::from_dollars(0.07);
    rated.discount.reset();
    const Case cases[] = {
        {"zonal", reserved("z", "m5.large", 1, "a"), a_type("m5.large"), "a", "linux", 1000},
        {"zonal elsewhere", reserved("z", "m5.large", 1, "a"), a_type("m5.large"), "b", "linux", 0},
        {"zonal, another size", reserved("z", "m5.large", 1, "a"), a_type("m5.xlarge"), "a", "linux", 0},
        {"zonal, zone unknown", reserved("z", "m5.large", 1, "a"), a_type("m5.large"), "", "linux", 0},
        {"regional", reserved("r", "m5.large", 1), a_type("m5.large"), "b", "linux", 4000},
        {"regional, larger", reserved("r", "m5.large", 1), a_type("m5.12xlarge"), "b", "linux", 96'000},
        {"regional, smallest", reserved("r", "t3.large", 1), a_type("t3.nano"), "b", "linux", 250},
        {"regional, metal", reserved("r", "m5.large", 1), a_type("m5.metal", 96), "b", "linux", 192'000},
        {"regional, sized metal", reserved("r", "m7i.large", 1), a_type("m7i.metal-24xl", 96), "b", "linux",
         192'000},
        {"regional, another family", reserved("r", "m5.large", 1), a_type("m5a.large"), "b", "linux", 0},
        {"regional, another system", reserved("r", "m5.large", 1), a_type("m5.large"), "b", "windows", 0},
        {"fixed sizes", reserved("g", "g5.xlarge", 1), a_type("g5.xlarge"), "b", "linux", 1000},
        {"fixed sizes, larger", reserved("g", "g5.xlarge", 1), a_type("g5.2xlarge"), "b", "linux", 0},
        {"Windows has fixed sizes", windows, a_type("m5.large"), "b", "windows", 1000},
        {"Windows, larger", windows, a_type("m5.xlarge"), "b", "windows", 0},
        {"a plan for all", a_plan("p", 1), a_type("m5.large"), "a", "linux", 50'000'000},
        {"a plan for its family", a_plan("p", 1, "m5"), a_type("m5.large"), "a", "linux", 50'000'000},
        {"a plan for another", a_plan("p", 1, "c5"), a_type("m5.large"), "a", "linux", 0},
        {"a rate", rated, a_type("m5.large"), "a", "linux", 70'000'000},
        {"no rate", rated, a_type("m5.xlarge"), "a", "linux", 0},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(units_taken(c.commitment, c.type, c.zone, c.os, Money::from_dollars(0.1)), c.units)
            << c.what;
    }
    EXPECT_EQ(reserved("r", "m5.large", 3).amount, 12'000);
    EXPECT_EQ(reserved("z", "m5.large", 3, "a").amount, 3'000);
}

TEST(Commitment, is_used_in_the_order_in_which_aws_applies_them) {
    const InstanceType large = a_type("m5.large");
    const InstanceType small = a_type("t3.small");
    const auto machine = [](const InstanceType& type, const char* zone, double price) {
        return PaidMachine{&type, zone, "linux", Money::from_dollars(price)};
    };
    const std::vector<PaidMachine> machines = {machine(large, "a", 0.1), machine(large, "a", 0.1),
                                               machine(large, "b", 0.1), machine(large, "b", 0.1),
                                               machine(small, "b", 0.02)};
    struct Case {
        const char* what;
        Commitments commitments;
        std::vector<std::int64_t> left;
        std::vector<double> uncovered;
    };
    Commitment rated = a_plan("plan", 0.06);
    rated.rates["t3.small"] = Money::from_dollars(0.005);
    const Case cases[] = {
        {"none", {}, {}, {1, 1, 1, 1, 1}},
        {"the first of machines alike", {reserved("r", "m5.large", 3)}, {0}, {0, 0, 0, 1, 1}},
        {"zonal before regional",
         {reserved("r", "m5.large", 1), reserved("z", "m5.large", 1, "a")},
         {0, 0},
         {0, 0, 1, 1, 1}},
        {"what nobody needs is left", {reserved("z", "m5.large", 3, "a")}, {1000}, {0, 0, 1, 1, 1}},
        {"reserved before plans, a family's first",
         {a_plan("p", 0.1), a_plan("f", 0.05, "m5"), reserved("r", "m5.large", 1)},
         {0, 0, 0},
         {0, 0, 0, 0, 1}},
        {"a part of a machine", {a_plan("p", 0.06, "m5")}, {0}, {0, 0.8, 1, 1, 1}},
        {"of a plan the largest discount first", {rated}, {0}, {0, 0.9, 1, 1, 0}},
        {"half a large one", {reserved("r", "m5.medium", 1)}, {0}, {0.5, 1, 1, 1, 1}},
    };
    for (const Case& c : cases) {
        const CommitmentUse use = use_commitments(c.commitments, machines);
        EXPECT_EQ(use.left, c.left) << c.what;
        EXPECT_THAT(use.uncovered, Pointwise(DoubleNear(1e-9), c.uncovered)) << c.what;
    }
}

}  // namespace
}  // namespace joiner::rules
