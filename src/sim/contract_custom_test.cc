// The contract, part four: the custom resources of deploy/crds, and how they are defaulted, pruned and
// validated.
#include <gmock/gmock.h>

#include "sim/contract.h"

namespace joiner::sim {
namespace {

class CustomResourceContract : public ContractTest {
  protected:
    void SetUp() override {
        ContractTest::SetUp();
        if (!server_ || IsSkipped()) return;
        serve_custom_resources();
        name_ = unique("x");
        clean_up(pool());
        clean_up(claim());
    }
    std::string pool(const std::string& subresource = {}) const {
        return cluster_path("karpenter.sh/v1", "nodepools", name_, subresource);
    }
    std::string claim(const std::string& subresource = {}) const {
        return cluster_path("karpenter.sh/v1", "nodeclaims", name_, subresource);
    }
    HttpAnswer create(const Json& object) {
        const std::string plural = text_at(object, {"kind"}) == "NodePool" ? "nodepools" : "nodeclaims";
        return post("/apis/karpenter.sh/v1/" + plural, object);
    }
    Json pool_with(Path path, const Json& value) const {
        Json object = node_pool(name_);
        sim::at(object, path) = value;
        return object;
    }
    static Json requirement(const char* key, const char* op, const Json& values) {
        return {{"key", key}, {"operator", op}, {"values", values}};
    }

    std::string name_;
};
INSTANTIATE_TEST_SUITE_P(On, CustomResourceContract, testing::Values("in_process", "http_front", "real"),
                         [](const auto& each) { return each.param; });

TEST_P(CustomResourceContract, defaults_are_set_on_the_way_in) {
    const HttpAnswer made = create(node_pool(name_));
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    EXPECT_EQ(made.at({"spec", "disruption"}), Json({{"consolidateAfter", "0s"},
                                                     {"consolidationPolicy", "WhenEmptyOrUnderutilized"},
                                                     {"budgets", Json::array({{{"nodes", "10%"}}})}}));
    EXPECT_EQ(made.text({"spec", "template", "spec", "expireAfter"}), "720h");
    EXPECT_EQ(int_at(made.body, {"metadata", "generation"}), 1);
    EXPECT_EQ(find(made.body, {"status"}), nullptr);
}

TEST_P(CustomResourceContract, a_default_of_the_status_shows_though_a_create_may_not_bring_one) {
    const std::string path = cluster_path("karpenter.kwok.sh/v1alpha1", "kwoknodeclasses", name_);
    clean_up(path);
    const HttpAnswer made = post("/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses",
                                 {{"apiVersion", "karpenter.kwok.sh/v1alpha1"},
                                  {"kind", "KWOKNodeClass"},
                                  {"metadata", {{"name", name_}}},
                                  {"status", {{"conditions", Json::array()}}}});
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    EXPECT_TRUE(is_condition_true(made.body, "Ready")) << to_text(made.body);
    EXPECT_TRUE(is_condition_true(get(path).body, "Ready"));
}

TEST_P(CustomResourceContract, unknown_fields_are_pruned_or_refused) {
    Json object = pool_with({"spec", "template", "spec", "no"}, 1);
    object["what"] = "ever";
    object["metadata"]["colour"] = "red";
    EXPECT_REFUSED(post("/apis/karpenter.sh/v1/nodepools?fieldValidation=Strict", object), 400, "BadRequest",
                   "strict decoding error: unknown field \"metadata.colour\", unknown field "
                   "\"spec.template.spec.no\", unknown field \"what\"");
    const HttpAnswer made = create(object);
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    EXPECT_EQ(find(made.body, {"what"}), nullptr);
    EXPECT_EQ(find(made.body, {"spec", "template", "spec", "no"}), nullptr);
}

TEST_P(CustomResourceContract, a_status_is_written_apart) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    const HttpAnswer on_main = merge(pool(), {{"status", {{"nodes", 3}}}});
    EXPECT_EQ(on_main.code, 200);
    EXPECT_EQ(find(on_main.body, {"status"}), nullptr);
    const HttpAnswer on_status =
        merge(pool("status"), {{"metadata", {{"labels", {{"a", "b"}}}, {"annotations", {{"a", "b"}}}}},
                               {"spec", {{"weight", 5}}},
                               {"status", {{"resources", {{"cpu", "4"}}}}}});
    EXPECT_EQ(on_status.code, 200) << to_text(on_status.body);
    EXPECT_EQ(on_status.text({"status", "resources", "cpu"}), "4");
    EXPECT_EQ(int_at(on_status.body, {"status", "nodes"}, -1), 0) << "the default of a field inside";
    EXPECT_EQ(find(on_status.body, {"spec", "weight"}), nullptr);
    EXPECT_EQ(find(on_status.body, {"metadata", "labels"}), nullptr);
    EXPECT_EQ(find(on_status.body, {"metadata", "annotations"}), nullptr);
    EXPECT_EQ(int_at(on_status.body, {"metadata", "generation"}), 1);
}

TEST_P(CustomResourceContract, the_generation_follows_the_spec_alone) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    EXPECT_EQ(
        int_at(merge(pool(), {{"metadata", {{"labels", {{"a", "b"}}}}}}).body, {"metadata", "generation"}),
        1);
    EXPECT_EQ(int_at(merge(pool(), {{"spec", {{"weight", 5}}}}).body, {"metadata", "generation"}), 2);
    EXPECT_CODE(merge(pool(), {{"metadata", {{"finalizers", {"example.com/a"}}}}}), 200);
    const HttpAnswer marked = remove(pool());
    EXPECT_EQ(int_at(marked.body, {"metadata", "generation"}), 3) << "a deletion counts too";
    EXPECT_CODE(merge(pool(), {{"metadata", {{"finalizers", nullptr}}}}), 200);
    EXPECT_CODE(get(pool()), 404);
}

