#include "sim/samples.h"

#include <fmt/format.h>

namespace joiner::sim {
namespace {

// As one of several fields.
std::string field(std::string_view text) {
    return text.empty() ? std::string{} : fmt::format("{}, ", text);
}

}  // namespace

std::string node_class(std::string_view name, std::string_view spec) {
    return fmt::format(
        "---\n{{apiVersion: karpenter.kwok.sh/v1alpha1, kind: KWOKNodeClass, metadata: {{name: {}}}, "
        "spec: {{{}}}}}\n",
        name, spec);
}

std::string node_pool(const NodePoolSample& sample) {
    return fmt::format(
        R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {{name: {}}}
spec: {{
  {}{}template: {{metadata: {{{}}}, spec: {{
    {}nodeClassRef: {{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: {}}},
    requirements: [{}{{key: karpenter.sh/capacity-type, operator: In, values: [{}]}}]}}}}}}
)",
        sample.name, field(sample.spec),
        sample.disruption.empty() ? "" : fmt::format("disruption: {{{}}}, ", sample.disruption),
        sample.template_metadata, field(sample.template_spec), sample.node_class, field(sample.requirements),
        sample.capacity_types);
}

std::string of_types(std::string_view types) {
    return fmt::format("{{key: node.kubernetes.io/instance-type, operator: In, values: [{}]}}", types);
}

std::string deployment(std::string_view name, int replicas, std::string_view cpu,
                       const DeploymentSample& sample) {
    return fmt::format(
        R"(---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}}}
spec: {{
  replicas: {1}, selector: {{matchLabels: {{app: {0}}}}},
  template: {{metadata: {{labels: {{app: {0}}}, annotations: {{{2}}}}}, spec: {{
    {3}terminationGracePeriodSeconds: {4},
    containers: [{{name: app, image: sample, resources: {{requests: {{cpu: "{5}", memory: {6}}}}}}}]}}}}}}
)",
        name, replicas, sample.pod_annotations, field(sample.pod), sample.grace_seconds, cpu, sample.memory);
}

std::string disruption_budget(std::string_view name, std::string_view app, std::string_view spec) {
    return fmt::format(
        "---\n{{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {{name: {}}}, "
        "spec: {{{}, selector: {{matchLabels: {{app: {}}}}}}}}}\n",
        name, spec, app);
}

}  // namespace joiner::sim
