// An object's JSON as YAML that people read: blocks, keys in order, quotes where a text would be taken for
// something else. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace joiner::cli {

// Ends with a line break. REQUIRES: `json` is valid JSON of an object.
std::string yaml_text(std::string_view json);

}  // namespace joiner::cli
