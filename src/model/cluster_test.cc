#include "model/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace joiner::model {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Quantity quantity(std::string_view text) {
    return Quantity::parse(text).value();
}

struct PodBuilder {
    api::Pod pod;

    PodBuilder cpu(const char* amount) {
        pod.spec.containers.resize(1);
        pod.spec.containers[0].requests["cpu"] = quantity(amount);
        return *this;
    }
    PodBuilder on(std::string node) {
        pod.spec.node_name = std::move(node);
        return *this;
    }
    PodBuilder phase(std::string phase) {
        pod.status.phase = std::move(phase);
        return *this;
    }
    PodBuilder owned_by(std::string kind) {
        pod.meta.owners.push_back({"v1", std::move(kind), "owner", "u", true, false});
        return *this;
    }
    operator const api::Pod&() const { return pod; }  // NOLINT: a builder stands for what it builds.
};

PodBuilder a_pod(std::string name) {
    PodBuilder b;
    b.pod.meta.name = std::move(name);
    b.pod.meta.ns = "ns";
    b.pod.meta.uid = "uid-" + b.pod.meta.name;
    return b.cpu("1");
}

api::Node a_node(std::string name, std::string provider_id = {}) {
    api::Node node;
    node.meta.name = std::move(name);
    node.provider_id = std::move(provider_id);
    node.allocatable = {{"cpu", quantity("8")}, {"pods", quantity("10")}};
    return node;
}

api::NodeClaim a_claim(std::string name, std::string provider_id) {
    api::NodeClaim claim;
    claim.meta.name = std::move(name);
    claim.provider_id = std::move(provider_id);
    return claim;
}

struct Bench {
    Cluster cluster{rules::PreferencePolicy::kRespect};

    // "1000m, 1 pods" of the node.
    std::string used(std::string_view node) const {
        const NodeState* state = cluster.find_node(node);
        return state == nullptr ? "no node"
                                : std::to_string(state->used.cpu_milli) + "m, " +
                                      std::to_string(state->used.pods) + " pods";
    }
};

TEST(Cluster, a_node_counts_what_is_bound_to_it) {
    Bench b;
    b.cluster.upsert(a_node("n"));
    b.cluster.upsert(a_pod("a").cpu("500m"));
    EXPECT_EQ(b.used("n"), "0m, 0 pods");
    EXPECT_THAT(b.cluster.unbound_pods(), ElementsAre("ns/a"));

    b.cluster.upsert(a_pod("a").cpu("500m").on("n"));
    EXPECT_EQ(b.used("n"), "500m, 1 pods");
    EXPECT_THAT(b.cluster.unbound_pods(), IsEmpty());

    b.cluster.upsert(a_pod("a").cpu("500m").on("n"));
    EXPECT_EQ(b.used("n"), "500m, 1 pods") << "told twice, counted once";

    b.cluster.upsert(a_pod("a").cpu("2").on("n"));
    EXPECT_EQ(b.used("n"), "2000m, 1 pods") << "resized in place";

    b.cluster.upsert(a_pod("a").cpu("2").on("n").phase("Succeeded"));
    EXPECT_EQ(b.used("n"), "0m, 0 pods") << "what has ended holds nothing";
    EXPECT_THAT(b.cluster.find_node("n")->pods, ElementsAre(Pair("ns/a", b.cluster.find_pod("ns/a"))));

    b.cluster.remove(Kind::kPod, "ns", "a");
    EXPECT_EQ(b.used("n"), "0m, 0 pods");
    EXPECT_THAT(b.cluster.find_node("n")->pods, IsEmpty());
    b.cluster.remove(Kind::kPod, "ns", "a");
}

TEST(Cluster, a_pod_on_its_way_out_still_holds_its_room) {
    Bench b;
    b.cluster.upsert(a_node("n"));
    PodBuilder going = a_pod("a").on("n");
    going.pod.meta.deleted = WallTime{std::chrono::seconds{5}};
    b.cluster.upsert(going);
    EXPECT_EQ(b.used("n"), "1000m, 1 pods");
    b.cluster.remove(Kind::kPod, "ns", "a");
    EXPECT_EQ(b.used("n"), "0m, 0 pods");
}

TEST(Cluster, a_pod_made_again_under_its_name_on_another_node_moves) {
    Bench b;
    b.cluster.upsert(a_node("n"));
    b.cluster.upsert(a_node("m"));
    b.cluster.upsert(a_pod("a").on("n"));
    b.cluster.upsert(a_pod("a").on("m"));
    EXPECT_EQ(b.used("n"), "0m, 0 pods");
    EXPECT_EQ(b.used("m"), "1000m, 1 pods");
    b.cluster.upsert(a_pod("a"));
    EXPECT_EQ(b.used("m"), "0m, 0 pods");
    EXPECT_THAT(b.cluster.unbound_pods(), ElementsAre("ns/a"));
}

