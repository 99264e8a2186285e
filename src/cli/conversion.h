// What `joiner convert` makes of manifests: objects of older APIs and of the Cluster Autoscaler in today's.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/first_api.h"
#include "api/manifest.h"

namespace joiner::cli {

struct ConversionInput {
    std::vector<api::Document> documents;
    // JSON that is no object of Kubernetes, but may describe Auto Scaling groups; with where it stands.
    std::vector<api::Misread> others;
};

struct Conversion {
    std::vector<std::string> objects;  // JSON, in the order of what they come from.
    // Settings that no object holds, a sentence each; written as comments before the objects.
    std::vector<std::string> settings;
    // Why something cannot be converted; then nothing should be written.
    std::vector<std::string> refusals;
    // What changes its meaning, or has none any more, and what to do.
    std::vector<std::string> remarks;
    // Kinds of objects in which nothing is to be converted.
    std::vector<std::string> untouched;
};

Conversion convert(const ConversionInput& input, api::Defaults defaults);

// What is written of it: "yaml", documents after each other, or "json", a List where there are several.
std::string conversion_text(const Conversion& conversion, std::string_view format);

}  // namespace joiner::cli