TEST_P(CustomResourceContract, a_replace_needs_a_version) {
    const HttpAnswer made = create(node_pool(name_));
    EXPECT_REFUSED(put(pool(), node_pool(name_)), 422, "Invalid",
                   "metadata.resourceVersion: Invalid value: 0: must be specified for an update");
    EXPECT_CODE(put(pool(), made.body), 200);
}

TEST_P(CustomResourceContract, strategic_patches_are_for_built_in_kinds) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    EXPECT_REFUSED(strategic(pool(), {{"spec", {{"weight", 5}}}}), 415, "UnsupportedMediaType",
                   "the body of the request was in an unknown format - accepted media types include: "
                   "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
    const HttpAnswer applied = call("PATCH", pool() + "?fieldManager=me&force=true",
                                    {{"apiVersion", "karpenter.sh/v1"},
                                     {"kind", "NodePool"},
                                     {"metadata", {{"name", name_}}},
                                     {"spec", {{"weight", 7}}}},
                                    "application/apply-patch+yaml");
    EXPECT_EQ(int_at(applied.body, {"spec", "weight"}), 7) << to_text(applied.body);
    EXPECT_EQ(applied.text({"spec", "template", "spec", "nodeClassRef", "name"}), "default");
}

TEST_P(CustomResourceContract, what_the_schema_forbids_is_refused_with_its_place) {
    const std::string named = "NodePool.karpenter.sh \"" + name_ + "\" is invalid: ";
    const std::tuple<const char*, Json, std::string> cases[] = {
        {"a missing spec",
         {{"apiVersion", "karpenter.sh/v1"}, {"kind", "NodePool"}, {"metadata", {{"name", name_}}}},
         "spec: Required value"},
        {"a wrong type", pool_with({"spec", "weight"}, "five"),
         "spec.weight: Invalid value: \"string\": spec.weight in body must be of type integer: \"string\""},
        {"too little", pool_with({"spec", "weight"}, 0),
         named + "spec.weight: Invalid value: 0: spec.weight in body should be greater than or equal to 1"},
        {"too much", pool_with({"spec", "weight"}, 101),
         named + "spec.weight: Invalid value: 101: spec.weight in body should be less than or equal to 100"},
        {"not in the list", pool_with({"spec", "disruption", "consolidationPolicy"}, "Never"),
         "spec.disruption.consolidationPolicy: Unsupported value: \"Never\": supported values: "
         "\"WhenEmpty\", \"WhenEmptyOrUnderutilized\", \"Balanced\""},
        {"not the pattern", pool_with({"spec", "disruption", "consolidateAfter"}, "soon"),
         named + "spec.disruption.consolidateAfter: Invalid value: \"soon\": "
                 "spec.disruption.consolidateAfter in body should match '^(([0-9]+[smh])+|Never)$'"},
        {"too short", pool_with({"spec", "template", "spec", "nodeClassRef", "name"}, ""),
         named + "spec.template.spec.nodeClassRef.name: Invalid value: \"\": "
                 "spec.template.spec.nodeClassRef.name in body should be at least 1 chars long"},
        {"too long", pool_with({"spec", "template", "metadata", "labels", "a"}, std::string(64, 'x')),
         "spec.template.metadata.labels.a: Too long: may not be more than 63 bytes"},
        {"too many",
         pool_with({"spec", "disruption", "budgets"}, Json(std::vector<Json>(51, {{"nodes", "1"}}))),
         "spec.disruption.budgets: Too many: 51: must have at most 50 items"},
        {"twice in a set",
         pool_with({"spec", "disruption", "budgets"},
                   Json::array({{{"nodes", "1"}, {"reasons", {"Empty", "Empty"}}}})),
         named + "spec.disruption.budgets[0].reasons[1]: Duplicate value: \"Empty\""},
        {"an amount that is none", pool_with({"spec", "limits", "cpu"}, "lots"),
         "spec.limits.cpu: Invalid value: \"lots\": spec.limits.cpu in body should match '"},
        {"a missing item field",
         pool_with({"spec", "template", "spec", "requirements"}, Json::array({{{"key", "a"}}})),
         "spec.template.spec.requirements[0].operator: Required value"},
    };
    for (const auto& [what, object, message] : cases) {
        const HttpAnswer answer = create(object);
        SCOPED_TRACE(what);
        EXPECT_REFUSED(answer, 422, "Invalid", message);
    }
}

