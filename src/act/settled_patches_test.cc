#include "act/settled_patches.h"

#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "cloud/testing/no_provider.h"

namespace joiner::act {
namespace {

struct Bench : ServicesBench<cloud::testing::NoProvider> {
    SettledPatches patches{services};
    api::ObjectMeta seen;
    std::vector<std::string> failures;
    std::vector<bool> heard;

    Bench() {
        seen.name = "default";
        seen.resource_version = "5";
    }
    void failed(std::string_view what, const Error&) override { failures.emplace_back(what); }
    void send(int code, const std::string& answer) {
        http.responder = [=](const io::HttpRequest&) { return io::HttpResponse{code, answer, "", 0}; };
        patches.send(kube::kNodePools, seen, "status", "{}", [this](bool done) { heard.push_back(done); });
        EXPECT_FALSE(patches.may_send(kube::kNodePools, seen)) << "one request at a time";
        loop.run_ready();
    }
};

TEST(SettledPatches, a_patch_that_the_server_drops_has_changed_nothing) {
    Bench b;
    b.send(200, kube::testing::object_text("default", 5));
    EXPECT_EQ(b.heard, std::vector<bool>{false});
    const std::size_t before = b.http.calls.size();
    b.patches.send(kube::kNodePools, b.seen, "status", "{}");
    b.loop.run_ready();
    EXPECT_EQ(b.http.calls.size(), before) << "the same once more";
    b.patches.send(kube::kNodePools, b.seen, "status", R"({"a":1})");
    b.loop.run_ready();
    EXPECT_EQ(b.http.calls.size(), before + 1);
}

TEST(SettledPatches, an_object_is_left_alone_until_the_watch_shows_what_was_written) {
    Bench b;
    ASSERT_TRUE(b.patches.may_send(kube::kNodePools, b.seen));
    b.send(200, kube::testing::object_text("default", 9));
    EXPECT_EQ(b.heard, std::vector<bool>{true});
    EXPECT_FALSE(b.patches.may_send(kube::kNodePools, b.seen));
    EXPECT_TRUE(b.patches.may_send(kube::kNodeOverlays, b.seen)) << "another kind may have its name";
    b.seen.resource_version = "9";
    EXPECT_TRUE(b.patches.may_send(kube::kNodePools, b.seen));
}

TEST(SettledPatches, a_failure_is_told_and_tried_again_later_and_old_facts_are_no_failure) {
    Bench b;
    b.send(422, R"({"message":"it is wrong"})");
    EXPECT_EQ(b.heard, std::vector<bool>{false});
    EXPECT_EQ(b.failures, std::vector<std::string>{"patch NodePool default"});
    EXPECT_FALSE(b.patches.may_send(kube::kNodePools, b.seen));
    b.loop.advance(std::chrono::seconds{1});
    ASSERT_TRUE(b.patches.may_send(kube::kNodePools, b.seen));
    b.send(409, R"({"message":"somebody wrote first"})");
    EXPECT_EQ(b.failures.size(), 1u);
}

}  // namespace
}  // namespace joiner::act
