// Folders as people have them: manifests among other things.
#include "cli/manifest_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace joiner::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ManifestFiles : public testing::Test {
  protected:
    void SetUp() override {
        std::string text = (fs::temp_directory_path() / "joiner-files-XXXXXX").string();
        ASSERT_NE(mkdtemp(text.data()), nullptr);
        folder_ = text;
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string write(const std::string& name, const std::string& text) {
        fs::create_directories((folder_ / name).parent_path());
        std::ofstream(folder_ / name) << text;
        return (folder_ / name).string();
    }
    void write_pod(const std::string& name) {
        write(name, "apiVersion: v1\nkind: Pod\nmetadata: {name: " + fs::path(name).stem().string() + "}\n");
    }

    // The names of the objects, then what was passed over; or the error.
    std::string read(const std::string& path, bool is_recursive = false) {
        const auto manifests = read_whole_manifests({{path}, is_recursive});
        if (!manifests) return "error: " + manifests.error().message;
        std::string out;
        for (const Manifest& manifest : manifests->objects) out += manifest.document.name + " ";
        return fmt::format("{}| {}", out, fmt::join(manifests->passed_over, "; "));
    }
    std::string read_folder(bool is_recursive = false) { return read(folder_.string(), is_recursive); }

    fs::path folder_;
};

TEST_F(ManifestFiles, what_is_no_manifest_is_passed_over_in_a_folder) {
    write_pod("a.yaml");
    write("kustomization.yaml", "resources: [a.yaml]\n");
    write("values.yaml", "image: {tag: x}\nreplicas: 3\n");
    write("Chart.yaml", "apiVersion: v2\nname: chart\n");
    write("policy.json", R"({"Version": "2012-10-17", "Statement": []})");
    write("list.json", "[1, 2]");
    write("notes.txt", "kind: nothing");
    EXPECT_THAT(read_folder(), HasSubstr("a | 5 files without a kind and an apiVersion"));
    EXPECT_THAT(read_folder(), HasSubstr("1 kustomization is not applied; kubectl kustomize prints what it "
                                         "makes: " +
                                         (folder_ / "kustomization.yaml").string()));
}

TEST_F(ManifestFiles, what_is_no_manifest_is_an_error_when_it_is_named) {
    EXPECT_THAT(read(write("kustomization.yaml", "resources: [a.yaml]\n")),
                HasSubstr("kustomization.yaml:1: has no kind"));
    EXPECT_THAT(read(write("policy.json", R"({"Version": "1"})")), HasSubstr("policy.json:1: has no kind"));
    EXPECT_THAT(read((folder_ / "nowhere.yaml").string()), HasSubstr("error: "));
}

TEST_F(ManifestFiles, templates_are_passed_over_in_a_folder) {
    write_pod("a.yaml");
    write("deployment.yaml",
          "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n{{- if .x }}\n"
          "spec: {}\n{{- end }}\n");
    write("quoted.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: \"{{ .Release.Name }}\"}\n");
    EXPECT_THAT(read_folder(), HasSubstr("a | 2 files with {{ }}"));
    EXPECT_THAT(read((folder_ / "deployment.yaml").string()), HasSubstr("render it first (helm template)"));
}

TEST_F(ManifestFiles, marks_of_templates_inside_a_whole_object_are_its_own) {
    write("workflow.yaml",
          "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\n"
          "spec: {args: [\"{{inputs.parameters.x}}\"]}\n");
    EXPECT_EQ(read_folder(), "w | ");
}

TEST_F(ManifestFiles, a_broken_document_leaves_the_others_of_its_folder) {
    write_pod("a.yaml");
    write("b.yaml",
          "apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n---\nkind: [\n---\napiVersion: v1\nkind: Pod\n"
          "metadata: {name: c}\n");
    EXPECT_THAT(read_folder(), HasSubstr("a b c | left out: "));
    EXPECT_THAT(read_folder(), HasSubstr("b.yaml:6: not valid YAML"));
    EXPECT_THAT(read((folder_ / "b.yaml").string()), HasSubstr("error: "));
}

TEST_F(ManifestFiles, keys_that_stand_again_are_said_once) {
    const std::string one = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  x: 1\n  x: 2\n";
    EXPECT_THAT(read(write("a.yaml", one)),
                HasSubstr("a | 1 key stands again in one object; the last one counts"));
    EXPECT_THAT(read(write("a.yaml", one)), HasSubstr("a.yaml:6: x"));
    write("b.yaml", one);
    EXPECT_THAT(read_folder(), HasSubstr("a a | 2 keys stand again in one object"));
}

TEST_F(ManifestFiles, folders_inside_are_said_or_read) {
    write_pod("a.yaml");
    write_pod("inner/b.yaml");
    write_pod("inner/deeper/c.yml");
    write_pod(".git/hidden.yaml");
    EXPECT_THAT(read_folder(), HasSubstr("a | 1 folder inside passed over (-R reads them, too): "));
    EXPECT_EQ(read_folder(true), "a b c | ");
}

TEST_F(ManifestFiles, a_folder_of_nothing_but_folders_says_how_to_read_them) {
    write_pod("inner/b.yaml");
    EXPECT_THAT(read_folder(), HasSubstr("has no .yaml, .yml or .json file; -R reads"));
}

}  // namespace
}  // namespace joiner::cli
