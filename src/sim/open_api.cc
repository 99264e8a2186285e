// OpenAPI documents: enough for kubectl explain, and for kubectl to see that the server checks fields itself.
#include <fmt/format.h>

#include <set>

#include "sim/discovery.h"

namespace joiner::sim {
namespace {

std::string_view type_name(Schema::Type type) {
    switch (type) {
        case Schema::Type::kObject:
            return "object";
        case Schema::Type::kArray:
            return "array";
        case Schema::Type::kString:
            return "string";
        case Schema::Type::kInteger:
            return "integer";
        case Schema::Type::kNumber:
            return "number";
        case Schema::Type::kBoolean:
            return "boolean";
        case Schema::Type::kAny:
        case Schema::Type::kIntOrString:
            break;
    }
    return "";
}

// Turns schemas into OpenAPI, with named types in a pool of their own.
class Writer {
  public:
    explicit Writer(std::string prefix) : prefix_(std::move(prefix)) {}

    Json pool = Json::object();

    Json field(const Schema& schema) {
        if (!schema.name.empty() && !schema.properties.empty()) {
            add(schema.name, *core_schemas().at(schema.name));
            return {{"allOf", Json::array({{{"$ref", prefix_ + schema.name}}})}};
        }
        return body(schema);
    }

    void add(const std::string& name, const Schema& schema) {
        if (!done_.insert(name).second) return;
        Json json = body(schema);
        pool[name] = std::move(json);
    }

  private:
    Json body(const Schema& schema) {
        Json json = Json::object();
        const std::string_view type = type_name(schema.type);
        if (!type.empty()) json["type"] = type;
        if (schema.type == Schema::Type::kIntOrString) {
            if (schema.format == "quantity" || schema.format == "int-or-string") {
                json["type"] = "string";
                if (schema.format != "quantity") json["format"] = schema.format;
            } else {
                json["x-kubernetes-int-or-string"] = true;
            }
        } else if (!schema.format.empty()) {
            json["format"] = schema.format;
        }
        if (!schema.description.empty()) json["description"] = schema.description;
        if (!schema.required.empty()) json["required"] = schema.required;
        if (schema.allowed.is_array()) json["enum"] = schema.allowed;
        if (schema.has_default) json["default"] = schema.default_value;
        if (!schema.pattern_text.empty()) json["pattern"] = schema.pattern_text;
        if (schema.minimum) json["minimum"] = *schema.minimum;
        if (schema.maximum) json["maximum"] = *schema.maximum;
        if (!schema.list_type.empty()) json["x-kubernetes-list-type"] = schema.list_type;
        if (!schema.map_keys.empty()) json["x-kubernetes-list-map-keys"] = schema.map_keys;
        if (!schema.merge_key.empty()) json["x-kubernetes-patch-merge-key"] = schema.merge_key;
        if (schema.merges_lists || schema.retains_keys) {
            json["x-kubernetes-patch-strategy"] = schema.merges_lists && schema.retains_keys
                                                      ? "merge,retainKeys"
                                                  : schema.merges_lists ? "merge"
                                                                        : "retainKeys";
        }
        if (schema.keeps_unknown_fields && schema.type != Schema::Type::kAny)
            json["x-kubernetes-preserve-unknown-fields"] = true;
        for (const auto& [name, property] : schema.properties) json["properties"][name] = field(*property);
        if (schema.additional) json["additionalProperties"] = field(*schema.additional);
        if (schema.items) json["items"] = field(*schema.items);
        return json;
    }

    std::string prefix_;
    std::set<std::string> done_;
};

std::string schema_name(const ResourceType& type) {
    return type.is_custom ? fmt::format("{}.{}.{}", type.group, type.version, type.kind)
                          : type.schema.root->name;
}

void add_kind(Writer& writer, const ResourceType& type) {
    const std::string name = schema_name(type);
    if (type.schema.root) {
        writer.add(name, *type.schema.root);
    } else {
        writer.pool[name] = {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
    }
    Json& json = writer.pool[name];
    if (type.is_custom) {
        writer.add("meta.v1.ObjectMeta", *core_schemas().at("meta.v1.ObjectMeta"));
        Json& metadata = json["properties"]["metadata"];
        metadata = writer.field(*core_schemas().at("meta.v1.ObjectMeta"));
        json["properties"]["apiVersion"] = {{"type", "string"}};
        json["properties"]["kind"] = {{"type", "string"}};
    }
    json["x-kubernetes-group-version-kind"] =
        Json::array({{{"group", type.group}, {"version", type.version}, {"kind", type.kind}}});
}

// The operations of one kind; kubectl looks for the parameter fieldValidation in them.
Json paths_of(const ResourceType& type) {
    const std::string base = (type.group.empty() ? "/api/" : "/apis/") + type.api_version() +
                             (type.is_namespaced ? "/namespaces/{namespace}/" : "/") + type.plural;
    const Json gvk = {{"group", type.group}, {"version", type.version}, {"kind", type.kind}};
    const auto operation = [&](const char* action, bool is_write) {
        Json parameters = Json::array();
        if (is_write) {
            for (const char* name : {"dryRun", "fieldManager", "fieldValidation"}) {
                parameters.push_back({{"name", name},
                                      {"in", "query"},
                                      {"schema", {{"type", "string"}, {"uniqueItems", true}}}});
            }
        }
        return Json{{"responses", {{"200", {{"description", "OK"}}}}},
                    {"parameters", std::move(parameters)},
                    {"x-kubernetes-action", action},
                    {"x-kubernetes-group-version-kind", gvk}};
    };
    return {{base,
             {{"get", operation("list", false)},
              {"post", operation("post", true)},
              {"delete", operation("deletecollection", false)}}},
            {base + "/{name}",
             {{"get", operation("get", false)},
              {"put", operation("put", true)},
              {"patch", operation("patch", true)},
              {"delete", operation("delete", false)}}}};
}

Json info() {
    return {{"title", "Kubernetes"}, {"version", kServerVersion}};
}

}  // namespace

Json open_api_index(const Registry& registry) {
    Json paths = Json::object();
    for (const ResourceType* type : registry.types()) {
        const std::string path = (type->group.empty() ? "api/" : "apis/") + type->api_version();
        // The hash only has to change when the document does.
        std::size_t hash = 0;
        for (const ResourceType* each : registry.types()) {
            if (each->api_version() == type->api_version()) hash = hash * 31 + each->serial;
        }
        paths[path] = {{"serverRelativeURL", fmt::format("/openapi/v3/{}?hash={:X}", path, hash)}};
    }
    return {{"paths", std::move(paths)}};
}

std::optional<Json> open_api_document(const Registry& registry, std::string_view group,
                                      std::string_view version) {
    Writer writer("#/components/schemas/");
    Json paths = Json::object();
    for (const ResourceType* type : registry.types()) {
        if (type->group != group || type->version != version) continue;
        add_kind(writer, *type);
        paths.update(paths_of(*type));
    }
    if (paths.empty()) return std::nullopt;
    return Json{{"openapi", "3.0.0"},
                {"info", info()},
                {"paths", std::move(paths)},
                {"components", {{"schemas", std::move(writer.pool)}}}};
}

Json open_api_v2_document(const Registry& registry) {
    Writer writer("#/definitions/");
    Json paths = Json::object();
    for (const ResourceType* type : registry.types()) {
        add_kind(writer, *type);
        paths.update(paths_of(*type));
    }
    return {{"swagger", "2.0"},
            {"info", info()},
            {"paths", std::move(paths)},
            {"definitions", std::move(writer.pool)}};
}

}  // namespace joiner::sim
