// The pods that workloads want and that are not among the files, as their controllers would make them. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/core.h"

namespace joiner::cli {

struct Workloads {
    std::map<std::string, api::Workload> replicated;  // "Kind/namespace/name"; DaemonSets are not among them.
    std::map<std::string, api::Job> jobs;             // "namespace/name"
    std::set<std::string> paused;                     // Deployments, as in `replicated`.
};
std::string key_of(const api::Workload& workload);

// Succeeded, or failed for good.
bool is_done(const api::Pod& pod);

using PodsByName = std::map<std::string, api::Pod>;  // "namespace/name"

// What makes no pods as things stand, "namespace/name".
struct HeldWorkloads {
    std::vector<std::string> suspended;  // Jobs.
    std::vector<std::string> paused;     // Deployments that have no pods yet, so that none can be added.
};

// Adds the missing pods to `pods`. One of a StatefulSet that is done takes its successor's name, and makes
// way for it. Those of StatefulSets name claims that may not be there yet; they are added to `claims`.
HeldWorkloads add_missing_pods(const Workloads& workloads, WallTime now, PodsByName& pods,
                               std::vector<api::PersistentVolumeClaim>& claims);

}  // namespace joiner::cli
