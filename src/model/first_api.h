// Which node classes the first API's objects need, and what becomes of them. Pure; loop thread, because it
// reads the Cluster.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "model/cluster.h"

namespace joiner::model {

// An EC2NodeClass as its source would have it.
struct MadeClass {
    std::string name;
    std::string made_from;  // "AWSNodeTemplate/general", the value of its annotation.
    std::string spec;       // JSON.
    std::string hash;       // Of the spec, decimal.
    std::string problem;    // Why it cannot be made, one sentence; empty: it can.
};

// By name. An AWSNodeTemplate makes one for itself, and one for each Provisioner that refers to it and has
// kubelet settings.
std::vector<MadeClass> made_classes(const Cluster& cluster);

// `made`: all of them. Why the class of the pool's reference is not the one that the pool's Provisioner
// describes, one sentence; empty where it is, or where there is none yet.
std::string made_class_problem(const Cluster& cluster, const std::vector<MadeClass>& made,
                               const api::NodePool& pool);

// Anybody but the first API's own Provisioners refers to it.
bool is_adopted(const Cluster& cluster, const api::NodeClassReference& node_class);

inline constexpr std::string_view kEc2Group = "karpenter.k8s.aws";
inline constexpr std::string_view kEc2ClassKind = "EC2NodeClass";

}  // namespace joiner::model
