// What machines are told where spec.kubelet has expressions, and which of them share a launch template.
#include "cloud/ec2/launch/launch_kubelets.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/testing/catalogue_region.h"
#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of m5.large (2 cores, 8 GiB) and m5.xlarge (4 cores, 16 GiB), on demand in one zone.
struct World {
    explicit World(const std::string& kubelet, AmiFamily family = AmiFamily::kAl2023) {
        node_class.family = family;
        node_class.kubelet = kubelet;
    }
    Result<FleetPlan> plan() const {
        return plan_fleet(request, {},
                          {.node_class = node_class,
                           .status = status,
                           .settings = settings,
                           .subnets = {{"us-east-1a", "subnet-a"}},
                           .region = region});
    }
    // By type.
    std::map<std::string, std::string> user_data() const {
        std::map<std::string, std::string> out;
        const Result<FleetPlan> made = plan();
        EXPECT_TRUE(made) << made.error().message;
        if (!made) return out;
        for (const FleetPart& part : made->parts) {
            for (const FleetOverride& each : part.overrides) out[each.type] = part.launch_template.user_data;
        }
        return out;
    }

    std::shared_ptr<const RegionFacts> region =
        std::make_shared<const RegionFacts>(testing::catalogue_region());
    InstanceTypes types = std::make_shared<const std::vector<rules::InstanceType>>(testing::bench_types());
    LaunchRequest request = cloud::testing::request_for("a", "uid-a", types, testing::ready_class(), kNoTime);
    Ec2NodeClass node_class = *parse_node_class(testing::ready_class());
    ClassStatus status = read_status(testing::ready_class());
    Settings settings{.cluster_name = "test",
                      .cluster_endpoint = "https://cluster",
                      .cluster_ca = "Y2E=",
                      .service_cidr = "10.100.0.0/16",
                      .node_class_cel = true};
};

constexpr const char* kReserves =
    R"({"kubeReserved": {"cpu": "vcpus * 30", "memory": "11 * max_pods + 255", "pid": "1000"},
        "systemReserved": {"ephemeral-storage": "vcpus / 2", "memory": "0 - vcpus"}})";

TEST(LaunchKubelets, tell_each_family_the_numbers_of_the_type) {
    struct Case {
        AmiFamily family;
        const char* large;
        const char* xlarge;
    };
    const Case cases[] = {
        {AmiFamily::kAl2023,
         "      kubeReserved:\n        cpu: \"60m\"\n        memory: \"576Mi\"\n        pid: "
         "\"1000\"\n",
         "      kubeReserved:\n        cpu: \"120m\"\n        memory: \"896Mi\"\n        pid: "
         "\"1000\"\n"},
        {AmiFamily::kAl2023, "      systemReserved:\n        ephemeral-storage: \"1Gi\"\n",
         "      systemReserved:\n        ephemeral-storage: \"2Gi\"\n"},
        {AmiFamily::kAl2,
         "--max-pods=29 --system-reserved=ephemeral-storage=1Gi "
         "--kube-reserved=cpu=60m,memory=576Mi,pid=1000",
         "--system-reserved=ephemeral-storage=2Gi --kube-reserved=cpu=120m,memory=896Mi,pid=1000"},
        {AmiFamily::kBottlerocket, "kube-reserved]\n    cpu = '60m'\n    memory = '576Mi'\n    pid = '1000'",
         "kube-reserved]\n    cpu = '120m'\n    memory = '896Mi'\n    pid = '1000'"},
        {AmiFamily::kWindows2022, "--kube-reserved=cpu=60m,memory=1472Mi,pid=1000",
         "--kube-reserved=cpu=120m,memory=1472Mi,pid=1000"},
    };
    for (const Case& c : cases) {
        const auto told = World(kReserves, c.family).user_data();
        ASSERT_EQ(told.size(), 2u) << to_string(c.family);
        EXPECT_THAT(told.at("m5.large"), AllOf(HasSubstr(c.large), Not(HasSubstr("vcpus"))));
        EXPECT_THAT(told.at("m5.xlarge"), AllOf(HasSubstr(c.xlarge), Not(HasSubstr("vcpus"))));
    }
}

TEST(LaunchKubelets, tell_how_many_pods_the_type_was_planned_with) {
    const auto told = World(R"({"maxPods": "max_pods / 2"})").user_data();
    EXPECT_THAT(told.at("m5.large"), AllOf(HasSubstr("maxPods: 29\n"), Not(HasSubstr("max_pods"))));
}

TEST(LaunchKubelets, are_of_one_template_where_they_are_alike) {
    struct Case {
        const char* kubelet;
        std::size_t templates;
    };
    const Case cases[] = {
        {"{}", 1},
        {R"({"kubeReserved": {"cpu": "vcpus * 30"}})", 2},
        {R"({"systemReserved": {"memory": "vcpus * 16"}})", 2},
        // Up to the same multiple.
        {R"({"kubeReserved": {"cpu": "70 + vcpus"}, "systemReserved": {"memory": "100 + vcpus"}})", 1},
    };
    for (const Case& c : cases) {
        const auto made = World(c.kubelet).plan();
        ASSERT_TRUE(made) << c.kubelet << made.error().message;
        EXPECT_EQ(made->parts.size(), c.templates) << c.kubelet;
    }
}

TEST(LaunchKubelets, wait_for_what_they_are_worked_out_of) {
    World world(kReserves);
    world.region = nullptr;
    EXPECT_EQ(world.plan().error().kind, ErrorKind::kNotReady);
    world.region = std::make_shared<const RegionFacts>();
    EXPECT_THAT(world.plan().error().message, HasSubstr("EC2 has not described m5.large"));
    World failing(R"({"maxPods": "1 / (vcpus - 2) + 0"
})");
    EXPECT_THAT(failing.plan().error().message, HasSubstr("it divides by zero, for m5.large"));
    World off(kReserves);
    off.settings.node_class_cel = false;
    EXPECT_THAT(off.plan().error().message, HasSubstr("NodeClassCEL=true"));
    World plain("{}");
    plain.region = nullptr;
    EXPECT_TRUE(plain.plan());
}

// EC2 takes no more templates in one fleet; what is left over is for the next one.
TEST(LaunchKubelets, are_of_fifty_templates_at_most) {
    World world(R"({"kubeReserved": {"pid": "vcpus + 0"}})");
    RegionFacts region;
    std::vector<rules::InstanceType> types;
    for (int i = 1; i <= 55; ++i) {
        InstanceTypeInfo info;
        info.name = fmt::format("z{:02}.large", i);
        info.vcpus = i;
        region.types.push_back(info);
        types.push_back(testing::bench_types().front());
        types.back().name = info.name;
        types.back().offerings.resize(1);
    }
    world.region = std::make_shared<const RegionFacts>(region);
    world.types = std::make_shared<const std::vector<rules::InstanceType>>(types);
    world.request.choices.clear();
    for (const rules::InstanceType& type : *world.types)
        world.request.choices.push_back({&type, &type.offerings.front()});
    const auto made = world.plan();
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->parts.size(), 50u);
    EXPECT_EQ(made->asked.size(), 50u);
}

}  // namespace
}  // namespace joiner::cloud::ec2
