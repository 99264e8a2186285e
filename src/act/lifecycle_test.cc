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
    AskedProvider() {
        rules::InstanceType type;
        type.name = "small";
        type.capacity.cpu_milli = 4000;
        for (const auto& [zone, price] : {std::pair{"a", 0.1}, std::pair{"b", 0.2}, std::pair{"c", 0.3}}) {
            rules::Offering offering;
            offering.requirements.add_labels(
                {{std::string(api::kZoneLabel), zone}, {std::string(api::kCapacityTypeLabel), "on-demand"}});
            offering.price = rules::Money::from_dollars(price);
            type.offerings.push_back(offering);
        }
        types = std::make_shared<const std::vector<rules::InstanceType>>(std::vector{type});
    }
    Result<cloud::InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass*) override {
        return types;
    }
    void create(const cloud::LaunchRequest& request, cloud::LaunchDone done) override {
        std::string zones;
        for (const cloud::LaunchChoice& choice : request.choices) zones += choice.offering->zone();
        zones_asked.push_back(zones);
        created.push_back(std::move(done));
    }
    void get(const std::string& id, std::function<void(Result<cloud::Instance>)> done) override {
        asked_for.push_back(id);
        asked.push_back(std::move(done));
    }
    cloud::InstanceTypes types;
    std::vector<cloud::LaunchDone> created;
    std::vector<std::string> zones_asked;  // By each create, in its order.
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
        cluster.upsert(api::NodeClass{});
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
    b.provider.created[0]({instance("i-2")});
    EXPECT_EQ(b.failures.size(), 1u);
    EXPECT_TRUE(b.http.calls.empty());
}

TEST(Lifecycle, a_claim_is_deleted_once_however_late_the_watch_shows_it) {
    Bench b;
    const auto deletions = [&] {
        return std::count_if(b.http.calls.begin(), b.http.calls.end(),
                             [](const auto& call) { return call.request.method == "DELETE"; });
    };
    b.lifecycle.delete_claim("c", "empty");
    b.lifecycle.delete_claim("c", "empty");
    EXPECT_EQ(deletions(), 1);
    // What failed may be asked for again.
    b.http.answer(b.http.calls.back().id, 500);
    b.loop.run_ready();
    EXPECT_FALSE(b.lifecycle.is_deleting("c"));
    b.lifecycle.delete_claim("c", "empty");
    EXPECT_EQ(deletions(), 2);
    b.http.answer(b.http.calls.back().id, 200, R"({"metadata": {"resourceVersion": "7"}})");
    b.loop.advance(minutes{1});
    b.lifecycle.delete_claim("c", "empty");
    EXPECT_EQ(deletions(), 2);
    // Another claim of the name is another matter.
    b.lifecycle.forget_claim("c");
    EXPECT_FALSE(b.lifecycle.is_deleting("c"));
}

// Three zones; the cloud tries one at a time.
struct Launch : Bench {
    Launch() {
        api::NodeClaim claim = cluster.find_claim("c")->claim;
        claim.provider_id.clear();
        claim.conditions.clear();
        cluster.upsert(claim);
        step();
    }
    std::optional<Error> launch_failure;
    void launch_failed(const api::NodeClaim&, const Error& error) override { launch_failure = error; }
    void answer(Result<cloud::Instance> instance, std::vector<rules::OfferingKey> exhausted = {}) {
        provider.created.back()({std::move(instance), {}, std::move(exhausted)});
        loop.run_ready();
    }
    static tl::unexpected<Error> sold_out() { return fail(ErrorKind::kExhausted, "sold out"); }
};

TEST(Launch, asks_for_all_that_the_claim_may_become_cheapest_first) {
    Launch b;
    EXPECT_THAT(b.provider.zones_asked, testing::ElementsAre("abc"));
}

TEST(Launch, what_is_sold_out_is_left_out_and_the_rest_asked_for_under_the_same_claim) {
    Launch b;
    const auto without = [&](std::initializer_list<std::size_t> gone) {
        auto types = *b.provider.types;
        for (const std::size_t i : gone) types[0].offerings[i].available = false;
        b.provider.types = std::make_shared<const std::vector<rules::InstanceType>>(types);
    };
    without({0});
    b.answer(Launch::sold_out(), {{"small", "a", "on-demand", ""}});
    without({0, 1});
    b.answer(Launch::sold_out(), {{"small", "b", "on-demand", ""}});
    EXPECT_THAT(b.provider.zones_asked, testing::ElementsAre("abc", "bc", "c"));
    EXPECT_FALSE(b.launch_failure);
    without({0, 1, 2});
    b.answer(Launch::sold_out(), {{"small", "c", "on-demand", ""}});
    ASSERT_TRUE(b.launch_failure);
    EXPECT_EQ(b.launch_failure->kind, ErrorKind::kExhausted);
    EXPECT_TRUE(b.has_deleted_claim());
}

TEST(Launch, where_nothing_was_learnt_the_same_is_not_asked_again) {
    Launch b;
    b.answer(Launch::sold_out());
    EXPECT_EQ(b.provider.created.size(), 1u);
    EXPECT_TRUE(b.has_deleted_claim());
}

TEST(Launch, an_error_says_what_becomes_of_the_claim) {
    const struct {
        Error error;
        bool is_given_up;
        seconds asked_again_after;  // 0: soon.
    } cases[] = {{{ErrorKind::kNotReady, "no subnet", 0}, true, seconds{0}},
                 {{ErrorKind::kInvalid, "malformed", 0}, true, seconds{0}},
                 {{ErrorKind::kForbidden, "may not", 0}, false, seconds{60}},
                 {{ErrorKind::kThrottled, "slow down", 30}, false, seconds{30}},
                 {{ErrorKind::kUnavailable, "away", 0}, false, seconds{0}},
                 {{ErrorKind::kInternal, "what?", 0}, false, seconds{0}}};
    for (const auto& c : cases) {
        SCOPED_TRACE(to_string(c.error.kind));
        Launch b;
        b.answer(tl::unexpected<Error>(c.error));
        EXPECT_EQ(b.has_deleted_claim(), c.is_given_up);
        if (c.is_given_up) continue;
        b.loop.advance(std::max(seconds{1}, c.asked_again_after - seconds{1}));
        b.step();
        EXPECT_EQ(b.provider.created.size(), c.asked_again_after > seconds{0} ? 1u : 2u);
        b.loop.advance(seconds{2});
        b.step();
        EXPECT_EQ(b.provider.created.size(), 2u);
    }
}

TEST(Launch, without_its_class_nothing_is_asked_of_the_cloud) {
    Launch b;
    b.answer(fail(ErrorKind::kUnavailable, "away"));
    b.cluster.remove(api::NodeClassReference{});
    b.loop.advance(seconds{1});
    b.step();
    EXPECT_EQ(b.provider.created.size(), 1u);
    EXPECT_EQ(b.launch_failure->kind, ErrorKind::kNotReady);
    EXPECT_TRUE(b.has_deleted_claim());
}

}  // namespace
}  // namespace joiner::act
