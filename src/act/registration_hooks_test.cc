#include "act/registration_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "cloud/testing/no_provider.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

struct Hook final : cloud::RegistrationHook {
    explicit Hook(std::string hook) : its_name(std::move(hook)) {}
    std::string_view name() const override { return its_name; }
    void ask(const api::NodeClaim&, std::function<void(Result<Duration>)> done) override {
        asked.push_back(std::move(done));
    }
    std::string its_name;
    std::vector<std::function<void(Result<Duration>)>> asked;
};

struct HookedProvider final : cloud::testing::NoProvider {
    std::vector<cloud::RegistrationHook*> registration_hooks() override { return {&address, &disk}; }
    Hook address{"address"};
    Hook disk{"disk"};
};

struct Bench : kube::testing::KubeBench, Notices {
    kube::EventRecorder events{loop, client, {}};
    HookedProvider provider;
    OneProvider clouds{loop, provider};
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    std::vector<std::string> reconciled;
    Services services{loop,   client,  events, clouds.all,
                      clouds, cluster, *this,  [this](const std::string& c) { reconciled.push_back(c); },
                      {}};
    RegistrationHooks hooks{services};
    api::NodeClaim claim;
    Bench() { claim.meta.name = "c"; }
};

TEST(RegistrationHooks, s4_1_are_asked_all_at_once_until_each_is_done) {
    Bench b;
    EXPECT_FALSE(b.hooks.are_done(b.claim));
    b.hooks.ask(b.claim);
    b.hooks.ask(b.claim);
    ASSERT_EQ(b.provider.address.asked.size(), 1u) << "an answer is on its way";
    ASSERT_EQ(b.provider.disk.asked.size(), 1u);
    b.provider.address.asked[0](Duration{0});
    EXPECT_TRUE(b.reconciled.empty());
    b.provider.disk.asked[0](seconds{30});
    EXPECT_THAT(b.reconciled, ElementsAre("c"));
    EXPECT_FALSE(b.hooks.are_done(b.claim));
    b.hooks.ask(b.claim);
    EXPECT_EQ(b.provider.disk.asked.size(), 1u) << "not before it said";
    b.loop.advance(seconds{30});
    b.hooks.ask(b.claim);
    EXPECT_EQ(b.provider.address.asked.size(), 1u) << "it is done";
    ASSERT_EQ(b.provider.disk.asked.size(), 2u);
    b.provider.disk.asked[1](Duration{0});
    EXPECT_TRUE(b.hooks.are_done(b.claim));
    api::NodeClaim other;
    other.meta.name = "other";
    EXPECT_FALSE(b.hooks.are_done(other));
}

TEST(RegistrationHooks, s4_1_whose_answers_are_lost_are_asked_again) {
    Bench b;
    b.hooks.ask(b.claim);
    b.provider.disk.asked[0](Duration{0});
    b.loop.advance(seconds{59});
    b.hooks.ask(b.claim);
    ASSERT_EQ(b.provider.address.asked.size(), 1u);
    b.loop.advance(seconds{1});
    b.hooks.ask(b.claim);
    ASSERT_EQ(b.provider.address.asked.size(), 2u);
    EXPECT_EQ(b.provider.disk.asked.size(), 1u);
    b.provider.address.asked[0](Duration{0});
    EXPECT_TRUE(b.hooks.are_done(b.claim)) << "late is not never";
    b.provider.address.asked[1](seconds{5});
    EXPECT_TRUE(b.hooks.are_done(b.claim));
}

TEST(RegistrationHooks, s4_1_that_fail_are_asked_again_and_answers_that_come_too_late_are_nobodys) {
    Bench b;
    b.hooks.ask(b.claim);
    b.provider.address.asked[0](fail(ErrorKind::kUnavailable, "no"));
    b.provider.disk.asked[0](Duration{0});
    b.loop.advance(seconds{5});
    b.hooks.ask(b.claim);
    ASSERT_EQ(b.provider.address.asked.size(), 2u);
    b.hooks.forget("c");
    b.provider.address.asked[1](Duration{0});
    EXPECT_FALSE(b.hooks.are_done(b.claim));
}

}  // namespace
}  // namespace joiner::act
