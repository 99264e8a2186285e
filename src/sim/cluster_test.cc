// The pretend world as a whole: controllers, scheduler and kubelets doing what the real ones do.
#include "sim/cluster.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sim/json.h"
#include "sim/kubelet.h"
#include "sim/scheduler.h"

namespace joiner::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

std::string node_manifest(const std::string& name, const std::string& extra = {},
                          const std::string& cpu = "4") {
    return fmt::format(R"(
apiVersion: v1
kind: Node
metadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}, topology.kubernetes.io/zone: z1}}, annotations: {{kwok.x-k8s.io/node: fake}}}}
spec: {{{1}}}
status:
  capacity: {{cpu: {2}, memory: 8Gi, pods: 20}}
  allocatable: {{cpu: {2}, memory: 8Gi, pods: 20}}
)",
                       name, extra, cpu);
}

std::string deployment_manifest(const std::string& name, int replicas, const std::string& pod_extra = {}) {
    return fmt::format(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}}}
spec:
  replicas: {1}
  selector: {{matchLabels: {{app: {0}}}}}
  template:
    metadata: {{labels: {{app: {0}}}}}
    spec:
      containers: [{{name: main, image: pause, resources: {{requests: {{cpu: 500m, memory: 256Mi}}}}}}]
      {2}
)",
                       name, replicas, pod_extra);
}

class ClusterTest : public testing::Test {
  protected:
    void apply(const std::string& manifest) {
        const Status applied = cluster_.apply(manifest);
        ASSERT_TRUE(applied) << applied.error().message;
    }
    void add_node(const std::string& name, const std::string& extra = {}, const std::string& cpu = "4") {
        apply(node_manifest(name, extra, cpu));
    }
    Json get(std::string_view kind, std::string_view name, std::string_view ns = "default") {
        const auto text = cluster_.get(kind, ns, name);
        return text ? *parse_json(*text) : Json::object();
    }
    std::size_t phase(const std::string& name) { return cluster_.pods_by_phase()[name]; }
    // And a moment more, so that everybody has taken note.
    bool until(const std::function<bool()>& is_done, Duration limit = minutes{2}) {
        const bool is_met = cluster_.run_until(is_done, limit);
        cluster_.time().run_ready();
        return is_met;
    }
    std::string condition(const Json& object, const char* type, const char* field) {
        const Json* found = find_condition(object, type);
        return found ? text_at(*found, {field}) : "";
    }
    Json first_pod() { return *parse_json(cluster_.list("pods").at(0)); }

    Cluster cluster_;
};

TEST_F(ClusterTest, a_deployment_runs_once_there_is_a_node) {
    apply(deployment_manifest("web", 3));
    cluster_.run_for(seconds{3});
    EXPECT_EQ(cluster_.bound_pods(), 0u);
    const Json pod = first_pod();
    const Json* scheduled = find_condition(pod, "PodScheduled");
    ASSERT_NE(scheduled, nullptr);
    EXPECT_EQ(text_at(*scheduled, {"reason"}), "Unschedulable");
    EXPECT_EQ(text_at(*scheduled, {"message"}), "no nodes available to schedule pods");
    add_node("n1");
    EXPECT_TRUE(until([&] { return phase("Running") == 3; }));
    const Json deployment = get("deployments", "web");
    EXPECT_EQ(int_at(deployment, {"status", "readyReplicas"}), 3);
    EXPECT_TRUE(is_condition_true(deployment, "Available"));
    EXPECT_TRUE(find(get("nodes", "n1", ""), {"spec", "taints"}) == nullptr);
    EXPECT_EQ(text_at(first_pod(), {"metadata", "labels", "topology.kubernetes.io/zone"}), "z1");
}

