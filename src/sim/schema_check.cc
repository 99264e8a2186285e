// What schemas do to objects: pruning, defaulting and validation.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/quantity.h"
#include "base/time.h"
#include "sim/schema.h"

namespace joiner::sim {
namespace {

using Type = Schema::Type;

std::string join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}
std::string join_key(const std::string& path, std::string_view key) {
    return fmt::format("{}[{}]", path, key);
}

const Schema* property_of(const Schema& schema, std::string_view key) {
    const auto property = schema.properties.find(key);
    return property != schema.properties.end() ? property->second : schema.additional;
}

void prune_at(const Schema& schema, Json& json, const std::string& path, std::vector<std::string>* unknown) {
    if (json.is_array()) {
        if (!schema.items) return;
        std::size_t index = 0;
        for (Json& item : json) prune_at(*schema.items, item, fmt::format("{}[{}]", path, index++), unknown);
        return;
    }
    if (!json.is_object()) return;
    // A built-in kind's null is an absent field; a custom resource's is a value, unless it stands before a
    // default.
    const bool is_built_in = !schema.name.empty();
    for (auto member = json.begin(); member != json.end();) {
        const std::string& key = member.key();
        const Schema* property = property_of(schema, key);
        const bool is_kept_anyway =
            schema.keeps_unknown_fields ||
            (schema.is_embedded && (key == "apiVersion" || key == "kind" || key == "metadata"));
        if (!property && !is_kept_anyway) {
            if (unknown) unknown->push_back(join(path, key));
            member = json.erase(member);
            continue;
        }
        if (member->is_null() && property &&
            (is_built_in || (!property->is_nullable && property->has_default))) {
            member = json.erase(member);
            continue;
        }
        if (property) prune_at(*property, *member, join(path, key), unknown);
        ++member;
    }
}

bool has_type(const Schema& schema, const Json& json) {
    switch (schema.type) {
        case Type::kAny:
            return true;
        case Type::kObject:
            return json.is_object();
        case Type::kArray:
            return json.is_array();
        case Type::kString:
            return json.is_string();
        case Type::kInteger:
            return json.is_number_integer() ||
                   (json.is_number_float() && std::nearbyint(json.get<double>()) == json.get<double>());
        case Type::kNumber:
            return json.is_number();
        case Type::kBoolean:
            return json.is_boolean();
        case Type::kIntOrString:
            return json.is_string() || json.is_number_integer() ||
                   (schema.format == "quantity" && json.is_number());
    }
    return false;
}

std::string_view type_name(Type type) {
    switch (type) {
        case Type::kAny:
            return "";
        case Type::kObject:
            return "object";
        case Type::kArray:
            return "array";
        case Type::kString:
            return "string";
        case Type::kInteger:
            return "integer";
        case Type::kNumber:
            return "number";
        case Type::kBoolean:
            return "boolean";
        case Type::kIntOrString:
            return "integer,string";
    }
    return "";
}
std::string_view json_type_name(const Json& json) {
    if (json.is_number_integer()) return "integer";
    return json.type_name();
}

std::size_t rune_count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Validator {
  public:
    FieldProblems problems;
    bool tells_unanswered_rules = true;  // As problems: those that go wrong as they run.

    void check(const Schema& schema, const Json& json, const std::string& path) {
        if (json.is_null() && schema.is_nullable) return;
        if (!has_type(schema, json)) {
            problems.push_back(
                {"FieldValueTypeInvalid", path.empty() ? "<nil>" : path,
                 fmt::format("Invalid value: \"{0}\": {1} in body must be of type {2}: \"{0}\"",
                             json_type_name(json), path, type_name(schema.type))});
            return;
        }
        if (json.is_string()) check_text(schema, json, path);
        if (json.is_number()) check_number(schema, json, path);
        if (json.is_array()) check_array(schema, json, path);
        if (json.is_object()) check_object(schema, json, path);
        check_allowed(schema, json, path);
    }

    // `old` is the same field before, where there is a way to tell which it was.
    void check_rules(const Schema& schema, const Json& json, const Json* old, const std::string& path) {
        for (const ValidationRule& rule : schema.rules) {
            if (!rule.program || (!old && cel::mentions_old_self(*rule.program))) continue;
            const auto is_kept = cel::evaluate(*rule.program, json, old);
            if (is_kept ? *is_kept : !tells_unanswered_rules) continue;
            const std::string field = path.empty() ? "<nil>" : path;
            std::string why = !is_kept               ? "rule evaluation error: " + is_kept.error().message
                              : rule.message.empty() ? "failed rule: " + rule.rule
                                                     : rule.message;
            const Json value = json.is_object() || json.is_array() ? Json(type_name(schema.type)) : json;
            FieldProblem problem = invalid_value(field + rule.field_path, value, std::move(why));
            if (!rule.reason.empty()) problem.reason = rule.reason;
            problems.push_back(std::move(problem));
        }
        if (json.is_object()) {
            for (const auto& [key, member] : json.items()) {
                const Schema* property = property_of(schema, key);
                if (!property) continue;
                const bool is_map_entry = !schema.properties.contains(key);
                check_rules(*property, member, old ? find(*old, {key}) : nullptr,
                            is_map_entry ? join_key(path, key) : join(path, key));
            }
        }
        if (json.is_array() && schema.items) {
            std::size_t index = 0;
            for (const Json& item : json) {
                check_rules(*schema.items, item, old ? find_same(schema, *old, item) : nullptr,
                            fmt::format("{}[{}]", path, index++));
            }
        }
    }

  private:
    static const Json* find_same(const Schema& list, const Json& old, const Json& item) {
        if (list.list_type != "map" || !old.is_array()) return nullptr;
        for (const Json& candidate : old) {
            if (std::all_of(list.map_keys.begin(), list.map_keys.end(), [&](const std::string& key) {
                    return candidate.is_object() && item.is_object() &&
                           candidate.value(key, Json()) == item.value(key, Json());
                })) {
                return &candidate;
            }
        }
        return nullptr;
    }

    void check_text(const Schema& schema, const Json& json, const std::string& path) {
        const auto& text = json.get_ref<const std::string&>();
        const std::size_t length = rune_count(text);
        if (schema.min_length && length < *schema.min_length) {
            problems.push_back(invalid_value(
                path, json,
                fmt::format("{} in body should be at least {} chars long", path, *schema.min_length)));
        }
        if (schema.max_length && length > *schema.max_length) {
            problems.push_back({"FieldValueTooLong", path,
                                fmt::format("Too long: may not be more than {} bytes", *schema.max_length)});
        }
        if (schema.pattern && !re2::RE2::PartialMatch(text, *schema.pattern)) {
            problems.push_back(invalid_value(
                path, json, fmt::format("{} in body should match '{}'", path, schema.pattern_text)));
        }
        if (schema.format == "date-time" && !parse_rfc3339(text)) {
            problems.push_back(invalid_value(
                path, json, fmt::format("{} in body must be of type date-time: \"{}\"", path, text)));
        }
    }

    void check_number(const Schema& schema, const Json& json, const std::string& path) {
        const double value = json.get<double>();
        if (schema.minimum &&
            (value < *schema.minimum || (schema.exclusive_minimum && value == *schema.minimum))) {
            problems.push_back(
                invalid_value(path, json,
                              fmt::format("{} in body should be greater than {}{}", path,
                                          schema.exclusive_minimum ? "" : "or equal to ", *schema.minimum)));
        }
        if (schema.maximum &&
            (value > *schema.maximum || (schema.exclusive_maximum && value == *schema.maximum))) {
            problems.push_back(
                invalid_value(path, json,
                              fmt::format("{} in body should be less than {}{}", path,
                                          schema.exclusive_maximum ? "" : "or equal to ", *schema.maximum)));
        }
    }

    void check_array(const Schema& schema, const Json& json, const std::string& path) {
        if (schema.min_items && json.size() < *schema.min_items) {
            problems.push_back(invalid_value(
                path, json.size(),
                fmt::format("{} in body should have at least {} items", path, *schema.min_items)));
        }
        if (schema.max_items && json.size() > *schema.max_items) {
            problems.push_back(
                {"FieldValueTooMany", path,
                 fmt::format("Too many: {}: must have at most {} items", json.size(), *schema.max_items)});
        }
        std::set<std::string> seen;
        std::size_t index = 0;
        for (const Json& item : json) {
            const std::string item_path = fmt::format("{}[{}]", path, index++);
            if (schema.items) check(*schema.items, item, item_path);
            if (schema.list_type == "set" && !seen.insert(to_text(item)).second) {
                problems.push_back(duplicate_value(item_path, item));
            }
            if (schema.list_type == "map" && item.is_object()) {
                Json keys = Json::object();
                for (const std::string& key : schema.map_keys) {
                    if (item.contains(key)) keys[key] = item[key];
                }
                if (!seen.insert(to_text(keys)).second) problems.push_back(duplicate_value(item_path, keys));
            }
        }
    }

    void check_object(const Schema& schema, const Json& json, const std::string& path) {
        for (const std::string& name : schema.required) {
            if (!json.contains(name)) {
                problems.push_back(required_value(join(path, name)));
            }
        }
        if (schema.min_properties && json.size() < *schema.min_properties) {
            problems.push_back(invalid_value(
                path, json.size(),
                fmt::format("{} in body should have at least {} properties", path, *schema.min_properties)));
        }
        if (schema.max_properties && json.size() > *schema.max_properties) {
            problems.push_back({"FieldValueTooMany", path,
                                fmt::format("Too many: {}: must have at most {} items", json.size(),
                                            *schema.max_properties)});
        }
        for (const auto& [key, member] : json.items()) {
            if (const Schema* property = property_of(schema, key)) check(*property, member, join(path, key));
        }
    }

    void check_allowed(const Schema& schema, const Json& json, const std::string& path) {
        if (!schema.allowed.is_array() ||
            std::find(schema.allowed.begin(), schema.allowed.end(), json) != schema.allowed.end()) {
            return;
        }
        std::vector<std::string> supported;
        for (const Json& each : schema.allowed)
            supported.push_back(each.is_string() ? each.get<std::string>() : to_text(each));
        problems.push_back(unsupported_value(path, json, supported));
    }
};

std::string find_mismatch_at(const Schema& schema, const Json& json, const std::string& path,
                             std::string_view root) {
    if (json.is_null()) return {};
    if (!has_type(schema, json)) {
        const std::string_view wanted = schema.type == Type::kObject    ? "object"
                                        : schema.type == Type::kArray   ? "slice"
                                        : schema.type == Type::kBoolean ? "bool"
                                        : schema.type == Type::kInteger
                                            ? (schema.format == "int64" ? "int64" : "int32")
                                            : "string";
        const std::string_view found = json.is_boolean() ? "bool" : json.type_name();
        return fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", found, root,
                           path, wanted);
    }
    if (json.is_array() && schema.items) {
        for (const Json& item : json) {
            if (std::string found = find_mismatch_at(*schema.items, item, path, root); !found.empty())
                return found;
        }
    }
    if (json.is_object()) {
        for (const auto& [key, member] : json.items()) {
            const Schema* property = property_of(schema, key);
            if (!property) continue;
            if (std::string found = find_mismatch_at(*property, member, join(path, key), root);
                !found.empty())
                return found;
        }
    }
    return {};
}

