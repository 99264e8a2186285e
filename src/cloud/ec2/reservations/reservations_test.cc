#include "cloud/ec2/reservations/reservations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cloud/ec2/reservations/reservation_rules.h"
#include "cloud/ec2/testing/ec2_bench.h"
#include "cloud/ec2/types/class_types.h"

namespace joiner::cloud::ec2 {
namespace {

using cloud::testing::create;
using cloud::testing::remove;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Ec2Bench;
using ::testing::ElementsAre;
using testing::FakeReservation;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr WallTime kNow{hours{24} * 20000};

TEST(ReservationRules, each_term_is_one_question) {
    const auto questions = reservation_questions(
        {{.id = "cr-1", .owner = "", .match_criteria = "", .tags = {}},
         {.id = "", .owner = "111122223333", .match_criteria = "open", .tags = {{"team", "*"}, {"a", "b"}}}});
    ASSERT_THAT(questions, SizeIs(2));
    EXPECT_THAT(questions[0].ids, ElementsAre("cr-1"));
    EXPECT_THAT(questions[0].filters, IsEmpty());
    std::vector<std::string> names;
    for (const Filter& each : questions[1].filters) names.push_back(each.name);
    EXPECT_THAT(names, ElementsAre("tag:a", "tag-key", "owner-id", "instance-match-criteria", "state"));
}

CapacityReservation reservation(std::string id) {
    CapacityReservation out;
    out.id = std::move(id);
    out.owner = "111122223333";
    out.type = "m5.large";
    out.zone = "us-east-1a";
    out.match_criteria = "targeted";
    out.kind = "default";
    out.state = "active";
    out.available = 3;
    out.total = 3;
    return out;
}

TEST(ReservationRules, what_can_be_launched_into) {
    CapacityReservation one = reservation("cr-1");
    ASSERT_TRUE(usable_reservation(one, kNow));
    EXPECT_FALSE(usable_reservation(one, kNow)->is_expiring);
    one.ends = kNow;
    EXPECT_FALSE(usable_reservation(one, kNow)) << "it has ended";
    one.ends = kNow + minutes{20};
    EXPECT_FALSE(usable_reservation(one, kNow)->is_expiring) << "only capacity blocks end what runs in them";
    for (const auto& [field, value] : std::vector<std::pair<std::string CapacityReservation::*, std::string>>{
             {&CapacityReservation::state, "pending"},
             {&CapacityReservation::match_criteria, "some-day"},
             {&CapacityReservation::kind, "of-another-kind"}}) {
        CapacityReservation other = reservation("cr-2");
        other.*field = value;
        EXPECT_FALSE(usable_reservation(other, kNow)) << value;
    }
}

TEST(ReservationRules, a_capacity_block_expires_forty_minutes_before_it_ends) {
    CapacityReservation block = reservation("cr-1");
    block.kind = "capacity-block";
    block.ends = kNow + minutes{40} + seconds{1};
    EXPECT_FALSE(usable_reservation(block, kNow)->is_expiring);
    EXPECT_TRUE(usable_reservation(block, kNow + seconds{1})->is_expiring);
}

TEST(ReservationRules, prices_are_tiny_and_keep_their_order) {
    const rules::Money large = reserved_price(rules::Money::from_dollars(0.096));
    const rules::Money xlarge = reserved_price(rules::Money::from_dollars(0.192));
    EXPECT_LT(large, xlarge);
    EXPECT_GT(large.nanos, 0);
    EXPECT_LT(xlarge, rules::Money::from_dollars(0.0001));
    EXPECT_GT(reserved_price(rules::Money::from_dollars(0.0042)).nanos, 0);
}

InstanceInfo instance_in(const std::string& id, const std::string& reservation) {
    InstanceInfo out;
    out.id = id;
    out.state = "running";
    out.type = "m5.large";
    out.zone = "us-east-1a";
    out.reservation_id = reservation;
    out.reservation_preference = "capacity-reservations-only";
    return out;
}

TEST(ReservationBook, launches_take_room_and_ends_give_it_back) {
    ReservationBook book;
    book.note({reservation("cr-1")}, {}, minutes{10}, minutes{10});
    EXPECT_EQ(book.free("cr-1"), 3);
    EXPECT_EQ(book.capacity("cr-1"), 3);
    const int version = book.version();
    book.launched(instance_in("i-1", "cr-1"), minutes{11});
    EXPECT_EQ(book.free("cr-1"), 2);
    EXPECT_EQ(book.capacity("cr-1"), 3) << "the planner charges the claim";
    EXPECT_EQ(book.version(), version);
    book.ended("i-1");
    book.ended("i-1");
    EXPECT_EQ(book.free("cr-1"), 3);
    book.is_full("cr-1");
    EXPECT_EQ(book.free("cr-1"), 0);
    EXPECT_NE(book.version(), version);
    EXPECT_EQ(book.free("cr-9"), 0);
}

TEST(ReservationBook, what_ec2_said_before_a_launch_does_not_know_it) {
    ReservationBook book;
    book.note({reservation("cr-1")}, {}, minutes{10}, minutes{10});
    book.launched(instance_in("i-1", "cr-1"), minutes{11});
    book.note({reservation("cr-1")}, {}, minutes{11} - seconds{1}, minutes{11} + seconds{1});
    EXPECT_EQ(book.free("cr-1"), 2);
    CapacityReservation later = reservation("cr-1");
    later.available = 2;
    book.note({later}, {instance_in("i-1", "cr-1")}, minutes{12}, minutes{12});
    EXPECT_EQ(book.free("cr-1"), 2);
    EXPECT_EQ(book.capacity("cr-1"), 3);
}

// The planner charges both reservations with each machine of their type and zone.
TEST(ReservationBook, two_reservations_of_a_type_in_a_zone_are_left_what_is_free) {
    ReservationBook book;
    CapacityReservation full = reservation("cr-1");
    full.available = 0;
    book.note({full, reservation("cr-2")}, {instance_in("i-1", "cr-1"), instance_in("i-2", "cr-1")},
              minutes{10}, minutes{10});
    EXPECT_EQ(book.capacity("cr-1") - 2, 0);
    EXPECT_EQ(book.capacity("cr-2") - 2, 3);
}

TEST(ReservationBook, an_instance_that_an_open_reservation_took_by_itself_is_on_demand) {
    InstanceInfo info = instance_in("i-1", "cr-1");
    EXPECT_TRUE(is_reserved(info));
    info.reservation_preference = "open";
    EXPECT_FALSE(is_reserved(info));
    info = instance_in("i-1", "cr-1");
    info.spot_request = "sir-1";
    EXPECT_FALSE(is_reserved(info));
}

// A bench whose class has reservations, as EC2 says them.
struct ReservedBench : Ec2Bench {
    explicit ReservedBench(std::vector<FakeReservation> reservations, bool by_id = false) {
        loop().advance(hours{1});
        ec2().reservations = std::move(reservations);
        nlohmann::json spec = nlohmann::json::parse(node_class.spec);
        if (by_id) {
            for (const FakeReservation& each : ec2().reservations)
                spec["capacityReservationSelectorTerms"].push_back({{"id", each.id}});
        } else {
            spec["capacityReservationSelectorTerms"] = {{{"instanceMatchCriteria", "targeted"}}};
        }
        node_class.spec = spec.dump();
        look();
    }
    // The class's status says what EC2 says now, and the types offer it.
    void look() {
        wanted = reconcile();
        if (!wanted) return;
        nlohmann::json status = nlohmann::json::parse(node_class.status);
        status.merge_patch(
            {{"capacityReservations", nlohmann::json::parse(wanted->status)["capacityReservations"]}});
        node_class.status = status.dump();
        std::vector<rules::InstanceType> made = testing::bench_types();
        for (const StatusReservation& each : read_status(node_class).reservations) {
            for (rules::InstanceType& type : made) {
                if (type.name != each.type) continue;
                rules::Offering offering;
                offering.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {each.zone}));
                offering.requirements.add(rules::Requirement::in(std::string(api::kCapacityTypeLabel),
                                                                 {std::string(api::kReserved)}));
                add_reservation_labels({each}, offering.requirements);
                offering.price = {10};
                offering.reservation_id = each.id;
                type.offerings.push_back(offering);
            }
        }
        types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(made));
    }
    std::string condition(std::string_view type) const {
        for (const WantedCondition& each : wanted->conditions) {
            if (each.type == type) return each.status;
        }
        return {};
    }
    std::optional<LaunchAnswer> launch(const std::string& name) {
        return create(*this, request(name, "uid-" + name));
    }

    std::optional<WantedClassState> wanted;
};

