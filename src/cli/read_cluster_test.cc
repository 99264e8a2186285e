#include "cli/read_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

namespace joiner::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Answers by path, without its query; what it does not know is not installed.
class ScriptedApi {
  public:
    ScriptedApi() {
        for (const char* core :
             {"nodes", "pods", "persistentvolumeclaims", "persistentvolumes", "namespaces", "limitranges",
              "services", "replicationcontrollers", "podtemplates", "configmaps"})
            lists["/api/v1/" + std::string(core)] = json::array();
        for (const char* other : {"policy/v1/poddisruptionbudgets", "apps/v1/daemonsets",
                                  "storage.k8s.io/v1/storageclasses", "storage.k8s.io/v1/csinodes",
                                  "scheduling.k8s.io/v1/priorityclasses", "node.k8s.io/v1/runtimeclasses"})
            lists["/apis/" + std::string(other)] = json::array();
    }

    Getter getter() {
        return [this](const std::string& path) { return answer(path); };
    }

    std::map<std::string, json> lists;
    std::map<std::string, Error> errors;
    std::size_t page = 1'000;
    int gone = 0;  // So many continued pages are answered with 410.
    std::vector<std::string> asked;

  private:
    Result<std::string> answer(const std::string& target) {
        asked.push_back(target);
        const std::string path = target.substr(0, target.find('?'));
        if (const auto error = errors.find(path); error != errors.end())
            return tl::unexpected<Error>(error->second);
        const auto list = lists.find(path);
        if (list == lists.end()) return fail(ErrorKind::kNotFound, "GET " + path + ": not found");
        std::size_t from = 0;
        if (const auto at = target.find("continue=from%2B"); at != std::string::npos) {
            from = std::stoul(target.substr(at + 16));
            if (gone > 0) {
                --gone;
                return fail(ErrorKind::kGone, "the continue token is too old");
            }
        }
        json out{{"kind", "List"}, {"metadata", json::object()}, {"items", json::array()}};
        for (std::size_t i = from; i < std::min(from + page, list->second.size()); ++i)
            out["items"].push_back(list->second[i]);
        if (from + page < list->second.size())
            out["metadata"]["continue"] = "from+" + std::to_string(from + page);
        return out.dump();
    }
};

json named(const std::string& name) {
    return {{"metadata", {{"name", name}}}};
}

std::vector<std::string> names_of(const ClusterRead& read, std::string_view kind) {
    std::vector<std::string> out;
    for (const Manifest& one : read.manifests.objects) {
        if (one.document.kind == kind) out.push_back(one.document.name);
    }
    return out;
}

TEST(ReadCluster, lists_are_read_page_by_page_and_begun_again_when_their_history_is_gone) {
    ScriptedApi api;
    for (const char* name : {"a", "b", "c", "d", "e"}) api.lists["/api/v1/nodes"].push_back(named(name));
    api.page = 2;
    api.gone = 2;
    const auto read = read_live_cluster(api.getter());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->is_live);
    EXPECT_THAT(names_of(*read, "Node"), ElementsAre("a", "b", "c", "d", "e"));
    EXPECT_THAT(read->not_read, IsEmpty());
    api.gone = 1'000;
    EXPECT_FALSE(read_live_cluster(api.getter()));
}

TEST(ReadCluster, a_kind_that_may_not_be_read_is_named_with_what_it_could_change) {
    ScriptedApi api;
    api.errors["/apis/policy/v1/poddisruptionbudgets"] = {ErrorKind::kForbidden, "budgets are forbidden"};
    api.errors["/api/v1/persistentvolumes"] = {ErrorKind::kForbidden, "volumes are forbidden"};
    const auto read = read_live_cluster(api.getter());
    ASSERT_TRUE(read);
    ASSERT_EQ(read->not_read.size(), 2u);
    EXPECT_EQ(in_words(read->not_read[1]),
              "PodDisruptionBudgets were not read (budgets are forbidden): nodes may be named for removal "
              "whose pods a budget protects");
    EXPECT_EQ(read->not_read[0].kind, "PersistentVolumes");
}

TEST(ReadCluster, without_nodes_or_pods_there_is_no_answer) {
    for (const char* path : {"/api/v1/nodes", "/api/v1/pods"}) {
        ScriptedApi api;
        api.errors[path] = {ErrorKind::kForbidden, "not yours"};
        const auto read = read_live_cluster(api.getter());
        ASSERT_FALSE(read);
        EXPECT_THAT(read.error().message, HasSubstr("not yours; without "));
        EXPECT_THAT(read.error().message, HasSubstr("docs/plan.md"));
    }
    ScriptedApi api;
    api.errors["/api/v1/nodes"] = {ErrorKind::kUnavailable, "nobody answers"};
    const auto read = read_live_cluster(api.getter());
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, Not(HasSubstr("role")));
    EXPECT_EQ(api.asked.size(), 1u);
}