TEST_F(ClusterTest, what_does_not_fit_says_why) {
    add_node("n1", "", "1");
    add_node("n2", "taints: [{key: a, effect: NoSchedule}]");
    add_node("n3", "unschedulable: true");
    apply(deployment_manifest("web", 3));
    cluster_.run_for(seconds{20});
    EXPECT_EQ(cluster_.bound_pods(), 2u);
    for (const std::string& text : cluster_.list("pods")) {
        const Json pod = *parse_json(text);
        if (!text_at(pod, {"spec", "nodeName"}).empty()) continue;
        EXPECT_EQ(condition(pod, "PodScheduled", "message"),
                  "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 "
                  "node(s) were unschedulable.");
    }
    EXPECT_GE(cluster_.event_reasons()["FailedScheduling"], 1u);
}

TEST_F(ClusterTest, pods_go_to_the_emptiest_node) {
    add_node("n1");
    add_node("n2");
    cluster_.run_for(seconds{2});
    apply(deployment_manifest("web", 4));
    EXPECT_TRUE(until([&] { return phase("Running") == 4; }));
    std::map<std::string, int> pods;
    for (const std::string& text : cluster_.list("pods"))
        ++pods[text_at(*parse_json(text), {"spec", "nodeName"})];
    EXPECT_THAT(pods, ElementsAre(Pair("n1", 2), Pair("n2", 2)));
}

TEST_F(ClusterTest, higher_priority_goes_first) {
    apply("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 100}");
    apply(deployment_manifest("low", 4));
    apply(deployment_manifest("high", 4, "priorityClassName: high"));
    cluster_.run_for(seconds{30});
    add_node("n1", "", "2");
    cluster_.run_for(seconds{30});
    for (const std::string& text : cluster_.list("pods")) {
        const Json pod = *parse_json(text);
        EXPECT_EQ(text_at(pod, {"spec", "nodeName"}).empty(),
                  text_at(pod, {"metadata", "labels", "app"}) == "low");
    }
}

TEST_F(ClusterTest, spread_and_anti_affinity_are_kept) {
    add_node("n1");
    add_node("n2");
    apply(
        R"({apiVersion: v1, kind: Node, metadata: {name: n3, labels: {kubernetes.io/hostname: n3, topology.kubernetes.io/zone: z2}, annotations: {kwok.x-k8s.io/node: fake}}, status: {allocatable: {cpu: 4, memory: 8Gi, pods: 20}, capacity: {cpu: 4, memory: 8Gi, pods: 20}}})");
    cluster_.run_for(seconds{2});
    apply(deployment_manifest(
        "spread", 4,
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, "
        "whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: spread}}}]"));
    apply(deployment_manifest(
        "apart", 4,
        "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
        "kubernetes.io/hostname, labelSelector: {matchLabels: {app: apart}}}]}}"));
    cluster_.run_for(seconds{30});
    std::map<std::string, int> by_zone, by_node;
    for (const std::string& text : cluster_.list("pods")) {
        const Json pod = *parse_json(text);
        const std::string& node = text_at(pod, {"spec", "nodeName"});
        if (text_at(pod, {"metadata", "labels", "app"}) == "spread") ++by_zone[node == "n3" ? "z2" : "z1"];
        if (text_at(pod, {"metadata", "labels", "app"}) == "apart") ++by_node[node];
    }
    EXPECT_THAT(by_zone, ElementsAre(Pair("z1", 2), Pair("z2", 2)));
    EXPECT_THAT(by_node, ElementsAre(Pair("", 1), Pair("n1", 1), Pair("n2", 1), Pair("n3", 1)));
}

TEST_F(ClusterTest, a_daemon_set_covers_nodes_and_tolerates_what_daemons_do) {
    add_node("n1");
    add_node("n2", "unschedulable: true");
    add_node("n3", "taints: [{key: other, effect: NoSchedule}]");
    apply(
        R"({apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: kube-system}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}})");
    EXPECT_TRUE(until([&] { return phase("Running") == 2; }));
    const Json set = get("ds", "agent", "kube-system");
    EXPECT_EQ(int_at(set, {"status", "desiredNumberScheduled"}), 2);
    EXPECT_EQ(int_at(set, {"status", "numberReady"}), 2);
    EXPECT_EQ(array_at(first_pod(), {"spec", "tolerations"}).size(), 6u);
    add_node("n4");
    EXPECT_TRUE(until([&] { return phase("Running") == 3; }));
    ASSERT_TRUE(cluster_.remove("nodes", "", "n4"));
    EXPECT_TRUE(until([&] { return cluster_.count("pods") == 2; }, minutes{3}))
        << "its pod goes with the node";
}

