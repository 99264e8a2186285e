#include "cli/static_volumes.h"

#include <algorithm>

namespace joiner::cli {
namespace {

Quantity storage_of(const api::ResourceMap& amounts) {
    const auto it = amounts.find("storage");
    return it == amounts.end() ? Quantity{} : it->second;
}

bool waits_for_pod(const model::Cluster& cluster, const std::string& storage_class) {
    const auto it = cluster.storage_classes().find(storage_class);
    return it != cluster.storage_classes().end() && it->second.object.binding_mode == "WaitForFirstConsumer";
}

bool has_labels(const api::PersistentVolume& volume, const api::StringMap& wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
        const auto it = volume.meta.labels.find(label.first);
        return it != volume.meta.labels.end() && it->second == label.second;
    });
}

bool suits(const StaticVolume& one, const api::PersistentVolumeClaim& claim) {
    return !one.volume.meta.deleted && one.volume.storage_class == claim.storage_class &&
           storage_of(one.volume.capacity) >= storage_of(claim.requests) &&
           std::all_of(claim.access_modes.begin(), claim.access_modes.end(), [&](const std::string& mode) {
               return std::find(one.access_modes.begin(), one.access_modes.end(), mode) !=
                      one.access_modes.end();
           });
}

StaticVolume* find_volume(StaticVolumes& volumes, const std::string& name,
                          const api::PersistentVolumeClaim& claim, bool only_kept) {
    const auto labels = volumes.wanted_labels.find(name);
    StaticVolume* best = nullptr;
    for (auto& [volume_name, one] : volumes.volumes) {
        if (!suits(one, claim)) continue;
        if (one.volume.claim == name) return &one;
        if (only_kept || !one.volume.claim.empty()) continue;
        if (labels != volumes.wanted_labels.end() && !has_labels(one.volume, labels->second)) continue;
        if (best == nullptr || storage_of(one.volume.capacity) < storage_of(best->volume.capacity))
            best = &one;
    }
    return best;
}

}  // namespace

void bind_claims(StaticVolumes& volumes, std::map<std::string, api::PersistentVolumeClaim>& claims,
                 model::Cluster& cluster) {
    for (auto& [name, claim] : claims) {
        if (!claim.volume_name.empty() || claim.meta.deleted || claim.phase == "Lost" ||
            volumes.chosen_otherwise.contains(name))
            continue;
        StaticVolume* found = find_volume(volumes, name, claim, waits_for_pod(cluster, claim.storage_class));
        if (found == nullptr) continue;
        claim.volume_name = found->volume.meta.name;
        claim.phase = "Bound";
        found->volume.claim = name;
        cluster.upsert(found->volume);
    }
}

}  // namespace joiner::cli
