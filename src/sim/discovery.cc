#include "sim/discovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace joiner::sim {
namespace {

// Groups in the order they are first served, each with its versions.
std::vector<std::pair<std::string, std::vector<std::string>>> groups_of(const Registry& registry) {
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    const auto add = [&](const std::string& group, const std::string& version) {
        auto found =
            std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.first == group; });
        if (found == groups.end()) found = groups.insert(groups.end(), {group, {}});
        auto& versions = found->second;
        if (std::find(versions.begin(), versions.end(), version) == versions.end())
            versions.push_back(version);
    };
    for (const ResourceType* type : registry.types()) add(type->group, type->version);
    return groups;
}

Json group_json(const std::string& group, const std::vector<std::string>& versions) {
    Json list = Json::array();
    for (const std::string& version : versions)
        list.push_back({{"groupVersion", group + "/" + version}, {"version", version}});
    Json preferred = list[0];
    return {{"name", group}, {"versions", std::move(list)}, {"preferredVersion", std::move(preferred)}};
}

Json subresource(const ResourceType& type, const std::string& name, const std::string& kind,
                 const char* group, const char* version, std::vector<std::string> verbs) {
    Json resource = {{"name", type.plural + "/" + name},
                     {"singularName", ""},
                     {"namespaced", type.is_namespaced},
                     {"kind", kind},
                     {"verbs", verbs}};
    if (group) resource["group"] = group;
    if (version) resource["version"] = version;
    return resource;
}

}  // namespace

Json version_document() {
    return {{"major", "1"},    {"minor", "36"},      {"gitVersion", kServerVersion},
            {"gitCommit", ""}, {"gitTreeState", ""}, {"buildDate", "1970-01-01T00:00:00Z"},
            {"goVersion", ""}, {"compiler", "g++"},  {"platform", "linux/amd64"}};
}

Json core_versions_document() {
    return {{"kind", "APIVersions"},
            {"versions", {"v1"}},
            {"serverAddressByClientCIDRs",
             Json::array({{{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", "127.0.0.1"}}})}};
}

Json groups_document(const Registry& registry) {
    Json groups = Json::array();
    for (const auto& [group, versions] : groups_of(registry)) {
        if (!group.empty()) groups.push_back(group_json(group, versions));
    }
    return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<Json> group_document(const Registry& registry, std::string_view wanted) {
    for (const auto& [group, versions] : groups_of(registry)) {
        if (group != wanted || group.empty()) continue;
        Json json = group_json(group, versions);
        json["kind"] = "APIGroup";
        json["apiVersion"] = "v1";
        return json;
    }
    return std::nullopt;
}

std::optional<Json> resources_document(const Registry& registry, std::string_view group,
                                       std::string_view version) {
    Json resources = Json::array();
    for (const ResourceType* type : registry.types()) {
        if (type->group != group || type->version != version) continue;
        Json resource = {
            {"name", type->plural},
            {"singularName", type->singular},
            {"namespaced", type->is_namespaced},
            {"kind", type->kind},
            {"verbs", {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}}};
        if (!type->short_names.empty()) resource["shortNames"] = type->short_names;
        if (!type->categories.empty()) resource["categories"] = type->categories;
        resources.push_back(std::move(resource));
        if (type->has_status)
            resources.push_back(
                subresource(*type, "status", type->kind, nullptr, nullptr, {"get", "patch", "update"}));
        if (type->scale)
            resources.push_back(
                subresource(*type, "scale", "Scale", "autoscaling", "v1", {"get", "patch", "update"}));
        if (type->plural == "pods" && type->group.empty()) {
            resources.push_back(subresource(*type, "binding", "Binding", nullptr, nullptr, {"create"}));
            resources.push_back(subresource(*type, "eviction", "Eviction", "policy", "v1", {"create"}));
            resources.push_back(subresource(*type, "log", "Pod", nullptr, nullptr, {"get"}));
        }
        if (type->plural == "namespaces" && type->group.empty()) {
            resources.push_back(subresource(*type, "finalize", "Namespace", nullptr, nullptr, {"update"}));
        }
    }
    if (resources.empty()) return std::nullopt;
    const std::string group_version =
        group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
    return Json{{"kind", "APIResourceList"},
                {"apiVersion", "v1"},
                {"groupVersion", group_version},
                {"resources", std::move(resources)}};
}

}  // namespace joiner::sim
