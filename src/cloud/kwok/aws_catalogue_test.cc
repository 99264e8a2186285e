#include "cloud/kwok/aws_catalogue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cloud/kwok/type_labels.h"

namespace joiner::cloud::kwok {
namespace {

TEST(AwsTypes, are_whole_and_match_known_machines) {
    const auto types = aws_types();
    EXPECT_GT(types.size(), 1300u);
    std::set<std::string> names;
    for (const rules::InstanceType& type : types) {
        EXPECT_TRUE(names.insert(type.name).second) << type.name;
        EXPECT_GT(type.capacity.cpu_milli, 0) << type.name;
        EXPECT_LE(type.offerings.size(), 64u) << type.name;
        for (const rules::Offering& offering : type.offerings)
            EXPECT_GT(offering.price.nanos, 0) << type.name;
    }
    const auto find = [&](const char* name) {
        return *std::find_if(types.begin(), types.end(), [&](const auto& t) { return t.name == name; });
    };
    EXPECT_NEAR(find("m5.large").offerings.front().price.dollars(), 0.096, 1e-9);
    EXPECT_EQ(find("m5.large").allocatable().cpu_milli, 1930);
    EXPECT_EQ(find("m5.large").allocatable().memory_bytes >> 20, 6903);
    EXPECT_EQ(find("c7g.large").allocatable().memory_bytes >> 20, 3055);
    EXPECT_EQ(find("m5.24xlarge").allocatable().memory_bytes >> 20, 355262);
    EXPECT_EQ(find("p5.48xlarge").capacity.get("nvidia.com/gpu"), 8);
    EXPECT_EQ(find("inf2.xlarge").capacity.get("aws.amazon.com/neuron"), 1);
    EXPECT_EQ(find("inf2.xlarge").capacity.get("aws.amazon.com/neuroncore"), 2);
    EXPECT_EQ(find("c6gn.16xlarge").capacity.get("vpc.amazonaws.com/efa"), 1);
    EXPECT_EQ(find("m5.large").capacity.get("vpc.amazonaws.com/pod-eni"), 9);
}

// "absent": the label must not be there; each type says something of every key.
TEST(AwsTypes, carry_the_labels_of_their_provider) {
    struct Case {
        const char* type;
        const char* key;
        const char* value;
    };
    const Case cases[] = {
        {"c7i-flex.large", "instance-category", "c"},
        {"c7i-flex.large", "instance-generation", "7"},
        {"c7i-flex.large", "instance-family", "c7i-flex"},
        {"c7i-flex.large", "instance-size", "large"},
        {"c7i-flex.large", "instance-capability-flex", "true"},
        {"c7i-flex.large", "instance-cpu", "2"},
        {"c7i-flex.large", "instance-cpu-manufacturer", "intel"},
        {"c7i-flex.large", "instance-cpu-sustained-clock-speed-mhz", "3200"},
        {"c7i-flex.large", "instance-memory", "4096"},
        {"c7i-flex.large", "instance-ebs-bandwidth", "10000"},
        {"c7i-flex.large", "instance-network-bandwidth", "390"},
        {"c7i-flex.large", "instance-hypervisor", "nitro"},
        {"c7i-flex.large", "instance-encryption-in-transit-supported", "true"},
        {"c7i-flex.large", "nitro-sandbox", "false"},
        {"c7i-flex.large", "instance-gpu-count", "absent"},
        {"c7i-flex.large", "instance-local-nvme", "absent"},
        {"c7i-flex.large", "capacity-reservation-id", "absent"},
        {"m7g.metal", "instance-hypervisor", "absent"},
        {"m7g.metal", "instance-cpu-manufacturer", "aws"},
        {"p4d.24xlarge", "instance-gpu-name", "a100"},
        {"p4d.24xlarge", "instance-gpu-manufacturer", "nvidia"},
        {"p4d.24xlarge", "instance-gpu-count", "8"},
        {"p4d.24xlarge", "instance-gpu-memory", "40960"},
        {"p4d.24xlarge", "instance-local-nvme", "8000"},
        {"g6f.large", "instance-gpu-count", "0"},
        {"inf2.xlarge", "instance-accelerator-name", "inferentia2"},
        {"inf2.xlarge", "instance-accelerator-manufacturer", "aws"},
        {"inf2.xlarge", "instance-accelerator-count", "1"},
        {"u7i-12tb.224xlarge", "instance-category", "u"},
        {"u7i-12tb.224xlarge", "instance-generation", "7"},
        {"u-6tb1.56xlarge", "instance-category", "u"},
        {"u-6tb1.56xlarge", "instance-generation", "1"},
        {"hpc7g.4xlarge", "instance-category", "hpc"},
        {"t2.micro", "instance-ebs-bandwidth", "absent"},
        {"t2.micro", "instance-hypervisor", "xen"},
    };
    const std::pair<AwsLabels, std::string> dialects[] = {{AwsLabels::kKarpenter, "karpenter.k8s.aws/"},
                                                          {AwsLabels::kEksAuto, "eks.amazonaws.com/"}};
    for (const auto& [labels, domain] : dialects) {
        const auto types = aws_types(labels);
        for (const Case& c : cases) {
            const auto type =
                std::find_if(types.begin(), types.end(), [&](const auto& t) { return t.name == c.type; });
            ASSERT_NE(type, types.end()) << c.type;
            const rules::Requirement* own = type->requirements.find(domain + c.key);
            ASSERT_NE(own, nullptr) << c.type << " " << c.key;
            const bool is_absent = std::string_view(c.value) == "absent";
            EXPECT_EQ(own->to_string(),
                      domain + c.key + (is_absent ? " DoesNotExist" : fmt::format(" In [{}]", c.value)));
        }
        for (const rules::InstanceType& type : types)
            EXPECT_EQ(type.requirements.size(), types.front().requirements.size()) << type.name;
    }
}

TEST(AwsTypes, know_where_they_are_and_how_many_volumes_they_take) {
    const auto types = aws_types();
    const auto find = [&](const char* name) {
        return *std::find_if(types.begin(), types.end(), [&](const auto& t) { return t.name == name; });
    };
    for (const rules::Offering& offering : find("m5.large").offerings) {
        const bool is_first = offering.zone() == "us-east-1a";
        EXPECT_EQ(offering.requirements.find("topology.k8s.aws/zone-id")->allows("use1-az2"), is_first);
    }
    using Limits = std::vector<std::pair<std::string, int>>;
    EXPECT_EQ(find("m5.large").volume_limits, (Limits{{"ebs.csi.aws.com", 26}}))
        << "28, less interface and root";
    EXPECT_EQ(find("m5d.4xlarge").volume_limits, (Limits{{"ebs.csi.aws.com", 24}})) << "and less two disks";
    EXPECT_EQ(find("m7i.large").volume_limits, (Limits{{"ebs.csi.aws.com", 31}})) << "a limit of their own";
    EXPECT_EQ(find("m7i.48xlarge").volume_limits, (Limits{{"ebs.csi.aws.com", 127}}));
    EXPECT_EQ(find("t2.micro").volume_limits, (Limits{{"ebs.csi.aws.com", 39}}));
}

TEST(TypeLabels, families_stand_before_the_last_dot) {
    const std::pair<const char*, const char*> cases[] = {{"c7i-flex.large", "c7i-flex"},
                                                         {"m5.2xlarge", "m5"},
                                                         {"u7i-12tb.224xlarge", "u7i-12tb"},
                                                         {"c-4x-amd64-linux", "c"},
                                                         {"small", "s"}};
    for (const auto& [name, family] : cases) EXPECT_EQ(family_of(name), family) << name;
    EXPECT_EQ(size_of("r7iz.metal-32xl", "128"), "metal-32xl");
    EXPECT_EQ(size_of("c-4x-amd64-linux", "4"), "4");
}

}  // namespace
}  // namespace joiner::cloud::kwok
