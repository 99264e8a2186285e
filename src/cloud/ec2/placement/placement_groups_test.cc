#include "cloud/ec2/placement/placement_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/testing/ec2_bench.h"
#include "cloud/ec2/types/class_types.h"

namespace joiner::cloud::ec2 {
namespace {

using cloud::testing::create;
using std::chrono::hours;
using std::chrono::seconds;
using testing::Ec2Bench;
using ::testing::ElementsAre;
using testing::FakePlacementGroup;
using ::testing::HasSubstr;
using ::testing::SizeIs;

nlohmann::json by_name() {
    return {{"name", "one"}};
}

struct PlacedBench : Ec2Bench {
    PlacedBench(std::vector<FakePlacementGroup> groups, nlohmann::json selector) {
        loop().advance(hours{1});
        ec2().placement_groups = std::move(groups);
        nlohmann::json spec = nlohmann::json::parse(node_class.spec);
        spec["placementGroupSelector"] = std::move(selector);
        node_class.spec = spec.dump();
        wanted = reconcile();
    }
    WantedCondition condition() const {
        for (const WantedCondition& each : wanted->conditions) {
            if (each.type == "PlacementGroupReady") return each;
        }
        return {};
    }
    std::string in_template(const std::string& name) {
        const testing::Fields& fields = ec2().templates.begin()->second;
        const auto it = fields.find("LaunchTemplateData." + name);
        return it == fields.end() ? "" : it->second;
    }

