#include "cli/manifest_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>

#include "cli/grouping.h"
#include "io/file.h"

namespace joiner::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{2} << 30;
constexpr std::size_t kMaxFiles = 100'000;
constexpr int kMaxFolderDepth = 32;

bool is_manifest_name(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

bool is_kustomization(const fs::path& path) {
    return path.filename() == "kustomization.yaml" || path.filename() == "kustomization.yml";
}

bool has_template_marks(std::string_view text) {
    return text.find("{{") != std::string_view::npos && text.find("}}") != std::string_view::npos;
}

// Other programs use the marks, too, inside objects that are whole; in a name only templates do.
bool is_template(std::string_view text, const api::ManifestText& read) {
    if (!has_template_marks(text)) return false;
    return !read.misread.empty() ||
           std::any_of(read.documents.begin(), read.documents.end(), [](const api::Document& document) {
               return has_template_marks(document.name) || has_template_marks(document.ns);
           });
}

class Reader {
  public:
    Reader(bool is_recursive, api::FieldLines field_lines)
        : is_recursive_(is_recursive), field_lines_(field_lines) {}

    Result<Manifests> read(const std::vector<std::string>& paths) {
        for (const std::string& path : paths) {
            std::error_code error;
            if (path != "-" && fs::is_directory(path, error)) {
                TRY_STATUS(read_folder(path));
            } else {
                TRY_STATUS(read_file(path));
            }
        }
        tell_passed_over();
        return std::move(out_);
    }

  private:
    Status read_file(const std::string& path) {
        std::string text;
        if (path == "-") {
            text.assign(std::istreambuf_iterator<char>(std::cin), {});
        } else {
            TRY(text, io::read_file(path, kMaxFileBytes));
        }
        api::ManifestText read =
            api::read_manifest(text, path == "-" ? "standard input" : path, field_lines_);
        if (is_template(text, read)) {
            for (api::Misread& misread : read.misread)
                misread.message += "; it looks like a template, so render it first (helm template)";
        }
        take(std::move(read), false);
        return {};
    }

    void take(api::ManifestText text, bool was_found) {
        for (api::Document& document : text.documents)
            out_.objects.push_back({std::move(document), was_found});
        for (api::Misread& misread : text.misread) out_.misread.push_back({std::move(misread), was_found});
        for (std::string& key : text.repeated_keys) repeated_keys_.push_back(std::move(key));
    }

    Status read_folder(const std::string& folder) {
        std::vector<std::string> files;
        TRY_STATUS(list(folder, 0, files));
        if (files.empty()) {
            return invalid(
                fmt::format("folder {} has no .yaml, .yml or .json file{}", folder,
                            inner_folders_.empty() ? "" : "; -R reads the folders inside it, too"));
        }
        std::sort(files.begin(), files.end());
        for (const std::string& file : files) TRY_STATUS(read_found(file));
        return {};
    }

    Status list(const std::string& folder, int depth, std::vector<std::string>& files) {
        std::error_code error;
        for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
            std::error_code ignored;
            if (it->is_directory(ignored)) {
                if (it->path().filename().string().starts_with('.')) continue;
                // Links to folders may lead in circles.
                if (!is_recursive_ || depth >= kMaxFolderDepth || it->is_symlink(ignored)) {
                    inner_folders_.push_back(it->path().string());
                } else {
                    TRY_STATUS(list(it->path().string(), depth + 1, files));
                }
            } else if (is_manifest_name(it->path())) {
                files.push_back(it->path().string());
            }
            if (files.size() > kMaxFiles)
                return invalid(
                    fmt::format("folder {} has more than {} files; name a part of it", folder, kMaxFiles));
        }
        if (error) return invalid(fmt::format("folder {}: {}", folder, error.message()));
        return {};
    }

    Status read_found(const std::string& file) {
        if (is_kustomization(file)) kustomizations_.push_back(file);
        TRY(const std::string text, io::read_file(file, kMaxFileBytes));
        api::ManifestText read = api::read_manifest(text, file, field_lines_);
        if (is_template(text, read)) {
            templates_.push_back(file);
        } else if (read.misread.empty()) {
            take(std::move(read), true);
        } else {
            const bool is_foreign =
                std::all_of(read.misread.begin(), read.misread.end(),
                            [](const api::Misread& misread) { return misread.is_foreign; });
            if (is_foreign && read.documents.empty()) {
                foreign_.push_back(file);
            } else {
                take(std::move(read), true);
            }
        }
        return {};
    }

    void tell_passed_over() {
        const auto tell = [&](const std::vector<std::string>& files, std::string_view one,
                              std::string_view many) {
            if (files.empty()) return;
            out_.passed_over.push_back(
                fmt::format("{} {} passed over: {}", count_of(files.size(), one), many, some_of(files)));
        };
        std::sort(inner_folders_.begin(), inner_folders_.end());
        tell(foreign_, "file", "without a kind and an apiVersion, no Kubernetes manifests,");
        tell(templates_, "file", "with {{ }}, templates that helm template would render,");
        if (!kustomizations_.empty())
            out_.passed_over.push_back(fmt::format(
                "{} not applied; kubectl kustomize prints what {}: {}",
                kustomizations_.size() == 1 ? "1 kustomization is"
                                            : fmt::format("{} kustomizations are", kustomizations_.size()),
                kustomizations_.size() == 1 ? "it makes" : "they make", some_of(kustomizations_)));
        if (!repeated_keys_.empty())
            out_.passed_over.push_back(
                fmt::format("{} again in one object; the last one counts, as with kubectl: {}",
                            repeated_keys_.size() == 1 ? "1 key stands"
                                                       : fmt::format("{} keys stand", repeated_keys_.size()),
                            some_of(repeated_keys_)));
        if (inner_folders_.empty()) return;
        out_.passed_over.push_back(
            fmt::format("{} inside passed over{}: {}", count_of(inner_folders_.size(), "folder"),
                        is_recursive_ ? "" : " (-R reads them, too)", some_of(inner_folders_)));
    }

    bool is_recursive_;
    api::FieldLines field_lines_;
    Manifests out_;
    std::vector<std::string> foreign_;
    std::vector<std::string> templates_;
    std::vector<std::string> kustomizations_;
    std::vector<std::string> repeated_keys_;
    std::vector<std::string> inner_folders_;
};

}  // namespace

Result<Manifests> read_manifests(const FilesToRead& files, api::FieldLines field_lines) {
    return Reader(files.is_recursive, field_lines).read(files.paths);
}

Result<Manifests> read_whole_manifests(const FilesToRead& files) {
    TRY(Manifests out, read_manifests(files));
    std::vector<std::string> left_out;
    for (const Misreading& misreading : out.misread) {
        if (!misreading.was_found) return invalid(misreading.what.message);
        left_out.push_back(misreading.what.message);
    }
    if (!left_out.empty()) out.passed_over.push_back("left out: " + some_of(left_out));
    return out;
}

}  // namespace joiner::cli