TEST_F(ClusterTest, a_stateful_set_starts_in_order) {
    add_node("n1");
    apply(
        R"({apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {serviceName: db, replicas: 3, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}})");
    EXPECT_TRUE(until([&] { return cluster_.get("pods", "default", "db-0").has_value(); }));
    cluster_.run_for(std::chrono::milliseconds{200});
    EXPECT_FALSE(cluster_.get("pods", "default", "db-1").has_value());
    EXPECT_TRUE(until([&] { return phase("Running") == 3; }));
    ASSERT_TRUE(cluster_.scale("statefulsets", "default", "db", 1));
    EXPECT_TRUE(until([&] { return cluster_.count("pods") == 1; }));
    EXPECT_TRUE(cluster_.get("pods", "default", "db-0").has_value());
}

TEST_F(ClusterTest, a_job_runs_to_its_end) {
    add_node("n1");
    apply(
        R"({apiVersion: batch/v1, kind: Job, metadata: {name: sum}, spec: {completions: 3, parallelism: 2, template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}})");
    EXPECT_TRUE(until([&] { return is_condition_true(get("jobs", "sum"), "Complete"); }));
    EXPECT_EQ(phase("Succeeded"), 3u);
}

TEST_F(ClusterTest, a_deployment_rolls_over) {
    add_node("n1");
    apply(deployment_manifest("web", 4));
    EXPECT_TRUE(until([&] { return phase("Running") == 4; }));
    ASSERT_TRUE(cluster_.patch("deployments", "default", "web",
                               R"({"spec":{"template":{"metadata":{"annotations":{"v":"2"}}}}})"));
    std::size_t fewest = 4;
    EXPECT_TRUE(until([&] {
        std::size_t ready = 0;
        for (const std::string& text : cluster_.list("pods"))
            ready += is_condition_true(*parse_json(text), "Ready") &&
                     text.find("deletionTimestamp") == std::string::npos;
        fewest = std::min(fewest, ready);
        const Json deployment = get("deployments", "web");
        return int_at(deployment, {"status", "updatedReplicas"}) == 4 &&
               int_at(deployment, {"status", "availableReplicas"}) == 4 && cluster_.count("pods") == 4;
    }));
    EXPECT_GE(fewest, 3u);
    EXPECT_EQ(cluster_.count("replicasets"), 2u);
}

TEST_F(ClusterTest, a_replica_set_lets_go_of_a_pod_that_it_no_longer_selects_and_takes_on_one_that_it_does) {
    add_node("n1");
    apply(deployment_manifest("web", 2));
    EXPECT_TRUE(until([&] { return phase("Running") == 2; }));
    const Json pod = *parse_json(cluster_.list("pods").front());
    const std::string name = name_of(pod);
    const std::string hash = text_at(pod, {"metadata", "labels", "pod-template-hash"});
    ASSERT_NE(hash, "");
    const auto is_owned = [&] { return controller_of(get("pods", name)) != nullptr; };
    ASSERT_TRUE(
        cluster_.patch("pods", "default", name, R"({"metadata":{"labels":{"pod-template-hash":null}}})"));
    EXPECT_TRUE(until([&] { return phase("Running") == 3 && !is_owned(); })) << "another is made for it";
    ASSERT_TRUE(cluster_.patch("pods", "default", name,
                               R"({"metadata":{"labels":{"pod-template-hash":")" + hash + R"("}}})"));
    EXPECT_TRUE(until([&] { return cluster_.count("pods") == 2; })) << "and now one is too many";
}

