// The kubelet settings of a class as a node of one instance type has them: its expressions are numbers.
// Karpenter's rules: maxPods knows as max_pods what the node would take without it, the reserves know what
// maxPods has come to; cpu is in millicores, up to a multiple of 10, memory in MiB, up to a multiple of 16,
// ephemeral-storage in GiB, pid as it is. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "cloud/ec2/types/instance_type.h"

namespace joiner::cloud::ec2 {

struct TypeKubelet {
    KubeletSettings settings;  // Without expressions.
    // Why maxPods is left out of them; empty: it is not.
    std::string max_pods_failure;
    // Of each reserve that is left out of them, why.
    std::vector<std::string> reserve_failures;
};
// Of the shape's settings.
TypeKubelet kubelet_of(const InstanceTypeInfo& info, const NodeShape& shape);

// Which of the types an expression fails for, and how for the first; empty: for none.
std::string why_expressions_fail(const std::vector<InstanceTypeInfo>& types, const NodeShape& shape);

}  // namespace joiner::cloud::ec2
