#include "plan/lifecycle/lost_reservation.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

api::StringMap of(std::string_view capacity_type) {
    return {{std::string(api::kCapacityTypeLabel), std::string(capacity_type)}, {"id", "r-1"}, {"a", "b"}};
}

TEST(LostReservation, makes_what_was_reserved_on_demand_and_takes_its_labels_off) {
    const LabelChanges want = {{std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)},
                               {"id", std::nullopt}};
    EXPECT_EQ(lost_reservation(of(api::kReserved), of(api::kOnDemand), {"id", "kind"}), want);
}

TEST(LostReservation, changes_nothing_where_nothing_was_lost) {
    struct Case {
        const char* name;
        std::string_view labels;
        api::StringMap instance;
    };
    for (const Case& each : {Case{"still reserved", api::kReserved, of(api::kReserved)},
                             Case{"on demand already", api::kOnDemand, of(api::kOnDemand)},
                             Case{"never made reserved", api::kOnDemand, of(api::kReserved)},
                             Case{"a spot machine was never reserved", api::kReserved, of(api::kSpot)},
                             Case{"the cloud does not say", api::kReserved, {}}})
        EXPECT_TRUE(lost_reservation(of(each.labels), each.instance, {"id"}).empty()) << each.name;
}

}  // namespace
}  // namespace joiner::plan
