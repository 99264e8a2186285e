#include "plan/lifecycle/reboot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/testing/up_node.h"

namespace joiner::plan {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = RebootStep::Kind;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// A reboot that was asked for ten seconds ago, of a fenced node without pods.
struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    api::NodeClaim claim;
    api::Node node;
    bool has_node = true;
    std::optional<WallTime> asked_since;

    World() {
        const samples::UpNode up = samples::up_node("c", "n", kNow - minutes{90});
        claim = up.claim;
        node = up.node;
        node.boot_id = "one";
        node.meta.labels[std::string(api::kInitializedLabel)] = "true";
        node.taints = {{std::string(api::kRebootingTaint), "", std::string(api::kNoSchedule), {}}};
        rebooting(kRebootRequested, seconds{10});
        grace("1m0s");
    }
    void rebooting(std::string_view reason, Duration since) {
        std::erase_if(claim.conditions, [](const auto& c) { return c.type == kRebooting; });
        claim.conditions.push_back(
            {std::string(kRebooting), "True", std::string(reason), "", kNow - since, 0});
    }
    // Accepted by the cloud so long ago, and not initialised since.
    void issued(Duration since) {
        rebooting(kRebootIssued, since + minutes{1});
        noted("one");
        claim.conditions[0] = {"Initialized", "Unknown", "Rebooting", "", kNow - since, 0};
        node.meta.labels.erase(std::string(api::kInitializedLabel));
    }
    void grace(const std::string& text) {
        claim.meta.annotations[std::string(api::kRebootGracePeriodAnnotation)] = text;
    }
    void no_grace() { claim.meta.annotations.erase(std::string(api::kRebootGracePeriodAnnotation)); }
    void noted(const std::string& boot_id) {
        claim.meta.annotations[std::string(api::kRebootPreBootIdAnnotation)] = boot_id;
    }
    RebootStep step() {
        cluster.upsert(claim);
        cluster.upsert(node);
        return next_reboot_step({cluster, claim, has_node ? cluster.find_node("n") : nullptr, asked_since},
                                kNow);
    }
};

void pod(World& w) {
    w.cluster.upsert(samples::pod_on("n", "a"));
}

TEST(RebootStep, s4_8_one_after_the_other_until_the_machine_is_back) {
    const struct {
        const char* name;
        Kind expected;
        std::function<void(World&)> edit;
    } cases[] = {
        {"the node is fenced first", Kind::kFence, [](World& w) { w.node.taints.clear(); }},
        {"then its pods go", Kind::kDrain, [](World& w) { pod(w); }},
        {"for as long as they may", Kind::kNoteBootId,
         [](World& w) { pod(w), w.rebooting(kRebootRequested, minutes{1}); }},
        {"or for ever", Kind::kDrain,
         [](World& w) { pod(w), w.no_grace(), w.rebooting(kRebootRequested, minutes{600}); }},
        {"or not at all", Kind::kNoteBootId,
         [](World& w) { pod(w), w.grace("0s"), w.rebooting(kRebootRequested, seconds{0}); }},
        {"a short time is five seconds", Kind::kDrain,
         [](World& w) { pod(w), w.grace("1s"), w.rebooting(kRebootRequested, seconds{4}); }},
        {"and so long late pods are waited for", Kind::kNothing,
         [](World& w) { w.rebooting(kRebootRequested, seconds{4}); }},
        {"the boot id is noted once it is empty", Kind::kNoteBootId, [](World&) {}},
        {"then the cloud is asked", Kind::kAsk, [](World& w) { w.noted("one"); }},
        {"and asked again", Kind::kAsk, [](World& w) { w.noted("one"), w.asked_since = kNow - minutes{5}; }},
        {"for five minutes", Kind::kFail,
         [](World& w) { w.noted("one"), w.asked_since = kNow - minutes{5} - seconds{1}; }},
        {"a machine that has started anew meanwhile was asked", Kind::kNoteIssued,
         [](World& w) { w.noted("one"), w.node.boot_id = "two"; }},
        {"a node that is gone may come back", Kind::kNothing, [](World& w) { w.has_node = false; }},
        {"and has five minutes for it", Kind::kFail,
         [](World& w) { w.has_node = false, w.rebooting(kRebootRequested, minutes{6}); }},
        {"a time that cannot be read", Kind::kFail, [](World& w) { w.grace("soon"); }},
        {"a time below nothing", Kind::kFail, [](World& w) { w.grace("-1s"); }},
        {"once it has begun the node is not initialised", Kind::kForgetInitialized,
         [](World& w) {
             w.issued(minutes{1}), w.node.meta.labels[std::string(api::kInitializedLabel)] = "true";
         }},
        {"the new start is waited for", Kind::kNothing, [](World& w) { w.issued(minutes{20}); }},
        {"for twenty minutes", Kind::kFail, [](World& w) { w.issued(minutes{20} + seconds{1}); }},
        {"when it is there the fence goes", Kind::kUnfence,
         [](World& w) { w.issued(minutes{1}), w.node.boot_id = "two"; }},
        {"a node that is not Ready is waited for", Kind::kNothing,
         [](World& w) {
             w.issued(minutes{1}), w.node.boot_id = "two", w.node.taints.clear(), w.node.conditions.clear();
         }},
        {"and then it is over", Kind::kSucceed,
         [](World& w) { w.issued(minutes{1}), w.node.boot_id = "two", w.node.taints.clear(); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(w.step().kind, c.expected) << c.name;
    }
}

TEST(RebootStep, s4_8_a_failure_says_which) {
    World w;
    w.grace("-1s");
    EXPECT_EQ(w.step().result, "invalid_request");
    EXPECT_THAT(w.step().message, HasSubstr("reboot-termination-grace-period=-1s is no duration"));
    w.issued(minutes{30});
    EXPECT_EQ(w.step().result, "recovery_timeout");
    World other;
    other.noted("one");
    other.asked_since = kNow - minutes{6};
    EXPECT_EQ(other.step().result, "provider_error");
}

TEST(RebootStep, s4_8_pods_are_evicted_and_never_deleted) {
    World w;
    pod(w);
    w.claim.meta.annotations[std::string(api::kTerminationTimestampAnnotation)] = format_rfc3339(kNow);
    const RebootStep step = w.step();
    EXPECT_THAT(step.drain.evict, ElementsAre("ns/a"));
    EXPECT_TRUE(step.drain.force.empty());
}

TEST(RebootStep, s4_8_one_reboot_has_one_name) {
    World w;
    w.noted("one");
    const std::string name = reboot_operation(w.claim);
    EXPECT_EQ(name, "c-" + std::to_string((kNow - seconds{10}).time_since_epoch().count()) + "-one");
    w.rebooting(kRebootIssued, seconds{10});
    EXPECT_EQ(reboot_operation(w.claim), name);
}

TEST(RebootHistory, s4_8_allows_two_a_day) {
    RebootHistory history;
    EXPECT_TRUE(history.allows("u", kNow));
    history.note("u", kNow);
    history.note("u", kNow + minutes{1});
    EXPECT_FALSE(history.allows("u", kNow + minutes{2}));
    EXPECT_TRUE(history.allows("another", kNow + minutes{2}));
    EXPECT_TRUE(history.allows("u", kNow + std::chrono::hours{24}));
}

}  // namespace
}  // namespace joiner::plan
