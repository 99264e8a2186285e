// The contract, part one: creating, reading, replacing, patching and deleting objects of any kind.
#include <gmock/gmock.h>

#include "sim/contract.h"

namespace joiner::sim {
namespace {

using testing::ElementsAre;

TEST_P(ContractTest, a_create_gives_an_object_its_identity) {
    const HttpAnswer made = post(core("pods"), pod("a"));
    EXPECT_EQ(made.code, 201);
    EXPECT_EQ(made.text({"kind"}), "Pod");
    EXPECT_EQ(made.text({"apiVersion"}), "v1");
    EXPECT_EQ(made.text({"metadata", "namespace"}), ns_);
    EXPECT_EQ(made.text({"metadata", "uid"}).size(), 36u);
    EXPECT_EQ(made.text({"metadata", "creationTimestamp"}).size(), 20u);
    EXPECT_EQ(int_at(made.body, {"metadata", "generation"}), 1);
    EXPECT_FALSE(version(made).empty());
    EXPECT_EQ(get(core("pods", "a")).body["metadata"], made.at({"metadata"}));
}

TEST_P(ContractTest, some_kinds_have_no_generation) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    EXPECT_EQ(find(made.body, {"metadata", "generation"}), nullptr);
}

TEST_P(ContractTest, a_generated_name_is_the_prefix_and_five_letters) {
    Json object = config_map("");
    object["metadata"] = {{"generateName", "web-"}};
    const std::string name = post(core("configmaps"), object).text({"metadata", "name"});
    EXPECT_TRUE(name.starts_with("web-"));
    EXPECT_EQ(name.size(), 9u);
}

// As kubectl does for `create deployment`, `create namespace` and the like.
TEST_P(ContractTest, an_object_may_come_as_protobuf) {
    const auto field = [](int number, std::string_view bytes) {
        return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} +
               std::string(bytes);
    };
    const std::string object =
        field(1, field(1, "a") + field(3, "")) + field(2, field(1, "key") + field(2, "value"));
    const std::string body =
        std::string("k8s\0", 4) + field(1, field(1, "v1") + field(2, "ConfigMap")) + field(2, object);
    const HttpAnswer made = call("POST", core("configmaps"), body, "application/vnd.kubernetes.protobuf");
    EXPECT_EQ(made.code, 201) << made.body;
    EXPECT_EQ(made.text({"data", "key"}), "value");
    EXPECT_EQ(made.text({"metadata", "namespace"}), ns_);
    for (const std::string& broken : {body.substr(0, body.size() - 3), std::string("k8s\0", 4)})
        EXPECT_CODE(call("POST", core("configmaps"), broken, "application/vnd.kubernetes.protobuf"), 400);
}

TEST_P(ContractTest, creates_that_are_refused) {
    EXPECT_CODE(post(core("configmaps"), config_map("a")), 201);
    EXPECT_REFUSED(post(core("configmaps"), config_map("a")), 409, "AlreadyExists",
                   "configmaps \"a\" already exists");
    EXPECT_REFUSED(post(core("configmaps"), {{"data", Json::object()}}), 422, "Invalid",
                   "metadata.name: Required value: name or generateName is required");
    EXPECT_REFUSED(post(core("configmaps"), config_map("No_Such")), 422, "Invalid",
                   "ConfigMap \"No_Such\" is invalid: metadata.name: Invalid value: \"No_Such\": ");
    EXPECT_REFUSED(post("/api/v1/namespaces/nowhere/configmaps", config_map("a")), 404, "NotFound",
                   "namespaces \"nowhere\" not found");
    EXPECT_REFUSED(post(core("configmaps"), "{"), 400, "BadRequest", "");
    Json elsewhere = config_map("b");
    elsewhere["metadata"]["namespace"] = "default";
    EXPECT_REFUSED(post(core("configmaps"), elsewhere), 400, "BadRequest",
                   "the namespace of the provided object does not match the namespace sent on the request");
    Json versioned = config_map("b");
    versioned["metadata"]["resourceVersion"] = "5";
    const HttpAnswer refused = post(core("configmaps"), versioned);
    EXPECT_EQ(refused.code, 500);
    EXPECT_EQ(refused.text({"message"}), "resourceVersion should not be set on objects to be created");
    Json other_kind = config_map("b");
    other_kind["kind"] = "Secret";
    other_kind["apiVersion"] = "v1";
    EXPECT_REFUSED(post(core("configmaps"), other_kind), 400, "BadRequest", "");
}

