// Every typed call against a server that speaks AWS's wire formats: tests/ec2/calls.py starts one, and says
// by JOINER_EC2_ENDPOINT where it is. Skipped otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/iam.h"
#include "cloud/ec2/calls/services.h"
#include "io/curl_http.h"
#include "io/real_loop.h"

namespace joiner::cloud::ec2 {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class LiveCalls : public ::testing::Test {
  protected:
    void SetUp() override {
        const char* url = std::getenv("JOINER_EC2_ENDPOINT");
        if (url == nullptr) GTEST_SKIP() << "JOINER_EC2_ENDPOINT is not set";
        aws::Environment environment;
        environment.variables = {{"AWS_ENDPOINT_URL", url}};
        client_ = std::make_unique<aws::Client>(
            loop_, http_, Rng(1), *aws::Endpoints::read(environment, "us-east-1"),
            [this](const aws::CredentialsDone& done) {
                loop_.post([done] { done(aws::Credentials{"AKIDEXAMPLE", "secret", "", std::nullopt}); });
            },
            "joiner-test");
    }
    // Asks, and waits for the answer.
    template <typename T, typename Ask>
    aws::Answer<T> wait(Ask ask) {
        std::optional<aws::Answer<T>> out;
        ask([&](aws::Answer<T> answer) {
            out = std::move(answer);
            loop_.stop();
        });
        if (!out) loop_.run();
        return std::move(*out);
    }
    std::vector<Subnet> subnets() {
        return *wait<std::vector<Subnet>>(
            [&](auto done) { ec2().describe_subnets({{"tag:joiner", {"test"}}}, done); });
    }
    std::string image() {
        const auto found = wait<std::vector<Image>>(
            [&](auto done) { ec2().describe_images({{"tag:joiner", {"test"}}}, {}, done); });
        return found && !found->empty() ? found->front().id : "";
    }
    LaunchTemplateRequest template_named(const std::string& name) {
        LaunchTemplateRequest out;
        out.name = name;
        out.image_id = image();
        out.user_data = "#!/bin/sh\n";
        out.interfaces = {NetworkInterfaceRequest{}};
        out.block_devices = {{"/dev/xvda", BlockDevice::Ebs{.size_gib = 20, .type = "gp3"}}};
        out.metadata = {"enabled", "disabled", 1, "required"};
        out.tags = {{"eks:eks-cluster-name", "joiner test/1"}, {"karpenter.sh/nodepool", "a&b=c"}};
        out.is_spot = true;
        return out;
    }
    Ec2 ec2() { return Ec2(*client_); }

