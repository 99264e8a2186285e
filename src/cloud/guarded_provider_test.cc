#include "cloud/guarded_provider.h"

#include <gtest/gtest.h>

#include "cloud/testing/no_provider.h"
#include "io/testing/manual_loop.h"

namespace joiner::cloud {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// Answers when the test does.
struct SlowProvider final : testing::NoProvider {
    void create(const LaunchRequest&, LaunchDone done) override { creates.push_back(std::move(done)); }
    void remove(const std::string&, std::function<void(Status)> done) override {
        removes.push_back(std::move(done));
    }
    void get(const std::string&, std::function<void(Result<Instance>)> done) override {
        gets.push_back(std::move(done));
    }
    void list(std::function<void(Result<std::vector<Instance>>)> done) override {
        lists.push_back(std::move(done));
    }
    std::vector<LaunchDone> creates;
    std::vector<std::function<void(Status)>> removes;
    std::vector<std::function<void(Result<Instance>)>> gets;
    std::vector<std::function<void(Result<std::vector<Instance>>)>> lists;
};

struct Bench {
    io::testing::ManualLoop loop;
    SlowProvider cloud;
    bool leads = true;
    GuardedProvider guarded{cloud, loop, [this] { return leads; }};
    std::vector<std::string> answers;

    void create() {
        guarded.create({}, [this](const LaunchAnswer& answer) { note(answer.instance); });
    }
    void remove() {
        guarded.remove("i-1", [this](const Status& status) { note(status); });
    }
    template <typename T>
    void note(const T& result) {
        answers.push_back(result ? "yes" : to_string(result.error().kind) + (": " + result.error().message));
    }
};

TEST(GuardedProvider, nothing_is_changed_by_who_does_not_lead) {
    Bench b;
    b.leads = false;
    b.create();
    b.remove();
    EXPECT_TRUE(b.answers.empty()) << "answered from inside the call";
    b.loop.run_ready();
    EXPECT_EQ(b.answers.size(), 2u);
    EXPECT_EQ(b.answers[0], "unavailable: not asked of the cloud: this process does not lead");
    EXPECT_TRUE(b.cloud.creates.empty() && b.cloud.removes.empty());
    b.guarded.get("i-1", [&](const Result<Instance>& instance) { b.note(instance); });
    EXPECT_EQ(b.cloud.gets.size(), 1u) << "who asks changes nothing";
}

TEST(GuardedProvider, an_answer_that_never_comes_is_no_answer_in_the_end_and_a_late_one_is_nobodys) {
    Bench b;
    b.create();
    b.remove();
    b.guarded.get("i-1", [&](const Result<Instance>& instance) { b.note(instance); });
    b.guarded.list([&](const Result<std::vector<Instance>>& all) { b.note(all); });
    b.loop.advance(seconds{59});
    EXPECT_TRUE(b.answers.empty());
    b.loop.advance(seconds{1});
    EXPECT_EQ(b.answers.size(), 2u);
    b.loop.advance(minutes{1});
    ASSERT_EQ(b.answers.size(), 4u);
    EXPECT_EQ(b.answers[2], "unavailable: the cloud has not answered create for NodeClaim  within 2m0s");
    b.cloud.creates[0]({Instance{}});
    b.loop.advance(minutes{5});
    EXPECT_EQ(b.answers.size(), 4u);
}

TEST(GuardedProvider, a_cloud_hears_of_nodes_from_who_leads) {
    Bench b;
    b.leads = false;
    std::vector<ErrorKind> errors;
    b.guarded.hear_of_node({}, [&](const Result<api::StringMap>& answer) {
        if (!answer) errors.push_back(answer.error().kind);
    });
    b.loop.run_ready();
    EXPECT_EQ(errors, std::vector<ErrorKind>{ErrorKind::kUnavailable});
}

TEST(GuardedProvider, an_answer_in_time_is_the_only_one) {
    Bench b;
    b.create();
    b.cloud.creates[0]({Instance{}});
    b.loop.advance(minutes{5});
    ASSERT_EQ(b.answers.size(), 1u);
    EXPECT_EQ(b.answers[0], "yes");
}

TEST(GuardedProvider, changes_are_finished_when_all_are_answered_or_given_up) {
    Bench b;
    bool is_finished = false;
    b.create();
    b.remove();
    b.guarded.finish_changes([&] { is_finished = true; });
    b.create();
    EXPECT_EQ(b.cloud.creates.size(), 1u);
    b.cloud.creates[0]({Instance{}});
    b.loop.run_ready();
    EXPECT_FALSE(is_finished);
    b.loop.advance(minutes{2});
    EXPECT_TRUE(is_finished);
}

}  // namespace
}  // namespace joiner::cloud
