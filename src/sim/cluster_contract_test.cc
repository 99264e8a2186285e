// The contract of scheduler, kubelets and controllers: what the embedded ones do, the real ones do (KWOK's in
// the kubelets' place). With "real", JOINER_CONTRACT_KUBECONFIG names a whole control plane, as
// tests/controlplane/contract.py starts one. Plans are tried on the embedded ones: where they are not as the
// real ones, the tests of plans prove nothing.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "sim/contract.h"

namespace joiner::sim {
namespace {

using testing::HasSubstr;

constexpr const char* kZone = "topology.kubernetes.io/zone";
constexpr const char* kHostname = "kubernetes.io/hostname";

class ClusterContractTest : public ContractTest {
  protected:
    void TearDown() override {
        if (server_ && server_->is_real()) {
            for (const char* const plural : {"deployments", "daemonsets", "statefulsets"})
                remove(grouped("apps/v1", plural), nullptr);
            remove(grouped("batch/v1", "jobs"), {{"propagationPolicy", "Background"}});
            remove(core("pods"), {{"gracePeriodSeconds", 0}});
        }
        ContractTest::TearDown();
    }

    // A node of this test alone: its pods ask for the label.
    std::string add_node(const std::string& name, const Json& labels = Json::object(),
                         const Json& spec = Json::object(), const char* cpu = "4") {
        const std::string full = unique(name);
        const Json amounts = {{"cpu", cpu}, {"memory", "8Gi"}, {"pods", "10"}};
        Json object = {{"metadata",
                        {{"name", full},
                         {"annotations", {{"kwok.x-k8s.io/node", "fake"}}},
                         {"labels", {{"contract", ns_}, {kHostname, full}}}}},
                       {"spec", spec},
                       {"status", {{"capacity", amounts}, {"allocatable", amounts}}}};
        object["metadata"]["labels"].update(labels);
        clean_up(cluster_path("v1", "nodes", full));
        EXPECT_CODE(post(cluster_path("v1", "nodes"), object), 201);
        EXPECT_TRUE(server_->ask_until([&] {
            const HttpAnswer node = get(cluster_path("v1", "nodes", full));
            const Json taints = array_at(node.body, {"spec", "taints"});
            return is_condition_true(node.body, "Ready") &&
                   std::none_of(taints.begin(), taints.end(), [](const Json& taint) {
                       return text_at(taint, {"key"}) == "node.kubernetes.io/not-ready";
                   });
        })) << full;
        return full;
    }
    Json spec(const Json& more = Json::object(), const char* cpu = "500m") const {
        Json out = {
            {"nodeSelector", {{"contract", ns_}}},
            {"containers",
             Json::array(
                 {{{"name", "main"}, {"image", "pause:3"}, {"resources", {{"requests", {{"cpu", cpu}}}}}}})}};
        for (const auto& [key, value] : more.items()) out[key] = value;
        return out;
    }
    void run(const std::string& name, const Json& pod_spec, const Json& labels = {{"app", "a"}}) {
        EXPECT_CODE(
            post(core("pods"), {{"metadata", {{"name", name}, {"labels", labels}}}, {"spec", pod_spec}}),
            201);
    }
    Json workload(const std::string& name, const Json& of_spec, const Json& pod_spec) const {
        Json out = {{"metadata", {{"name", name}}},
                    {"spec",
                     {{"selector", {{"matchLabels", {{"app", name}}}}},
                      {"template", {{"metadata", {{"labels", {{"app", name}}}}}, {"spec", pod_spec}}}}}};
        out["spec"].update(of_spec);
        return out;
    }
    std::string place_of(const std::string& pod) { return get(core("pods", pod)).text({"spec", "nodeName"}); }
    bool runs(const std::string& pod) {
        return server_->ask_until([&] {
            const HttpAnswer answer = get(core("pods", pod));
            return answer.text({"status", "phase"}) == "Running" && is_condition_true(answer.body, "Ready");
        });
    }
    // What the scheduler says of the pod, once it has found no place for it.
    std::string why_waiting(const std::string& pod) {
        std::string out;
        EXPECT_TRUE(server_->ask_until([&] {
            const HttpAnswer answer = get(core("pods", pod));
            const Json* condition = find_condition(answer.body, "PodScheduled");
            if (condition == nullptr || text_at(*condition, {"status"}) != "False" ||
                text_at(*condition, {"reason"}) != "Unschedulable")
                return false;
            out = text_at(*condition, {"message"});
            return true;
        })) << pod;
        return out;
    }
    bool gone(const std::string& path) {
        return server_->ask_until([&] { return get(path).code == 404; });
    }
    std::vector<Json> pods_of(const std::string& app) {
        const HttpAnswer list = get(core("pods") + "?labelSelector=app%3D" + app);
        const Json items = array_at(list.body, {"items"});
        return {items.begin(), items.end()};
    }
    std::size_t running_of(const std::string& app) {
        const auto pods = pods_of(app);
        return static_cast<std::size_t>(std::count_if(pods.begin(), pods.end(), [](const Json& pod) {
            return is_condition_true(pod, "Ready") && find(pod, {"metadata", "deletionTimestamp"}) == nullptr;
        }));
    }
    bool run_so_many(const std::string& app, std::size_t count) {
        return server_->ask_until([&] { return pods_of(app).size() == count && running_of(app) == count; });
    }
    // How many pods of the app each node has.
    std::map<std::string, int> spread_of(const std::string& app) {
        std::map<std::string, int> out;
        for (const Json& pod : pods_of(app)) ++out[text_at(pod, {"spec", "nodeName"})];
        return out;
    }
    std::string priority(const std::string& name, int value, const char* policy = "PreemptLowerPriority") {
        const std::string full = unique(name);
        const std::string path = cluster_path("scheduling.k8s.io/v1", "priorityclasses");
        clean_up(path + "/" + full);
        EXPECT_CODE(
            post(path, {{"metadata", {{"name", full}}}, {"value", value}, {"preemptionPolicy", policy}}),
            201);
        return full;
    }
    Json apart(const char* key) const {
        return {{"podAntiAffinity",
                 {{"requiredDuringSchedulingIgnoredDuringExecution",
                   Json::array(
                       {{{"topologyKey", key}, {"labelSelector", {{"matchLabels", {{"app", "a"}}}}}}})}}}};
    }
};

INSTANTIATE_TEST_SUITE_P(On, ClusterContractTest, testing::Values("embedded", "real"),
                         [](const auto& each) { return each.param; });

// --- scheduler and kubelet

TEST_P(ClusterContractTest, a_pod_runs_where_it_fits) {
    const std::string small = add_node("small", Json::object(), Json::object(), "1");
    const std::string large = add_node("large");
    run("a", spec(Json::object(), "2"));
    ASSERT_TRUE(runs("a"));
    const HttpAnswer pod = get(core("pods", "a"));
    EXPECT_EQ(pod.text({"spec", "nodeName"}), large);
    EXPECT_NE(pod.text({"status", "startTime"}), "");
    EXPECT_TRUE(is_condition_true(pod.body, "PodScheduled"));
    run("b", spec(Json::object(), "3"));
    EXPECT_THAT(why_waiting("b"), HasSubstr("Insufficient cpu"));
}

TEST_P(ClusterContractTest, pods_go_to_the_emptiest_node) {
    add_node("one");
    add_node("two");
    for (const char* const name : {"a", "b", "c", "d"}) {
        run(name, spec(Json::object(), "500m"));
        ASSERT_TRUE(runs(name));
    }
    const auto spread = spread_of("a");
    ASSERT_EQ(spread.size(), 2u);
    EXPECT_EQ(spread.begin()->second, 2);
}

TEST_P(ClusterContractTest, taints_and_cordons_keep_off) {
    add_node("tainted", Json::object(),
             {{"taints", Json::array({{{"key", "team"}, {"value", "x"}, {"effect", "NoSchedule"}}})}});
    add_node("cordoned", Json::object(), {{"unschedulable", true}});
    run("a", spec());
    EXPECT_THAT(why_waiting("a"), testing::AllOf(HasSubstr("untolerated taint"), HasSubstr("unschedulable")));
    run("b", spec({{"tolerations", Json::array({{{"key", "team"}, {"operator", "Exists"}}})}}));
    EXPECT_TRUE(runs("b"));
}

TEST_P(ClusterContractTest, a_no_execute_taint_drives_pods_away) {
    const std::string node = add_node("one");
    run("a", spec());
    run("b", spec({{"tolerations", Json::array({{{"key", "go"}, {"operator", "Exists"}}})}}));
    ASSERT_TRUE(runs("a"));
    ASSERT_TRUE(runs("b"));
    EXPECT_CODE(strategic(cluster_path("v1", "nodes", node),
                          {{"spec", {{"taints", Json::array({{{"key", "go"}, {"effect", "NoExecute"}}})}}}}),
                200);
    EXPECT_TRUE(gone(core("pods", "a")));
    EXPECT_EQ(get(core("pods", "b")).code, 200);
}

TEST_P(ClusterContractTest, host_ports_are_had_once_a_node) {
    add_node("one");
    Json with_port = spec();
    with_port["containers"][0]["ports"] = Json::array({{{"containerPort", 80}, {"hostPort", 8080}}});
    run("a", with_port);
    ASSERT_TRUE(runs("a"));
    run("b", with_port);
    EXPECT_THAT(why_waiting("b"), HasSubstr("free ports"));
}

TEST_P(ClusterContractTest, spread_over_zones_holds) {
    add_node("a1", {{kZone, "a"}});
    add_node("b1", {{kZone, "b"}});
    const Json constraint = {{"maxSkew", 1},
                             {"topologyKey", kZone},
                             {"whenUnsatisfiable", "DoNotSchedule"},
                             {"labelSelector", {{"matchLabels", {{"app", "web"}}}}}};
    EXPECT_CODE(post(grouped("apps/v1", "deployments"),
                     workload("web", {{"replicas", 4}},
                              spec({{"topologySpreadConstraints", Json::array({constraint})}}))),
                201);
    ASSERT_TRUE(run_so_many("web", 4));
    for (const auto& [node, count] : spread_of("web")) EXPECT_EQ(count, 2) << node;
}

TEST_P(ClusterContractTest, pods_kept_apart_wait_for_another_node) {
    add_node("one");
    run("a", spec({{"affinity", apart(kHostname)}}));
    ASSERT_TRUE(runs("a"));
    run("b", spec({{"affinity", apart(kHostname)}}));
    EXPECT_THAT(why_waiting("b"), HasSubstr("anti-affinity"));
    // The rule of the one that runs binds those without a rule, too.
    run("c", spec());
    EXPECT_THAT(why_waiting("c"), HasSubstr("anti-affinity"));
    add_node("two");
    EXPECT_TRUE(server_->ask_until([&] { return place_of("b") != "" || place_of("c") != ""; }));
}

TEST_P(ClusterContractTest, a_pod_follows_the_one_it_wants) {
    add_node("a1", {{kZone, "a"}});
    const std::string other = add_node("b1", {{kZone, "b"}});
    run("target", spec({{"nodeName", other}}), {{"app", "target"}});
    ASSERT_TRUE(runs("target"));
    const Json affinity = {{"podAffinity",
                            {{"requiredDuringSchedulingIgnoredDuringExecution",
                              Json::array({{{"topologyKey", kZone},
                                            {"labelSelector", {{"matchLabels", {{"app", "target"}}}}}}})}}}};
    run("a", spec({{"affinity", affinity}}));
    ASSERT_TRUE(runs("a"));
    EXPECT_EQ(place_of("a"), other);
}

TEST_P(ClusterContractTest, an_urgent_pod_takes_the_place_of_the_least_urgent) {
    const std::string low = priority("low", 10);
    const std::string middle = priority("middle", 100);
    const std::string high = priority("high", 1000);
    const std::string one = add_node("one");
    const std::string two = add_node("two");
    run("low", spec({{"priorityClassName", low}, {"nodeName", one}}, "3"));
    run("middle", spec({{"priorityClassName", middle}, {"nodeName", two}}, "3"));
    ASSERT_TRUE(runs("low"));
    ASSERT_TRUE(runs("middle"));
    run("high", spec({{"priorityClassName", high}}, "3"));
    ASSERT_TRUE(runs("high"));
    EXPECT_EQ(place_of("high"), one);
    EXPECT_TRUE(gone(core("pods", "low")));
    EXPECT_EQ(get(core("pods", "middle")).code, 200);
}

TEST_P(ClusterContractTest, no_more_pods_give_way_than_must) {
    const std::string low = priority("low", 10);
    const std::string high = priority("high", 1000);
    const std::string node = add_node("one");
    for (const char* const name : {"a", "b", "c"}) {
        run(name, spec({{"priorityClassName", low}, {"nodeName", node}}, "1200m"));
        ASSERT_TRUE(runs(name));
    }
    run("high", spec({{"priorityClassName", high}}, "1500m"));
    ASSERT_TRUE(runs("high"));
    EXPECT_TRUE(server_->ask_until([&] { return pods_of("a").size() == 3; }));
}

TEST_P(ClusterContractTest, a_pod_that_preempts_nobody_waits) {
    const std::string low = priority("low", 10);
    const std::string polite = priority("polite", 1000, "Never");
    const std::string node = add_node("one");
    run("low", spec({{"priorityClassName", low}, {"nodeName", node}}, "3"));
    ASSERT_TRUE(runs("low"));
    run("polite", spec({{"priorityClassName", polite}}, "3"));
    EXPECT_THAT(why_waiting("polite"), HasSubstr("Insufficient cpu"));
    run("equal", spec({{"priorityClassName", low}}, "3"));
    EXPECT_THAT(why_waiting("equal"), HasSubstr("Insufficient cpu"));
    EXPECT_EQ(get(core("pods", "low")).code, 200);
}

// --- volumes

TEST_P(ClusterContractTest, a_pod_goes_to_the_zone_of_its_volume) {
    add_node("a1", {{kZone, "a"}});
    const std::string right = add_node("b1", {{kZone, "b"}});
    const std::string volume = unique("volume");
    const std::string volumes = cluster_path("v1", "persistentvolumes");
    const Json in_zone = {
        {"required",
         {{"nodeSelectorTerms",
           Json::array({{{"matchExpressions",
                          Json::array({{{"key", kZone}, {"operator", "In"}, {"values", {"b"}}}})}}})}}}};
    clean_up(volumes + "/" + volume);
    EXPECT_CODE(post(volumes, {{"metadata", {{"name", volume}}},
                               {"spec",
                                {{"capacity", {{"storage", "1Gi"}}},
                                 {"accessModes", {"ReadWriteOnce"}},
                                 {"storageClassName", ""},
                                 {"claimRef", {{"namespace", ns_}, {"name", "data"}}},
                                 {"csi", {{"driver", "contract.example.com"}, {"volumeHandle", volume}}},
                                 {"nodeAffinity", in_zone}}}}),
                201);
    EXPECT_CODE(
        post(core("persistentvolumeclaims"), {{"metadata", {{"name", "data"}}},
                                              {"spec",
                                               {{"accessModes", {"ReadWriteOnce"}},
                                                {"storageClassName", ""},
                                                {"volumeName", volume},
                                                {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}),
        201);
    const Json with_volume = spec(
        {{"volumes", Json::array({{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "data"}}}}})}});
    run("a", with_volume);
    ASSERT_TRUE(runs("a"));
    EXPECT_EQ(place_of("a"), right);
}

TEST_P(ClusterContractTest, a_pod_without_its_claim_waits) {
    add_node("one");
    run("a",
        spec({{"volumes",
               Json::array({{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", "nowhere"}}}}})}}));
    EXPECT_THAT(why_waiting("a"), HasSubstr("persistentvolumeclaim \"nowhere\" not found"));
}

// --- controllers

TEST_P(ClusterContractTest, a_deployment_keeps_its_number) {
    add_node("one");
    EXPECT_CODE(post(grouped("apps/v1", "deployments"), workload("web", {{"replicas", 3}}, spec())), 201);
    ASSERT_TRUE(run_so_many("web", 3));
    const std::string first = name_of(pods_of("web").front());
    EXPECT_CODE(remove(core("pods", first)), 200);
    EXPECT_TRUE(gone(core("pods", first)));
    ASSERT_TRUE(run_so_many("web", 3));
    EXPECT_CODE(merge(grouped("apps/v1", "deployments", "web"), {{"spec", {{"replicas", 1}}}}), 200);
    ASSERT_TRUE(run_so_many("web", 1));
    EXPECT_TRUE(server_->ask_until([&] {
        return int_at(get(grouped("apps/v1", "deployments", "web")).body, {"status", "readyReplicas"}) == 1;
    }));
    EXPECT_CODE(remove(grouped("apps/v1", "deployments", "web"), {{"propagationPolicy", "Background"}}), 200);
    EXPECT_TRUE(run_so_many("web", 0));
}

TEST_P(ClusterContractTest, of_several_pods_the_cheapest_to_delete_goes_first) {
    add_node("one");
    EXPECT_CODE(post(grouped("apps/v1", "deployments"), workload("web", {{"replicas", 3}}, spec())), 201);
    ASSERT_TRUE(run_so_many("web", 3));
    const std::string kept = name_of(pods_of("web").back());
    EXPECT_CODE(
        merge(core("pods", kept),
              {{"metadata", {{"annotations", {{"controller.kubernetes.io/pod-deletion-cost", "100"}}}}}}),
        200);
    // The controller sees the cost a moment after the API server has it.
    server_->run_for(std::chrono::milliseconds{500});
    EXPECT_CODE(merge(grouped("apps/v1", "deployments", "web"), {{"spec", {{"replicas", 1}}}}), 200);
    ASSERT_TRUE(run_so_many("web", 1));
    EXPECT_EQ(name_of(pods_of("web").front()), kept);
}

TEST_P(ClusterContractTest, daemons_stand_on_every_node_they_select) {
    add_node("one");
    add_node("cordoned", Json::object(), {{"unschedulable", true}});
    EXPECT_CODE(post(grouped("apps/v1", "daemonsets"), workload("agent", Json::object(), spec())), 201);
    ASSERT_TRUE(run_so_many("agent", 2));
    add_node("late");
    ASSERT_TRUE(run_so_many("agent", 3));
}

TEST_P(ClusterContractTest, a_stateful_set_numbers_its_pods) {
    add_node("one");
    EXPECT_CODE(post(grouped("apps/v1", "statefulsets"),
                     workload("db", {{"replicas", 2}, {"serviceName", "db"}}, spec())),
                201);
    ASSERT_TRUE(run_so_many("db", 2));
    EXPECT_EQ(get(core("pods", "db-0")).code, 200);
    EXPECT_EQ(get(core("pods", "db-1")).code, 200);
    EXPECT_CODE(merge(grouped("apps/v1", "statefulsets", "db"), {{"spec", {{"replicas", 1}}}}), 200);
    EXPECT_TRUE(gone(core("pods", "db-1")));
    EXPECT_EQ(get(core("pods", "db-0")).code, 200);
}

TEST_P(ClusterContractTest, a_job_comes_to_its_end) {
    add_node("one");
    Json of_job = spec({{"restartPolicy", "Never"}});
    EXPECT_CODE(post(grouped("batch/v1", "jobs"),
                     {{"metadata", {{"name", "sum"}}},
                      {"spec", {{"completions", 2}, {"parallelism", 2}, {"template", {{"spec", of_job}}}}}}),
                201);
    EXPECT_TRUE(server_->ask_until(
        [&] { return is_condition_true(get(grouped("batch/v1", "jobs", "sum")).body, "Complete"); }));
}

TEST_P(ClusterContractTest, a_budget_says_how_many_may_go) {
    add_node("one");
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"), budget("keep", {{"app", "web"}})), 201);
    EXPECT_CODE(post(grouped("apps/v1", "deployments"), workload("web", {{"replicas", 3}}, spec())), 201);
    ASSERT_TRUE(run_so_many("web", 3));
    EXPECT_TRUE(server_->ask_until([&] {
        const Json status =
            object_at(get(grouped("policy/v1", "poddisruptionbudgets", "keep")).body, {"status"});
        return int_at(status, {"disruptionsAllowed"}) == 2 && int_at(status, {"currentHealthy"}) == 3 &&
               int_at(status, {"desiredHealthy"}) == 1 && int_at(status, {"expectedPods"}) == 3;
    }));
}

TEST_P(ClusterContractTest, pods_of_a_node_that_is_gone_are_collected) {
    const std::string one = add_node("one");
    run("a", spec());
    ASSERT_TRUE(runs("a"));
    EXPECT_CODE(remove(cluster_path("v1", "nodes", one)), 200);
    EXPECT_TRUE(gone(core("pods", "a")));
}

}  // namespace
}  // namespace joiner::sim
