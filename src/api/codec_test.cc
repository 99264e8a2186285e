#include "api/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

Quantity quantity(std::string_view text) {
    return Quantity::parse(text).value();
}
WallTime at(std::string_view text) {
    return parse_rfc3339(text).value();
}

// A pod with this text as its spec.
std::string pod_text(const std::string& spec) {
    return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"},"spec":)" + spec +
           "}";
}
PodSpec pod_spec(const std::string& spec) {
    return decode_pod(pod_text(spec)).value().spec;
}

TEST(DecodePod, keeps_what_scheduling_looks_at) {
    const auto pod = decode_pod(R"({"apiVersion":"v1","kind":"Pod",
      "metadata":{"name":"web-1","namespace":"shop","uid":"u1","resourceVersion":"42","generation":3,
        "creationTimestamp":"2026-11-23T10:00:00Z","deletionTimestamp":"2026-11-23T11:00:00Z",
        "labels":{"app":"web"},"annotations":{"a":"b"},"finalizers":["f"],
        "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"r1","controller":true,
                            "blockOwnerDeletion":true}]},
      "spec":{"nodeName":"node-1","schedulerName":"mine","priority":7,"priorityClassName":"high",
        "runtimeClassName":"kata","preemptionPolicy":"Never","terminationGracePeriodSeconds":5,"hostNetwork":true,
        "nodeSelector":{"disk":"ssd"},"overhead":{"cpu":"10m"},"schedulingGates":[{"name":"g"}],
        "resourceClaims":[{"name":"c"}],
        "tolerations":[{"key":"k","operator":"Exists","effect":"NoSchedule"},{"key":"k2","value":"v"}]},
      "status":{"phase":"Running","nominatedNodeName":"node-2","startTime":"2026-11-23T10:05:00Z",
        "conditions":[{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"m"}],
        "allocatedResources":{"cpu":"5"},"resources":{"requests":{"cpu":"4"}},
        "initContainerStatuses":[{"name":"side","resources":{}}],
        "containerStatuses":[
          {"name":"main","allocatedResources":{"cpu":"2"},"resources":{"requests":{"cpu":"3"}}},
          {"name":"old","allocatedResources":{"cpu":"2"}},{"name":"other"}]}})");
    ASSERT_TRUE(pod) << pod.error().message;
    EXPECT_EQ(full_name(pod->meta), "shop/web-1");
    EXPECT_EQ(pod->meta.uid, "u1");
    EXPECT_EQ(pod->meta.resource_version, "42");
    EXPECT_EQ(pod->meta.generation, 3);
    EXPECT_EQ(pod->meta.created, at("2026-11-23T10:00:00Z"));
    EXPECT_EQ(pod->meta.deleted, at("2026-11-23T11:00:00Z"));
    EXPECT_THAT(pod->meta.labels, ElementsAre(Pair("app", "web")));
    EXPECT_THAT(pod->meta.annotations, ElementsAre(Pair("a", "b")));
    EXPECT_THAT(pod->meta.finalizers, ElementsAre("f"));
    ASSERT_NE(controller_of(pod->meta), nullptr);
    EXPECT_EQ(controller_of(pod->meta)->uid, "r1");
    EXPECT_TRUE(controller_of(pod->meta)->block_owner_deletion);
    EXPECT_EQ(pod->spec.node_name, "node-1");
    EXPECT_EQ(pod->spec.scheduler_name, "mine");
    EXPECT_EQ(pod->spec.priority, 7);
    EXPECT_EQ(pod->spec.priority_class, "high");
    EXPECT_EQ(pod->spec.runtime_class, "kata");
    EXPECT_EQ(pod->spec.preemption_policy, "Never");
    EXPECT_EQ(pod->spec.termination_grace_seconds, 5);
    EXPECT_TRUE(pod->spec.host_network);
    EXPECT_TRUE(pod->spec.has_scheduling_gates);
    EXPECT_TRUE(pod->spec.has_resource_claims);
    EXPECT_THAT(pod->spec.node_selector, ElementsAre(Pair("disk", "ssd")));
    EXPECT_THAT(pod->spec.overhead, ElementsAre(Pair("cpu", quantity("10m"))));
    EXPECT_THAT(pod->spec.tolerations,
                ElementsAre(Toleration{"k", "Exists", "", "NoSchedule"}, Toleration{"k2", "Equal", "v", ""}));
    EXPECT_EQ(pod->status.phase, "Running");
    EXPECT_EQ(pod->status.nominated_node, "node-2");
    EXPECT_EQ(pod->status.started, at("2026-11-23T10:05:00Z"));
    ASSERT_NE(find_condition(pod->status.conditions, "PodScheduled"), nullptr);
    EXPECT_EQ(find_condition(pod->status.conditions, "PodScheduled")->reason, "Unschedulable");
    EXPECT_EQ(pod->status.held.size(), 2u) << "without the resources that run, the rest is not heeded";
    EXPECT_EQ(pod->status.held.at("main").allocated.at("cpu"), quantity("2"));
    EXPECT_EQ(pod->status.held.at("main").actuated.at("cpu"), quantity("3"));
    EXPECT_TRUE(pod->status.held.contains("side"));
    ASSERT_TRUE(pod->status.held_by_pod);
    EXPECT_EQ(pod->status.held_by_pod->allocated.at("cpu"), quantity("5"));
    EXPECT_EQ(pod->status.held_by_pod->actuated.at("cpu"), quantity("4"));
}

