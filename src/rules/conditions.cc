#include "rules/conditions.h"

#include <algorithm>

namespace joiner::rules {

bool is_true(const std::vector<api::Condition>& conditions, std::string_view type) {
    const api::Condition* condition = api::find_condition(conditions, type);
    return condition != nullptr && condition->status == "True";
}

ConditionEditor::ConditionEditor(std::vector<api::Condition> conditions,
                                 std::vector<std::string_view> dependents, std::int64_t generation,
                                 WallTime created)
    : conditions_(std::move(conditions)),
      dependents_(std::move(dependents)),
      generation_(generation),
      created_(created) {
    for (const std::string_view type : dependents_) find_or_add(type);
    find_or_add("Ready");
}

api::Condition& ConditionEditor::find_or_add(std::string_view type) {
    for (api::Condition& condition : conditions_) {
        if (condition.type == type) return condition;
    }
    return conditions_.emplace_back(api::Condition{std::string(type), "Unknown", "AwaitingReconciliation",
                                                   "object is awaiting reconciliation", created_,
                                                   generation_});
}

void ConditionEditor::set(std::string_view type, std::string_view status, std::string reason,
                          std::string message, WallTime now) {
    api::Condition& condition = find_or_add(type);
    if (condition.status != status) condition.last_transition = now;
    condition.status = status;
    condition.reason = std::move(reason);
    condition.message = std::move(message);
    condition.observed_generation = generation_;
}

void ConditionEditor::remove(std::string_view type) {
    std::erase_if(conditions_, [&](const api::Condition& c) { return c.type == type; });
}

std::vector<api::Condition> ConditionEditor::finish(WallTime now) {
    std::string unhealthy;
    bool is_false = false;
    for (const std::string_view type : dependents_) {
        const api::Condition& c = find_or_add(type);
        const bool is_current = c.observed_generation == generation_;
        if (c.status == "True" && is_current) continue;
        if (!unhealthy.empty()) unhealthy += ", ";
        unhealthy += c.type + "=" + c.status;
        is_false |= c.status == "False" && is_current;
    }
    if (unhealthy.empty()) {
        set_true("Ready", now);
    } else {
        set("Ready", is_false ? "False" : "Unknown",
            is_false ? "UnhealthyDependents" : "ReconcilingDependents", unhealthy, now);
    }
    std::stable_partition(conditions_.begin(), conditions_.end(),
                          [](const api::Condition& c) { return c.type != "Ready"; });
    return conditions_;
}

}  // namespace joiner::rules
