// A cluster written as manifests: reads files and folders and fills a model::Cluster, making pods for
// workloads whose pods are not among the files. For the commands that need no API server.
#pragma once

#include <string>
#include <vector>

#include "api/manifest.h"
#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"

namespace joiner::cli {

// Every document of every file, in order; "-" is standard input, a folder means its *.yaml, *.yml and *.json
// files.
Result<std::vector<api::Document>> read_manifests(const std::vector<std::string>& paths);

struct World {
    explicit World(rules::PreferencePolicy policy) : cluster(policy) {}
    model::Cluster cluster;
    std::vector<std::string>
        warnings;  // Unknown kinds, unknown fields, objects that could not be read in full.
};

// Errors name the document and the field. `now` stands in for creation times that are missing.
Status fill_world(const std::vector<api::Document>& documents, WallTime now, World& world);

}  // namespace joiner::cli
