#include "control/feed.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Keeps what was told, a line each.
struct Bench {
    explicit Bench(model::Kind kind) : feed(kind, cluster, listener) {
        listener.pod_changed = [this](const model::PodState* before, const model::PodState* after) {
            told.push_back(fmt::format("pod {} -> {}", before == nullptr ? "-" : before->id.uid(),
                                       after == nullptr ? "-" : after->id.uid()));
        };
        listener.node_changed = [this](const std::string& name) { told.push_back("node " + name); };
        listener.claim_changed = [this](const std::string& name) { told.push_back("claim " + name); };
        listener.volumes_changed = [this](const std::string& node) { told.push_back("volumes " + node); };
        listener.pools_changed = [this] { told.push_back("pools"); };
        listener.headroom_changed = [this] { told.push_back("headroom"); };
        listener.unreadable = [this](std::string_view, const Error& error) { told.push_back(error.message); };
        listener.synced = [this] { told.push_back("synced"); };
    }
    void list(const std::vector<std::string>& objects) {
        feed.begin_replace();
        for (const std::string& object : objects) feed.upsert(object);
        feed.end_replace();
    }

    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    FeedListener listener;
    std::vector<std::string> told;
    Feed feed;
};

std::string object(const std::string& name, const std::string& more = {}, const std::string& meta = {}) {
    return fmt::format(R"({{"metadata":{{"name":"{0}","uid":"uid-{0}"{2}}}{1}}})", name, more, meta);
}
constexpr const char* kInNamespace = R"(,"namespace":"ns")";

TEST(Feed, what_a_new_list_no_longer_holds_is_told_as_gone) {
    const struct {
        model::Kind kind;
        std::string more;
        std::string told;
        std::string meta = {};
    } cases[] = {
        {model::Kind::kPod, R"(,"spec":{"containers":[]})", "pod uid-b -> -", kInNamespace},
        {model::Kind::kNode, "", "node b"},
        {model::Kind::kNodeClaim, "", "claim b"},
        {model::Kind::kNodePool, "", "pools"},
        {model::Kind::kStorageClass, "", "pools"},
        {model::Kind::kVolumeAttachment, R"(,"spec":{"nodeName":"n"})", "volumes n"},
        {model::Kind::kPodTemplate, "", "headroom", kInNamespace},
    };
    for (const auto& c : cases) {
        Bench bench(c.kind);
        bench.list({object("a", c.more, c.meta), object("b", c.more, c.meta)});
        EXPECT_EQ(bench.told.back(), "synced");
        bench.feed.begin_replace();
        bench.feed.upsert(object("a", c.more, c.meta));
        bench.told.clear();
        bench.feed.end_replace();
        EXPECT_THAT(bench.told, ElementsAre(c.told, "synced")) << static_cast<int>(c.kind);
        bench.feed.begin_replace();
        bench.feed.upsert(object("a", c.more, c.meta));
        bench.told.clear();
        bench.feed.end_replace();
        EXPECT_THAT(bench.told, ElementsAre("synced")) << "it is told once";
    }
}

TEST(Feed, a_pod_that_went_and_came_again_under_its_name_is_told_as_both) {
    Bench bench(model::Kind::kPod);
    const std::string pod = object("a", R"(,"spec":{"containers":[]})", kInNamespace);
    bench.list({pod});
    std::string another = pod;
    another.replace(another.find("uid-a"), 5, "uid-2");
    bench.told.clear();
    bench.list({another});
    EXPECT_THAT(bench.told, ElementsAre("pod uid-a -> uid-2", "synced"));
}

TEST(Feed, a_deletion_that_says_nothing_new_is_told_to_nobody_of_pods) {
    Bench bench(model::Kind::kPod);
    bench.feed.remove(object("never-seen"));
    EXPECT_THAT(bench.told, IsEmpty());
}

}  // namespace
}  // namespace joiner::control
