#include "plan/lifecycle/claim_step.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>

#include "api/names.h"

namespace joiner::plan {

void PrintTo(ClaimStep::Kind kind, std::ostream* out) {
    *out << "step " << static_cast<int>(kind);
}

namespace {

using Kind = ClaimStep::Kind;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kStart{seconds{1'800'000'000}};

api::Taint taint(std::string_view key, std::string_view effect) {
    return {std::string(key), "", std::string(effect), {}};
}

// A claim made at kStart that has come all the way: launched, registered, initialised.
struct World {
    api::NodeClaim claim;
    model::NodeState node;
    bool has_node = true;
    bool instance_is_gone = false;
    bool instance_was_ensured = false;
    bool binding_window_may_open = false;
    bool has_several_nodes = false;
    bool hooks_are_done = true;
    WallTime now = kStart + seconds{1};

    World() {
        claim.meta.name = "c";
        claim.meta.created = kStart;
        claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
        claim.provider_id = "p://1";
        claim.requests = {{"cpu", Quantity::of_units(1)}};
        for (const char* type : {"Launched", "Registered", "Initialized"}) set(type, "True", kStart);
        node.node.meta.labels = {{std::string(api::kRegisteredLabel), "true"},
                                 {std::string(api::kInitializedLabel), "true"}};
        node.node.meta.finalizers = {std::string(api::kTerminationFinalizer)};
        node.node.conditions = {{"Ready", "True", "", "", kStart, 0}};
        node.node.allocatable = {{"cpu", Quantity::of_units(4)}};
    }
    World& set(const std::string& type, const std::string& status, WallTime since) {
        std::erase_if(claim.conditions, [&](const api::Condition& c) { return c.type == type; });
        claim.conditions.push_back({type, status, type, "", since, 0});
        return *this;
    }
    World& not_launched() {
        claim.provider_id.clear();
        has_node = false;
        return set("Launched", "Unknown", kStart).not_registered();
    }
    World& not_registered() {
        node.node.meta.labels = {};
        node.node.meta.finalizers = {};
        node.node.taints = {taint(api::kUnregisteredTaint, api::kNoExecute)};
        return set("Registered", "Unknown", kStart).set("Initialized", "Unknown", kStart);
    }
    World& not_initialized() {
        node.node.meta.labels.erase(std::string(api::kInitializedLabel));
        return set("Initialized", "Unknown", kStart);
    }
    World& deleting() {
        claim.meta.deleted = kStart;
        return *this;
    }
    ClaimStep step() const {
        return next_claim_step({claim, has_node ? &node : nullptr, instance_is_gone, instance_was_ensured,
                                binding_window_may_open, has_several_nodes, hooks_are_done},
                               now);
    }
};

struct Case {
    const char* name;
    Kind kind;
    std::string word;  // The reason of a deletion, or what is waited for.
    std::function<void(World&)> edit;
};

void run(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        World w;
        c.edit(w);
        const ClaimStep step = w.step();
        EXPECT_EQ(step.kind, c.kind) << c.name;
        EXPECT_EQ(step.reason + step.waiting, c.word) << c.name;
    }
}

TEST(NextClaimStep, s4_1_goes_from_finalizer_to_initialised) {
    run({
        {"nothing is left to do", Kind::kNothing, "", [](World&) {}},
        {"the finalizer comes before the launch", Kind::kAddFinalizer, "",
         [](World& w) { w.not_launched().claim.meta.finalizers = {"other"}; }},
        {"launch", Kind::kLaunch, "", [](World& w) { w.not_launched(); }},
        {"without any condition", Kind::kLaunch, "",
         [](World& w) { w.not_launched().claim.conditions.clear(); }},
        {"launched without a provider id is not launched", Kind::kLaunch, "",
         [](World& w) { w.claim.provider_id.clear(); }},
        {"no node yet, and the provider was not asked again", Kind::kEnsureInstance, "",
         [](World& w) { w.not_registered().has_node = false; }},
        {"no node yet", Kind::kNothing, "NodeNotFound",
         [](World& w) {
             w.not_registered().has_node = false;
             w.instance_was_ensured = true;
         }},
        {"the node is there", Kind::kRegister, "", [](World& w) { w.not_registered(); }},
        {"the cloud has something left to do", Kind::kAskHooks, "RegistrationHookPending",
         [](World& w) { w.not_registered().hooks_are_done = false; }},
        {"which of them is it?", Kind::kNothing, "MultipleNodesFound",
         [](World& w) { w.not_registered().has_several_nodes = true; }},
        {"it does not name its class", Kind::kLabel, "",
         [](World& w) {
             w.claim.node_class = {"g", "Kind", "default"};
             w.not_launched();
         }},
        {"its node does not", Kind::kLabel, "",
         [](World& w) {
             w.claim.node_class = {"g", "Kind", "default"};
             w.claim.meta.labels["g/kind"] = "default";
         }},
        {"both do", Kind::kNothing, "",
         [](World& w) {
             w.claim.node_class = {"g", "Kind", "default"};
             w.claim.meta.labels["g/kind"] = "default";
             w.node.node.meta.labels["g/kind"] = "default";
         }},
        {"the node lacks only the finalizer", Kind::kRegister, "",
         [](World& w) {
             w.set("Registered", "Unknown", kStart);
             w.node.node.meta.finalizers.clear();
         }},
        {"the node carries all of it", Kind::kRecordRegistered, "",
         [](World& w) { w.set("Registered", "Unknown", kStart); }},
        {"pods still to be bound", Kind::kNothing, "BindingPods",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kBindingTaint, api::kNoSchedule)};
         }},
        {"controller-manager has yet to see it as it is", Kind::kNothing, "KnownEphemeralTaintsExist",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kUnreachableTaint, api::kNoSchedule)};
             w.now = kStart + seconds{9};
         }},
        {"controller-manager has overlooked it", Kind::kLiftUnreachable, "",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kUnreachableTaint, api::kNoSchedule)};
             w.now = kStart + seconds{10};
         }},
        {"it is not ready, so that is not for us to say", Kind::kNothing, "NodeNotReady",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kUnreachableTaint, api::kNoSchedule)};
             w.node.node.conditions[0].status = "Unknown";
             w.now = kStart + seconds{10};
         }},
        {"nor once it was up", Kind::kNothing, "",
         [](World& w) {
             w.node.node.taints = {taint(api::kUnreachableTaint, api::kNoSchedule)};
             w.now = kStart + seconds{10};
         }},
        {"the window may open", Kind::kOpenBindingWindow, "",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kBindingTaint, api::kNoSchedule)};
             w.binding_window_may_open = true;
         }},
        {"a window left closed on an initialised node opens too", Kind::kOpenBindingWindow, "",
         [](World& w) {
             w.node.node.taints = {taint(api::kBindingTaint, api::kNoSchedule)};
             w.binding_window_may_open = true;
         }},
        {"ready in every way", Kind::kInitialize, "", [](World& w) { w.not_initialized(); }},
        {"the label is there, the condition not", Kind::kRecordInitialized, "",
         [](World& w) { w.set("Initialized", "Unknown", kStart); }},
        {"registered, and its node gone", Kind::kNothing, "NodeNotFound",
         [](World& w) { w.has_node = false; }},
    });
}

