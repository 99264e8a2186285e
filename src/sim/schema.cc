#include "sim/schema.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

namespace joiner::sim {
namespace {

class Builder {
  public:
    explicit Builder(SchemaSet& set) : set_(set) {}

    const Schema* build(const Json& json, const std::string& path) {
        Schema& schema = set_.add();
        read_type(json, path, schema);
        read_structure(json, path, schema);
        read_bounds(json, path, schema);
        read_rules(json, schema);
        schema.has_rules_within = !schema.rules.empty() || (schema.items && schema.items->has_rules_within) ||
                                  (schema.additional && schema.additional->has_rules_within);
        for (const auto& [name, property] : schema.properties)
            schema.has_rules_within |= property->has_rules_within;
        return &schema;
    }

    std::string problem;

  private:
    void read_type(const Json& json, const std::string& path, Schema& schema) {
        using Type = Schema::Type;
        static const std::map<std::string_view, Type> kTypes = {
            {"object", Type::kObject},   {"array", Type::kArray},   {"string", Type::kString},
            {"integer", Type::kInteger}, {"number", Type::kNumber}, {"boolean", Type::kBoolean}};
        const std::string& type = text_at(json, {"type"});
        schema.keeps_unknown_fields = flag_at(json, {"x-kubernetes-preserve-unknown-fields"});
        if (flag_at(json, {"x-kubernetes-int-or-string"})) {
            schema.type = Type::kIntOrString;
        } else if (const auto known = kTypes.find(type); known != kTypes.end()) {
            schema.type = known->second;
        } else if (!type.empty() || !schema.keeps_unknown_fields) {
            complain(path, type.empty()
                               ? "type: Required value: must not be empty for specified object fields"
                               : fmt::format("type: Unsupported value: \"{}\"", type));
        }
        schema.format = text_at(json, {"format"});
        schema.description = text_at(json, {"description"});
        schema.is_nullable = flag_at(json, {"nullable"});
        schema.is_embedded = flag_at(json, {"x-kubernetes-embedded-resource"});
        if (const auto value = json.find("default"); value != json.end()) {
            schema.has_default = true;
            schema.default_value = *value;
        }
    }

    void read_structure(const Json& json, const std::string& path, Schema& schema) {
        for (const auto& [name, property] : object_at(json, {"properties"}).items()) {
            schema.properties.emplace(name, build(property, path + ".properties[" + name + "]"));
        }
        if (const Json* additional = find(json, {"additionalProperties"});
            additional && additional->is_object()) {
            schema.additional = build(*additional, path + ".additionalProperties");
        }
        if (const Json* items = find(json, {"items"})) schema.items = build(*items, path + ".items");
        for (const Json& name : array_at(json, {"required"}))
            schema.required.push_back(name.get<std::string>());
        schema.list_type = text_at(json, {"x-kubernetes-list-type"});
        for (const Json& key : array_at(json, {"x-kubernetes-list-map-keys"})) {
            schema.map_keys.push_back(key.get<std::string>());
        }
        schema.is_atomic_map = text_at(json, {"x-kubernetes-map-type"}) == "atomic";
        if (schema.list_type == "map" && schema.map_keys.empty()) {
            complain(path,
                     "x-kubernetes-list-map-keys: Required value: must not be empty if "
                     "x-kubernetes-list-type is map");
        }
    }

    void read_bounds(const Json& json, const std::string& path, Schema& schema) {
        if (const Json* allowed = find(json, {"enum"})) schema.allowed = *allowed;
        schema.pattern_text = text_at(json, {"pattern"});
        if (!schema.pattern_text.empty()) {
            auto pattern = std::make_shared<re2::RE2>(schema.pattern_text, re2::RE2::Quiet);
            if (!pattern->ok()) {
                complain(
                    path,
                    fmt::format(
                        "pattern: Invalid value: \"{}\": must be a valid regular expression, but isn't: {}",
                        schema.pattern_text, pattern->error()));
            } else {
                schema.pattern = std::move(pattern);
            }
        }
        const auto number = [&](std::string_view key, std::optional<double>& out) {
            if (const Json* value = find(json, {key}); value && value->is_number())
                out = value->get<double>();
        };
        const auto count = [&](std::string_view key, std::optional<std::size_t>& out) {
            if (const Json* value = find(json, {key}); value && value->is_number())
                out = value->get<std::size_t>();
        };
        number("minimum", schema.minimum);
        number("maximum", schema.maximum);
        schema.exclusive_minimum = flag_at(json, {"exclusiveMinimum"});
        schema.exclusive_maximum = flag_at(json, {"exclusiveMaximum"});
        count("minLength", schema.min_length);
        count("maxLength", schema.max_length);
        count("minItems", schema.min_items);
        count("maxItems", schema.max_items);
        count("minProperties", schema.min_properties);
        count("maxProperties", schema.max_properties);
    }

    void read_rules(const Json& json, Schema& schema) {
        for (const Json& rule : array_at(json, {"x-kubernetes-validations"})) {
            auto program = cel::compile(text_at(rule, {"rule"}));
            schema.rules.push_back({.rule = text_at(rule, {"rule"}),
                                    .message = text_at(rule, {"message"}),
                                    .reason = text_at(rule, {"reason"}),
                                    .field_path = text_at(rule, {"fieldPath"}),
                                    .program = program ? *program : nullptr});
        }
    }

    void complain(const std::string& path, const std::string& what) {
        if (problem.empty()) problem = path + "." + what;
    }

    SchemaSet& set_;
};

}  // namespace

Answer<OwnedSchema> schema_of_custom_resource(const Json& open_api_schema) {
    auto set = std::make_shared<SchemaSet>();
    Builder builder(*set);
    const Schema* root = builder.build(open_api_schema, "spec.validation.openAPIV3Schema");
    if (!builder.problem.empty()) return Refusal(ApiError{422, "Invalid", builder.problem, nullptr, 0});
    return OwnedSchema{std::move(set), root};
}

}  // namespace joiner::sim
