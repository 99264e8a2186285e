#include "model/commitments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "api/names.h"
#include "model/make_snapshot.h"

namespace joiner::model {
namespace {

using rules::Commitment;
using rules::CommitmentKind;
using rules::InstanceType;
using rules::Money;
using rules::Requirement;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

rules::Offering sold(const std::string& zone, std::string_view capacity_type, double dollars) {
    rules::Offering out;
    out.requirements.add(Requirement::in(std::string(api::kZoneLabel), {zone}));
    out.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(capacity_type)}));
    out.price = Money::from_dollars(dollars);
    return out;
}

InstanceType sold_type(const std::string& name, std::int64_t cpus, double dollars) {
    InstanceType out;
    out.name = name;
    out.capacity.cpu_milli = cpus * 1000;
    out.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {name}));
    out.requirements.add(Requirement::in(std::string(api::kOSLabel), {"linux"}));
    for (const char* zone : {"a", "b"}) {
        out.offerings.push_back(sold(zone, api::kOnDemand, dollars));
        out.offerings.push_back(sold(zone, api::kSpot, dollars / 2));
    }
    return out;
}

rules::InstanceTypes three_types() {
    return std::make_shared<const std::vector<InstanceType>>(std::vector{
        sold_type("m5.large", 2, 0.1), sold_type("m5.xlarge", 4, 0.2), sold_type("c5.large", 2, 0.08)});
}

Commitment zonal(std::int64_t count) {
    return {.name = "zonal",
            .kind = CommitmentKind::kZonalReserved,
            .instance_type = "m5.large",
            .zone = "a",
            .amount = count * 1000};
}
Commitment regional(std::int64_t count) {
    return {.name = "regional",
            .kind = CommitmentKind::kRegionalReserved,
            .instance_type = "m5.large",
            .amount = count * 4000};
}
Commitment plan_for_all(double dollars) {
    return {.name = "plan",
            .kind = CommitmentKind::kComputePlan,
            .amount = Money::from_dollars(dollars).nanos,
            .discount = 0.5};
}

PoolView pool_with(std::vector<std::pair<std::string, std::int64_t>> limits) {
    PoolView out;
    out.name = "default";
    out.remaining = std::move(limits);
    out.types = three_types();
    return out;
}

// "zonal: m5.large@a=1000; joiner.sh/commitment=3000": a part's types, zones and units, and its limits.
std::vector<std::string> parts_by_commitment(const PoolView& pool, const rules::Commitments& commitments,
                                             const std::vector<std::int64_t>& left) {
    std::vector<std::string> out;
    for (const PoolView& part : split_by_commitment(pool, commitments, left)) {
        std::string line = part.commitment.empty() ? "rest:" : part.commitment + ":";
        for (const InstanceType& type : *part.types) {
            if (part.commitment.empty()) break;
            std::string zones;
            for (const rules::Offering& one : type.offerings) zones += one.zone();
            line += fmt::format(" {}@{}={}", type.name, zones, type.capacity.get(kCommitmentResource));
        }
        for (const auto& [name, amount] : part.remaining) line += fmt::format("; {}={}", name, amount);
        out.push_back(std::move(line));
    }
    return out;
}

TEST(Commitments, each_is_a_part_with_what_it_covers_and_what_is_left) {
    const auto parts = [](const Commitment& one, std::int64_t left) {
        return parts_by_commitment(pool_with({}), {one}, {left});
    };
    EXPECT_THAT(parts(zonal(3), 2000),
                ElementsAre("rest:", "zonal: m5.large@a=1000; joiner.sh/commitment=2000"));
    EXPECT_THAT(
        parts(regional(2), 8000),
        ElementsAre("rest:", "regional: m5.large@ab=4000 m5.xlarge@ab=8000; joiner.sh/commitment=8000"));
    EXPECT_THAT(parts(regional(2), 7000),
                ElementsAre("rest:", "regional: m5.large@ab=4000; joiner.sh/commitment=7000"));
    EXPECT_THAT(parts(plan_for_all(0.06), 60'000'000),
                ElementsAre("rest:",
                            "plan: m5.large@ab=50000000 c5.large@ab=40000000; "
                            "joiner.sh/commitment=60000000"));
    EXPECT_THAT(parts(zonal(3), 0), ElementsAre("rest:"));
    EXPECT_THAT(parts(zonal(3), 999), ElementsAre("rest:"));
}

TEST(Commitments, a_part_is_on_demand_and_costs_next_to_nothing) {
    const std::vector<PoolView> parts = split_by_commitment(pool_with({}), {zonal(3)}, {3000});
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[1].types->front().offerings.front().price, Money::from_dollars(0.00001));
    EXPECT_EQ(list_price(parts[1], "m5.large", "a"), Money::from_dollars(0.1));
    EXPECT_EQ(most_saved(parts), Money::from_dollars(0.3));
    EXPECT_THAT(parts[1].requirements.find(api::kCapacityTypeLabel)->values(), ElementsAre("on-demand"));
    EXPECT_THAT(parts[1].requirements.find(api::kZoneLabel)->values(), ElementsAre("a"));
    EXPECT_EQ(parts[0].requirements.find(api::kZoneLabel), nullptr);
}

TEST(Commitments, a_pool_that_may_not_use_one_has_no_part) {
    const std::pair<std::string_view, const char*> wrong[] = {{api::kCapacityTypeLabel, "spot"},
                                                              {api::kZoneLabel, "b"},
                                                              {api::kOSLabel, "windows"},
                                                              {api::kInstanceTypeLabel, "c5.large"}};
    for (const auto& [key, value] : wrong) {
        PoolView pool = pool_with({});
        pool.requirements.add(Requirement::in(std::string(key), {value}));
        EXPECT_THAT(parts_by_commitment(pool, {zonal(3)}, {3000}), ElementsAre("rest:")) << value;
    }
}