TEST(NextClaimStep, s4_1_says_what_initialisation_waits_for) {
    run({
        {"not ready", Kind::kNothing, "NodeNotReady",
         [](World& w) { w.not_initialized().node.node.conditions[0].status = "Unknown"; }},
        {"no Ready condition", Kind::kNothing, "NodeNotReady",
         [](World& w) { w.not_initialized().node.node.conditions.clear(); }},
        {"a startup taint", Kind::kNothing, "StartupTaintsExist",
         [](World& w) {
             w.not_initialized().claim.startup_taints = {taint("s", api::kNoSchedule)};
             w.node.node.taints = {{"s", "another value", std::string(api::kNoSchedule), {}}};
         }},
        {"a taint of the same key and another effect is another taint", Kind::kInitialize, "",
         [](World& w) {
             w.not_initialized().claim.startup_taints = {taint("s", api::kNoSchedule)};
             w.node.node.taints = {taint("s", api::kNoExecute)};
         }},
        {"a taint that stays", Kind::kInitialize, "",
         [](World& w) { w.not_initialized().node.node.taints = {taint("mine", api::kNoSchedule)}; }},
        {"the cloud has not finished", Kind::kNothing, "KnownEphemeralTaintsExist",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kCloudUninitializedTaint, api::kNoSchedule)};
         }},
        {"a device not there yet", Kind::kNothing, "ResourceNotRegistered",
         [](World& w) { w.not_initialized().claim.requests["nvidia.com/gpu"] = Quantity::of_units(1); }},
        {"a device nobody asked for", Kind::kInitialize, "",
         [](World& w) { w.not_initialized().claim.requests["nvidia.com/gpu"] = Quantity{}; }},
    });
}