    io::RealLoop loop_;
    io::CurlHttp http_{loop_};
    std::unique_ptr<aws::Client> client_;
};

TEST_F(LiveCalls, places_are_found_by_their_tags) {
    EXPECT_THAT(subnets(), SizeIs(::testing::Ge(2u)));
    for (const Subnet& each : subnets()) {
        EXPECT_TRUE(each.id.starts_with("subnet-"));
        EXPECT_TRUE(each.zone.starts_with("us-east-1"));
        EXPECT_TRUE(each.zone_id.starts_with("use1-az"));
        EXPECT_GT(each.free_addresses, 1000);
    }
    const auto groups = wait<std::vector<SecurityGroup>>(
        [&](auto done) { ec2().describe_security_groups({{"tag:joiner", {"test"}}}, done); });
    ASSERT_TRUE(groups) << groups.error().message;
    EXPECT_THAT(*groups, SizeIs(1));
    EXPECT_TRUE(image().starts_with("ami-"));
}

TEST_F(LiveCalls, types_are_read_whole) {
    const auto types =
        wait<std::vector<InstanceTypeInfo>>([&](auto done) { ec2().describe_instance_types(done); });
    ASSERT_TRUE(types) << types.error().message;
    EXPECT_GT(types->size(), 500u);
    const auto find = [&](const char* name) -> const InstanceTypeInfo& {
        return *std::find_if(types->begin(), types->end(),
                             [&](const auto& each) { return each.name == name; });
    };
    const InstanceTypeInfo& large = find("m5.large");
    EXPECT_EQ(large.vcpus, 2);
    EXPECT_EQ(large.memory_mib, 8192);
    EXPECT_THAT(large.architectures, ::testing::ElementsAre("x86_64"));
    EXPECT_THAT(large.usage_classes, Contains("spot"));
    EXPECT_EQ(large.max_interfaces, 3);
    EXPECT_EQ(large.ipv4_addresses, 10);
    EXPECT_EQ(large.hypervisor, "nitro");
    EXPECT_FALSE(large.is_bare_metal);
    EXPECT_THAT(large.cards, SizeIs(1));
    const InstanceTypeInfo& gpu = find("p4d.24xlarge");
    ASSERT_THAT(gpu.gpus, SizeIs(1));
    EXPECT_EQ(gpu.gpus[0].count, 8);
    EXPECT_EQ(gpu.gpus[0].manufacturer, "NVIDIA");
    EXPECT_GT(gpu.gpus[0].memory_mib, 30'000);
    EXPECT_EQ(gpu.max_efa_interfaces, 4);
    EXPECT_EQ(gpu.local_disk_gb, 8000);
    const auto zones =
        wait<std::vector<TypeInZone>>([&](auto done) { ec2().describe_instance_type_offerings(done); });
    ASSERT_TRUE(zones);
    EXPECT_THAT(*zones, Contains(TypeInZone{"m5.large", "us-east-1a"}));
    const auto spot =
        wait<std::vector<SpotPrice>>([&](auto done) { ec2().describe_spot_prices(loop_.now(), done); });
    ASSERT_TRUE(spot);
    EXPECT_THAT(*spot, Not(IsEmpty()));
    EXPECT_GT(spot->front().per_hour.nanos, 0);
}

TEST_F(LiveCalls, a_template_is_made_once_and_a_fleet_by_it) {
    const LaunchTemplateRequest request = template_named("karpenter.k8s.aws/live-1");
    const auto made =
        wait<LaunchTemplate>([&](auto done) { ec2().create_launch_template(request, false, done); });
    ASSERT_TRUE(made) << made.error().message;
    const auto again =
        wait<LaunchTemplate>([&](auto done) { ec2().create_launch_template(request, false, done); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::kConflict) << again.error().message;
    const auto listed = wait<std::vector<LaunchTemplate>>([&](auto done) {
        ec2().describe_launch_templates({}, {{"tag:eks:eks-cluster-name", {"joiner test/1"}}}, done);
    });
    ASSERT_TRUE(listed) << listed.error().message;
    EXPECT_THAT(*listed, Contains(Field(&LaunchTemplate::name, request.name)));

    const Subnet subnet = subnets().front();
    FleetRequest fleet;
    fleet.client_token = "live-1";
    fleet.capacity_type = "spot";
    fleet.allocation_strategy = "price-capacity-optimized";
    fleet.templates = {{request.name, {{"m5.large", subnet.zone, subnet.id, request.image_id, 0.1}}}};
    fleet.tags = {{"karpenter.sh/nodepool", "p"}, {"eks:eks-cluster-name", "joiner test/1"}};
    const auto dry = wait<FleetAnswer>([&](auto done) { ec2().create_fleet(fleet, true, done); });
    ASSERT_FALSE(dry);
    EXPECT_TRUE(dry.error().is_dry_run()) << dry.error().message;
    const auto run = wait<void>([&](auto done) {
        ec2().dry_run_instances(request.name, "m5.large", subnet.id, request.image_id, fleet.tags, done);
    });
    EXPECT_TRUE(run) << run.error().message;
    const auto bought = wait<FleetAnswer>([&](auto done) { ec2().create_fleet(fleet, false, done); });
    ASSERT_TRUE(bought) << bought.error().message;
    ASSERT_THAT(bought->instances, SizeIs(1));
    EXPECT_THAT(bought->errors, IsEmpty());
    EXPECT_EQ(bought->instances[0].which.zone, subnet.zone);
    const std::string id = bought->instances[0].ids.at(0);

    EXPECT_TRUE(wait<void>([&](auto done) { ec2().create_tags({id}, {{"Name", "a node"}}, done); }));
    const auto found = wait<std::vector<InstanceInfo>>(
        [&](auto done) { ec2().describe_instances({{"instance-id", {id, "i-00000000000000001"}}}, done); });
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_THAT(*found, SizeIs(1));
    EXPECT_EQ(found->front().type, "m5.large");
    EXPECT_EQ(found->front().subnet, subnet.id);
    EXPECT_EQ(found->front().lifecycle, "spot");
    EXPECT_EQ(found->front().tags.at("Name"), "a node");
    EXPECT_EQ(found->front().tags.at("karpenter.sh/nodepool"), "p");
    EXPECT_NE(found->front().launched, kNoTime);

    EXPECT_TRUE(wait<void>([&](auto done) { ec2().reboot_instances({id}, done); }));
    EXPECT_TRUE(wait<void>([&](auto done) { ec2().terminate_instances({id}, done); }));
    EXPECT_TRUE(wait<void>([&](auto done) { ec2().terminate_instances({id}, done); })) << "a second time";
    const auto unknown =
        wait<void>([&](auto done) { ec2().terminate_instances({id, "i-00000000000000001"}, done); });
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, ErrorKind::kNotFound) << unknown.error().message;
    EXPECT_TRUE(wait<void>([&](auto done) { ec2().delete_launch_template(made->id, done); }));
}

TEST_F(LiveCalls, what_is_not_there_is_said) {
    const auto parameter =
        wait<std::string>([&](auto done) { Ssm(*client_).get_parameter("/no/such", done); });
    ASSERT_FALSE(parameter);
    EXPECT_EQ(parameter.error().kind, ErrorKind::kNotFound) << parameter.error().message;
    const auto cluster =
        wait<EksCluster>([&](auto done) { Eks(*client_).describe_cluster("no-such", done); });
    ASSERT_FALSE(cluster);
    EXPECT_EQ(cluster.error().kind, ErrorKind::kNotFound) << cluster.error().message;
    const auto queue = wait<std::string>([&](auto done) { Sqs(*client_).get_queue_url("no-such", done); });
    ASSERT_FALSE(queue);
    EXPECT_EQ(queue.error().kind, ErrorKind::kNotFound) << queue.error().message;
    const auto profile =
        wait<InstanceProfile>([&](auto done) { Iam(*client_).get_instance_profile("no-such", done); });
    ASSERT_FALSE(profile);
    EXPECT_EQ(profile.error().kind, ErrorKind::kNotFound) << profile.error().message;
}

TEST_F(LiveCalls, parameters_and_the_cluster_are_read) {
    const auto parameter =
        wait<std::string>([&](auto done) { Ssm(*client_).get_parameter("/joiner/image", done); });
    ASSERT_TRUE(parameter) << parameter.error().message;
    EXPECT_EQ(*parameter, image());
    const auto cluster = wait<EksCluster>([&](auto done) { Eks(*client_).describe_cluster("joiner", done); });
    ASSERT_TRUE(cluster) << cluster.error().message;
    EXPECT_TRUE(cluster->endpoint.starts_with("https://"));
    EXPECT_EQ(cluster->version, "1.34");
    EXPECT_FALSE(cluster->certificate_authority.empty());
    EXPECT_FALSE(cluster->service_ipv4_cidr.empty());
}

TEST_F(LiveCalls, a_message_is_received_and_removed) {
    const auto url = wait<std::string>([&](auto done) { Sqs(*client_).get_queue_url("joiner", done); });
    ASSERT_TRUE(url) << url.error().message;
    const auto messages =
        wait<std::vector<QueueMessage>>([&](auto done) { Sqs(*client_).receive(*url, done); });
    ASSERT_TRUE(messages) << messages.error().message;
    ASSERT_THAT(*messages, SizeIs(1));
    EXPECT_EQ(messages->front().body, R"({"source": "somebody"})");
    EXPECT_NE(messages->front().sent, kNoTime);
    const std::string receipt = messages->front().receipt;
    EXPECT_TRUE(wait<void>([&](auto done) { Sqs(*client_).remove(*url, receipt, done); }));
}

TEST_F(LiveCalls, a_profile_is_made_holds_its_role_and_goes) {
    Iam iam(*client_);
    const InstanceProfile profile = {"joiner_1", "/karpenter/us-east-1/joiner/uid/", "", {}, {{"a", "b"}}};
    EXPECT_TRUE(wait<void>([&](auto done) { iam.create_instance_profile(profile, done); }));
    const auto again = wait<void>([&](auto done) { iam.create_instance_profile(profile, done); });
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
    EXPECT_TRUE(wait<void>([&](auto done) { iam.add_role("joiner_1", "joiner-node", done); }));
    const auto found = wait<InstanceProfile>([&](auto done) { iam.get_instance_profile("joiner_1", done); });
    ASSERT_TRUE(found);
    EXPECT_THAT(found->roles, ::testing::ElementsAre("joiner-node"));
    EXPECT_EQ(found->path, profile.path);
    const auto listed = wait<std::vector<InstanceProfile>>(
        [&](auto done) { iam.list_instance_profiles("/karpenter/us-east-1/joiner/", done); });
    ASSERT_TRUE(listed);
    EXPECT_THAT(*listed, SizeIs(1)) << "the other clusters' are left out";
    for (int i = 0; i < 2; ++i) {
        EXPECT_TRUE(wait<void>([&](auto done) { iam.remove_role("joiner_1", "joiner-node", done); }));
        EXPECT_TRUE(wait<void>([&](auto done) { iam.delete_instance_profile("joiner_1", done); }));
    }
}

}  // namespace
}  // namespace joiner::cloud::ec2