TEST(Reservations, the_status_says_what_the_terms_find) {
    ReservedBench bench({{.id = "cr-2", .type = "m5.large", .zone = "us-east-1a"},
                         {.id = "cr-1", .type = "m5.large", .zone = "us-east-1b"},
                         {.id = "cr-3", .type = "m5.large", .zone = "us-east-1b", .match_criteria = "open"}});
    ASSERT_TRUE(bench.wanted);
    EXPECT_EQ(bench.condition("CapacityReservationsReady"), "True");
    const nlohmann::json said = nlohmann::json::parse(bench.wanted->status)["capacityReservations"];
    ASSERT_THAT(said, SizeIs(2));
    EXPECT_EQ(said[0], nlohmann::json::parse(R"({"id": "cr-1", "availabilityZone": "us-east-1b",
        "instanceType": "m5.large", "ownerID": "111122223333", "instanceMatchCriteria": "targeted",
        "reservationType": "default", "state": "active"})"));
    EXPECT_EQ(said[1]["id"], "cr-2");
}

TEST(Reservations, an_id_that_is_not_there_spoils_no_other) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1a"},
                         {.id = "cr-2", .type = "m5.large", .zone = "us-east-1b"}},
                        true);
    EXPECT_THAT(read_status(bench.node_class).reservations, SizeIs(2));
    bench.ec2().reservations.pop_back();
    bench.look();
    EXPECT_EQ(bench.condition("CapacityReservationsReady"), "True");
    EXPECT_THAT(read_status(bench.node_class).reservations, SizeIs(1));
    bench.ec2().reservations.clear();
    bench.look();
    EXPECT_EQ(bench.condition("CapacityReservationsReady"), "True") << "a class launches without them, too";
    EXPECT_THAT(read_status(bench.node_class).reservations, IsEmpty());
}

