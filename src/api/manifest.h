// Manifests as people write them: YAML or JSON, several documents, List kinds. Splits a text into objects;
// each is handed on as JSON. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace joiner::api {

struct Document {
    std::string api_version;
    std::string kind;
    std::string ns;  // As written: empty where the document names none.
    std::string name;
    std::string generate_name;
    std::string json;
    std::string source;  // "pods.yaml:12", where the object begins.
    // "spec.containers[0].name" and the line it stands in; empty unless asked for.
    std::map<std::string, int> field_lines;

    std::string_view group() const;  // Empty for the core group.
};

// A part of a text that is no object.
struct Misread {
    std::string message;  // One sentence that begins with the source and the line.
    // It is whole, but has no kind or no apiVersion: values of a chart, say.
    bool is_foreign = false;
    std::string json = {};  // The whole of what is foreign.
};

struct ManifestText {
    std::vector<Document> documents;
    std::vector<Misread> misread;
    // Keys that stand in one object again, "pods.yaml:12: image"; as with kubectl the last of them counts.
    std::vector<std::string> repeated_keys;
};

enum class FieldLines { kNo, kYes };

// What is wrong with one document leaves the others as they are. An empty text, or an empty List, has no
// objects.
ManifestText read_manifest(std::string_view text, const std::string& source,
                           FieldLines field_lines = FieldLines::kNo);

// All of it, or kInvalid with the first thing that is wrong.
Result<std::vector<Document>> split_manifest(std::string_view text, const std::string& source);

// One YAML document as JSON text.
Result<std::string> yaml_to_json(std::string_view yaml, const std::string& source);

}  // namespace joiner::api