    std::optional<WantedClassState> wanted;
};

TEST(PlacementGroups, a_class_is_launched_into_the_group_that_it_names) {
    for (const nlohmann::json& selector : {nlohmann::json{{"name", "one"}}, nlohmann::json{{"id", "pg-1"}}}) {
        PlacedBench bench({{.id = "pg-2", .name = "two"}, {.id = "pg-1", .name = "one"}}, selector);
        EXPECT_EQ(bench.condition().status, "True");
        const auto answer = create(bench, bench.request("a", "uid-a"));
        ASSERT_TRUE(answer && answer->instance);
        EXPECT_EQ(bench.in_template("Placement.GroupId"), "pg-1");
        EXPECT_EQ(bench.in_template("Placement.PartitionNumber"), "");
        EXPECT_EQ(api::find_or_empty(answer->instance->labels, kPlacementGroupLabel), "pg-1");
    }
}

TEST(PlacementGroups, without_its_group_a_class_is_not_ready_and_launches_nothing) {
    for (const nlohmann::json& selector : {nlohmann::json{{"name", "one"}}, nlohmann::json{{"id", "pg-1"}}}) {
        PlacedBench bench({{.id = "pg-2", .name = "two"}, {.id = "pg-3", .name = "one", .state = "deleting"}},
                          selector);
        EXPECT_EQ(bench.condition().status, "False");
        EXPECT_EQ(bench.condition().reason, "PlacementGroupNotFound");
        const auto answer = create(bench, bench.request("a", "uid-a"));
        ASSERT_TRUE(answer && !answer->instance);
        EXPECT_EQ(answer->instance.error().kind, ErrorKind::kNotReady);
        EXPECT_EQ(bench.ec2().calls["CreateFleet"], 0);
    }
}

TEST(PlacementGroups, what_was_found_last_stands_for_a_day_where_ec2_does_not_answer) {
    PlacedBench bench({{.id = "pg-1", .name = "one"}}, by_name());
    bench.ec2().faults.refuse = "DescribePlacementGroups";
    bench.wanted = bench.reconcile();
    EXPECT_EQ(bench.condition().status, "True");
    bench.loop().advance(hours{24});
    bench.wanted = bench.reconcile();
    EXPECT_EQ(bench.condition().status, "False");
    EXPECT_EQ(bench.condition().reason, "PlacementGroupResolutionFailed");
    EXPECT_THAT(bench.condition().message, HasSubstr("DescribePlacementGroups"));
}

TEST(PlacementGroups, a_claim_of_some_partitions_gets_the_first_of_them) {
    PlacedBench bench({{.id = "pg-1", .name = "one", .strategy = "partition", .partitions = 7}}, by_name());
    LaunchRequest request = bench.request("a", "uid-a");
    request.claim.requirements.push_back({std::string(kPartitionLabel), "In", {"5", "3"}, {}});
    const auto answer = create(bench, request);
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_EQ(bench.in_template("Placement.PartitionNumber"), "3");
    EXPECT_EQ(api::find_or_empty(answer->instance->labels, kPartitionLabel), "3");
}

TEST(PlacementGroups, a_claim_of_no_partition_says_which_one_ec2_chose) {
    PlacedBench bench({{.id = "pg-1", .name = "one", .strategy = "partition", .partitions = 7}}, by_name());
    bench.ec2().faults.list_lag = seconds{5};
    const auto answer = create(bench, bench.request("a", "uid-a"));
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_EQ(bench.in_template("Placement.PartitionNumber"), "");
    EXPECT_EQ(api::find_or_empty(answer->instance->labels, kPartitionLabel), "7");

    bench.ec2().faults.list_lag = hours{1};
    const auto without = create(bench, bench.request("b", "uid-b"));
    ASSERT_TRUE(without && without->instance) << "it is not waited for for ever";
    EXPECT_EQ(api::find_or_empty(without->instance->labels, kPartitionLabel), "");
}

TEST(PlacementGroups, a_spread_group_that_is_full_in_a_zone_gives_way_to_another_zone) {
    PlacedBench bench({{.id = "pg-1", .name = "one", .strategy = "spread"}}, by_name());
    const LaunchRequest request = bench.request("a", "uid-a");
    const std::string zone = request.choices.front().key().zone;
    bench.ec2().full_zones = {"us-east-1a", "us-east-1b"};
    const auto none = create(bench, request);
    ASSERT_TRUE(none && !none->instance);
    EXPECT_EQ(none->instance.error().kind, ErrorKind::kExhausted);
    EXPECT_THAT(none->exhausted, SizeIs(request.choices.size())) << "also what the fleet did not ask for";
    bench.ec2().full_zones = {zone};
    const auto answer = create(bench, bench.request("b", "uid-b"));
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_NE(answer->taken.zone, zone);
}

TEST(PlacementGroups, partitions_are_offerings_that_pods_can_be_spread_over) {
    RegionFacts facts;
    InstanceTypeInfo info;
    info.name = "m5.large";
    info.vcpus = 2;
    info.memory_mib = 8192;
    info.architectures = {"x86_64"};
    info.usage_classes = {"on-demand"};
    info.placement_strategies = {"partition"};
    facts.types.push_back(info);
    facts.zones.insert({info.name, "us-east-1a"});
    facts.on_demand[info.name] = rules::Money::from_dollars(0.1);
    const auto node_class = parse_node_class(testing::ready_class());
    const auto make = [&](const std::optional<PlacementGroup>& group) {
        return make_class_types(facts, "us-east-1", *node_class, read_status(testing::ready_class()),
                                {.cluster_name = "test"}, group)
            ->front();
    };
    const rules::InstanceType spread = make(PlacementGroup{"pg-1", "one", "partition", "available", 3});
    std::vector<std::string> partitions;
    for (const rules::Offering& each : spread.offerings) {
        EXPECT_TRUE(each.available);
        partitions.push_back(each.requirements.find(kPartitionLabel)->values().front());
    }
    EXPECT_THAT(partitions, ElementsAre("1", "2", "3"));
    EXPECT_TRUE(spread.requirements.find(kPlacementGroupLabel)->allows("pg-1"));
    const rules::InstanceType unfit = make(PlacementGroup{"pg-1", "one", "cluster", "available", 0});
    ASSERT_THAT(unfit.offerings, SizeIs(1));
    EXPECT_FALSE(unfit.offerings.front().available) << "the type cannot be in a cluster group";
    const rules::InstanceType plain = make(std::nullopt);
    ASSERT_THAT(plain.offerings, SizeIs(1));
    EXPECT_TRUE(plain.requirements.find(kPlacementGroupLabel)->allows_absence());
}

}  // namespace
}  // namespace joiner::cloud::ec2
