#include "cloud/ec2/node_class.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::cloud::ec2 {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

Json plain() {
    return {{"amiSelectorTerms", {{{"alias", "al2023@latest"}}}},
            {"subnetSelectorTerms", {{{"tags", {{"karpenter.sh/discovery", "*"}}}}}},
            {"securityGroupSelectorTerms", {{{"name", "nodes"}}}},
            {"role", "nodes"}};
}

Result<Ec2NodeClass> parse(const Json& spec) {
    api::NodeClass node_class;
    node_class.meta.name = "default";
    node_class.spec = spec.dump();
    return parse_node_class(node_class);
}

TEST(ParseNodeClass, takes_the_family_of_the_field_or_of_the_alias) {
    struct Case {
        const char* patch;
        AmiFamily family;
    };
    const Case cases[] = {
        {"{}", AmiFamily::kAl2023},
        {R"({"amiSelectorTerms": [{"alias": "windows2022@latest"}]})", AmiFamily::kWindows2022},
        {R"({"amiSelectorTerms": [{"alias": "bottlerocket@v1.20.4"}]})", AmiFamily::kBottlerocket},
        {R"({"amiFamily": "Custom"})", AmiFamily::kCustom},
        {R"({"amiFamily": "AL2", "amiSelectorTerms": [{"id": "ami-1"}]})", AmiFamily::kAl2},
    };
    for (const Case& c : cases) {
        Json spec = plain();
        spec.merge_patch(Json::parse(c.patch));
        const auto parsed = parse(spec);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(parsed->family, c.family) << c.patch;
    }
}

TEST(ParseNodeClass, names_the_field_that_is_wrong) {
    struct Case {
        const char* patch;
        const char* said;
    };
    const Case cases[] = {
        {R"({"amiSelectorTerms": []})", "spec.amiSelectorTerms: needs at least one term"},
        {R"({"amiSelectorTerms": [{"owner": "self"}]})", "spec.amiSelectorTerms[0]: needs one of alias, id"},
        {R"({"amiSelectorTerms": [{"alias": "al2023"}]})", "\"al2023\" is no alias"},
        {R"({"amiSelectorTerms": [{"alias": "ubuntu@latest"}]})", "\"ubuntu@latest\" is no alias"},
        {R"({"amiSelectorTerms": [{"id": "ami-1"}]})", "spec.amiFamily: must be there"},
        {R"({"amiFamily": "AL2"})", "spec.amiFamily: is not the family of the alias"},
        {R"({"amiFamily": "Ubuntu"})", "spec.amiFamily: \"Ubuntu\" is no family"},
        {R"({"amiSelectorTerms": [{"id": "image"}], "amiFamily": "AL2"})",
         "spec.amiSelectorTerms[0].id: is no ami-"},
        {R"({"subnetSelectorTerms": null})", "spec.subnetSelectorTerms: needs at least one term"},
        {R"({"subnetSelectorTerms": [{"tags": {"a": ""}}]})",
         "spec.subnetSelectorTerms[0].tags: a value is empty"},
        {R"({"securityGroupSelectorTerms": [{}]})",
         "spec.securityGroupSelectorTerms[0]: needs id, name or tags"},
        {R"({"securityGroupSelectorTerms": "all"})", "spec.securityGroupSelectorTerms: must be a list"},
        {R"({"capacityReservationSelectorTerms": [{"ownerID": "1"}]})", "[0]: needs id, tags or"},
        {R"({"placementGroupSelector": {"name": "a", "id": "pg-1"}})", "needs exactly one of name and id"},
        {R"({"instanceProfile": "p"})", "spec.role: exactly one of role and instanceProfile"},
        {R"({"role": null})", "spec.role: exactly one of role and instanceProfile"},
        {R"({"associatePublicIPAddress": "yes"})", "spec.associatePublicIPAddress: must be true or false"},
        {R"({"ipPrefixCount": -1})", "spec.ipPrefixCount: -1 is not between 0 and"},
        {R"({"userData": 7})", "spec.userData: must be a string"},
        {R"({"tags": {"karpenter.sh/nodepool": "x"}})", "spec.tags: the tag karpenter.sh/nodepool is set by"},
        {R"({"tags": {"a": 1}})", "spec.tags: the value of a is no string"},
        {R"({"kubelet": []})", "spec.kubelet: must be an object"},
        {R"({"blockDeviceMappings": [{"ebs": {"encrypted": true}}]})",
         "[0].ebs: needs volumeSize or snapshotID"},
        {R"({"blockDeviceMappings": [{"ebs": {"volumeSize": "lots"}}]})",
         ".ebs.volumeSize: \"lots\" is no size"},
        {R"({"blockDeviceMappings": [{"ebs": {"volumeSize": "1Gi", "volumeType": "gp9"}}]})",
         "\"gp9\" is none of"},
        {R"({"blockDeviceMappings": [{"rootVolume": true}, {"rootVolume": true}]})",
         "more than one rootVolume"},
        {R"({"instanceStorePolicy": "RAID1"})", "spec.instanceStorePolicy: \"RAID1\" is none of RAID0"},
        {R"({"networkInterfaces": [{"networkCardIndex": 0}]})", "needs networkCardIndex, deviceIndex and"},
        {R"({"networkInterfaces": [{"networkCardIndex": 1, "deviceIndex": 0, "interfaceType": "interface"}]})",
         "needs an entry of type interface at card 0"},
        {R"({"metadataOptions": {"httpPutResponseHopLimit": 65}})", "65 is not between 1 and 64"},
        {R"({"metadataOptions": {"httpTokens": "never"}})", "spec.metadataOptions.httpTokens: \"never\""},
        {R"({"enclaveOptions": true})", "spec.enclaveOptions: must be an object"},
        {R"({"connectionTracking": {"udpTimeout": 61}})", "spec.connectionTracking.udpTimeout: 61 is not"},
        {R"({"cpuOptions": {"nestedVirtualization": true}})", "nestedVirtualization: must be a string"},
        {R"({"ipPrefixCount": 18446744073709551615})",
         "spec.ipPrefixCount: 18446744073709551615 is not between"},
    };
    for (const Case& c : cases) {
        Json spec = plain();
        spec.merge_patch(Json::parse(c.patch));
        const auto parsed = parse(spec);
        ASSERT_FALSE(parsed) << c.patch;
        EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid);
        EXPECT_THAT(parsed.error().message, HasSubstr(c.said)) << c.patch;
    }
    api::NodeClass broken;
    broken.spec = "{";
    EXPECT_FALSE(parse_node_class(broken));
}

}  // namespace
}  // namespace joiner::cloud::ec2
