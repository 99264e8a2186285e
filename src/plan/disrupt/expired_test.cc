#include "plan/disrupt/expired.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/disrupt/testing/world.h"

namespace joiner::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::IsEmpty;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

// Nodes of the pool "default" that may live for an hour, each named as its claim.
struct World : samples::DisruptionWorld {
    World& add(const std::string& name, Duration age, bool objects = false) {
        samples::UpNode up = samples::up_node(name, name, kNow - age);
        up.claim.meta.created = kNow - age;
        up.claim.expire_after = {hours{1}, "1h"};
        if (objects) up.node.meta.annotations[std::string(api::kDoNotDisruptAnnotation)] = "true";
        put(up);
        return *this;
    }
    // "!" where nothing is to come up first.
    std::vector<std::string> expired() {
        put_pool();
        std::vector<std::string> out;
        for (const Expired& one : find_expired(facts(), kNow))
            out.push_back(one.candidate.claim + (one.goes_at_once ? "!" : ""));
        return out;
    }
};

TEST(Expired, s4_4_the_oldest_come_first_whatever_objects) {
    World w;
    w.add("a", minutes{61}).add("b", minutes{65}, true).add("c", minutes{60}).add("young", minutes{59});
    EXPECT_THAT(w.expired(), ElementsAre("b", "a", "c"));
}

TEST(Expired, s4_4_waits_for_a_replacement_for_ten_minutes_and_not_in_a_static_pool) {
    World w;
    w.add("a", minutes{70}).add("b", minutes{69});
    EXPECT_THAT(w.expired(), ElementsAre("a!", "b"));
    w.pool.replicas = 2;
    EXPECT_THAT(w.expired(), ElementsAre("a!", "b!"));
}

TEST(Expired, s4_4_a_claim_that_a_command_removes_is_not_looked_at_twice) {
    World w;
    w.add("a", minutes{61}).in_commands.insert("a");
    EXPECT_THAT(w.expired(), IsEmpty());
}

}  // namespace
}  // namespace joiner::plan
