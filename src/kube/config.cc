#include "kube/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "io/file.h"
#include "kube/base64.h"

namespace joiner::kube {
namespace {

// A named entry of a kubeconfig, and the file it stands in: its relative paths and its errors refer to that.
struct Entry {
    YAML::Node node;
    std::string file;
    std::string directory;
};

struct Kubeconfig {
    std::string first_file;
    std::string current_context;
    std::map<std::string, Entry> clusters;
    std::map<std::string, Entry> users;
    std::map<std::string, Entry> contexts;
};

Error error_in(const std::string& file, const std::string& what) {
    return Error{ErrorKind::kInvalid, fmt::format("kubeconfig {}: {}", file, what), 0};
}
tl::unexpected<Error> fail_in(const std::string& file, const std::string& what) {
    return tl::unexpected<Error>(error_in(file, what));
}

// The fields of one entry, with errors that name it: `user "dev": client-key-data is not base64`.
class Fields {
  public:
    Fields(const Entry& entry, std::string title) : entry_(entry), title_(std::move(title)) {}

    tl::unexpected<Error> error(const std::string& what) const {
        return fail_in(entry_.file, fmt::format("{}: {}", title_, what));
    }
    bool has(const char* key) const {
        return entry_.node.IsMap() && entry_.node[key] && !entry_.node[key].IsNull();
    }
    YAML::Node at(const char* key) const { return entry_.node[key]; }

    Result<std::string> text(const char* key) const {
        if (!has(key)) return std::string{};
        const YAML::Node value = entry_.node[key];
        if (!value.IsScalar()) return error(fmt::format("{} is not a text", key));
        return value.Scalar();
    }
    Result<bool> flag(const char* key) const {
        TRY(const std::string value, text(key));
        if (value.empty() || value == "false") return false;
        if (value == "true") return true;
        return error(fmt::format("{} is neither true nor false", key));
    }
    // What `key` refers to, relative to the kubeconfig's folder; empty when not set.
    Result<std::string> path(const char* key) const {
        TRY(std::string value, text(key));
        return resolve(std::move(value));
    }
    std::string resolve(std::string path) const {
        if (path.empty() || path.front() == '/' || entry_.directory.empty()) return path;
        return entry_.directory + "/" + path;
    }
    // The contents of `<key>-data`, or else of the file named by `<key>`.
    Result<std::string> pem(const std::string& key) const {
        const std::string data_key = key + "-data";
        TRY(const std::string data, text(data_key.c_str()));
        if (!data.empty()) {
            auto decoded = decode_base64(data);
            if (!decoded) return error(data_key + " is not base64");
            return std::move(*decoded);
        }
        TRY(const std::string file, path(key.c_str()));
        if (file.empty()) return std::string{};
        auto contents = io::read_file(file);
        if (!contents) return error(fmt::format("{}: {}", key, contents.error().message));
        return std::move(*contents);
    }

