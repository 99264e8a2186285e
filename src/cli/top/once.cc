#include "cli/top/once.h"

#include <optional>
#include <utility>

#include "cli/cluster_calls.h"
#include "cli/kube_config.h"
#include "cli/missing_claims.h"
#include "cli/plan/machines.h"
#include "cli/read_cluster.h"
#include "cli/top/node_facts.h"
#include "cli/top/state.h"
#include "cli/top/view.h"
#include "cli/top/watching.h"
#include "cli/world.h"

namespace joiner::cli::top {
namespace {

// What `kubectl get --raw` or `kubectl get nodes.metrics` put into the dump.
std::optional<UseByNode> use_in(const Manifests& manifests) {
    std::optional<UseByNode> out;
    for (const Manifest& one : manifests.objects) {
        if (one.document.kind != "NodeMetrics") continue;
        if (auto use = parse_use(one.document.json)) {
            if (!out) out.emplace();
            out->merge(*use);
        }
    }
    return out;
}

// Clusters without the metrics API are many.
std::optional<UseByNode> ask_for_use(const TopOptions& options) {
    auto config = load_config(options.kubeconfig, options.context);
    if (!config) return std::nullopt;
    const auto answer =
        ClusterCalls(std::move(*config), ClusterCalls::Writes::kNone).get(std::string(kUsePath));
    if (!answer) return std::nullopt;
    auto use = parse_use(*answer);
    return use ? std::optional(std::move(*use)) : std::nullopt;
}

std::string name_of_source(const TopOptions& options) {
    if (!options.files.empty())
        return options.files.front() == "-" ? "standard input" : options.files.front();
    if (!options.context.empty()) return options.context;
    const auto config = load_config(options.kubeconfig, options.context);
    return config ? config->endpoint->base_url : std::string();
}

}  // namespace

Result<std::string> frame_once(const TopOptions& options, Size size, Style style, WallTime now) {
    if (!is_large_enough(size)) return invalid("--size " + too_small(size));
    TRY(Machines machines, Machines::load(options.instance_types));
    TRY(const ClusterRead read, read_cluster({.kubeconfig = options.kubeconfig,
                                              .context = options.context,
                                              .files = options.files,
                                              .is_recursive = options.is_recursive,
                                              .with = {}}));
    World world(rules::PreferencePolicy::kRespect);
    TRY_STATUS(fill_world(read.manifests, now, world));
    if (world.cluster.nodes().empty() && world.cluster.claims().empty())
        return invalid(
            "there is no Node in what was read: `kubectl get nodes,pods -A -o yaml` gives the least of what "
            "top "
            "shows (docs/top.md)");
    add_missing_claims(world.cluster);
    const std::optional<UseByNode> use = read.is_live ? ask_for_use(options) : use_in(read.manifests);
    const FactsByName facts = find_facts(world.cluster, machines, world.pod_notes, now);
    Picture picture =
        make_picture({.cluster = world.cluster, .facts = facts, .use = use ? &*use : nullptr, .now = now});
    picture.source = name_of_source(options);
    View view;
    const Shown shown = find_shown(picture, view, {});
    settle(view, shown, list_lines(size));
    return as_text(draw(picture, shown, view, size, style));
}

}  // namespace joiner::cli::top
