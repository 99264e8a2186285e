#include "control/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
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

TEST(Collector, a_claim_of_ours_without_its_instance_goes_and_anothers_stays) {
    Bench b;
    b.claim("ours", "i-1", "ours.example.com");
    b.claim("theirs", "i-2", "theirs.example.com");
    b.collect();
    EXPECT_THAT(b.deleted, testing::Each("ours"));
    EXPECT_THAT(b.deleted, testing::Contains("ours"));
}

}  // namespace
}  // namespace joiner::control
