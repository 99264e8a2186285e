#include "cli/plan/cluster_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "base/rng.h"
#include "base/testing/seeds.h"
#include "cli/plan/testing/cluster_text.h"

namespace joiner::cli {
namespace {

using testing::ClusterText;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Labels;
using testing::NodeText;
using ::testing::Not;
using testing::PodText;
using Json = nlohmann::json;

ClusterPlan plan_of(const ClusterText& cluster, PlanOptions options = {}) {
    auto plan = cluster.plan(std::move(options));
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? std::move(*plan) : ClusterPlan{};
}

std::set<std::string> removed(const ClusterPlan& plan) {
    std::set<std::string> out;
    for (const PlannedRemoval& one : plan.removals) out.insert(one.node);
    return out;
}

// "PodDisruptionBudget shop/b", of the node; empty: it is not kept.
std::vector<std::string> keepers(const ClusterPlan& plan, const std::string& node) {
    std::vector<std::string> out;
    for (const plan::KeptNode& kept : plan.kept) {
        if (kept.node != node) continue;
        for (const plan::Keeper& one : kept.reasons) {
            out.emplace_back(plan::kept_rule(one.reason.rule));
            if (const std::string object = plan::kept_object(one.reason); !object.empty())
                out.back() += " " + object;
        }
    }
    return out;
}

ClusterPlan plan_with_few_types(const ClusterText& cluster) {
    auto plan = cluster.plan_with_few_types();
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? std::move(*plan) : ClusterPlan{};
}

bool has_warning(const ClusterPlan& plan, const std::string& text) {
    return std::any_of(plan.warnings.begin(), plan.warnings.end(),
                       [&](const std::string& one) { return one.find(text) != std::string::npos; });
}

// What must hold of every plan, by sums of our own.
void expect_adds_up(const ClusterText& cluster, const ClusterPlan& plan, const std::string& where) {
    SCOPED_TRACE(where);
    std::int64_t nodes = plan.now.nodes;
    rules::Money price = plan.now.price;
    std::set<std::string> there;
    std::map<std::string, std::string> node_of;
    std::set<std::string> immovable;
    for (const Json& item : cluster.items()) {
        if (item["kind"] == "Node") there.insert(item["metadata"]["name"]);
        if (item["kind"] != "Pod" || !item["spec"].contains("nodeName")) continue;
        const std::string name = "shop/" + item["metadata"]["name"].get<std::string>();
        node_of[name] = item["spec"]["nodeName"];
        if (item["metadata"].contains("ownerReferences") &&
            item["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet")
            immovable.insert(name);
    }
    EXPECT_EQ(static_cast<std::size_t>(plan.now.nodes), there.size());
    rules::Money saved;
    for (const PlannedRemoval& one : plan.removals) {
        EXPECT_EQ(there.erase(one.node), 1u) << one.node;
        --nodes;
        price -= one.price;
        saved += one.saving;
    }
    std::set<std::string> kept;
    rules::Money lifted;
    for (const plan::KeptNode& one : plan.kept) {
        kept.insert(one.node);
        lifted += one.cost();
        EXPECT_FALSE(one.reasons.empty()) << one.node;
    }
    EXPECT_EQ(kept, there);
    EXPECT_EQ(lifted, plan.lifting_saves);
    rules::Money for_moves;
    for (const PlannedLaunch& one : plan.launches) {
        EXPECT_TRUE(there.insert(one.name).second) << one.name;
        ++nodes;
        price += one.cost;
        if (one.is_for_waiting) for_moves -= one.cost;
    }
    EXPECT_EQ(plan.after.nodes, nodes);
    EXPECT_EQ(plan.after.price, price);
    EXPECT_EQ(plan.now.price - plan.after.price, saved + for_moves);
    EXPECT_EQ(plan.removals_save, saved);
    EXPECT_LE(plan.lower_bound, plan.after.price);
    NodesAndPrice now;
    NodesAndPrice after;
    for (const PoolMoney& pool : plan.pools) {
        now.nodes += pool.now.nodes;
        now.price += pool.now.price;
        after.nodes += pool.after.nodes;
        after.price += pool.after.price;
    }
    EXPECT_EQ(now.nodes, plan.now.nodes);
    EXPECT_EQ(now.price, plan.now.price);
    EXPECT_EQ(after.nodes, plan.after.nodes);
    EXPECT_EQ(after.price, plan.after.price);
    const std::set<std::string> gone = removed(plan);
    std::set<std::string> moved;
    for (const PlannedMove& one : plan.moves) {
        EXPECT_TRUE(moved.insert(one.pod).second) << one.pod << " moves twice";
        EXPECT_EQ(one.from, node_of[one.pod]);
        EXPECT_TRUE(gone.contains(one.from)) << one.pod;
        EXPECT_TRUE(there.contains(one.to)) << one.pod << " goes to " << one.to;
    }
    for (const auto& [pod, node] : node_of) {
        if (gone.contains(node) && !immovable.contains(pod)) {
            EXPECT_TRUE(moved.contains(pod)) << pod;
        }
    }
}

// What each node has to bear once the plan is carried out fits, and is tolerated and selected.
void expect_fits(const ClusterText& cluster, const ClusterPlan& plan, const std::string& where) {
    SCOPED_TRACE(where);
    std::map<std::string, std::string> to;
    for (const PlannedMove& one : plan.moves) to[one.pod] = one.to;
    for (const auto& [pod, node] : plan.placements) to[pod] = node;
    std::map<std::string, const Json*> nodes;
    std::map<std::string, std::int64_t> free;
    for (const Json& item : cluster.items()) {
        if (item["kind"] != "Node") continue;
        const std::string name = item["metadata"]["name"];
        nodes[name] = &item;
        free[name] = std::stoll(item["status"]["allocatable"]["cpu"].get<std::string>());
    }
    for (const Json& item : cluster.items()) {
        if (item["kind"] != "Pod") continue;
        const std::string name = "shop/" + item["metadata"]["name"].get<std::string>();
        std::string node = item["spec"].value("nodeName", "");
        const bool moves = to.contains(name);
        if (moves) node = to[name];
        const auto at = nodes.find(node);
        if (at == nodes.end()) continue;
        const std::string cpu = item["spec"]["containers"][0]["resources"]["requests"]["cpu"];
        free[node] -= std::stoll(cpu);
        if (!moves) continue;
        const Json selector = item["spec"].value("nodeSelector", Json::object());
        for (const auto& [key, value] : selector.items())
            EXPECT_EQ((*at->second)["metadata"]["labels"].value(key, ""), value) << name << " on " << node;
        for (const Json& taint : (*at->second)["spec"]["taints"]) {
            const Json tolerations = item["spec"].value("tolerations", Json::array());
            EXPECT_TRUE(std::any_of(tolerations.begin(), tolerations.end(),
                                    [&](const Json& one) { return one["key"] == taint["key"]; }))
                << name << " on " << node;
        }
    }
    for (const auto& [node, cpu] : free) EXPECT_GE(cpu, 0) << node;
}

// Two nodes of a group, each with one pod that the other has room for.
ClusterText two_nodes(PodText pod = {.name = "p"}) {
    ClusterText out;
    pod.node = "a";
    out.add(NodeText{.name = "a"}).add(NodeText{.name = "b"});
    out.add(pod).add(PodText{.name = "heavy", .node = "b", .cpu = "2500m", .memory = "9Gi"});
    return out;
}

TEST(ClusterPlan, takes_nodes_of_a_managed_group_as_a_pool) {
    const ClusterText cluster = two_nodes();
    const ClusterPlan plan = plan_of(cluster);
    EXPECT_EQ(plan.now.nodes, 2);
    EXPECT_EQ(plan.now.price, rules::Money::from_dollars(2 * 0.192));
    ASSERT_EQ(plan.pools.size(), 1u);
    EXPECT_EQ(plan.pools[0].name, "workers");
    EXPECT_TRUE(plan.pools[0].is_stand_in);
    EXPECT_TRUE(removed(plan).contains("a"));
    EXPECT_THAT(plan.unpriced, IsEmpty());
    expect_adds_up(cluster, plan, "");
    expect_fits(cluster, plan, "");
}

TEST(ClusterPlan, names_all_that_keeps_a_node_without_a_pool) {
    const struct {
        std::string name;
        std::function<void(ClusterText&)> edit;
        std::vector<std::string> keepers;  // Of node a.
        bool costs = true;
    } cases[] = {
        {"a budget of pods",
         [](ClusterText& c) {
             c.add(PodText{.name = "q", .node = "a", .labels = {{"app", "x"}}});
             c.add_budget("b", {{"app", "x"}}, 0);
         },
         {"PodDisruptionBudget shop/b"}},
        {"what Cluster Autoscaler heeds",
         [](ClusterText& c) {
             c.add(PodText{.name = "q",
                           .node = "a",
                           .annotations = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"}}});
         },
         {"DoNotDisrupt shop/q"}},
        {"what Karpenter heeds",
         [](ClusterText& c) {
             c.add(
                 PodText{.name = "q", .node = "a", .annotations = {{"karpenter.sh/do-not-disrupt", "true"}}});
         },
         {"DoNotDisrupt shop/q"}},
        {"a pod of nobody",
         [](ClusterText& c) { c.add(PodText{.name = "q", .node = "a", .owner = ""}); },
         {"BarePod shop/q"}},
        {"all of them, not the first",
         [](ClusterText& c) {
             c.add(PodText{.name = "q", .node = "a", .owner = "", .labels = {{"app", "x"}}});
             c.add(PodText{.name = "r",
                           .node = "a",
                           .annotations = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"}}});
             c.add_budget("b", {{"app", "x"}}, 0);
         },
         {"PodDisruptionBudget shop/b", "BarePod shop/q", "DoNotDisrupt shop/r"}},
        {"a volume that is nowhere else",
         [](ClusterText& c) {
             c.add(PodText{
                 .name = "q",
                 .node = "a",
                 .spec = {{"volumes", {{{"name", "v"}, {"persistentVolumeClaim", {{"claimName", "c"}}}}}}}});
             c.add(Json{{"apiVersion", "v1"},
                        {"kind", "PersistentVolumeClaim"},
                        {"metadata", {{"namespace", "shop"}, {"name", "c"}}},
                        {"spec", {{"volumeName", "local"}, {"accessModes", {"ReadWriteOnce"}}}},
                        {"status", {{"phase", "Bound"}}}});
             c.add(Json{{"apiVersion", "v1"},
                        {"kind", "PersistentVolume"},
                        {"metadata", {{"name", "local"}}},
                        {"spec",
                         {{"local", {{"path", "/disk"}}},
                          {"claimRef", {{"namespace", "shop"}, {"name", "c"}}},
                          {"capacity", {{"storage", "1Gi"}}},
                          {"accessModes", {"ReadWriteOnce"}},
                          {"nodeAffinity",
                           {{"required",
                             {{"nodeSelectorTerms",
                               {{{"matchExpressions",
                                  {{{"key", "kubernetes.io/hostname"},
                                    {"operator", "In"},
                                    {"values", {"a"}}}}}}}}}}}}}}});
         },
         {"LocalVolume shop/q"},
         false},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.name);
        ClusterText cluster = two_nodes();
        c.edit(cluster);
        const ClusterPlan plan = plan_of(cluster);
        EXPECT_THAT(removed(plan), Not(Contains("a")));
        EXPECT_EQ(keepers(plan, "a"), c.keepers);
        EXPECT_EQ(plan.lifting_saves.nanos > 0, c.costs);
        expect_adds_up(cluster, plan, c.name);
        expect_fits(cluster, plan, c.name);
    }
}

TEST(ClusterPlan, never_removes_a_control_plane_or_a_virtual_node) {
    ClusterText cluster = two_nodes();
    cluster.add(
        NodeText{.name = "cp",
                 .group = "",
                 .labels = {{"node-role.kubernetes.io/control-plane", ""}},
                 .taints = {{{"key", "node-role.kubernetes.io/control-plane"}, {"effect", "NoSchedule"}}}});
    cluster.add(NodeText{.name = "fargate-1",
                         .group = "",
                         .type = "",
                         .labels = {{"eks.amazonaws.com/compute-type", "fargate"}}});
    const ClusterPlan plan = plan_of(cluster);
    EXPECT_THAT(keepers(plan, "cp"), ElementsAre("ControlPlane"));
    EXPECT_THAT(keepers(plan, "fargate-1"), ElementsAre("VirtualNode"));
    EXPECT_THAT(plan.unpriced, ElementsAre("fargate-1"));
    EXPECT_GE(plan.lower_bound, rules::Money::from_dollars(0.192));
    EXPECT_TRUE(removed(plan).contains("a"));
    expect_adds_up(cluster, plan, "");
}

TEST(ClusterPlan, moves_a_pod_only_where_its_labels_and_taints_let_it) {
    ClusterText cluster = two_nodes({.name = "p", .spec = {{"nodeSelector", {{"disk", "fast"}}}}});
    EXPECT_THAT(removed(plan_of(cluster)), Not(Contains("a")));  // No node has the label: none may be bought.

    ClusterText labelled;
    for (const char* name : {"a", "b"}) labelled.add(NodeText{.name = name, .labels = {{"disk", "fast"}}});
    labelled.add(PodText{.name = "p", .node = "a", .spec = {{"nodeSelector", {{"disk", "fast"}}}}});
    labelled.add(PodText{.name = "big", .node = "b", .cpu = "3800m"});
    const ClusterPlan plan = plan_of(labelled);
    // b is full: a smaller machine of the group has the label that all its nodes have.
    ASSERT_THAT(plan.launches, Not(IsEmpty()));
    for (const PlannedLaunch& one : plan.launches) EXPECT_EQ(one.pool, "workers");
    EXPECT_THAT(removed(plan), Contains("a"));
    expect_adds_up(labelled, plan, "");
}

TEST(ClusterPlan, leaves_pods_alone_that_ask_for_no_nodepool) {
    // The node has no such label, and the pool that stands for it must not make it have one.
    const Json affinity = {
        {"nodeAffinity",
         {{"requiredDuringSchedulingIgnoredDuringExecution",
           {{"nodeSelectorTerms",
             {{{"matchExpressions",
                {{{"key", "karpenter.sh/nodepool"}, {"operator", "DoesNotExist"}}}}}}}}}}}};
    const ClusterText cluster = two_nodes({.name = "p", .spec = {{"affinity", affinity}}});
    const ClusterPlan plan = plan_of(cluster);
    EXPECT_TRUE(removed(plan).contains("a"));
    ASSERT_EQ(plan.moves.size(), removed(plan).contains("b") ? 2u : 1u);
    expect_adds_up(cluster, plan, "");
}

TEST(ClusterPlan, prices_machines_of_no_catalogue_by_what_they_hold) {
    ClusterText cluster;
    for (const char* name : {"a", "b", "c"})
        cluster.add(NodeText{.name = name, .group = "", .type = "", .zone = "", .provider = ""});
    for (const char* name : {"a", "b", "c"})
        cluster.add(PodText{.name = std::string("p-") + name, .node = name, .cpu = "900m"});
    const ClusterPlan plan = plan_of(cluster);
    EXPECT_EQ(plan.now.price, rules::Money::from_dollars(3 * (4 * 0.033 + 16 * 0.00375)));
    EXPECT_THAT(plan.unpriced, ElementsAre("a", "b", "c"));
    EXPECT_TRUE(has_warning(plan, "no catalogue here has the type 4cpu-16Gi of 3 nodes"));
    EXPECT_EQ(plan.removals.size(), 2u);
    EXPECT_THAT(plan.launches, IsEmpty());
    expect_adds_up(cluster, plan, "");
}

TEST(ClusterPlan, buys_for_pods_that_wait_and_says_which_wait_still) {
    ClusterText cluster = two_nodes();
    cluster.add(PodText{.name = "large", .cpu = "30", .memory = "60Gi"});
    cluster.add(PodText{.name = "lost", .spec = {{"nodeSelector", {{"no", "where"}}}}});
    const ClusterPlan plan = plan_of(cluster);
    const auto bought = std::find_if(plan.launches.begin(), plan.launches.end(),
                                     [](const PlannedLaunch& one) { return one.is_for_waiting; });
    ASSERT_NE(bought, plan.launches.end());
    EXPECT_THAT(bought->pods, Contains("shop/large"));
    EXPECT_TRUE(plan.unschedulable.contains("shop/lost"));
    EXPECT_GT(plan.after.price, plan.now.price);
    expect_adds_up(cluster, plan, "");
}

TEST(ClusterPlan, keeps_to_the_rules_of_nodepools) {
    const auto pool = [](const Json& disruption) {
        return Json{{"apiVersion", "karpenter.sh/v1"},
                    {"kind", "NodePool"},
                    {"metadata", {{"name", "default"}}},
                    {"spec",
                     {{"disruption", disruption},
                      {"template",
                       {{"spec",
                         {{"nodeClassRef",
                           {{"group", "karpenter.k8s.aws"}, {"kind", "EC2NodeClass"}, {"name", "default"}}},
                          {"requirements",
                           {{{"key", "node.kubernetes.io/instance-type"},
                             {"operator", "In"},
                             {"values", {"m5.xlarge"}}},
                            {{"key", "karpenter.sh/capacity-type"},
                             {"operator", "In"},
                             {"values", {"on-demand"}}}}}}}}}}}};
    };
    const struct {
        Json disruption;
        std::vector<std::string> keepers;
    } cases[] = {
        {{{"consolidateAfter", "0s"}}, {}},
        {{{"consolidateAfter", "0s"}, {"consolidationPolicy", "WhenEmpty"}}, {"ConsolidationPolicy default"}},
        {{{"consolidateAfter", "Never"}}, {"ConsolidationPolicy default"}},
        {{{"consolidateAfter", "0s"}, {"budgets", {{{"nodes", "0"}}}}}, {"Budget default"}},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.disruption.dump());
        ClusterText cluster;
        cluster.add(pool(c.disruption));
        for (const char* name : {"a", "b"})
            cluster.add(NodeText{.name = name,
                                 .group = "",
                                 .labels = {{"karpenter.sh/nodepool", "default"},
                                            {"karpenter.sh/capacity-type", "on-demand"},
                                            {"karpenter.sh/initialized", "true"}}});
        cluster.add(PodText{.name = "p", .node = "a", .owner = ""});  // Karpenter lets it go.
        cluster.add(PodText{.name = "q", .node = "b"});
        const ClusterPlan plan = plan_of(cluster);
        EXPECT_EQ(plan.removals.size(), c.keepers.empty() ? 1u : 0u);
        if (!c.keepers.empty()) {
            EXPECT_EQ(keepers(plan, "a"), c.keepers);
            EXPECT_EQ(plan.lifting_saves, rules::Money::from_dollars(0.192));
        }
        ASSERT_EQ(plan.pools.size(), 1u);
        EXPECT_FALSE(plan.pools[0].is_stand_in);
        expect_adds_up(cluster, plan, "");
    }
}

// Thirty nodes of a managed group that Cluster Autoscaler cannot empty.
ClusterText fragmented() {
    ClusterText out;
    out.add(Json{{"apiVersion", "apps/v1"},
                 {"kind", "DaemonSet"},
                 {"metadata", {{"namespace", "shop"}, {"name", "agent"}}},
                 {"spec",
                  {{"selector", {{"matchLabels", {{"app", "agent"}}}}},
                   {"template",
                    {{"metadata", {{"labels", {{"app", "agent"}}}}},
                     {"spec",
                      {{"containers",
                        {{{"name", "c"},
                          {"image", "i"},
                          {"resources", {{"requests", {{"cpu", "100m"}, {"memory", "128Mi"}}}}}}}}}}}}}}});
    for (int i = 0; i < 30; ++i) {
        const std::string node = fmt::format("ip-10-0-0-{}", i);
        out.add(NodeText{.name = node, .zone = fmt::format("us-east-1{}", "abc"[i % 3])});
        out.add(PodText{.name = fmt::format("agent-{}", i),
                        .node = node,
                        .cpu = "100m",
                        .memory = "128Mi",
                        .owner = "DaemonSet"});
        for (int p = 0; p < 3; ++p)
            out.add(PodText{
                .name = fmt::format("web-{}-{}", i, p), .node = node, .cpu = "400m", .memory = "1Gi"});
        if (i < 4) out.add(PodText{.name = fmt::format("db-{}", i), .node = node, .labels = {{"app", "db"}}});
        if (i == 4)
            out.add(PodText{.name = "job",
                            .node = node,
                            .annotations = {{"cluster-autoscaler.kubernetes.io/safe-to-evict", "false"}}});
        if (i == 5) out.add(PodText{.name = "debug", .node = node, .owner = ""});
    }
    out.add_budget("db", {{"app", "db"}}, 0);
    return out;
}

TEST(ClusterPlan, empties_a_fragmented_cluster_of_cluster_autoscaler) {
    const ClusterText cluster = fragmented();
    const ClusterPlan plan = plan_of(cluster);
    EXPECT_EQ(plan.now.nodes, 30);
    EXPECT_GE(plan.removals.size(), 15u);
    EXPECT_LT(plan.after.price.dollars(), 0.6 * plan.now.price.dollars());
    for (int i = 0; i < 6; ++i) EXPECT_THAT(removed(plan), Not(Contains(fmt::format("ip-10-0-0-{}", i))));
    EXPECT_THAT(keepers(plan, "ip-10-0-0-0"), ElementsAre("PodDisruptionBudget shop/db"));
    EXPECT_THAT(keepers(plan, "ip-10-0-0-4"), ElementsAre("DoNotDisrupt shop/job"));
    EXPECT_THAT(keepers(plan, "ip-10-0-0-5"), ElementsAre("BarePod shop/debug"));
    expect_adds_up(cluster, plan, "");
    expect_fits(cluster, plan, "");
}

TEST(ClusterPlan, is_told_in_every_form_with_the_same_numbers) {
    const ClusterPlan plan = plan_of(fragmented());
    const Json json = Json::parse(plan_json(plan));
    EXPECT_EQ(json["now"]["nodes"], 30);
    EXPECT_EQ(json["now"]["unpricedNodes"], Json::array());
    EXPECT_EQ(json["after"]["nodes"], plan.after.nodes);
    EXPECT_DOUBLE_EQ(json["after"]["pricePerHour"], plan.after.price.dollars());
    EXPECT_DOUBLE_EQ(json["lowerBoundPerHour"], plan.lower_bound.dollars());
    EXPECT_TRUE(json["seconds"].is_number());
    EXPECT_EQ(json["removals"].size(), plan.removals.size());
    for (const char* key : {"node", "reason", "savesPerHour"}) EXPECT_TRUE(json["removals"][0].contains(key));
    for (const char* key : {"pod", "from", "to"}) EXPECT_TRUE(json["moves"][0].contains(key));
    for (const Json& kept : json["kept"]) {
        for (const char* key : {"rule", "object", "message", "costsPerHour"})
            EXPECT_TRUE(kept["reasons"][0].contains(key)) << kept;
    }
    for (const char* key : {"launches", "notRead"}) EXPECT_TRUE(json[key].is_array());
    EXPECT_TRUE(json["unschedulable"].is_object());
    const std::string table = plan_table(plan, false);
    EXPECT_THAT(table, HasSubstr("PodDisruptionBudget shop/db allows no eviction"));
    EXPECT_THAT(table, HasSubstr(money_text(plan.after.price)));
    EXPECT_THAT(table, HasSubstr("\nNext: "));
}

TEST(ClusterPlan, fits_one_screen_however_much_there_is) {
    ClusterText cluster;
    for (int i = 0; i < 60; ++i) {
        const std::string node = fmt::format("n{}", i);
        cluster.add(
            NodeText{.name = node, .group = fmt::format("a-group-with-quite-a-long-name-indeed-{}", i)});
        cluster.add(
            PodText{.name = fmt::format("p{}", i), .node = node, .labels = {{"app", fmt::format("{}", i)}}});
        if (i % 2 == 0) cluster.add_budget(fmt::format("budget-{}", i), {{"app", fmt::format("{}", i)}}, 0);
        cluster.add(PodText{.name = fmt::format("w{}", i),
                            .spec = {{"nodeSelector", {{"x", fmt::format("{}", i)}}}}});
    }
    const ClusterPlan plan = plan_with_few_types(cluster);
    const std::string table = plan_table(plan, false);
    EXPECT_LE(std::count(table.begin(), table.end(), '\n'), 48);
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
    const std::string all = plan_table(plan, true);
    EXPECT_THAT(all, HasSubstr("n58 (a-group-with-quite-a-long-name-indeed-58)"));
}

TEST(ClusterPlan, refuses_what_holds_no_node) {
    const auto plan = ClusterText().add(PodText{.name = "p"}).plan();
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().message, HasSubstr("there is no Node"));
}

// Groups, taints, selectors, budgets and annotations by chance.
ClusterText random_cluster(Rng& rng) {
    ClusterText out;
    const char* types[] = {"m5.large", "m5.xlarge", "m5.2xlarge", "unheard.of"};
    const int cores[] = {2, 4, 8, 6};
    const auto nodes = 2 + rng.below(12);
    for (std::uint64_t i = 0; i < nodes; ++i) {
        const auto type = rng.below(4);
        NodeText node{.name = fmt::format("n{}", i)};
        node.type = types[type];
        node.cores = cores[type];
        node.gib = 4 * node.cores;
        node.zone = fmt::format("us-east-1{}", "abc"[rng.below(3)]);
        node.group = rng.below(4) == 0 ? "" : fmt::format("g{}", rng.below(3));
        if (rng.below(3) == 0) node.labels["team"] = fmt::format("t{}", rng.below(2));
        const bool is_tainted = rng.below(5) == 0;
        if (is_tainted) node.taints = {{{"key", "dedicated"}, {"value", "x"}, {"effect", "NoSchedule"}}};
        if (rng.below(12) == 0) node.labels["node-role.kubernetes.io/control-plane"] = "";
        node.is_ready = rng.below(12) != 0;
        int left = node.cores * 1000 - 80;
        const auto pods = rng.below(5);
        for (std::uint64_t p = 0; p < pods; ++p) {
            PodText pod{.name = fmt::format("p{}-{}", i, p), .node = node.name};
            const int cpu = 100 * (1 + static_cast<int>(rng.below(9)));
            if (cpu > left) break;
            left -= cpu;
            pod.cpu = fmt::format("{}m", cpu);
            pod.labels = {{"app", fmt::format("a{}", rng.below(6))}};
            if (rng.below(12) == 0) pod.owner = "";
            if (rng.below(12) == 0)
                pod.annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] = "false";
            if (is_tainted || rng.below(4) == 0)
                pod.spec["tolerations"] = {{{"key", "dedicated"}, {"operator", "Exists"}}};
            if (node.labels.contains("team") && rng.below(2) == 0)
                pod.spec["nodeSelector"] = {{"team", node.labels["team"]}};
            if (rng.below(4) == 0)
                pod.spec["topologySpreadConstraints"] = {
                    {{"maxSkew", 1},
                     {"topologyKey", "topology.kubernetes.io/zone"},
                     {"whenUnsatisfiable", rng.below(2) == 0 ? "DoNotSchedule" : "ScheduleAnyway"},
                     {"labelSelector", {{"matchLabels", pod.labels}}}}};
            out.add(pod);
        }
        out.add(node);
    }
    for (std::uint64_t i = rng.below(4); i > 0; --i)
        out.add(PodText{.name = fmt::format("w{}", i), .cpu = fmt::format("{}m", 300 * i)});
    if (rng.below(2) == 0) out.add_budget("b", {{"app", "a0"}}, static_cast<int>(rng.below(2)));
    return out;
}

TEST(ClusterPlan, adds_up_in_random_clusters) {
    std::size_t removals = 0;
    std::size_t launches = 0;
    std::size_t lifted = 0;
    for (std::uint64_t seed = 1; seed <= seeds(150ul); ++seed) {
        Rng rng(seed);
        const ClusterText cluster = random_cluster(rng);
        const ClusterPlan plan = plan_with_few_types(cluster);
        expect_adds_up(cluster, plan, fmt::format("seed {}", seed));
        expect_fits(cluster, plan, fmt::format("seed {}", seed));
        removals += plan.removals.size();
        launches += plan.launches.size();
        lifted += plan.lifting_saves.nanos > 0 ? 1 : 0;
        if (::testing::Test::HasFailure()) break;
    }
    EXPECT_GT(removals, seeds(150ul));
    EXPECT_GT(launches, seeds(150ul) / 4);
    EXPECT_GT(lifted, seeds(150ul) / 10);
}

}  // namespace
}  // namespace joiner::cli
