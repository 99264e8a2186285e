#include "control/node_herald.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "cloud/testing/no_provider.h"

namespace joiner::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

struct CuriousProvider final : cloud::testing::NoProvider {
    bool must_hear_of_node(const api::NodeClaim& claim) const override {
        return !claim.meta.annotations.contains("heard");
    }
    void hear_of_node(const api::NodeClaim& claim,
                      std::function<void(Result<api::StringMap>)> done) override {
        heard.push_back(claim.meta.name);
        answers.push_back(std::move(done));
    }
    bool note_node(const api::NodeClaim& claim, const api::Node& node) override {
        shown.push_back(claim.meta.name + " " + node.capacity.at("memory").to_string());
        return takes_note;
    }
    bool takes_note = true;
    std::vector<std::string> shown;
    std::vector<std::string> heard;
    std::vector<std::function<void(Result<api::StringMap>)>> answers;
};

struct Bench : act::ServicesBench<CuriousProvider> {
    NodeHerald herald{services};

    void claim(const std::string& name, bool is_registered, const api::StringMap& annotations = {}) {
        api::NodeClaim claim;
        claim.meta.name = name;
        claim.meta.annotations = annotations;
        claim.provider_id = "p:///" + name;
        if (is_registered) claim.conditions = {{"Registered", "True", "", "", kNoTime, 0}};
        cluster.upsert(std::move(claim));
        herald.claim_changed(name);
    }
};

TEST(NodeHerald, a_cloud_hears_of_a_node_once_it_has_registered_and_the_claim_remembers) {
    Bench b;
    b.claim("a", false);
    EXPECT_THAT(b.provider.heard, SizeIs(0));
    b.claim("a", true);
    b.claim("a", true);
    ASSERT_THAT(b.provider.heard, ElementsAre("a"));
    b.provider.answers[0](api::StringMap{{"heard", "true"}});
    b.loop.run_ready();
    ASSERT_FALSE(b.http.calls.empty());
    EXPECT_THAT(b.http.last_call().request.target, HasSubstr("/nodeclaims/a"));
    EXPECT_EQ(b.http.last_call().request.body, R"({"metadata":{"annotations":{"heard":"true"}}})");
    b.claim("a", true, {{"heard", "true"}});
    b.loop.advance(minutes{5});
    b.claim("a", true, {{"heard", "true"}});
    EXPECT_THAT(b.provider.heard, SizeIs(1));
}

TEST(NodeHerald, what_failed_is_told_again_later_each_time_also_where_nothing_changes) {
    Bench b;
    b.claim("a", true);
    std::size_t told = 1;
    for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
        ASSERT_THAT(b.provider.heard, SizeIs(told));
        b.provider.answers.back()(fail(ErrorKind::kForbidden, "no"));
        b.claim("a", true);
        b.loop.advance(minutes{wait} - seconds{1});
        b.claim("a", true);
        EXPECT_THAT(b.provider.heard, SizeIs(told)) << wait;
        b.loop.advance(seconds{2});
        ++told;
    }
    EXPECT_THAT(b.provider.heard, SizeIs(told));
}

TEST(NodeHerald, a_cloud_is_shown_what_a_node_says_of_its_memory_until_it_takes_note) {
    Bench b;
    const auto node = [&](const char* memory) {
        api::Node out;
        out.meta.name = "n";
        out.provider_id = "p:///a";
        if (memory != nullptr) out.capacity["memory"] = *Quantity::parse(memory);
        b.cluster.upsert(std::move(out));
    };
    b.claim("a", true);
    node(nullptr);
    b.claim("a", true);
    node("7Gi");
    b.claim("a", false);
    EXPECT_THAT(b.provider.shown, SizeIs(0));
    b.provider.takes_note = false;
    b.claim("a", true);
    b.provider.takes_note = true;
    b.claim("a", true);
    b.claim("a", true, {{"heard", "true"}});
    EXPECT_THAT(b.provider.shown, ElementsAre("a 7Gi", "a 7Gi"));
    node("6Gi");
    b.claim("a", true);
    EXPECT_THAT(b.provider.shown, ElementsAre("a 7Gi", "a 7Gi", "a 6Gi"));
    b.herald.forget("a");
    b.claim("a", true);
    EXPECT_THAT(b.provider.shown, SizeIs(4));
}

TEST(NodeHerald, many_nodes_are_told_of_five_a_second_and_ten_at_once) {
    Bench b;
    for (int i = 10; i < 40; ++i) b.claim("c" + std::to_string(i), true);
    EXPECT_THAT(b.provider.heard, SizeIs(1));
    b.loop.advance(milliseconds{999});
    EXPECT_THAT(b.provider.heard, SizeIs(5));
    b.loop.advance(seconds{10});
    EXPECT_THAT(b.provider.heard, SizeIs(10)) << "without answers no more";
    for (std::size_t i = 0; i < 10; ++i) b.provider.answers[i](fail(ErrorKind::kUnavailable, "no"));
    b.loop.advance(seconds{1});
    EXPECT_THAT(b.provider.heard, SizeIs(16));
}

}  // namespace
}  // namespace joiner::control