TEST_P(CustomResourceContract, rules_are_evaluated) {
    const auto requirements = [&](const Json& one) {
        return pool_with({"spec", "template", "spec", "requirements"}, Json::array({one}));
    };
    const std::string at = "spec.template.spec.requirements";
    const std::tuple<const char*, Json, std::string> cases[] = {
        {"In with no values", requirements(requirement("a", "In", Json::array())), at + ": Invalid value: "},
        {"Gt with a word", requirements(requirement("a", "Gt", {"b"})), at + ": Invalid value: "},
        {"a reserved key", requirements(requirement("karpenter.sh/other", "Exists", Json::array())),
         at + "[0].key: Invalid value: \"karpenter.sh/other\": keys in the domain karpenter.sh are reserved"},
        {"the host name", requirements(requirement("kubernetes.io/hostname", "Exists", Json::array())),
         at + "[0].key: Invalid value: \"kubernetes.io/hostname\": the key kubernetes.io/hostname is "
              "reserved"},
        {"a reserved label",
         pool_with({"spec", "template", "metadata", "labels", "karpenter.sh/nodepool"}, "x"),
         "spec.template.metadata.labels: Invalid value: "},
        {"a schedule alone",
         pool_with({"spec", "disruption", "budgets"},
                   Json::array({{{"nodes", "1"}, {"schedule", "@daily"}}})),
         "spec.disruption.budgets: Invalid value: "},
    };
    for (const auto& [what, object, message] : cases) {
        const HttpAnswer answer = create(object);
        SCOPED_TRACE(what);
        EXPECT_REFUSED(answer, 422, "Invalid", message);
    }
    EXPECT_CODE(create(requirements(requirement("karpenter.sh/capacity-type", "In", {"spot"}))), 201);
}