TEST_F(ClusterTest, a_deleted_deployment_takes_everything_along) {
    add_node("n1");
    apply(deployment_manifest("web", 2));
    EXPECT_TRUE(until([&] { return phase("Running") == 2; }));
    ASSERT_TRUE(cluster_.remove("deployments", "default", "web"));
    EXPECT_TRUE(until([&] { return cluster_.count("pods") == 0 && cluster_.count("replicasets") == 0; }));
}

TEST_F(ClusterTest, a_budget_is_kept_up_to_date) {
    add_node("n1");
    apply(deployment_manifest("web", 4));
    apply(
        "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: web}, spec: {maxUnavailable: "
        "25%, selector: {matchLabels: {app: web}}}}");
    EXPECT_TRUE(until([&] { return int_at(get("pdb", "web"), {"status", "disruptionsAllowed"}) == 1; }));
    const Json budget = get("pdb", "web");
    EXPECT_EQ(int_at(budget, {"status", "expectedPods"}), 4);
    EXPECT_EQ(int_at(budget, {"status", "desiredHealthy"}), 3);
    ASSERT_TRUE(cluster_.remove("pods", "default", name_of(first_pod())));
    cluster_.run_for(std::chrono::milliseconds{10});
    EXPECT_EQ(int_at(get("pdb", "web"), {"status", "disruptionsAllowed"}), 0);
    EXPECT_TRUE(until([&] { return int_at(get("pdb", "web"), {"status", "disruptionsAllowed"}) == 1; }));
}

TEST_F(ClusterTest, a_node_that_never_gets_ready_runs_nothing) {
    cluster_.kubelet().set_ready_delay("slow", std::nullopt);
    add_node("slow");
    apply(deployment_manifest("web", 1));
    cluster_.run_for(seconds{50});
    EXPECT_EQ(phase("Running"), 0u);
    cluster_.run_for(minutes{1});
    EXPECT_EQ(condition(get("nodes", "slow", ""), "Ready", "reason"), "NodeStatusNeverUpdated");
}

TEST_F(ClusterTest, pods_of_a_lost_node_are_evicted_and_collected) {
    add_node("n1");
    apply(deployment_manifest("web", 2));
    EXPECT_TRUE(until([&] { return phase("Running") == 2; }));
    cluster_.stop_node("n1");
    EXPECT_TRUE(
        until([&] { return condition(get("nodes", "n1", ""), "Ready", "status") == "Unknown"; }, minutes{1}));
    EXPECT_THAT(to_text(get("nodes", "n1", "")["spec"]["taints"]),
                HasSubstr("node.kubernetes.io/unreachable"));
    const auto on_its_way_out = [&] {
        std::size_t count = 0;
        for (const std::string& text : cluster_.list("pods")) count += is_deleting(*parse_json(text));
        return count;
    };
    cluster_.run_for(minutes{4});
    EXPECT_EQ(on_its_way_out(), 0u);
    cluster_.run_for(minutes{2});
    EXPECT_EQ(on_its_way_out(), 2u) << "after 300 seconds of tolerance";
    ASSERT_TRUE(cluster_.remove("nodes", "", "n1"));
    add_node("n2");
    EXPECT_TRUE(until([&] { return cluster_.count("pods") == 2 && phase("Running") == 2; }, minutes{3}));
}

TEST_F(ClusterTest, a_no_execute_taint_drives_pods_away) {
    add_node("n1");
    add_node("n2");
    apply(deployment_manifest("web", 4));
    EXPECT_TRUE(until([&] { return phase("Running") == 4; }));
    ASSERT_TRUE(cluster_.patch("nodes", "", "n1",
                               R"({"spec":{"taints":[{"key":"maintenance","effect":"NoExecute"}]}})"));
    EXPECT_TRUE(until([&] {
        std::size_t on_second = 0;
        for (const std::string& text : cluster_.list("pods"))
            on_second += text_at(*parse_json(text), {"spec", "nodeName"}) == "n2";
        return on_second == 4 && cluster_.count("pods") == 4;
    }));
}

