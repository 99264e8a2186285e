#include "cloud/ec2/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/ec2_bench.h"

namespace joiner::cloud::ec2 {
namespace {

using Kind = DriftAnswer::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

// A claim that is as its class would make it.
struct World {
    World() {
        for (api::ObjectMeta* meta : {&claim.meta, &node_class.meta}) {
            meta->annotations[std::string(kHashAnnotation)] = "1";
            meta->annotations[std::string(kHashVersionAnnotation)] = "v6";
        }
        claim.image_id = "ami-1";
        status.subnets = {{"subnet-a", "us-east-1a", ""}, {"subnet-b", "us-east-1b", ""}};
        status.security_groups = {{"sg-2", "b"}, {"sg-1", "a"}};
        instance.subnet = "subnet-b";
        instance.security_groups = {"sg-1", "sg-2"};
    }
    DriftAnswer answer() const { return drift_of({claim, node_class, &status, "ami-1", &instance, group}); }
    std::string reason() const {
        const DriftAnswer out = answer();
        EXPECT_NE(out.kind, Kind::kNotKnown);
        return out.reason;
    }

    api::NodeClaim claim;
    api::NodeClass node_class;
    ClassStatus status;
    InstanceFacts instance;
    std::optional<std::string_view> group = "";
};

TEST(Ec2Drift, an_instance_that_is_as_its_class_would_make_it_has_not_drifted) {
    EXPECT_EQ(World().answer().kind, Kind::kNone);
}

TEST(Ec2Drift, security_groups_are_compared_as_a_set) {
    const std::vector<std::vector<std::string>> others = {
        {"sg-1"}, {"sg-1", "sg-2", "sg-3"}, {"sg-1", "sg-3"}};
    for (const std::vector<std::string>& has : others) {
        World world;
        world.instance.security_groups = has;
        EXPECT_EQ(world.reason(), "SecurityGroupDrift");
    }
}

TEST(Ec2Drift, a_subnet_that_the_class_no_longer_finds_is_drift) {
    World world;
    world.status.subnets.pop_back();
    EXPECT_EQ(world.reason(), "SubnetDrift");
}

TEST(Ec2Drift, a_reserved_instance_whose_reservation_the_class_no_longer_finds_has_drifted) {
    World world;
    world.claim.meta.labels[std::string(api::kCapacityTypeLabel)] = api::kReserved;
    world.instance.reservation = "cr-1";
    EXPECT_EQ(world.reason(), "CapacityReservationDrift");
    world.status.reservations.resize(1);
    world.status.reservations.front().id = "cr-1";
    EXPECT_EQ(world.answer().kind, Kind::kNone);
    world.status.reservations.clear();
    world.instance.reservation.clear();
    EXPECT_EQ(world.answer().kind, Kind::kNone) << "EC2 has taken it out: it is on demand now";
}

TEST(Ec2Drift, an_instance_outside_of_the_placement_group_of_its_class_has_drifted) {
    World world;
    world.group = "pg-1";
    EXPECT_EQ(world.reason(), "PlacementGroupDrift");
    world.claim.meta.labels[std::string(kPlacementGroupLabel)] = "pg-1";
    EXPECT_EQ(world.answer().kind, Kind::kNone);
    world.group = "";
    EXPECT_EQ(world.reason(), "PlacementGroupDrift");
    world.group = std::nullopt;
    EXPECT_EQ(world.answer().kind, Kind::kNotKnown);
}

TEST(Ec2Drift, the_first_reason_is_named) {
    World world;
    world.instance.subnet = "subnet-z";
    EXPECT_EQ(world.reason(), "SubnetDrift");
    world.instance.security_groups = {"sg-9"};
    EXPECT_EQ(world.reason(), "SecurityGroupDrift");
    world.claim.image_id = "ami-0";
    EXPECT_EQ(world.reason(), "AMIDrift");
    world.claim.meta.annotations[std::string(kHashAnnotation)] = "2";
    EXPECT_EQ(world.reason(), "NodeClassDrift");
}

TEST(Ec2Drift, what_is_not_known_is_no_drift_and_hides_none) {
    World world;
    world.claim.image_id.clear();
    EXPECT_EQ(world.answer().kind, Kind::kNotKnown);
    world.instance.subnet = "subnet-z";
    EXPECT_EQ(world.reason(), "SubnetDrift");

    World silent;
    silent.instance.security_groups.clear();
    EXPECT_EQ(silent.answer().kind, Kind::kNotKnown);
    const World young;
    EXPECT_EQ(drift_of({young.claim, young.node_class, &young.status, "ami-1", nullptr, ""}).kind,
              Kind::kNotKnown);
    EXPECT_EQ(drift_of({young.claim, young.node_class, nullptr, "", &young.instance, ""}).kind,
              Kind::kNotKnown);
}

class KnownInstancesTest : public ::testing::Test {
  protected:
    testing::FakeInstance& run() {
        return fake_.run(
            {"", "m5.large", "us-east-1a", "subnet-a", "ami-1", "on-demand", {}, kNoTime, WallTime::max()});
    }

