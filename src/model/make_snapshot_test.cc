#include "model/make_snapshot.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::model {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::UnorderedElementsAre;

Quantity quantity(std::string_view text) {
    return Quantity::parse(text).value();
}
api::ResourceMap amounts(const char* cpu, const char* memory) {
    return {{"cpu", quantity(cpu)}, {"memory", quantity(memory)}, {"pods", quantity("10")}};
}
api::Taint taint(std::string_view key, std::string_view effect) {
    return {std::string(key), "", std::string(effect), {}};
}

rules::InstanceType a_type(const std::string& name, int cpus) {
    rules::InstanceType type;
    type.name = name;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = std::int64_t{cpus} << 30;
    type.capacity.pods = 10;
    return type;
}

// A world that says only what matters, and what it looks like to a plan.
struct World {
    Cluster cluster{rules::PreferencePolicy::kRespect};
    PlannedPods planned;
    ClaimNames leaving;
    ClaimNames given_up;
    ReservedRoom reserved;
    std::vector<ExpectedPod> expected;
    std::vector<const PodState*> moving;
    std::shared_ptr<const std::vector<rules::InstanceType>> types =
        std::make_shared<const std::vector<rules::InstanceType>>(
            std::vector<rules::InstanceType>{a_type("small", 2), a_type("large", 8)});

    api::NodePool& pool(const std::string& name) {
        pools_.push_back({});
        pools_.back().meta.name = name;
        return pools_.back();
    }
    // A registered and initialised node of the pool, with its claim.
    static api::Node node(const std::string& name) {
        api::Node out;
        out.meta.name = name;
        out.provider_id = "p://" + name;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"},
                           {std::string(api::kRegisteredLabel), "true"},
                           {std::string(api::kInitializedLabel), "true"}};
        out.capacity = out.allocatable = amounts("4", "8Gi");
        return out;
    }
    static api::NodeClaim claim(const std::string& name, const std::string& provider_id) {
        api::NodeClaim out;
        out.meta.name = name;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
        out.provider_id = provider_id;
        if (!provider_id.empty()) out.capacity = out.allocatable = amounts("4", "8Gi");
        return out;
    }
    void add(api::Node node) { cluster.upsert(std::move(node)); }
    void add(api::NodeClaim claim) { cluster.upsert(std::move(claim)); }
    void pod(const std::string& name, const char* cpu, const std::string& node = {},
             std::function<void(api::Pod&)> edit = {}) {
        api::Pod out;
        out.meta.name = name;
        out.meta.ns = "ns";
        out.meta.uid = name;
        out.spec.node_name = node;
        out.spec.containers.resize(1);
        out.spec.containers[0].requests["cpu"] = quantity(cpu);
        if (edit) edit(out);
        cluster.upsert(out);
    }
    void daemon(const std::string& name, const char* cpu, std::function<void(api::PodSpec&)> edit = {}) {
        api::Workload out;
        out.meta.name = name;
        out.meta.ns = "kube-system";
        out.kind = "DaemonSet";
        out.pod_template.spec.containers.resize(1);
        out.pod_template.spec.containers[0].requests["cpu"] = quantity(cpu);
        if (edit) edit(out.pod_template.spec);
        cluster.upsert(out);
    }
    Snapshot snapshot() {
        for (const api::NodePool& pool : pools_) cluster.upsert(pool);
        SnapshotInputs inputs;
        inputs.types = [this](const api::NodePool&) { return types; };
        inputs.is_usable = [](const api::NodePool& pool) { return !pool.replicas && !pool.meta.deleted; };
        inputs.planned = &planned;
        if (!leaving.empty()) inputs.leaving = &leaving;
        inputs.given_up = &given_up;
        inputs.reserved = &reserved;
        inputs.expected = &expected;
        if (!moving.empty()) inputs.moving = &moving;
        return make_snapshot(cluster, inputs);
    }
    // "n open 3900m", "n closed fresh 100m", "c claim 2000m": in their order.
    std::vector<std::string> rooms() {
        std::vector<std::string> out;
        for (const RoomView& room : snapshot().rooms) {
            out.push_back(fmt::format("{} {}{}{} {}m", room.name, room.is_claim ? "claim " : "",
                                      room.is_open ? "open" : "closed", room.is_initialized ? "" : " fresh",
                                      room.free.cpu_milli));
        }
        return out;
    }

  private:
    std::vector<api::NodePool> pools_;
};

