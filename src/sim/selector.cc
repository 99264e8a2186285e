#include "sim/selector.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "rules/selector.h"
#include "sim/resource_type.h"

namespace joiner::sim {
namespace {

using FieldNames = std::set<std::string_view>;

// Beside metadata.name and metadata.namespace; nullptr for kinds that have no more than these.
const FieldNames* fields_of(const ResourceType& type) {
    static const std::map<std::string_view, FieldNames> kFields = {
        {"pods",
         {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
          "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"}},
        {"nodes", {"spec.unschedulable"}},
        {"namespaces", {"status.phase"}},
        {"secrets", {"type"}},
        {"replicasets", {"status.replicas"}},
        {"replicationcontrollers", {"status.replicas"}},
        {"jobs", {"status.successful"}},
        {"events",
         {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
          "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
          "reportingComponent", "source", "type"}}};
    const auto found = type.is_custom ? kFields.end() : kFields.find(type.plural);
    return found == kFields.end() ? nullptr : &found->second;
}

Answer<void> check_field(const ResourceType& type, std::string_view field) {
    if (field == "metadata.name" ||
        (field == "metadata.namespace" && (type.is_namespaced || !type.is_custom)))
        return {};
    const FieldNames* fields = fields_of(type);
    if (fields && fields->contains(field)) return {};
    if (fields || type.is_custom) return bad_request(fmt::format("field label not supported: {}", field));
    return bad_request(fmt::format(
        R"("{}" is not a known field selector: only "metadata.name", "metadata.namespace")", field));
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        const std::size_t end = std::min(text.find(separator, begin), text.size());
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

// The field as text; absent ones are empty, but for flags, which are false.
std::string field_text(const Json& object, const Selector::FieldTerm& term) {
    const Json* at = &object;
    for (const std::string& key : term.path) {
        const auto member = at->is_object() ? at->find(key) : at->end();
        if (member == at->end())
            return term.field == "spec.unschedulable" || term.field == "spec.hostNetwork" ? "false" : "";
        at = &*member;
    }
    if (term.field == "source") return text_at(*at, {"component"});
    return at->is_string() ? at->get<std::string>() : to_text(*at);
}

bool matches_expression(const std::string& op, const std::vector<std::string>& values,
                        const std::string* label) {
    const bool is_in = label && std::find(values.begin(), values.end(), *label) != values.end();
    if (op == "In") return is_in;
    if (op == "NotIn") return !is_in;
    if (op == "Exists") return label != nullptr;
    if (op == "DoesNotExist") return label == nullptr;
    return false;
}

const std::string* label_of(const Json& labels, std::string_view key) {
    const Json* label = find(labels, {key});
    return label && label->is_string() ? &label->get_ref<const std::string&>() : nullptr;
}

}  // namespace

std::string_view Selector::name() const {
    for (const FieldTerm& term : fields) {
        if (term.is_equal && term.field == "metadata.name") return term.value;
    }
    return {};
}

Answer<Selector> parse_selector(const ResourceType& type, std::string_view label_selector,
                                std::string_view field_selector) {
    Selector selector;
    if (!label_selector.empty()) {
        auto labels = rules::parse_selector(label_selector);
        if (!labels) return bad_request("unable to parse requirement: " + labels.error().message);
        selector.labels = std::move(*labels);
    }
    if (field_selector.empty()) return selector;
    for (const std::string& text : split(field_selector, ',')) {
        if (text.empty()) continue;
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos) {
            return bad_request(
                fmt::format("invalid field selector: \"{}\"; can't understand '{}'", field_selector, text));
        }
        Selector::FieldTerm term;
        term.is_equal = equals == 0 || text[equals - 1] != '!';
        term.field = text.substr(0, equals - (term.is_equal ? 0 : 1));
        term.value = text.substr(text.compare(equals, 2, "==") == 0 ? equals + 2 : equals + 1);
        TRY_REFUSAL(check_field(type, term.field));
        term.path = split(term.field, '.');
        selector.fields.push_back(std::move(term));
    }
    return selector;
}

bool matches(const Selector& selector, const Json& object) {
    for (const Selector::FieldTerm& term : selector.fields) {
        if ((field_text(object, term) == term.value) != term.is_equal) return false;
    }
    const Json& labels = object_at(object, {"metadata", "labels"});
    for (const auto& [key, value] : selector.labels.match_labels) {
        const std::string* label = label_of(labels, key);
        if (!label || *label != value) return false;
    }
    return std::all_of(selector.labels.match_expressions.begin(), selector.labels.match_expressions.end(),
                       [&](const api::SelectorRequirement& each) {
                           return matches_expression(each.op, each.values, label_of(labels, each.key));
                       });
}

bool matches_label_selector(const Json& selector, const Json& labels) {
    if (!selector.is_object()) return false;
    for (const auto& [key, value] : object_at(selector, {"matchLabels"}).items()) {
        const std::string* label = label_of(labels, key);
        if (!label || !value.is_string() || *label != value.get_ref<const std::string&>()) return false;
    }
    for (const Json& expression : array_at(selector, {"matchExpressions"})) {
        std::vector<std::string> values;
        for (const Json& value : array_at(expression, {"values"})) {
            if (value.is_string()) values.push_back(value.get<std::string>());
        }
        if (!matches_expression(text_at(expression, {"operator"}), values,
                                label_of(labels, text_at(expression, {"key"})))) {
            return false;
        }
    }
    return true;
}

std::string label_selector_text(const Json& selector) {
    std::string text;
    const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ",") + part; };
    for (const auto& [key, value] : object_at(selector, {"matchLabels"}).items()) {
        add(fmt::format("{}={}", key, value.is_string() ? value.get<std::string>() : ""));
    }
    for (const Json& expression : array_at(selector, {"matchExpressions"})) {
        const std::string& key = text_at(expression, {"key"});
        const std::string& op = text_at(expression, {"operator"});
        std::string values;
        for (const Json& value : array_at(expression, {"values"})) {
            values += (values.empty() ? "" : ",") + (value.is_string() ? value.get<std::string>() : "");
        }
        if (op == "In") add(fmt::format("{} in ({})", key, values));
        if (op == "NotIn") add(fmt::format("{} notin ({})", key, values));
        if (op == "Exists") add(key);
        if (op == "DoesNotExist") add("!" + key);
    }
    return text.empty() ? "<none>" : text;
}

}  // namespace joiner::sim
