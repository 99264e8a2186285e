#include "act/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::act {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

struct AskedProvider final : cloud::testing::NoProvider {
    void create(const api::NodeClaim&, std::function<void(Result<cloud::Instance>)> done) override {
        created.push_back(std::move(done));
    }
    void get(const std::string& id, std::function<void(Result<cloud::Instance>)> done) override {
        asked_for.push_back(id);
        asked.push_back(std::move(done));
    }
    std::vector<std::function<void(Result<cloud::Instance>)>> created;
    std::vector<std::string> asked_for;
    std::vector<std::function<void(Result<cloud::Instance>)>> asked;
};

// A claim that another process has launched, and whose node has not come.
struct Bench : ServicesBench<AskedProvider> {
    Lifecycle lifecycle{services, PodBinding::kAuto, [](const std::string&) { return false; },
                        [](const std::string&) { return kNoTime; }};
    std::vector<std::string> failures;

    Bench() {
        api::NodeClaim claim;
        claim.meta.name = "c";
        claim.meta.uid = "uid-c";
        claim.meta.created = loop.now();
        claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
        claim.provider_id = "i-1";
        claim.conditions = {{"Launched", "True", "Launched", "", loop.now(), 0}};
        cluster.upsert(std::move(claim));
    }
    void failed(std::string_view what, const Error& error) override {
        failures.push_back(std::string(what) + ": " + error.message);
    }
    void step() {
        lifecycle.step_claim("c");
        loop.run_ready();
    }
    bool has_deleted_claim() const {
        return std::any_of(http.calls.begin(), http.calls.end(),
                           [](const auto& call) { return call.request.method == "DELETE"; });
    }
};

cloud::Instance instance(const std::string& id) {
    cloud::Instance out;
    out.provider_id = id;
    return out;
}

TEST(Lifecycle, after_a_restart_a_launched_claim_is_looked_up_and_never_made_again) {
    Bench b;
    b.step();
    b.step();
    EXPECT_THAT(b.provider.asked_for, testing::ElementsAre("i-1"));
    b.provider.asked[0](instance("i-1"));
    b.loop.advance(minutes{1});
    b.step();
    EXPECT_EQ(b.provider.asked.size(), 1u) << "it is there";
    EXPECT_TRUE(b.provider.created.empty());
    EXPECT_TRUE(b.failures.empty());
}

TEST(Lifecycle, a_question_without_an_answer_is_asked_again) {
    Bench b;
    b.step();
    b.provider.asked[0](fail(ErrorKind::kUnavailable, "lost"));
    b.step();
    EXPECT_EQ(b.provider.asked.size(), 1u);
    b.loop.advance(seconds{5});
    b.step();
    EXPECT_EQ(b.provider.asked.size(), 2u);
    EXPECT_FALSE(b.has_deleted_claim());
}

TEST(Lifecycle, an_instance_that_is_not_known_yet_has_a_minute_and_then_its_claim_goes) {
    Bench b;
    b.step();
    b.provider.asked[0](fail(ErrorKind::kNotFound, "gone"));
    EXPECT_FALSE(b.has_deleted_claim()) << "a cloud may be behind itself";
    b.loop.advance(minutes{1});
    b.step();
    ASSERT_EQ(b.provider.asked.size(), 2u);
    b.provider.asked[1](fail(ErrorKind::kNotFound, "gone"));
    EXPECT_TRUE(b.has_deleted_claim());
}

TEST(Lifecycle, another_id_than_the_recorded_one_is_said_and_not_taken) {
    Bench b;
    b.step();
    b.provider.asked[0](instance("i-2"));
    ASSERT_EQ(b.failures.size(), 1u);
    EXPECT_EQ(b.failures[0],
              "match the instance of NodeClaim c: the cloud named i-2 where i-1 is recorded; the other is "
              "removed");
    EXPECT_TRUE(b.http.calls.empty()) << "nothing is written";
}

// The launch was recorded by another process between our question and its answer.
TEST(Lifecycle, a_launch_that_comes_back_as_another_instance_changes_nothing_that_is_recorded) {
    Bench b;
    api::NodeClaim claim = b.cluster.find_claim("c")->claim;
    const api::NodeClaim recorded = claim;
    claim.provider_id.clear();
    claim.conditions.clear();
    b.cluster.upsert(claim);
    b.step();
    ASSERT_EQ(b.provider.created.size(), 1u);
    b.cluster.upsert(recorded);
    b.provider.created[0](instance("i-2"));
    EXPECT_EQ(b.failures.size(), 1u);
    EXPECT_TRUE(b.http.calls.empty());
}

}  // namespace
}  // namespace joiner::act
