#include "control/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::control {
namespace {

using std::chrono::minutes;
using testing::IsEmpty;

struct ListedProvider final : cloud::testing::NoProvider {
    std::vector<cloud::NodeClassResource> node_class_resources() const override {
        return {{"ours.example.com", "v1", "nodeclasses", "NodeClass"}};
    }
    void list(std::function<void(Result<std::vector<cloud::Instance>>)> done) override { done(instances); }
    void remove(const std::string& id, std::function<void(Status)> done) override {
        removed.push_back(id);
        done({});
    }
    std::vector<cloud::Instance> instances;
    std::vector<std::string> removed;
};

struct Bench : act::ServicesBench<ListedProvider> {
    Bench()
        : ServicesBench(
              rules::NodeClassKinds(std::vector<rules::NodeClassKind>{{"ours.example.com", "NodeClass"}})) {}

    std::vector<std::string> deleted;
    Collector collector{services,
                        [this](const std::string& claim, const std::string&) { deleted.push_back(claim); }};

    void claim(const std::string& name, const std::string& provider_id, const std::string& group) {
        api::NodeClaim claim;
        claim.meta.name = name;
        claim.provider_id = provider_id;
        claim.node_class = {group, "NodeClass", "default"};
        if (!provider_id.empty()) claim.conditions = {{"Registered", "True", "", "", kNoTime, 0}};
        cluster.upsert(std::move(claim));
    }
    void instance(const std::string& id, const std::string& claim) {
        cloud::Instance instance;
        instance.provider_id = id;
        instance.claim_name = claim;
        provider.instances.push_back(instance);
    }
    void collect() {
        collector.start();
        loop.advance(minutes{5});
    }
};

TEST(Collector, a_second_instance_of_a_claim_goes_and_the_recorded_one_stays) {
    Bench b;
    b.claim("c", "i-1", "ours.example.com");
    b.instance("i-1", "c");
    b.instance("i-2", "c");
    b.collect();
    EXPECT_THAT(b.provider.removed, testing::Each("i-2"));
    EXPECT_THAT(b.provider.removed, testing::Contains("i-2"));
    EXPECT_THAT(b.deleted, IsEmpty());
}

TEST(Collector, while_a_claim_is_launching_no_instance_made_for_it_goes) {
    Bench b;
    b.claim("c", "", "ours.example.com");
    b.instance("i-1", "c");
    b.instance("i-2", "c");
    b.instance("i-3", "nobody");
    b.collect();
    EXPECT_THAT(b.provider.removed, testing::Each("i-3"));
    EXPECT_THAT(b.provider.removed, testing::Contains("i-3"));
}

TEST(Collector, what_was_bought_for_a_group_goes_once_none_of_it_is_launching) {
    Bench b;
    b.instance("i-1", "");
    b.provider.instances.back().launch_group = "g";
    b.instance("i-2", "");
    b.provider.instances.back().launch_group = "another";
    b.claim("c", "", "ours.example.com");
    api::NodeClaim claim = b.cluster.find_claim("c")->claim;
    claim.meta.annotations[std::string(api::kLaunchGroupAnnotation)] = "g/2";
    b.cluster.upsert(claim);
    b.collect();
    EXPECT_THAT(b.provider.removed, testing::Each("i-2"));
    EXPECT_THAT(b.provider.removed, testing::Contains("i-2"));
    claim.provider_id = "i-3";
    b.cluster.upsert(claim);
    b.loop.advance(minutes{5});
    EXPECT_THAT(b.provider.removed, testing::Contains("i-1"));
}

TEST(Collector, a_claim_of_ours_without_its_instance_goes_and_anothers_stays) {
    Bench b;
    b.claim("ours", "i-1", "ours.example.com");
    b.claim("theirs", "i-2", "theirs.example.com");
    b.collect();
    EXPECT_THAT(b.deleted, testing::Each("ours"));
    EXPECT_THAT(b.deleted, testing::Contains("ours"));
}

TEST(Collector, a_claim_and_its_node_turn_on_demand_when_the_instance_has_left_its_reservation) {
    Bench b;
    b.claim("c", "i-1", "ours.example.com");
    b.claim("kept", "i-2", "ours.example.com");
    b.claim("foreign", "i-3", "theirs.example.com");
    for (const char* name : {"c", "kept", "foreign"}) {
        api::NodeClaim claim = b.cluster.find_claim(name)->claim;
        claim.meta.labels = {{"karpenter.sh/capacity-type", "reserved"}, {"cloud/reservation", "r"}};
        b.cluster.upsert(std::move(claim));
    }
    api::Node node;
    node.meta.name = "n";
    node.provider_id = "i-1";
    node.meta.labels = {{"karpenter.sh/capacity-type", "reserved"}};
    b.cluster.upsert(std::move(node));
    for (const char* id : {"i-1", "i-2", "i-3"}) {
        b.instance(id, "");
        b.provider.instances.back().labels["karpenter.sh/capacity-type"] =
            std::string_view(id) == "i-2" ? "reserved" : "on-demand";
        b.provider.instances.back().absent_labels = {"cloud/reservation"};
    }
    b.collector.start();
    b.loop.run_ready();
    ASSERT_EQ(b.http.calls.size(), 2u);
    EXPECT_THAT(b.http.calls[0].request.target, testing::HasSubstr("/nodeclaims/c"));
    EXPECT_EQ(
        b.http.calls[0].request.body,
        R"({"metadata":{"labels":{"cloud/reservation":null,"karpenter.sh/capacity-type":"on-demand"}}})");
    EXPECT_THAT(b.http.calls[1].request.target, testing::HasSubstr("/nodes/n"));
    EXPECT_EQ(b.http.calls[1].request.body,
              R"({"metadata":{"labels":{"karpenter.sh/capacity-type":"on-demand"}}})");
}

}  // namespace
}  // namespace joiner::control
