#include "cloud/ec2/kubelet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::cloud::ec2 {
namespace {

using ::testing::HasSubstr;

TEST(ParseKubelet, reads_what_is_reckoned_with_and_keeps_the_rest) {
    const auto read = parse_kubelet(
        R"({"maxPods": 42, "podsPerCore": 4, "clusterDNS": ["10.0.0.1", "10.0.0.2"], "cpuCFSQuota": false,
            "kubeReserved": {"cpu": "200m"}, "evictionSoft": {"memory.available": "5%"},
            "evictionSoftGracePeriod": {"memory.available": "1m30s"}, "shutdownGracePeriod": "30s"})",
        AmiFamily::kAl2023);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->max_pods, 42);
    EXPECT_EQ(read->pods_per_core, 4);
    EXPECT_EQ(read->cluster_dns.size(), 2u);
    EXPECT_EQ(read->cpu_cfs_quota, false);
    EXPECT_EQ(read->kube_reserved.at("cpu"), "200m");
    EXPECT_THAT(read->json, HasSubstr(R"("shutdownGracePeriod":"30s")"));
    EXPECT_EQ(parse_kubelet("{}", AmiFamily::kAl2)->json, "{}");
}

TEST(ParseKubelet, says_what_is_wrong_and_under_which_reason) {
    struct Case {
        AmiFamily family;
        const char* json;
        const char* reason;
        const char* said;
    };
    constexpr const char* kInvalid = "InvalidKubeletConfiguration";
    constexpr const char* kUnsupported = "UnsupportedKubeletConfiguration";
    const Case cases[] = {
        {AmiFamily::kAl2023, R"({"maxpods": 5})", kInvalid, "spec.kubelet.maxpods: no field"},
        {AmiFamily::kAl2023, R"({"failSwapOn": "no"})", kInvalid,
         "spec.kubelet.failSwapOn: has a value of the wrong"},
        {AmiFamily::kAl2023, R"({"maxPods": -1})", kInvalid, "maxPods: -1 is not between"},
        {AmiFamily::kAl2023, R"({"maxPods": 1.5})", kInvalid, "maxPods: must be a whole number"},
        {AmiFamily::kAl2023, R"({"registerWithTaints": []})", kInvalid, "set by the controller"},
        {AmiFamily::kAl2023, R"({"kubeReserved": {"gpu": "1"}})", kInvalid, "kubeReserved.gpu: may be"},
        {AmiFamily::kAl2023, R"({"systemReserved": {"cpu": "-1"}})", kInvalid, "\"-1\" is below zero"},
        {AmiFamily::kAl2023, R"({"evictionHard": {"memory.free": "1Gi"}})", kInvalid,
         "no signal of eviction"},
        {AmiFamily::kAl2023, R"({"evictionHard": {"memory.available": "101%"}})", kInvalid, "0% to 100%"},
        {AmiFamily::kAl2023, R"({"evictionSoft": {"memory.available": "1Gi"}})", kInvalid,
         "evictionSoftGracePeriod has none"},
        {AmiFamily::kAl2023, R"({"evictionSoftGracePeriod": {"memory.available": "soon"}})", kInvalid,
         "\"soon\" is no duration"},
        {AmiFamily::kAl2023, R"({"imageGCHighThresholdPercent": 50, "imageGCLowThresholdPercent": 50})",
         kInvalid, "must be above"},
        {AmiFamily::kAl2023, R"({"imageGCHighThresholdPercent": 101})", kInvalid, "between 0 and 100"},
        {AmiFamily::kAl2023, R"({"maxPods": "max_pods - 1"})", "KubeletExpressionsDisabled",
         "\"max_pods - 1\" is an expression"},
        {AmiFamily::kAl2023, R"({"kubeReserved": {"memory": "vcpus * 10"}})", "KubeletExpressionsDisabled",
         "NodeClassCEL=true"},
        {AmiFamily::kAl2, R"({"shutdownGracePeriod": "30s"})", kUnsupported, "images of AL2 do not take it"},
        {AmiFamily::kBottlerocket, R"({"podsPerCore": 2})", kUnsupported, "Bottlerocket do not take it"},
        {AmiFamily::kWindows2022, R"({"clusterDNS": ["10.0.0.1", "10.0.0.2"]})", kUnsupported, "take one"},
        {AmiFamily::kAl2023, "[]", kInvalid, "must be an object"},
    };
    for (const Case& c : cases) {
        const auto read = parse_kubelet(c.json, c.family);
        ASSERT_FALSE(read) << c.json;
        EXPECT_EQ(read.error().reason, c.reason) << c.json;
        EXPECT_THAT(read.error().message, HasSubstr(c.said)) << c.json;
    }
    const auto two = parse_kubelet(R"({"maxPods": -1, "podsPerCore": -2})", AmiFamily::kAl2023);
    EXPECT_THAT(two.error().message,
                HasSubstr("maxPods: -1 is not between 0 and 2147483647; spec.kubelet.podsPerCore"));
    const std::string long_one = R"({"maxPods": ")" + std::string(40'000, '1') + R"("})";
    for (const bool takes_expressions : {false, true})
        EXPECT_EQ(parse_kubelet(long_one, AmiFamily::kAl2023, takes_expressions).error().message,
                  "spec.kubelet.maxPods: is longer than 2048 characters");
    // Images of one's own get what their user data says; settings do not reach them, and are no mistake.
    EXPECT_TRUE(parse_kubelet(R"({"shutdownGracePeriod": "30s"})", AmiFamily::kCustom));
}

}  // namespace
}  // namespace joiner::cloud::ec2
