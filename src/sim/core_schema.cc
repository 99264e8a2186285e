// Reads core_kinds.schema. A type begins at the start of a line, "NAME kind=GROUP/VERSION/KIND…"; its fields
// follow, each indented, "FIELD[!] TYPE ATTRIBUTE=VALUE…", where '!' marks a field that is always written.
#include <fmt/format.h>

#include "base/check.h"
#include "embedded_core_kinds.h"
#include "sim/schema.h"

namespace joiner::sim {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(separator), text.size());
        if (end > 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

class CoreSchemas {
  public:
    CoreSchemas() {
        for (const auto& file : embedded::core_kinds()) read(file.text);
        // A field's own schema takes after its type's, which may stand further down in the file.
        for (const auto& [field, type] : fields_of_type_) {
            field->properties = type->properties;
            field->required = type->required;
            field->is_atomic_map = field->is_atomic_map || type->is_atomic_map;
        }
        for (const auto& [name, schema] : by_name_) CHECK(!schema->properties.empty());
    }

    std::map<std::string, const Schema*, std::less<>> published;
    std::map<std::string, const Schema*, std::less<>> by_kind;

  private:
    void read(std::string_view text) {
        Schema* type = nullptr;
        for (const std::string_view line : split(text, '\n')) {
            if (line.starts_with('#')) continue;
            const auto words = split(line, ' ');
            if (!line.starts_with(' ')) {
                type = begin_type(words);
            } else {
                CHECK(type != nullptr && words.size() >= 2);
                add_field(*type, words);
            }
        }
    }

    Schema* named(std::string_view name) {
        auto [at, is_new] = by_name_.try_emplace(std::string(name), nullptr);
        if (is_new) {
            at->second = &set_.add();
            at->second->type = Schema::Type::kObject;
            at->second->name = name;
            published.emplace(name, at->second);
        }
        return at->second;
    }

    Schema* begin_type(const std::vector<std::string_view>& words) {
        Schema* type = named(words[0]);
        for (const std::string_view word : words) {
            if (word.starts_with("kind=")) by_kind.emplace(word.substr(5), type);
            if (word == "map=atomic") type->is_atomic_map = true;
        }
        return type;
    }

    void add_field(Schema& type, const std::vector<std::string_view>& words) {
        std::string_view name = words[0];
        if (name.ends_with('!')) {
            name.remove_suffix(1);
            type.required.emplace_back(name);
        }
        const bool is_plain = words.size() == 2;
        type.properties.emplace(name, is_plain ? schema_of(words[1]) : with_attributes(words));
    }

    // A schema of its own for the field, since its attributes are not its type's.
    const Schema* with_attributes(const std::vector<std::string_view>& words) {
        const Schema* type = schema_of(words[1]);
        Schema& field = set_.add();
        field = *type;
        if (!type->name.empty()) fields_of_type_.emplace_back(&field, type);
        for (const std::string_view word : words) {
            const std::size_t equals = word.find('=');
            if (equals == std::string_view::npos) continue;
            const std::string_view key = word.substr(0, equals);
            const std::string_view value = word.substr(equals + 1);
            if (key == "format") field.format = value;
            if (key == "list") field.list_type = value;
            if (key == "merge-key") field.merge_key = value;
            if (key == "map") field.is_atomic_map = value == "atomic";
            if (key == "strategy") {
                field.merges_lists = value.find("merge") != std::string_view::npos;
                field.retains_keys = value.find("retainKeys") != std::string_view::npos;
            }
            if (key == "keys") {
                for (const std::string_view each : split(value, ',')) field.map_keys.emplace_back(each);
            }
            if (key == "enum") {
                field.allowed = Json::array();
                for (const std::string_view each : split(value, ',')) field.allowed.push_back(each);
            }
        }
        return &field;
    }

    const Schema* schema_of(std::string_view word) {
        const auto known = unnamed_.find(word);
        if (known != unnamed_.end()) return known->second;
        using Type = Schema::Type;
        static const std::map<std::string_view, std::pair<Type, std::string_view>> kScalars = {
            {"any", {Type::kAny, ""}},
            {"string", {Type::kString, ""}},
            {"bytes", {Type::kString, "byte"}},
            {"time", {Type::kString, "date-time"}},
            {"integer", {Type::kInteger, ""}},
            {"number", {Type::kNumber, ""}},
            {"boolean", {Type::kBoolean, ""}},
            {"int-or-string", {Type::kIntOrString, "int-or-string"}},
            {"quantity", {Type::kIntOrString, "quantity"}}};
        const auto scalar = kScalars.find(word);
        const bool is_list = word.starts_with("[]");
        const bool is_map = word.starts_with("map:");
        if (scalar == kScalars.end() && !is_list && !is_map) return named(word);
        Schema& schema = set_.add();
        unnamed_.emplace(word, &schema);
        if (scalar != kScalars.end()) {
            schema.type = scalar->second.first;
            schema.format = scalar->second.second;
            schema.keeps_unknown_fields = schema.type == Type::kAny;
        } else if (is_list) {
            schema.type = Type::kArray;
            schema.items = schema_of(word.substr(2));
        } else {
            schema.type = Type::kObject;
            schema.additional = schema_of(word.substr(4));
        }
        return &schema;
    }

    SchemaSet set_;
    std::map<std::string, Schema*, std::less<>> by_name_;
    std::map<std::string, Schema*, std::less<>> unnamed_;
    std::vector<std::pair<Schema*, const Schema*>> fields_of_type_;
};

const CoreSchemas& core() {
    static const CoreSchemas kSchemas;
    return kSchemas;
}

}  // namespace

const Schema* core_schema(std::string_view group, std::string_view version, std::string_view kind) {
    const auto found = core().by_kind.find(fmt::format("{}/{}/{}", group, version, kind));
    return found == core().by_kind.end() ? nullptr : found->second;
}

const std::map<std::string, const Schema*, std::less<>>& core_schemas() {
    return core().published;
}

}  // namespace joiner::sim
