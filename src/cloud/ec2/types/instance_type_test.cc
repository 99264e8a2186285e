#include "cloud/ec2/types/instance_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/catalogue.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::int64_t kMi = std::int64_t{1} << 20;
constexpr std::int64_t kGi = std::int64_t{1} << 30;

const CatalogueType& known(std::string_view name) {
    const auto& types = catalogue().types;
    const auto it = std::find_if(types.begin(), types.end(),
                                 [&](const CatalogueType& one) { return one.info.name == name; });
    EXPECT_NE(it, types.end()) << name;
    return *it;
}

rules::InstanceType make(std::string_view name, const NodeShape& shape = {}) {
    return make_instance_type(known(name).info, known(name).facts, shape);
}

NodeShape with_kubelet(const char* json, AmiFamily family = AmiFamily::kAl2023) {
    NodeShape out;
    out.family = family;
    out.kubelet = parse_kubelet(json, family).value();
    return out;
}

BlockDeviceMapping volume(const char* device, const char* size, bool is_root = false) {
    EbsVolume ebs;
    ebs.size = Quantity::parse(size).value();
    return {device, ebs, is_root};
}

TEST(InstanceTypes, hold_what_upstream_says_they_hold) {
    const rules::InstanceType m5 = make("m5.large");
    EXPECT_EQ(m5.capacity.memory_bytes, 7577 * kMi);
    EXPECT_EQ(m5.capacity.pods, 29);
    EXPECT_EQ(m5.allocatable().cpu_milli, 1930);
    EXPECT_EQ(m5.allocatable().memory_bytes, 6903 * kMi);
    EXPECT_EQ(m5.allocatable().ephemeral_bytes, 17 * kGi);
    EXPECT_EQ(make("c7g.large").capacity.memory_bytes, 3729 * kMi);
    EXPECT_EQ(make("m5.24xlarge").capacity.pods, 737);
    EXPECT_EQ(make("m5.24xlarge").allocatable().memory_bytes, 355262 * kMi);
    EXPECT_EQ(make("p5.48xlarge").capacity.pods, 100);
    EXPECT_EQ(make("p5.48xlarge").allocatable().memory_bytes, std::int64_t{1938410} * kMi);
}

TEST(InstanceTypes, take_as_many_pods_as_the_kubelet_will) {
    EXPECT_EQ(make("m5.large", with_kubelet(R"({"maxPods": 7})")).capacity.pods, 7);
    EXPECT_EQ(make("m5.large", with_kubelet(R"({"podsPerCore": 3})")).capacity.pods, 6);
    EXPECT_EQ(make("m5.large", with_kubelet("{}", AmiFamily::kWindows2022)).capacity.pods, 110);
    NodeShape reserved;
    reserved.reserved_interfaces = 1;
    EXPECT_EQ(make("m5.large", reserved).capacity.pods, 2 * 9 + 2);
    reserved.reserved_interfaces = 3;
    EXPECT_EQ(make("m5.large", reserved).capacity.pods, 110);
    // What the kubelet keeps goes by the addresses, whatever maxPods says; with Bottlerocket by the pods.
    EXPECT_EQ(make("m5.large", with_kubelet(R"({"maxPods": 7})")).overhead.memory_bytes, (574 + 100) * kMi);
    EXPECT_EQ(
        make("m5.large", with_kubelet(R"({"maxPods": 7})", AmiFamily::kBottlerocket)).overhead.memory_bytes,
        (11 * 7 + 255 + 100) * kMi);
}

TEST(InstanceTypes, keep_for_themselves_what_the_class_says) {
    const rules::InstanceType type = make(
        "m5.large", with_kubelet(R"({"kubeReserved": {"cpu": "100m"}, "systemReserved": {"memory": "1Gi"},
                                     "evictionHard": {"memory.available": "10%", "nodefs.available": "100%"}})"));
    EXPECT_EQ(type.overhead.cpu_milli, 100);
    EXPECT_EQ(type.overhead.memory_bytes, 574 * kMi + kGi + (type.capacity.memory_bytes + 9) / 10);
    EXPECT_EQ(type.overhead.ephemeral_bytes, kGi);
}

