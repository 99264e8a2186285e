#include "cli/kube_config.h"

#include <cstdlib>

namespace joiner::cli {

Result<kube::Config> load_config(const std::string& kubeconfig, const std::string& context) {
    if (!kubeconfig.empty()) return kube::load_kubeconfig(kubeconfig, context);
    if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr) return kube::load_in_cluster_config();
    if (const char* path = std::getenv("KUBECONFIG"); path != nullptr && *path != '\0')
        return kube::load_kubeconfig(path, context);
    return invalid("no cluster: give --kubeconfig, set KUBECONFIG, or run inside a cluster");
}

}  // namespace joiner::cli
