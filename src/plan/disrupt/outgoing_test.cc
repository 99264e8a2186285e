#include "plan/disrupt/outgoing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Nodes of the pool "default", each named as its claim.
struct World : samples::DisruptionWorld {
    World& add(const std::string& name, const std::function<void(api::NodeClaim&)>& change = {}) {
        samples::UpNode up = samples::up_node(name, name, kNow - hours{2});
        up.claim.meta.created = kNow - hours{2};
        if (change) change(up.claim);
        put(up);
        return *this;
    }
    model::ClaimNames outgoing() {
        put_pool();
        return outgoing_claims(cluster, gate(kNow), kNow);
    }
};

void drift(api::NodeClaim& claim) {
    claim.conditions.push_back({"Drifted", "True", "NodePoolDrifted", "", kNow, 1});
}
auto lives_for(Duration life) {
    return [life](api::NodeClaim& claim) { claim.expire_after = {life, "some"}; };
}

TEST(Outgoing, what_has_drifted_or_expired_and_what_soon_will) {
    World w;
    w.add("drifted", drift).add("stays").add("expired", lives_for(hours{1}));
    w.add("tenth-left", lives_for(minutes{133})).add("more-left", lives_for(minutes{134}));
    EXPECT_THAT(w.outgoing(), ElementsAre("drifted", "expired", "tenth-left"));
}

TEST(Outgoing, of_a_long_life_no_more_than_an_hour) {
    World w;
    w.add("hour-left", lives_for(hours{3})).add("long", lives_for(hours{720}));
    EXPECT_THAT(w.outgoing(), IsEmpty()) << "a tenth of three hours is 18 minutes";
    w.add("near", [](api::NodeClaim& claim) {
        claim.meta.created = kNow - hours{720} + minutes{60};
        lives_for(hours{720})(claim);
    });
    EXPECT_THAT(w.outgoing(), ElementsAre("near"));
}

TEST(Outgoing, a_claim_of_an_old_template_is_known_before_its_condition_says_so) {
    World w;
    const auto stamp = [](api::ObjectMeta& meta, const std::string& hash) {
        meta.annotations[std::string(api::kNodePoolHashAnnotation)] = hash;
        meta.annotations[std::string(api::kNodePoolHashVersionAnnotation)] = api::kNodePoolHashVersion;
    };
    stamp(w.pool.meta, "new");
    w.add("old", [&](api::NodeClaim& claim) { stamp(claim.meta, "old"); });
    w.add("new", [&](api::NodeClaim& claim) { stamp(claim.meta, "new"); });
    EXPECT_THAT(w.outgoing(), ElementsAre("old"));
}

TEST(Outgoing, where_the_pool_lets_none_go_they_stay) {
    World w;
    w.add("drifted", drift).add("expired", lives_for(hours{1}));
    w.pool.budgets = {{"0", true, {"Drifted"}, {}, {}}};
    EXPECT_THAT(w.outgoing(), ElementsAre("expired"));
    w.pool.meta.annotations["joiner.sh/disruption-paused"] = "true";
    EXPECT_THAT(w.outgoing(), IsEmpty());
}

TEST(Outgoing, their_rooms_are_closed_and_the_others_are_not) {
    World w;
    w.add("drifted", drift).add("stays");
    (void)w.outgoing();
    model::Snapshot snapshot;
    for (const char* name : {"drifted", "stays"}) {
        model::RoomView room;
        room.name = name;
        room.free.cpu_milli = 1000;
        snapshot.rooms.push_back(std::move(room));
    }
    close_rooms(snapshot, w.cluster, {"drifted"});
    EXPECT_EQ(snapshot.rooms[0].free.cpu_milli, 0);
    EXPECT_EQ(snapshot.rooms[1].free.cpu_milli, 1000);
}

}  // namespace
}  // namespace joiner::plan
