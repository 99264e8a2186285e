#include "rules/pod_shape.h"

#include <gtest/gtest.h>

#include "rules/new_node.h"
#include "rules/provider_keys.h"

namespace joiner::rules {
namespace {

api::NodeSelectorTerm term(const char* key, const char* op, std::vector<std::string> values = {}) {
    return {{{key, op, std::move(values), {}}}, {}};
}

PodShape shape_of(std::vector<api::NodeSelectorTerm> terms) {
    api::Pod pod;
    pod.spec.has_required_node_terms = true;
    pod.spec.required_node_terms = std::move(terms);
    return make_pod_shape(pod, PreferencePolicy::kRespect);
}

TEST(PodShape, each_term_speaks_for_itself) {
    const auto avoids = term("karpenter.sh/nodepool", "DoesNotExist");
    const auto amd64 = term("kubernetes.io/arch", "In", {"amd64"});
    const auto restricted = term("karpenter.sh/foo", "In", {"true"});
    const auto wrong = term("cpus", "Gt", {"many"});
    const api::NodeSelectorTerm empty;
    struct Case {
        std::vector<api::NodeSelectorTerm> terms;
        std::size_t alternatives;
        bool avoids_node_pools;
        bool has_problem;
    };
    const Case cases[] = {
        {{avoids}, 1, true, false},
        {{avoids, avoids}, 2, true, false},
        {{avoids, amd64}, 2, false, false},
        {{amd64, avoids}, 2, false, false},
        {{avoids, wrong}, 1, true, false},
        {{restricted}, 1, false, false},
        {{restricted, amd64}, 2, false, false},
        {{wrong, amd64}, 1, false, false},
        {{wrong}, 1, false, true},
        {{empty, amd64}, 1, false, false},
        {{empty}, 1, false, true},
        {{empty, empty}, 1, false, true},
    };
    for (std::size_t i = 0; i < std::size(cases); ++i) {
        const PodShape shape = shape_of(cases[i].terms);
        EXPECT_EQ(shape.required.size(), cases[i].alternatives) << i;
        EXPECT_EQ(shape.avoids_node_pools, cases[i].avoids_node_pools) << i;
        EXPECT_EQ(!shape.problem.empty(), cases[i].has_problem) << i << ": " << shape.problem;
    }
}

TEST(PodShape, pods_that_differ_in_absence_alone_have_shapes_of_their_own) {
    api::NodeSelectorTerm both = term("team", "NotIn", {"red"});
    both.match_expressions.push_back({"team", "Exists", {}, {}});
    EXPECT_NE(shape_of({both}).constraint_key, shape_of({term("team", "NotIn", {"red"})}).constraint_key);
}

TEST(PodShape, pods_of_a_daemon_set_share_one) {
    const auto daemon_on = [](const char* node, const char* owner) {
        api::Pod pod;
        pod.meta.owners = {{"apps/v1", owner, "agent", "u", true, true}};
        pod.spec.has_required_node_terms = true;
        pod.spec.required_node_terms = {{{}, {{"metadata.name", "In", {node}, {}}}}};
        return make_pod_shape(pod, PreferencePolicy::kRespect);
    };
    EXPECT_EQ(daemon_on("n1", "DaemonSet").key, daemon_on("n2", "DaemonSet").key);
    EXPECT_NE(daemon_on("n1", "StatefulSet").key, daemon_on("n2", "StatefulSet").key);
}

TEST(PodShape, a_preference_that_cannot_be_met_is_no_way_in) {
    api::Pod pod;
    pod.spec.node_selector = {{"team", "red"}};
    pod.spec.preferred_node_terms = {{1, term("team", "In", {"blue"})}, {1, {}}};
    const PodShape shape = make_pod_shape(pod, PreferencePolicy::kRespect);
    ASSERT_EQ(shape.preferred.size(), 1u) << "an empty preference asks for nothing";
    EXPECT_FALSE(admits_node({}, "n", shape.preferred.front()));
}

TEST(NewNode, what_every_node_has_is_known_before_it_is_there) {
    const Requirements pool = *make_requirements({{"karpenter.sh/nodepool", "In", {"default"}, {}}});
    const Requirements node = labels_of_new_node(pool);
    const std::pair<api::SelectorRequirement, bool> cases[] = {
        {{"karpenter.sh/nodepool", "Exists", {}, {}}, true},
        {{"karpenter.sh/nodepool", "DoesNotExist", {}, {}}, false},
        {{"karpenter.sh/registered", "Exists", {}, {}}, true},
        {{"karpenter.sh/registered", "In", {"true"}, {}}, true},
        {{"karpenter.sh/registered", "DoesNotExist", {}, {}}, false},
        {{"karpenter.sh/initialized", "In", {"true"}, {}}, true},
        {{"karpenter.sh/initialized", "In", {"false"}, {}}, false},
        {{"karpenter.sh/provisioner-name", "DoesNotExist", {}, {}}, true},
        {{"karpenter.sh/provisioner-name", "NotIn", {"a"}, {}}, true},
        {{"karpenter.sh/provisioner-name", "Exists", {}, {}}, false},
        {{"kubernetes.io/hostname", "In", {"n1"}, {}}, false},
        {{"kubernetes.io/hostname", "NotIn", {"n1"}, {}}, true},
        {{"kubernetes.io/hostname", "Exists", {}, {}}, true},
        {{"kubernetes.io/hostname", "DoesNotExist", {}, {}}, false},
        {{"kubernetes.io/hostname", "Gt", {"1"}, {}}, false},
    };
    for (const auto& [wanted, expected] : cases) {
        const Requirements one = *make_requirements({wanted});
        EXPECT_EQ(suits(node.find(wanted.key), *one.begin()), expected) << one.to_string();
        if (!expected) continue;
        EXPECT_EQ(is_for_the_claim(*one.begin(), pool, WellKnownLabels{}),
                  wanted.key == "karpenter.sh/nodepool")
            << wanted.key;
    }
}

TEST(ProviderKeys, are_known_by_their_domain) {
    for (const char* key : {"karpenter.k8s.aws/instance-cpu", "eks.amazonaws.com/instance-family",
                            "karpenter.azure.com/sku-family", "cloud.google.com/machine-family",
                            "topology.k8s.aws/zone-id", "karpenter.kwok.sh/instance-cpu"})
        EXPECT_TRUE(is_provider_key(key)) << key;
    for (const char* key : {"team", "example.com/team", "kubernetes.io/arch", "karpenter.sh/nodepool",
                            "notk8s.aws/x", "k8s.aws", "k8s.aws.example.com/x"})
        EXPECT_FALSE(is_provider_key(key)) << key;
}

}  // namespace
}  // namespace joiner::rules
