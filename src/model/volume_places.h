// Where a pod's volumes let it go: bound volumes where they are, volumes still to be made where their class
// allows. Pure reading of the Cluster; loop thread. Source: kube-scheduler's VolumeBinding, VolumeZone and
// NodeVolumeLimits.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/cluster.h"

namespace joiner::model {

struct VolumePlaces {
    std::vector<rules::Requirements> places;             // Any of them will do; empty: anywhere.
    std::vector<std::pair<std::string, int>> by_driver;  // How many volumes, by CSI driver.
    std::string problem;                                 // Why the pod must wait; empty when it need not.
};

// REQUIRES: pod.volumes.
VolumePlaces volume_places(const Cluster& cluster, const PodState& pod);

// What a node's drivers still take.
std::vector<std::pair<std::string, int>> volumes_left(const Cluster& cluster, const NodeState& node);

}  // namespace joiner::model