TEST(Reservations, an_answer_that_does_not_come_leaves_the_status_as_it_was) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1a"}});
    bench.ec2().faults.refuse = "DescribeCapacityReservations";
    bench.node_class.conditions.push_back({"CapacityReservationsReady", "True", "x", "", kNoTime, 1});
    bench.look();
    EXPECT_EQ(bench.condition("CapacityReservationsReady"), "True");
    EXPECT_THAT(read_status(bench.node_class).reservations, SizeIs(1));
}

TEST(Reservations, a_launch_goes_into_the_reservation_and_its_node_says_so) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1b"}});
    const auto answer = bench.launch("a");
    ASSERT_TRUE(answer && answer->instance) << answer->instance.error().message;
    EXPECT_EQ(answer->taken,
              (rules::OfferingKey{"m5.large", "us-east-1b", std::string(api::kReserved), "cr-1"}));
    const api::StringMap& labels = answer->instance->labels;
    EXPECT_EQ(api::find_or_empty(labels, api::kCapacityTypeLabel), "reserved");
    EXPECT_EQ(api::find_or_empty(labels, kReservationLabel), "cr-1");
    EXPECT_EQ(api::find_or_empty(labels, kReservationTypeLabel), "default");
    EXPECT_EQ(api::find_or_empty(labels, kReservationInterruptibleLabel), "false");
    EXPECT_EQ(bench.ec2().instances.back().reservation, "cr-1");
}

