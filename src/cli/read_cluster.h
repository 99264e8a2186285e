// The cluster that a command is asked about, as manifests: a live one, read once and never written to, or a
// dump of one (`kubectl get … -o yaml`). What may not be read is named, with what it could change in an
// answer. Secrets and the environment of containers are thrown away as they come in. One call; waits for the
// API server; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/manifest.h"
#include "base/result.h"
#include "cli/manifest_files.h"
#include "kube/client.h"

namespace joiner::cli {

struct ClusterFlags {
    // Of a live cluster; both empty: as load_config() finds it.
    std::string kubeconfig;
    std::string context;
    // A dump. Not empty: no API server is asked.
    std::vector<std::string> files;
    bool is_recursive = false;
    // What if: objects that are added, or stand in place of those of the same kind and name.
    std::vector<std::string> with;
};

// A kind that the cluster may well have, and that the answer does without.
struct NotRead {
    std::string kind;    // "PersistentVolume"
    std::string why;     // The API server's own sentence.
    std::string effect;  // What it could change: "pods with volumes may be planned into the wrong zone"
};
// "PersistentVolumes were not read (…): …"
std::string in_words(const NotRead& not_read);

struct ClusterRead {
    Manifests manifests;
    std::vector<NotRead> not_read;  // By kind. Of a dump: kinds that it has not one object of are not named.
    bool is_live = false;
};

// Errors: no cluster to speak to, one that does not answer, nodes or pods that may not be read, a file that
// cannot be read.
Result<ClusterRead> read_cluster(const ClusterFlags& flags);

// Asks for one path and waits: the answer's body.
using Getter = std::function<Result<std::string>(const std::string& path_and_query)>;
// The same from whoever answers GETs. Lists come in pages.
Result<ClusterRead> read_live_cluster(const Getter& get);

// Without what nobody needs for planning and everybody would rather keep to themselves: env and envFrom of
// containers, their commands and probes, the annotation of kubectl's last applied manifest, managedFields,
// user data of node classes. A Secret or a ConfigMap is nothing but its name. Text that is no object is given
// back as it is.
std::string without_secrets(std::string_view object_json);

}  // namespace joiner::cli
