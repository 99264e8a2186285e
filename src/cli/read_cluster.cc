#include "cli/read_cluster.h"

namespace joiner::cli {

Result<ClusterRead> read_cluster(const ClusterFlags& flags) {
    ClusterRead out;
    TRY(out.manifests, read_whole_manifests({flags.files, flags.is_recursive}));
    return out;
}

}  // namespace joiner::cli
