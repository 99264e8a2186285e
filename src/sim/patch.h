// The four ways to change part of an object. Pure; any thread.
#pragma once

#include <string_view>

#include "sim/api_error.h"
#include "sim/json.h"
#include "sim/schema.h"

namespace joiner::sim {

enum class PatchKind { kJson, kMerge, kStrategic, kApply };

// RFC 6902. A failed operation, "test" too, is a 422.
Answer<Json> apply_json_patch(Json object, const Json& patch);
// RFC 7386.
void apply_merge_patch(Json& object, const Json& patch);
// Lists of objects merge by the keys that the built-in kind's schema names.
Answer<Json> apply_strategic_patch(const Schema* schema, Json object, const Json& patch);
// Server-side apply without field ownership: what `applied` says is set, lists merge as their list type has
// it, and nothing is taken away.
void apply_configuration(const Schema* schema, Json& object, const Json& applied);

}  // namespace joiner::sim