TEST_F(ClusterTest, a_kubelet_refuses_what_does_not_fit) {
    add_node("n1", "", "1");
    cluster_.run_for(seconds{2});
    const auto bound_pod = [](const std::string& name) {
        return fmt::format(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {}}}, spec: {{nodeName: n1, containers: [{{name: "
            "c, image: i, resources: {{requests: {{cpu: 600m}}}}}}]}}}}",
            name);
    };
    apply(bound_pod("a"));
    apply(bound_pod("b"));
    cluster_.run_for(seconds{5});
    EXPECT_EQ(text_at(get("pods", "a"), {"status", "phase"}), "Running");
    EXPECT_EQ(text_at(get("pods", "b"), {"status", "phase"}), "Failed");
    EXPECT_EQ(text_at(get("pods", "b"), {"status", "reason"}), "OutOfcpu");
}

TEST_F(ClusterTest, a_claim_waits_for_its_first_consumer) {
    apply(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: zonal}, provisioner: "
        "sim.example.com, volumeBindingMode: WaitForFirstConsumer}");
    apply(
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: "
        "[ReadWriteOnce], storageClassName: zonal, resources: {requests: {storage: 1Gi}}}}");
    apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: db}, spec: {containers: [{name: c, image: i}], "
        "volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]}}");
    cluster_.run_for(seconds{5});
    EXPECT_EQ(text_at(get("pvc", "data"), {"status", "phase"}), "Pending");
    add_node("n1");
    EXPECT_TRUE(until([&] { return text_at(get("pods", "db"), {"status", "phase"}) == "Running"; }));
    EXPECT_EQ(text_at(get("pvc", "data"), {"status", "phase"}), "Bound");
    EXPECT_THAT(cluster_.list("pv").at(0), HasSubstr("z1"));
}

TEST_F(ClusterTest, a_namespace_goes_with_all_that_is_in_it) {
    add_node("n1");
    apply("{apiVersion: v1, kind: Namespace, metadata: {name: team}}");
    apply(
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: team}, spec: {containers: [{name: c, "
        "image: i}]}}");
    EXPECT_TRUE(until([&] { return phase("Running") == 1; }));
    ASSERT_TRUE(cluster_.remove("namespaces", "", "team"));
    EXPECT_TRUE(
        until([&] { return !cluster_.get("namespaces", "", "team") && cluster_.count("pods") == 0; }));
}

TEST_F(ClusterTest, the_same_seed_gives_the_same_run) {
    const auto run = [](std::uint64_t seed) {
        ClusterOptions options;
        options.api.seed = seed;
        Cluster cluster(options);
        EXPECT_TRUE(cluster.apply(node_manifest("n1") + "---\n" + node_manifest("n2") + "---\n" +
                                  deployment_manifest("web", 5)));
        cluster.run_for(minutes{1});
        std::string all;
        for (const char* kind : {"pods", "nodes", "replicasets", "events"}) {
            for (const std::string& text : cluster.list(kind)) all += text + "\n";
        }
        return all;
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

TEST(ClusterQps, bindings_are_held_back_at_the_schedulers_limit) {
    ClusterOptions options;
    options.scheduler.qps = 50;
    options.scheduler.burst = 50;
    Cluster cluster(options);
    ASSERT_TRUE(cluster.apply(node_manifest("n1", "", "1k")));
    ASSERT_TRUE(cluster.patch("nodes", "", "n1",
                              R"({"status":{"allocatable":{"cpu":"1000","memory":"1Ti","pods":"1000"}}})",
                              "status"));
    cluster.run_for(seconds{2});
    ASSERT_TRUE(cluster.apply(deployment_manifest("web", 300)));
    cluster.run_for(seconds{3});
    EXPECT_GT(cluster.bound_pods(), 150u);
    EXPECT_LT(cluster.bound_pods(), 230u);
    cluster.run_for(seconds{4});
    EXPECT_EQ(cluster.bound_pods(), 300u);
}

}  // namespace
}  // namespace joiner::sim
