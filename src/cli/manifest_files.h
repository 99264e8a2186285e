// Files and folders of manifests, as -f names them. What a person names must be a manifest; what lies beside
// manifests in a folder need not be.
#pragma once

#include <string>
#include <vector>

#include "api/manifest.h"
#include "base/result.h"

namespace joiner::cli {

struct FilesToRead {
    std::vector<std::string>
        paths;                  // "-" is standard input; of a folder, its *.yaml, *.yml and *.json files.
    bool is_recursive = false;  // Folders inside folders, too.
};

struct Manifest {
    api::Document document;
    bool was_found = false;  // In a folder; nobody named its file.
};

struct Misreading {
    api::Misread what;
    bool was_found = false;
};

struct Manifests {
    std::vector<Manifest> objects;  // In the order of their files, and in that of each file.
    std::vector<Misreading> misread;
    // Sentences, grouped: what was left alone in folders, or is taken otherwise than it looks.
    std::vector<std::string> passed_over;
};

// Errors: a file or folder that cannot be read.
Result<Manifests> read_manifests(const FilesToRead& files,
                                 api::FieldLines field_lines = api::FieldLines::kNo);

// The same for commands that plan: what was named must be whole; what was found and is not is passed over.
Result<Manifests> read_whole_manifests(const FilesToRead& files);

}  // namespace joiner::cli
