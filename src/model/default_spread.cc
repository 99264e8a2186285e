#include "model/default_spread.h"

#include <algorithm>

namespace joiner::model {
namespace {

bool selects(const api::StringMap& selector, const api::StringMap& labels) {
    return std::all_of(selector.begin(), selector.end(), [&](const auto& wanted) {
        const auto it = labels.find(wanted.first);
        return it != labels.end() && it->second == wanted.second;
    });
}

const TemplateState* owner_of(const Cluster& cluster, const PodState& pod, std::string_view kind,
                              std::string_view name) {
    const std::string key = pod.id.ns() + "/" + std::string(name);
    if (kind == "ReplicaSet") return cluster.find_template(Kind::kReplicaSet, key);
    if (kind == "StatefulSet") return cluster.find_template(Kind::kStatefulSet, key);
    if (kind == "Deployment") return cluster.find_template(Kind::kDeployment, key);
    return nullptr;
}

}  // namespace

std::optional<api::LabelSelector> default_selector(const Cluster& cluster, const PodState& pod) {
    api::LabelSelector out;
    const auto& services = cluster.services();
    const std::string prefix = pod.id.ns() + "/";
    for (auto it = services.lower_bound(prefix); it != services.end() && it->first.starts_with(prefix);
         ++it) {
        const api::StringMap& selector = it->second.object.selector;
        if (selector.empty() || pod.labels == nullptr || !selects(selector, pod.labels->labels)) continue;
        for (const auto& [key, value] : selector) out.match_labels[key] = value;
    }
    const std::size_t slash = pod.selecting_owner.find('/');
    const std::string_view owner = pod.selecting_owner;
    if (slash != std::string::npos) {
        const std::string_view kind = owner.substr(0, slash);
        const std::string_view name = owner.substr(slash + 1);
        if (kind == "ReplicationController") {
            const auto it = cluster.replication_controllers().find(prefix + std::string(name));
            if (it != cluster.replication_controllers().end()) {
                for (const auto& [key, value] : it->second.object.selector) out.match_labels[key] = value;
            }
        } else if (const TemplateState* made_by = owner_of(cluster, pod, kind, name);
                   made_by != nullptr && made_by->selector) {
            for (const auto& [key, value] : made_by->selector->match_labels)
                out.match_expressions.push_back({key, "In", {value}, {}});
            out.match_expressions.insert(out.match_expressions.end(),
                                         made_by->selector->match_expressions.begin(),
                                         made_by->selector->match_expressions.end());
        }
    }
    if (out.match_labels.empty() && out.match_expressions.empty()) return std::nullopt;
    return out;
}

}  // namespace joiner::model
