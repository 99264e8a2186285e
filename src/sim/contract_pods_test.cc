// The contract, part two: pods, nodes, bindings, evictions, and what the API server adds to them.
#include <gmock/gmock.h>

#include "sim/contract.h"

namespace joiner::sim {
namespace {

Json binding(const std::string& pod, const std::string& node, const std::string& uid = {}) {
    Json json = {{"metadata", {{"name", pod}}}, {"target", {{"kind", "Node"}, {"name", node}}}};
    if (!uid.empty()) json["metadata"]["uid"] = uid;
    return json;
}

Json ready_status() {
    return {{"status",
             {{"phase", "Running"}, {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})}}}};
}

TEST_P(ContractTest, a_pod_gets_its_defaults) {
    Json object = pod("a");
    object["spec"].erase("schedulerName");
    object["spec"]["nodeSelector"] = {{"no", "where"}};
    object["spec"]["containers"][0]["resources"] = {{"limits", {{"cpu", "1500m"}, {"memory", "1024Mi"}}}};
    object["spec"]["containers"][0]["ports"] = Json::array({{{"containerPort", 80}}});
    object["status"] = {{"phase", "Running"}};
    const HttpAnswer made = post(core("pods"), object);
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    const Json spec = made.at({"spec"});
    EXPECT_EQ(text_at(spec, {"schedulerName"}), "default-scheduler");
    EXPECT_EQ(text_at(spec, {"restartPolicy"}), "Always");
    EXPECT_EQ(text_at(spec, {"dnsPolicy"}), "ClusterFirst");
    EXPECT_EQ(text_at(spec, {"preemptionPolicy"}), "PreemptLowerPriority");
    EXPECT_EQ(int_at(spec, {"terminationGracePeriodSeconds"}), 30);
    EXPECT_EQ(int_at(spec, {"priority"}, -1), 0);
    EXPECT_TRUE(flag_at(spec, {"enableServiceLinks"}));
    const Json container = array_at(spec, {"containers"}).at(0);
    EXPECT_EQ(object_at(container, {"resources"}),
              Json({{"limits", {{"cpu", "1500m"}, {"memory", "1Gi"}}},
                    {"requests", {{"cpu", "1500m"}, {"memory", "1Gi"}}}}));
    EXPECT_EQ(text_at(container, {"imagePullPolicy"}), "IfNotPresent");
    EXPECT_EQ(text_at(container, {"terminationMessagePolicy"}), "File");
    EXPECT_EQ(array_at(container, {"ports"}), Json::array({{{"containerPort", 80}, {"protocol", "TCP"}}}));
    EXPECT_EQ(array_at(spec, {"tolerations"}), Json::array({{{"key", "node.kubernetes.io/not-ready"},
                                                             {"operator", "Exists"},
                                                             {"effect", "NoExecute"},
                                                             {"tolerationSeconds", 300}},
                                                            {{"key", "node.kubernetes.io/unreachable"},
                                                             {"operator", "Exists"},
                                                             {"effect", "NoExecute"},
                                                             {"tolerationSeconds", 300}}}));
    EXPECT_EQ(made.text({"status", "phase"}), "Pending");
    EXPECT_EQ(made.text({"status", "qosClass"}), "Guaranteed");
}

