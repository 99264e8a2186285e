// The names other people's tools hold on to: labels, annotations, taints, finalizers, condition types. They
// are contract (Karpenter's public API); the few of our own are in the joiner.sh domain.
#pragma once

#include <string_view>

namespace joiner::api {

inline constexpr std::string_view kNodePoolLabel = "karpenter.sh/nodepool";
// The first API's name of the pool, on nodes of Provisioners beside the label of today.
inline constexpr std::string_view kProvisionerLabel = "karpenter.sh/provisioner-name";
inline constexpr std::string_view kCapacityTypeLabel = "karpenter.sh/capacity-type";
inline constexpr std::string_view kRegisteredLabel = "karpenter.sh/registered";
inline constexpr std::string_view kInitializedLabel = "karpenter.sh/initialized";
inline constexpr std::string_view kDoNotSyncTaintsLabel = "karpenter.sh/do-not-sync-taints";
inline constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";
// What the EBS CSI driver calls the zone, in volumes and classes.
inline constexpr std::string_view kEbsZoneLabel = "topology.ebs.csi.aws.com/zone";
inline constexpr std::string_view kZoneIdLabel = "topology.k8s.aws/zone-id";
inline constexpr std::string_view kRegionLabel = "topology.kubernetes.io/region";
inline constexpr std::string_view kInstanceTypeLabel = "node.kubernetes.io/instance-type";
inline constexpr std::string_view kArchLabel = "kubernetes.io/arch";
inline constexpr std::string_view kOSLabel = "kubernetes.io/os";
inline constexpr std::string_view kHostnameLabel = "kubernetes.io/hostname";
inline constexpr std::string_view kWindowsBuildLabel = "node.kubernetes.io/windows-build";
inline constexpr std::string_view kExcludeBalancersLabel =
    "node.kubernetes.io/exclude-from-external-load-balancers";

inline constexpr std::string_view kDoNotDisruptAnnotation = "karpenter.sh/do-not-disrupt";
// The first API's, on a pod: as do-not-disrupt. Only "true" counts.
inline constexpr std::string_view kDoNotEvictAnnotation = "karpenter.sh/do-not-evict";
// The first API's, on a Node: "true" keeps consolidation off it, and nothing else.
inline constexpr std::string_view kDoNotConsolidateAnnotation = "karpenter.sh/do-not-consolidate";
// On a node class that was made of an object of the first API: "<kind>/<name>" of that, and a hash of the
// spec that was made of it last.
inline constexpr std::string_view kMadeFromAnnotation = "joiner.sh/made-from";
inline constexpr std::string_view kMadeSpecAnnotation = "joiner.sh/made-from-hash";
// On a Node: "true" keeps repair off it.
inline constexpr std::string_view kDoNotRepairAnnotation = "karpenter.sh/do-not-repair";
inline constexpr std::string_view kPodDeletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";
// On a pod: what its eviction weighs, for us alone; ReplicaSets do not read it.
inline constexpr std::string_view kDisruptionCostAnnotation = "karpenter.sh/disruption-cost";
// On a NodeClaim that is being rebooted: the boot id before it, and how long pods may hold it up.
inline constexpr std::string_view kRebootPreBootIdAnnotation = "karpenter.sh/reboot-pre-boot-id";
inline constexpr std::string_view kRebootGracePeriodAnnotation =
    "karpenter.sh/reboot-termination-grace-period";
// On a NodePool: dollars an hour that a node costs besides its price (licences, addresses, agents).
inline constexpr std::string_view kNodeCostAnnotation = "joiner.sh/node-cost-per-hour";
// On a NodePool: cores of its capacity that are on demand, and the part of the rest that is, in percent
// (docs/ratio.md).
inline constexpr std::string_view kOnDemandBaseAnnotation = "joiner.sh/on-demand-base";
inline constexpr std::string_view kOnDemandPercentAnnotation = "joiner.sh/on-demand-percent-above-base";
inline constexpr std::string_view kPausedAnnotation = "joiner.sh/disruption-paused";
inline constexpr std::string_view kPodMovesAnnotation = "joiner.sh/pod-moves-per-hour";
// On a NodePool: "false" keeps its nodes where they are when a heavier pool that they stand in for sells
// again.
inline constexpr std::string_view kReturnAnnotation = "joiner.sh/return-to-heavier-pool";
// On a NodeClaim: the heavier NodePool that had nothing for its pods when it was made.
inline constexpr std::string_view kPassedOverAnnotation = "joiner.sh/passed-over";
inline constexpr std::string_view kSoldOutAnnotation = "joiner.sh/sold-out";
// On a NodeClaim that was made with others that ask for the same: "<group>/<claims>" (cloud/launch_group.h).
inline constexpr std::string_view kLaunchGroupAnnotation = "joiner.sh/launch-group";
// On a pod: "true" asks that its replacement be Ready before it is evicted (docs/lifecycle.md).
inline constexpr std::string_view kSurgeAnnotation = "joiner.sh/surge-before-evict";
// On a pod that its ReplicaSet has let go for that: "<replica set>/<its template hash>/<since when>".
inline constexpr std::string_view kSurgingAnnotation = "joiner.sh/surging";
inline constexpr std::string_view kPodTemplateHashLabel = "pod-template-hash";
inline constexpr std::string_view kNodePoolHashAnnotation = "karpenter.sh/nodepool-hash";
inline constexpr std::string_view kNodePoolHashVersionAnnotation = "karpenter.sh/nodepool-hash-version";
inline constexpr std::string_view kNodePoolHashVersion = "v3";
inline constexpr std::string_view kTerminationTimestampAnnotation =
    "karpenter.sh/nodeclaim-termination-timestamp";
inline constexpr std::string_view kMinValuesRelaxedAnnotation = "karpenter.sh/nodeclaim-min-values-relaxed";
// On the pods a CapacityBuffer stands for; they are never written anywhere.
inline constexpr std::string_view kHeadroomPodPrefix = "capacity-buffer-";
inline constexpr std::string_view kPriceOverlayAnnotation = "karpenter.sh/price-overlay-applied";
inline constexpr std::string_view kCapacityOverlayAnnotation = "karpenter.sh/capacity-overlay-applied";

inline constexpr std::string_view kTerminationFinalizer = "karpenter.sh/termination";
inline constexpr std::string_view kUnregisteredTaint = "karpenter.sh/unregistered";  // NoExecute
inline constexpr std::string_view kDisruptedTaint = "karpenter.sh/disrupted";        // NoSchedule
inline constexpr std::string_view kRebootingTaint = "karpenter.sh/rebooting";        // NoSchedule
// Ours: keeps the scheduler off a new node until the pods planned for it are bound (docs/binding.md).
// NoSchedule.
inline constexpr std::string_view kBindingTaint = "joiner.sh/binding";

inline constexpr std::string_view kNotReadyTaint = "node.kubernetes.io/not-ready";
inline constexpr std::string_view kUnreachableTaint = "node.kubernetes.io/unreachable";
inline constexpr std::string_view kCloudUninitializedTaint = "node.cloudprovider.kubernetes.io/uninitialized";
inline constexpr std::string_view kReadinessTaintPrefix = "readiness.k8s.io/";
inline constexpr std::string_view kUnschedulableTaint = "node.kubernetes.io/unschedulable";

inline constexpr std::string_view kNoSchedule = "NoSchedule";
inline constexpr std::string_view kPreferNoSchedule = "PreferNoSchedule";
inline constexpr std::string_view kNoExecute = "NoExecute";

inline constexpr std::string_view kOnDemand = "on-demand";
inline constexpr std::string_view kSpot = "spot";
inline constexpr std::string_view kReserved = "reserved";

}  // namespace joiner::api
