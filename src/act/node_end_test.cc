#include "act/node_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "cloud/testing/no_provider.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct AskedProvider final : cloud::testing::NoProvider {
    void get(const std::string&, std::function<void(Result<cloud::Instance>)> done) override {
        asked.push_back(std::move(done));
    }
    std::vector<std::function<void(Result<cloud::Instance>)>> asked;
};

// A node on its way out that is not Ready, and the claim it belongs to.
struct Bench : kube::testing::KubeBench, Notices {
    kube::EventRecorder events{loop, client, {}};
    AskedProvider provider;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    Services services{
        loop, client, events, provider, cluster, *this, [](const std::string&) {}, [](const std::string&) {}};
    ObjectWriter writer{services};
    NodeEnd end{services, writer};

    Bench() {
        api::NodeClaim claim;
        claim.meta.name = "c";
        claim.meta.deleted = loop.now();
        claim.provider_id = "p://1";
        cluster.upsert(claim);
        api::Node node;
        node.meta.name = "n";
        node.meta.deleted = loop.now();
        node.meta.finalizers = {std::string(api::kTerminationFinalizer)};
        node.provider_id = "p://1";
        node.conditions = {{"Ready", "Unknown", "", "", loop.now(), 0}};
        cluster.upsert(node);
    }
    void step() {
        end.step(*cluster.find_node("n"));
        loop.run_ready();
    }
    std::string last_patch() const {
        return http.calls.empty() ? ""
                                  : http.calls.back().request.target + " " + http.calls.back().request.body;
    }
};

TEST(NodeEnd, a_node_whose_machine_is_gone_loses_its_finalizer_at_once) {
    Bench b;
    b.step();
    ASSERT_EQ(b.provider.asked.size(), 1u);
    EXPECT_TRUE(b.http.calls.empty()) << "nothing before the answer";
    b.provider.asked[0](fail(ErrorKind::kNotFound, "gone"));
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("/api/v1/nodes/n "));
    EXPECT_THAT(b.last_patch(), HasSubstr("\"finalizers\":[]"));
}

TEST(NodeEnd, a_node_that_is_merely_silent_is_drained_as_any_other) {
    Bench b;
    b.step();
    b.provider.asked[0](cloud::Instance{});
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("karpenter.sh/disrupted"));
    EXPECT_THAT(b.last_patch(), HasSubstr("exclude-from-external-load-balancers"));
    EXPECT_EQ(b.provider.asked.size(), 1u);
}

TEST(NodeEnd, a_cloud_that_does_not_answer_holds_up_no_drain) {
    Bench b;
    b.step();
    b.provider.asked[0](fail(ErrorKind::kUnavailable, "no answer"));
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("karpenter.sh/disrupted"));
}

}  // namespace
}  // namespace joiner::act
