#include "rules/capacity_ratio.h"

#include <gmock/gmock.h>

#include "api/names.h"

namespace joiner::rules {
namespace {

using testing::HasSubstr;

TEST(CapacityRatio, says_what_is_wanted_missing_and_left) {
    const struct {
        const char* name;
        CapacityRatio ratio;
        std::int64_t on_demand;
        std::int64_t spot;
        std::int64_t missing;
        std::int64_t spot_left;
    } cases[] = {
        {"nothing there", {16, 20}, 0, 0, 0, 0},
        {"below the base all is on demand", {16, 20}, 8, 0, 0, 0},
        {"below the base spot is too much", {16, 20}, 8, 4, 4, 0},
        {"at the base nothing is left for spot", {16, 20}, 16, 0, 0, 0},
        {"four times what is above the base", {16, 20}, 18, 0, 0, 8},
        {"held to the core", {16, 20}, 18, 8, 0, 0},
        {"one more is too much", {16, 20}, 18, 9, 1, 0},
        {"a part of a thousandth rounds up", {0, 33}, 33, 68, 1, 0},
        {"more on demand than was asked for", {16, 20}, 100, 0, 0, 336},
        {"a base alone", {16, 0}, 16, 500, 0, 999'999'999'500},
        {"a base that is not there yet", {16, 0}, 15, 1, 1, 0},
        {"all on demand", {0, 100}, 10, 1, 1, 0},
    };
    for (const auto& c : cases) {
        const CapacityMix mix{c.ratio, c.on_demand, c.spot};
        EXPECT_EQ(mix.missing(), c.missing) << c.name;
        EXPECT_EQ(mix.spot_left(), c.spot_left) << c.name;
        // As much as is left may come, and not one more.
        CapacityMix full = mix;
        full.spot += mix.spot_left();
        EXPECT_EQ(full.missing(), c.missing) << c.name;
        if (c.missing > 0 || c.ratio.percent == 0) continue;
        if (full.on_demand < full.ratio.base && full.spot > 0) continue;
        ++full.spot;
        EXPECT_GT(full.missing(), 0) << c.name;
    }
}

TEST(CapacityRatio, of_a_whole_that_is_known_the_rest_is_spot) {
    const CapacityMix mix{{16'000, 20}, 0, 10'000};
    EXPECT_EQ(mix.wanted(8'000), 8'000);
    EXPECT_EQ(mix.wanted(116'000), 36'000);
    EXPECT_EQ(mix.spot_left(116'000), 70'000);
    EXPECT_EQ(mix.spot_left(16'000), 0);
}

api::NodePool a_pool(api::StringMap annotations, std::vector<std::string> capacity_types = {}) {
    api::NodePool out;
    out.meta.annotations = std::move(annotations);
    if (!capacity_types.empty())
        out.node_template.requirements.push_back(
            {std::string(api::kCapacityTypeLabel), "In", std::move(capacity_types), {}});
    return out;
}

TEST(CapacityRatio, is_read_from_the_annotations_or_refused_with_a_sentence) {
    const std::string base(api::kOnDemandBaseAnnotation);
    const std::string percent(api::kOnDemandPercentAnnotation);
    const struct {
        const char* name;
        api::NodePool pool;
        std::optional<CapacityRatio> ratio;
        const char* reason;
        const char* problem;
    } cases[] = {
        {"none asked for", a_pool({}), {}, "", ""},
        {"both", a_pool({{base, "16"}, {percent, "20"}}), CapacityRatio{16'000, 20}, "", ""},
        {"a base alone", a_pool({{base, "500m"}}), CapacityRatio{500, 0}, "", ""},
        {"a part alone", a_pool({{percent, "100"}}, {"spot", "on-demand"}), CapacityRatio{0, 100}, "", ""},
        {"reserved is on demand", a_pool({{percent, "5"}}, {"spot", "reserved"}), CapacityRatio{0, 5}, "",
         ""},
        {"no number", a_pool({{base, "many"}}), {}, "InvalidAnnotation", "\"many\" is not a number of cores"},
        {"less than nothing", a_pool({{base, "-1"}}), {}, "InvalidAnnotation", "\"-1\" is not"},
        {"beyond all bounds", a_pool({{base, "9e18"}}), {}, "InvalidAnnotation", "\"9e18\" is not"},
        {"over 100", a_pool({{percent, "101"}}), {}, "InvalidAnnotation", "from 0 to 100"},
        {"a part with its sign", a_pool({{percent, "20%"}}), {}, "InvalidAnnotation", "\"20%\" is not"},
        {"an empty text", a_pool({{percent, ""}}), {}, "InvalidAnnotation", "\"\" is not"},
        {"spot only",
         a_pool({{percent, "20"}}, {"spot"}),
         {},
         "OneCapacityType",
         "allows spot capacity only"},
        {"on demand only",
         a_pool({{base, "4"}}, {"on-demand"}),
         {},
         "OneCapacityType",
         "allows on-demand capacity only"},
    };
    for (const auto& c : cases) {
        const RatioWish wish = ratio_wish(c.pool);
        EXPECT_EQ(wish.ratio, c.ratio) << c.name;
        EXPECT_EQ(wish.reason, c.reason) << c.name;
        EXPECT_THAT(wish.problem, HasSubstr(c.problem)) << c.name;
    }
    api::NodePool fixed = a_pool({{base, "16"}});
    fixed.replicas = 3;
    EXPECT_EQ(ratio_wish(fixed).reason, "StaticPool");
}

}  // namespace
}  // namespace joiner::rules