TEST(Commitments, share_the_limits_of_their_pool_and_never_pass_them) {
    const auto parts = [](std::vector<std::pair<std::string, std::int64_t>> limits) {
        return parts_by_commitment(pool_with(std::move(limits)), {zonal(3)}, {3000});
    };
    EXPECT_THAT(
        parts({{"cpu", 20'000}}),
        ElementsAre("rest:; cpu=14000", "zonal: m5.large@a=1000; cpu=6000; joiner.sh/commitment=3000"));
    EXPECT_THAT(parts({{"nodes", 2}}),
                ElementsAre("rest:; nodes=0", "zonal: m5.large@a=1000; nodes=2; joiner.sh/commitment=3000"));
    EXPECT_THAT(parts({{"cpu", -1}}),
                ElementsAre("rest:; cpu=-1", "zonal: m5.large@a=1000; cpu=-1; joiner.sh/commitment=3000"));
}

// ---- what the cluster uses ----

api::Node node_of_type(const std::string& name, const char* type, const char* capacity_type) {
    api::Node out;
    out.meta.name = name;
    out.meta.labels = {{std::string(api::kInstanceTypeLabel), type}, {std::string(api::kZoneLabel), "a"}};
    if (*capacity_type != 0) out.meta.labels[std::string(api::kCapacityTypeLabel)] = capacity_type;
    return out;
}

api::NodeClaim claim_in_flight(const std::string& name, std::vector<std::string> types,
                               std::vector<std::string> capacity_types) {
    api::NodeClaim out;
    out.meta.name = name;
    out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
    out.requirements = {{std::string(api::kInstanceTypeLabel), "In", std::move(types), {}},
                        {std::string(api::kCapacityTypeLabel), "In", std::move(capacity_types), {}},
                        {std::string(api::kZoneLabel), "In", {"a"}, {}}};
    return out;
}

struct ClusterOfNodes {
    Cluster cluster{rules::PreferencePolicy::kRespect};
    ClusterOfNodes() {
        api::NodePool pool;
        pool.meta.name = "default";
        cluster.upsert(pool);
    }
    std::vector<std::string> machines(const ClaimNames* without = nullptr) const {
        const auto types = three_types();
        const auto found = on_demand_machines(cluster, [&](const api::NodePool&) { return types; }, without);
        std::vector<std::string> out;
        for (std::size_t i = 0; i < found.owners.size(); ++i) {
            const rules::PaidMachine& one = found.machines[i];
            out.push_back(
                fmt::format("{} {} {} {}", found.owners[i], one.type->name, one.zone, one.price.dollars()));
        }
        return out;
    }
};

TEST(Commitments, are_used_by_every_machine_on_demand) {
    ClusterOfNodes world;
    world.cluster.upsert(node_of_type("ours", "m5.large", "on-demand"));
    world.cluster.upsert(node_of_type("of-a-group", "m5.xlarge", ""));
    world.cluster.upsert(node_of_type("spot", "m5.large", "spot"));
    api::Node group_spot = node_of_type("group-spot", "m5.large", "");
    group_spot.meta.labels["eks.amazonaws.com/capacityType"] = "SPOT";
    world.cluster.upsert(group_spot);
    world.cluster.upsert(node_of_type("strange", "x9.large", "on-demand"));
    world.cluster.upsert(claim_in_flight("coming", {"m5.xlarge", "m5.large"}, {"on-demand"}));
    world.cluster.upsert(claim_in_flight("either", {"m5.large"}, {"on-demand", "spot"}));
    api::NodeClaim going = claim_in_flight("going", {"m5.large"}, {"on-demand"});
    going.meta.deleted = kNoTime;
    world.cluster.upsert(going);
    EXPECT_THAT(world.machines(), UnorderedElementsAre("coming m5.large a 0.1", "of-a-group m5.xlarge a 0.2",
                                                       "ours m5.large a 0.1"));
    const ClaimNames without = {"coming"};
    EXPECT_THAT(world.machines(&without),
                UnorderedElementsAre("of-a-group m5.xlarge a 0.2", "ours m5.large a 0.1"));
}

TEST(Commitments, a_snapshot_offers_what_the_cluster_leaves_of_them) {
    ClusterOfNodes world;
    world.cluster.upsert(claim_in_flight("coming", {"m5.large"}, {"on-demand"}));
    const auto types = three_types();
    const rules::Commitments commitments = {zonal(3)};
    SnapshotInputs inputs;
    inputs.types = [&](const api::NodePool&) { return types; };
    inputs.is_usable = [](const api::NodePool&) { return true; };
    EXPECT_EQ(make_snapshot(world.cluster, inputs).pools.size(), 1u);
    inputs.commitments = &commitments;
    const auto left = [&] { return make_snapshot(world.cluster, inputs).pools.at(1).remaining; };
    EXPECT_THAT(left(), ElementsAre(std::pair(std::string(kCommitmentResource), 2000)));
    // Its replacement may have what it leaves.
    const ClaimNames leaving = {"coming"};
    inputs.leaving = &leaving;
    EXPECT_THAT(left(), ElementsAre(std::pair(std::string(kCommitmentResource), 3000)));
}

}  // namespace
}  // namespace joiner::model
