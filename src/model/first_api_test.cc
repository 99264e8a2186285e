#include "model/first_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"
#include "api/names.h"

namespace joiner::model {
namespace {

using testing::HasSubstr;

struct FirstApiBench {
    Cluster cluster{rules::PreferencePolicy::kRespect};

    void node_template(const std::string& name, const std::string& more) {
        cluster.upsert_template(*api::decode_node_class(
            R"({"metadata":{"name":")" + name +
            R"("},"spec":{"subnetSelector":{"a":"b"},"securityGroupSelector":{"a":"b"})" + more + "}}"));
    }
    void provisioner(const std::string& name, const std::string& spec) {
        cluster.upsert(
            *api::decode_provisioner(R"({"metadata":{"name":")" + name + R"("},"spec":)" + spec + "}"));
    }
    void node_class(const std::string& name, const std::string& made_from) {
        api::NodeClass made;
        made.group = kEc2Group;
        made.kind = kEc2ClassKind;
        made.meta.name = name;
        if (!made_from.empty()) made.meta.annotations[std::string(api::kMadeFromAnnotation)] = made_from;
        cluster.upsert(std::move(made));
    }
    std::string problem(const std::string& pool) {
        return made_class_problem(cluster, made_classes(cluster), cluster.find_pool(pool)->pool);
    }
};

TEST(MadeClasses, are_of_templates_of_inline_providers_and_of_kubelets) {
    FirstApiBench b;
    b.node_template("general", R"(,"instanceProfile":"p")");
    b.provisioner("plain", R"({"providerRef":{"name":"general"}})");
    b.provisioner("dense", R"({"providerRef":{"name":"general"},"kubeletConfiguration":{"maxPods":250}})");
    b.provisioner("own", R"({"provider":{"instanceProfile":"p","subnetSelector":{"a":"b"},)"
                         R"("securityGroupSelector":{"a":"b"}}})");
    std::vector<std::string> made;
    for (const MadeClass& one : made_classes(b.cluster)) {
        EXPECT_EQ(one.problem, "");
        made.push_back(one.name + " of " + one.made_from);
    }
    EXPECT_THAT(made, testing::ElementsAre("general of AWSNodeTemplate/general",
                                           "general-dense of Provisioner/dense", "own of Provisioner/own"));
}

TEST(MadeClasses, say_why_they_are_not_made) {
    FirstApiBench b;
    b.provisioner("lost", R"({"providerRef":{"name":"nowhere"}})");
    EXPECT_EQ(b.problem("lost"), "AWSNodeTemplate nowhere does not exist");
    b.node_template("bare", "");
    b.provisioner("of-bare", R"({"providerRef":{"name":"bare"}})");
    EXPECT_THAT(b.problem("of-bare"), HasSubstr("instanceProfile is missing"));
    b.node_template("general", R"(,"instanceProfile":"p")");
    b.provisioner("web", R"({"providerRef":{"name":"general"}})");
    EXPECT_EQ(b.problem("web"), "");
    b.node_class("general", "");
    EXPECT_THAT(b.problem("web"), HasSubstr("was not made of AWSNodeTemplate/general"));
    b.node_class("general", "AWSNodeTemplate/general");
    EXPECT_EQ(b.problem("web"), "");
}

// Two Provisioners of one template change over one after the other.
TEST(MadeClasses, serve_on_when_a_node_pool_has_taken_one_over) {
    FirstApiBench b;
    b.node_template("general", R"(,"instanceProfile":"p")");
    b.provisioner("late", R"({"providerRef":{"name":"general"}})");
    b.node_class("general", "");
    api::NodePool pool;
    pool.meta.name = "early";
    pool.node_template.node_class = {std::string(kEc2Group), std::string(kEc2ClassKind), "general"};
    b.cluster.upsert(std::move(pool));
    EXPECT_EQ(b.problem("late"), "");
}

}  // namespace
}  // namespace joiner::model