TEST(InstanceTypes, have_the_storage_of_their_volumes) {
    struct Case {
        AmiFamily family;
        std::vector<BlockDeviceMapping> volumes;
        std::int64_t size;
    };
    const Case cases[] = {
        {AmiFamily::kAl2023, {volume("/dev/xvda", "50Gi")}, 50 * kGi},
        {AmiFamily::kAl2023, {volume("/dev/xvdb", "50Gi")}, 20 * kGi},
        {AmiFamily::kAl2023, {volume("/dev/xvda", "50Gi"), volume("/dev/xvdb", "70Gi", true)}, 70 * kGi},
        {AmiFamily::kBottlerocket, {}, 20 * kGi},
        {AmiFamily::kBottlerocket, {volume("/dev/xvda", "5Gi"), volume("/dev/xvdb", "90Gi")}, 90 * kGi},
        {AmiFamily::kWindows2022, {}, 50 * kGi},
        {AmiFamily::kCustom, {}, 20 * kGi},
        {AmiFamily::kCustom, {volume("/dev/a", "5Gi"), volume("/dev/b", "6G")}, 6'000'000'000},
    };
    for (const Case& c : cases) {
        NodeShape shape;
        shape.family = c.family;
        shape.block_devices = c.volumes;
        EXPECT_EQ(make("m5.large", shape).capacity.ephemeral_bytes, c.size) << to_string(c.family);
    }
    NodeShape raid;
    raid.uses_raid0 = true;
    EXPECT_EQ(make("m5d.large", raid).capacity.ephemeral_bytes, 75'000'000'000);
    EXPECT_EQ(make("m5.large", raid).capacity.ephemeral_bytes, 20 * kGi);
}

TEST(InstanceTypes, go_by_the_memory_that_was_seen) {
    const CatalogueType& m5 = known("m5.large");
    EXPECT_EQ(make_instance_type(m5.info, m5.facts, {}, 7600 * kMi).capacity.memory_bytes, 7600 * kMi);
}

TEST(InstanceTypes, of_windows_say_so) {
    NodeShape shape;
    shape.family = AmiFamily::kWindows2022;
    const rules::InstanceType type = make("m5.large", shape);
    EXPECT_TRUE(type.requirements.find("kubernetes.io/os")->allows("windows"));
    EXPECT_TRUE(type.requirements.find("node.kubernetes.io/windows-build")->allows("10.0.20348"));
    EXPECT_EQ(type.capacity.get("vpc.amazonaws.com/PrivateIPv4Address"), 9);
}

TEST(InstanceTypes, that_cannot_be_of_a_class_say_why) {
    Ec2NodeClass node_class;
    node_class.family = AmiFamily::kAl2023;
    EXPECT_EQ(why_incompatible(known("m5.large").info, node_class), "");
    EXPECT_EQ(why_incompatible(known("a1.large").info, node_class), "images of AL2023 do not run on it");
    node_class.interfaces = {{0, 0, "interface"}, {1, 0, "interface"}};
    EXPECT_EQ(why_incompatible(known("m5.large").info, node_class), "it has no network card 1");
    node_class.interfaces = {{0, 0, "interface"}, {0, 1, "efa-only"}};
    EXPECT_EQ(why_incompatible(known("m5.large").info, node_class), "it takes 0 EFA interfaces");
    node_class.interfaces.clear();
    node_class.enclaves = true;
    EXPECT_EQ(why_incompatible(known("t3.micro").info, node_class), "it has no Nitro Enclaves");
    node_class.enclaves.reset();
    node_class.connection_tracking.emplace();
    EXPECT_EQ(why_incompatible(known("m4.large").info, node_class),
              "connection tracking wants a Nitro system");
    node_class.connection_tracking.reset();
    node_class.family = AmiFamily::kWindows2022;
    EXPECT_EQ(why_incompatible(known("c7g.large").info, node_class), "Windows does not run on it");
}

}  // namespace
}  // namespace joiner::cloud::ec2
