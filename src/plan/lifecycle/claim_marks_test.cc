#include "plan/lifecycle/claim_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "api/names.h"
#include "plan/disrupt/drift.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

std::string& annotation(api::ObjectMeta& meta, std::string_view key) {
    return meta.annotations[std::string(key)];
}

// A claim of two hours that is what its pool asks for.
struct World {
    api::NodePool pool;
    api::NodeClaim claim;
    std::vector<rules::InstanceType> types{1};
    bool types_are_known = true;
    std::optional<std::string> provider_drift = "";
    WallTime event = kNoTime;
    bool is_empty = false;

    World() {
        pool.meta.name = "default";
        pool.consolidate_after = {minutes{5}, "5m"};
        pool.node_template.requirements = {{std::string(api::kArchLabel), "In", {"amd64"}, {}}};
        claim.meta.created = kNow - hours{2};
        claim.meta.labels = {{std::string(api::kArchLabel), "amd64"},
                             {std::string(api::kInstanceTypeLabel), "small"},
                             {std::string(api::kZoneLabel), "a"},
                             {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}};
        claim.conditions = {{"Initialized", "True", "", "", kNow - minutes{1}, 0}};
        for (api::ObjectMeta* meta : {&pool.meta, &claim.meta}) {
            annotation(*meta, api::kNodePoolHashAnnotation) = "1";
            annotation(*meta, api::kNodePoolHashVersionAnnotation) = "v3";
        }
        types[0].name = "small";
        types[0].offerings.resize(1);
        types[0].offerings[0].requirements.add_labels(
            {{std::string(api::kZoneLabel), "a"},
             {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}});
        types[0].offerings[0].available = false;
    }
    ClaimMarks marks(WallTime now = kNow) const {
        return wanted_claim_marks(
            {claim, pool,
             types_are_known ? std::make_shared<const std::vector<rules::InstanceType>>(types) : nullptr,
             provider_drift, event, is_empty},
            now);
    }
};

// An answer that did not come is none: what the cloud said last still holds.
TEST(ClaimMarks, what_is_not_known_takes_no_drift_off_and_puts_none_on) {
    World w;
    w.provider_drift = std::nullopt;
    EXPECT_EQ(w.marks().drift, std::nullopt);
    for (const char* reason : {"ImageDrifted", "InstanceTypeNotFound"}) {
        w.claim.conditions.push_back({"Drifted", "True", reason, "", kNow, 0});
        EXPECT_EQ(w.marks().drift, std::nullopt) << reason;
        w.claim.conditions.pop_back();
    }
    w.provider_drift = "";
    w.types_are_known = false;
    w.claim.conditions.push_back({"Drifted", "True", "InstanceTypeNotFound", "", kNow, 0});
    EXPECT_EQ(w.marks().drift, std::nullopt) << "no types are known";
    w.types_are_known = true;
    EXPECT_EQ(w.marks().drift, "") << "all is known, and the type is there";
}

TEST(ClaimMarks, s4_5_a_claim_as_its_pool_would_make_it_says_nothing) {
    EXPECT_TRUE(World().marks().empty()) << "sold out is not gone";
}

