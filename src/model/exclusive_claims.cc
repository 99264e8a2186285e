#include "model/exclusive_claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace joiner::model {
namespace {

constexpr std::string_view kReadWriteOncePod = "ReadWriteOncePod";

// "ns/name" of the claim of a pod's volume, where one pod has it at a time; empty otherwise. The claim of an
// ephemeral volume has one pod anyway.
std::string exclusive_claim(const Cluster& cluster, const PodState& pod, const VolumeUse& use) {
    if (use.is_ephemeral) return {};
    std::string name = pod.id.ns() + "/" + use.claim;
    const auto kept = cluster.volume_claims().find(name);
    if (kept == cluster.volume_claims().end()) return {};
    const std::vector<std::string>& modes = kept->second.object.access_modes;
    return std::find(modes.begin(), modes.end(), kReadWriteOncePod) == modes.end() ? std::string{} : name;
}

}  // namespace

std::string ExclusiveClaims::problem(const PodState& pod) {
    if (!has_some(pod)) return {};
    if (!is_known_) find_users();
    for (const VolumeUse& use : *pod.volumes) {
        const auto user = users_.find(exclusive_claim(cluster_, pod, use));
        if (user == users_.end() || user->second->id == pod.id) continue;
        const std::string other = user->second->id.full_name();
        return fmt::format("PersistentVolumeClaim {} is ReadWriteOncePod, and {}", use.claim,
                           rank(*user->second) == 2
                               ? fmt::format("pod {} gets it first", other)
                               : fmt::format("in use by pod {} until that one ends", other));
    }
    return {};
}

bool ExclusiveClaims::has_some(const PodState& pod) const {
    return pod.volumes != nullptr &&
           std::any_of(pod.volumes->begin(), pod.volumes->end(),
                       [&](const VolumeUse& use) { return !exclusive_claim(cluster_, pod, use).empty(); });
}

void ExclusiveClaims::find_users() {
    is_known_ = true;
    for (const auto& [key, pod] : cluster_.pods()) {
        if (pod.volumes == nullptr || pod.is_terminal) continue;
        if (pod.node_name.empty() && !is_waiting(pod)) continue;
        take(pod);
    }
}

int ExclusiveClaims::rank(const PodState& pod) const {
    if (!pod.node_name.empty()) return 0;
    const bool is_meant = planned_ != nullptr && planned_->contains(pod.id.uid());
    return is_meant || is_nominated(cluster_, pod) ? 1 : 2;
}

// As the scheduler takes pods that wait: by priority, then age.
void ExclusiveClaims::take(const PodState& pod) {
    const auto order = [&](const PodState& one) {
        return std::tuple(rank(one), !one.shape->problem.empty(), -std::int64_t{one.priority}, one.created,
                          one.id.full_name());
    };
    for (const VolumeUse& use : *pod.volumes) {
        const std::string claim = exclusive_claim(cluster_, pod, use);
        if (claim.empty()) continue;
        const PodState*& user = users_[claim];
        if (user == nullptr || order(pod) < order(*user)) user = &pod;
    }
}

}  // namespace joiner::model
