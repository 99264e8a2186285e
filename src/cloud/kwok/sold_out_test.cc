#include "cloud/kwok/sold_out.h"

#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::cloud::kwok {
namespace {

rules::Offering an_offering(std::string zone, std::string_view capacity_type) {
    rules::Offering out;
    out.requirements.add_labels({{std::string(api::kZoneLabel), std::move(zone)},
                                 {std::string(api::kCapacityTypeLabel), std::string(capacity_type)}});
    out.available = true;
    return out;
}

TEST(SoldOut, takes_off_the_shelf_what_it_names) {
    const struct {
        const char* annotation;
        const char* type;
        const char* zone;
        bool is_covered;
    } kCases[] = {
        {"", "small", "a", false},
        {"small", "small", "a", true},
        {"small", "large", "a", false},
        {"small/a", "small", "a", true},
        {"small/a", "small", "b", false},
        {"small/a/spot", "small", "a", true},
        {"small/a/on-demand", "small", "a", false},
        {"*//spot", "large", "b", true},
        {"*/b", "large", "b", true},
        {" large , small/*/spot ", "small", "b", true},
        {",,", "small", "a", false},
    };
    for (const auto& [annotation, name, zone, is_covered] : kCases) {
        rules::InstanceType type;
        type.name = name;
        EXPECT_EQ(SoldOut(annotation).covers(type, an_offering(zone, api::kSpot)), is_covered) << annotation;
    }
}

}  // namespace
}  // namespace joiner::cloud::kwok