TEST_P(ContractTest, wrong_types_are_named_and_unknown_fields_dropped_or_refused) {
    Json wrong = pod("a");
    wrong["spec"]["containers"] = "none";
    EXPECT_REFUSED(post(core("pods"), wrong), 400, "BadRequest",
                   "Pod in version \"v1\" cannot be handled as a Pod: json: cannot unmarshal string");
    Json misspelt = pod("a");
    misspelt["spec"]["contaners"] = Json::array();
    EXPECT_REFUSED(post(core("pods") + "?fieldValidation=Strict", misspelt), 400, "BadRequest",
                   "strict decoding error: unknown field \"spec.contaners\"");
    const HttpAnswer made = post(core("pods"), misspelt);
    EXPECT_EQ(made.code, 201);
    EXPECT_EQ(find(made.body, {"spec", "contaners"}), nullptr);
}

TEST_P(ContractTest, what_is_not_there_is_not_found) {
    EXPECT_REFUSED(get(core("pods", "none")), 404, "NotFound", "pods \"none\" not found");
    EXPECT_REFUSED(get("/apis/apps/v1/namespaces/" + ns_ + "/deployments/none"), 404, "NotFound",
                   "deployments.apps \"none\" not found");
    EXPECT_EQ(get(core("pods", "none")).text({"details", "kind"}), "pods");
    EXPECT_REFUSED(merge(core("pods", "none"), Json::object()), 404, "NotFound", "pods \"none\" not found");
    EXPECT_REFUSED(remove(core("pods", "none")), 404, "NotFound", "pods \"none\" not found");
    Json missing = config_map("none");
    EXPECT_REFUSED(put(core("configmaps", "none"), missing), 404, "NotFound",
                   "configmaps \"none\" not found");
}

TEST_P(ContractTest, a_dry_run_changes_nothing) {
    EXPECT_CODE(post(core("configmaps") + "?dryRun=All", config_map("a")), 201);
    EXPECT_CODE(get(core("configmaps", "a")), 404);
}

TEST_P(ContractTest, a_replace_needs_the_newest_version_or_none) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    Json changed = made.body;
    changed["data"]["a"] = "2";
    const HttpAnswer second = put(core("configmaps", "a"), changed);
    EXPECT_EQ(second.code, 200);
    EXPECT_NE(version(second), version(made));
    EXPECT_REFUSED(put(core("configmaps", "a"), changed), 409, "Conflict",
                   "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please "
                   "apply your changes to the latest version and try again");
    changed["metadata"].erase("resourceVersion");
    EXPECT_CODE(put(core("configmaps", "a"), changed), 200);
}

TEST_P(ContractTest, a_write_that_changes_nothing_keeps_the_version) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    EXPECT_EQ(version(put(core("configmaps", "a"), made.body)), version(made));
    EXPECT_EQ(version(merge(core("configmaps", "a"), {{"data", {{"a", "1"}}}})), version(made));
}

TEST_P(ContractTest, a_replace_keeps_what_only_the_server_writes) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    Json changed = config_map("a");
    changed["metadata"]["labels"] = {{"x", "y"}};
    const HttpAnswer second = put(core("configmaps", "a"), changed);
    EXPECT_EQ(second.text({"metadata", "uid"}), made.text({"metadata", "uid"}));
    EXPECT_EQ(second.text({"metadata", "creationTimestamp"}), made.text({"metadata", "creationTimestamp"}));
    changed["metadata"]["uid"] = "11111111-1111-4111-8111-111111111111";
    EXPECT_REFUSED(put(core("configmaps", "a"), changed), 409, "Conflict",
                   "Precondition failed: UID in precondition: 11111111-1111-4111-8111-111111111111, UID in "
                   "object meta: " +
                       made.text({"metadata", "uid"}));
    EXPECT_REFUSED(put(core("configmaps", "a"), config_map("b")), 400, "BadRequest",
                   "the name of the object (b) does not match the name on the URL (a)");
}

TEST_P(ContractTest, leases_are_created_by_a_replace) {
    const Json lease = {{"metadata", {{"name", "l"}}}, {"spec", {{"holderIdentity", "me"}}}};
    const HttpAnswer made = put(grouped("coordination.k8s.io/v1", "leases", "l"), lease);
    EXPECT_EQ(made.code, 201);
    EXPECT_CODE(put(grouped("coordination.k8s.io/v1", "leases", "l"), made.body), 200);
    EXPECT_REFUSED(put(grouped("coordination.k8s.io/v1", "leases", "l"), lease), 422, "Invalid",
                   "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0: "
                   "must be specified for an update");
}