  private:
    const Entry& entry_;
    std::string title_;
};

Status add_entries(const YAML::Node& root, const std::string& file, const std::string& directory,
                   const char* list, const char* item, std::map<std::string, Entry>& entries) {
    const YAML::Node nodes = root[list];
    if (!nodes || nodes.IsNull()) return {};
    if (!nodes.IsSequence()) return fail_in(file, fmt::format("{} is not a list", list));
    for (const YAML::Node& node : nodes) {
        if (!node.IsMap() || !node["name"] || !node["name"].IsScalar()) {
            return fail_in(file, fmt::format("an entry of {} has no name", list));
        }
        const YAML::Node value = node[item];
        if (value && !value.IsMap() && !value.IsNull()) {
            return fail_in(file, fmt::format("{} \"{}\" is not a map", item, node["name"].Scalar()));
        }
        // Of files that set the same name the first wins.
        entries.emplace(node["name"].Scalar(), Entry{value ? value : YAML::Node{}, file, directory});
    }
    return {};
}

Status add_document(Kubeconfig& merged, std::string_view yaml, const std::string& file,
                    const std::string& directory) {
    if (merged.first_file.empty()) merged.first_file = file;
    YAML::Node root;
    try {
        root = YAML::Load(std::string(yaml));
    } catch (const YAML::Exception& e) {
        return fail_in(file, fmt::format("not YAML: {} in line {}", e.msg, e.mark.line + 1));
    }
    if (!root || root.IsNull()) return {};
    if (!root.IsMap()) return fail_in(file, "not a map of clusters, users and contexts");
    const YAML::Node current = root["current-context"];
    if (merged.current_context.empty() && current && current.IsScalar())
        merged.current_context = current.Scalar();
    TRY_STATUS(add_entries(root, file, directory, "clusters", "cluster", merged.clusters));
    TRY_STATUS(add_entries(root, file, directory, "users", "user", merged.users));
    TRY_STATUS(add_entries(root, file, directory, "contexts", "context", merged.contexts));
    return {};
}

bool has_credentials(const io::Endpoint& endpoint) {
    return !endpoint.ca_pem.empty() || !endpoint.client_certificate_pem.empty() ||
           endpoint.insecure_skip_verify;
}

Status read_cluster(const Fields& cluster, io::Endpoint& endpoint) {
    TRY(endpoint.base_url, cluster.text("server"));
    if (endpoint.base_url.empty()) return cluster.error("server is not set");
    while (endpoint.base_url.ends_with('/')) endpoint.base_url.pop_back();
    TRY(endpoint.ca_pem, cluster.pem("certificate-authority"));
    TRY(endpoint.insecure_skip_verify, cluster.flag("insecure-skip-tls-verify"));
    if (endpoint.insecure_skip_verify && !endpoint.ca_pem.empty()) {
        return cluster.error("insecure-skip-tls-verify and certificate-authority exclude each other");
    }
    TRY(endpoint.tls_server_name, cluster.text("tls-server-name"));
    TRY(endpoint.proxy_url, cluster.text("proxy-url"));
    return {};
}

Result<ExecPlugin> read_exec(const Fields& user, const Entry& entry) {
    const Entry exec_entry{user.at("exec"), entry.file, entry.directory};
    if (!exec_entry.node.IsMap()) return user.error("exec is not a map");
    const Fields exec(exec_entry, "exec");
    ExecPlugin plugin;
    TRY(plugin.command, exec.text("command"));
    if (plugin.command.empty()) return user.error("exec names no command");
    // A bare name is looked up in $PATH; a path is relative to the file.
    if (plugin.command.find('/') != std::string::npos) plugin.command = exec.resolve(plugin.command);
    TRY(plugin.api_version, exec.text("apiVersion"));
    if (plugin.api_version != "client.authentication.k8s.io/v1" &&
        plugin.api_version != "client.authentication.k8s.io/v1beta1") {
        return user.error(
            fmt::format("exec has apiVersion \"{}\"; client.authentication.k8s.io/v1 and v1beta1 are known",
                        plugin.api_version));
    }
    TRY(const std::string interactive, exec.text("interactiveMode"));
    if (interactive == "Always") return user.error("exec wants a terminal (interactiveMode: Always)");
    TRY(plugin.provide_cluster_info, exec.flag("provideClusterInfo"));
    TRY(plugin.install_hint, exec.text("installHint"));
    if (exec.has("args")) {
        if (!exec.at("args").IsSequence()) return user.error("exec: args is not a list");
        for (const YAML::Node& argument : exec.at("args")) {
            if (!argument.IsScalar()) return user.error("exec: args holds something other than texts");
            plugin.arguments.push_back(argument.Scalar());
        }
    }
    if (exec.has("env")) {
        if (!exec.at("env").IsSequence()) return user.error("exec: env is not a list");
        for (const YAML::Node& variable : exec.at("env")) {
            const bool is_pair = variable.IsMap() && variable["name"] && variable["name"].IsScalar() &&
                                 variable["value"] && variable["value"].IsScalar();
            if (!is_pair) return user.error("exec: an entry of env lacks name or value");
            plugin.environment.emplace_back(variable["name"].Scalar(), variable["value"].Scalar());
        }
    }
    return plugin;
}

Status read_user(const Fields& user, const Entry& entry, Config& config, io::Endpoint& endpoint) {
    for (const char* key : {"as", "auth-provider"}) {
        if (user.has(key)) return user.error(fmt::format("{} is not supported", key));
    }
    TRY(endpoint.client_certificate_pem, user.pem("client-certificate"));
    TRY(endpoint.client_key_pem, user.pem("client-key"));
    if (endpoint.client_certificate_pem.empty() != endpoint.client_key_pem.empty()) {
        return user.error("client-certificate and client-key come only together");
    }
    TRY(config.token, user.text("token"));
    TRY(config.token_file, user.path("tokenFile"));
    TRY(endpoint.username, user.text("username"));
    TRY(endpoint.password, user.text("password"));
    if (user.has("exec")) {
        TRY(config.exec, read_exec(user, entry));
    }
    return {};
}

Result<Config> resolve(const Kubeconfig& merged, const std::string& wanted) {
    if (merged.clusters.empty() && merged.contexts.empty()) {
        return fail_in(merged.first_file, "holds no clusters and no contexts");
    }
    const std::string& name = wanted.empty() ? merged.current_context : wanted;
    if (name.empty()) return fail_in(merged.first_file, "current-context is not set");
    const auto context_entry = merged.contexts.find(name);
    if (context_entry == merged.contexts.end()) {
        return fail_in(merged.first_file,
                       fmt::format("{} names context \"{}\", which is not there",
                                   wanted.empty() ? "current-context" : "the command", name));
    }
    const std::string title = fmt::format("context \"{}\"", name);
    const Fields context(context_entry->second, title);
    TRY(const std::string cluster_name, context.text("cluster"));
    TRY(const std::string user_name, context.text("user"));
    const auto cluster_entry = merged.clusters.find(cluster_name);
    if (cluster_entry == merged.clusters.end()) {
        return fail_in(context_entry->second.file,
                       fmt::format("{} names cluster \"{}\", which is not there", title, cluster_name));
    }
    Config config;
    auto endpoint = std::make_shared<io::Endpoint>();
    TRY_STATUS(
        read_cluster(Fields(cluster_entry->second, fmt::format("cluster \"{}\"", cluster_name)), *endpoint));
    if (!user_name.empty()) {
        const auto user_entry = merged.users.find(user_name);
        if (user_entry == merged.users.end()) {
            return fail_in(context_entry->second.file,
                           fmt::format("{} names user \"{}\", which is not there", title, user_name));
        }
        const Fields user(user_entry->second, fmt::format("user \"{}\"", user_name));
        TRY_STATUS(read_user(user, user_entry->second, config, *endpoint));
    }
    if (endpoint->base_url.find("://") == std::string::npos) {
        endpoint->base_url = (has_credentials(*endpoint) ? "https://" : "http://") + endpoint->base_url;
    }
    TRY(const std::string ns, context.text("namespace"));
    if (!ns.empty()) config.default_namespace = ns;
    config.endpoint = std::move(endpoint);
    return config;
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string(value);
}

std::string trimmed(std::string text) {
    const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
    while (!text.empty() && is_space(text.back())) text.pop_back();
    text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
    return text;
}

// yaml-cpp throws where a node has another shape than the code above looked for.
template <typename F>
auto without_exceptions(const std::string& file, F&& f) -> decltype(f()) {
    try {
        return f();
    } catch (const YAML::Exception& e) {
        return tl::unexpected<Error>(error_in(file, e.what()));
    }
}

}  // namespace

Result<Config> parse_kubeconfig(std::string_view yaml, const std::string& directory,
                                const std::string& context) {
    const std::string file = directory.empty() ? "text" : "in " + directory;
    return without_exceptions(file, [&]() -> Result<Config> {
        Kubeconfig merged;
        TRY_STATUS(add_document(merged, yaml, file, directory));
        return resolve(merged, context);
    });
}

Result<Config> load_kubeconfig(const std::string& path, const std::string& context) {
    return without_exceptions(path, [&]() -> Result<Config> {
        Kubeconfig merged;
        std::optional<Error> missing;
        for (std::size_t begin = 0; begin <= path.size();) {
            const std::size_t end = std::min(path.find(':', begin), path.size());
            const std::string file = path.substr(begin, end - begin);
            begin = end + 1;
            if (file.empty()) continue;
            const auto text = io::read_file(file);
            if (!text && text.error().kind == ErrorKind::kNotFound) {
                // In a list some files may be away, as kubectl has it; not all of them.
                if (!missing) missing = Error{ErrorKind::kInvalid, "kubeconfig " + text.error().message, 0};
                continue;
            }
            if (!text) return invalid("kubeconfig " + text.error().message);
            TRY_STATUS(add_document(merged, *text, file, directory_of(file)));
        }
        if (merged.first_file.empty()) {
            if (missing) return tl::unexpected<Error>(*missing);
            return invalid("kubeconfig: no file is named");
        }
        return resolve(merged, context);
    });
}

Result<Config> load_in_cluster_config(std::string_view directory) {
    const std::string host = environment("KUBERNETES_SERVICE_HOST");
    const std::string port = environment("KUBERNETES_SERVICE_PORT");
    if (host.empty() || port.empty()) {
        return invalid(
            "not inside a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
    }
    const std::string folder = std::string(directory) + "/";
    auto endpoint = std::make_shared<io::Endpoint>();
    const bool is_ipv6 = host.find(':') != std::string::npos;
    endpoint->base_url = fmt::format("https://{}:{}", is_ipv6 ? "[" + host + "]" : host, port);
    auto ca = io::read_file(folder + "ca.crt");
    if (!ca) return invalid("service account: " + ca.error().message);
    endpoint->ca_pem = std::move(*ca);

    Config config;
    config.token_file = folder + "token";
    const auto token = io::read_file(config.token_file);
    if (!token) return invalid("service account: " + token.error().message);
    config.endpoint = std::move(endpoint);
    if (const auto ns = io::read_file(folder + "namespace"); ns && !trimmed(*ns).empty()) {
        config.default_namespace = trimmed(*ns);
    }
    return config;
}

}  // namespace joiner::kube
