#include "model/volume_places.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "api/names.h"

namespace joiner::model {
namespace {

using rules::Requirements;

constexpr std::string_view kNoProvisioner = "kubernetes.io/no-provisioner";
constexpr std::size_t kMaxPlaces = 256;  // Of the product of all volumes' alternatives.

template <typename T>
const T* find(const KeptByName<T>& kept, std::string_view name) {
    const auto it = kept.find(name);
    return it == kept.end() ? nullptr : &it->second.object;
}

// What stands behind one volume.
struct Backing {
    std::string id;  // The same for pods that share it.
    std::string driver;
    std::vector<Requirements> places;
    bool is_to_be_made = false;  // Where its first pod goes.
    std::string problem;
};

// Drivers whose volumes are reached in one zone, for clusters where no node tells the driver's topology.
bool is_known_as_zonal(std::string_view driver) {
    constexpr std::string_view kZonal[] = {
        "ebs.csi.aws.com",          "kubernetes.io/aws-ebs", "pd.csi.storage.gke.io",
        "kubernetes.io/gce-pd",     "disk.csi.azure.com",    "kubernetes.io/azure-disk",
        "cinder.csi.openstack.org", "kubernetes.io/cinder",  "ebs.csi.eks.amazonaws.com"};
    return std::find(std::begin(kZonal), std::end(kZonal), driver) != std::end(kZonal);
}

// The label that says where a volume of the driver can be reached; empty: everywhere, or not known.
std::string reach_of(const Cluster& cluster, std::string_view driver) {
    for (const auto& [name, kept] : cluster.csi_nodes()) {
        const auto keys = kept.object.topology_keys.find(driver);
        if (keys == kept.object.topology_keys.end()) continue;
        for (const std::string& key : keys->second) {
            const std::string_view known = rules::normalize_label(key);
            if (known == api::kZoneLabel || known == api::kHostnameLabel) return std::string(known);
        }
    }
    return is_known_as_zonal(driver) ? std::string(api::kZoneLabel) : std::string();
}

std::vector<Requirements> read_terms(const std::vector<api::NodeSelectorTerm>& terms) {
    std::vector<Requirements> out;
    for (const api::NodeSelectorTerm& term : terms) {
        auto requirements = rules::make_requirements(term.match_expressions);
        if (requirements) out.push_back(std::move(*requirements));
    }
    return out;
}

void read_volume(const Cluster& cluster, const api::PersistentVolumeClaim& claim, Backing& out) {
    const api::PersistentVolume* volume = find(cluster.volumes(), claim.volume_name);
    if (volume == nullptr) {
        out.problem = fmt::format("PersistentVolume {} of PersistentVolumeClaim {} does not exist",
                                  claim.volume_name, claim.meta.name);
        return;
    }
    out.driver = volume->csi_driver;
    out.places = read_terms(volume->node_terms);
    if (out.places.empty() && !volume->node_terms.empty())
        out.problem =
            fmt::format("the node affinity of PersistentVolume {} is not understood", claim.volume_name);
    // Volumes of old carry their place as labels.
    Requirements labels;
    for (const auto& [key, value] : volume->meta.labels) {
        const std::string_view known = rules::normalize_label(key);
        if (known != "topology.kubernetes.io/zone" && known != "topology.kubernetes.io/region") continue;
        std::vector<std::string> values;
        for (std::size_t at = 0; at <= value.size();) {
            const std::size_t end = std::min(value.find("__", at), value.size());
            values.push_back(value.substr(at, end - at));
            at = end + 2;
        }
        labels.add(rules::Requirement::in(std::string(known), std::move(values)));
    }
    if (labels.empty()) return;
    if (out.places.empty()) out.places.emplace_back();
    for (Requirements& place : out.places) place.add_all(labels);
}

// Volumes that are there and free, for a class that makes none.
std::vector<Requirements> free_volumes(const Cluster& cluster, const std::string& storage_class,
                                       const api::ResourceMap& wanted, const std::string& claim) {
    std::vector<Requirements> out;
    const auto size = wanted.find("storage");
    for (const auto& [name, kept] : cluster.volumes()) {
        const api::PersistentVolume& volume = kept.object;
        if (volume.storage_class != storage_class || volume.meta.deleted) continue;
        if (!volume.claim.empty() && volume.claim != claim) continue;
        const auto capacity = volume.capacity.find("storage");
        if (size != wanted.end() &&
            (capacity == volume.capacity.end() || capacity->second.units_down() < size->second.units_down()))
            continue;
        std::vector<Requirements> places = read_terms(volume.node_terms);
        if (places.empty()) places.emplace_back();
        for (Requirements& place : places) {
            if (std::find(out.begin(), out.end(), place) == out.end()) out.push_back(std::move(place));
        }
    }
    return out;
}

// `claim` may be nullptr: an ephemeral volume whose claim is still to be made.
void read_class(const Cluster& cluster, const std::string& name, const std::string& claim_name,
                const api::PersistentVolumeClaim* claim, Backing& out) {
    const api::StorageClass* storage_class = find(cluster.storage_classes(), name);
    if (storage_class == nullptr) {
        out.problem =
            fmt::format("StorageClass {} of PersistentVolumeClaim {} does not exist", name, claim_name);
        return;
    }
    out.driver = storage_class->provisioner;
    if (storage_class->binding_mode != "WaitForFirstConsumer") {
        // It is bound, or made, without waiting for the pod.
        if (claim != nullptr)
            out.problem = fmt::format("PersistentVolumeClaim {} is not bound yet", claim_name);
        return;
    }
    if (storage_class->provisioner == kNoProvisioner) {
        out.driver.clear();
        out.places = free_volumes(cluster, name, claim == nullptr ? api::ResourceMap{} : claim->requests,
                                  claim == nullptr ? "" : api::full_name(claim->meta));
        if (out.places.empty()) {
            out.problem =
                fmt::format("no free PersistentVolume of StorageClass {} suits PersistentVolumeClaim {}",
                            name, claim_name);
        }
        return;
    }
    out.places = read_terms(storage_class->allowed_topologies);
    out.is_to_be_made = true;
}

Backing read_backing(const Cluster& cluster, const std::string& ns, const VolumeUse& use) {
    Backing out;
    out.id = ns + "/" + use.claim;
    const api::PersistentVolumeClaim* claim = find(cluster.volume_claims(), out.id);
    if (claim == nullptr) {
        if (use.is_ephemeral && use.has_storage_class) {
            read_class(cluster, use.storage_class, use.claim, nullptr, out);
        } else if (!use.is_ephemeral) {
            out.problem = fmt::format("PersistentVolumeClaim {} does not exist", use.claim);
        } else {
            out.problem = fmt::format("the claim {} of its ephemeral volume does not exist yet", use.claim);
        }
        return out;
    }
    if (claim->meta.deleted) {
        out.problem = fmt::format("PersistentVolumeClaim {} is being deleted", use.claim);
    } else if (claim->phase == "Lost") {
        out.problem = fmt::format("PersistentVolumeClaim {} has lost its volume", use.claim);
    } else if (!claim->volume_name.empty()) {
        read_volume(cluster, *claim, out);
    } else if (claim->storage_class.empty()) {
        out.problem =
            fmt::format("PersistentVolumeClaim {} is not bound and has no storage class", use.claim);
    } else {
        read_class(cluster, claim->storage_class, use.claim, claim, out);
    }
    return out;
}

}  // namespace

VolumeUsers count_volume_users(const Cluster& cluster) {
    VolumeUsers out;
    for (const auto& [key, pod] : cluster.pods()) {
        if (pod.volumes == nullptr || pod.is_terminal) continue;
        for (const VolumeUse& use : *pod.volumes) ++out[pod.id.ns() + "/" + use.claim];
    }
    return out;
}

rules::PodVolumes volume_places(const Cluster& cluster, const PodState& pod, const VolumeUsers& users) {
    rules::PodVolumes out;
    std::map<std::string, std::set<std::string>> own;
    std::set<std::pair<std::string, std::string>> shared;
    for (const VolumeUse& use : *pod.volumes) {
        Backing backing = read_backing(cluster, pod.id.ns(), use);
        if (out.problem.empty()) out.problem = backing.problem;
        const auto user = users.find(backing.id);
        const bool is_shared = user != users.end() && user->second > 1;
        if (!backing.driver.empty()) {
            if (is_shared) {
                shared.emplace(backing.driver, backing.id);
            } else {
                own[backing.driver].insert(backing.id);
            }
        }
        if (is_shared && backing.is_to_be_made) {
            if (std::string key = reach_of(cluster, backing.driver); !key.empty())
                out.together.push_back({backing.id, std::move(key)});
        }
        if (backing.places.empty()) continue;
        if (out.places.empty()) {
            out.places = std::move(backing.places);
            continue;
        }
        std::vector<Requirements> both;
        for (const Requirements& a : out.places) {
            for (const Requirements& b : backing.places) {
                if (!rules::intersects(a, b) || both.size() >= kMaxPlaces) continue;
                Requirements one = a;
                one.add_all(b);
                if (std::find(both.begin(), both.end(), one) == both.end()) both.push_back(std::move(one));
            }
        }
        if (both.empty() && out.problem.empty()) out.problem = "its volumes are in different places";
        out.places = std::move(both);
        if (out.places.empty()) return out;
    }
    for (const auto& [driver, claims] : own)
        out.by_driver.emplace_back(driver, static_cast<int>(claims.size()));
    out.shared.assign(shared.begin(), shared.end());
    return out;
}

void AttachedVolumes::add(const Cluster& cluster, const PodState& pod) {
    if (pod.volumes == nullptr || pod.is_terminal) return;
    for (const VolumeUse& use : *pod.volumes) {
        Backing backing = read_backing(cluster, pod.id.ns(), use);
        if (!backing.driver.empty()) ids_[backing.driver].insert(std::move(backing.id));
    }
}

VolumeLimits AttachedVolumes::left_of(const VolumeLimits& limits) const {
    VolumeLimits out;
    for (const auto& [driver, limit] : limits) {
        const auto there = ids_.find(driver);
        const int taken = there == ids_.end() ? 0 : static_cast<int>(there->second.size());
        out.emplace_back(driver, std::max(0, limit - taken));
    }
    return out;
}

std::vector<std::string> AttachedVolumes::shared(const VolumeUsers& users) const {
    std::vector<std::string> out;
    for (const auto& [driver, ids] : ids_) {
        for (const std::string& id : ids) {
            const auto user = users.find(id);
            if (user != users.end() && user->second > 1) out.push_back(id);
        }
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::map<std::string, VolumeLimits, std::less<>> volume_limits_by_type(const Cluster& cluster) {
    std::map<std::string, std::map<std::string, int>> least;
    for (const auto& [name, kept] : cluster.csi_nodes()) {
        const NodeState* node = cluster.find_node(name);
        if (node == nullptr) continue;
        const std::string_view type = api::find_or_empty(node->node.meta.labels, api::kInstanceTypeLabel);
        if (type.empty()) continue;
        for (const auto& [driver, limit] : kept.object.volume_limits) {
            const auto [it, is_new] = least[std::string(type)].try_emplace(driver, limit);
            if (!is_new) it->second = std::min(it->second, limit);
        }
    }
    std::map<std::string, VolumeLimits, std::less<>> out;
    for (const auto& [type, limits] : least) out.emplace(type, VolumeLimits(limits.begin(), limits.end()));
    return out;
}

}  // namespace joiner::model
