// What the API server asks of the fields of a pod that say where it may stand.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/kind_rules.h"

namespace joiner::sim {
namespace {

using Supported = std::vector<std::string>;

void check_one_of(const Json& object, const char* key, const std::string& path, const Supported& supported,
                  FieldProblems& problems) {
    const Json* value = find(object, {key});
    if (value != nullptr && value->is_string() &&
        std::find(supported.begin(), supported.end(), value->get<std::string>()) == supported.end())
        problems.push_back(unsupported_value(fmt::format("{}.{}", path, key), *value, supported));
}

// One of matchExpressions or matchFields of a node selector.
void check_node_expression(const Json& expression, const std::string& path, bool is_field,
                           FieldProblems& problems) {
    const std::string& op = text_at(expression, {"operator"});
    const Json& values = array_at(expression, {"values"});
    const bool is_set = op == "In" || op == "NotIn";
    if (is_field) {
        if (!is_set)
            problems.push_back(invalid_value(path + ".operator", op, "not a valid selector operator"));
        if (values.size() != 1)
            problems.push_back(
                required_value(path + ".values",
                               "must be only one value when `operator` is 'In' or 'NotIn' for node field "
                               "selector"));
        if (text_at(expression, {"key"}) != "metadata.name")
            problems.push_back(
                invalid_value(path + ".key", text_at(expression, {"key"}), "not a valid field selector key"));
    } else if (is_set) {
        if (values.empty())
            problems.push_back(
                required_value(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (op == "Exists" || op == "DoesNotExist") {
        if (!values.empty())
            problems.push_back(forbidden_value(
                path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (op == "Gt" || op == "Lt") {
        if (values.size() != 1)
            problems.push_back(required_value(
                path + ".values", "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    } else {
        problems.push_back(invalid_value(path + ".operator", op, "not a valid selector operator"));
    }
}

void check_node_term(const Json& term, const std::string& path, FieldProblems& problems) {
    for (const char* list : {"matchExpressions", "matchFields"}) {
        std::size_t index = 0;
        for (const Json& expression : array_at(term, {list})) {
            check_node_expression(expression, fmt::format("{}.{}[{}]", path, list, index++),
                                  std::string_view(list) == "matchFields", problems);
        }
    }
}

void check_weight(const Json& preferred, const std::string& path, FieldProblems& problems) {
    const std::int64_t weight = int_at(preferred, {"weight"});
    if (weight < 1 || weight > 100)
        problems.push_back(invalid_value(path + ".weight", preferred.value("weight", Json(0)),
                                         "must be in the range 1-100"));
}

void check_node_affinity(const Json& affinity, const std::string& path, FieldProblems& problems) {
    const std::string required = path + ".requiredDuringSchedulingIgnoredDuringExecution";
    if (const Json* selector = find(affinity, {"requiredDuringSchedulingIgnoredDuringExecution"});
        selector != nullptr && selector->is_object()) {
        const Json& terms = array_at(*selector, {"nodeSelectorTerms"});
        if (terms.empty())
            problems.push_back(
                required_value(required + ".nodeSelectorTerms", "must have at least one node selector term"));
        std::size_t index = 0;
        for (const Json& term : terms)
            check_node_term(term, fmt::format("{}.nodeSelectorTerms[{}]", required, index++), problems);
    }
    std::size_t index = 0;
    for (const Json& preferred : array_at(affinity, {"preferredDuringSchedulingIgnoredDuringExecution"})) {
        const std::string at_term =
            fmt::format("{}.preferredDuringSchedulingIgnoredDuringExecution[{}]", path, index++);
        check_weight(preferred, at_term, problems);
        check_node_term(object_at(preferred, {"preference"}), at_term + ".preference", problems);
    }
}

void check_pod_term(const Json& term, const std::string& path, FieldProblems& problems) {
    if (text_at(term, {"topologyKey"}).empty())
        problems.push_back(required_value(path + ".topologyKey", "can not be empty"));
}

// Of podAffinity or podAntiAffinity.
void check_pod_affinity(const Json& affinity, const std::string& path, FieldProblems& problems) {
    std::size_t index = 0;
    for (const Json& term : array_at(affinity, {"requiredDuringSchedulingIgnoredDuringExecution"}))
        check_pod_term(term,
                       fmt::format("{}.requiredDuringSchedulingIgnoredDuringExecution[{}]", path, index++),
                       problems);
    index = 0;
    for (const Json& preferred : array_at(affinity, {"preferredDuringSchedulingIgnoredDuringExecution"})) {
        const std::string at_term =
            fmt::format("{}.preferredDuringSchedulingIgnoredDuringExecution[{}]", path, index++);
        check_weight(preferred, at_term, problems);
        check_pod_term(object_at(preferred, {"podAffinityTerm"}), at_term + ".podAffinityTerm", problems);
    }
}

void check_spread(const Json& spec, const std::string& path, FieldProblems& problems) {
    std::set<std::pair<std::string, std::string>> seen;
    std::size_t index = 0;
    for (const Json& constraint : array_at(spec, {"topologySpreadConstraints"})) {
        const std::string at_constraint = fmt::format("{}.topologySpreadConstraints[{}]", path, index++);
        if (int_at(constraint, {"maxSkew"}) < 1)
            problems.push_back(invalid_value(at_constraint + ".maxSkew", constraint.value("maxSkew", Json(0)),
                                             "must be greater than zero"));
        const std::string& key = text_at(constraint, {"topologyKey"});
        if (key.empty())
            problems.push_back(required_value(at_constraint + ".topologyKey", "can not be empty"));
        const std::string& unsatisfiable = text_at(constraint, {"whenUnsatisfiable"});
        if (!seen.emplace(key, unsatisfiable).second)
            problems.push_back(duplicate_value(at_constraint + ".{topologyKey, whenUnsatisfiable}",
                                               fmt::format("{{{}, {}}}", key, unsatisfiable)));
        check_one_of(constraint, "whenUnsatisfiable", at_constraint, {"DoNotSchedule", "ScheduleAnyway"},
                     problems);
        if (const Json* domains = find(constraint, {"minDomains"}); domains && domains->is_number()) {
            if (int_at(constraint, {"minDomains"}) < 1)
                problems.push_back(
                    invalid_value(at_constraint + ".minDomains", *domains, "must be greater than zero"));
            if (unsatisfiable != "DoNotSchedule")
                problems.push_back(
                    invalid_value(at_constraint + ".minDomains", *domains,
                                  "can only use minDomains if whenUnsatisfiable=DoNotSchedule, "
                                  "not " +
                                      unsatisfiable));
        }
        for (const char* policy : {"nodeAffinityPolicy", "nodeTaintsPolicy"})
            check_one_of(constraint, policy, at_constraint, {"Honor", "Ignore"}, problems);
    }
}

void check_tolerations(const Json& spec, const std::string& path, FieldProblems& problems) {
    std::size_t index = 0;
    for (const Json& toleration : array_at(spec, {"tolerations"})) {
        const std::string at_toleration = fmt::format("{}.tolerations[{}]", path, index++);
        const std::string& op = text_at(toleration, {"operator"});
        const std::string& effect = text_at(toleration, {"effect"});
        if (text_at(toleration, {"key"}).empty() && op != "Exists")
            problems.push_back(
                invalid_value(at_toleration + ".operator", op,
                              "operator must be Exists when `key` is empty, which means \"match all values "
                              "and all keys\""));
        if (op == "Exists" && !text_at(toleration, {"value"}).empty())
            problems.push_back(invalid_value(at_toleration + ".operator", toleration,
                                             "value must be empty when `operator` is 'Exists'"));
        if (!op.empty())
            check_one_of(toleration, "operator", at_toleration, {"Equal", "Exists", "Gt", "Lt"}, problems);
        if (!effect.empty())
            check_one_of(toleration, "effect", at_toleration, {"NoExecute", "NoSchedule", "PreferNoSchedule"},
                         problems);
        const Json* seconds = find(toleration, {"tolerationSeconds"});
        if (seconds != nullptr && seconds->is_number() && effect != "NoExecute")
            problems.push_back(invalid_value(at_toleration + ".effect", effect,
                                             "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
}

}  // namespace

void validate_scheduling(const Json& spec, const std::string& path, FieldProblems& problems) {
    const Json& affinity = object_at(spec, {"affinity"});
    check_node_affinity(object_at(affinity, {"nodeAffinity"}), path + ".affinity.nodeAffinity", problems);
    for (const char* kind : {"podAffinity", "podAntiAffinity"})
        check_pod_affinity(object_at(affinity, {kind}), fmt::format("{}.affinity.{}", path, kind), problems);
    check_spread(spec, path, problems);
    check_tolerations(spec, path, problems);
}

}  // namespace joiner::sim
