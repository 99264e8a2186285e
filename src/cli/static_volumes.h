// Binds claims to the PersistentVolumes among the files, as the volume controller of a cluster does at once
// where the class of a claim does not wait for its pod. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/core.h"
#include "model/cluster.h"

namespace joiner::cli {

struct StaticVolume {
    api::PersistentVolume volume;
    std::vector<std::string> access_modes;
};

struct StaticVolumes {
    std::map<std::string, StaticVolume> volumes;  // By name.
    // Labels that a volume must have, by the "namespace/name" of the claim; those of others need none.
    std::map<std::string, api::StringMap> wanted_labels;
    // Claims that choose their volume by expressions, which are not read: they get none.
    std::set<std::string> chosen_otherwise;
};

// Each claim without a volume gets the one that is kept for it, else the smallest free one of its class that
// has its size and access modes; of equals the first by name. The volumes are told to `cluster`, which knows
// the StorageClasses.
void bind_claims(StaticVolumes& volumes, std::map<std::string, api::PersistentVolumeClaim>& claims,
                 model::Cluster& cluster);

}  // namespace joiner::cli