TEST(DecodePod, on_the_nodes_network_every_port_is_the_nodes) {
    const std::string ports = R"("ports":[{"containerPort":80},{"containerPort":81,"hostPort":8081}])";
    const auto of = [&](const char* network) {
        std::vector<int> out;
        const api::PodSpec spec =
            pod_spec(R"({"hostNetwork":)" + std::string(network) + R"(,"containers":[{"name":"c",)" + ports +
                     R"(}],"initContainers":[{"name":"i",)" + ports + "}]}");
        for (const auto* list : {&spec.containers, &spec.init_containers}) {
            for (const api::ContainerPort& port : list->front().ports) out.push_back(port.host_port);
        }
        return out;
    };
    EXPECT_THAT(of("false"), ElementsAre(8081, 8081));
    EXPECT_THAT(of("true"), ElementsAre(80, 8081, 80, 8081));
}

TEST(DecodePod, an_empty_one_has_the_defaults_of_the_api) {
    const auto pod = decode_pod("{}");
    ASSERT_TRUE(pod);
    EXPECT_EQ(pod->spec.scheduler_name, "default-scheduler");
    EXPECT_EQ(pod->spec.preemption_policy, "PreemptLowerPriority");
    EXPECT_EQ(pod->spec.termination_grace_seconds, 30);
    EXPECT_EQ(pod->status.phase, "Pending");
    EXPECT_FALSE(pod->meta.deleted);
    EXPECT_EQ(pod->meta.created, kNoTime);
}

TEST(DecodePod, a_null_counts_as_absent) {
    const PodSpec spec =
        pod_spec(R"({"containers":null,"nodeSelector":null,"schedulerName":null,"priority":null,
        "affinity":null,"tolerations":null,"schedulingGates":null,"overhead":null})");
    EXPECT_THAT(spec.containers, IsEmpty());
    EXPECT_EQ(spec.scheduler_name, "default-scheduler");
    EXPECT_FALSE(spec.has_scheduling_gates);
    EXPECT_TRUE(decode_pod(R"({"metadata":null,"spec":null,"status":null})"));
    EXPECT_FALSE(decode_pod(R"({"metadata":{"deletionTimestamp":null}})")->meta.deleted);
}

TEST(DecodePod, a_limit_without_a_request_is_the_request) {
    const PodSpec spec = pod_spec(R"({"containers":[
        {"name":"a","resources":{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"500m"}}},
        {"name":"b","resources":{"limits":{"nvidia.com/gpu":1}}}]})");
    EXPECT_THAT(spec.containers[0].requests,
                ElementsAre(Pair("cpu", quantity("500m")), Pair("memory", quantity("1Gi"))));
    EXPECT_THAT(spec.containers[1].requests, ElementsAre(Pair("nvidia.com/gpu", quantity("1"))));
}

TEST(DecodePod, a_pod_level_limit_is_the_request_only_where_no_container_asks) {
    const struct {
        const char* name;
        const char* spec;
        std::map<std::string, Quantity, std::less<>> requests;
    } cases[] = {
        {"limit alone", R"({"resources":{"limits":{"cpu":"4"}}})", {{"cpu", quantity("4")}}},
        {"request beside it",
         R"({"resources":{"limits":{"cpu":"4","memory":"4Gi"},"requests":{"cpu":"1"}}})",
         {{"cpu", quantity("1")}, {"memory", quantity("4Gi")}}},
        {"a container asks for the same",
         R"({"containers":[{"resources":{"requests":{"cpu":"1"}}}],"resources":{"limits":{"cpu":"4","memory":"4Gi"}}})",
         {{"memory", quantity("4Gi")}}},
        {"a sidecar asks for the same",
         R"({"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}}],
             "resources":{"limits":{"cpu":"4"}}})",
         {}},
        {"nothing", R"({"resources":{}})", {}},
    };
    for (const auto& c : cases) EXPECT_EQ(pod_spec(c.spec).pod_requests, c.requests) << c.name;
}