TEST(Reservations, each_kind_is_bought_as_ec2_wants_it) {
    ReservedBench block({{.id = "cr-1",
                          .type = "m5.large",
                          .zone = "us-east-1b",
                          .kind = "capacity-block",
                          .ends = WallTime{hours{24 * 365 * 80}}}});
    ASSERT_TRUE(block.launch("a")->instance);
    EXPECT_EQ(block.ec2().instances.back().reservation, "cr-1");
    ReservedBench interruptible(
        {{.id = "cr-1", .type = "m5.large", .zone = "us-east-1b", .is_interruptible = true}});
    const auto answer = interruptible.launch("a");
    ASSERT_TRUE(answer->instance);
    EXPECT_EQ(interruptible.ec2().instances.back().reservation, "cr-1");
    EXPECT_EQ(api::find_or_empty(answer->instance->labels, kReservationInterruptibleLabel), "true");
}

TEST(Reservations, what_is_not_reserved_keeps_out_of_open_reservations) {
    ReservedBench bench({});
    ASSERT_TRUE(bench.launch("a")->instance);
    const testing::Fields& fields = bench.ec2().templates.begin()->second;
    EXPECT_EQ(fields.at("LaunchTemplateData.CapacityReservationSpecification.CapacityReservationPreference"),
              "none");
}

TEST(Reservations, once_they_are_full_the_next_offering_is_taken_without_asking_them) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1b", .total = 2}});
    for (const char* name : {"a", "b"}) {
        ASSERT_TRUE(bench.launch(name)->instance);
        EXPECT_EQ(bench.ec2().instances.back().reservation, "cr-1");
    }
    const auto third = bench.launch("c");
    ASSERT_TRUE(third->instance);
    EXPECT_EQ(third->taken.capacity_type, "spot");
    EXPECT_THAT(third->exhausted, IsEmpty());
    EXPECT_EQ(bench.ec2().calls["CreateFleet"], 3);
    const std::string first = bench.running().front();
    ASSERT_TRUE(remove(bench, first));
    bench.loop().advance(minutes{1});
    const auto gone = remove(bench, first);
    ASSERT_TRUE(gone && !*gone);
    ASSERT_TRUE(bench.launch("d")->instance);
    EXPECT_EQ(bench.ec2().instances.back().reservation, "cr-1") << "its room came back";
}

TEST(Reservations, one_that_somebody_else_has_filled_gives_way_to_the_next_offering) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1b"}});
    bench.ec2().run({"",
                     "m5.large",
                     "us-east-1b",
                     "subnet-b",
                     "ami-1",
                     "on-demand",
                     {},
                     kNoTime,
                     WallTime::max(),
                     {},
                     "cr-1"});
    const auto answer = bench.launch("a");
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_EQ(answer->taken.capacity_type, "spot");
    ASSERT_THAT(answer->exhausted, SizeIs(1));
    EXPECT_EQ(answer->exhausted.front().reservation, "cr-1");
    ASSERT_TRUE(bench.launch("b")->instance);
    EXPECT_EQ(bench.ec2().calls["CreateFleet"], 3) << "it is known to be full";
}

TEST(Reservations, of_two_in_one_place_the_one_with_more_room_is_taken) {
    ReservedBench bench({{.id = "cr-1", .type = "m5.large", .zone = "us-east-1b", .total = 1},
                         {.id = "cr-2", .type = "m5.large", .zone = "us-east-1b", .total = 5}});
    ASSERT_TRUE(bench.launch("a")->instance);
    EXPECT_EQ(bench.ec2().instances.back().reservation, "cr-2");
}

