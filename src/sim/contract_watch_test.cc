// The contract, part three: lists, pages, selectors and watches.
#include <gmock/gmock.h>

#include "kube/client.h"
#include "kube/reflector.h"
#include "sim/contract.h"

namespace joiner::sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json labelled(const std::string& name, const Json& labels) {
    return {{"metadata", {{"name", name}, {"labels", labels}}}, {"data", {{"n", name}}}};
}

class WatchContract : public ContractTest {
  protected:
    std::string watch(const std::string& path, const std::string& parameters) const {
        return path + "?watch=true&timeoutSeconds=300&" + parameters;
    }
    void make(const std::string& name, const Json& labels = Json::object()) {
        EXPECT_CODE(post(core("configmaps"), labelled(name, labels)), 201);
    }
    HttpAnswer label(const std::string& name, const Json& labels) {
        return merge(core("configmaps", name), {{"metadata", {{"labels", labels}}}});
    }
    std::string list_version() { return version(get(core("configmaps"))); }
};
INSTANTIATE_TEST_SUITE_P(On, WatchContract, testing::Values("in_process", "http_front", "real"),
                         [](const auto& each) { return each.param; });

TEST_P(WatchContract, lists_come_in_order_with_a_version) {
    for (const char* name : {"c", "a", "b"}) make(name);
    const HttpAnswer list = get(core("configmaps"));
    EXPECT_EQ(list.text({"kind"}), "ConfigMapList");
    EXPECT_THAT(names(list), ElementsAre("a", "b", "c"));
    EXPECT_FALSE(version(list).empty());
    EXPECT_THAT(names(get("/api/v1/namespaces/nowhere/configmaps")), IsEmpty());
}

TEST_P(WatchContract, selectors_choose) {
    make("a", {{"app", "web"}, {"tier", "front"}});
    make("b", {{"app", "web"}});
    make("c", {{"app", "db"}});
    const std::pair<const char*, std::vector<std::string>> cases[] = {
        {"labelSelector=app%3Dweb", {"a", "b"}},
        {"labelSelector=app%3D%3Dweb%2Ctier%3Dfront", {"a"}},
        {"labelSelector=app%21%3Dweb", {"c"}},
        {"labelSelector=tier", {"a"}},
        {"labelSelector=%21tier", {"b", "c"}},
        {"labelSelector=app+in+%28db%2Cother%29", {"c"}},
        {"labelSelector=app+notin+%28db%29", {"a", "b"}},
        {"fieldSelector=metadata.name%3Db", {"b"}},
        {"fieldSelector=metadata.name%21%3Db&labelSelector=app%3Dweb", {"a"}},
    };
    for (const auto& [query, wanted] : cases)
        EXPECT_EQ(names(get(core("configmaps") + "?" + query)), wanted) << query;
    EXPECT_REFUSED(
        get(core("configmaps") + "?fieldSelector=data.n%3Db"), 400, "BadRequest",
        "\"data.n\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    EXPECT_REFUSED(get(core("pods") + "?fieldSelector=spec.n%3Db"), 400, "BadRequest",
                   "field label not supported: spec.n");
    EXPECT_REFUSED(get(core("configmaps") + "?labelSelector=a%3D%3D%3Db"), 400, "BadRequest", "");
}

TEST_P(WatchContract, pods_are_chosen_by_their_fields) {
    EXPECT_CODE(post(core("pods"), pod("a")), 201);
    EXPECT_CODE(post(core("pods"), pod("b")), 201);
    EXPECT_CODE(post(core("pods", "b", "binding"),
                     {{"metadata", {{"name", "b"}}}, {"target", {{"kind", "Node"}, {"name", "n1"}}}}),
                201);
    EXPECT_CODE(merge(core("pods", "b", "status"), {{"status", {{"phase", "Running"}}}}), 200);
    EXPECT_THAT(names(get(core("pods") + "?fieldSelector=spec.nodeName%3Dn1")), ElementsAre("b"));
    EXPECT_THAT(names(get(core("pods") + "?fieldSelector=spec.nodeName%3D")), ElementsAre("a"));
    EXPECT_THAT(names(get(core("pods") + "?fieldSelector=status.phase%21%3DRunning")), ElementsAre("a"));
    EXPECT_THAT(names(get(core("pods") + "?fieldSelector=spec.schedulerName%3Dnobody")),
                ElementsAre("a", "b"));
}