TEST(DecodePod, an_init_container_that_restarts_always_is_a_sidecar) {
    const PodSpec spec =
        pod_spec(R"({"initContainers":[{"name":"a","restartPolicy":"Always"},{"name":"b"}]})");
    EXPECT_TRUE(spec.init_containers[0].restart_always);
    EXPECT_FALSE(spec.init_containers[1].restart_always);
}

TEST(DecodePod, only_host_ports_are_kept) {
    const PodSpec spec = pod_spec(R"({"containers":[{"ports":[{"containerPort":80},
        {"containerPort":53,"hostPort":53,"protocol":"UDP","hostIP":"10.0.0.1"}],
        "resources":{"claims":[{"name":"gpu"}]}}]})");
    ASSERT_EQ(spec.containers[0].ports.size(), 1u);
    EXPECT_EQ(spec.containers[0].ports[0].host_port, 53);
    EXPECT_EQ(spec.containers[0].ports[0].protocol, "UDP");
    EXPECT_EQ(spec.containers[0].ports[0].host_ip, "10.0.0.1");
    EXPECT_TRUE(spec.containers[0].uses_resource_claims);
}

TEST(DecodePod, keeps_affinity_spread_and_volumes) {
    const PodSpec spec = pod_spec(R"({
      "affinity":{
        "nodeAffinity":{
          "requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[
            {"matchExpressions":[{"key":"zone","operator":"In","values":["a","b"]}],
             "matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]},
          "preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":9,"preference":{"matchExpressions":[{"key":"gen","operator":"Gt","values":["3"]}]}}]},
        "podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
            {"topologyKey":"zone","labelSelector":{"matchLabels":{"app":"db"}},"namespaces":["x"],"namespaceSelector":{}}]},
        "podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":5,"podAffinityTerm":{"topologyKey":"host","labelSelector":{"matchExpressions":[
              {"key":"app","operator":"Exists"}]}}}]}},
      "topologySpreadConstraints":[{"maxSkew":2,"minDomains":3,"topologyKey":"zone","whenUnsatisfiable":"DoNotSchedule",
        "nodeTaintsPolicy":"Honor","matchLabelKeys":["h"]}],
      "volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"data","readOnly":true}},{"name":"e","emptyDir":{}},
        {"name":"t","ephemeral":{"volumeClaimTemplate":{"spec":{"storageClassName":"fast"}}}}]})");
    EXPECT_TRUE(spec.has_required_node_terms);
    ASSERT_EQ(spec.required_node_terms.size(), 1u);
    EXPECT_THAT(spec.required_node_terms[0].match_expressions,
                ElementsAre(SelectorRequirement{"zone", "In", {"a", "b"}, {}}));
    EXPECT_EQ(spec.required_node_terms[0].match_fields.size(), 1u);
    ASSERT_EQ(spec.preferred_node_terms.size(), 1u);
    EXPECT_EQ(spec.preferred_node_terms[0].weight, 9);
    ASSERT_EQ(spec.required_pod_affinity.size(), 1u);
    EXPECT_THAT(spec.required_pod_affinity[0].selector->match_labels, ElementsAre(Pair("app", "db")));
    EXPECT_TRUE(spec.required_pod_affinity[0].namespace_selector);
    ASSERT_EQ(spec.preferred_pod_anti_affinity.size(), 1u);
    EXPECT_EQ(spec.preferred_pod_anti_affinity[0].weight, 5);
    EXPECT_EQ(spec.preferred_pod_anti_affinity[0].term.topology_key, "host");
    ASSERT_EQ(spec.topology_spread.size(), 1u);
    EXPECT_EQ(spec.topology_spread[0].max_skew, 2);
    EXPECT_EQ(spec.topology_spread[0].min_domains, 3);
    EXPECT_EQ(spec.topology_spread[0].node_affinity_policy, "Honor");
    EXPECT_EQ(spec.topology_spread[0].node_taints_policy, "Honor");
    ASSERT_EQ(spec.volumes.size(), 3u);
    EXPECT_EQ(spec.volumes[0].claim_name, "data");
    EXPECT_FALSE(spec.volumes[1].ephemeral);
    EXPECT_TRUE(spec.volumes[2].ephemeral);
    EXPECT_TRUE(spec.volumes[2].has_ephemeral_storage_class);
    EXPECT_EQ(spec.volumes[2].ephemeral_storage_class, "fast");
}

