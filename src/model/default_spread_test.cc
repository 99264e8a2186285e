#include "model/default_spread.h"

#include <gtest/gtest.h>

#include "rules/selector.h"

namespace joiner::model {
namespace {

api::Service a_service(const std::string& ns, const std::string& name, api::StringMap selector) {
    api::Service out;
    out.meta.ns = ns;
    out.meta.name = name;
    out.selector = std::move(selector);
    return out;
}

// Whom the default constraints of a pod with labels app=web and tier=front count, by labels; "-" where none
// apply.
TEST(DefaultSelector, is_what_services_and_the_owner_select_together) {
    struct Case {
        const char* name;
        std::vector<api::Service> services;
        const char* owner = "";
        std::vector<api::StringMap> counted;
        std::vector<api::StringMap> passed_over;
        bool applies = true;
    };
    const api::StringMap web{{"app", "web"}, {"tier", "front"}};
    const api::StringMap other{{"app", "web"}, {"tier", "back"}};
    const Case cases[] = {
        {"nothing selects it", {}, "", {}, {}, false},
        {"a Service", {a_service("ns", "s", {{"app", "web"}})}, "", {web, other}, {{{"app", "db"}}}},
        {"two Services",
         {a_service("ns", "a", {{"app", "web"}}), a_service("ns", "b", {{"tier", "front"}})},
         "",
         {web},
         {other}},
        {"a Service of another namespace", {a_service("other", "s", {{"app", "web"}})}, "", {}, {}, false},
        {"a Service for others", {a_service("ns", "s", {{"app", "db"}})}, "", {}, {}, false},
        {"a Service without a selector", {a_service("ns", "s", {})}, "", {}, {}, false},
        {"its ReplicaSet", {}, "ReplicaSet/web", {web, other}, {{{"app", "db"}}}},
        {"a Service and its ReplicaSet",
         {a_service("ns", "s", {{"tier", "front"}})},
         "ReplicaSet/web",
         {web},
         {other}},
        {"a ReplicaSet that is not there", {}, "ReplicaSet/lost", {}, {}, false},
        {"its ReplicationController", {}, "ReplicationController/web", {web}, {other}},
        {"a Job", {}, "Job/web", {}, {}, false},
    };
    for (const Case& c : cases) {
        Cluster cluster(rules::PreferencePolicy::kRespect);
        for (const api::Service& service : c.services) cluster.upsert_selecting(Kind::kService, service);
        api::Workload replica_set;
        replica_set.meta.ns = "ns";
        replica_set.meta.name = "web";
        replica_set.selector = api::LabelSelector{{{"app", "web"}}, {}};
        cluster.upsert_template(Kind::kReplicaSet, replica_set);
        cluster.upsert_selecting(Kind::kReplicationController, a_service("ns", "web", {{"tier", "front"}}));
        api::Pod pod;
        pod.meta.name = "p";
        pod.meta.ns = "ns";
        pod.meta.uid = "p";
        pod.meta.labels = web;
        if (const std::string_view owner = c.owner; !owner.empty()) {
            const std::size_t slash = owner.find('/');
            pod.meta.owners = {{"v1", std::string(owner.substr(0, slash)),
                                std::string(owner.substr(slash + 1)), "u", true, true}};
        }
        cluster.upsert(pod);
        const auto selector = default_selector(cluster, *cluster.find_pod("ns/p"));
        ASSERT_EQ(selector.has_value(), c.applies) << c.name;
        for (const api::StringMap& labels : c.counted)
            EXPECT_TRUE(rules::matches(*selector, labels)) << c.name;
        for (const api::StringMap& labels : c.passed_over)
            EXPECT_FALSE(rules::matches(*selector, labels)) << c.name;
    }
}

}  // namespace
}  // namespace joiner::model
