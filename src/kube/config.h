// Where the API server is and who we are: a kubeconfig file or the in-cluster service account. Read at
// start-up; credentials that can change (token files, exec plug-ins) are renewed by Credentials. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::kube {

struct ExecPlugin {
    std::string command;
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment;
    std::string api_version;
    std::string install_hint;  // For the person whose machine lacks the command.
    bool provide_cluster_info = false;
};

struct Config {
    std::shared_ptr<const io::Endpoint> endpoint;
    std::string token;               // Fixed bearer token.
    std::string token_file;          // Read again each minute; wins over `token`.
    std::optional<ExecPlugin> exec;  // Wins over both.
    std::string default_namespace = "default";
};

// From the text of a kubeconfig; `directory` resolves relative paths inside it, empty `context` means
// current-context. Errors are one sentence naming the file's field.
Result<Config> parse_kubeconfig(std::string_view yaml, const std::string& directory,
                                const std::string& context);
// From `path` (several joined by ':' as in $KUBECONFIG are merged, the first to set a value wins).
Result<Config> load_kubeconfig(const std::string& path, const std::string& context);
inline constexpr std::string_view kServiceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount";
// From the service account mounted in a pod and KUBERNETES_SERVICE_HOST/PORT.
Result<Config> load_in_cluster_config(std::string_view directory = kServiceAccountDirectory);

}  // namespace joiner::kube