TEST(DecodePod, required_affinity_without_terms_is_told_from_none) {
    EXPECT_FALSE(pod_spec(R"({"affinity":{"nodeAffinity":{}}})").has_required_node_terms);
    const PodSpec spec =
        pod_spec(R"({"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{}}}})");
    EXPECT_TRUE(spec.has_required_node_terms);
    EXPECT_THAT(spec.required_node_terms, IsEmpty());
}

TEST(DecodePod, a_wrong_type_is_one_sentence_with_path_and_object) {
    const struct {
        const char* spec;
        const char* sentence;
    } cases[] = {
        {R"({"nodeName":5})", "Pod web: spec.nodeName: is not a string"},
        {R"({"priority":"high"})", "Pod web: spec.priority: is not a whole number"},
        {R"({"priority":3000000000})", "Pod web: spec.priority: is beyond 32 bits"},
        {R"({"priority":1.5})", "Pod web: spec.priority: is not a whole number"},
        {R"({"containers":{}})", "Pod web: spec.containers: is not a list"},
        {R"({"containers":["a"]})", "Pod web: spec.containers[0]: is not an object"},
        {R"({"containers":[{},{"resources":{"requests":{"cpu":true}}}]})",
         "Pod web: spec.containers[1].resources.requests.cpu: is not a string or a number"},
        {R"({"hostNetwork":"yes"})", "Pod web: spec.hostNetwork: is not true or false"},
        {R"({"nodeSelector":{"a":1}})", "Pod web: spec.nodeSelector.a: is not a string"},
        {R"([])", "Pod web: spec: is not an object"},
    };
    for (const auto& c : cases) {
        const auto pod = decode_pod(pod_text(c.spec));
        ASSERT_FALSE(pod) << c.spec;
        EXPECT_EQ(pod.error().kind, ErrorKind::kInvalid);
        EXPECT_EQ(pod.error().message, c.sentence);
    }
    const auto amount =
        decode_pod(pod_text(R"({"containers":[{"resources":{"limits":{"memory":"1Gib"}}}]})"));
    ASSERT_FALSE(amount);
    EXPECT_THAT(amount.error().message, HasSubstr("Pod web: spec.containers[0].resources.limits.memory: "));
    EXPECT_THAT(amount.error().message, HasSubstr("1Gib"));
}

TEST(DecodePod, what_is_no_json_object_is_refused) {
    for (const char* text : {"", "nonsense", "[]", "5", "\"text\"", "{", "{\"spec\":{}} x"}) {
        const auto pod = decode_pod(text);
        ASSERT_FALSE(pod) << text;
        EXPECT_EQ(pod.error().kind, ErrorKind::kInvalid) << text;
    }
}

TEST(DecodePod, unknown_fields_are_noted_with_their_path_and_known_ones_are_not) {
    DecodeNotes notes;
    ASSERT_TRUE(decode_pod(pod_text(R"({"containers":[{"name":"a","image":"i","command":[],"resourses":{},
        "resources":{"request":{}}}],"tolerationz":[],"restartPolicy":"Always","dnsPolicy":"Default","securityContext":{},
        "volumes":[{"name":"v","emptyDir":{}}]})"),
                           &notes));
    EXPECT_THAT(notes.unknown_fields,
                UnorderedElementsAre("spec.containers[0].resourses", "spec.containers[0].resources.request",
                                     "spec.tolerationz"));
}

