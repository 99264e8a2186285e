#include "model/headroom.h"

#include <gtest/gtest.h>

#include <limits>

#include "model/make_snapshot.h"

namespace joiner::model {
namespace {

api::Workload a_workload(const std::string& name, std::int64_t replicas, const char* cpu) {
    api::Workload out;
    out.meta.name = name;
    out.meta.ns = "ns";
    out.meta.generation = 7;
    out.replicas = replicas;
    out.pod_template.meta.labels = {{"app", name}};
    out.pod_template.spec.priority = 1000;
    out.pod_template.spec.containers.resize(1);
    out.pod_template.spec.containers[0].requests["cpu"] = Quantity::parse(cpu).value();
    api::Volume volume;
    volume.claim_name = "data";
    out.pod_template.spec.volumes.push_back(volume);
    return out;
}

api::CapacityBuffer a_buffer(const std::string& name) {
    api::CapacityBuffer out;
    out.meta.name = name;
    out.meta.ns = "ns";
    out.meta.uid = name + "-uid";
    out.replicas = 2;
    return out;
}

TEST(Headroom, follows_the_reference_or_says_why_not) {
    Cluster cluster(rules::PreferencePolicy::kRespect);
    cluster.upsert_template(Kind::kPodTemplate, a_workload("small", 0, "1"));
    cluster.upsert_template(Kind::kDeployment, a_workload("web", 10, "2"));
    cluster.upsert_template(Kind::kStatefulSet, a_workload("db", 3, "3"));
    struct Case {
        const char* name;
        std::function<void(api::CapacityBuffer&)> edit;
        std::int64_t cpu_milli = 0;  // Of the pod it stands for; 0: it is not resolved.
        std::int32_t replicas = 0;
        const char* reason = "";
    };
    const auto scalable = [](const char* group, const char* kind, const char* name) {
        return [=](api::CapacityBuffer& buffer) {
            buffer.scalable_api_group = group;
            buffer.scalable_kind = kind;
            buffer.scalable_name = name;
        };
    };
    const Case cases[] = {
        {"a template", [](auto& b) { b.pod_template = "small"; }, 1000, 2},
        {"no such template", [](auto& b) { b.pod_template = "large"; }, 0, 0, "PodTemplateNotFound"},
        {"a template of another namespace",
         [](auto& b) {
             b.pod_template = "small";
             b.meta.ns = "other";
         },
         0, 0, "PodTemplateNotFound"},
        {"a Deployment", scalable("", "Deployment", "web"), 2000, 2},
        {"a StatefulSet of apps", scalable("apps", "StatefulSet", "db"), 3000, 2},
        {"no such ReplicaSet", scalable("apps", "ReplicaSet", "web"), 0, 0, "ScalableRefNotFound"},
        {"a kind that cannot be scaled", scalable("batch", "Job", "web"), 0, 0, "ResolutionFailed"},
        {"a Deployment of somebody else", scalable("example.com", "Deployment", "web"), 0, 0,
         "ResolutionFailed"},
        {"neither", [](auto&) {}, 0, 0, "ResolutionFailed"},
        {"one that is going",
         [](auto& b) {
             b.pod_template = "small";
             b.meta.deleted = kNoTime;
         },
         1000, 0},
    };
    for (const Case& c : cases) {
        api::CapacityBuffer buffer = a_buffer("spare");
        c.edit(buffer);
        const Headroom headroom = headroom_of(cluster, buffer);
        EXPECT_EQ(headroom.reason, c.reason) << c.name;
        EXPECT_EQ(headroom.problem.empty(), headroom.reason.empty()) << c.name;
        ASSERT_EQ(headroom.source != nullptr, c.cpu_milli > 0) << c.name;
        EXPECT_EQ(headroom.replicas, c.replicas) << c.name;
        if (headroom.source == nullptr) continue;
        EXPECT_EQ(headroom.source->shape->requests.cpu_milli, c.cpu_milli) << c.name;
        EXPECT_EQ(headroom.source->shape->priority, std::numeric_limits<std::int32_t>::min()) << c.name;
    }
}

TEST(Headroom, stands_last_among_the_pods_of_a_snapshot) {
    Cluster cluster(rules::PreferencePolicy::kRespect);
    cluster.upsert_template(Kind::kPodTemplate, a_workload("small", 0, "1"));
    api::CapacityBuffer buffer = a_buffer("spare");
    buffer.pod_template = "small";
    cluster.upsert(buffer);
    api::Pod pod;
    pod.meta.name = "web";
    pod.meta.ns = "ns";
    pod.meta.uid = "web";
    pod.spec.containers.resize(1);
    cluster.upsert(pod);
    SnapshotInputs inputs;
    inputs.types = [](const api::NodePool&) { return nullptr; };
    inputs.is_usable = [](const api::NodePool&) { return true; };
    const Snapshot snapshot = make_snapshot(cluster, inputs);
    ASSERT_EQ(snapshot.pods.size(), 3u);
    EXPECT_FALSE(snapshot.pods[0].is_headroom());
    EXPECT_EQ(snapshot.pods[1].id.full_name(), "ns/capacity-buffer-spare-1");
    EXPECT_EQ(snapshot.pods[2].id.uid(), "spare-uid-2");
    EXPECT_EQ(snapshot.pods[2].buffer, "ns/spare");
    EXPECT_EQ(snapshot.pods[2].labels->labels.at("app"), "small");
}

}  // namespace
}  // namespace joiner::model