TEST_P(CustomResourceContract, structure_comes_before_rules) {
    Json object = pool_with({"spec", "template", "spec", "requirements"},
                            Json::array({requirement("a", "In", Json::array())}));
    object["spec"]["weight"] = "five";
    const HttpAnswer answer = create(object);
    EXPECT_EQ(answer.code, 422);
    EXPECT_EQ(array_at(answer.body, {"details", "causes"}).size(), 2u) << to_text(answer.body);
    EXPECT_EQ(answer.text({"details", "kind"}), "NodePool");
    EXPECT_EQ(answer.text({"details", "group"}), "karpenter.sh");
}

TEST_P(CustomResourceContract, a_node_claims_spec_is_fixed) {
    const HttpAnswer made = create(node_claim(name_));
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    const HttpAnswer refused = merge(claim(), {{"spec", {{"expireAfter", "1h"}}}});
    EXPECT_REFUSED(refused, 422, "Invalid", "the spec is immutable");
    EXPECT_EQ(refused.text({"message"}).substr(0, refused.text({"message"}).find(": Invalid")),
              "NodeClaim.karpenter.sh \"" + name_ + "\" is invalid: spec");
    EXPECT_CODE(merge(claim(), {{"metadata", {{"labels", {{"a", "b"}}}, {"finalizers", {"example.com/a"}}}}}),
                200);
    EXPECT_CODE(merge(claim("status"), {{"status", {{"providerID", "sim://1"}}}}), 200);
    EXPECT_CODE(merge(claim(), {{"metadata", {{"finalizers", nullptr}}}}), 200);
}

TEST_P(CustomResourceContract, transitions_are_judged_against_what_was) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    EXPECT_REFUSED(
        merge(pool(), {{"spec", {{"template", {{"spec", {{"nodeClassRef", {{"kind", "Other"}}}}}}}}}}), 422,
        "Invalid", "nodeClassRef.kind is immutable");
    EXPECT_REFUSED(merge(pool(), {{"spec", {{"replicas", 1}}}}), 422, "Invalid",
                   "replicas can be neither added to a NodePool nor removed from it");
    EXPECT_CODE(
        merge(pool(), {{"spec", {{"template", {{"spec", {{"nodeClassRef", {{"name", "other"}}}}}}}}}}), 200);
}

TEST_P(CustomResourceContract, conditions_are_checked_on_the_way_to_the_status) {
    EXPECT_CODE(create(node_claim(name_)), 201);
    const auto condition = [](const char* type) {
        return Json{{"type", type},
                    {"status", "True"},
                    {"reason", "Fine"},
                    {"message", ""},
                    {"lastTransitionTime", "2026-01-01T00:00:00Z"}};
    };
    EXPECT_REFUSED(
        merge(claim("status"), {{"status", {{"conditions", Json::array({condition("A"), condition("A")})}}}}),
        422, "Invalid", "status.conditions[1]: Duplicate value: ");
    Json late = condition("A");
    late["lastTransitionTime"] = "yesterday";
    EXPECT_REFUSED(merge(claim("status"), {{"status", {{"conditions", Json::array({late})}}}}), 422,
                   "Invalid", "status.conditions[0].lastTransitionTime: Invalid value: ");
    EXPECT_CODE(
        merge(claim("status"), {{"status", {{"conditions", Json::array({condition("A"), condition("B")})}}}}),
        200);
    const Json add = {{"op", "add"}, {"path", "/status/conditions/-"}, {"value", condition("C")}};
    const HttpAnswer added = json_patch(claim("status"), Json::array({add}));
    EXPECT_EQ(array_at(added.body, {"status", "conditions"}).size(), 3u) << to_text(added.body);
}

