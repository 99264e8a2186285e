// The names by which EC2 nodes, instances and classes are known; all of them Karpenter's, but for two tags.
#pragma once

#include <string_view>

namespace joiner::cloud::ec2 {

inline constexpr std::string_view kGroup = "karpenter.k8s.aws";
inline constexpr std::string_view kKind = "EC2NodeClass";
inline constexpr std::string_view kClassFinalizer = "karpenter.k8s.aws/termination";
inline constexpr std::string_view kProviderPrefix = "aws:///";

// Labels.
inline constexpr std::string_view kClassLabel = "karpenter.k8s.aws/ec2nodeclass";
inline constexpr std::string_view kTenancyLabel = "karpenter.k8s.aws/instance-tenancy";
inline constexpr std::string_view kDefaultTenancy = "default";
inline constexpr std::string_view kPlacementGroupLabel = "karpenter.k8s.aws/placement-group-id";
inline constexpr std::string_view kPartitionLabel = "karpenter.k8s.aws/placement-group-partition";
inline constexpr std::string_view kReservationLabel = "karpenter.k8s.aws/capacity-reservation-id";
inline constexpr std::string_view kReservationTypeLabel = "karpenter.k8s.aws/capacity-reservation-type";
inline constexpr std::string_view kReservationInterruptibleLabel =
    "karpenter.k8s.aws/capacity-reservation-interruptible";

// Resources.
inline constexpr std::string_view kEfaResource = "vpc.amazonaws.com/efa";

// Annotations, of classes and of claims.
inline constexpr std::string_view kHashAnnotation = "karpenter.k8s.aws/ec2nodeclass-hash";
inline constexpr std::string_view kHashVersionAnnotation = "karpenter.k8s.aws/ec2nodeclass-hash-version";
// Of claims.
inline constexpr std::string_view kProfileAnnotation = "karpenter.k8s.aws/instance-profile-name";
// The instance has been tagged with its node's name, and with its cluster's.
inline constexpr std::string_view kTaggedAnnotation = "karpenter.k8s.aws/tagged";
inline constexpr std::string_view kClusterTaggedAnnotation =
    "compatibility.karpenter.k8s.aws/cluster-name-tagged";

// Tags of what is ours.
inline constexpr std::string_view kClusterTag = "eks:eks-cluster-name";
inline constexpr std::string_view kOwnedTagPrefix =
    "kubernetes.io/cluster/";  // With the cluster's name: "owned".
inline constexpr std::string_view kPoolTag = "karpenter.sh/nodepool";
inline constexpr std::string_view kClaimTag = "karpenter.sh/nodeclaim";
// Ours: what an instance was bought for, though it may have no node yet: a claim, by its uid, or a launch
// group, by its id.
inline constexpr std::string_view kBoughtForTag = "joiner.sh/nodeclaim-uid";
// Which claims of a group its fleet was asked for; see launch/fleet_members.h.
inline constexpr std::string_view kMembersTag = "joiner.sh/nodeclaims";

}  // namespace joiner::cloud::ec2
