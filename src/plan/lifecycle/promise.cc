#include "plan/lifecycle/promise.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "plan/lifecycle/initialization.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

std::string pool_of(const api::NodeClaim& claim) {
    const std::string_view pool = api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
    return pool.empty() ? "NodeClaim " + claim.meta.name : fmt::format("NodePool {}", pool);
}

std::string undeclared(const model::PodState& pod, const api::NodeClaim& claim, const api::Node& node) {
    for (const api::Taint& taint : rules::undeclared_taints(node.taints, claim)) {
        if (rules::untolerated_taint(pod.shape->tolerations, {taint}) == nullptr) continue;
        return fmt::format(
            "node {} has the taint {}, which {} does not declare; add it to spec.template.spec.startupTaints "
            "if it goes by itself, or to spec.template.spec.taints if it stays",
            node.meta.name, text_of(taint), pool_of(claim));
    }
    return {};
}

std::string unlike_labels(const model::PodState& pod, const api::NodeClaim& claim, const api::Node& node) {
    rules::Requirements labels;
    labels.add_labels(node.meta.labels);
    std::string out;
    for (const rules::Requirements& wanted : pod.shape->required) {
        const auto reason = rules::incompatibility(labels, wanted, nullptr);
        if (!reason) return {};
        if (out.empty())
            out = fmt::format(
                "node {} is not labelled as was promised: the pod asks for {}; have the node register with "
                "the labels that {} and its instance type say",
                node.meta.name, *reason, pool_of(claim));
    }
    return out;
}

std::string too_small(const model::PodState& pod, const api::NodeClaim& claim, const model::NodeState& node) {
    const rules::Resources promised = rules::as_capacity(claim.allocatable);
    const std::string_view type = api::find_or_empty(node.node.meta.labels, api::kInstanceTypeLabel);
    if (const std::string lack = rules::shortage(promised, node.allocatable); !lack.empty()) {
        return fmt::format(
            "node {} is smaller than its instance type {} says ({}); correct the overhead of the type, with "
            "a "
            "NodeOverlay for example",
            node.node.meta.name, type, lack);
    }
    rules::Resources beside = node.allocatable - node.daemon_used;
    if (const std::string lack = rules::shortage(pod.shape->requests, beside); !lack.empty()) {
        return fmt::format("daemons leave too little of node {} ({}); look at what its DaemonSets request",
                           node.node.meta.name, lack);
    }
    return {};
}

}  // namespace

std::string text_of(const api::Taint& taint) {
    return fmt::format("{}{}{}:{}", taint.key, taint.value.empty() ? "" : "=", taint.value, taint.effect);
}

std::string broken_promise(const model::PodState& pod, const api::NodeClaim& claim,
                           const model::NodeState& node) {
    if (!rules::is_true(claim.conditions, "Initialized")) {
        if (std::string missing = missing_for_initialization(claim, node.node); !missing.empty())
            return missing;
    }
    if (std::string taint = undeclared(pod, claim, node.node); !taint.empty()) return taint;
    if (std::string label = unlike_labels(pod, claim, node.node); !label.empty()) return label;
    return too_small(pod, claim, node);
}

}  // namespace joiner::plan
