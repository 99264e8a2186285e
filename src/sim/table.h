// Objects as the rows of a table, with the columns that kubectl prints. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "sim/json.h"
#include "sim/resource_type.h"

namespace joiner::sim {

// A meta.k8s.io/v1 Table without list metadata.
Json table_of(const ResourceType& type, const std::vector<const Json*>& objects, WallTime now,
              bool with_columns = true);

// A meta.k8s.io/v1 PartialObjectMetadata.
Json metadata_only(const Json& object);

// "5m", "3h20m", "2d", as ages are printed.
std::string human_duration(Duration age);

// What a printer column's JSONPath finds: nothing, or its values. The subset: members, [index], [*], and
// filters
// [?(@.a=="b")].
std::vector<const Json*> find_json_path(const Json& object, const std::string& path);

// The columns of a built-in kind and one object's cells for them. Private to table*.cc.
struct TableRow {
    const Json& object;
    WallTime now;
};
struct TableColumn {
    const char* name;
    const char* type;
    int priority;
    Json (*cell)(const TableRow& row);
};
const std::vector<TableColumn>& built_in_columns(const ResourceType& type);

}  // namespace joiner::sim