TEST(DecodeNode, keeps_what_scheduling_looks_at) {
    const auto node = decode_node(R"({"kind":"Node","metadata":{"name":"n"},
      "spec":{"providerID":"p://1","unschedulable":true,"podCIDR":"10.0.0.0/24",
        "taints":[{"key":"k","value":"v","effect":"NoExecute","timeAdded":"2026-11-23T10:00:00Z"}]},
      "status":{"capacity":{"cpu":"4"},"allocatable":{"cpu":"3900m","pods":"110"},
        "conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"2026-11-23T10:00:00Z"}],"nodeInfo":{}}})");
    ASSERT_TRUE(node) << node.error().message;
    EXPECT_EQ(node->provider_id, "p://1");
    EXPECT_TRUE(node->unschedulable);
    ASSERT_EQ(node->taints.size(), 1u);
    EXPECT_EQ(node->taints[0].time_added, at("2026-11-23T10:00:00Z"));
    EXPECT_EQ(node->allocatable.at("cpu"), quantity("3900m"));
    EXPECT_EQ(node->capacity.at("cpu"), quantity("4"));
    EXPECT_EQ(find_condition(node->conditions, "Ready")->status, "True");
}

constexpr const char* kPool =
    R"({"apiVersion":"karpenter.sh/v1","kind":"NodePool","metadata":{"name":"default"},"spec":%s})";
NodePool pool_with(const std::string& spec, DecodeNotes* notes = nullptr) {
    std::string text = kPool;
    text.replace(text.find("%s"), 2, spec);
    return decode_node_pool(text, notes).value();
}

TEST(DecodeNodePool, keeps_every_field) {
    const auto pool = decode_node_pool(R"({"kind":"NodePool","metadata":{"name":"p","generation":4},
      "spec":{"weight":10,"replicas":3,"limits":{"cpu":"100","nodes":"5"},
        "disruption":{"consolidateAfter":"5m","consolidationPolicy":"WhenEmpty","budgets":[
          {"nodes":"20%","reasons":["Empty"]},{"nodes":0,"schedule":"@daily","duration":"8h"}]},
        "template":{"metadata":{"labels":{"team":"a"},"annotations":{"x":"y"}},
          "spec":{"nodeClassRef":{"group":"g","kind":"K","name":"n"},"expireAfter":"Never","terminationGracePeriod":"30m",
            "requirements":[{"key":"k","operator":"In","values":["a"],"minValues":2}],
            "taints":[{"key":"t","effect":"NoSchedule"}],"startupTaints":[{"key":"s","effect":"NoExecute"}]}}},
      "status":{"resources":{"cpu":"8"},"nodes":2,"nodeClassObservedGeneration":7,
        "conditions":[{"type":"Ready","status":"True"}]}})");
    ASSERT_TRUE(pool) << pool.error().message;
    EXPECT_EQ(pool->spec_problem, "");
    EXPECT_EQ(pool->weight, 10);
    EXPECT_EQ(pool->replicas, 3);
    EXPECT_EQ(pool->limits->at("nodes"), quantity("5"));
    EXPECT_EQ(pool->consolidate_after.value, std::chrono::minutes{5});
    EXPECT_EQ(pool->consolidation_policy, "WhenEmpty");
    ASSERT_EQ(pool->budgets.size(), 2u);
    EXPECT_EQ(pool->budgets[0].nodes, "20%");
    EXPECT_TRUE(pool->budgets[0].has_reasons);
    EXPECT_EQ(pool->budgets[1].nodes, "0");
    EXPECT_FALSE(pool->budgets[1].has_reasons);
    EXPECT_EQ(pool->budgets[1].schedule, "@daily");
    EXPECT_EQ(pool->budgets[1].duration, std::chrono::hours{8});
    const NodePoolTemplate& t = pool->node_template;
    EXPECT_THAT(t.labels, ElementsAre(Pair("team", "a")));
    EXPECT_THAT(t.annotations, ElementsAre(Pair("x", "y")));
    EXPECT_EQ(t.node_class, (NodeClassReference{"g", "K", "n"}));
    EXPECT_FALSE(t.expire_after.value);
    EXPECT_EQ(t.termination_grace_period, std::chrono::minutes{30});
    EXPECT_THAT(t.requirements, ElementsAre(SelectorRequirement{"k", "In", {"a"}, 2}));
    EXPECT_EQ(t.taints.size(), 1u);
    EXPECT_EQ(t.startup_taints.at(0).key, "s");
    EXPECT_EQ(pool->status_nodes, 2);
    EXPECT_EQ(pool->status_resources.at("cpu"), quantity("8"));
    EXPECT_EQ(pool->node_class_observed_generation, 7);
    EXPECT_EQ(pool->conditions.size(), 1u);
}

TEST(DecodeNodePool, absent_fields_have_the_defaults_of_the_resource_definition) {
    const NodePool pool = pool_with("{}");
    ASSERT_EQ(pool.budgets.size(), 1u);
    EXPECT_EQ(pool.budgets[0].nodes, "10%");
    EXPECT_EQ(pool.node_template.expire_after.value, std::chrono::hours{720});
    EXPECT_EQ(pool.consolidate_after.value, Duration{0});
    EXPECT_EQ(pool.consolidation_policy, "WhenEmptyOrUnderutilized");
    EXPECT_FALSE(pool.limits);
    EXPECT_FALSE(pool.replicas);
}

TEST(DecodeNodePool, an_empty_list_of_budgets_is_not_the_default) {
    EXPECT_THAT(pool_with(R"({"disruption":{"budgets":[]}})").budgets, IsEmpty());
    EXPECT_EQ(pool_with(R"({"disruption":{"budgets":null}})").budgets.size(), 1u);
    EXPECT_EQ(pool_with(R"({"disruption":{}})").budgets.size(), 1u);
}