TEST_P(ContractTest, a_merge_patch_sets_and_removes) {
    post(core("configmaps"), {{"metadata", {{"name", "a"}}}, {"data", {{"a", "1"}, {"b", "2"}}}});
    const HttpAnswer patched = merge(core("configmaps", "a"), {{"data", {{"a", nullptr}, {"c", "3"}}}});
    EXPECT_EQ(patched.at({"data"}), Json({{"b", "2"}, {"c", "3"}}));
    EXPECT_REFUSED(merge(core("configmaps", "a"), {{"metadata", {{"resourceVersion", "1"}}}}), 409,
                   "Conflict", "the object has been modified");
    EXPECT_REFUSED(merge(core("configmaps", "a"), {{"metadata", {{"name", "b"}}}}), 400, "BadRequest",
                   "the name of the object (b) does not match the name on the URL (a)");
    EXPECT_REFUSED(call("PATCH", core("configmaps", "a"), Json::object(), "application/json"), 415,
                   "UnsupportedMediaType", "");
}

TEST_P(ContractTest, a_json_patch_is_done_as_a_whole_or_not_at_all) {
    post(core("configmaps"), {{"metadata", {{"name", "a"}}}, {"data", {{"a", "1"}}}});
    const Json test = {{"op", "test"}, {"path", "/data/a"}, {"value", "1"}};
    const Json replace = {{"op", "replace"}, {"path", "/data/a"}, {"value", "2"}};
    const Json add = {{"op", "add"}, {"path", "/data/b.c"}, {"value", "3"}};
    const HttpAnswer patched = json_patch(core("configmaps", "a"), Json::array({test, replace, add}));
    EXPECT_EQ(patched.at({"data"}), Json({{"a", "2"}, {"b.c", "3"}})) << to_text(patched.body);
    EXPECT_REFUSED(json_patch(core("configmaps", "a"), Json::array({add, test})), 422, "Invalid",
                   "the server rejected our request due to an error in our request");
    EXPECT_REFUSED(
        json_patch(core("configmaps", "a"), Json::array({{{"op", "remove"}, {"path", "/data/none"}}})), 422,
        "Invalid", "the server rejected our request due to an error in our request");
    EXPECT_REFUSED(json_patch(core("configmaps", "a"), Json::object()), 400, "BadRequest", "");
    EXPECT_CODE(
        json_patch(core("configmaps", "a"),
                   Json::array({{{"op", "add"}, {"path", "/metadata/labels"}, {"value", {{"x", "y"}}}}})),
        200);
}

TEST_P(ContractTest, a_strategic_patch_merges_lists_by_their_keys) {
    Json object = pod("a");
    object["spec"]["containers"].push_back({{"name", "side"}, {"image", "pause:3"}});
    object["metadata"]["finalizers"] = Json::array({"example.com/a"});
    EXPECT_CODE(post(core("pods"), object), 201);
    const HttpAnswer patched =
        strategic(core("pods", "a"),
                  {{"metadata", {{"finalizers", {"example.com/b"}}}},
                   {"spec", {{"containers", Json::array({{{"name", "side"}, {"image", "pause:4"}}})}}}});
    EXPECT_EQ(patched.code, 200) << to_text(patched.body);
    EXPECT_EQ(patched.at({"metadata", "finalizers"}), Json({"example.com/b", "example.com/a"}));
    ASSERT_EQ(patched.at({"spec", "containers"}).size(), 2u);
    EXPECT_EQ(patched.at({"spec", "containers"})[1]["image"], "pause:4");
    const HttpAnswer deleted = strategic(
        core("pods", "a"), {{"metadata", {{"$deleteFromPrimitiveList/finalizers", {"example.com/a"}}}}});
    EXPECT_EQ(deleted.at({"metadata", "finalizers"}), Json({"example.com/b"})) << to_text(deleted.body);
    merge(core("pods", "a"), {{"metadata", {{"finalizers", nullptr}}}});
}

TEST_P(ContractTest, a_strategic_patch_deletes_and_replaces_elements) {
    const std::string path = core("podtemplates", "a");
    Json spec = pod("a")["spec"];
    spec["containers"][0]["env"] =
        Json::array({{{"name", "A"}, {"value", "1"}}, {{"name", "B"}, {"value", "2"}}});
    EXPECT_CODE(post(core("podtemplates"), {{"metadata", {{"name", "a"}}}, {"template", {{"spec", spec}}}}),
                201);
    const auto patch_env = [&](const Json& env) {
        const Json container = {{"name", "main"}, {"env", env}};
        return strategic(path, {{"template", {{"spec", {{"containers", Json::array({container})}}}}}})
            .body["template"]["spec"]["containers"][0]["env"];
    };
    EXPECT_EQ(patch_env(Json::array({{{"name", "A"}, {"$patch", "delete"}}})),
              Json::array({{{"name", "B"}, {"value", "2"}}}));
    EXPECT_EQ(patch_env(Json::array({{{"name", "C"}, {"value", "3"}}, {{"$patch", "replace"}}})),
              Json::array({{{"name", "C"}, {"value", "3"}}}));
    EXPECT_EQ(patch_env(Json::array({{{"name", "C"}, {"value", "4"}}}))[0]["value"], "4");
}

