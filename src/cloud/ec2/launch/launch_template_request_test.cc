#include "cloud/ec2/launch/launch_template_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

struct World {
    World() {
        node_class = *parse_node_class(testing::ready_class());
        status = read_status(testing::ready_class());
        type = testing::bench_types().front();
        type.capacity.set(kEfaResource, 4);
    }
    LaunchTemplateRequest make() const {
        return *make_launch_template(
            {.node_class = node_class, .status = status, .settings = settings, .subnets = {}}, claim, type,
            *parse_kubelet(node_class.kubelet, node_class.family), status.images.front(), api::kOnDemand,
            nullptr);
    }

    Ec2NodeClass node_class;
    ClassStatus status;
    Settings settings{.cluster_name = "test",
                      .cluster_endpoint = "https://cluster",
                      .cluster_ca = "Y2E=",
                      .service_cidr = "10.100.0.0/16"};
    api::NodeClaim claim;
    rules::InstanceType type;
};

TEST(LaunchTemplateRequest, has_one_plain_interface_where_nobody_asks_for_another) {
    const World world;
    const LaunchTemplateRequest made = world.make();
    ASSERT_THAT(made.interfaces, SizeIs(1));
    EXPECT_EQ(made.interfaces.front().kind, "");
    EXPECT_FALSE(made.interfaces.front().is_primary_ipv6);
    EXPECT_EQ(made.tenancy, "");
}

TEST(LaunchTemplateRequest, has_an_interface_for_each_efa_where_pods_ask_for_one) {
    World world;
    world.claim.requests[std::string(kEfaResource)] = *Quantity::parse("1");
    const LaunchTemplateRequest made = world.make();
    ASSERT_THAT(made.interfaces, SizeIs(4));
    for (int card = 0; card < 4; ++card) {
        const NetworkInterfaceRequest& each = made.interfaces[static_cast<std::size_t>(card)];
        EXPECT_EQ(each.kind, "efa");
        EXPECT_EQ(each.card, card);
        EXPECT_EQ(each.device, card == 0 ? 0 : 1);
        EXPECT_EQ(each.security_groups, made.interfaces.front().security_groups);
    }
    world.node_class.interfaces = {{0, 0, "interface"}, {1, 1, "efa-only"}};
    EXPECT_THAT(world.make().interfaces, SizeIs(2)) << "the class says which there are";
}

TEST(LaunchTemplateRequest, gives_a_node_of_a_v6_cluster_a_v6_address) {
    World world;
    world.node_class.ip_prefixes = 3;
    EXPECT_EQ(world.make().interfaces.front().ipv4_prefixes, 3);
    EXPECT_EQ(world.make().interfaces.front().ipv6_prefixes, std::nullopt);
    world.settings.service_cidr = "fd30:1c53:5f8a::/108";
    const NetworkInterfaceRequest interface = world.make().interfaces.front();
    EXPECT_TRUE(interface.is_primary_ipv6);
    EXPECT_EQ(interface.ipv6_addresses, 1);
    EXPECT_EQ(interface.ipv6_prefixes, 3);
    EXPECT_EQ(interface.ipv4_prefixes, std::nullopt);
    EXPECT_THAT(world.make().user_data, HasSubstr("fd30:1c53:5f8a::/108"));
    world.node_class.family = AmiFamily::kAl2;
    EXPECT_THAT(world.make().user_data, HasSubstr("--ip-family ipv6"));
    EXPECT_THAT(world.make().user_data, HasSubstr("--dns-cluster-ip 'fd30:1c53:5f8a::a'"));
}

TEST(LaunchTemplateRequest, is_dedicated_where_the_claim_allows_nothing_else) {
    World world;
    world.claim.requirements = {{std::string(kTenancyLabel), "In", {"dedicated"}, {}}};
    EXPECT_EQ(world.make().tenancy, "dedicated");
    world.claim.requirements = {{std::string(kTenancyLabel), "In", {"dedicated", "default"}, {}}};
    EXPECT_EQ(world.make().tenancy, "");
}

}  // namespace
}  // namespace joiner::cloud::ec2
