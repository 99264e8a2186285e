#include "control/watches.h"

#include <algorithm>
#include <utility>

#include "control/node_class_resource.h"
#include "model/cluster.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

struct Watched {
    model::Kind kind;
    kube::Resource resource;
    bool (*is_wanted)(const Options&) = nullptr;  // Always, where absent.
    bool is_dispensable = false;
};
bool has_overlays(const Options& options) {
    return options.gates.node_overlay;
}
bool has_buffers(const Options& options) {
    return options.gates.capacity_buffer;
}
bool has_default_spread(const Options& options) {
    return !options.default_spread.empty();
}
bool reads_replica_sets(const Options& options) {
    return reads_templates(options) || options.plan_ahead;
}
const Watched kWatched[] = {
    {model::Kind::kPod, kube::kPods},
    {model::Kind::kNode, kube::kNodes},
    {model::Kind::kNodeClaim, kube::kNodeClaims},
    {model::Kind::kNodePool, kube::kNodePools},
    {model::Kind::kDaemonSet, kube::kDaemonSets},
    {model::Kind::kNamespace, kube::kNamespaces},
    {model::Kind::kPersistentVolumeClaim, kube::kPersistentVolumeClaims},
    {model::Kind::kPersistentVolume, kube::kPersistentVolumes},
    {model::Kind::kStorageClass, kube::kStorageClasses},
    {model::Kind::kCSINode, kube::kCSINodes},
    {model::Kind::kPodDisruptionBudget, kube::kPodDisruptionBudgets},
    {model::Kind::kVolumeAttachment, kube::kVolumeAttachments},
    {model::Kind::kLimitRange, kube::kLimitRanges},
    {model::Kind::kNodeOverlay, kube::kNodeOverlays, has_overlays},
    {model::Kind::kCapacityBuffer, kube::kCapacityBuffers, has_buffers},
    {model::Kind::kPodTemplate, kube::kPodTemplates, has_buffers},
    {model::Kind::kDeployment, kube::kDeployments, has_buffers},
    {model::Kind::kStatefulSet, kube::kStatefulSets, reads_templates},
    {model::Kind::kReplicaSet, kube::kReplicaSets, reads_replica_sets, true},
    {model::Kind::kService, kube::kServices, has_default_spread},
    {model::Kind::kReplicationController, kube::kReplicationControllers, has_default_spread},
    // Few clusters have them, and roles that were written before do not name them.
    {model::Kind::kProvisioner, kube::kProvisioners, nullptr, true},
    {model::Kind::kAwsNodeTemplate, kube::kAwsNodeTemplates, nullptr, true},
};

}  // namespace

bool reads_templates(const Options& options) {
    return has_buffers(options) || has_default_spread(options);
}

Watches::Watches(io::Loop& loop, kube::Client& client, model::Cluster& cluster, const Options& options,
                 const std::vector<cloud::NodeClassResource>& node_classes, const FeedListener& listener,
                 Rng& rng)
    : loop_(loop), client_(client), cluster_(cluster) {
    const auto reflector = [&](const kube::Resource& resource, kube::ObjectHandler& feed,
                               bool is_dispensable) {
        kube::ReflectorOptions its;
        its.is_dispensable = is_dispensable;
        return std::make_unique<kube::Reflector>(loop, client, resource, std::move(its), Rng(rng.next()),
                                                 feed);
    };
    for (const cloud::NodeClassResource& each : node_classes) {
        OfNodeClass& one = node_classes_.emplace_back();
        one.feed = std::make_unique<NodeClassFeed>(cloud::kind_of(each), cluster, listener);
        one.reflector = reflector(resource_of(each), *one.feed, false);
    }
    for (const Watched& watched : kWatched) {
        if (watched.is_wanted != nullptr && !watched.is_wanted(options)) continue;
        OfKind& one = kinds_.emplace_back();
        one.kind = watched.kind;
        one.feed = std::make_unique<Feed>(watched.kind, cluster, listener);
        one.reflector = reflector(watched.resource, *one.feed, watched.is_dispensable);
    }
}

void Watches::start() {
    for (const OfKind& one : kinds_) one.reflector->start();
    for (const OfNodeClass& one : node_classes_) one.reflector->start();
}

void Watches::stop() {
    for (const OfKind& one : kinds_) one.reflector->stop();
    for (const OfNodeClass& one : node_classes_) one.reflector->stop();
}

bool Watches::is_synced() const {
    return cluster_.is_synced() &&
           std::all_of(kinds_.begin(), kinds_.end(),
                       [this](const OfKind& one) { return cluster_.is_synced(one.kind); }) &&
           std::all_of(node_classes_.begin(), node_classes_.end(),
                       [](const OfNodeClass& one) { return one.feed->is_synced(); });
}

bool Watches::are_fresh() const {
    return std::none_of(kinds_.begin(), kinds_.end(), [](const OfKind& one) {
        const bool is_vital = one.kind == model::Kind::kPod || one.kind == model::Kind::kNode ||
                              one.kind == model::Kind::kNodeClaim;
        return is_vital && one.reflector->broken_since();
    });
}

std::optional<Duration> Watches::look_for_outage() {
    const WallTime now = loop_.now();
    std::optional<Duration> lasted;
    if (!are_fresh()) {
        if (!outage_began_) {
            outage_began_ = now;
            observe::log_info("controller", "watches are broken; nothing is planned until they are well");
        }
    } else if (outage_began_) {
        lasted = now - *outage_began_;
        outage_began_.reset();
        observe::log_info("controller", "watches are well again");
    }
    const std::uint64_t recoveries = client_.counters().recoveries;
    if (recoveries != std::exchange(recoveries_seen_, recoveries)) {
        for (const OfKind& one : kinds_) one.reflector->retry_soon();
        for (const OfNodeClass& one : node_classes_) one.reflector->retry_soon();
    }
    return lasted;
}

}  // namespace joiner::control