TEST_P(ContractTest, conditions_merge_by_type_and_taints_do_not_merge) {
    const std::string name = unique("node");
    clean_up(cluster_path("v1", "nodes", name));
    EXPECT_CODE(post("/api/v1/nodes", node(name)), 201);
    const auto condition = [](const char* type, const char* status) {
        return Json{{"type", type}, {"status", status}};
    };
    strategic(
        cluster_path("v1", "nodes", name, "status"),
        {{"status",
          {{"conditions", Json::array({condition("Ready", "False"), condition("DiskPressure", "False")})}}}});
    const HttpAnswer patched =
        strategic(cluster_path("v1", "nodes", name, "status"),
                  {{"status", {{"conditions", Json::array({condition("Ready", "True")})}}}});
    EXPECT_EQ(array_at(patched.body, {"status", "conditions"}).size(), 2u);
    EXPECT_TRUE(is_condition_true(patched.body, "Ready"));
    const Json taint = {{"key", "a"}, {"effect", "NoSchedule"}};
    const HttpAnswer tainted =
        strategic(cluster_path("v1", "nodes", name), {{"spec", {{"taints", Json::array({taint})}}}});
    EXPECT_EQ(tainted.at({"spec", "taints"}), Json::array({taint}));
}

TEST_P(ContractTest, an_apply_creates_and_then_merges) {
    const std::string path = core("configmaps", "a") + "?fieldManager=me";
    Json object = {
        {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", "a"}}}, {"data", {{"a", "1"}}}};
    EXPECT_CODE(call("PATCH", path, object, "application/apply-patch+yaml"), 201);
    object["data"] = {{"a", "2"}, {"b", "3"}};
    const HttpAnswer merged = call("PATCH", path, object, "application/apply-patch+yaml");
    EXPECT_EQ(merged.code, 200);
    EXPECT_EQ(merged.at({"data"}), Json({{"a", "2"}, {"b", "3"}}));
    const HttpAnswer from_yaml =
        call("PATCH", path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '5', b: '3'}\n",
             "application/apply-patch+yaml");
    EXPECT_EQ(from_yaml.at({"data"}), Json({{"a", "5"}, {"b", "3"}})) << to_text(from_yaml.body);
    const HttpAnswer unnamed = call("PATCH", core("configmaps", "a"), object, "application/apply-patch+yaml");
    EXPECT_REFUSED(unnamed, 422, "Invalid", "fieldManager: Required value");
}

TEST_P(ContractTest, a_delete_answers_with_the_uid_of_what_is_gone) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    const HttpAnswer gone = remove(core("configmaps", "a"));
    EXPECT_EQ(gone.code, 200);
    EXPECT_EQ(gone.text({"kind"}), "Status");
    EXPECT_EQ(gone.text({"status"}), "Success");
    EXPECT_EQ(gone.text({"details", "uid"}), made.text({"metadata", "uid"}));
    EXPECT_EQ(gone.text({"details", "name"}), "a");
    EXPECT_CODE(get(core("configmaps", "a")), 404);
}

TEST_P(ContractTest, a_delete_keeps_to_its_preconditions) {
    const HttpAnswer made = post(core("configmaps"), config_map("a"));
    const std::string uid = made.text({"metadata", "uid"});
    const std::string other = "11111111-1111-4111-8111-111111111111";
    EXPECT_REFUSED(remove(core("configmaps", "a"), {{"preconditions", {{"uid", other}}}}), 409, "Conflict",
                   "the UID in the precondition (" + other + ") does not match the UID in record (" + uid +
                       "). The object might have been deleted and then recreated");
    EXPECT_REFUSED(
        remove(core("configmaps", "a"), {{"preconditions", {{"resourceVersion", "1"}}}}), 409, "Conflict",
        "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (" +
            version(made) + "). The object might have been modified");
    EXPECT_CODE(remove(core("configmaps", "a"),
                       {{"preconditions", {{"uid", uid}, {"resourceVersion", version(made)}}}}),
                200);
}