TEST(Nominated, pods_have_room_kept_where_they_will_fit) {
    const auto nominated = [](api::Pod& p) { p.status.nominated_node = "n"; };
    const auto going = [](api::Pod& p) { p.meta.deleted = WallTime{}; };
    const struct {
        const char* name;
        bool is_nominated;
        int free_milli;
        std::function<void(World&)> edit;
    } cases[] = {
        {"there is room", true, 1000, [](World& w) { w.add(World::node("n")); }},
        {"its victim is on the way out", true, -1000,
         [&](World& w) {
             w.add(World::node("n"));
             w.pod("victim", "2", "n", going);
         }},
        {"another took its room", false, 1000,
         [&](World& w) {
             w.add(World::node("n"));
             w.pod("other", "3", "n");
         }},
        {"the node is going", false, 0,
         [&](World& w) {
             api::Node node = World::node("n");
             node.meta.deleted = WallTime{};
             w.add(node);
         }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        w.pod("p", "3", "", nominated);
        EXPECT_EQ(is_nominated(w.cluster, *w.cluster.find_pod("ns/p")), c.is_nominated) << c.name;
        const Snapshot snapshot = w.snapshot();
        EXPECT_EQ(snapshot.pods.size(), c.is_nominated ? 0u : 1u) << c.name;
        if (!snapshot.rooms.empty()) {
            EXPECT_EQ(snapshot.rooms.front().free.cpu_milli, c.free_milli) << c.name;
        }
    }
}

TEST(WantsRoom, tells_who_is_ours_to_place) {
    const struct {
        const char* name;
        bool wanted;
        std::function<void(api::Pod&)> edit;
    } cases[] = {
        {"a plain pod", true, [](api::Pod&) {}},
        {"bound", false, [](api::Pod& p) { p.spec.node_name = "n"; }},
        {"ended", false, [](api::Pod& p) { p.status.phase = "Failed"; }},
        {"on its way out", false, [](api::Pod& p) { p.meta.deleted = WallTime{}; }},
        {"gated", false, [](api::Pod& p) { p.spec.has_scheduling_gates = true; }},
        {"of a DaemonSet", false,
         [](api::Pod& p) { p.meta.owners = {{"apps/v1", "DaemonSet", "d", "u", true, false}}; }},
        {"a mirror pod", false, [](api::Pod& p) { p.meta.owners = {{"v1", "Node", "n", "u", true, false}}; }},
        {"nominated to a node that is gone", true, [](api::Pod& p) { p.status.nominated_node = "n"; }},
        {"of another scheduler", false, [](api::Pod& p) { p.spec.scheduler_name = "mine"; }},
        {"of another scheduler that gave up on it", true,
         [](api::Pod& p) {
             p.spec.scheduler_name = "mine";
             p.status.conditions = {{"PodScheduled", "False", "Unschedulable", "", kNoTime, 0}};
         }},
        {"not for nodes of any pool", false,
         [](api::Pod& p) {
             p.spec.has_required_node_terms = true;
             p.spec.required_node_terms = {
                 {{{std::string(api::kNodePoolLabel), "DoesNotExist", {}, {}}}, {}}};
         }},
    };
    for (const auto& c : cases) {
        World w;
        w.pod("p", "1", "", c.edit);
        EXPECT_EQ(wants_room(w.cluster, *w.cluster.find_pod("ns/p")), c.wanted) << c.name;
        EXPECT_EQ(w.snapshot().pods.size(), c.wanted ? 1u : 0u) << c.name;
    }
}

TEST(MakeSnapshot, pods_come_by_age_then_name) {
    World w;
    const auto created = [](int second) {
        return [second](api::Pod& p) { p.meta.created = WallTime{std::chrono::seconds{second}}; };
    };
    w.pod("young", "1", "", created(20));
    w.pod("b", "1", "", created(10));
    w.pod("a", "1", "", created(10));
    std::vector<std::string> names;
    for (const PodView& pod : w.snapshot().pods) names.push_back(pod.id.name());
    EXPECT_THAT(names, ElementsAre("a", "b", "young"));
}

TEST(MakeSnapshot, says_which_nodes_are_room) {
    const struct {
        const char* name;
        std::vector<std::string> rooms;
        std::function<void(api::Node&, api::NodeClaim&)> edit;
    } cases[] = {
        {"initialised", {"n open 4000m"}, [](api::Node&, api::NodeClaim&) {}},
        {"window closed",
         {"n closed fresh 4000m"},
         [](api::Node& n, api::NodeClaim&) {
             n.meta.labels.erase(std::string(api::kInitializedLabel));
             n.taints = {taint(api::kBindingTaint, api::kNoSchedule)};
         }},
        {"unregistered",
         {"n closed fresh 4000m"},
         [](api::Node& n, api::NodeClaim&) {
             n.meta.labels = {};
             n.taints = {taint(api::kUnregisteredTaint, api::kNoExecute)};
         }},
        {"not initialised yet",
         {"n open fresh 4000m"},
         [](api::Node& n, api::NodeClaim&) { n.meta.labels.erase(std::string(api::kInitializedLabel)); }},
        {"the node is deleting", {}, [](api::Node& n, api::NodeClaim&) { n.meta.deleted = WallTime{}; }},
        {"its claim is deleting", {}, [](api::Node&, api::NodeClaim& c) { c.meta.deleted = WallTime{}; }},
        {"disrupted",
         {},
         [](api::Node& n, api::NodeClaim&) { n.taints = {taint(api::kDisruptedTaint, api::kNoSchedule)}; }},
        {"a fresh node that reports nothing has what its claim promises",
         {"n open fresh 4000m"},
         [](api::Node& n, api::NodeClaim&) {
             n.meta.labels.erase(std::string(api::kInitializedLabel));
             n.allocatable = {};
         }},
        {"an initialised node that reports nothing has nothing",
         {"n open 0m"},
         [](api::Node& n, api::NodeClaim&) { n.allocatable = {}; }},
    };
    for (const auto& c : cases) {
        World w;
        api::Node node = World::node("n");
        api::NodeClaim claim = World::claim("c", "p://n");
        c.edit(node, claim);
        w.add(node);
        w.add(claim);
        EXPECT_EQ(w.rooms(), c.rooms) << c.name;
    }
}

TEST(MakeSnapshot, nobody_relies_on_what_does_not_come_up) {
    World w;
    w.add(w.claim("on-its-way", ""));
    w.add(w.claim("launched", "p://1"));
    w.add(w.claim("up", "p://2"));
    api::Node node;
    node.meta.name = "n";
    node.provider_id = "p://2";
    w.add(node);
    EXPECT_EQ(w.rooms().size(), 3u);
    w.given_up = {"on-its-way", "launched", "up"};
    EXPECT_TRUE(w.rooms().empty());
    EXPECT_EQ(w.snapshot().closed_nodes.size(), 1u) << "pods on it still matter to others";
}

TEST(MakeSnapshot, taints_that_go_by_themselves_keep_nobody_off_a_fresh_node) {
    World w;
    api::Node node = World::node("n");
    node.meta.labels.erase(std::string(api::kInitializedLabel));
    node.taints = {taint("stays", api::kNoSchedule), taint("startup", api::kNoExecute),
                   taint(api::kNotReadyTaint, api::kNoSchedule)};
    api::NodeClaim claim = World::claim("c", "p://n");
    claim.startup_taints = {taint("startup", api::kNoExecute)};
    w.add(node);
    w.add(claim);
    EXPECT_THAT(w.snapshot().rooms.at(0).taints, ElementsAre(taint("stays", api::kNoSchedule)));

    node.meta.labels[std::string(api::kInitializedLabel)] = "true";
    w.add(node);
    EXPECT_EQ(w.snapshot().rooms.at(0).taints.size(), 3u) << "once it is up, a taint means what it says";
}

TEST(MakeSnapshot, a_cordoned_node_has_the_taint_whether_or_not_it_is_there_yet) {
    World w;
    api::Node node = World::node("n");
    node.unschedulable = true;
    w.add(node);
    EXPECT_THAT(w.snapshot().rooms.at(0).taints,
                ElementsAre(taint(api::kUnschedulableTaint, api::kNoSchedule)));
}

TEST(MakeSnapshot, a_node_without_a_claim_is_room_too) {
    World w;
    api::Node node = World::node("mine");
    node.meta.labels = {};
    w.add(node);
    w.pod("a", "1500m", "mine");
    EXPECT_THAT(w.rooms(), ElementsAre("mine open 2500m"));
    const Snapshot snapshot = w.snapshot();
    const rules::Requirement* hostname = snapshot.rooms.at(0).labels.find(api::kHostnameLabel);
    ASSERT_NE(hostname, nullptr);
    EXPECT_THAT(hostname->values(), ElementsAre("mine"));
}

TEST(MakeSnapshot, free_is_less_what_is_bound_planned_and_kept_for_daemons) {
    World w;
    w.add(World::node("n"));
    w.add(World::claim("c", "p://n"));
    w.pod("bound", "1", "n");
    EXPECT_THAT(w.rooms(), ElementsAre("n open 3000m"));
    w.daemon("agent", "500m");
    EXPECT_THAT(w.rooms(), ElementsAre("n open 2500m")) << "the daemon is on its way";
    w.pod("agent-1", "500m", "n",
          [](api::Pod& p) { p.meta.owners = {{"apps/v1", "DaemonSet", "agent", "u", true, false}}; });
    EXPECT_THAT(w.rooms(), ElementsAre("n open 2500m")) << "it has come, and counts once";
    w.pod("planned", "300m");
    w.planned["planned"] = "c";
    EXPECT_THAT(w.rooms(), ElementsAre("n open 2200m"));
    EXPECT_TRUE(w.snapshot().pods.empty()) << "a planned pod is not placed again";
    w.pod("planned", "300m", "n");
    EXPECT_THAT(w.rooms(), ElementsAre("n open 2200m")) << "bound, and still in the book: it counts once";
    EXPECT_EQ(w.snapshot().rooms[0].free.pods, 10 - 3);
}

TEST(MakeSnapshot, room_is_kept_only_for_daemons_that_will_run_there) {
    const struct {
        const char* name;
        std::int64_t free;
        std::function<void(api::PodSpec&)> edit;
    } cases[] = {
        {"wherever it may", 3900, [](api::PodSpec&) {}},
        {"of other nodes", 4000, [](api::PodSpec& s) { s.node_selector = {{"disk", "ssd"}}; }},
        {"of this pool", 3900,
         [](api::PodSpec& s) { s.node_selector = {{std::string(api::kNodePoolLabel), "default"}}; }},
        {"a preference keeps none away", 3900,
         [](api::PodSpec& s) { s.preferred_node_terms = {{1, {{{"disk", "In", {"ssd"}, {}}}, {}}}}; }},
    };
    for (const auto& c : cases) {
        World w;
        w.add(World::node("n"));
        w.daemon("agent", "100m", c.edit);
        EXPECT_EQ(w.snapshot().rooms.at(0).free.cpu_milli, c.free) << c.name;
    }
    World tainted;
    api::Node node = World::node("n");
    node.taints = {taint("k", api::kNoSchedule)};
    tainted.add(node);
    tainted.daemon("agent", "100m");
    EXPECT_EQ(tainted.snapshot().rooms.at(0).free.cpu_milli, 4000);
    tainted.daemon("agent", "100m", [](api::PodSpec& s) { s.tolerations = {{"", "Exists", "", ""}}; });
    EXPECT_EQ(tainted.snapshot().rooms.at(0).free.cpu_milli, 3900);
}

TEST(MakeSnapshot, a_claim_without_a_node_is_room_on_its_way) {
    World w;
    w.pool("default");
    w.add(World::claim("launched", "p://1"));
    api::NodeClaim unlaunched = World::claim("unlaunched", "");
    unlaunched.requirements = {{std::string(api::kInstanceTypeLabel), "In", {"large", "small"}, {}},
                               {"team", "In", {"red"}, {}},
                               {"zone", "In", {"a", "b"}, {}}};
    unlaunched.taints = {taint("k", api::kNoSchedule)};
    unlaunched.startup_taints = {taint("s", api::kNoSchedule)};
    w.add(unlaunched);
    api::NodeClaim going = World::claim("going", "p://2");
    going.meta.deleted = WallTime{};
    w.add(going);
    w.daemon("agent", "100m", [](api::PodSpec& s) { s.tolerations = {{"", "Exists", "", ""}}; });
    w.pod("p", "400m");
    w.planned["p"] = "unlaunched";
    EXPECT_THAT(w.rooms(),
                ElementsAre("launched claim closed fresh 3900m", "unlaunched claim closed fresh 1500m"))
        << "the smallest it may become, less the daemon and the pod planned for it";
    const Snapshot snapshot = w.snapshot();
    const RoomView& room = snapshot.rooms[1];
    EXPECT_THAT(room.taints, ElementsAre(taint("k", api::kNoSchedule)));
    EXPECT_NE(room.labels.find("team"), nullptr);
    EXPECT_EQ(room.labels.find("zone"), nullptr) << "what is still open promises nothing";
}

TEST(MakeSnapshot, a_claim_on_its_way_keeps_room_for_daemons_that_ask_for_what_only_its_types_say) {
    World w;
    w.pool("default");
    w.add(World::claim("c", ""));
    w.daemon("agent", "100m",
             [](api::PodSpec& s) { s.node_selector = {{std::string(api::kOSLabel), "linux"}}; });
    w.daemon("other", "300m", [](api::PodSpec& s) { s.node_selector = {{"disk", "ssd"}}; });
    EXPECT_THAT(w.rooms(), ElementsAre("c claim closed fresh 1900m"));
}

TEST(MakeSnapshot, initialised_rooms_come_first_then_by_name) {
    World w;
    api::Node fresh = World::node("a");
    fresh.meta.labels.erase(std::string(api::kInitializedLabel));
    w.add(fresh);
    w.add(World::claim("ca", "p://a"));
    w.add(World::node("z"));
    w.add(World::claim("cz", "p://z"));
    w.add(World::node("m"));
    w.add(World::claim("cm", "p://m"));
    EXPECT_THAT(w.rooms(), ElementsAre("m open 4000m", "z open 4000m", "a open fresh 4000m"));
}

TEST(MakeSnapshot, limits_count_nodes_and_claims_in_flight) {
    World w;
    api::NodePool& pool = w.pool("default");
    pool.limits =
        api::ResourceMap{{"cpu", quantity("40")}, {"nodes", quantity("10")}, {"memory", quantity("100Gi")}};
    const auto remaining = [&] {
        const Snapshot snapshot = w.snapshot();
        std::map<std::string, std::int64_t> out(snapshot.pools.at(0).remaining.begin(),
                                                snapshot.pools.at(0).remaining.end());
        return out;
    };
    EXPECT_THAT(remaining(), UnorderedElementsAre(Pair("cpu", 40000), Pair("nodes", 10),
                                                  Pair("memory", std::int64_t{100} << 30)));
    w.add(World::claim("c", "p://n"));
    EXPECT_EQ(remaining()["cpu"], 36000) << "launched: its capacity";
    w.add(World::node("n"));
    EXPECT_EQ(remaining()["cpu"], 36000) << "the node and its claim are one";
    EXPECT_EQ(remaining()["nodes"], 9);
    api::NodeClaim unlaunched = World::claim("u", "");
    unlaunched.requirements = {{std::string(api::kInstanceTypeLabel), "In", {"small", "large"}, {}}};
    w.add(unlaunched);
    EXPECT_EQ(remaining()["cpu"], 28000) << "not launched: the largest it may become";
    EXPECT_EQ(remaining()["nodes"], 8);
    w.add(World::node("lonely"));
    EXPECT_EQ(remaining()["cpu"], 24000) << "a node of the pool without a claim";
    EXPECT_EQ(remaining()["nodes"], 7);
    api::NodeClaim going = World::claim("c", "p://n");
    going.meta.deleted = WallTime{};
    w.add(going);
    EXPECT_EQ(remaining()["cpu"], 24000) << "a machine counts until it is gone";
    api::Node foreign = World::node("foreign");
    foreign.meta.labels = {};
    w.add(foreign);
    EXPECT_EQ(remaining()["nodes"], 7) << "other people's nodes do not count";
}

TEST(MakeSnapshot, pods_that_may_move_are_listed_and_their_room_stays_taken) {
    World w;
    w.add(World::node("n"));
    w.add(World::claim("c", "p://n"));
    w.pod("stays", "500m", "n");
    w.pod("moves-too", "250m", "n");
    w.pod("gone", "1", "n", [](api::Pod& p) { p.meta.deleted = WallTime{}; });
    w.pod("waits", "1");
    w.pod("moves", "1", "n", [](api::Pod& p) {
        api::PodAffinityTerm term;
        term.topology_key = std::string(api::kZoneLabel);
        term.selector = api::LabelSelector{};
        p.spec.required_pod_anti_affinity.push_back(term);
    });
    w.moving = {w.cluster.find_pod("ns/moves-too"), w.cluster.find_pod("ns/moves")};
    const Snapshot snapshot = w.snapshot();
    std::vector<std::string> names;
    for (const PodView& pod : snapshot.pods) names.push_back(pod.id.name());
    EXPECT_THAT(names, ElementsAre("moves-too", "moves")) << "in the order given, and not the one that waits";
    ASSERT_EQ(snapshot.rooms.size(), 1U);
    EXPECT_EQ(snapshot.rooms[0].free.cpu_milli, 1250);
    std::uint32_t standing = 0;
    for (const StandingPods& one : snapshot.standing) standing += one.places.at(0).second;
    EXPECT_EQ(standing, 2U) << "the one that stays and the one that is going";
}

TEST(MakeSnapshot, only_usable_pools_come_the_heaviest_first) {
    World w;
    w.pool("light").weight = 1;
    w.pool("heavy").weight = 50;
    w.pool("static").replicas = 3;
    w.pool("going").meta.deleted = WallTime{};
    const Snapshot snapshot = w.snapshot();
    std::vector<std::string> names;
    for (const PoolView& pool : snapshot.pools) names.push_back(pool.name);
    EXPECT_THAT(names, ElementsAre("heavy", "light"));
    EXPECT_TRUE(snapshot.pools[0].remaining.empty());
}

TEST(MakeSnapshot, a_pool_brings_its_requirements_labels_and_lasting_taints) {
    World w;
    api::NodePool& pool = w.pool("default");
    pool.node_template.labels = {{"team", "red"}};
    pool.node_template.requirements = {{"arch", "In", {"amd64"}, {}}};
    pool.node_template.taints = {taint("k", api::kNoSchedule)};
    pool.node_template.startup_taints = {taint("s", api::kNoSchedule)};
    pool.node_template.node_class = {"karpenter.kwok.sh", "KWOKNodeClass", "basic"};
    const PoolView view = w.snapshot().pools.at(0);
    EXPECT_THAT(view.taints, ElementsAre(taint("k", api::kNoSchedule)));
    EXPECT_NE(view.requirements.find("team"), nullptr);
    EXPECT_NE(view.requirements.find("arch"), nullptr);
    ASSERT_NE(view.requirements.find("karpenter.kwok.sh/kwoknodeclass"), nullptr);
    EXPECT_THAT(view.requirements.find("karpenter.kwok.sh/kwoknodeclass")->values(), ElementsAre("basic"));
    EXPECT_THAT(view.requirements.find(api::kNodePoolLabel)->values(), ElementsAre("default"));
}

TEST(MakeSnapshot, leaving_nodes_are_no_room_and_their_pods_are_to_be_placed) {
    World w;
    for (const char* name : {"a", "b"}) {
        w.add(World::node(name));
        w.add(World::claim(name, "p://" + std::string(name)));
    }
    api::Node fresh = World::node("fresh");
    fresh.meta.labels.erase(std::string(api::kInitializedLabel));
    w.add(fresh);
    w.add(World::claim("fresh", "p://fresh"));
    w.add(World::claim("coming", ""));
    const auto owned_by = [](const char* kind) {
        return [kind](api::Pod& p) { p.meta.owners = {{"apps/v1", kind, "o", "u", true, false}}; };
    };
    w.pod("moves", "1", "a");
    w.pod("daemon", "1", "a", owned_by("DaemonSet"));
    w.pod("going", "1", "a", [](api::Pod& p) { p.meta.deleted = WallTime{}; });
    w.pod("stays", "1", "b");
    w.pod("waits", "1", "", [](api::Pod& p) { p.meta.created = WallTime{std::chrono::hours{1}}; });
    w.leaving = {"a"};
    std::vector<std::string> names;
    const Snapshot snapshot = w.snapshot();
    for (const PodView& pod : snapshot.pods) names.push_back(pod.id.name());
    EXPECT_THAT(names, ElementsAre("waits", "moves")) << "those that wait come first";
    EXPECT_THAT(w.rooms(), ElementsAre("b open 3000m")) << "only rooms that are up count";
    EXPECT_EQ(snapshot.closed_nodes.size(), 2u) << "what stays there still matters to others";
}

void keep_apart(api::Pod& pod) {
    pod.meta.labels = {{"app", "db"}};
    api::PodAffinityTerm term;
    term.selector = api::LabelSelector{{{"app", "db"}}, {}};
    term.topology_key = std::string(api::kHostnameLabel);
    pod.spec.required_pod_anti_affinity = {term};
}

TEST(MakeSnapshot, a_moving_pod_stands_nowhere) {
    World w;
    w.add(World::node("a"));
    w.add(World::claim("a", "p://a"));
    w.pod("db", "1", "a", keep_apart);
    EXPECT_EQ(w.snapshot().standing.size(), 1u);
    w.leaving = {"a"};
    EXPECT_TRUE(w.snapshot().standing.empty()) << "else it would keep itself away";
}

TEST(MakeSnapshot, reserved_room_is_not_free) {
    World w;
    w.add(World::node("n"));
    w.add(World::claim("c", "p://n"));
    w.add(World::claim("coming", "p://coming"));
    EXPECT_THAT(w.rooms(), ElementsAre("n open 4000m", "coming claim closed fresh 4000m"));
    w.reserved["n"].cpu_milli = 500;
    w.reserved["c"].cpu_milli = 250;
    w.reserved["coming"].cpu_milli = 1000;
    EXPECT_THAT(w.rooms(), ElementsAre("n open 3250m", "coming claim closed fresh 3000m"))
        << "by the node's name or its claim's";
}

TEST(MakeSnapshot, a_pod_that_is_made_anew_stands_where_it_will_come_and_its_old_self_needs_no_place) {
    World w;
    for (const char* name : {"from", "to"}) {
        w.add(World::node(name));
        w.add(World::claim(std::string("claim-") + name, std::string("p://") + name));
    }
    w.pool("default");
    w.pod("old", "1", "from", keep_apart);
    w.leaving = {"claim-from"};
    EXPECT_EQ(w.snapshot().pods.size(), 1u);
    EXPECT_TRUE(w.snapshot().standing.empty());
    const PodState& old = *w.cluster.find_pod("ns/old");
    w.expected = {{old.labels, old.shape, "claim-to", old.id}};
    const Snapshot snapshot = w.snapshot();
    EXPECT_TRUE(snapshot.pods.empty());
    ASSERT_EQ(snapshot.standing.size(), 1u);
    EXPECT_TRUE(snapshot.standing[0].is_going) << "spread counts the old one as long as it stays";
    EXPECT_EQ(snapshot.rooms.at(snapshot.standing[0].places.at(0).first).name, "to");
}

}  // namespace
}  // namespace joiner::model
