#include "model/reservations.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/names.h"

namespace joiner::model {
namespace {

using testing::ElementsAre;

rules::Offering an_offering(const std::string& zone, std::string_view capacity_type, int reserved = 0) {
    rules::Offering out;
    out.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {zone}));
    out.requirements.add(
        rules::Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(capacity_type)}));
    out.reservation_capacity = reserved;
    return out;
}

// One type of two cores: on demand in zone a, three reserved in a and one in b.
PoolView a_pool(std::vector<std::pair<std::string, std::int64_t>> limits) {
    rules::InstanceType type;
    type.name = "small";
    type.capacity.cpu_milli = 2000;
    type.offerings = {an_offering("a", api::kOnDemand), an_offering("a", api::kReserved, 3),
                      an_offering("b", api::kReserved, 1)};
    PoolView out;
    out.name = "default";
    out.remaining = std::move(limits);
    out.types = std::make_shared<const std::vector<rules::InstanceType>>(std::vector{type});
    return out;
}

// "a cpu=4000 nodes=2": a part's zone and limits; "rest ..." for what is not reserved.
std::vector<std::string> parts_of(const PoolView& pool, const ReservationsUsed& used = {}) {
    std::vector<std::string> out;
    for (const PoolView& part : split_by_reservation(pool, used)) {
        std::string line(part.is_reservation ? part.types->front().offerings.front().zone() : "rest");
        for (const auto& [name, left] : part.remaining) line += fmt::format(" {}={}", name, left);
        out.push_back(std::move(line));
    }
    return out;
}

TEST(Reservations, each_is_a_part_with_as_many_nodes_as_are_left) {
    EXPECT_THAT(parts_of(a_pool({})), ElementsAre("rest", "a nodes=3", "b nodes=1"));
    EXPECT_THAT(parts_of(a_pool({}), {{{"small", "a"}, 1}, {{"small", "b"}, 1}, {{"large", "a"}, 9}}),
                ElementsAre("rest", "a nodes=2"));
}

TEST(Reservations, share_the_limits_of_their_pool_and_never_pass_them) {
    EXPECT_THAT(parts_of(a_pool({{"cpu", 20'000}})),
                ElementsAre("rest cpu=12000", "a cpu=6000 nodes=3", "b cpu=2000 nodes=1"));
    EXPECT_THAT(parts_of(a_pool({{"cpu", 5'000}, {"nodes", 9}})),
                ElementsAre("rest cpu=1000 nodes=7", "a cpu=4000 nodes=2"));
    EXPECT_THAT(parts_of(a_pool({{"nodes", 3}})), ElementsAre("rest nodes=0", "a nodes=3"));
    EXPECT_THAT(parts_of(a_pool({{"cpu", -1}})), ElementsAre("rest cpu=-1"));
}

TEST(Reservations, a_pool_that_is_not_for_them_has_no_part) {
    PoolView pool = a_pool({});
    pool.requirements.add(rules::Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
    EXPECT_THAT(parts_of(pool), ElementsAre("rest"));
}

TEST(Reservations, a_claim_uses_one_from_the_moment_it_is_settled_on_it) {
    const auto claim = [](api::StringMap labels, std::vector<api::SelectorRequirement> requirements) {
        api::NodeClaim out;
        out.meta.labels = std::move(labels);
        out.requirements = std::move(requirements);
        return out;
    };
    const std::string type(api::kInstanceTypeLabel);
    const std::string zone(api::kZoneLabel);
    const std::string capacity(api::kCapacityTypeLabel);
    ReservationsUsed used;
    note_reserved(claim({{type, "small"}, {zone, "a"}, {capacity, "reserved"}}, {}), used);
    note_reserved(
        claim({}, {{type, "In", {"small"}, {}}, {zone, "In", {"a"}, {}}, {capacity, "In", {"reserved"}, {}}}),
        used);
    note_reserved(claim({{type, "small"}, {zone, "a"}, {capacity, "spot"}}, {}), used);
    note_reserved(claim({}, {{capacity, "In", {"reserved", "spot"}, {}}}), used);
    EXPECT_EQ(used, (ReservationsUsed{{{"small", "a"}, 2}}));
}

}  // namespace
}  // namespace joiner::model
