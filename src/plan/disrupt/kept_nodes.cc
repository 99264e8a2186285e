#include "plan/disrupt/kept_nodes.h"

#include <algorithm>
#include <numeric>

namespace joiner::plan {
namespace {

// Whole parts that add up to `sum`, by weight; what is left over goes to the first ones.
std::vector<rules::Money> shared_out(rules::Money sum, const std::vector<std::int64_t>& weights) {
    std::vector<rules::Money> out(weights.size());
    const auto total = std::accumulate(weights.begin(), weights.end(), __int128{0});
    if (weights.empty()) return out;
    rules::Money left = sum;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        out[i].nanos = total == 0 ? sum.nanos / static_cast<std::int64_t>(weights.size())
                                  : static_cast<std::int64_t>(__int128{sum.nanos} * weights[i] / total);
        left -= out[i];
    }
    for (std::size_t i = 0; left.nanos != 0; i = (i + 1) % out.size()) {
        const std::int64_t one = left.nanos > 0 ? 1 : -1;
        out[i].nanos += one;
        left.nanos -= one;
    }
    return out;
}

// Of many nodes at once.
std::string words_for_all(const Reason& reason) {
    switch (reason.rule) {
        case Rule::kPodDisruptionBudget:
            return reason.object + " allows no eviction";
        case Rule::kSeveralBudgets:
            return "pods of several PodDisruptionBudgets, which nothing may evict";
        case Rule::kPodAnnotated:
            return "pods annotated " + reason.detail;
        case Rule::kNodeAnnotated:
            return "nodes annotated " + reason.detail;
        case Rule::kBarePod:
            return "pods that no controller would make again";
        case Rule::kLocalVolume:
            return "pods whose volume is on the node";
        case Rule::kNoBetterPlace:
            return "their pods have no better place for the price";
        case Rule::kControlPlane:
            return "they run the control plane";
        case Rule::kVirtualNode:
            return "they are no machines of their own";
        case Rule::kNotUp:
            return "they have not come up, or are on their way out";
        case Rule::kPodsComing:
            return "pods that wait have room there";
        default:
            return in_words(reason);
    }
}

// What is said of several nodes in one line: one object that keeps them, or pods annotated alike.
std::string said_together(const Reason& reason) {
    switch (reason.rule) {
        case Rule::kSeveralBudgets:
        case Rule::kBarePod:
            return {};
        case Rule::kPodAnnotated:
        case Rule::kNodeAnnotated:
            return words_for_all(reason);
        default:
            return can_be_lifted(reason.rule) ? kept_object(reason) : std::string();
    }
}

rules::Money sum_of(const SavedByNode& saved) {
    rules::Money out;
    for (const auto& [node, saving] : saved) out += saving;
    return out;
}

}  // namespace

std::string_view kept_rule(Rule rule) {
    switch (rule) {
        case Rule::kPodDisruptionBudget:
            return "PodDisruptionBudget";
        case Rule::kSeveralBudgets:
            return "SeveralPodDisruptionBudgets";
        case Rule::kPodAnnotated:
        case Rule::kNodeAnnotated:
            return "DoNotDisrupt";
        case Rule::kBudget:
            return "Budget";
        case Rule::kPaused:
            return "Paused";
        case Rule::kConsolidationOff:
        case Rule::kEmptyNodesOnly:
            return "ConsolidationPolicy";
        case Rule::kStaticPool:
            return "StaticPool";
        case Rule::kBarePod:
            return "BarePod";
        case Rule::kLocalVolume:
            return "LocalVolume";
        case Rule::kControlPlane:
            return "ControlPlane";
        case Rule::kVirtualNode:
            return "VirtualNode";
        case Rule::kPodsComing:
            return "PodsComing";
        case Rule::kTaintAwaited:
            return "StartupTaint";
        case Rule::kPoolMissing:
            return "NodePoolMissing";
        case Rule::kTypesUnknown:
        case Rule::kTypeUnknown:
        case Rule::kLabelMissing:
            return "PriceUnknown";
        case Rule::kNotUp:
            return "NotReady";
        default:
            return "Price";
    }
}

