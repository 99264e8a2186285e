#include "plan/lifecycle/surge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {

void PrintTo(SurgeStep::Kind kind, std::ostream* out) {
    *out << "step " << static_cast<int>(kind);
}

namespace {

using Kind = SurgeStep::Kind;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr WallTime kNow{seconds{1'800'000'000}};

// A Ready pod "ns/p" of ReplicaSet "web-h" that asks for surge.
struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    api::Pod pod;
    std::optional<bool> service_selects;
    std::optional<SurgeOwner> owner;
    std::optional<WallTime> full_since;

    World() {
        pod.meta.name = "p";
        pod.meta.ns = "ns";
        pod.meta.uid = "p";
        pod.meta.labels = {{"app", "web"}, {"pod-template-hash", "h"}};
        pod.meta.annotations[std::string(api::kSurgeAnnotation)] = "true";
        pod.meta.owners = {{"apps/v1", "ReplicaSet", "web-h", "u", true, true}};
        pod.status.conditions = {{"Ready", "True", "", "", kNow, 0}};
    }
    World& released(Duration ago) {
        pod.meta.labels.erase("pod-template-hash");
        pod.meta.owners.clear();
        pod.meta.annotations[std::string(api::kSurgingAnnotation)] =
            surging_text({"web-h", "h", std::nullopt}, kNow - ago);
        return *this;
    }
    World& owned(std::int64_t replicas, std::int64_t ready, std::optional<Duration> full_for = {}) {
        owner = SurgeOwner{true, replicas, ready};
        if (full_for) full_since = kNow - *full_for;
        return *this;
    }
    World& budget(const std::string& key) {
        api::PodDisruptionBudget budget;
        budget.meta.name = "b";
        budget.meta.ns = "ns";
        budget.selector = api::LabelSelector{{{key, pod.meta.labels[key]}}, {}};
        cluster.upsert(budget);
        return *this;
    }
    SurgeStep step() {
        cluster.upsert(pod);
        return next_surge_step({cluster, *cluster.find_pod("ns/p"), service_selects, owner, full_since},
                               kNow);
    }
};

TEST(NextSurgeStep, lets_the_set_go_then_waits_for_it_to_be_full) {
    const struct {
        const char* name;
        Kind kind;
        std::string remark;
        std::function<void(World&)> edit;
    } cases[] = {
        {"services first", Kind::kAskServices, "", [](World&) {}},
        {"then it is let go", Kind::kRelease, "", [](World& w) { w.service_selects = false; }},
        {"a service that selects on the hash", Kind::kEvict, "a Service selects",
         [](World& w) { w.service_selects = true; }},
        {"a budget that selects on the hash", Kind::kEvict, "PodDisruptionBudget b selects",
         [](World& w) { w.budget("pod-template-hash"); }},
        {"a budget that does not", Kind::kAskServices, "", [](World& w) { w.budget("app"); }},
        {"of no ReplicaSet", Kind::kEvict, "only pods of a Deployment",
         [](World& w) { w.pod.meta.owners[0].kind = "StatefulSet"; }},
        {"of a ReplicaSet without a hash", Kind::kEvict, "only pods of a Deployment",
         [](World& w) { w.pod.meta.labels.erase("pod-template-hash"); }},
        {"not Ready, so nobody misses it", Kind::kEvict, "",
         [](World& w) { w.pod.status.conditions[0].status = "False"; }},
        {"let go: how many does the set want?", Kind::kAskOwner, "",
         [](World& w) { w.released(seconds{1}); }},
        {"the set is not full", Kind::kWait, "", [](World& w) { w.released(minutes{1}).owned(1, 0); }},
        {"it is full, since just now", Kind::kWait, "",
         [](World& w) { w.released(minutes{1}).owned(1, 1, seconds{1}); }},
        {"and has been for a moment", Kind::kEvict, "",
         [](World& w) { w.released(minutes{1}).owned(1, 1, seconds{2}); }},
        {"scaled to nothing", Kind::kEvict, "",
         [](World& w) { w.released(minutes{1}).owned(0, 0, seconds{2}); }},
        {"the set is gone", Kind::kEvict, "",
         [](World& w) {
             w.released(minutes{1});
             w.owner = SurgeOwner{};
         }},
        {"patience", Kind::kWait, "", [](World& w) { w.released(minutes{10} - seconds{1}).owned(1, 0); }},
        {"even where the set cannot be asked for", Kind::kEvict, "ReplicaSet web-h was not up",
         [](World& w) { w.released(minutes{10}); }},
        {"has an end", Kind::kEvict, "ReplicaSet web-h was not up to its number again within 10m0s",
         [](World& w) { w.released(minutes{10}).owned(1, 0); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        const SurgeStep step = w.step();
        EXPECT_EQ(step.kind, c.kind) << c.name;
        EXPECT_THAT(step.remark, HasSubstr(c.remark)) << c.name;
        EXPECT_EQ(step.remark.empty(), c.remark.empty()) << c.name;
    }
}

TEST(NextSurgeStep, the_annotation_says_how_far_it_has_come) {
    World w;
    w.released(minutes{3});
    (void)w.step();
    const model::PodState* pod = w.cluster.find_pod("ns/p");
    ASSERT_NE(pod->surge, nullptr);
    EXPECT_EQ(pod->surge->replica_set, "web-h");
    EXPECT_EQ(pod->surge->hash, "h");
    EXPECT_EQ(pod->surge->released, kNow - minutes{3});
    EXPECT_TRUE(w.cluster.released_pods().contains("ns/p"));
    w.cluster.remove(model::Kind::kPod, "ns", "p");
    EXPECT_TRUE(w.cluster.released_pods().empty());
    w.pod.meta.annotations[std::string(api::kSurgingAnnotation)] = "web-h/h/yesterday";
    (void)w.step();
    EXPECT_TRUE(w.cluster.released_pods().empty()) << "what cannot be read is passed over";
}

TEST(ReadyPods, counts_those_the_selector_names) {
    World w;
    const api::LabelSelector selector{{{"pod-template-hash", "h"}}, {}};
    (void)w.step();
    EXPECT_EQ(ready_pods(w.cluster, "ns", selector), 1);
    EXPECT_EQ(ready_pods(w.cluster, "other", selector), 0);
    w.released(seconds{1});
    (void)w.step();
    EXPECT_EQ(ready_pods(w.cluster, "ns", selector), 0) << "it was let go";
    EXPECT_EQ(ready_pods(w.cluster, "ns", std::nullopt), 0);
}

}  // namespace
}  // namespace joiner::plan
