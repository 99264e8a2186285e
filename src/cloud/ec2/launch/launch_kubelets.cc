#include "cloud/ec2/launch/launch_kubelets.h"

#include <algorithm>
#include <utility>

#include "cloud/ec2/types/kubelet_of_type.h"

namespace joiner::cloud::ec2 {

Result<LaunchKubelets> LaunchKubelets::read(const FleetGround& ground) {
    const Ec2NodeClass& node_class = ground.node_class;
    auto kubelet = parse_kubelet(node_class.kubelet, node_class.family, ground.settings.node_class_cel);
    if (!kubelet) return fail(ErrorKind::kNotReady, kubelet.error().message);
    return LaunchKubelets(shape_of(node_class, std::move(*kubelet), ground.settings), ground.region);
}

Result<const KubeletSettings*> LaunchKubelets::of(const std::string& type) {
    if (!shape_.kubelet.has_expressions()) return &shape_.kubelet;
    if (const auto known = resolved_.find(type); known != resolved_.end()) return &known->second;
    if (region_ == nullptr)
        return fail(ErrorKind::kNotReady, "EC2 has not said yet which instance types there are");
    const auto info = std::lower_bound(
        region_->types.begin(), region_->types.end(), type,
        [](const InstanceTypeInfo& each, const std::string& name) { return each.name < name; });
    if (info == region_->types.end() || info->name != type)
        return fail(ErrorKind::kNotReady, "EC2 has not described " + type +
                                              ", which the expressions in spec.kubelet are worked out for");
    TypeKubelet resolved = kubelet_of(*info, shape_);
    if (!resolved.max_pods_failure.empty())
        return fail(ErrorKind::kNotReady, resolved.max_pods_failure + ", for " + type);
    return &resolved_.emplace(type, std::move(resolved.settings)).first->second;
}

}  // namespace joiner::cloud::ec2
