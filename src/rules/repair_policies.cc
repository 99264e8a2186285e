#include "rules/repair_policies.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace joiner::rules {
namespace {

// Who has waited for so long goes before one of the next higher priority that is due only now.
constexpr double kHoursARank = 0.5;
constexpr int kHighestPriority = 100;

std::string problem_with(const RepairPolicy& policy) {
    if (policy.condition.empty()) return "it names no condition";
    if (policy.status != "True" && policy.status != "False" && policy.status != "Unknown")
        return fmt::format("its status \"{}\" is none of True, False and Unknown", policy.status);
    if (policy.toleration < Duration{0}) return "its toleration is less than nothing";
    if (policy.termination_grace && *policy.termination_grace < Duration{0})
        return "its termination grace period is less than nothing";
    if (policy.priority < 0 || policy.priority > kHighestPriority)
        return fmt::format("its priority {} is not within 0 and {}", policy.priority, kHighestPriority);
    if (policy.reason_regex.empty() && policy.action != RepairAction::kReplace)
        return "the policy for all other reasons must replace the node";
    return {};
}

double hours(Duration duration) {
    return std::chrono::duration<double, std::ratio<3600>>(duration).count();
}

}  // namespace

bool meets_reason(const RepairPolicy& policy, const api::Condition& condition) {
    return policy.reason_regex.empty() ||
           re2::RE2::PartialMatch(condition.reason, re2::RE2(policy.reason_regex, re2::RE2::Quiet));
}

Result<RepairPolicies> RepairPolicies::make(std::vector<RepairPolicy> policies) {
    RepairPolicies out;
    std::set<int> priorities;
    for (const RepairPolicy& policy : policies) priorities.insert(policy.priority);
    int fallbacks = 0;
    for (RepairPolicy& policy : policies) {
        const auto refuse = [&](const std::string& why) {
            return invalid(fmt::format("the repair policy for {}={} \"{}\" cannot be used: {}",
                                       policy.condition, policy.status, policy.reason_regex, why));
        };
        if (const std::string why = problem_with(policy); !why.empty()) return refuse(why);
        Compiled compiled;
        compiled.rank = static_cast<int>(std::distance(priorities.begin(), priorities.find(policy.priority)));
        std::vector<std::size_t>& alike = out.by_condition_[{policy.condition, policy.status}];
        if (policy.reason_regex.empty()) {
            ++fallbacks;
            out.fallback_ = out.policies_.size();
        } else {
            alike.push_back(out.policies_.size());
            compiled.reason = std::make_shared<const re2::RE2>(policy.reason_regex, re2::RE2::Quiet);
            if (!compiled.reason->ok())
                return refuse("its reason is no regular expression: " + compiled.reason->error());
        }
        compiled.policy = std::move(policy);
        out.policies_.push_back(std::move(compiled));
    }
    if (!out.empty() && fallbacks != 1)
        return invalid(fmt::format(
            "of the repair policies exactly one must be for all other reasons (no reason), not {}",
            fallbacks));
    return out;
}

bool RepairPolicies::reboot() const {
    return std::any_of(policies_.begin(), policies_.end(),
                       [](const Compiled& one) { return one.policy.action == RepairAction::kReboot; });
}

bool RepairPolicies::cover(const api::Condition& condition) const {
    return by_condition_.contains({condition.type, condition.status});
}

bool RepairPolicies::call_sick(const api::Node& node) const {
    return std::any_of(node.conditions.begin(), node.conditions.end(),
                       [this](const api::Condition& condition) { return cover(condition); });
}

std::vector<RepairPolicies::Match> RepairPolicies::matches(const api::Node& node, WallTime not_before) const {
    std::vector<Match> out;
    for (const api::Condition& condition : node.conditions) {
        const auto alike = by_condition_.find({condition.type, condition.status});
        if (alike == by_condition_.end()) continue;
        // No condition is older than its node.
        const WallTime since = std::max({condition.last_transition, node.meta.created, not_before});
        const auto add = [&](const Compiled& policy) {
            out.push_back({&policy, &condition, since, since + policy.policy.toleration});
        };
        bool is_matched = false;
        for (const std::size_t i : alike->second) {
            if (!re2::RE2::PartialMatch(condition.reason, *policies_[i].reason)) continue;
            add(policies_[i]);
            is_matched = true;
        }
        if (!is_matched) add(policies_[fallback_]);
    }
    return out;
}

std::optional<RepairVerdict> RepairPolicies::judge(const api::Node& node, WallTime not_before,
                                                   WallTime now) const {
    std::optional<RepairVerdict> out;
    std::tuple<int, int, WallTime, std::string> best;
    for (const Match& match : matches(node, not_before)) {
        if (match.due > now) continue;
        const RepairPolicy& policy = match.policy->policy;
        const double score = match.policy->rank + hours(now - match.due) / kHoursARank;
        // The most disruptive action, the highest priority, the longest due, then by name.
        std::tuple<int, int, WallTime, std::string> order{-static_cast<int>(policy.action), -policy.priority,
                                                          match.due, match.condition->type};
        const bool is_first = !out;
        if (is_first) out.emplace();
        out->score = is_first ? score : std::max(out->score, score);
        if (policy.termination_grace &&
            (!out->termination_grace || *policy.termination_grace < *out->termination_grace))
            out->termination_grace = policy.termination_grace;
        if (!is_first && !(order < best)) continue;
        best = std::move(order);
        out->action = policy.action;
        out->condition = match.condition->type;
        out->status = match.condition->status;
        out->reason = match.condition->reason;
        out->since = match.since;
        out->toleration = policy.toleration;
        out->due = match.due;
    }
    return out;
}

std::optional<WallTime> RepairPolicies::next_due(const api::Node& node, WallTime not_before,
                                                 WallTime now) const {
    std::optional<WallTime> out;
    for (const Match& match : matches(node, not_before)) {
        if (match.due > now) out = std::min(out.value_or(match.due), match.due);
    }
    return out;
}

}  // namespace joiner::rules
