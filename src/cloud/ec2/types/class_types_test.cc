// That many types, of many classes, have the same few lists of requirements between them.
#include "cloud/ec2/types/class_types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "cloud/ec2/testing/catalogue_region.h"
#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

std::vector<rules::InstanceType> types_of_class(const std::string& kubelet, std::size_t subnets = 2) {
    api::NodeClass node_class = testing::ready_class();
    node_class.spec.back() = ',';
    node_class.spec += R"("kubelet": )" + kubelet + "}";
    ClassStatus status = read_status(node_class);
    status.subnets.resize(subnets);
    return *make_class_types(testing::catalogue_region(), "us-east-1", *parse_node_class(node_class), status,
                             {.cluster_name = "test", .node_class_cel = true}, {});
}

TEST(ClassTypes, offerings_of_one_place_share_what_they_require) {
    std::map<std::pair<std::string, std::string>, std::set<const rules::Requirement*>> lists;
    for (const rules::InstanceType& type : types_of_class("{}"))
        for (const rules::Offering& each : type.offerings)
            lists[{std::string(each.zone()), std::string(each.capacity_type())}].insert(
                each.requirements.begin());
    EXPECT_EQ(lists.size(), 4u);
    for (const auto& [place, of_place] : lists)
        EXPECT_EQ(of_place.size(), 1u) << place.first << ", " << place.second;
}

TEST(ClassTypes, classes_share_what_their_types_have_alike) {
    const std::vector<rules::InstanceType> a = types_of_class(R"({"maxPods": 50})");
    std::vector<rules::InstanceType> b = types_of_class(R"({"maxPods": 60})");
    ASSERT_GT(a.size(), 500u);
    ASSERT_EQ(a.size(), b.size());
    share_requirements(a, b);
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].requirements.begin(), b[i].requirements.begin()) << a[i].name;
        EXPECT_EQ(b[i].capacity.pods, 60) << b[i].name;
    }
}

TEST(ClassTypes, hold_what_expressions_come_to) {
    const std::vector<rules::InstanceType> plain = types_of_class("{}");
    const std::vector<rules::InstanceType> types =
        types_of_class(R"({"maxPods": "min(max_pods, 20) + 0", "kubeReserved": {"cpu": "vcpus * 30", "memory":
            "max_pods * 16"}, "systemReserved": {"memory": "0 - 1"}
})");
    ASSERT_EQ(types.size(), plain.size());
    for (std::size_t i = 0; i < types.size(); ++i) {
        const rules::InstanceType& type = types[i];
        const std::int64_t pods = std::min<std::int64_t>(plain[i].capacity.pods, 20);
        EXPECT_EQ(type.capacity.pods, pods) << type.name;
        EXPECT_EQ(type.overhead.cpu_milli, type.capacity.cpu_milli / 1000 * 30) << type.name;
        EXPECT_EQ(type.overhead.memory_bytes, (pods * 16 + 100) << 20) << type.name;
        EXPECT_EQ(type.overhead.ephemeral_bytes, plain[i].overhead.ephemeral_bytes) << type.name;
    }
}

TEST(ClassTypes, are_not_known_where_max_pods_fails_for_one) {
    const auto parsed = parse_node_class(testing::ready_class());
    Ec2NodeClass node_class = *parsed;
    node_class.kubelet = R"({"maxPods": "100 / (vcpus - 2) + 0"
})";
    const auto types = make_class_types(testing::catalogue_region(), "us-east-1", node_class,
                                        read_status(testing::ready_class()),
                                        {.cluster_name = "test", .node_class_cel = true}, {});
    ASSERT_FALSE(types);
    EXPECT_NE(types.error().message.find("spec.kubelet.maxPods"), std::string::npos) << types.error().message;
}

TEST(ClassTypes, types_of_other_places_keep_their_own) {
    const std::vector<rules::InstanceType> both_zones = types_of_class("{}");
    const std::vector<rules::InstanceType> before = types_of_class("{}", 1);
    std::vector<rules::InstanceType> after = before;
    share_requirements(both_zones, after);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t i = 0; i < before.size(); ++i)
        EXPECT_EQ(before[i].requirements, after[i].requirements) << before[i].name;
    share_requirements({}, after);
    EXPECT_EQ(before.front().requirements, after.front().requirements);
}

}  // namespace
}  // namespace joiner::cloud::ec2
