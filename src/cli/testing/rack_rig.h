// The test's rack as a cloud beside KWOK's, in a whole controller on virtual time.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "cli/testing/virtual_rig.h"
#include "cloud/testing/rack.h"

namespace joiner {

using cloud::testing::RackMachine;
using cloud::testing::RackProvider;

inline constexpr std::string_view kRackDefinition = R"(---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: racknodeclasses.rack.test}
spec:
  group: rack.test
  scope: Cluster
  names: {kind: RackNodeClass, listKind: RackNodeClassList, plural: racknodeclasses, singular: racknodeclass}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
)";
inline constexpr std::string_view kRackClass =
    "---\n{apiVersion: rack.test/v1, kind: RackNodeClass, metadata: {name: default}, spec: {image: i-1}}\n";

// A pool of the rack's machines, which its pods ask for by name.
inline std::string rack_pool(std::string_view capacity_type = "on-demand", std::string_view spec = {},
                             std::string_view labels = {}) {
    return fmt::format(R"(---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {{name: rack}}
spec:
  {}
  template:
    metadata: {{labels: {{{}}}}}
    spec:
      nodeClassRef: {{group: rack.test, kind: RackNodeClass, name: default}}
      requirements: [{{key: karpenter.sh/capacity-type, operator: In, values: [{}]}}]
  disruption: {{consolidationPolicy: WhenEmpty, consolidateAfter: 5s, budgets: [{{nodes: "100%"}}]}}
)",
                       spec, labels, capacity_type);
}
class RackRig : public VirtualRig {
  protected:
    RackRig() {
        // A machine's kubelet makes its node.
        rack_.on_launch = [this](const RackMachine& machine) {
            world_.loop().after(seconds{2}, [this, machine] {
                if (rack_.find(machine.id) != nullptr && joins_) apply(node_of(machine));
            });
        };
        more_providers_ = {[this](const control::ProviderGround& ground) {
            auto made = std::make_unique<RackProvider>(rack_, &ground.reports);
            provider_ = made.get();
            reports_ = &ground.reports;
            return made;
        }};
    }
    static std::string node_of(const RackMachine& machine) {
        const int cpu = machine.offering.type == "rack-16" ? 16 : 4;
        return fmt::format(R"(---
apiVersion: v1
kind: Node
metadata:
  name: rack-{}
  annotations: {{kwok.x-k8s.io/node: fake}}
spec: {{providerID: "{}", taints: [{{key: karpenter.sh/unregistered, effect: NoExecute}}]}}
status:
  capacity: {{cpu: "{}", memory: {}Gi, pods: "110", ephemeral-storage: 100Gi}}
  allocatable: {{cpu: "{}", memory: {}Gi, pods: "110", ephemeral-storage: 100Gi}}
)",
                           machine.id.substr(7), machine.id, cpu, cpu * 4, cpu, cpu * 4);
    }
    void install_rack() {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(rack_pool());
    }
    nlohmann::json rack_class() {
        const auto text = world_.get("racknodeclasses", "", "default");
        return text ? nlohmann::json::parse(*text) : nlohmann::json();
    }

    cloud::testing::Rack rack_{world_.loop()};
    RackProvider* provider_ = nullptr;
    cloud::Reports* reports_ = nullptr;
    bool joins_ = true;
};

}  // namespace joiner
