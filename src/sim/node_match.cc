#include "sim/node_match.h"

#include <algorithm>
#include <charconv>

#include "rules/taints.h"

namespace joiner::sim {
namespace {

bool to_number(std::string_view text, std::int64_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

bool matches_requirement(const api::SelectorRequirement& requirement, const std::string* value) {
    const bool is_in = value && std::find(requirement.values.begin(), requirement.values.end(), *value) !=
                                    requirement.values.end();
    if (requirement.op == "In") return is_in;
    if (requirement.op == "NotIn") return !is_in;
    if (requirement.op == "Exists") return value != nullptr;
    if (requirement.op == "DoesNotExist") return value == nullptr;
    std::int64_t have = 0;
    std::int64_t bound = 0;
    if (!value || requirement.values.size() != 1 || !to_number(*value, have) ||
        !to_number(requirement.values[0], bound))
        return false;
    if (requirement.op == "Gt") return have > bound;
    return requirement.op == "Lt" && have < bound;
}

}  // namespace

bool matches_term(const api::NodeSelectorTerm& term, const api::Node& node) {
    if (term.match_expressions.empty() && term.match_fields.empty()) return false;
    const bool labels_match =
        std::all_of(term.match_expressions.begin(), term.match_expressions.end(), [&](const auto& each) {
            const auto label = node.meta.labels.find(each.key);
            return matches_requirement(each, label == node.meta.labels.end() ? nullptr : &label->second);
        });
    return labels_match &&
           std::all_of(term.match_fields.begin(), term.match_fields.end(), [&](const auto& each) {
               return each.key == "metadata.name" && matches_requirement(each, &node.meta.name);
           });
}

bool selects_node(const api::PodSpec& spec, const api::Node& node) {
    for (const auto& [key, value] : spec.node_selector) {
        const auto label = node.meta.labels.find(key);
        if (label == node.meta.labels.end() || label->second != value) return false;
    }
    if (!spec.has_required_node_terms) return true;
    return std::any_of(spec.required_node_terms.begin(), spec.required_node_terms.end(),
                       [&](const api::NodeSelectorTerm& term) { return matches_term(term, node); });
}

bool tolerates_taint(const std::vector<api::Toleration>& tolerations, const api::Taint& taint) {
    return std::any_of(tolerations.begin(), tolerations.end(),
                       [&](const api::Toleration& each) { return rules::tolerates(each, taint); });
}

const api::Taint* first_untolerated(const std::vector<api::Toleration>& tolerations,
                                    const std::vector<api::Taint>& taints, bool only_no_execute) {
    for (const api::Taint& taint : taints) {
        if (taint.effect == "PreferNoSchedule" || (only_no_execute && taint.effect != "NoExecute")) continue;
        if (!tolerates_taint(tolerations, taint)) return &taint;
    }
    return nullptr;
}

}  // namespace joiner::sim