TEST_P(ContractTest, the_priority_class_sets_the_priority) {
    const std::string name = unique("high");
    clean_up(cluster_path("scheduling.k8s.io/v1", "priorityclasses", name));
    const HttpAnswer made =
        post(cluster_path("scheduling.k8s.io/v1", "priorityclasses"),
             {{"metadata", {{"name", name}}}, {"value", 1000}, {"preemptionPolicy", "Never"}});
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    Json object = pod("a");
    object["spec"]["priorityClassName"] = name;
    const HttpAnswer with_class = post(core("pods"), object);
    EXPECT_EQ(int_at(with_class.body, {"spec", "priority"}), 1000);
    EXPECT_EQ(with_class.text({"spec", "preemptionPolicy"}), "Never");
    object = pod("b");
    object["spec"]["priorityClassName"] = "none-such";
    EXPECT_REFUSED(post(core("pods"), object), 403, "Forbidden",
                   "pods \"b\" is forbidden: no PriorityClass with name none-such was found");
    object = pod("c");
    object["spec"]["priorityClassName"] = "system-node-critical";
    EXPECT_EQ(int_at(post(core("pods"), object).body, {"spec", "priority"}), 2'000'001'000);
}

TEST_P(ContractTest, pods_that_are_refused) {
    Json object = pod("a");
    object["spec"]["containers"] = Json::array();
    EXPECT_REFUSED(post(core("pods"), object), 422, "Invalid",
                   "Pod \"a\" is invalid: spec.containers: Required value");
    object = pod("a");
    object["spec"]["containers"].push_back({{"name", "main"}, {"image", "x"}});
    EXPECT_REFUSED(post(core("pods"), object), 422, "Invalid",
                   "spec.containers[1].name: Duplicate value: \"main\"");
    object = pod("a");
    object["spec"]["containers"][0]["resources"] = {{"limits", {{"cpu", "1"}}}, {"requests", {{"cpu", "2"}}}};
    EXPECT_REFUSED(post(core("pods"), object), 422, "Invalid",
                   "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal "
                   "to cpu limit of 1");
}

TEST_P(ContractTest, a_pods_spec_is_all_but_fixed) {
    const HttpAnswer made = post(core("pods"), pod("a"));
    EXPECT_REFUSED(merge(core("pods", "a"), {{"spec", {{"nodeName", "n1"}}}}), 422, "Invalid",
                   "Pod \"a\" is invalid: spec: Forbidden: pod updates may not change fields other than");
    EXPECT_REFUSED(merge(core("pods", "a"), {{"spec", {{"nodeSelector", {{"a", "b"}}}}}}), 422, "Invalid",
                   "spec: Forbidden");
    const HttpAnswer image =
        strategic(core("pods", "a"),
                  {{"spec", {{"containers", Json::array({{{"name", "main"}, {"image", "pause:9"}}})}}}});
    EXPECT_EQ(image.code, 200);
    EXPECT_EQ(int_at(image.body, {"metadata", "generation"}), 2);
    Json more = made.at({"spec", "tolerations"});
    more.push_back({{"key", "x"}, {"operator", "Exists"}});
    EXPECT_CODE(merge(core("pods", "a"), {{"spec", {{"tolerations", more}}}}), 200);
    EXPECT_CODE(merge(core("pods", "a"), {{"spec", {{"tolerations", Json::array()}}}}), 422);
    const HttpAnswer labelled = merge(core("pods", "a"), {{"metadata", {{"labels", {{"a", "b"}}}}}});
    EXPECT_EQ(int_at(labelled.body, {"metadata", "generation"}), 3) << "labels are not the spec";
}

TEST_P(ContractTest, a_gated_pod_says_so_and_can_be_narrowed) {
    Json object = pod("a");
    object["spec"]["schedulingGates"] = Json::array({{{"name", "example.com/wait"}}});
    const HttpAnswer made = post(core("pods"), object);
    const Json* scheduled = find_condition(made.body, "PodScheduled");
    ASSERT_NE(scheduled, nullptr) << to_text(made.body);
    EXPECT_EQ(text_at(*scheduled, {"reason"}), "SchedulingGated");
    EXPECT_CODE(merge(core("pods", "a"), {{"spec", {{"nodeSelector", {{"a", "b"}}}}}}), 200);
    EXPECT_REFUSED(post(core("pods", "a", "binding"), binding("a", "n1")), 409, "Conflict",
                   "pod a has non-empty .spec.schedulingGates");
    EXPECT_CODE(merge(core("pods", "a"), {{"spec", {{"schedulingGates", nullptr}}}}), 200);
    EXPECT_CODE(post(core("pods", "a", "binding"), binding("a", "n1")), 201);
}

TEST_P(ContractTest, status_is_written_apart_from_the_rest) {
    const HttpAnswer made = post(core("pods"), pod("a"));
    const HttpAnswer on_main = merge(core("pods", "a"), {{"status", {{"phase", "Running"}}}});
    EXPECT_EQ(on_main.text({"status", "phase"}), "Pending");
    EXPECT_EQ(version(on_main), version(made));
    const HttpAnswer on_status = merge(core("pods", "a", "status"), {{"metadata", {{"labels", {{"x", "y"}}}}},
                                                                     {"spec", {{"activeDeadlineSeconds", 5}}},
                                                                     {"status", {{"phase", "Running"}}}});
    EXPECT_EQ(on_status.code, 200) << to_text(on_status.body);
    EXPECT_EQ(on_status.text({"status", "phase"}), "Running");
    EXPECT_EQ(find(on_status.body, {"spec", "activeDeadlineSeconds"}), nullptr);
    EXPECT_EQ(on_status.text({"metadata", "labels", "x"}), "y")
        << "a pod's labels may be written with its status";
    EXPECT_EQ(int_at(on_status.body, {"metadata", "generation"}), 1);
    EXPECT_EQ(get(core("pods", "a", "status")).code, 200);
}

TEST_P(ContractTest, a_node_brings_its_status_and_gets_a_taint) {
    const std::string name = unique("node");
    clean_up(cluster_path("v1", "nodes", name));
    const HttpAnswer made = post("/api/v1/nodes", node(name));
    EXPECT_EQ(made.text({"status", "capacity", "cpu"}), "4");
    EXPECT_EQ(made.at({"spec", "taints"}),
              Json::array({{{"key", "node.kubernetes.io/not-ready"}, {"effect", "NoSchedule"}}}));
    EXPECT_EQ(find(made.body, {"metadata", "generation"}), nullptr);
    const HttpAnswer unchanged =
        merge(cluster_path("v1", "nodes", name), {{"status", {{"capacity", {{"cpu", "8"}}}}}});
    EXPECT_EQ(unchanged.text({"status", "capacity", "cpu"}), "4");
    const HttpAnswer changed =
        merge(cluster_path("v1", "nodes", name, "status"),
              {{"spec", {{"unschedulable", true}}}, {"status", {{"capacity", {{"cpu", "8"}}}}}});
    EXPECT_EQ(changed.text({"status", "capacity", "cpu"}), "8");
    EXPECT_EQ(find(changed.body, {"spec", "unschedulable"}), nullptr);
    const HttpAnswer cordoned = merge(cluster_path("v1", "nodes", name),
                                      {{"spec", {{"unschedulable", true}, {"providerID", "sim://1"}}}});
    EXPECT_EQ(cordoned.text({"spec", "providerID"}), "sim://1");
    EXPECT_REFUSED(
        merge(cluster_path("v1", "nodes", name), {{"spec", {{"providerID", "sim://2"}}}}), 422, "Invalid",
        "spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid");
    EXPECT_REFUSED(merge(cluster_path("v1", "nodes", name),
                         {{"spec", {{"taints", Json::array({{{"key", "a"}, {"effect", "Never"}}})}}}}),
                   422, "Invalid", "metadata.taints[0].effect: Unsupported value: \"Never\"");
}

TEST_P(ContractTest, a_binding_puts_a_pod_on_a_node_once) {
    const std::string name = unique("node");
    clean_up(cluster_path("v1", "nodes", name));
    Json host = node(name);
    host["metadata"]["labels"] = {
        {"topology.kubernetes.io/zone", "z1"}, {"topology.kubernetes.io/region", "r1"}, {"other", "x"}};
    EXPECT_CODE(post("/api/v1/nodes", host), 201);
    const HttpAnswer made = post(core("pods"), pod("a"));
    const std::string uid = made.text({"metadata", "uid"});
    const std::string other_uid = "11111111-1111-4111-8111-111111111111";
    EXPECT_REFUSED(post(core("pods", "a", "binding"), binding("a", name, other_uid)), 409, "Conflict",
                   "Precondition failed: UID in precondition: " + other_uid + ", UID in object meta: " + uid);
    EXPECT_REFUSED(post(core("pods", "a", "binding"), binding("b", name)), 400, "BadRequest",
                   "name in URL does not match name in Binding object");
    EXPECT_REFUSED(post(core("pods", "none", "binding"), binding("none", name)), 404, "NotFound",
                   "pods \"none\" not found");
    const HttpAnswer bound = post(core("pods", "a", "binding"), binding("a", name, uid));
    EXPECT_EQ(bound.code, 201);
    EXPECT_EQ(bound.text({"status"}), "Success");
    const HttpAnswer after = get(core("pods", "a"));
    EXPECT_EQ(after.text({"spec", "nodeName"}), name);
    EXPECT_TRUE(is_condition_true(after.body, "PodScheduled"));
    EXPECT_EQ(after.at({"metadata", "labels"}),
              Json({{"topology.kubernetes.io/zone", "z1"}, {"topology.kubernetes.io/region", "r1"}}));
    EXPECT_EQ(int_at(after.body, {"metadata", "generation"}), 1);
    EXPECT_REFUSED(
        post(core("pods", "a", "binding"), binding("a", "elsewhere")), 409, "Conflict",
        "Operation cannot be fulfilled on pods/binding \"a\": pod a is already assigned to node \"" + name +
            "\"");
}

TEST_P(ContractTest, a_pod_on_its_way_out_is_not_bound) {
    Json object = pod("a");
    object["metadata"]["finalizers"] = Json::array({"example.com/a"});
    EXPECT_CODE(post(core("pods"), object), 201);
    EXPECT_CODE(remove(core("pods", "a")), 200);
    EXPECT_REFUSED(post(core("pods", "a", "binding"), binding("a", "n1")), 409, "Conflict",
                   "pod a is being deleted, cannot be assigned to a host");
    merge(core("pods", "a"), {{"metadata", {{"finalizers", nullptr}}}});
}

TEST_P(ContractTest, a_pod_without_a_node_is_deleted_at_once) {
    EXPECT_CODE(post(core("pods"), pod("a")), 201);
    const HttpAnswer gone = remove(core("pods", "a"));
    EXPECT_EQ(gone.code, 200);
    EXPECT_EQ(gone.text({"kind"}), "Pod");
    EXPECT_CODE(get(core("pods", "a")), 404);
}

TEST_P(ContractTest, a_bound_pod_is_given_its_grace) {
    EXPECT_CODE(post(core("pods"), pod("a")), 201);
    EXPECT_CODE(post(core("pods", "a", "binding"), binding("a", "n1")), 201);
    const HttpAnswer marked = remove(core("pods", "a"));
    EXPECT_EQ(marked.code, 200);
    EXPECT_EQ(marked.text({"kind"}), "Pod");
    EXPECT_TRUE(is_deleting(marked.body));
    EXPECT_EQ(int_at(marked.body, {"metadata", "deletionGracePeriodSeconds"}), 30);
    EXPECT_EQ(int_at(marked.body, {"metadata", "generation"}), 2);
    const HttpAnswer longer = remove(core("pods", "a"), {{"gracePeriodSeconds", 60}});
    EXPECT_EQ(int_at(longer.body, {"metadata", "deletionGracePeriodSeconds"}), 30)
        << "the wait only gets shorter";
    const HttpAnswer shorter = remove(core("pods", "a"), {{"gracePeriodSeconds", 10}});
    EXPECT_EQ(int_at(shorter.body, {"metadata", "deletionGracePeriodSeconds"}), 10);
    EXPECT_CODE(remove(core("pods", "a"), {{"gracePeriodSeconds", 0}}), 200);
    EXPECT_CODE(get(core("pods", "a")), 404);
}

TEST_P(ContractTest, a_bound_pod_with_a_finalizer_outlives_its_grace) {
    Json object = pod("a");
    object["metadata"]["finalizers"] = Json::array({"example.com/a"});
    EXPECT_CODE(post(core("pods"), object), 201);
    EXPECT_CODE(post(core("pods", "a", "binding"), binding("a", "n1")), 201);
    EXPECT_CODE(remove(core("pods", "a")), 200);
    EXPECT_CODE(merge(core("pods", "a"), {{"metadata", {{"finalizers", nullptr}}}}), 200);
    EXPECT_CODE(get(core("pods", "a")), 200);
    EXPECT_CODE(remove(core("pods", "a") + "?gracePeriodSeconds=0"), 200);
    EXPECT_CODE(get(core("pods", "a")), 404);
}

TEST_P(ContractTest, a_finished_pod_is_deleted_at_once) {
    EXPECT_CODE(post(core("pods"), pod("a")), 201);
    EXPECT_CODE(post(core("pods", "a", "binding"), binding("a", "n1")), 201);
    EXPECT_CODE(merge(core("pods", "a", "status"), {{"status", {{"phase", "Succeeded"}}}}), 200);
    EXPECT_CODE(remove(core("pods", "a")), 200);
    EXPECT_CODE(get(core("pods", "a")), 404);
}

class EvictionContract : public ContractTest {
  protected:
    // A running, ready pod with label app=web.
    void make_running(const std::string& name, bool is_ready = true) {
        Json object = pod(name);
        object["metadata"]["labels"] = {{"app", "web"}};
        EXPECT_CODE(post(core("pods"), object), 201);
        EXPECT_CODE(post(core("pods", name, "binding"), binding(name, "n1")), 201);
        Json status = ready_status();
        if (!is_ready) status["status"]["conditions"] = Json::array();
        EXPECT_CODE(merge(core("pods", name, "status"), status), 200);
    }
    // Nobody else writes a budget's status where no controllers run.
    void set_budget(const std::string& name, int allowed, int healthy, int desired,
                    int observed_generation = 1) {
        const Json status = {{"disruptionsAllowed", allowed},
                             {"currentHealthy", healthy},
                             {"desiredHealthy", desired},
                             {"expectedPods", healthy},
                             {"observedGeneration", observed_generation}};
        EXPECT_CODE(merge(grouped("policy/v1", "poddisruptionbudgets", name, "status"), {{"status", status}}),
                    200);
    }
    HttpAnswer evict(const std::string& name, const Json& options = Json::object()) {
        return post(core("pods", name, "eviction"), {{"apiVersion", "policy/v1"},
                                                     {"kind", "Eviction"},
                                                     {"metadata", {{"name", name}}},
                                                     {"deleteOptions", options}});
    }
};
INSTANTIATE_TEST_SUITE_P(On, EvictionContract, testing::Values("in_process", "http_front", "real"),
                         [](const auto& each) { return each.param; });

TEST_P(EvictionContract, without_a_budget_it_is_a_deletion) {
    make_running("a");
    const HttpAnswer evicted = evict("a");
    EXPECT_EQ(evicted.code, 201);
    EXPECT_EQ(evicted.text({"status"}), "Success");
    EXPECT_TRUE(is_deleting(get(core("pods", "a")).body));
    EXPECT_CODE(evict("a"), 201);
    EXPECT_REFUSED(evict("none"), 404, "NotFound", "pods \"none\" not found");
}

TEST_P(EvictionContract, a_budget_allows_so_many_and_counts_down) {
    make_running("a");
    make_running("b");
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"), budget("pdb", {{"app", "web"}})), 201);
    const HttpAnswer too_early = evict("a");
    EXPECT_REFUSED(too_early, 429, "TooManyRequests",
                   "Cannot evict pod as it would violate the pod's disruption budget.");
    EXPECT_EQ(
        too_early.at({"details", "causes"}),
        Json::array({{{"reason", "DisruptionBudget"},
                      {"message", "The disruption budget pdb is still being processed by the server."}}}));
    EXPECT_EQ(too_early.retry_after_seconds, 10);
    set_budget("pdb", 1, 2, 1);
    EXPECT_CODE(evict("a"), 201);
    const HttpAnswer left = get(grouped("policy/v1", "poddisruptionbudgets", "pdb"));
    EXPECT_EQ(int_at(left.body, {"status", "disruptionsAllowed"}, -1), 0);
    EXPECT_TRUE(object_at(left.body, {"status", "disruptedPods"}).contains("a"));
    const HttpAnswer refused = evict("b");
    EXPECT_REFUSED(refused, 429, "TooManyRequests",
                   "Cannot evict pod as it would violate the pod's disruption budget.");
    EXPECT_EQ(
        refused.at({"details", "causes"}),
        Json::array({{{"reason", "DisruptionBudget"},
                      {"message", "The disruption budget pdb does not allow evicting pods currently"}}}));
    set_budget("pdb", 0, 1, 1);
    EXPECT_EQ(
        evict("b").at({"details", "causes"}),
        Json::array({{{"reason", "DisruptionBudget"},
                      {"message", "The disruption budget pdb needs 1 healthy pods and has 1 currently"}}}));
    EXPECT_FALSE(is_deleting(get(core("pods", "b")).body));
}

TEST_P(EvictionContract, two_budgets_are_one_too_many) {
    make_running("a");
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"), budget("one", {{"app", "web"}})), 201);
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"), budget("two", {{"app", "web"}})), 201);
    const HttpAnswer refused = evict("a");
    EXPECT_EQ(refused.code, 500) << to_text(refused.body);
    EXPECT_EQ(
        refused.text({"message"}),
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    EXPECT_FALSE(is_deleting(get(core("pods", "a")).body));
}

TEST_P(EvictionContract, budgets_do_not_hold_pods_that_do_not_run) {
    make_running("a", false);
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"), budget("pdb", {{"app", "web"}})), 201);
    set_budget("pdb", 0, 1, 1);
    EXPECT_CODE(evict("a"), 201);
    Json waiting = pod("b");
    waiting["metadata"]["labels"] = {{"app", "web"}};
    EXPECT_CODE(post(core("pods"), waiting), 201);
    EXPECT_CODE(evict("b"), 201);
    EXPECT_CODE(get(core("pods", "b")), 404);
    make_running("c", false);
    set_budget("pdb", 0, 0, 1);
    EXPECT_CODE(evict("c"), 429);
    EXPECT_CODE(merge(grouped("policy/v1", "poddisruptionbudgets", "pdb"),
                      {{"spec", {{"unhealthyPodEvictionPolicy", "AlwaysAllow"}}}}),
                200);
    EXPECT_CODE(evict("c"), 201);
}

TEST_P(EvictionContract, preconditions_and_grace_are_kept) {
    make_running("a");
    const std::string other = "11111111-1111-4111-8111-111111111111";
    EXPECT_REFUSED(evict("a", {{"preconditions", {{"uid", other}}}}), 409, "Conflict", "");
    EXPECT_CODE(evict("a", {{"gracePeriodSeconds", 5},
                            {"preconditions", {{"uid", get(core("pods", "a")).text({"metadata", "uid"})}}}}),
                201);
    EXPECT_EQ(int_at(get(core("pods", "a")).body, {"metadata", "deletionGracePeriodSeconds"}), 5);
}

TEST_P(ContractTest, a_scale_reads_and_writes_the_replicas) {
    Json spec = {{"selector", {{"matchLabels", {{"app", "web"}}}}}, {"template", pod("x")}};
    spec["template"].erase("metadata");
    spec["template"]["metadata"] = {{"labels", {{"app", "web"}}}};
    const HttpAnswer made =
        post(grouped("apps/v1", "deployments"), {{"metadata", {{"name", "web"}}}, {"spec", spec}});
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    EXPECT_EQ(int_at(made.body, {"spec", "replicas"}), 1);
    EXPECT_EQ(made.at({"spec", "strategy"}),
              Json({{"type", "RollingUpdate"},
                    {"rollingUpdate", {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}}}}));
    EXPECT_CODE(call("PATCH", grouped("apps/v1", "deployments", "web") + "?fieldValidation=Strict",
                     {{"metadata", {{"labels", {{"a", "b"}}}}}}, "application/strategic-merge-patch+json"),
                200);
    const HttpAnswer scale = get(grouped("apps/v1", "deployments", "web", "scale"));
    EXPECT_EQ(scale.text({"kind"}), "Scale");
    EXPECT_EQ(scale.text({"apiVersion"}), "autoscaling/v1");
    EXPECT_EQ(scale.text({"status", "selector"}), "app=web");
    EXPECT_EQ(scale.text({"metadata", "uid"}), made.text({"metadata", "uid"}));
    const HttpAnswer patched =
        merge(grouped("apps/v1", "deployments", "web", "scale"), {{"spec", {{"replicas", 5}}}});
    EXPECT_EQ(int_at(patched.body, {"spec", "replicas"}), 5) << to_text(patched.body);
    Json stale = scale.body;
    EXPECT_REFUSED(put(grouped("apps/v1", "deployments", "web", "scale"), stale), 409, "Conflict",
                   "the object has been modified");
    const HttpAnswer after = get(grouped("apps/v1", "deployments", "web"));
    EXPECT_EQ(int_at(after.body, {"spec", "replicas"}), 5);
    EXPECT_EQ(int_at(after.body, {"metadata", "generation"}), 2);
    EXPECT_REFUSED(merge(grouped("apps/v1", "deployments", "web"),
                         {{"spec", {{"selector", {{"matchLabels", {{"app", "other"}}}}}}}}),
                   422, "Invalid", "field is immutable");
}

}  // namespace
}  // namespace joiner::sim
