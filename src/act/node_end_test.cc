#include "act/node_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::act {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

struct AskedProvider final : cloud::testing::NoProvider {
    void get(const std::string&, std::function<void(Result<cloud::Instance>)> done) override {
        asked.push_back(std::move(done));
    }
    void remove(const std::string&, std::function<void(Status)> done) override {
        removed.push_back(std::move(done));
    }
    std::vector<std::function<void(Result<cloud::Instance>)>> asked;
    std::vector<std::function<void(Status)>> removed;
};

// A node on its way out that is not Ready, and the claim it belongs to.
struct Bench : ServicesBench<AskedProvider> {
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
    // Ready again, tainted and out of the load balancers, with a pod that asks for thirty seconds.
    void drains() {
        api::Node node = cluster.find_node("n")->node;
        node.conditions[0].status = "True";
        node.taints = {{std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}}};
        node.meta.labels = {{std::string(api::kExcludeBalancersLabel), "karpenter"}};
        cluster.upsert(node);
        api::Pod pod;
        pod.meta.name = "p";
        pod.meta.ns = "ns";
        pod.meta.uid = "uid-of-p";
        pod.spec.node_name = "n";
        pod.spec.termination_grace_seconds = 30;
        pod.status.phase = "Running";
        cluster.upsert(pod);
    }
    void deadline_in(Duration span) {
        api::NodeClaim claim = cluster.find_claim("c")->claim;
        claim.meta.annotations[std::string(api::kTerminationTimestampAnnotation)] =
            format_rfc3339(loop.now() + span);
        cluster.upsert(claim);
    }
    // What was asked of pods, Events aside.
    std::vector<io::RequestId> asked_of_pods() const {
        std::vector<io::RequestId> out;
        for (const auto& call : http.calls) {
            if (call.request.target.find("/pods/") != std::string::npos) out.push_back(call.id);
        }
        return out;
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

TEST(NodeEnd, s4_3_a_node_whose_machine_is_gone_loses_its_finalizer_at_once) {
    Bench b;
    b.step();
    ASSERT_EQ(b.provider.asked.size(), 1u);
    EXPECT_TRUE(b.http.calls.empty()) << "nothing before the answer";
    b.provider.asked[0](fail(ErrorKind::kNotFound, "gone"));
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("/api/v1/nodes/n "));
    EXPECT_THAT(b.last_patch(), HasSubstr("\"finalizers\":[]"));
}

TEST(NodeEnd, s4_3_a_node_that_is_merely_silent_is_drained_as_any_other) {
    Bench b;
    b.step();
    b.provider.asked[0](cloud::Instance{});
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("karpenter.sh/disrupted"));
    EXPECT_THAT(b.last_patch(), HasSubstr("exclude-from-external-load-balancers"));
    EXPECT_EQ(b.provider.asked.size(), 1u);
}

TEST(NodeEnd, s4_3_a_cloud_that_does_not_answer_holds_up_no_drain) {
    Bench b;
    b.step();
    b.provider.asked[0](fail(ErrorKind::kUnavailable, "no answer"));
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("karpenter.sh/disrupted"));
}

TEST(NodeEnd, s4_3_any_other_effect_of_the_taint_is_replaced) {
    Bench b;
    api::Node node = b.cluster.find_node("n")->node;
    node.conditions[0].status = "True";
    node.taints = {{std::string(api::kDisruptedTaint), "", std::string(api::kNoExecute), {}},
                   {"mine", "", std::string(api::kNoSchedule), {}}};
    b.cluster.upsert(node);
    b.step();
    EXPECT_THAT(b.last_patch(), HasSubstr("NoSchedule"));
    EXPECT_THAT(b.last_patch(), HasSubstr("mine"));
    EXPECT_THAT(b.last_patch(), Not(HasSubstr("NoExecute")));
}