TEST(Reservations, nodes_of_a_block_that_is_about_to_end_are_told_of_and_nothing_new_goes_there) {
    ReservedBench bench({{.id = "cr-1",
                          .type = "m5.large",
                          .zone = "us-east-1b",
                          .total = 5,
                          .kind = "capacity-block",
                          .ends = WallTime::max()}});
    bench.ec2().reservations.front().ends = bench.loop().now() + hours{2};
    bench.look();
    const auto node = bench.launch("a");
    ASSERT_TRUE(node->instance);
    EXPECT_THAT(bench.reports.events, IsEmpty());
    bench.loop().advance(minutes{80});
    bench.look();
    ASSERT_THAT(bench.reports.events, SizeIs(1));
    const InstanceEvent& event = bench.reports.events.front();
    EXPECT_EQ(event.kind, InstanceEvent::Kind::kInterruption);
    EXPECT_EQ(event.provider_id, node->instance->provider_id);
    EXPECT_EQ(event.deadline, bench.ec2().reservations.front().ends - minutes{30});
    EXPECT_TRUE(read_status(bench.node_class).reservations.front().is_expiring);
    ASSERT_TRUE(bench.launch("b")->instance);
    EXPECT_EQ(bench.ec2().instances.back().reservation, "");
}

TEST(Reservations, are_offerings_of_their_type_at_next_to_no_price) {
    RegionFacts facts;
    for (const char* name : {"m5.large", "m5.xlarge"}) {
        InstanceTypeInfo info;
        info.name = name;
        info.vcpus = 2;
        info.memory_mib = 8192;
        info.architectures = {"x86_64"};
        info.usage_classes = {"on-demand"};
        facts.types.push_back(info);
        for (const char* zone : {"us-east-1a", "us-east-1b"}) facts.zones.insert({name, zone});
        facts.on_demand[name] = rules::Money::from_dollars(0.1);
    }
    const auto node_class = parse_node_class(testing::ready_class());
    ASSERT_TRUE(node_class);
    ClassStatus status = read_status(testing::ready_class());
    status.reservations = {
        {"cr-1", "us-east-1a", "m5.large", "1", "targeted", "default", false, false, std::nullopt},
        {"cr-2", "us-east-1b", "m5.large", "1", "targeted", "capacity-block", false, true, std::nullopt},
        {"cr-3", "us-east-1f", "m5.large", "1", "targeted", "default", false, false, std::nullopt}};
    const auto types =
        make_class_types(facts, "us-east-1", *node_class, status, {.cluster_name = "test"}, {});
    ASSERT_TRUE(types && types->size() == 2);
    std::map<std::string, const rules::Offering*> reserved;
    for (const rules::Offering& each : types->front().offerings) {
        if (each.capacity_type() == api::kReserved)
            reserved[each.reservation_id] = &each;
        else
            EXPECT_TRUE(each.requirements.find(kReservationLabel)->allows_absence());
    }
    ASSERT_THAT(reserved, SizeIs(2)) << "the third is in a zone without a subnet";
    EXPECT_TRUE(reserved["cr-1"]->available);
    EXPECT_FALSE(reserved["cr-2"]->available) << "it is about to end";
    EXPECT_EQ(reserved["cr-1"]->price.nanos, 10);
    EXPECT_TRUE(types->front().requirements.find(kReservationLabel)->allows("cr-1"));
    EXPECT_TRUE(types->back().requirements.find(kReservationLabel)->allows_absence());
    ReservationBook book;
    book.note({reservation("cr-1")}, {}, minutes{10}, minutes{10});
    std::vector<rules::InstanceType> counted = *types;
    set_reservation_counts(book, counted);
    for (const rules::Offering& each : counted.front().offerings)
        EXPECT_EQ(each.reservation_capacity, each.reservation_id == "cr-1" ? 3 : 0);
}

}  // namespace
}  // namespace joiner::cloud::ec2