// Takes out of an object what no server could decode or would take for one of a field's few values.
class WrongValues {
  public:
    WrongValues(bool is_built_in, FieldProblems& problems) : is_built_in_(is_built_in), problems_(problems) {}

    void take_out(const Schema& schema, Json& json, const std::string& path) {
        if (json.is_array() && schema.items) {
            std::size_t index = 0;
            for (Json& item : json) {
                if (is_wrong(*schema.items, item, fmt::format("{}[{}]", path, index++))) item = nullptr;
            }
            std::erase_if(json.get_ref<Json::array_t&>(), [](const Json& item) { return item.is_null(); });
        }
        if (!json.is_object()) return;
        if (is_built_in_ && path.starts_with("spec")) tell_missing_texts(schema, json, path);
        for (auto member = json.begin(); member != json.end();) {
            const Schema* property = property_of(schema, member.key());
            const bool goes = property && is_wrong(*property, *member, join(path, member.key()));
            member = goes ? json.erase(member) : std::next(member);
        }
    }

  private:
    bool is_wrong(const Schema& schema, Json& json, const std::string& path) {
        if (json.is_null()) return false;
        if (!has_type(schema, json) || !is_quantity_where_asked(schema, json)) {
            problems_.push_back(
                {"FieldValueTypeInvalid", path,
                 fmt::format("Invalid value: {}: must be of type {}",
                             json.is_structured() ? json.type_name() : to_text(json),
                             schema.format == "quantity" ? "quantity" : type_name(schema.type))});
            return true;
        }
        // Custom resources hear of these from their own validation.
        if (is_built_in_ && !is_allowed(schema, json)) {
            std::vector<std::string> supported;
            for (const Json& each : schema.allowed) supported.push_back(each.get<std::string>());
            problems_.push_back(unsupported_value(path, json, supported));
            return true;
        }
        take_out(schema, json, path);
        return false;
    }

