#include "cloud/ec2/hash.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::cloud::ec2 {
namespace {

using Json = nlohmann::json;

std::string hash_of(const Json& spec, std::string_view ca_bundle = {}) {
    api::NodeClass node_class;
    node_class.spec = spec.dump();
    const auto parsed = parse_node_class(node_class);
    return parsed ? node_class_hash(*parsed, ca_bundle) : parsed.error().message;
}

Json small() {
    return {{"amiSelectorTerms", {{{"alias", "al2023@latest"}}}},
            {"subnetSelectorTerms", {{{"id", "subnet-1"}}}},
            {"securityGroupSelectorTerms", {{{"id", "sg-1"}}}},
            {"role", "r1"}};
}

// The class of upstream's own vectors for a change of each field.
Json full() {
    return {
        {"amiFamily", "Custom"},
        {"amiSelectorTerms", {{{"id", "ami-1"}}}},
        {"subnetSelectorTerms", {{{"id", "subnet-1"}}}},
        {"securityGroupSelectorTerms", {{{"id", "sg-1"}}}},
        {"role", "role-1"},
        {"tags", {{"keyTag-1", "valueTag-1"}, {"keyTag-2", "valueTag-2"}}},
        {"context", "fake-context"},
        {"userData", "userdata-test-1"},
        {"detailedMonitoring", false},
        {"associatePublicIPAddress", false},
        {"metadataOptions",
         {{"httpEndpoint", "disabled"},
          {"httpProtocolIPv6", "disabled"},
          {"httpPutResponseHopLimit", 1},
          {"httpTokens", "optional"}}},
        {"blockDeviceMappings",
         {{{"deviceName", "map-device-1"},
           {"ebs",
            {{"deleteOnTermination", false},
             {"encrypted", false},
             {"iops", 0},
             {"throughput", 0},
             {"kmsKeyID", "fakeKMSKeyID"},
             {"snapshotID", "fakeSnapshot"},
             {"volumeSize", "2G"},
             {"volumeType", "standard"}}}},
          {{"deviceName", "map-device-2"}}}},
    };
}

TEST(NodeClassHash, is_upstreams) {
    EXPECT_EQ(hash_of(small()), "10359376959419146894");
    Json spec = small();
    spec["associatePublicIPAddress"] = false;
    spec["userData"] = "echo";
    spec["tags"] = {{"a", "b"}, {"c", "d"}};
    spec["kubelet"] = {{"podsPerCore", 2}, {"maxPods", 50}};
    spec["blockDeviceMappings"] = {{{"deviceName", "/dev/xvda"},
                                    {"rootVolume", true},
                                    {"ebs",
                                     {{"encrypted", true},
                                      {"iops", 3000},
                                      {"volumeInitializationRate", 200},
                                      {"volumeSize", "100Gi"},
                                      {"volumeType", "gp3"}}}},
                                   {{"deviceName", "/dev/xvdb"}, {"ebs", {{"snapshotID", "snap-1"}}}}};
    spec["metadataOptions"] = {{"httpEndpoint", "enabled"},
                               {"httpProtocolIPv6", "disabled"},
                               {"httpPutResponseHopLimit", 1},
                               {"httpTokens", "required"}};
    EXPECT_EQ(hash_of(spec, "Y2E="), "4992278890202395922");
}

TEST(NodeClassHash, changes_with_each_field_as_upstreams) {
    struct Case {
        const char* what;
        const char* patch;
        const char* hash;
    };
    const Case cases[] = {
        {"nothing", "{}", "11148166120438674859"},
        {"enclaves", R"({"enclaveOptions": {"enabled": true}})", "7236976372141148292"},
        {"no enclaves", R"({"enclaveOptions": {"enabled": false}})", "12655667132181172925"},
        {"UDP time-out", R"({"connectionTracking": {"udpTimeout": 45}})", "17941926745862994490"},
        {"nested virtualisation", R"({"cpuOptions": {"nestedVirtualization": "enabled"}})",
         "6157846767212910604"},
        {"profile", R"({"role": null, "instanceProfile": "test-instance-profile"})", "10323991363677716244"},
    };
    for (const Case& c : cases) {
        Json spec = full();
        spec.merge_patch(Json::parse(c.patch));
        EXPECT_EQ(hash_of(spec, "test-ca-bundle"), c.hash) << c.what;
    }
    Json larger = full();
    larger["blockDeviceMappings"][0]["ebs"]["volumeSize"] = "10G";
    EXPECT_EQ(hash_of(larger, "test-ca-bundle"), "10372902467896351912");
}

TEST(NodeClassHash, leaves_out_what_has_a_drift_of_its_own) {
    for (const char* patch :
         {R"({"subnetSelectorTerms": [{"id": "subnet-2"}]})",
          R"({"securityGroupSelectorTerms": [{"name": "other"}]})",
          R"({"amiSelectorTerms": [{"alias": "al2023@v20240807"}]})",
          R"({"capacityReservationSelectorTerms": [{"id": "cr-1"}]})", R"({"ipPrefixCount": 2})",
          R"({"amiFamily": "AL2023"})", R"({"kubelet": {}})"}) {
        Json spec = small();
        spec.merge_patch(Json::parse(patch));
        EXPECT_EQ(hash_of(spec), hash_of(small())) << patch;
    }
}

}  // namespace
}  // namespace joiner::cloud::ec2
