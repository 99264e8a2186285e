// What `joiner explain` says of one pod, one node, one NodePool. Pure but for the time that planning may
// take; one call.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/explain/answer.h"
#include "cli/explain/asked_world.h"

namespace joiner::cli {

// REQUIRES: world.pod().
Answer explain_pod(AskedWorld& world);
// REQUIRES: there is such a node.
Answer explain_node(AskedWorld& world, const std::string& name, bool is_verbose);
// REQUIRES: there is such a pool.
Answer explain_pool(AskedWorld& world, const std::string& name);

// run_explain() once the cluster is read.
int explain_cluster(ClusterRead read, const ExplainOptions& options, WallTime now);

}  // namespace joiner::cli