    static bool is_quantity_where_asked(const Schema& schema, const Json& json) {
        return schema.format != "quantity" ||
               Quantity::parse(json.is_string() ? json.get<std::string>() : to_text(json)).has_value();
    }

    // An empty text is an absent one.
    static bool is_allowed(const Schema& schema, const Json& json) {
        return !schema.allowed.is_array() || json == "" ||
               std::find(schema.allowed.begin(), schema.allowed.end(), json) != schema.allowed.end();
    }

    void tell_missing_texts(const Schema& schema, const Json& json, const std::string& path) {
        for (const std::string& name : schema.required) {
            const auto property = schema.properties.find(name);
            if (property != schema.properties.end() && property->second->type == Type::kString &&
                !json.contains(name))
                problems_.push_back(required_value(join(path, name)));
        }
    }

    bool is_built_in_;
    FieldProblems& problems_;
};

}  // namespace

void take_out_wrong_values(const Schema& schema, Json& json, const std::string& path,
                           FieldProblems& problems) {
    WrongValues(!schema.name.empty(), problems).take_out(schema, json, path);
}

void prune(const Schema& schema, Json& object, std::vector<std::string>* unknown) {
    static const Schema* const kMetadata = core_schemas().at("meta.v1.ObjectMeta");
    Json metadata = Json::object();
    const bool has_metadata = object.contains("metadata");
    if (has_metadata) {
        metadata = std::move(object["metadata"]);
        prune_at(*kMetadata, metadata, "metadata", unknown);
        object.erase("metadata");
    }
    Json api_version = object.value("apiVersion", Json());
    Json kind = object.value("kind", Json());
    object.erase("apiVersion");
    object.erase("kind");
    prune_at(schema, object, "", unknown);
    if (has_metadata) object["metadata"] = std::move(metadata);
    if (!api_version.is_null()) object["apiVersion"] = std::move(api_version);
    if (!kind.is_null()) object["kind"] = std::move(kind);
}