TEST(Cluster, a_node_that_comes_after_its_pods_counts_them) {
    Bench b;
    b.cluster.upsert(a_pod("a").on("n"));
    b.cluster.upsert(a_pod("gone").on("n"));
    b.cluster.upsert(a_pod("d").on("n").owned_by("DaemonSet"));
    b.cluster.remove(Kind::kPod, "ns", "gone");
    b.cluster.upsert(a_node("n"));
    EXPECT_EQ(b.used("n"), "2000m, 2 pods");
    EXPECT_EQ(b.cluster.find_node("n")->daemon_used.cpu_milli, 1000);
}

TEST(Cluster, a_node_gone_and_back_counts_its_pods_again) {
    Bench b;
    b.cluster.upsert(a_node("n", "p://1"));
    b.cluster.upsert(a_pod("a").on("n"));
    b.cluster.remove(Kind::kNode, "", "n");
    EXPECT_EQ(b.used("n"), "no node");
    b.cluster.upsert(a_pod("a").on("n").cpu("3"));
    b.cluster.upsert(a_node("n", "p://2"));
    EXPECT_EQ(b.used("n"), "3000m, 1 pods");
    b.cluster.upsert(a_node("n", "p://2"));
    EXPECT_EQ(b.used("n"), "3000m, 1 pods") << "an update of the node changes nothing";
    b.cluster.remove(Kind::kPod, "ns", "a");
    EXPECT_EQ(b.used("n"), "0m, 0 pods");
}

TEST(Cluster, claims_and_nodes_find_each_other_by_provider_id) {
    Bench b;
    b.cluster.upsert(a_claim("c", ""));
    b.cluster.upsert(a_node("n", ""));
    EXPECT_EQ(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr) << "two empty ids are not one";
    b.cluster.upsert(a_claim("c", "p://1"));
    b.cluster.upsert(a_node("n", "p://1"));
    ASSERT_NE(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr);
    ASSERT_NE(b.cluster.claim_of(b.cluster.find_node("n")->node), nullptr);
    EXPECT_EQ(b.cluster.claim_of(b.cluster.find_node("n")->node)->claim.meta.name, "c");

    b.cluster.upsert(a_node("n", "p://2"));
    EXPECT_EQ(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr)
        << "another machine under the name";
    b.cluster.upsert(a_node("n", "p://1"));
    b.cluster.remove(Kind::kNode, "", "n");
    EXPECT_EQ(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr);
    b.cluster.upsert(a_node("n", "p://1"));
    b.cluster.remove(Kind::kNodeClaim, "", "c");
    EXPECT_EQ(b.cluster.claim_of(b.cluster.find_node("n")->node), nullptr);
}

TEST(Cluster, a_node_renamed_keeps_its_machine) {
    Bench b;
    b.cluster.upsert(a_claim("c", "p://1"));
    b.cluster.upsert(a_node("old", "p://1"));
    b.cluster.upsert(a_node("new", "p://1"));
    b.cluster.remove(Kind::kNode, "", "old");
    ASSERT_NE(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr);
    EXPECT_EQ(b.cluster.node_of(b.cluster.find_claim("c")->claim)->node.meta.name, "new");
    b.cluster.upsert(a_node("old", "p://1"));
    b.cluster.upsert(a_node("new", "p://1"));
    b.cluster.upsert(a_node("old", "p://2"));
    EXPECT_NE(b.cluster.node_of(b.cluster.find_claim("c")->claim), nullptr)
        << "another's new id takes nothing away";
}

TEST(Cluster, what_a_new_list_leaves_out_is_gone) {
    Bench b;
    b.cluster.upsert(a_node("n", "p://1"));
    b.cluster.upsert(a_claim("c", "p://1"));
    b.cluster.upsert(a_claim("d", "p://2"));
    b.cluster.upsert(a_pod("a").on("n"));
    b.cluster.upsert(a_pod("b").on("n"));
    b.cluster.upsert(a_pod("u"));
    EXPECT_FALSE(b.cluster.is_synced(Kind::kPod));

    b.cluster.begin_replace(Kind::kPod);
    b.cluster.upsert(a_pod("b").on("n"));
    EXPECT_EQ(b.used("n"), "2000m, 2 pods") << "nothing goes before the list has ended";
    b.cluster.end_replace(Kind::kPod);
    EXPECT_EQ(b.used("n"), "1000m, 1 pods");
    EXPECT_EQ(b.cluster.find_pod("ns/a"), nullptr);
    EXPECT_THAT(b.cluster.unbound_pods(), IsEmpty());
    EXPECT_TRUE(b.cluster.is_synced(Kind::kPod));
    EXPECT_FALSE(b.cluster.is_synced());

    b.cluster.begin_replace(Kind::kNodeClaim);
    b.cluster.upsert(a_claim("d", "p://2"));
    b.cluster.end_replace(Kind::kNodeClaim);
    EXPECT_EQ(b.cluster.find_claim("c"), nullptr);
    EXPECT_NE(b.cluster.find_claim("d"), nullptr);

    for (Kind kind = Kind::kNode; kind < model::kFirstOptionalKind;
         kind = static_cast<Kind>(static_cast<int>(kind) + 1)) {
        if (kind == Kind::kNodeClaim) continue;
        b.cluster.begin_replace(kind);
        b.cluster.end_replace(kind);
    }
    EXPECT_TRUE(b.cluster.is_synced());
    EXPECT_TRUE(b.cluster.nodes().empty());
}

