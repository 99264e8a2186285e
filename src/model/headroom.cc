#include "model/headroom.h"

#include <fmt/format.h>

#include "rules/capacity_buffer.h"

namespace joiner::model {
namespace {

std::optional<Kind> scalable_kind(const api::CapacityBuffer& buffer) {
    if (!buffer.scalable_api_group.empty() && buffer.scalable_api_group != "apps") return std::nullopt;
    if (buffer.scalable_kind == "Deployment") return Kind::kDeployment;
    if (buffer.scalable_kind == "StatefulSet") return Kind::kStatefulSet;
    if (buffer.scalable_kind == "ReplicaSet") return Kind::kReplicaSet;
    return std::nullopt;
}

Headroom unresolved(std::string reason, std::string problem) {
    return {nullptr, 0, std::move(reason), std::move(problem)};
}

}  // namespace

Headroom headroom_of(const Cluster& cluster, const api::CapacityBuffer& buffer) {
    Headroom out;
    if (!buffer.pod_template.empty()) {
        out.source = cluster.find_template(Kind::kPodTemplate, buffer.meta.ns + "/" + buffer.pod_template);
        if (out.source == nullptr)
            return unresolved("PodTemplateNotFound",
                              fmt::format("PodTemplate {} does not exist", buffer.pod_template));
    } else if (!buffer.scalable_name.empty()) {
        const auto kind = scalable_kind(buffer);
        if (!kind)
            return unresolved(
                "ResolutionFailed",
                fmt::format("scalableRef {}{}{} is none of Deployment, StatefulSet and ReplicaSet of apps",
                            buffer.scalable_api_group, buffer.scalable_api_group.empty() ? "" : "/",
                            buffer.scalable_kind));
        out.source = cluster.find_template(*kind, buffer.meta.ns + "/" + buffer.scalable_name);
        if (out.source == nullptr)
            return unresolved("ScalableRefNotFound", fmt::format("{} {} does not exist", buffer.scalable_kind,
                                                                 buffer.scalable_name));
    } else {
        return unresolved("ResolutionFailed", "neither podTemplateRef nor scalableRef is given");
    }
    out.replicas = rules::headroom_replicas(buffer, out.source->replicas, out.source->shape->requests);
    if (buffer.meta.deleted) out.replicas = 0;
    return out;
}

}  // namespace joiner::model
