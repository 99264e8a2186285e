#include "rules/pod_constraints.h"

#include <gtest/gtest.h>

namespace joiner::rules {
namespace {

api::Pod pod_of(const std::string& ns, api::StringMap labels) {
    api::Pod pod;
    pod.meta.ns = ns;
    pod.meta.labels = std::move(labels);
    return pod;
}

bool selects(const api::Pod& owner, const api::PodAffinityTerm& term, const PodLabels& other) {
    api::Pod pod = owner;
    pod.spec.required_pod_affinity = {term};
    const NamespaceLabels known{{"red", {{"team", "red"}}}, {"blue", {{"team", "blue"}}}};
    return make_pod_constraints(pod, true).affinity.at(0).pods.selects(other, known);
}

TEST(PodConstraints, a_term_selects_by_namespace_and_labels) {
    const api::Pod owner = pod_of("red", {{"app", "x"}, {"rev", "1"}});
    const api::LabelSelector x{{{"app", "x"}}, {}};
    struct Case {
        const char* name;
        api::PodAffinityTerm term;
        PodLabels other;
        bool selected;
    };
    const std::vector<Case> cases = {
        {"its own namespace", {x, "k", {}, {}, {}, {}}, {"red", {{"app", "x"}}}, true},
        {"another label", {x, "k", {}, {}, {}, {}}, {"red", {{"app", "y"}}}, false},
        {"another namespace", {x, "k", {}, {}, {}, {}}, {"blue", {{"app", "x"}}}, false},
        {"a namespace it names", {x, "k", {"blue"}, {}, {}, {}}, {"blue", {{"app", "x"}}}, true},
        {"its own, where it names another", {x, "k", {"blue"}, {}, {}, {}}, {"red", {{"app", "x"}}}, false},
        {"a namespace it selects",
         {x, "k", {}, api::LabelSelector{{{"team", "blue"}}, {}}, {}, {}},
         {"blue", {{"app", "x"}}},
         true},
        {"a namespace it does not select",
         {x, "k", {}, api::LabelSelector{{{"team", "blue"}}, {}}, {}, {}},
         {"red", {{"app", "x"}}},
         false},
        {"all namespaces", {x, "k", {}, api::LabelSelector{}, {}, {}}, {"green", {{"app", "x"}}}, true},
        {"no selector selects nothing", {{}, "k", {}, {}, {}, {}}, {"red", {{"app", "x"}}}, false},
        {"an empty one selects all", {api::LabelSelector{}, "k", {}, {}, {}, {}}, {"red", {}}, true},
        {"the same revision", {x, "k", {}, {}, {"rev"}, {}}, {"red", {{"app", "x"}, {"rev", "1"}}}, true},
        {"another revision", {x, "k", {}, {}, {"rev"}, {}}, {"red", {{"app", "x"}, {"rev", "2"}}}, false},
        {"a key the pod lacks is passed over", {x, "k", {}, {}, {"none"}, {}}, {"red", {{"app", "x"}}}, true},
        {"all but its revision", {x, "k", {}, {}, {}, {"rev"}}, {"red", {{"app", "x"}, {"rev", "1"}}}, false},
        {"others than its revision",
         {x, "k", {}, {}, {}, {"rev"}},
         {"red", {{"app", "x"}, {"rev", "2"}}},
         true},
    };
    for (const Case& one : cases) EXPECT_EQ(selects(owner, one.term, one.other), one.selected) << one.name;
}

TEST(PodConstraints, host_ports_clash_by_port_protocol_and_address) {
    struct Case {
        HostPort a;
        HostPort b;
        bool clash;
    };
    const Case cases[] = {
        {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 80, "TCP"}, true},
        {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 81, "TCP"}, false},
        {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 80, "UDP"}, false},
        {{"10.0.0.1", 80, "TCP"}, {"0.0.0.0", 80, "TCP"}, true},
        {{"10.0.0.1", 80, "TCP"}, {"10.0.0.2", 80, "TCP"}, false},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(one.a.clashes(one.b), one.clash);
        EXPECT_EQ(one.b.clashes(one.a), one.clash);
    }
}

TEST(PodConstraints, preferences_are_left_out_when_they_are_ignored) {
    api::Pod pod = pod_of("ns", {});
    pod.spec.preferred_pod_affinity.push_back({10, {api::LabelSelector{}, "k", {}, {}, {}, {}}});
    pod.spec.preferred_pod_anti_affinity.push_back({10, {api::LabelSelector{}, "k", {}, {}, {}, {}}});
    pod.spec.topology_spread.emplace_back().when_unsatisfiable = "ScheduleAnyway";
    EXPECT_TRUE(make_pod_constraints(pod, false).key.empty());
    const PodConstraints kept = make_pod_constraints(pod, true);
    EXPECT_EQ(kept.preferred_affinity.size(), 1u);
    EXPECT_EQ(kept.preferred_anti_affinity.size(), 1u);
    EXPECT_EQ(kept.spread.size(), 1u);
    EXPECT_FALSE(kept.key.empty());
}

}  // namespace
}  // namespace joiner::rules