TEST_P(CustomResourceContract, a_pool_can_be_scaled) {
    Json object = node_pool(name_);
    object["spec"]["replicas"] = 2;
    EXPECT_CODE(create(object), 201);
    const HttpAnswer scale = get(pool("scale"));
    EXPECT_EQ(scale.text({"kind"}), "Scale") << to_text(scale.body);
    EXPECT_EQ(int_at(scale.body, {"spec", "replicas"}), 2);
    EXPECT_EQ(int_at(scale.body, {"status", "replicas"}, -1), 0);
    const HttpAnswer patched = merge(pool("scale"), {{"spec", {{"replicas", 4}}}});
    EXPECT_EQ(int_at(patched.body, {"spec", "replicas"}), 4) << to_text(patched.body);
    EXPECT_EQ(int_at(get(pool()).body, {"spec", "replicas"}), 4);
}

TEST_P(CustomResourceContract, the_columns_are_those_of_the_definition) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    const HttpAnswer table = call("GET", pool(), nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io");
    std::vector<std::string> columns;
    for (const Json& column : array_at(table.body, {"columnDefinitions"}))
        columns.push_back(text_at(column, {"name"}));
    EXPECT_THAT(columns, testing::ElementsAre("Name", "NodeClass", "Nodes", "Ready", "Age", "Weight", "CPU",
                                              "Memory"));
    Json cells = table.at({"rows"})[0]["cells"];
    cells[4] = "0s";
    EXPECT_EQ(cells, Json({name_, "default", nullptr, nullptr, "0s", nullptr, nullptr, nullptr}));
}

TEST_P(CustomResourceContract, a_field_selector_knows_the_name_alone) {
    EXPECT_CODE(create(node_pool(name_)), 201);
    EXPECT_THAT(names(get("/apis/karpenter.sh/v1/nodepools?fieldSelector=metadata.name%3D" + name_)),
                testing::ElementsAre(name_));
    EXPECT_REFUSED(get("/apis/karpenter.sh/v1/nodepools?fieldSelector=spec.weight%3D1"), 400, "BadRequest",
                   "field label not supported: spec.weight");
}

TEST_P(CustomResourceContract, a_definition_that_goes_takes_its_objects_along) {
    const std::string group = "g" + suffix_ + ".example.com";
    const std::string definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const Json definition = {
        {"metadata", {{"name", "things." + group}}},
        {"spec",
         {{"group", group},
          {"scope", "Namespaced"},
          {"names", {{"kind", "Thing"}, {"plural", "things"}}},
          {"versions",
           Json::array({{{"name", "v1"},
                         {"served", true},
                         {"storage", true},
                         {"schema",
                          {{"openAPIV3Schema",
                            {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}}})}}}};
    const HttpAnswer made = post(definitions, definition);
    EXPECT_EQ(made.code, 201) << to_text(made.body);
    EXPECT_EQ(made.text({"spec", "names", "singular"}), "thing");
    EXPECT_EQ(made.text({"spec", "names", "listKind"}), "ThingList");
    const std::string things = grouped(group + "/v1", "things");
    EXPECT_TRUE(server_->ask_until([&] { return get(things).code == 200; }));
    EXPECT_EQ(get(things).text({"kind"}), "ThingList");
    const HttpAnswer thing = post(things, {{"apiVersion", group + "/v1"},
                                           {"kind", "Thing"},
                                           {"metadata", {{"name", "a"}}},
                                           {"anything", {{"goes", 1}}}});
    EXPECT_EQ(thing.code, 201) << to_text(thing.body);
    EXPECT_EQ(int_at(thing.body, {"anything", "goes"}), 1);
    EXPECT_CODE(remove(definitions + "/things." + group), 200);
    EXPECT_TRUE(server_->ask_until([&] { return get(things).code == 404; }));
    Json wrong = definition;
    wrong["metadata"]["name"] = "others." + group;
    EXPECT_REFUSED(
        post(definitions, wrong), 422, "Invalid",
        "metadata.name: Invalid value: \"others." + group + "\": must be spec.names.plural+\".\"+spec.group");
}

}  // namespace
}  // namespace joiner::sim
