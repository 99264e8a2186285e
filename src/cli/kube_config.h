// Which cluster a command speaks to.
#pragma once

#include <string>

#include "base/result.h"
#include "kube/config.h"

namespace joiner::cli {

// The kubeconfig that is named, else the pod's own surroundings, else $KUBECONFIG.
Result<kube::Config> load_config(const std::string& kubeconfig, const std::string& context);

}  // namespace joiner::cli