TEST_P(WatchContract, pages_belong_to_one_version) {
    for (const char* name : {"a", "b", "c", "d", "e"}) make(name);
    const HttpAnswer first = get(core("configmaps") + "?limit=2");
    EXPECT_THAT(names(first), ElementsAre("a", "b"));
    EXPECT_EQ(int_at(first.body, {"metadata", "remainingItemCount"}), 3);
    make("aa");
    EXPECT_CODE(remove(core("configmaps", "d")), 200);
    const HttpAnswer second =
        get(core("configmaps") + "?limit=2&continue=" + first.text({"metadata", "continue"}));
    EXPECT_THAT(names(second), ElementsAre("c", "d"));
    EXPECT_EQ(version(second), version(first));
    const HttpAnswer third =
        get(core("configmaps") + "?limit=2&continue=" + second.text({"metadata", "continue"}));
    EXPECT_THAT(names(third), ElementsAre("e"));
    EXPECT_EQ(third.text({"metadata", "continue"}), "");
    EXPECT_CODE(get(core("configmaps") + "?limit=2&continue=nonsense"), 400);
}

TEST_P(WatchContract, versions_bound_a_list) {
    make("a");
    const std::string before = list_version();
    make("b");
    EXPECT_THAT(names(get(core("configmaps") + "?resourceVersion=" + before + "&resourceVersionMatch=Exact")),
                ElementsAre("a"));
    EXPECT_THAT(
        names(get(core("configmaps") + "?resourceVersion=" + before + "&resourceVersionMatch=NotOlderThan")),
        ElementsAre("a", "b"));
    EXPECT_REFUSED(get(core("configmaps") + "?resourceVersion=nonsense"), 400, "BadRequest", "");
}

TEST_P(WatchContract, a_version_that_is_yet_to_come_times_out) {
    const HttpAnswer early = get(core("configmaps") + "?resourceVersion=999999999");
    EXPECT_REFUSED(early, 504, "Timeout", "Too large resource version: 999999999, current: ");
    EXPECT_EQ(
        early.at({"details", "causes"}),
        Json::array({{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}}));
    EXPECT_EQ(int_at(early.body, {"details", "retryAfterSeconds"}), 1);
}

TEST_P(WatchContract, a_watch_from_a_version_tells_what_came_after) {
    make("a");
    const std::string from = list_version();
    make("b");
    WatchTap tap(*server_, watch(core("configmaps"), "resourceVersion=" + from));
    ASSERT_TRUE(tap.wait_for(1));
    EXPECT_EQ(tap.code, 200);
    label("b", {{"x", "y"}});
    remove(core("configmaps", "b"));
    ASSERT_TRUE(tap.wait_for(3));
    EXPECT_THAT(tap.summary(), ElementsAre("ADDED b", "MODIFIED b", "DELETED b"));
    EXPECT_EQ(text_at(tap.events[1], {"object", "metadata", "labels", "x"}), "y");
    EXPECT_EQ(text_at(tap.events[0], {"object", "kind"}), "ConfigMap");
    EXPECT_NE(text_at(tap.events[2], {"object", "metadata", "resourceVersion"}),
              text_at(tap.events[1], {"object", "metadata", "resourceVersion"}));
    EXPECT_EQ(text_at(tap.events[2], {"object", "metadata", "labels", "x"}), "y")
        << "a deletion carries the last state";
}

