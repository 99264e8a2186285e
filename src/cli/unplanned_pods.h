// Pods without a node that a plan leaves out, and why: nobody should look for them in it in vain.
#pragma once

#include <string>
#include <vector>

#include "model/cluster.h"

namespace joiner::cli {

// One sentence for each reason; none for pods that are done or on their way out.
std::vector<std::string> unplanned_pods(const model::Cluster& cluster);

}  // namespace joiner::cli