bool can_be_lifted(Rule rule) {
    switch (rule) {
        case Rule::kPodDisruptionBudget:
        case Rule::kSeveralBudgets:
        case Rule::kPodAnnotated:
        case Rule::kNodeAnnotated:
        case Rule::kBudget:
        case Rule::kPaused:
        case Rule::kConsolidationOff:
        case Rule::kEmptyNodesOnly:
        case Rule::kStaticPool:
        case Rule::kBarePod:
            return true;
        default:
            return false;
    }
}

std::string kept_object(const Reason& reason) {
    const std::size_t space = reason.object.rfind(' ');
    return space == std::string::npos ? reason.object : reason.object.substr(space + 1);
}

rules::Money KeptNode::cost() const {
    rules::Money out;
    for (const Keeper& one : reasons) out += one.cost;
    return out;
}

bool KeptNode::can_go() const {
    return std::all_of(reasons.begin(), reasons.end(),
                       [](const Keeper& one) { return can_be_lifted(one.reason.rule); });
}

SavedByNode saved_by_node(const RepackQuestion& question, const std::vector<RepackStep>& steps) {
    SavedByNode out;
    for (const RepackStep& step : steps) {
        std::vector<std::int64_t> prices;
        for (const std::string& node : step.nodes) {
            const auto at = std::lower_bound(
                question.candidates.begin(), question.candidates.end(), node,
                [](const Candidate& candidate, const std::string& name) { return candidate.node < name; });
            prices.push_back(at->price.nanos);
        }
        const std::vector<rules::Money> parts = shared_out(step.saving, prices);
        for (std::size_t i = 0; i < parts.size(); ++i) out[step.nodes[i]] += parts[i];
    }
    return out;
}

void price_keepers(const SavedByNode& now, const SavedByNode& lifted, std::vector<KeptNode>& kept) {
    std::vector<KeptNode*> going;
    std::vector<std::int64_t> weights;
    for (KeptNode& node : kept) {
        for (Keeper& one : node.reasons) one.cost = {};
        const auto saved = lifted.find(node.node);
        if (saved == lifted.end() || saved->second.nanos <= 0 || !node.can_go()) continue;
        going.push_back(&node);
        weights.push_back(saved->second.nanos);
    }
    const rules::Money difference = sum_of(lifted) - sum_of(now);
    if (difference.nanos <= 0) return;
    const std::vector<rules::Money> parts = shared_out(difference, weights);
    for (std::size_t i = 0; i < going.size(); ++i) {
        std::vector<Keeper>& reasons = going[i]->reasons;
        const auto each = shared_out(parts[i], std::vector<std::int64_t>(reasons.size(), 1));
        for (std::size_t r = 0; r < reasons.size(); ++r) reasons[r].cost = each[r];
    }
}

std::vector<KeeperSum> sum_keepers(const std::vector<KeptNode>& kept) {
    std::map<std::pair<std::string_view, std::string>, KeeperSum> sums;
    for (const KeptNode& node : kept) {
        for (const Keeper& one : node.reasons) {
            const std::string_view rule = kept_rule(one.reason.rule);
            KeeperSum& sum = sums[{rule, said_together(one.reason)}];
            if (sum.last_node != node.node) ++sum.nodes;
            sum.last_node = node.node;
            if (sum.message.empty()) sum.message = words_for_all(one.reason);
            sum.rule = rule;
            sum.cost += one.cost;
        }
    }
    std::vector<KeeperSum> out;
    for (auto& [key, sum] : sums) out.push_back(std::move(sum));
    std::stable_sort(out.begin(), out.end(), [](const KeeperSum& a, const KeeperSum& b) {
        return a.cost != b.cost ? a.cost > b.cost : a.nodes > b.nodes;
    });
    return out;
}

}  // namespace joiner::plan
