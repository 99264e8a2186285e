#include "rules/overlay.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/names.h"

namespace joiner::rules {
namespace {

using testing::ElementsAre;

InstanceType a_type(const std::string& name, double price) {
    InstanceType type;
    type.name = name;
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {name}));
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a", "b"}));
    type.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
    for (const char* zone : {"a", "b"}) {
        Offering offering;
        offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {zone}));
        offering.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
        offering.price = Money::from_dollars(price);
        type.offerings.push_back(std::move(offering));
    }
    return type;
}

api::NodeOverlay an_overlay(const std::string& name, int weight, const std::string& key,
                            const std::string& value) {
    api::NodeOverlay out;
    out.meta.name = name;
    out.weight = weight;
    out.requirements = {{key, "In", {value}, {}}};
    return out;
}
api::NodeOverlay priced(api::NodeOverlay overlay, const std::string& price) {
    overlay.price = price;
    return overlay;
}
api::NodeOverlay adjusted(api::NodeOverlay overlay, const std::string& by) {
    overlay.price_adjustment = by;
    return overlay;
}
api::NodeOverlay holding(api::NodeOverlay overlay, const std::string& resource, const char* amount) {
    overlay.capacity[resource] = Quantity::parse(amount).value();
    return overlay;
}

struct Outcome {
    std::vector<std::string> types;     // "small a0.1 b0.1", with "!" where a price is an overlay's.
    std::vector<std::string> problems;  // "name (conflict)".
};

// Two pools, each with one type of 0.1 and one of 0.2; pool "gpu" has a label of its own.
Outcome apply(std::vector<api::NodeOverlay> overlays) {
    const auto types = std::make_shared<const std::vector<InstanceType>>(
        std::vector<InstanceType>{a_type("small", 0.1), a_type("large", 0.2)});
    std::vector<OverlaidPool> pools(2);
    for (const char* name : {"default", "gpu"}) {
        OverlaidPool& pool = pools[name == std::string_view("gpu")];
        pool.types = types;
        pool.labels.add(Requirement::in(std::string(api::kNodePoolLabel), {name}));
    }
    pools[1].labels.add(Requirement::in("team", {"ml"}));
    Outcome out;
    for (const OverlayProblem& problem : apply_overlays(std::move(overlays), pools))
        out.problems.push_back(problem.overlay + (problem.is_conflict ? " (conflict)" : " (invalid)"));
    for (const OverlaidPool& pool : pools) {
        for (const InstanceType& type : *pool.types) {
            std::string line = type.name + (type.has_overlaid_price ? "!" : "");
            for (const Offering& offering : type.offerings)
                line += fmt::format(" {}{:g}", offering.zone(), offering.price.dollars());
            for (const auto& [name, amount] : type.capacity.extended)
                line += fmt::format(" {}={}{}", name, amount, type.has_overlaid_capacity ? "!" : "");
            out.types.push_back(std::move(line));
        }
    }
    return out;
}

const std::string kType(api::kInstanceTypeLabel);
const std::string kZone(api::kZoneLabel);

TEST(Overlay, prices_are_replaced_added_to_and_multiplied) {
    struct Case {
        std::string price;
        std::string adjustment;
        double expected;  // Of 0.5; below zero: refused.
    };
    const Case cases[] = {
        {"0.25", "", 0.25}, {"0", "", 0},           {"-1", "", -1},     {"cheap", "", -1},  {"", "+0.1", 0.6},
        {"", "-0.1", 0.4},  {"", "-0.9", 0},        {"", "+10%", 0.55}, {"", "-10%", 0.45}, {"", "-100%", 0},
        {"", "+200%", 1.5}, {"", "+12.5%", 0.5625}, {"", "0.1", -1},    {"", "10%", -1},    {"", "+x", -1},
    };
    for (const Case& c : cases) {
        api::NodeOverlay overlay;
        if (!c.price.empty()) overlay.price = c.price;
        if (!c.adjustment.empty()) overlay.price_adjustment = c.adjustment;
        const auto price = adjusted_price(overlay, Money::from_dollars(0.5));
        ASSERT_EQ(price.has_value(), c.expected >= 0) << c.price << c.adjustment;
        if (!price) continue;
        EXPECT_DOUBLE_EQ(price->dollars(), c.expected) << c.price << c.adjustment;
    }
}

