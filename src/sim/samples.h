// The objects that tests, the demo and the benchmarks begin with, as YAML documents; each says only what it
// varies, and documents may be joined. Fields that hold YAML go into a flow mapping or list as they are. Any
// thread.
#pragma once

#include <string>
#include <string_view>

namespace joiner::sim {

// `spec`: "nodeRegistrationDelay: 24h".
std::string node_class(std::string_view name = "default", std::string_view spec = {});

struct NodePoolSample {
    std::string_view name = "default";
    std::string_view node_class = "default";
    std::string_view capacity_types = "on-demand";
    std::string_view requirements = {};   // Further ones: "{key: k, operator: In, values: [v]}".
    std::string_view template_spec = {};  // Further fields: "expireAfter: 1h, taints: []".
    std::string_view template_metadata = {};
    std::string_view spec = {};  // Further fields: "replicas: 3".
    // Empty: as the API server has it.
    std::string_view disruption =
        "consolidationPolicy: WhenEmpty, consolidateAfter: 5s, budgets: [{nodes: \"100%\"}]";
};
std::string node_pool(const NodePoolSample& sample = {});

// Requirements: nodes of these types only, "a, b".
std::string of_types(std::string_view types);
// Nodes of four CPUs, of which pods may have a little less.
inline constexpr std::string_view kFourCpus = "c-4x-amd64-linux";

struct DeploymentSample {
    std::string_view memory = "1Gi";
    int grace_seconds = 1;
    std::string_view pod = {};              // Further fields of the pod's spec.
    std::string_view pod_annotations = {};  // "a: b".
};
// Pods labelled app=<name>.
std::string deployment(std::string_view name, int replicas, std::string_view cpu,
                       const DeploymentSample& sample = {});

// `spec`: "maxUnavailable: 1"; of the pods labelled app=<app>.
std::string disruption_budget(std::string_view name, std::string_view app, std::string_view spec);

}  // namespace joiner::sim
