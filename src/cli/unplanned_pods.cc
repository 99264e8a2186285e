#include "cli/unplanned_pods.h"

#include <fmt/format.h>

#include <array>

#include "cli/grouping.h"
#include "model/make_snapshot.h"

namespace joiner::cli {
namespace {

struct Reason {
    bool (*holds)(const model::Cluster&, const model::PodState&);
    // What follows "1 pod " and "2 pods ".
    std::string_view one;
    std::string_view many;
};

// The first that holds is the one that is said.
constexpr std::array<Reason, 4> kReasons = {{
    {[](const model::Cluster&, const model::PodState& pod) { return pod.has_gates; },
     "has scheduling gates, and is not planned for until they are gone",
     "have scheduling gates, and are not planned for until they are gone"},
    {[](const model::Cluster&, const model::PodState& pod) { return pod.is_daemon; },
     "of a DaemonSet has no node, and none is bought for it",
     "of DaemonSets have no node, and none is bought for them"},
    {[](const model::Cluster&, const model::PodState& pod) { return pod.shape->avoids_node_pools; },
     "asks for a node of no NodePool, and is not planned for",
     "ask for nodes of no NodePool, and are not planned for"},
    {[](const model::Cluster& cluster, const model::PodState& pod) {
         return model::is_nominated(cluster, pod);
     },
     "has room kept on the node it is nominated to, and is not planned for",
     "have room kept on the nodes they are nominated to, and are not planned for"},
}};

}  // namespace

std::vector<std::string> unplanned_pods(const model::Cluster& cluster) {
    std::array<std::vector<std::string>, kReasons.size()> pods;
    for (const model::PodKey& key : cluster.unbound_pods()) {
        const model::PodState& pod = cluster.pods().at(key);
        if (!pod.is_active() || pod.is_mirror) continue;
        for (std::size_t i = 0; i < kReasons.size(); ++i) {
            if (!kReasons[i].holds(cluster, pod)) continue;
            pods[i].push_back(key);
            break;
        }
    }
    std::vector<std::string> out;
    for (std::size_t i = 0; i < kReasons.size(); ++i) {
        if (pods[i].empty()) continue;
        out.push_back(fmt::format("{} {}: {}", count_of(pods[i].size(), "pod"),
                                  pods[i].size() == 1 ? kReasons[i].one : kReasons[i].many,
                                  some_of(pods[i])));
    }
    return out;
}

}  // namespace joiner::cli