TEST(ClaimMarks, s4_5_tells_what_has_drifted) {
    const struct {
        const char* name;
        const char* reason;
        std::function<void(World&)> edit;
    } cases[] = {
        {"another hash", "NodePoolDrifted",
         [](World& w) { annotation(w.pool.meta, api::kNodePoolHashAnnotation) = "2"; }},
        {"a claim that never had a hash", "",
         [](World& w) { w.claim.meta.annotations.erase(std::string(api::kNodePoolHashAnnotation)); }},
        {"a pool that has none yet", "",
         [](World& w) { w.pool.meta.annotations.erase(std::string(api::kNodePoolHashAnnotation)); }},
        {"a requirement it does not meet", "RequirementsDrifted",
         [](World& w) { w.pool.node_template.requirements[0].values = {"arm64"}; }},
        {"a requirement it says nothing about", "RequirementsDrifted",
         [](World& w) { w.pool.node_template.requirements.push_back({"team", "In", {"a"}, {}}); }},
        {"a label it must not have and has not", "",
         [](World& w) { w.pool.node_template.requirements.push_back({"team", "DoesNotExist", {}, {}}); }},
        {"more minValues than before", "",
         [](World& w) { w.pool.node_template.requirements[0].min_values = 5; }},
        {"a type that is gone", "InstanceTypeNotFound", [](World& w) { w.types.clear(); }},
        {"a type that is gone within the first hour", "",
         [](World& w) { w.types.clear(), w.claim.meta.created = kNow - minutes{59}; }},
        {"a catalogue that is not known", "", [](World& w) { w.types_are_known = false; }},
        {"a zone where it is not sold any more", "InstanceTypeNotFound",
         [](World& w) { w.claim.meta.labels[std::string(api::kZoneLabel)] = "b"; }},
        {"a reservation that has ended", "",
         [](World& w) { w.claim.meta.labels[std::string(api::kCapacityTypeLabel)] = "reserved"; }},
        {"what the cloud says", "ImageDrifted", [](World& w) { w.provider_drift = "ImageDrifted"; }},
        {"the pool before the cloud", "NodePoolDrifted",
         [](World& w) {
             annotation(w.pool.meta, api::kNodePoolHashAnnotation) = "2";
             w.provider_drift = "ImageDrifted";
         }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(w.marks().drift.value_or(""), c.reason) << c.name;
        w.claim.conditions.push_back({"Drifted", "True", "Other", "", kNow, 0});
        EXPECT_EQ(w.marks().drift, c.reason) << c.name << ", after another";
        w.claim.conditions.back().reason = c.reason;
        if (*c.reason == '\0') w.claim.conditions.pop_back();
        EXPECT_EQ(w.marks().drift, std::nullopt) << c.name << ", said already";
    }
}

TEST(ClaimMarks, s4_5_a_hash_of_an_old_version_is_written_anew) {
    World w;
    annotation(w.pool.meta, api::kNodePoolHashAnnotation) = "7";
    annotation(w.claim.meta, api::kNodePoolHashVersionAnnotation) = "v2";
    EXPECT_THAT(w.marks().annotations, ElementsAre(Pair(api::kNodePoolHashAnnotation, "7"),
                                                   Pair(api::kNodePoolHashVersionAnnotation, "v3")));
    EXPECT_EQ(w.marks().drift, std::nullopt) << "hashes of two versions say nothing of each other";
    w.claim.conditions.push_back({"Drifted", "True", "NodePoolDrifted", "", kNow, 0});
    EXPECT_THAT(w.marks().annotations, ElementsAre(Pair(api::kNodePoolHashVersionAnnotation, "v3")))
        << "what has drifted stays so";
    annotation(w.pool.meta, api::kNodePoolHashVersionAnnotation) = "v2";
    annotation(w.claim.meta, api::kNodePoolHashVersionAnnotation) = "v3";
    EXPECT_THAT(w.marks().annotations, IsEmpty()) << "the pool comes first";
    EXPECT_EQ(drift_reason({w.claim, w.pool, nullptr, ""}, kNow), "") << "v2 against v3";
    annotation(w.pool.meta, api::kNodePoolHashVersionAnnotation) = "v3";
    annotation(w.claim.meta, api::kNodePoolHashVersionAnnotation) = "v3";
    EXPECT_EQ(drift_reason({w.claim, w.pool, nullptr, ""}, kNow), "NodePoolDrifted");
}

TEST(ClaimMarks, s4_6_idle_for_consolidate_after_is_consolidatable) {
    World w;
    EXPECT_EQ(w.marks(kNow + minutes{4} - seconds{1}).is_consolidatable, std::nullopt);
    EXPECT_EQ(w.marks(kNow + minutes{4}).is_consolidatable, true) << "since it was initialised";
    w.claim.conditions.push_back({"Consolidatable", "True", "", "", kNow, 0});
    EXPECT_EQ(w.marks(kNow + minutes{4}).is_consolidatable, std::nullopt);
    w.event = kNow + minutes{2};
    EXPECT_EQ(w.marks(kNow + minutes{4}).is_consolidatable, false) << "a pod came";
    w.event = kNoTime;
    w.pool.consolidate_after = {std::nullopt, "Never"};
    EXPECT_EQ(w.marks(kNow + minutes{4}).is_consolidatable, false);
}

TEST(ClaimMarks, s4_6_pod_events_are_written_when_pods_have_come_to_rest) {
    World w;
    w.claim.conditions[0].last_transition = kNow - seconds{30};
    w.event = kNow;
    EXPECT_EQ(w.marks(kNow + seconds{9}).last_pod_event, std::nullopt);
    EXPECT_EQ(w.marks(kNow + seconds{10}).last_pod_event, kNow);
    w.claim.last_pod_event = kNow - seconds{9};
    EXPECT_EQ(w.marks(kNow + seconds{10}).last_pod_event, std::nullopt)
        << "the difference is not worth a write";
    w.claim.last_pod_event = kNow - seconds{10};
    EXPECT_EQ(w.marks(kNow + seconds{10}).last_pod_event, kNow);
    w.claim.last_pod_event = kNow + seconds{5};
    EXPECT_EQ(w.marks(kNow + seconds{10}).last_pod_event, std::nullopt) << "the status knows better";
}

TEST(ClaimMarks, s4_6_pod_events_of_a_busy_node_are_written_each_minute) {
    World w;
    w.claim.last_pod_event = kNow;
    w.event = kNow + seconds{59};
    EXPECT_EQ(w.marks(w.event).last_pod_event, std::nullopt);
    w.event = kNow + seconds{60};
    EXPECT_EQ(w.marks(w.event).last_pod_event, w.event);
}

TEST(ClaimMarks, s4_6_a_node_just_up_is_left_in_peace) {
    World w;
    w.pool.consolidate_after = {Duration{0}, "0s"};
    w.claim.conditions[0].last_transition = kNow;
    EXPECT_TRUE(w.marks(kNow + seconds{9}).empty());
    w.is_empty = true;
    EXPECT_TRUE(w.marks(kNow + seconds{9}).empty()) << "its pods may be on their way";
    EXPECT_EQ(w.marks(kNow + seconds{10}).is_consolidatable, true);
}

TEST(ClaimMarks, s5_5_a_node_that_has_become_empty_says_at_once_that_it_is_idle) {
    World w;
    w.pool.consolidate_after = {Duration{0}, "0s"};
    w.event = kNow;
    EXPECT_EQ(w.marks(kNow + seconds{1}).is_consolidatable, std::nullopt) << "not while pods come and go";
    w.is_empty = true;
    EXPECT_EQ(w.marks(kNow + seconds{1}).is_consolidatable, true);
}

}  // namespace
}  // namespace joiner::plan
