#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/explain/answer.h"
#include "cli/explain/asked_world.h"
#include "cli/explain/subjects.h"

namespace joiner::cli {
namespace {

enum class Asked { kPod, kNode, kPool, kClaim };

std::optional<Asked> asked_kind(std::string_view word) {
    static constexpr std::pair<std::string_view, Asked> kWords[] = {
        {"pod", Asked::kPod},           {"pods", Asked::kPod},        {"po", Asked::kPod},
        {"node", Asked::kNode},         {"nodes", Asked::kNode},      {"no", Asked::kNode},
        {"nodepool", Asked::kPool},     {"nodepools", Asked::kPool},  {"provisioner", Asked::kPool},
        {"provisioners", Asked::kPool}, {"nodeclaim", Asked::kClaim}, {"nodeclaims", Asked::kClaim}};
    for (const auto& [known, kind] : kWords) {
        if (known == word) return kind;
    }
    return std::nullopt;
}

// "there is no pod default/web; the nearest are default/web-1 and default/web-2"
std::string not_there(std::string_view kind, const std::string& name, const std::vector<std::string>& names) {
    std::string out = fmt::format("there is no {} {}", kind, name);
    if (names.empty()) return out + fmt::format("; there are no {}s at all", kind);
    const std::vector<std::string> near = nearest_names(name, names);
    if (near.empty()) return out + ", and none with a name like it";
    return out + fmt::format("; did you mean {}?", fmt::join(near, " or "));
}

template <typename Map>
std::vector<std::string> names_in(const Map& map) {
    std::vector<std::string> out;
    for (const auto& [name, value] : map) out.push_back(name);
    std::sort(out.begin(), out.end());
    return out;
}

Result<Answer> answer_to(AskedWorld& world, Asked kind, const std::string& name, bool is_verbose) {
    model::Cluster& cluster = world.cluster();
    switch (kind) {
        case Asked::kPod:
            if (!world.pod()) return invalid(not_there("pod", name, names_in(cluster.pods())));
            return explain_pod(world);
        case Asked::kPool:
            if (cluster.find_pool(name) == nullptr)
                return invalid(not_there("NodePool", name, names_in(cluster.pools())));
            return explain_pool(world, name);
        case Asked::kClaim: {
            const model::ClaimState* claim = cluster.find_claim(name);
            if (claim == nullptr) return invalid(not_there("NodeClaim", name, names_in(cluster.claims())));
            const model::NodeState* node = cluster.node_of(claim->claim);
            if (node == nullptr)
                return invalid(
                    fmt::format("NodeClaim {} has no node yet; kubectl get nodeclaim {} -o yaml says "
                                "in its conditions how far it is",
                                name, name));
            return explain_node(world, node->node.meta.name, is_verbose);
        }
        case Asked::kNode:
            if (cluster.find_node(name) == nullptr)
                return invalid(not_there("node", name, names_in(cluster.nodes())));
            return explain_node(world, name, is_verbose);
    }
    return invalid("nothing is asked");
}

int refuse_kind(const std::string& kind) {
    return refuse(
        fmt::format("\"{}\" cannot be explained; pod, node, nodepool and nodeclaim can", kind.substr(0, 60)));
}

}  // namespace

int explain_cluster(ClusterRead read, const ExplainOptions& options, WallTime now) {
    const auto kind = asked_kind(options.kind);
    if (!kind) return refuse_kind(options.kind);
    std::string name = options.name;
    if (*kind == Asked::kPod && name.find('/') == std::string::npos) name = options.ns + "/" + name;
    auto world = AskedWorld::make(std::move(read), options.instance_types,
                                  *kind == Asked::kPod ? name : std::string(), now);
    if (!world) return refuse(world.error().message);
    auto answer = answer_to(**world, *kind, name, options.is_verbose);
    if (!answer) {
        for (const std::string& note : (*world)->not_read())
            fmt::print(stderr, "joiner: warning: {}\n", note);
        return refuse(answer.error().message);
    }
    answer->notes = (*world)->not_read();
    if (options.output == "json") {
        nlohmann::ordered_json out = nlohmann::ordered_json::parse("{" + answer->json + "}");
        out["notRead"] = (*world)->not_read();
        out["warnings"] = (*world)->warnings();
        fmt::print("{}\n", out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
        return 0;
    }
    if (options.is_verbose)
        answer->notes.insert(answer->notes.end(), (*world)->warnings().begin(), (*world)->warnings().end());
    fmt::print("{}", as_text(*answer, options.is_verbose));
    return 0;
}

int run_explain(const ExplainOptions& options) {
    // Nobody waits for a cluster to hear that.
    if (!asked_kind(options.kind)) return refuse_kind(options.kind);
    ClusterFlags flags;
    flags.kubeconfig = options.kubeconfig;
    flags.context = options.context;
    flags.files = options.files;
    flags.is_recursive = options.is_recursive;
    auto read = read_cluster(flags);
    if (!read) return refuse(read.error().message);
    return explain_cluster(std::move(*read), options, std::chrono::system_clock::now());
}

}  // namespace joiner::cli
