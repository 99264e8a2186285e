// A cluster written as manifests: fills a model::Cluster, making pods for workloads whose pods are not among
// the files. For the commands that need no API server.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/manifest_files.h"
#include "model/cluster.h"

namespace joiner::cli {

// Of pods, "ns/name", what their manifests say and a model::Cluster does not keep.
struct PodNotes {
    std::set<std::string, std::less<>> not_safe_to_evict;  // To Cluster Autoscaler, by their annotation.
    std::set<std::string, std::less<>> bare;               // No controller would make them again.
};

struct World {
    explicit World(rules::PreferencePolicy policy) : cluster(policy) {}
    model::Cluster cluster;
    PodNotes pod_notes;
    // What the plan leaves out or takes otherwise than it is written, one sentence each; the weightiest
    // first.
    std::vector<std::string> warnings;
    // A pod that somebody asks about, "namespace/name", and the whole of it where there is one; empty: none.
    std::string asked_pod;
    std::optional<api::Pod> pod;
};

// Errors name the document and the field; what a document in a folder has wrong is a warning, and it is left
// out. `now` stands in for creation times that are missing.
Status fill_world(const Manifests& manifests, WallTime now, World& world);

}  // namespace joiner::cli
