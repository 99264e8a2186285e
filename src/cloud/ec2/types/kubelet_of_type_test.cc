#include "cloud/ec2/types/kubelet_of_type.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cloud/ec2/catalogue.h"

namespace joiner::cloud::ec2 {
namespace {

const InstanceTypeInfo& info_of(std::string_view name) {
    const auto& types = catalogue().types;
    const auto it = std::find_if(types.begin(), types.end(),
                                 [&](const CatalogueType& one) { return one.info.name == name; });
    EXPECT_NE(it, types.end()) << name;
    return it->info;
}

NodeShape with_kubelet(const std::string& json, AmiFamily family = AmiFamily::kAl2023) {
    NodeShape out;
    out.family = family;
    const auto read = parse_kubelet(json, family, true);
    EXPECT_TRUE(read) << read.error().message;
    if (read) out.kubelet = *read;
    return out;
}

TEST(KubeletOfType, has_the_numbers_of_the_type) {
    struct Case {
        const char* type;
        const char* max_pods;
        std::optional<int> result;
    };
    const Case cases[] = {
        {"m5.large", R"("max_pods")", 29},
        {"m5.large", R"("vcpus * 10 + default_enis + ips_per_eni")", 33},
        {"m5.4xlarge", R"("memory_mib / 1024")", 64},
        {"m5.4xlarge", R"("double(max_pods) * 0.5")", 117},
        {"m5.4xlarge", R"("instance_type == 'm5.4xlarge' ? 7 : 8")", 7},
        {"m5.4xlarge", "9", 9},
        {"m5.4xlarge", R"("0")", 0},
        {"m5.4xlarge", R"("2147483647")", 2147483647},
        {"m5.4xlarge", R"("2147483648")", std::nullopt},
        {"m5.4xlarge", R"("-1")", std::nullopt},
        {"m5.4xlarge", R"("1 / (vcpus - 16) + 0")", std::nullopt},
    };
    for (const Case& c : cases) {
        const TypeKubelet made =
            kubelet_of(info_of(c.type), with_kubelet(std::string(R"({"maxPods": )") + c.max_pods + "}"));
        EXPECT_EQ(made.settings.max_pods, c.result) << c.max_pods;
        EXPECT_EQ(made.max_pods_failure.empty(), c.result.has_value()) << c.max_pods << made.max_pods_failure;
        EXPECT_FALSE(made.settings.has_expressions()) << c.max_pods;
    }
    EXPECT_EQ(kubelet_of(info_of("m5.large"), with_kubelet(R"({"maxPods": "2147483648"})")).max_pods_failure,
              "spec.kubelet.maxPods: \"2147483648\": it comes to 2147483648, not between 0 and 2147483647");
}

TEST(KubeletOfType, has_reserves_in_karpenters_units) {
    struct Case {
        const char* resource;
        const char* expression;
        const char* amount;  // nullptr: it is dropped.
    };
    const Case cases[] = {
        {"cpu", "max(60, vcpus * 30)", "480m"},
        {"cpu", "71", "71"},  // A quantity, and so 71 cores.
        {"cpu", "70 + 1", "80m"},
        {"cpu", "80 + 0", "80m"},
        {"cpu", "0 * vcpus", "0m"},
        {"memory", "11 * max_pods + 255", "2832Mi"},
        {"memory", "vcpus", "16Mi"},
        {"memory", "double(vcpus) + 1.9", "32Mi"},
        {"memory", "1Gi", "1Gi"},
        {"ephemeral-storage", "vcpus / 5", "3Gi"},
        {"pid", "1000 + vcpus", "1016"},
        {"memory", "0 - vcpus", nullptr},
        {"memory", "1.0 / 0.0", nullptr},
        {"memory", "2147483647 + vcpus", nullptr},
    };
    for (const char* field : {"kubeReserved", "systemReserved"}) {
        for (const Case& c : cases) {
            const TypeKubelet made = kubelet_of(
                info_of("m5.4xlarge"),
                with_kubelet(fmt::format(R"({{"{}": {{"{}": "{}"}}}})", field, c.resource, c.expression)));
            const bool is_kube = std::string_view(field) == "kubeReserved";
            const api::StringMap& reserve =
                is_kube ? made.settings.kube_reserved : made.settings.system_reserved;
            EXPECT_EQ(reserve.contains(c.resource), c.amount != nullptr) << c.expression;
            EXPECT_EQ(made.reserve_failures.empty(), c.amount != nullptr) << c.expression;
            EXPECT_EQ(api::find_or_empty(reserve, c.resource), c.amount == nullptr ? "" : c.amount)
                << c.expression;
            EXPECT_TRUE((is_kube ? made.settings.system_reserved : made.settings.kube_reserved).empty());
            EXPECT_EQ(made.settings.max_pods, std::nullopt);
        }
    }
}

// maxPods knows what a node takes without it, the reserves what it has come to, both within podsPerCore.
TEST(KubeletOfType, knows_max_pods_as_far_as_it_is_known) {
    struct Case {
        const char* kubelet;
        AmiFamily family;
        int max_pods;
        const char* pid;
    };
    const Case cases[] = {
        {R"({"kubeReserved": {"pid": "max_pods + 0"}})", AmiFamily::kAl2023, -1, "234"},
        {R"({"maxPods": 50, "kubeReserved": {"pid": "max_pods + 0"}})", AmiFamily::kAl2023, 50, "50"},
        {R"({"maxPods": "max_pods / 2", "kubeReserved": {"pid": "max_pods + 0"}})", AmiFamily::kAl2023, 117,
         "117"},
        {R"({"maxPods": "max_pods * 2", "podsPerCore": 3, "kubeReserved": {"pid": "max_pods + 0"}})",
         AmiFamily::kAl2023, 96, "48"},
        {R"({"kubeReserved": {"pid": "max_pods + 0"}})", AmiFamily::kWindows2022, -1, "110"},
        // Where maxPods fails, the reserves know the default.
        {R"({"maxPods": "1 / 0", "kubeReserved": {"pid": "max_pods + 0"}})", AmiFamily::kAl2023, -1, "234"},
    };
    for (const Case& c : cases) {
        const TypeKubelet made = kubelet_of(info_of("m5.4xlarge"), with_kubelet(c.kubelet, c.family));
        EXPECT_EQ(made.settings.max_pods.value_or(-1), c.max_pods) << c.kubelet;
        EXPECT_EQ(made.settings.kube_reserved.at("pid"), c.pid) << c.kubelet;
    }
    NodeShape without_interfaces = with_kubelet(R"({"maxPods": "max_pods"})");
    without_interfaces.reserved_interfaces = 1;
    EXPECT_EQ(kubelet_of(info_of("m5.large"), without_interfaces).settings.max_pods, 2 * 9 + 2);
}

TEST(KubeletOfType, fails_by_the_first_type_and_their_number) {
    const std::vector<InstanceTypeInfo> types = {info_of("c5.large"), info_of("m5.4xlarge"),
                                                 info_of("m5.large")};
    struct Case {
        const char* kubelet;
        const char* why;
    };
    const Case cases[] = {
        {R"({"maxPods": 5, "kubeReserved": {"cpu": "1"}})", ""},
        {R"({"maxPods": "max_pods", "kubeReserved": {"cpu": "vcpus * 30"}})", ""},
        {R"({"maxPods": "100 / (vcpus - 16) + 0"})",
         "spec.kubelet.maxPods: \"100 / (vcpus - 16) + 0\": it comes to -7, not between 0 and 2147483647, "
         "for "
         "c5.large and 2 more instance types"},
        {R"({"systemReserved": {"memory": "memory_mib / (vcpus - 16) * 0 + 100"}})",
         "spec.kubelet.systemReserved.memory: \"memory_mib / (vcpus - 16) * 0 + 100\": it divides by zero, "
         "for "
         "m5.4xlarge"},
    };
    for (const Case& c : cases) EXPECT_EQ(why_expressions_fail(types, with_kubelet(c.kubelet)), c.why);
}  // namespace

}  // namespace
}  // namespace joiner::cloud::ec2