TEST(DecodeNodePool, a_broken_spec_still_decodes_and_says_what_is_wrong) {
    const struct {
        const char* spec;
        const char* problem;
    } cases[] = {
        {R"({"weight":"ten"})", "spec.weight: is not a whole number"},
        {R"({"disruption":{"consolidateAfter":"soon"}})",
         "spec.disruption.consolidateAfter: \"soon\" is neither a duration such as 1h30m nor Never"},
        {R"({"template":{"spec":{"taints":{}}}})", "spec.template.spec.taints: is not a list"},
        {R"("all")", "spec: is not an object"},
    };
    for (const auto& c : cases) EXPECT_EQ(pool_with(c.spec).spec_problem, c.problem);
    EXPECT_FALSE(decode_node_pool(R"({"kind":"NodePool","metadata":{"name":5},"spec":{}})"));
    EXPECT_FALSE(decode_node_pool(R"({"kind":"NodePool","metadata":{"name":"p"},"status":{"nodes":"x"}})"));
}

TEST(DecodeNodePool, misspelt_fields_are_noted) {
    DecodeNotes notes;
    pool_with(
        R"({"wieght":5,"template":{"spec":{"requirments":[],"nodeClassRef":{"apiVersion":"old"}}},"disruption":{"budget":[]}})",
        &notes);
    EXPECT_THAT(notes.unknown_fields, UnorderedElementsAre("spec.wieght", "spec.template.spec.requirments",
                                                           "spec.disruption.budget"));
}

TEST(DecodeBudget, counts_and_percentages_are_told_apart) {
    const struct {
        const char* value;
        std::optional<IntOrPercent> wanted;
    } cases[] = {
        {"3", IntOrPercent{3, false}},
        {"\"3\"", IntOrPercent{3, false}},
        {"\"30%\"", IntOrPercent{30, true}},
        {"0", IntOrPercent{0, false}},
        {"-1", std::nullopt},
        {"\"many\"", std::nullopt},
        {"\"%\"", std::nullopt},
        {"1.5", std::nullopt},
        {"\"\"", std::nullopt},
        {"[]", std::nullopt},
    };
    for (const auto& c : cases) {
        const auto budget = decode_pod_disruption_budget(
            std::string(
                R"({"kind":"PodDisruptionBudget","metadata":{"name":"b"},"spec":{"maxUnavailable":)") +
            c.value + "}}");
        ASSERT_EQ(budget.has_value(), c.wanted.has_value()) << c.value;
        if (!budget) continue;
        EXPECT_EQ(budget->max_unavailable->value, c.wanted->value) << c.value;
        EXPECT_EQ(budget->max_unavailable->is_percent, c.wanted->is_percent) << c.value;
        EXPECT_FALSE(budget->min_available);
    }
    const auto budget = decode_pod_disruption_budget(
        R"({"spec":{"selector":{"matchLabels":{"a":"b"}},"unhealthyPodEvictionPolicy":"AlwaysAllow"},"status":{"disruptionsAllowed":2}})");
    EXPECT_THAT(budget->selector->match_labels, ElementsAre(Pair("a", "b")));
    EXPECT_EQ(budget->disruptions_allowed, 2);
    EXPECT_EQ(budget->unhealthy_eviction_policy, "AlwaysAllow");
}