TEST_P(WatchContract, a_watch_from_nowhere_starts_with_what_is_there) {
    make("a");
    make("b");
    for (const char* from : {"", "resourceVersion=0"}) {
        WatchTap tap(*server_, watch(core("configmaps"), from));
        ASSERT_TRUE(tap.wait_for(2)) << from;
        EXPECT_THAT(tap.summary(), ElementsAre("ADDED a", "ADDED b")) << from;
    }
}

TEST_P(WatchContract, initial_events_end_with_a_bookmark) {
    make("a");
    make("b");
    WatchTap tap(*server_,
                 watch(core("configmaps"),
                       "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"));
    ASSERT_TRUE(tap.wait_for(3));
    make("c");
    ASSERT_TRUE(tap.wait_for(4));
    EXPECT_THAT(tap.summary(), ElementsAre("ADDED a", "ADDED b", "BOOKMARK", "ADDED c"));
    EXPECT_EQ(text_at(tap.events[2], {"object", "metadata", "annotations", "k8s.io/initial-events-end"}),
              "true");
    EXPECT_EQ(text_at(tap.events[2], {"object", "kind"}), "ConfigMap");
    EXPECT_FALSE(text_at(tap.events[2], {"object", "metadata", "resourceVersion"}).empty());
}

TEST_P(WatchContract, initial_events_are_asked_for_in_full) {
    EXPECT_REFUSED(get(core("configmaps") + "?watch=true&sendInitialEvents=true"), 422, "Invalid",
                   "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch "
                   "to NotOlderThan");
    EXPECT_REFUSED(
        get(core("configmaps") + "?watch=true&resourceVersion=1&resourceVersionMatch=NotOlderThan"), 422,
        "Invalid", "resourceVersionMatch: Forbidden: ");
    EXPECT_CODE(get(core("configmaps") + "?watch=true&resourceVersion=nonsense"), 500);
}

TEST_P(WatchContract, objects_come_and_go_as_they_match) {
    make("a", {{"app", "web"}});
    make("b", {{"app", "db"}});
    WatchTap tap(*server_,
                 watch(core("configmaps"), "labelSelector=app%3Dweb&resourceVersion=" + list_version()));
    EXPECT_CODE(label("b", {{"app", "web"}}), 200);
    EXPECT_CODE(label("b", {{"more", "x"}}), 200);
    const HttpAnswer gone = label("b", {{"app", "db"}});
    EXPECT_CODE(label("b", {{"more", "y"}}), 200);
    EXPECT_CODE(remove(core("configmaps", "b")), 200);
    EXPECT_CODE(remove(core("configmaps", "a")), 200);
    ASSERT_TRUE(tap.wait_for(4));
    EXPECT_THAT(tap.summary(), ElementsAre("ADDED b", "MODIFIED b", "DELETED b", "DELETED a"));
    EXPECT_EQ(text_at(tap.events[2], {"object", "metadata", "resourceVersion"}), version(gone));
    EXPECT_EQ(text_at(tap.events[2], {"object", "metadata", "labels", "app"}), "web") << "as it last matched";
}

TEST_P(WatchContract, pods_of_a_node_come_and_go) {
    EXPECT_CODE(post(core("pods"), pod("a")), 201);
    WatchTap tap(*server_, watch(core("pods"), "fieldSelector=spec.nodeName%3Dn1&resourceVersion=" +
                                                   version(get(core("pods")))));
    EXPECT_CODE(post(core("pods", "a", "binding"),
                     {{"metadata", {{"name", "a"}}}, {"target", {{"kind", "Node"}, {"name", "n1"}}}}),
                201);
    ASSERT_TRUE(tap.wait_for(1));
    EXPECT_CODE(remove(core("pods", "a"), {{"gracePeriodSeconds", 0}}), 200);
    // A real server may have its pod changed by others in between.
    ASSERT_TRUE(server_->run_until([&] { return tap.summary().back() == "DELETED a"; }, kPatience));
    EXPECT_THAT(tap.summary().front(), "ADDED a");
    EXPECT_THAT(tap.summary().back(), "DELETED a");
}

