#include "plan/reason.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace joiner::plan {
namespace {

// In the texts {object}, {detail}, {until}, {money} and the names of amounts stand for what the reason has.
struct RuleText {
    Rule rule;
    std::string_view word;
    std::string_view words;
    std::string_view change;
};

constexpr RuleText kTexts[] = {
    {Rule::kCheapestPlan, "cheapest-plan",
     "the cheapest plan found buys {object} ({detail}) for {pods} pods at {money} $ an hour; {choices} types "
     "would do",
     ""},
    {Rule::kWholePlan, "whole-plan",
     "the whole plan buys {nodes} nodes for {pods} pods at {money} $ an hour, and none costs less than "
     "{detail} $",
     ""},
    {Rule::kRoom, "room", "{object} has room for it", ""},
    {Rule::kKeptPlace, "kept-place", "room was kept for it on {object} when it was moved", ""},
    {Rule::kStaticSize, "static-size", "{object} is static and has {missing} nodes too few",
     "a smaller spec.replicas"},
    {Rule::kReplacement, "replacement",
     "{object} ({detail}) is bought for {pods} pods of nodes that are to go; {choices} types would do", ""},

    {Rule::kNoNodePool, "no-node-pool", "there is no NodePool that is ready", "a NodePool that is Ready"},
    {Rule::kNothingSold, "nothing-sold", "{object}: {detail}",
     "other requirements of {object}, or other instance types"},
    {Rule::kTaint, "taint", "{object}: its taint {detail} is not tolerated",
     "a toleration of {detail}, or {object} without the taint"},
    {Rule::kRequirement, "requirement", "{object}: it asks for {detail}",
     "the pod without that requirement, or {object} with the label"},
    {Rule::kNoOffering, "no-offering", "{object}: no available offering of its types has {detail}",
     "the pod without that requirement, or an offering that has it"},
    {Rule::kDaemons, "daemons", "{object}: {detail}", "other rules between the pod and the daemons"},
    {Rule::kShortage, "shortage", "{object}: {detail}",
     "a pod that asks for less, or a larger type in {object}"},
    {Rule::kLimits, "limits", "{object}: {detail}", "higher spec.limits of {object}"},
    {Rule::kMinValues, "min-values", "{object}: its minValues cannot be met by the types that hold the pod",
     "smaller minValues in {object}"},
    {Rule::kOtherPods, "other-pods", "{object}: {detail}", "other pods elsewhere, or other rules among pods"},
    {Rule::kPodItself, "pod", "{detail}", "another spec of the pod"},
    {Rule::kUnplaced, "unplaced", "{detail}", "other pods elsewhere, or another spec of the pod"},
    {Rule::kFailedLaunches, "failed-launches",
     "{failed} launches for it failed in a row, the last because {detail}; the next is tried at {until}",
     "offerings that can be had"},
    {Rule::kNotAsPromised, "not-as-promised",
     "{bought} nodes were bought for it, and it runs on none of them: {detail}; no more is bought for it "
     "before {until} or a change of a NodePool",
     "{object} as it was promised, or a change of a NodePool"},
    {Rule::kLateNode, "late-node", "no other node is bought for it yet: {detail}",
     "{object} coming up, or its end"},
    {Rule::kPoolInDoubt, "pool-in-doubt",
     "nothing is bought from {object} before {until} or a change of it, because its nodes did not come up "
     "{tries} times in a row: {detail}",
     "a node of {object} that comes up, or a change of it"},

    {Rule::kSoldOut, "sold-out", "it could not be launched: {detail}", "an offering that can be had"},
    {Rule::kInvalidRequest, "invalid-request", "it could not be launched: {detail}",
     "a change of the NodePool or its node class"},
    {Rule::kLaunchError, "launch-error", "it could not be launched and is tried again: {detail}",
     "an answer of the provider"},
    {Rule::kCameUp, "came-up", "its node {detail} has registered", ""},
    {Rule::kNotComeUp, "not-come-up", "its node did not come up: {detail}", ""},
    {Rule::kEnded, "ended", "it was deleted: {detail}", ""},

    {Rule::kEmptyNode, "empty", "no pod needs the node", ""},
    {Rule::kDriftedNode, "drifted", "the node has drifted: {detail}", ""},
    {Rule::kExpiredNode, "expired", "the node is older than its expireAfter", ""},
    {Rule::kSick, "sick", "the node is sick: {detail}", ""},
    {Rule::kHeavierPool, "heavier-pool",
     "{object} has room again for its pods, which went to {detail} for want of it", ""},
    {Rule::kSaves, "saves",
     "{nodes} nodes go, {moves} pods move and {bought} nodes are bought for them: {detail}, and {money} $ an "
     "hour are saved",
     ""},

    {Rule::kPodsComing, "pods-coming", "pods are about to be bound to it", "the pods bound, or elsewhere"},
    {Rule::kNodeAnnotated, "node-annotated", "the node is annotated {detail}", "the node without {detail}"},
    {Rule::kPoolMissing, "pool-missing", "there is no NodePool \"{detail}\"", "the NodePool {detail}"},
    {Rule::kTypesUnknown, "types-unknown", "the instance types of {object} are not known",
     "a provider that names the types of {object}"},
    {Rule::kTaintAwaited, "taint-awaited", "pods wait for its taint {detail} to go", "the node without it"},
    {Rule::kPodAnnotated, "pod-annotated", "{object} is annotated {detail}", "{object} without {detail}"},
    {Rule::kSeveralBudgets, "several-budgets", "{object} has several PodDisruptionBudgets",
     "one PodDisruptionBudget for {object}"},
    {Rule::kPodDisruptionBudget, "pod-disruption-budget", "{object} allows no eviction of pod {detail}",
     "{object} with disruptionsAllowed above 0"},
    {Rule::kConsolidationOff, "consolidation-off", "{object} has consolidation turned off",
     "a consolidateAfter of {object}"},
    {Rule::kEmptyNodesOnly, "empty-nodes-only", "{object} consolidates empty nodes only",
     "consolidationPolicy WhenEmptyOrUnderutilized in {object}"},
    {Rule::kLabelMissing, "label-missing", "the node has no label {detail}", "the label {detail}"},
    {Rule::kTypeUnknown, "type-unknown", "instance type {detail} is not known",
     "a provider that knows the type {detail}"},
    {Rule::kIdleTime, "idle-time", "its pods came or went less than consolidateAfter ago", ""},
    {Rule::kHeadroom, "headroom", "CapacityBuffers keep room on it", "smaller CapacityBuffers"},
    {Rule::kRatio, "ratio", "without it {object} has less on demand than its ratio asks for",
     "less spot capacity in {object}, or another ratio"},
    {Rule::kSaidFirst, "said-first", "its NodeClaim says Consolidatable a few seconds before", ""},
    {Rule::kRest, "rest", "pods were moved there, and rest until that has paid for itself, at {until}", ""},
    {Rule::kNoBetterPlace, "no-better-place", "its pods have no better place for the price",
     "cheaper offerings, other pods or more room elsewhere"},
    {Rule::kNoPlace, "no-place", "{detail}", "a place for the pod"},
    {Rule::kWave, "wave", "as many nodes of {object} are being replaced as have taken the change well",
     "the nodes replaced so far, and their pods, being ready"},
    {Rule::kPutOff, "put-off", "replacing it, or another node of {object}, failed a moment ago", ""},
    {Rule::kStaticPool, "static-pool", "{object} is static and replaces its nodes itself", ""},
    {Rule::kManySick, "many-sick", "not repaired while so many are sick: {detail}", "fewer sick nodes"},
    {Rule::kChangedSince, "changed-since", "what was planned for it does not hold any more", "another plan"},
    {Rule::kControlPlane, "control-plane", "it runs the control plane", ""},
    {Rule::kVirtualNode, "virtual-node", "it is no machine of its own: {detail}", ""},
    {Rule::kBarePod, "bare-pod", "{object} has no controller that would make it again",
     "a workload that owns {object}"},
    {Rule::kLocalVolume, "local-volume", "{object} has its volume {detail} on this node",
     "a volume of {object} that other nodes reach"},
    {Rule::kNotUp, "not-up", "it has not come up, or is on its way out", ""},

    {Rule::kBudget, "budget", "{detail}", "a budget of {object} that allows some"},
    {Rule::kBudgetUsedUp, "budget-used-up",
     "the budgets of {object} allow {allowed} nodes at once as {detail}, and {disrupted} are disrupted",
     "the end of what is under way, or a larger budget of {object}"},
    {Rule::kPaused, "paused", "{detail}", "{object} without the pause"},
    {Rule::kHeld, "held", "{detail}", "a change of {object}, or nodes and pods that come up"},
    {Rule::kPace, "pace", "{detail}", "a larger pace of {object}, or time"},
    {Rule::kFruitless, "fruitless", "{detail}", "time, or a change of {object}"},

    {Rule::kObjection, "objection", "{detail}", ""},
    {Rule::kReplacementFailed, "replacement-failed", "what was to replace the node did not come up",
     "replacements that come up"},
    {Rule::kClaimGone, "claim-gone", "a node of the command was deleted by somebody else", ""},

    {Rule::kCondition, "condition", "{object}: {detail}", "the condition {object} being True"},
    {Rule::kStaticLimit, "static-limit", "{detail}", "higher spec.limits of {object}, or fewer replicas"},
    {Rule::kCutOff, "cut-off", "and {more} more", ""},
};

constexpr bool are_in_order() {
    for (std::size_t i = 0; i < std::size(kTexts); ++i) {
        if (kTexts[i].rule != static_cast<Rule>(i)) return false;
    }
    return std::size(kTexts) == static_cast<std::size_t>(Rule::kCutOff) + 1;
}
static_assert(are_in_order());

const RuleText& text_of(Rule rule) {
    return kTexts[static_cast<std::size_t>(rule)];
}

std::string value_of(const Reason& reason, std::string_view name) {
    if (name == "object") return reason.object;
    if (name == "detail") return reason.detail;
    if (name == "until") return format_rfc3339(reason.until);
    if (name == "money") return fmt::format("{:.4f}", reason.money.value_or(rules::Money{}).dollars());
    const auto amount = std::find_if(reason.amounts.begin(), reason.amounts.end(),
                                     [&](const Amount& one) { return one.name == name; });
    return amount == reason.amounts.end() ? "?" : std::to_string(amount->value);
}

std::string filled_in(std::string_view text, const Reason& reason) {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find('{');
        out += text.substr(0, open);
        if (open == std::string_view::npos) break;
        const std::size_t close = text.find('}', open);
        out += value_of(reason, text.substr(open + 1, close - open - 1));
        text.remove_prefix(close + 1);
    }
    return out;
}

}  // namespace

std::string_view word_for(Rule rule) {
    return text_of(rule).word;
}

std::string in_words(const Reason& reason) {
    return filled_in(text_of(reason.rule).words, reason);
}

std::string in_words(const Reasons& reasons) {
    std::string out;
    for (const Reason& reason : reasons) out += (out.empty() ? "" : "; ") + in_words(reason);
    return out;
}

std::string what_would_change(const Reason& reason) {
    std::string out = filled_in(text_of(reason.rule).change, reason);
    if (reason.until != kNoTime) out += (out.empty() ? "" : "; ") + ("at " + format_rfc3339(reason.until));
    return out;
}

}  // namespace joiner::plan
