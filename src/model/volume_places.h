// Where a pod's volumes let it go: bound volumes where they are, volumes still to be made where their class
// allows, and together with the other pods that will use them. How many volumes nodes take. Pure reading of
// the Cluster; loop thread. Source: kube-scheduler's VolumeBinding, VolumeZone and NodeVolumeLimits.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/cluster.h"
#include "model/snapshot.h"

namespace joiner::model {

// How many pods use each volume, "namespace/claim"; terminal pods do not.
using VolumeUsers = std::map<std::string, int, std::less<>>;
VolumeUsers count_volume_users(const Cluster& cluster);

// REQUIRES: pod.volumes.
rules::PodVolumes volume_places(const Cluster& cluster, const PodState& pod, const VolumeUsers& users);

// Volumes attached to one node, or about to be, each once.
class AttachedVolumes {
  public:
    void add(const Cluster& cluster, const PodState& pod);
    // What a node with these limits still takes.
    VolumeLimits left_of(const VolumeLimits& limits) const;
    // Those that more than one pod uses.
    std::vector<std::string> shared(const VolumeUsers& users) const;

  private:
    std::map<std::string, std::set<std::string>> ids_;  // By driver.
};

// The least that nodes of each instance type say.
std::map<std::string, VolumeLimits, std::less<>> volume_limits_by_type(const Cluster& cluster);

}  // namespace joiner::model