TEST_P(WatchContract, one_name_can_be_watched) {
    make("a");
    make("b");
    WatchTap tap(*server_, watch(core("configmaps"), "fieldSelector=metadata.name%3Db&resourceVersion=0"));
    ASSERT_TRUE(tap.wait_for(1)) << "else it may begin after the change";
    label("a", {{"x", "y"}});
    label("b", {{"x", "y"}});
    ASSERT_TRUE(tap.wait_for(2));
    EXPECT_THAT(tap.summary(), ElementsAre("ADDED b", "MODIFIED b"));
}

TEST_P(WatchContract, a_watch_ends_in_good_order_when_its_time_is_up) {
    WatchTap tap(*server_, core("configmaps") + "?watch=true&timeoutSeconds=1");
    EXPECT_TRUE(server_->run_until([&] { return tap.is_over; }, kPatience));
    EXPECT_TRUE(tap.end);
    EXPECT_THAT(tap.events, IsEmpty());
}

TEST_P(WatchContract, tables_and_metadata_alone_can_be_had) {
    make("a");
    const HttpAnswer table =
        call("GET", core("configmaps"), nullptr, "", "application/json;as=Table;v=v1;g=meta.k8s.io");
    EXPECT_EQ(table.text({"kind"}), "Table");
    std::vector<std::string> columns;
    for (const Json& column : array_at(table.body, {"columnDefinitions"}))
        columns.push_back(text_at(column, {"name"}));
    EXPECT_THAT(columns, ElementsAre("Name", "Data", "Age"));
    ASSERT_EQ(array_at(table.body, {"rows"}).size(), 1u);
    const Json row = table.at({"rows"})[0];
    EXPECT_EQ(row["cells"][0], "a");
    EXPECT_EQ(row["cells"][1], 1);
    EXPECT_EQ(text_at(row, {"object", "kind"}), "PartialObjectMetadata");
    const HttpAnswer partial = call("GET", core("configmaps", "a"), nullptr, "",
                                    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
    EXPECT_EQ(partial.text({"kind"}), "PartialObjectMetadata");
    EXPECT_EQ(partial.text({"metadata", "name"}), "a");
    EXPECT_EQ(find(partial.body, {"data"}), nullptr);
    EXPECT_CODE(call("GET", core("configmaps", "a"), nullptr, "", "text/csv"), 406);
}

TEST_P(WatchContract, discovery_names_what_is_served) {
    const HttpAnswer resources = get("/api/v1");
    const auto find_resource = [](const HttpAnswer& list, std::string_view name) -> Json {
        for (const Json& each : array_at(list.body, {"resources"})) {
            if (text_at(each, {"name"}) == name) return each;
        }
        return nullptr;
    };
    const Json pods = find_resource(resources, "pods");
    EXPECT_EQ(text_at(pods, {"kind"}), "Pod");
    EXPECT_EQ(text_at(pods, {"singularName"}), "pod");
    EXPECT_EQ(array_at(pods, {"shortNames"}), Json({"po"}));
    EXPECT_EQ(array_at(pods, {"verbs"}),
              Json({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}));
    EXPECT_EQ(text_at(find_resource(resources, "pods/eviction"), {"group"}), "policy");
    EXPECT_EQ(text_at(find_resource(get("/apis/apps/v1"), "deployments/scale"), {"kind"}), "Scale");
    EXPECT_EQ(get("/version").text({"minor"}), "36");
    EXPECT_EQ(get("/readyz").body, Json("ok"));
    EXPECT_REFUSED(get("/apis/apps/v1/things"), 404, "NotFound",
                   "the server could not find the requested resource");
    const HttpAnswer unknown = get("/apis/none.example.com/v1/things");
    EXPECT_EQ(unknown.code, 404);
    EXPECT_EQ(unknown.body, Json("404 page not found\n"));
}

// The unmodified client and reflector, against each server.

class Names final : public kube::ObjectHandler {
  public:
    std::map<std::string, std::string> versions;
    int replaces = 0;

    void begin_replace() override { versions.clear(); }
    void upsert(std::string_view json) override {
        const auto object = parse_json(json);
        versions[name_of(*object)] = text_at(*object, {"metadata", "resourceVersion"});
    }
    void remove(std::string_view json) override { versions.erase(name_of(*parse_json(json))); }
    void end_replace() override { ++replaces; }
    std::vector<std::string> names() const {
        std::vector<std::string> result;
        for (const auto& [name, version] : versions) result.push_back(name);
        return result;
    }
};

TEST_P(WatchContract, a_reflector_keeps_in_step) {
    make("a");
    kube::Client client(server_->loop(), server_->http(), server_->config(), {});
    Names names;
    const kube::Resource config_maps{"", "v1", "configmaps", "ConfigMap", true};
    kube::Reflector reflector(server_->loop(), client, config_maps, {.ns = ns_}, Rng(1), names);
    reflector.start();
    EXPECT_TRUE(server_->run_until([&] { return reflector.is_synced(); }, kPatience)) << reflector.problem();
    EXPECT_THAT(names.names(), ElementsAre("a"));
    make("b");
    EXPECT_CODE(remove(core("configmaps", "a")), 200);
    EXPECT_TRUE(
        server_->run_until([&] { return names.names() == std::vector<std::string>{"b"}; }, kPatience));
    EXPECT_EQ(names.replaces, 1);
    reflector.stop();
}

TEST_P(WatchContract, the_client_writes_and_learns_of_refusals) {
    kube::Client client(server_->loop(), server_->http(), server_->config(), {});
    std::optional<Result<std::string>> answer;
    const auto wait = [&] {
        EXPECT_TRUE(server_->run_until([&] { return answer.has_value(); }, kPatience));
        return std::move(*std::exchange(answer, std::nullopt));
    };
    const auto done = [&](Result<std::string> result) { answer = std::move(result); };
    client.create(kube::kPods, ns_, to_text(pod("a")), done);
    const auto made = wait();
    ASSERT_TRUE(made) << made.error().message;
    const std::string uid = uid_of(*parse_json(*made));
    client.create(kube::kPods, ns_, to_text(pod("a")), done);
    EXPECT_EQ(wait().error().kind, ErrorKind::kConflict);
    client.bind(ns_, "a", uid, "n1", done);
    EXPECT_TRUE(wait());
    client.bind(ns_, "a", uid, "n2", done);
    EXPECT_EQ(wait().error().kind, ErrorKind::kConflict);
    client.patch(kube::kPods, ns_, "a", "status", kube::PatchType::kMerge,
                 R"({"status":{"phase":"Running"}})", done);
    EXPECT_TRUE(wait());
    EXPECT_CODE(post(grouped("policy/v1", "poddisruptionbudgets"),
                     {{"metadata", {{"name", "all"}}},
                      {"spec", {{"minAvailable", 1}, {"selector", Json::object()}}}}),
                201);
    client.evict(ns_, "a", uid, done);
    const auto evicted = wait();
    ASSERT_FALSE(evicted);
    EXPECT_EQ(evicted.error().kind, ErrorKind::kUnavailable);
    client.remove(kube::kPods, ns_, "a",
                  {.uid = "11111111-1111-4111-8111-111111111111", .resource_version = {}}, done);
    EXPECT_EQ(wait().error().kind, ErrorKind::kConflict);
    client.remove(kube::kPods, ns_, "a", {.uid = uid, .resource_version = {}, .grace_seconds = 0}, done);
    EXPECT_TRUE(wait());
    client.get(kube::kPods, ns_, "a", done);
    EXPECT_EQ(wait().error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace joiner::sim