TEST_P(ContractTest, finalizers_hold_an_object_until_the_last_is_gone) {
    Json object = config_map("a");
    object["metadata"]["finalizers"] = Json::array({"example.com/a", "example.com/b"});
    const HttpAnswer made = post(core("configmaps"), object);
    const HttpAnswer marked = remove(core("configmaps", "a"));
    EXPECT_EQ(marked.code, 200);
    EXPECT_EQ(marked.text({"kind"}), "ConfigMap");
    EXPECT_TRUE(is_deleting(marked.body));
    EXPECT_EQ(int_at(marked.body, {"metadata", "deletionGracePeriodSeconds"}, -1), 0);
    EXPECT_NE(version(marked), version(made));
    EXPECT_EQ(version(remove(core("configmaps", "a"))), version(marked)) << "a second delete changes nothing";
    EXPECT_REFUSED(
        merge(core("configmaps", "a"),
              {{"metadata", {{"finalizers", {"example.com/a", "example.com/b", "example.com/c"}}}}}),
        422, "Invalid",
        "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted");
    EXPECT_CODE(merge(core("configmaps", "a"), {{"metadata", {{"finalizers", {"example.com/b"}}}}}), 200);
    const HttpAnswer still = merge(core("configmaps", "a"), {{"metadata", {{"deletionTimestamp", nullptr}}}});
    EXPECT_TRUE(is_deleting(still.body));
    const HttpAnswer last = merge(core("configmaps", "a"), {{"metadata", {{"finalizers", nullptr}}}});
    EXPECT_EQ(last.code, 200);
    EXPECT_TRUE(is_deleting(last.body));
    EXPECT_CODE(get(core("configmaps", "a")), 404);
}

TEST_P(ContractTest, propagation_leaves_its_finalizer) {
    for (const auto& [policy, finalizer] :
         {std::pair{"Foreground", "foregroundDeletion"}, std::pair{"Orphan", "orphan"}}) {
        EXPECT_CODE(post(core("configmaps"), config_map("a")), 201);
        const HttpAnswer marked = remove(core("configmaps", "a"), {{"propagationPolicy", policy}});
        EXPECT_EQ(marked.at({"metadata", "finalizers"}), Json({finalizer})) << to_text(marked.body);
        EXPECT_CODE(merge(core("configmaps", "a"), {{"metadata", {{"finalizers", nullptr}}}}), 200);
    }
    EXPECT_CODE(post(core("configmaps"), config_map("a")), 201);
    EXPECT_EQ(remove(core("configmaps", "a") + "?propagationPolicy=Background").text({"status"}), "Success");
}

TEST_P(ContractTest, a_collection_is_deleted_by_selector) {
    for (const char* name : {"a", "b", "c"}) {
        Json object = config_map(name);
        object["metadata"]["labels"] = {{"kept", name == std::string_view("b") ? "yes" : "no"}};
        EXPECT_CODE(post(core("configmaps"), object), 201);
    }
    const HttpAnswer deleted = remove(core("configmaps") + "?labelSelector=kept%3Dno");
    EXPECT_EQ(deleted.code, 200);
    EXPECT_THAT(names(deleted), ElementsAre("a", "c"));
    EXPECT_THAT(names(get(core("configmaps") + "?labelSelector=kept")), ElementsAre("b"));
}

TEST_P(ContractTest, a_namespace_on_its_way_out_takes_nothing_new) {
    const std::string name = "contract-ns-" + suffix_;
    EXPECT_CODE(post("/api/v1/namespaces", {{"metadata", {{"name", name}}}}), 201);
    const HttpAnswer made = get("/api/v1/namespaces/" + name);
    EXPECT_EQ(made.text({"status", "phase"}), "Active");
    EXPECT_EQ(made.text({"metadata", "labels", "kubernetes.io/metadata.name"}), name);
    const HttpAnswer marked = remove("/api/v1/namespaces/" + name);
    EXPECT_EQ(marked.code, 200);
    EXPECT_EQ(marked.text({"status", "phase"}), "Terminating");
    EXPECT_REFUSED(post("/api/v1/namespaces/" + name + "/configmaps", config_map("a")), 403, "Forbidden",
                   "configmaps \"a\" is forbidden: unable to create new content in namespace " + name +
                       " because it is being terminated");
    Json finalized = get("/api/v1/namespaces/" + name).body;
    finalized["spec"]["finalizers"] = Json::array();
    EXPECT_CODE(put("/api/v1/namespaces/" + name + "/finalize", finalized), 200);
    EXPECT_CODE(get("/api/v1/namespaces/" + name), 404);
}

}  // namespace
}  // namespace joiner::sim