TEST(DecodeJob, keeps_what_says_how_many_pods_it_wants) {
    const auto job = [](const std::string& spec, const std::string& status = "{}") {
        return decode_job(R"({"metadata":{"name":"j"},"spec":)" + spec + R"(,"status":)" + status + "}")
            .value();
    };
    EXPECT_EQ(job("{}").completions, 1);
    EXPECT_EQ(job("{}").parallelism, 1);
    EXPECT_FALSE(job(R"({"parallelism":3})").completions);
    EXPECT_EQ(job(R"({"parallelism":3,"completions":9})").completions, 9);
    EXPECT_TRUE(job(R"({"suspend":true})").is_suspended);
    EXPECT_EQ(job("{}", R"({"succeeded":2})").succeeded, 2);
    EXPECT_FALSE(job("{}", R"({"conditions":[{"type":"Complete","status":"False"}]})").is_finished);
    for (const char* type : {"Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"}) {
        EXPECT_TRUE(job("{}", std::string(R"({"conditions":[{"status":"True","type":")") + type + R"("}]})")
                        .is_finished);
    }
}

TEST(DecodeReplicationController, has_plain_labels_for_a_selector) {
    const auto controller = decode_replication_controller(
        R"({"kind":"ReplicationController","metadata":{"name":"r"},"spec":{"replicas":2,"selector":{"a":"b"}}})");
    EXPECT_EQ(controller->replicas, 2);
    EXPECT_THAT(controller->selector->match_labels, ElementsAre(Pair("a", "b")));
}

TEST(DecodeOthers, keep_their_fields) {
    const auto workload =
        decode_workload(R"({"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"db"},
      "spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"nodeName":"x"}},"volumeClaimTemplates":[{"metadata":{"name":"data"},"spec":{"storageClassName":"fast"}}]}})");
    ASSERT_TRUE(workload) << workload.error().message;
    EXPECT_EQ(workload->kind, "StatefulSet");
    EXPECT_EQ(workload->replicas, 3);
    EXPECT_EQ(workload->pod_template.spec.node_name, "x");
    EXPECT_THAT(workload->pod_template.meta.labels, ElementsAre(Pair("a", "b")));
    ASSERT_EQ(workload->claim_templates.size(), 1u);
    EXPECT_EQ(workload->claim_templates[0].meta.name, "data");
    EXPECT_EQ(workload->claim_templates[0].storage_class, "fast");

    const auto claim = decode_persistent_volume_claim(
        R"({"spec":{"volumeName":"pv","storageClassName":""},"status":{"phase":"Bound"}})");
    EXPECT_EQ(claim->volume_name, "pv");
    EXPECT_TRUE(claim->has_storage_class);
    EXPECT_EQ(claim->phase, "Bound");

    const auto volume = decode_persistent_volume(R"({"spec":{"csi":{"driver":"d"},"nodeAffinity":{"required":{
        "nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]}}}})");
    EXPECT_EQ(volume->csi_driver, "d");
    EXPECT_EQ(volume->node_terms.size(), 1u);
    EXPECT_TRUE(decode_persistent_volume(R"({"spec":{"hostPath":{"path":"/x"}}})")->is_local_or_host_path);

    const auto storage =
        decode_storage_class(R"({"provisioner":"p","volumeBindingMode":"WaitForFirstConsumer",
        "allowedTopologies":[{"matchLabelExpressions":[{"key":"zone","values":["a"]}]}]})");
    EXPECT_EQ(storage->binding_mode, "WaitForFirstConsumer");
    EXPECT_THAT(storage->allowed_topologies.at(0).match_expressions,
                ElementsAre(SelectorRequirement{"zone", "In", {"a"}, {}}));

    EXPECT_THAT(
        decode_csi_node(R"({"spec":{"drivers":[{"name":"d","allocatable":{"count":25}},{"name":"e"}]}})")
            ->volume_limits,
        ElementsAre(Pair("d", 25)));
    const auto attachment = decode_volume_attachment(
        R"({"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"pv"}}})");
    EXPECT_EQ(attachment->node_name, "n");
    EXPECT_EQ(attachment->volume_name, "pv");

    EXPECT_EQ(decode_priority_class(R"({"value":-5,"globalDefault":true})")->value, -5);
    const auto runtime = decode_runtime_class(R"({"handler":"h","overhead":{"podFixed":{"cpu":"250m"}},
        "scheduling":{"nodeSelector":{"a":"b"},"tolerations":[{"operator":"Exists"}]}})");
    EXPECT_EQ(runtime->overhead.at("cpu"), quantity("250m"));
    EXPECT_THAT(runtime->node_selector, ElementsAre(Pair("a", "b")));
    EXPECT_EQ(runtime->tolerations.size(), 1u);

    const auto overlay = decode_node_overlay(R"({"spec":{"price":"1.5","priceAdjustment":"-10%","weight":3,
        "capacity":{"x":"1"},"requirements":[{"key":"k","operator":"Exists"}]}})");
    EXPECT_EQ(overlay->price, "1.5");
    EXPECT_EQ(overlay->price_adjustment, "-10%");
    EXPECT_EQ(overlay->weight, 3);
    const auto buffer = decode_capacity_buffer(R"({"spec":{"podTemplateRef":{"name":"t"},"replicas":4,
        "scalableRef":{"apiGroup":"apps","kind":"Deployment","name":"d"},"percentage":20,"limits":{"cpu":"1"}}})");
    EXPECT_EQ(buffer->pod_template, "t");
    EXPECT_EQ(buffer->replicas, 4);
    EXPECT_EQ(buffer->percentage, 20);
    EXPECT_EQ(buffer->scalable_kind, "Deployment");
    const auto node_class = decode_node_class(R"({"apiVersion":"g.io/v1","kind":"SomeNodeClass",
        "metadata":{"name":"c","generation":4},"spec":{"any":[1,{"thing":"x"}]},
        "status":{"zone":"z","conditions":[{"type":"Ready","status":"False"}]}})");
    EXPECT_EQ(node_class->reference(), (NodeClassReference{"g.io", "SomeNodeClass", "c"}));
    EXPECT_EQ(node_class->meta.generation, 4);
    EXPECT_EQ(node_class->spec, R"({"any":[1,{"thing":"x"}]})");
    EXPECT_EQ(node_class->status, R"({"zone":"z","conditions":[{"type":"Ready","status":"False"}]})");
    EXPECT_EQ(node_class->conditions.size(), 1u);
    EXPECT_EQ(
        decode_namespace(R"({"metadata":{"name":"n"},"spec":{"finalizers":["kubernetes"]}})")->meta.name,
        "n");
    EXPECT_EQ(decode_meta(R"({"kind":"Any","metadata":{"name":"n","namespace":"m"},"what":5})")->ns, "m");
}

