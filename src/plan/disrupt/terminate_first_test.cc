#include "plan/disrupt/terminate_first.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "api/names.h"
#include "plan/disrupt/gate.h"

namespace joiner::plan {
namespace {

rules::Requirement one_of(std::string_view key, std::vector<std::string> values) {
    return rules::Requirement::in(std::string(key), std::move(values));
}

rules::Offering offering(const char* zone, std::string_view capacity_type, int reserved = 0) {
    rules::Offering out;
    out.requirements.add(one_of(api::kZoneLabel, {zone}));
    out.requirements.add(one_of(api::kCapacityTypeLabel, {std::string(capacity_type)}));
    out.reservation_capacity = reserved;
    return out;
}

// Type "small" with one reserved machine in zone a, which a claim of pool "p" holds.
struct World {
    api::NodePool pool;
    std::vector<rules::InstanceType> types{1};
    model::ReservationsUsed used;
    api::NodeClaim claim;

    World() {
        pool.meta.name = "p";
        types[0].name = "small";
        types[0].requirements.add(one_of(api::kInstanceTypeLabel, {"small"}));
        types[0].offerings = {offering("a", api::kReserved, 1)};
        claim.meta.labels = {{std::string(api::kInstanceTypeLabel), "small"},
                             {std::string(api::kZoneLabel), "a"},
                             {std::string(api::kCapacityTypeLabel), std::string(api::kReserved)}};
        model::note_reserved(claim, used);
    }
    void want(std::string_view key, std::string value) {
        pool.node_template.requirements.push_back({std::string(key), "In", {std::move(value)}, {}});
    }
};

TEST(TerminateFirst, s5_6_reservations_leave_so_much_room_where_nothing_else_could_ever_be_bought) {
    const struct {
        const char* name;
        std::optional<std::int64_t> room;
        std::function<void(World&)> edit;
    } cases[] = {
        {"the only one is taken", 0, [](World&) {}},
        {"it is free", 1, [](World& w) { w.used.clear(); }},
        {"one of two is taken", 1, [](World& w) { w.types[0].offerings[0].reservation_capacity = 2; }},
        {"what is left cannot be had", 0,
         [](World& w) {
             w.used.clear();
             w.types[0].offerings[0].available = false;
         }},
        {"another zone has one", 1,
         [](World& w) { w.types[0].offerings.push_back(offering("b", api::kReserved, 1)); }},
        {"a zone that the pool does not want has one", 0,
         [](World& w) {
             w.types[0].offerings.push_back(offering("b", api::kReserved, 1));
             w.want(api::kZoneLabel, "a");
         }},
        {"spot is sold too", {}, [](World& w) { w.types[0].offerings.push_back(offering("a", api::kSpot)); }},
        {"spot is sold too, and not to be had now",
         {},
         [](World& w) {
             w.types[0].offerings.push_back(offering("a", api::kSpot));
             w.types[0].offerings.back().available = false;
         }},
        {"spot is not for this pool", 0,
         [](World& w) {
             w.types[0].offerings.push_back(offering("a", api::kSpot));
             w.want(api::kCapacityTypeLabel, "reserved");
         }},
        {"another type is sold on demand, and not for this pool", 0,
         [](World& w) {
             w.types.push_back(w.types[0]);
             w.types[1].name = "large";
             w.types[1].requirements = {};
             w.types[1].requirements.add(one_of(api::kInstanceTypeLabel, {"large"}));
             w.types[1].offerings = {offering("a", api::kOnDemand)};
             w.want(api::kInstanceTypeLabel, "small");
         }},
        {"nothing is for this pool", {}, [](World& w) { w.want(api::kZoneLabel, "nowhere"); }},
        {"there are no types", {}, [](World& w) { w.types.clear(); }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(reservation_room(w.pool, w.types, w.used), c.room) << c.name;
    }
}

TEST(TerminateFirst, s5_6_only_who_holds_what_the_pool_may_use_gives_it_back) {
    const struct {
        const char* name;
        bool gives_back;
        std::function<void(World&)> edit;
    } cases[] = {
        {"it holds the reservation", true, [](World&) {}},
        {"it is an on-demand node", false,
         [](World& w) { w.claim.meta.labels[std::string(api::kCapacityTypeLabel)] = "on-demand"; }},
        {"it holds another one", false,
         [](World& w) { w.claim.meta.labels[std::string(api::kZoneLabel)] = "b"; }},
        {"it is no longer offered", false, [](World& w) { w.types[0].offerings.clear(); }},
        {"the pool has left its zone", false, [](World& w) { w.want(api::kZoneLabel, "b"); }},
        {"it goes on as on demand", false,
         [](World& w) { w.types[0].offerings = {offering("a", api::kOnDemand)}; }},
    };
    for (const auto& c : cases) {
        World w;
        c.edit(w);
        EXPECT_EQ(gives_back_reservation(w.claim, w.pool, w.types), c.gives_back) << c.name;
    }
}

TEST(TerminateFirst, s5_6_each_gate_is_for_its_own_reason) {
    const TerminateFirst drift{.drift = true};
    const TerminateFirst repair{.repair = true};
    EXPECT_TRUE(drift.allows(kDrifted));
    EXPECT_TRUE(repair.allows(kUnhealthy));
    for (const std::string_view reason : kDisruptionReasons) {
        EXPECT_EQ(drift.allows(reason), reason == kDrifted) << reason;
        EXPECT_EQ(repair.allows(reason), reason == kUnhealthy) << reason;
        EXPECT_FALSE(TerminateFirst{}.allows(reason)) << reason;
    }
}

}  // namespace
}  // namespace joiner::plan