TEST(ReadCluster, kinds_served_in_a_version_that_is_not_read_are_named) {
    ScriptedApi api;
    api.lists["/apis/karpenter.sh/v1beta1/nodepools"] = json::array();
    const auto read = read_live_cluster(api.getter());
    ASSERT_TRUE(read);
    ASSERT_EQ(read->not_read.size(), 1u);
    EXPECT_EQ(read->not_read[0].kind, "NodePools");
    EXPECT_EQ(read->not_read[0].why, "the cluster serves them as v1beta1 only, and v1 is read");
}

TEST(ReadCluster, what_is_no_list_is_an_error_and_no_crash) {
    for (const char* body : {"", "[]", "{}", R"({"items":7})", R"({"items":[7]})", "\xff"}) {
        ScriptedApi api;
        const auto read = read_live_cluster([&](const std::string& path) -> Result<std::string> {
            if (path.starts_with("/apis/apps/v1/daemonsets")) return std::string(body);
            return api.getter()(path);
        });
        ASSERT_TRUE(read) << body;
        ASSERT_EQ(read->not_read.size(), 1u) << body;
        EXPECT_THAT(read->not_read[0].why, HasSubstr("it is no list")) << body;
    }
}

TEST(ReadCluster, secrets_and_the_environment_of_pods_are_thrown_away) {
    const std::string kept = without_secrets(R"({"kind":"Pod","metadata":{"name":"p","managedFields":[1],
        "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"hush","a":"b"}},
        "spec":{"nodeName":"n","containers":[{"name":"c","env":[{"name":"X","value":"hush"}],"args":["hush"],
        "resources":{"requests":{"cpu":"1"}}}],"initContainers":[{"name":"i","envFrom":["hush"]}]}})");
    EXPECT_EQ(json::parse(kept), json::parse(R"({"kind":"Pod","metadata":{"name":"p","annotations":{"a":"b"}},
        "spec":{"nodeName":"n","containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}],
        "initContainers":[{"name":"i"}]}})"));
    for (
        const char* object :
        {R"({"kind":"Secret","metadata":{"name":"s"},"data":{"k":"hush"},"stringData":{"k":"hush"}})",
         R"({"kind":"ConfigMap","metadata":{"name":"m"},"data":{"k":"hush"}})",
         R"({"kind":"Deployment","spec":{"template":{"metadata":{},"spec":{"containers":[{"env":["hush"]}]}}}})",
         R"({"kind":"PodTemplate","template":{"spec":{"containers":[{"env":["hush"]}]}}})",
         R"({"kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":{"containers":[{"env":["hush"]}]}}}}}})"})
        EXPECT_THAT(without_secrets(object), Not(HasSubstr("hush"))) << object;
    const char* memory = R"({"kind":"ConfigMap","metadata":{"name":"joiner-shortages"},"data":{"k":"kept"}})";
    EXPECT_THAT(without_secrets(memory), HasSubstr("kept"));
    for (const char* odd : {"7", "no json", R"({"kind":"Pod","spec":{"containers":[7,null,{}]}})"})
        EXPECT_FALSE(without_secrets(odd).empty());
}

std::string file_with(const std::string& name, const std::string& text) {
    const std::string path = testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
}

TEST(ReadCluster, what_if_objects_stand_in_place_of_those_of_their_name) {
    ClusterFlags flags;
    flags.files = {file_with("read_cluster_dump.yaml",
                             "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: default}}\n---\n"
                             "{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}}\n")};
    flags.with = {
        file_with("read_cluster_with.yaml",
                  "{apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {weight: 7}}\n"
                  "---\n{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {nodeName: n}}\n"
                  "---\n{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: other}}\n")};
    const auto read = read_cluster(flags);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_FALSE(read->is_live);
    ASSERT_THAT(names_of(*read, "Pod"), ElementsAre("a", "a"));
    EXPECT_THAT(read->manifests.objects[0].document.json, HasSubstr("nodeName"));
    EXPECT_THAT(read->manifests.objects[1].document.json, HasSubstr("weight"));
    flags.with = {"no such file"};
    EXPECT_FALSE(read_cluster(flags));
}

}  // namespace
}  // namespace joiner::cli
