// What the fields of a kind may be: the structural schema of a CustomResourceDefinition, or the field tables
// of the built-in kinds. Immutable once built; schemas may refer to each other in circles, so a SchemaSet
// owns them. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/api_error.h"
#include "sim/cel.h"
#include "sim/json.h"

namespace re2 {
class RE2;
}

namespace joiner::sim {

struct ValidationRule {
    std::string rule;
    std::string message;
    std::string reason;  // Empty: FieldValueInvalid.
    std::string field_path;
    cel::ProgramPtr program;  // Null: beyond our CEL subset, and not checked.
};

struct Schema {
    enum class Type { kAny, kObject, kArray, kString, kInteger, kNumber, kBoolean, kIntOrString };

    Type type = Type::kAny;
    std::string name;    // Of a built-in type, "core.v1.Container"; empty inside custom resources.
    std::string format;  // int32, int64, double, date-time, byte, quantity.
    std::string description;
    std::map<std::string, const Schema*, std::less<>> properties;
    const Schema* additional = nullptr;  // The values of a map.
    const Schema* items = nullptr;
    std::vector<std::string> required;
    bool has_default = false;
    Json default_value;
    bool is_nullable = false;
    bool keeps_unknown_fields = false;
    bool is_embedded = false;

    Json allowed;  // An array, or null: anything.
    std::shared_ptr<const re2::RE2> pattern;
    std::string pattern_text;
    std::optional<double> minimum;
    std::optional<double> maximum;
    bool exclusive_minimum = false;
    bool exclusive_maximum = false;
    std::optional<std::size_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
    std::vector<ValidationRule> rules;
    bool has_rules_within = false;  // Here or further down.

    std::string list_type;  // atomic, set or map.
    std::vector<std::string> map_keys;
    bool is_atomic_map = false;
    // Of strategic merge patches.
    std::string merge_key;
    bool merges_lists = false;
    bool retains_keys = false;

    bool is_object() const { return type == Type::kObject; }
};

class SchemaSet {
  public:
    Schema& add() { return schemas_.emplace_back(); }

  private:
    std::deque<Schema> schemas_;
};

struct OwnedSchema {
    std::shared_ptr<const SchemaSet> set;
    const Schema* root = nullptr;
};

// From `openAPIV3Schema`. Errors name what is wrong with the schema itself.
Answer<OwnedSchema> schema_of_custom_resource(const Json& open_api_schema);

// "apps/v1/Deployment" → its schema, or nullptr; also under type names ("core.v1.PodSpec").
const Schema* core_schema(std::string_view group, std::string_view version, std::string_view kind);
// All built-in types by name, for OpenAPI documents.
const std::map<std::string, const Schema*, std::less<>>& core_schemas();

// Removes the fields `schema` does not know, and adds their paths to `unknown` unless null. `object` is a
// whole object: its apiVersion, kind and metadata stay.
void prune(const Schema& schema, Json& object, std::vector<std::string>* unknown);
// Sets defaults where fields are absent.
void apply_defaults(const Schema& schema, Json& object);
// Built-in kinds: the numbers and booleans a server always writes, even when nobody has set them.
void fill_required_scalars(const Schema& schema, Json& object);
// Structural validation, then the rules against `old` (nullptr for a create).
FieldProblems validate(const Schema& schema, const Json& object, const Json* old);
// As validate() of a create, but rules are asked even where the structure is wrong; those that cannot be
// answered then are left out.
FieldProblems find_all_problems(const Schema& schema, const Json& object);
// Removes the values that are not of their field's type and says so for each; `path` is where `object` stands
// in the whole. In built-in kinds also those that are none of the few a field may take, and texts that must
// be there and are not are told, too.
void take_out_wrong_values(const Schema& schema, Json& object, const std::string& path,
                           FieldProblems& problems);
// The first field whose JSON type is wrong for a built-in kind, as the decoder would say it; empty when all
// are right.
std::string find_type_mismatch(const Schema& schema, const Json& object, std::string_view kind);

}  // namespace joiner::sim