    io::testing::ManualLoop loop_;
    testing::FakeEc2 fake_{loop_};
    aws::Client client_{
        loop_,
        fake_,
        Rng(1),
        *aws::Endpoints::read({}, "us-east-1"),
        [this](const aws::CredentialsDone& done) {
            loop_.post([done] { done(aws::Credentials{"AKID", "secret", "", std::nullopt}); });
        },
        "test"};
    Ec2 ec2_{client_};
    Reports nobody_;
    Instances instances_{loop_, ec2_, nobody_, "test"};
    KnownInstances known_{loop_, instances_};
};

TEST_F(KnownInstancesTest, what_is_asked_for_is_there_the_next_time_and_not_asked_for_again_for_a_while) {
    const std::string id = run().id;
    EXPECT_EQ(known_.find(id), nullptr);
    loop_.advance(seconds{1});
    ASSERT_NE(known_.find(id), nullptr);
    EXPECT_EQ(known_.find(id)->subnet, "subnet-a");
    for (int i = 0; i < 20; ++i) {
        loop_.advance(seconds{10});
        EXPECT_NE(known_.find(id), nullptr);
    }
    EXPECT_EQ(fake_.calls["DescribeInstances"], 1);
    loop_.advance(minutes{5});
    EXPECT_NE(known_.find(id), nullptr) << "what was known stands while it is asked for";
    loop_.advance(seconds{1});
    EXPECT_EQ(fake_.calls["DescribeInstances"], 2);
}

TEST_F(KnownInstancesTest, many_are_asked_for_at_once) {
    std::vector<std::string> ids;
    for (int i = 0; i < 150; ++i) ids.push_back(run().id);
    fake_.page_size = 1000;
    for (const std::string& id : ids) EXPECT_EQ(known_.find(id), nullptr);
    loop_.advance(seconds{1});
    for (const std::string& id : ids) EXPECT_NE(known_.find(id), nullptr);
    EXPECT_EQ(fake_.calls["DescribeInstances"], 1);
}

TEST_F(KnownInstancesTest, an_instance_that_is_gone_is_not_known_any_more) {
    testing::FakeInstance& instance = run();
    known_.find(instance.id);
    loop_.advance(seconds{1});
    const std::string id = instance.id;
    fake_.instances.clear();
    loop_.advance(minutes{6});
    known_.find(id);
    loop_.advance(seconds{1});
    EXPECT_EQ(known_.find(id), nullptr);
}

TEST_F(KnownInstancesTest, what_is_too_old_for_a_question_is_asked_for_anew) {
    const std::string id = run().id;
    known_.find(id);
    loop_.advance(minutes{1});
    EXPECT_FALSE(known_.is_as_fresh_as(id, seconds{30}));
    EXPECT_NE(known_.find(id), nullptr);
    loop_.advance(seconds{10});
    EXPECT_TRUE(known_.is_as_fresh_as(id, seconds{30}));
    EXPECT_EQ(fake_.calls["DescribeInstances"], 2);
}

TEST_F(KnownInstancesTest, what_others_have_heard_is_not_asked_for) {
    InstanceInfo info;
    info.id = "i-1";
    info.subnet = "subnet-b";
    info.security_groups = {"sg-2", "sg-1"};
    known_.note({info});
    ASSERT_NE(known_.find("i-1"), nullptr);
    EXPECT_THAT(known_.find("i-1")->security_groups, ::testing::ElementsAre("sg-1", "sg-2"));
    loop_.advance(seconds{1});
    EXPECT_EQ(fake_.calls["DescribeInstances"], 0);
}

}  // namespace
}  // namespace joiner::cloud::ec2
