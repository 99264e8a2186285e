// Manifests as people write them: YAML or JSON, several documents, List kinds. Splits a text into objects;
// each is handed on as JSON. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace joiner::api {

struct Document {
    std::string api_version;
    std::string kind;
    std::string json;
    std::string source;  // "pods.yaml, document 2"
};

// Errors (kInvalid) name the source and the line where there is one. An empty text, or an empty List, has no
// objects.
Result<std::vector<Document>> split_manifest(std::string_view text, const std::string& source);

// One YAML document as JSON text.
Result<std::string> yaml_to_json(std::string_view yaml, const std::string& source);

}  // namespace joiner::api