TEST(NodeEnd, s4_3_the_claim_of_a_deleted_node_is_deleted_once_though_the_watch_is_late) {
    Bench b;
    api::NodeClaim claim = b.cluster.find_claim("c")->claim;
    claim.meta.deleted.reset();
    b.cluster.upsert(claim);
    b.step();
    ASSERT_THAT(b.http.calls, SizeIs(1));
    EXPECT_EQ(b.http.calls[0].request.method, "DELETE");
    b.step();
    EXPECT_THAT(b.http.calls, SizeIs(1)) << "while it is on its way";
    b.http.answer(b.http.calls[0].id, 200, "{}");
    b.step();
    EXPECT_THAT(b.http.calls, SizeIs(1)) << "and until it is seen";
}

TEST(NodeEnd, s4_3_an_eviction_is_of_that_very_pod_and_asked_for_once) {
    Bench b;
    b.drains();
    b.step();
    ASSERT_THAT(b.asked_of_pods(), SizeIs(1));
    const io::HttpRequest& request = b.http.call(b.asked_of_pods()[0]).request;
    EXPECT_EQ(request.method, "POST");
    EXPECT_THAT(request.target, HasSubstr("/namespaces/ns/pods/p/eviction"));
    EXPECT_THAT(request.body, HasSubstr(R"("preconditions":{"uid":"uid-of-p"})"));
    b.http.answer(b.asked_of_pods()[0], 201, "{}");
    b.step();
    EXPECT_THAT(b.asked_of_pods(), SizeIs(1)) << "the watch has yet to show it";
    b.loop.advance(seconds{5});
    b.step();
    EXPECT_THAT(b.asked_of_pods(), SizeIs(2)) << "it was lost";
}

TEST(NodeEnd, s4_3_a_refused_eviction_waits_as_long_as_it_was_told_within_bounds) {
    const struct {
        int told;
        int waits;
    } cases[] = {{0, 1}, {4, 4}, {300, 10}};
    for (const auto& [told, waits] : cases) {
        Bench b;
        b.drains();
        b.step();
        b.http.answer(b.asked_of_pods().at(0), 429, "{}", told);
        b.loop.advance(seconds{waits} - std::chrono::milliseconds{1});
        b.step();
        EXPECT_THAT(b.asked_of_pods(), SizeIs(1)) << told;
        b.loop.advance(std::chrono::milliseconds{1});
        b.step();
        EXPECT_THAT(b.asked_of_pods(), SizeIs(2)) << told;
    }
}

TEST(NodeEnd, s4_3_past_its_time_that_very_pod_is_deleted_with_the_seconds_left) {
    Bench b;
    b.drains();
    b.deadline_in(seconds{12});
    b.step();
    ASSERT_THAT(b.asked_of_pods(), SizeIs(1));
    const io::HttpRequest& request = b.http.call(b.asked_of_pods()[0]).request;
    EXPECT_EQ(request.method, "DELETE");
    EXPECT_THAT(request.body, HasSubstr(R"("gracePeriodSeconds":12)"));
    EXPECT_THAT(request.body, HasSubstr(R"("uid":"uid-of-p")"));
}

TEST(NodeEnd, s4_3_the_finalizer_stays_until_the_cloud_says_that_the_machine_is_gone) {
    const auto lets_go = HasSubstr("\"finalizers\":[]");
    Bench b;
    b.drains();
    b.cluster.remove(model::Kind::kPod, "ns", "p");
    b.step();
    EXPECT_TRUE(b.provider.removed.empty()) << "a pod bound in the last moment may still show";
    b.loop.advance(seconds{1});
    b.step();
    ASSERT_THAT(b.provider.removed, SizeIs(1));
    EXPECT_THAT(b.last_patch(), Not(lets_go));
    b.provider.removed[0]({});
    b.loop.advance(seconds{5});
    b.step();
    ASSERT_THAT(b.provider.removed, SizeIs(2)) << "it is on its way, and asked for again";
    EXPECT_THAT(b.last_patch(), Not(lets_go));
    b.provider.removed[1](fail(ErrorKind::kNotFound, "gone"));
    b.step();
    EXPECT_THAT(b.last_patch(), lets_go);
}

}  // namespace
}  // namespace joiner::act