TEST(Encode, a_claim_reads_back_as_it_was) {
    NodeClaim claim;
    claim.meta.name = "default-abcde";
    claim.meta.labels = {{"a", "b"}};
    claim.meta.annotations = {{"c", "\"quoted\"\n"}};
    claim.meta.finalizers = {"f"};
    claim.meta.owners = {{"karpenter.sh/v1", "NodePool", "default", "u", false, true}};
    claim.taints = {{"k", "v", "NoSchedule", {}}};
    claim.startup_taints = {{"s", "", "NoExecute", {}}};
    claim.requirements = {{"k", "In", {"a", "b"}, 2}, {"x", "Exists", {}, {}}};
    claim.requests = {{"cpu", quantity("1500m")}, {"memory", quantity("3Gi")}};
    claim.node_class = {"g", "K", "n"};
    claim.termination_grace_period = std::chrono::minutes{90};
    claim.expire_after = {std::nullopt, "Never"};
    DecodeNotes notes;
    const auto back = decode_node_claim(encode_node_claim(claim), &notes);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_THAT(notes.unknown_fields, IsEmpty());
    EXPECT_EQ(back->meta.name, claim.meta.name);
    EXPECT_EQ(back->meta.labels, claim.meta.labels);
    EXPECT_EQ(back->meta.annotations, claim.meta.annotations);
    EXPECT_EQ(back->meta.finalizers, claim.meta.finalizers);
    ASSERT_EQ(back->meta.owners.size(), 1u);
    EXPECT_TRUE(back->meta.owners[0].block_owner_deletion);
    EXPECT_FALSE(back->meta.owners[0].controller);
    EXPECT_EQ(back->taints, claim.taints);
    EXPECT_EQ(back->startup_taints, claim.startup_taints);
    EXPECT_EQ(back->requirements, claim.requirements);
    EXPECT_EQ(back->requests, claim.requests);
    EXPECT_EQ(back->node_class, claim.node_class);
    EXPECT_EQ(back->termination_grace_period, claim.termination_grace_period);
    EXPECT_EQ(back->expire_after.value, claim.expire_after.value);
    EXPECT_EQ(back->expire_after.text, "Never");
    EXPECT_EQ(encode_node_claim(*back), encode_node_claim(claim));
}

TEST(Encode, a_node_reads_back_as_it_was) {
    Node node;
    node.meta.name = "n";
    node.meta.labels = {{"a", ""}};
    node.provider_id = "p://1";
    node.unschedulable = true;
    node.taints = {{"k", "", "NoSchedule", at("2026-11-23T10:00:00Z")}};
    node.capacity = {{"cpu", quantity("4")}, {"memory", quantity("16Gi")}};
    node.allocatable = {{"cpu", quantity("3900m")}};
    node.conditions = {{"Ready", "True", "KubeletReady", "ok", at("2026-11-23T10:00:00Z"), 3}};
    const auto back = decode_node(encode_node(node));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->meta.labels, node.meta.labels);
    EXPECT_EQ(back->provider_id, node.provider_id);
    EXPECT_TRUE(back->unschedulable);
    EXPECT_EQ(back->taints, node.taints);
    EXPECT_EQ(back->taints[0].time_added, node.taints[0].time_added);
    EXPECT_EQ(back->capacity, node.capacity);
    EXPECT_EQ(back->allocatable, node.allocatable);
    EXPECT_EQ(back->conditions, node.conditions);
}

TEST(Encode, bytes_that_are_no_text_do_no_harm) {
    EXPECT_EQ(encode_string("a\xff"
                            "b"),
              "\"a\xEF\xBF\xBD"
              "b\"");
    EXPECT_EQ(encode_string("\"\\\n"), R"("\"\\\n")");
    EXPECT_EQ(encode_taints({}), "[]");
    EXPECT_EQ(encode_string_map({}), "{}");
}

}  // namespace
}  // namespace joiner::api