TEST(Cluster, pods_alike_share_their_shape) {
    Bench b;
    b.cluster.upsert(a_pod("a"));
    b.cluster.upsert(a_pod("b"));
    b.cluster.upsert(a_pod("c").cpu("2"));
    EXPECT_EQ(b.cluster.find_pod("ns/a")->shape, b.cluster.find_pod("ns/b")->shape);
    EXPECT_NE(b.cluster.find_pod("ns/a")->shape, b.cluster.find_pod("ns/c")->shape);
}

TEST(Cluster, every_change_makes_a_new_version) {
    Bench b;
    std::uint64_t last = b.cluster.version();
    const auto moved = [&] { return std::exchange(last, b.cluster.version()) != last; };
    b.cluster.upsert(a_pod("a"));
    EXPECT_TRUE(moved());
    b.cluster.upsert(a_node("n"));
    EXPECT_TRUE(moved());
    b.cluster.remove(Kind::kPod, "ns", "a");
    EXPECT_TRUE(moved());
    EXPECT_FALSE(moved());
}

// Whatever happens in whatever order, the sums are what adding up from nothing gives.
TEST(Cluster, sums_never_drift) {
    Rng rng(7);
    Bench b;
    const char* const nodes[] = {"", "n0", "n1", "n2"};
    const char* const phases[] = {"Pending", "Running", "Succeeded"};
    for (int step = 0; step < 5000; ++step) {
        const std::string pod = "p" + std::to_string(rng.below(12));
        const std::string node = nodes[1 + rng.below(3)];
        switch (rng.below(6)) {
            case 0:
                b.cluster.remove(Kind::kPod, "ns", pod);
                break;
            case 1:
                b.cluster.remove(Kind::kNode, "", node);
                break;
            case 2:
                b.cluster.upsert(a_node(node, "p://" + std::to_string(rng.below(4))));
                break;
            default: {
                PodBuilder next = a_pod(pod)
                                      .cpu(rng.below(2) ? "1" : "250m")
                                      .on(nodes[rng.below(4)])
                                      .phase(phases[rng.below(3)]);
                if (rng.below(4) == 0) next.owned_by("DaemonSet");
                b.cluster.upsert(next);
            }
        }
        for (const auto& [name, state] : b.cluster.nodes()) {
            rules::Resources used;
            rules::Resources daemons;
            std::map<PodKey, const PodState*> pods;
            for (const auto& [key, each] : b.cluster.pods()) {
                if (each.node_name != name) continue;
                pods.emplace(key, &each);
                if (each.is_terminal) continue;
                used += each.shape->requests;
                if (each.is_daemon) daemons += each.shape->requests;
            }
            ASSERT_EQ(state.used, used) << "seed 7, step " << step;
            ASSERT_EQ(state.daemon_used, daemons) << "seed 7, step " << step;
            ASSERT_EQ(state.pods, pods) << "seed 7, step " << step;
        }
    }
}

TEST(Cluster, knows_when_several_nodes_have_one_id) {
    Cluster cluster(rules::PreferencePolicy::kRespect);
    const api::NodeClaim claim = a_claim("c", "p://1");
    cluster.upsert(claim);
    cluster.upsert(a_node("a", "p://1"));
    cluster.upsert(a_node("a", "p://1"));
    EXPECT_FALSE(cluster.has_several_nodes(claim));
    cluster.upsert(a_node("b", "p://1"));
    EXPECT_TRUE(cluster.has_several_nodes(claim));
    cluster.remove(Kind::kNode, "", "b");
    EXPECT_FALSE(cluster.has_several_nodes(claim));
    ASSERT_NE(cluster.node_of(claim), nullptr) << "the other one is still there";
    EXPECT_EQ(cluster.node_of(claim)->node.meta.name, "a");
    cluster.upsert(a_node("b", "p://1"));
    cluster.upsert(a_node("a", "p://2"));
    EXPECT_FALSE(cluster.has_several_nodes(claim)) << "it has another id by now";
    EXPECT_EQ(cluster.node_of(claim)->node.meta.name, "b");
    cluster.remove(Kind::kNode, "", "b");
    EXPECT_EQ(cluster.node_of(claim), nullptr);
}

}  // namespace
}  // namespace joiner::model