TEST(Overlay, what_is_wrong_by_itself_is_not_applied) {
    api::NodeOverlay both = priced(adjusted(an_overlay("both", 0, kType, "small"), "+1"), "1");
    EXPECT_NE(validate_overlay(both), "");
    for (const char* resource : {"cpu", "memory", "pods", "ephemeral-storage"})
        EXPECT_NE(validate_overlay(holding(an_overlay("o", 0, kType, "small"), resource, "1")), "");
    EXPECT_EQ(validate_overlay(holding(an_overlay("o", 0, kType, "small"), "example.com/fuse", "1")), "");
    EXPECT_THAT(apply({both}).problems, ElementsAre("both (invalid)"));
}

TEST(Overlay, an_overlay_selects_by_type_zone_pool_and_template_label) {
    EXPECT_THAT(apply({priced(an_overlay("o", 0, kType, "small"), "1")}).types,
                ElementsAre("small! a1 b1", "large a0.2 b0.2", "small! a1 b1", "large a0.2 b0.2"));
    EXPECT_THAT(apply({adjusted(an_overlay("o", 0, kZone, "b"), "+1")}).types,
                ElementsAre("small! a0.1 b1.1", "large! a0.2 b1.2", "small! a0.1 b1.1", "large! a0.2 b1.2"));
    EXPECT_THAT(apply({priced(an_overlay("o", 0, std::string(api::kNodePoolLabel), "gpu"), "1")}).types,
                ElementsAre("small a0.1 b0.1", "large a0.2 b0.2", "small! a1 b1", "large! a1 b1"));
    EXPECT_THAT(apply({priced(an_overlay("o", 0, "team", "ml"), "1")}).types,
                ElementsAre("small a0.1 b0.1", "large a0.2 b0.2", "small! a1 b1", "large! a1 b1"));
}

TEST(Overlay, a_capacity_is_the_whole_types_even_if_one_offering_was_meant) {
    EXPECT_THAT(apply({holding(an_overlay("o", 0, kZone, "b"), "example.com/fuse", "3")}).types,
                ElementsAre("small a0.1 b0.1 example.com/fuse=3!", "large a0.2 b0.2 example.com/fuse=3!",
                            "small a0.1 b0.1 example.com/fuse=3!", "large a0.2 b0.2 example.com/fuse=3!"));
}

TEST(Overlay, the_heaviest_sets_and_the_lighter_fill_the_gaps) {
    const Outcome outcome = apply({priced(an_overlay("light", 1, kType, "small"), "3"),
                                   priced(an_overlay("heavy", 10, kZone, "a"), "2"),
                                   holding(an_overlay("more", 1, kType, "small"), "example.com/fuse", "1")});
    EXPECT_THAT(outcome.problems, ElementsAre());
    EXPECT_THAT(outcome.types, ElementsAre("small! a2 b3 example.com/fuse=1!", "large! a2 b0.2",
                                           "small! a2 b3 example.com/fuse=1!", "large! a2 b0.2"));
}

TEST(Overlay, of_one_weight_the_later_name_is_applied_and_the_other_not_even_in_part) {
    const Outcome prices = apply({priced(an_overlay("alpha", 5, kType, "small"), "3"),
                                  priced(an_overlay("beta", 5, kZone, "a"), "2")});
    EXPECT_THAT(prices.problems, ElementsAre("alpha (conflict)"));
    EXPECT_THAT(prices.types,
                ElementsAre("small! a2 b0.1", "large! a2 b0.2", "small! a2 b0.1", "large! a2 b0.2"));
    const Outcome capacities =
        apply({holding(an_overlay("alpha", 5, kType, "small"), "example.com/fuse", "3"),
               holding(an_overlay("beta", 5, kZone, "a"), "example.com/fuse", "2")});
    EXPECT_THAT(capacities.problems, ElementsAre("alpha (conflict)"));
}

TEST(Overlay, of_one_weight_those_that_do_not_meet_are_both_applied) {
    const Outcome outcome = apply({priced(an_overlay("alpha", 5, kType, "small"), "3"),
                                   holding(an_overlay("beta", 5, kZone, "a"), "example.com/fuse", "2"),
                                   priced(an_overlay("gamma", 5, kType, "large"), "4")});
    EXPECT_THAT(outcome.problems, ElementsAre());
    EXPECT_EQ(outcome.types.front(), "small! a3 b3 example.com/fuse=2!");
}

}  // namespace
}  // namespace joiner::rules