// Ours: Karpenter waits for good.
TEST(NextClaimStep, what_is_not_initialised_in_time_goes_unless_pods_run_on_it) {
    static model::PodState pod{model::PodId("ns", "pod", "uid")};
    run({
        {"it has half an hour", Kind::kNothing, "NodeNotReady",
         [](World& w) {
             w.not_initialized().node.node.conditions.clear();
             w.now = kStart + minutes{30} - seconds{1};
         }},
        {"and no more", Kind::kDelete, "initialization_timeout",
         [](World& w) {
             w.not_initialized().node.node.conditions.clear();
             w.now = kStart + minutes{30};
         }},
        {"a startup taint is no other matter", Kind::kDelete, "initialization_timeout",
         [](World& w) {
             w.not_initialized().claim.startup_taints = {taint("s", api::kNoSchedule)};
             w.node.node.taints = {taint("s", api::kNoSchedule)};
             w.now = kStart + minutes{30};
         }},
        {"our own binding takes as long as it takes", Kind::kNothing, "BindingPods",
         [](World& w) {
             w.not_initialized().node.node.taints = {taint(api::kBindingTaint, api::kNoSchedule)};
             w.now = kStart + minutes{30};
         }},
        {"a pod that is Ready there keeps it", Kind::kNothing, "NodeNotReady",
         [](World& w) {
             pod.is_ready = true;
             w.not_initialized().node.node.conditions.clear();
             w.node.pods["ns/pod"] = &pod;
             w.now = kStart + hours{100};
         }},
        {"one that is not does not", Kind::kDelete, "initialization_timeout",
         [](World& w) {
             pod.is_ready = false;
             w.not_initialized().node.node.conditions.clear();
             w.node.pods["ns/pod"] = &pod;
             w.now = kStart + hours{100};
         }},
    });
}

TEST(NextClaimStep, s4_1_gives_up_in_time_and_not_before) {
    run({
        {"a launch has five minutes", Kind::kLaunch, "",
         [](World& w) { w.not_launched().now = kStart + minutes{5} - seconds{1}; }},
        {"and no more", Kind::kDelete, "launch_timeout",
         [](World& w) { w.not_launched().now = kStart + minutes{5}; }},
        {"since the condition last changed", Kind::kLaunch, "",
         [](World& w) {
             w.not_launched().set("Launched", "Unknown", kStart + minutes{4}).now = kStart + minutes{8};
         }},
        {"a registration has fifteen minutes", Kind::kRegister, "",
         [](World& w) { w.not_registered().now = kStart + minutes{15} - seconds{1}; }},
        {"and no more either", Kind::kDelete, "registration_timeout",
         [](World& w) { w.not_registered().now = kStart + minutes{15}; }},
        {"without a node the same", Kind::kDelete, "registration_timeout",
         [](World& w) {
             w.not_registered().has_node = false;
             w.now = kStart + minutes{15};
         }},
        {"a node that is registered in fact is kept", Kind::kRecordRegistered, "",
         [](World& w) { w.set("Registered", "Unknown", kStart).now = kStart + hours{1}; }},
        {"alive until it expires", Kind::kNothing, "",
         [](World& w) { w.now = kStart + hours{720} - seconds{1}; }},
        {"expired", Kind::kDelete, "expired", [](World& w) { w.now = kStart + hours{720}; }},
        {"expired, of a pool: a gate decides", Kind::kNothing, "",
         [](World& w) {
             w.claim.meta.labels[std::string(api::kNodePoolLabel)] = "default";
             w.now = kStart + hours{720};
         }},
        {"expired before it was up", Kind::kDelete, "expired",
         [](World& w) {
             w.not_initialized().claim.meta.labels[std::string(api::kNodePoolLabel)] = "default";
             w.now = kStart + hours{720};
         }},
        {"never expires", Kind::kNothing, "",
         [](World& w) {
             w.claim.expire_after.value.reset();
             w.now = kStart + hours{100'000};
         }},
        {"expiry comes before the launch", Kind::kDelete, "expired",
         [](World& w) { w.not_launched().claim.expire_after.value = Duration{0}; }},
    });
}

TEST(NextClaimStep, s4_2_takes_everything_down_before_the_finalizer) {
    run({
        {"not ours to finish", Kind::kNothing, "",
         [](World& w) { w.deleting().claim.meta.finalizers.clear(); }},
        {"the node goes first", Kind::kDeleteNode, "", [](World& w) { w.deleting(); }},
        {"it is on its way", Kind::kNothing, "NodeTerminating",
         [](World& w) { w.deleting().node.node.meta.deleted = kStart; }},
        {"the deadline is written before", Kind::kSetDeadline, "",
         [](World& w) { w.deleting().claim.termination_grace_period = minutes{10}; }},
        {"once", Kind::kDeleteNode, "",
         [](World& w) {
             w.deleting().claim.termination_grace_period = minutes{10};
             w.claim.meta.annotations[std::string(api::kTerminationTimestampAnnotation)] =
                 "2027-01-15T08:10:00Z";
         }},
        {"then the instance", Kind::kRemoveInstance, "", [](World& w) { w.deleting().has_node = false; }},
        {"then the finalizer", Kind::kRemoveFinalizer, "",
         [](World& w) {
             w.deleting().has_node = false;
             w.instance_is_gone = true;
         }},
        {"never launched: the finalizer at once", Kind::kRemoveFinalizer, "",
         [](World& w) { w.not_launched().deleting(); }},
        {"no time-out hurries it", Kind::kDeleteNode, "",
         [](World& w) { w.deleting().now = kStart + hours{10'000}; }},
    });
}

}  // namespace
}  // namespace joiner::plan