void apply_defaults(const Schema& schema, Json& json) {
    if (json.is_object()) {
        for (const auto& [name, property] : schema.properties) {
            if (property->has_default && !json.contains(name)) json[name] = property->default_value;
        }
        for (auto& [key, member] : json.items()) {
            if (const Schema* property = property_of(schema, key)) apply_defaults(*property, member);
        }
    } else if (json.is_array() && schema.items) {
        for (Json& item : json) apply_defaults(*schema.items, item);
    }
}

void fill_required_scalars(const Schema& schema, Json& json) {
    if (json.is_object()) {
        for (const std::string& name : schema.required) {
            if (json.contains(name)) continue;
            const Schema& property = *schema.properties.at(name);
            if (property.type == Type::kInteger) json[name] = 0;
            if (property.type == Type::kBoolean) json[name] = false;
        }
        for (auto& [key, member] : json.items()) {
            if (const Schema* property = property_of(schema, key)) fill_required_scalars(*property, member);
        }
    } else if (json.is_array() && schema.items) {
        for (Json& item : json) fill_required_scalars(*schema.items, item);
    }
}

FieldProblems validate(const Schema& schema, const Json& object, const Json* old) {
    Validator validator;
    validator.check(schema, object, "");
    // Rules may rely on the structure, so they wait until it is right.
    static const std::set<std::string_view> kBlocking = {"FieldValueRequired", "FieldValueNotSupported",
                                                         "FieldValueTooLong", "FieldValueTooMany",
                                                         "FieldValueTypeInvalid"};
    const bool is_blocked =
        std::any_of(validator.problems.begin(), validator.problems.end(),
                    [](const FieldProblem& each) { return kBlocking.contains(each.reason); });
    if (!is_blocked) {
        validator.check_rules(schema, object, old, "");
    } else if (schema.has_rules_within) {
        validator.problems.push_back(invalid_value(
            "<nil>", nullptr,
            "some validation rules were not checked because the object was invalid; correct the "
            "existing errors to complete validation"));
    }
    return std::move(validator.problems);
}

FieldProblems find_all_problems(const Schema& schema, const Json& object) {
    Validator validator;
    validator.check(schema, object, "");
    validator.tells_unanswered_rules = validator.problems.empty();
    validator.check_rules(schema, object, nullptr, "");
    return std::move(validator.problems);
}

std::string find_type_mismatch(const Schema& schema, const Json& object, std::string_view kind) {
    return find_mismatch_at(schema, object, "", kind);
}

}  // namespace joiner::sim
