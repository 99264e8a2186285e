// What a client learns about the API before it uses it: groups, resources, and OpenAPI documents. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/json.h"
#include "sim/resource_type.h"

namespace joiner::sim {

inline constexpr std::string_view kServerVersion = "v1.36.3+joiner";

Json version_document();
Json core_versions_document();                   // GET /api
Json groups_document(const Registry& registry);  // GET /apis
std::optional<Json> group_document(const Registry& registry, std::string_view group);
// Of "v1" or "apps/v1".
std::optional<Json> resources_document(const Registry& registry, std::string_view group,
                                       std::string_view version);

Json open_api_index(const Registry& registry);  // GET /openapi/v3
std::optional<Json> open_api_document(const Registry& registry, std::string_view group,
                                      std::string_view version);
Json open_api_v2_document(const Registry& registry);

}  // namespace joiner::sim
