#include "control/class_keeper.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace joiner::control {
namespace {

using Json = nlohmann::json;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

api::NodeClass a_class() {
    api::NodeClass out;
    out.group = "rack.test";
    out.kind = "RackNodeClass";
    out.meta.name = "default";
    out.meta.resource_version = "7";
    out.meta.generation = 2;
    out.meta.created = kNow;
    return out;
}

TEST(ClassPatches, a_class_that_says_all_that_is_wanted_is_left_alone) {
    api::NodeClass node_class = a_class();
    EXPECT_EQ(class_patches(node_class, {}, kNow).object, "");
    EXPECT_EQ(class_patches(node_class, {}, kNow).status, "") << "nothing is wanted";
    node_class.meta.annotations = {{"hash", "1"}, {"other", "x"}};
    node_class.meta.finalizers = {"somebodys", "rack.test/termination"};
    node_class.status = R"({"image":"i-1","zones":["a"],"other":1})";
    node_class.conditions = {{"ImageFound", "True", "ImageFound", "", kNow, 2},
                             {"Ready", "True", "Ready", "", kNow, 2}};
    const cloud::WantedClassState wanted{{{"hash", "1"}},
                                         {{"ImageFound", "True", "ImageFound", ""}},
                                         R"({"image":"i-1","zones":["a"]})",
                                         "rack.test/termination",
                                         true,
                                         {}};
    const ClassPatches patches = class_patches(node_class, wanted, kNow + std::chrono::hours{1});
    EXPECT_EQ(patches.object, "");
    EXPECT_EQ(patches.status, "");
}

TEST(ClassPatches, what_differs_is_written_onto_the_state_that_was_seen) {
    api::NodeClass node_class = a_class();
    node_class.meta.finalizers = {"somebodys"};
    node_class.status = R"({"image":"i-0","gone":1})";
    const cloud::WantedClassState wanted{{{"hash", "1"}},
                                         {{"ImageFound", "False", "NoImage", "name one"}},
                                         R"({"image":"i-1","gone":null})",
                                         "rack.test/termination",
                                         true,
                                         {}};
    const ClassPatches patches = class_patches(node_class, wanted, kNow);
    const Json object = Json::parse(patches.object)["metadata"];
    EXPECT_EQ(object["resourceVersion"], "7");
    EXPECT_EQ(object["annotations"], (Json{{"hash", "1"}}));
    EXPECT_EQ(object["finalizers"], (Json{"somebodys", "rack.test/termination"}));
    const Json status = Json::parse(patches.status);
    EXPECT_EQ(status["metadata"]["resourceVersion"], "7");
    EXPECT_EQ(status["status"]["image"], "i-1");
    EXPECT_TRUE(status["status"]["gone"].is_null());
    ASSERT_EQ(status["status"]["conditions"].size(), 2u);
    EXPECT_EQ(status["status"]["conditions"][0]["reason"], "NoImage");
    EXPECT_EQ(status["status"]["conditions"][1]["type"], "Ready");
    EXPECT_EQ(status["status"]["conditions"][1]["status"], "False");
}

TEST(ClassPatches, a_finalizer_goes_when_it_is_no_longer_wanted_and_none_comes_to_what_is_going) {
    api::NodeClass node_class = a_class();
    node_class.meta.deleted = kNow;
    cloud::WantedClassState wanted;
    wanted.finalizer = "rack.test/termination";
    wanted.wants_finalizer = true;
    EXPECT_EQ(class_patches(node_class, wanted, kNow).object, "");
    node_class.meta.finalizers = {"rack.test/termination", "somebodys"};
    wanted.wants_finalizer = false;
    EXPECT_EQ(Json::parse(class_patches(node_class, wanted, kNow).object)["metadata"]["finalizers"],
              (Json{"somebodys"}));
}

}  // namespace
}  // namespace joiner::control
