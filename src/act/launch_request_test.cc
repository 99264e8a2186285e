#include "act/launch_request.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/names.h"

namespace joiner::act {
namespace {

rules::Requirement one(std::string_view key, std::string value) {
    return rules::Requirement::in(std::string(key), {std::move(value)});
}

cloud::InstanceTypes types_that_cost(double small, double large) {
    std::vector<rules::InstanceType> out;
    for (const auto& [name, cpu, price] : {std::tuple("small", 2, small), std::tuple("large", 8, large)}) {
        rules::InstanceType type;
        type.name = name;
        type.capacity.cpu_milli = cpu * 1000;
        type.requirements.add(one(api::kInstanceTypeLabel, type.name));
        for (const char* zone : {"b", "a"}) {
            rules::Offering offering;
            offering.requirements.add(one(api::kZoneLabel, zone));
            offering.requirements.add(one(api::kCapacityTypeLabel, "spot"));
            offering.price = rules::Money::from_dollars(price);
            type.offerings.push_back(std::move(offering));
        }
        out.push_back(std::move(type));
    }
    return std::make_shared<const std::vector<rules::InstanceType>>(std::move(out));
}

class LaunchChoices : public testing::Test {
  protected:
    std::vector<std::string> names(const cloud::InstanceTypes& types) {
        std::vector<std::string> out;
        const auto stock = [&](const rules::OfferingKey& key) {
            const auto it = stock_.find(key.type + "/" + key.zone);
            return it == stock_.end() ? cloud::Stock::kThere : it->second;
        };
        const auto [choices, leaves_some_out] = chooser_.choices(claim_, types, {}, stock);
        leaves_some_out_ = leaves_some_out;
        for (const auto& choice : choices) out.push_back(choice.key().type + "/" + choice.key().zone);
        const auto alone = launch_choices(claim_, *types, {}, stock);
        EXPECT_TRUE(std::equal(choices.begin(), choices.end(), alone.begin(), alone.end(),
                               [](const auto& a, const auto& b) { return a.offering == b.offering; }));
        return out;
    }

    api::NodeClaim claim_;
    std::map<std::string, cloud::Stock> stock_;
    LaunchChooser chooser_;
    bool leaves_some_out_ = false;
};

TEST_F(LaunchChoices, are_by_what_they_cost_with_their_interruptions) {
    auto types = std::make_shared<std::vector<rules::InstanceType>>(*types_that_cost(1, 2));
    (*types)[0].offerings[1].interruption_cost = rules::Money::from_dollars(0.5);
    EXPECT_THAT(names(types), testing::ElementsAre("small/b", "small/a", "large/a", "large/b"));
}

TEST_F(LaunchChoices, are_by_price_then_zone_without_what_is_short) {
    const auto types = types_that_cost(1, 2);
    EXPECT_THAT(names(types), testing::ElementsAre("small/a", "small/b", "large/a", "large/b"));
    stock_["small/b"] = cloud::Stock::kOut;
    EXPECT_THAT(names(types), testing::ElementsAre("small/a", "large/a", "large/b"));
}

// What is there is taken before what may be back, unless that is cheaper by enough.
TEST_F(LaunchChoices, that_may_be_back_stand_before_the_first_that_is_there_only) {
    using enum cloud::Stock;
    const auto types = types_that_cost(1, 2);
    const struct {
        std::map<std::string, cloud::Stock> stock;
        std::vector<std::string> choices;
        bool leaves_some_out;
    } kCases[] = {
        {{{"small/b", kMaybe}}, {"small/a", "large/a", "large/b"}, true},
        {{{"small/a", kMaybe}}, {"small/b", "large/a", "large/b"}, true},
        {{{"small/a", kMaybe}, {"small/b", kMaybe}}, {"small/a", "small/b", "large/a", "large/b"}, false},
        {{{"small/a", kTried}}, {"small/b", "large/a", "large/b"}, true},
        {{{"small/a", kMaybe}, {"small/b", kOut}, {"large/a", kMaybe}}, {"small/a", "large/b"}, true},
        {{{"small/a", kMaybe}, {"small/b", kMaybe}, {"large/a", kMaybe}, {"large/b", kMaybe}},
         {"small/a", "small/b", "large/a"},
         true},
        {{{"small/a", kTried}, {"small/b", kOut}, {"large/a", kOut}, {"large/b", kOut}}, {}, true},
        {{{"small/a", kOut}, {"small/b", kOut}, {"large/a", kOut}, {"large/b", kOut}}, {}, false},
    };
    for (const auto& c : kCases) {
        stock_ = c.stock;
        EXPECT_EQ(names(types), c.choices);
        EXPECT_EQ(leaves_some_out_, c.leaves_some_out);
    }
}

TEST_F(LaunchChoices, that_may_be_back_are_asked_for_where_they_save_something) {
    stock_ = {{"small/a", cloud::Stock::kMaybe}, {"small/b", cloud::Stock::kMaybe}};
    EXPECT_THAT(names(types_that_cost(0.99, 1)), testing::ElementsAre("large/a", "large/b"));
    EXPECT_THAT(names(types_that_cost(0.97, 1)),
                testing::ElementsAre("small/a", "small/b", "large/a", "large/b"));
    // Interruptions eat what the price saves.
    auto interrupted = std::make_shared<std::vector<rules::InstanceType>>(*types_that_cost(0.97, 1));
    for (rules::Offering& offering : (*interrupted)[0].offerings)
        offering.interruption_cost = rules::Money::from_dollars(0.02);
    EXPECT_THAT(names(interrupted), testing::ElementsAre("large/a", "large/b"));
    // Where nothing else is there, anything is worth a try.
    stock_["large/a"] = stock_["large/b"] = cloud::Stock::kOut;
    EXPECT_THAT(names(types_that_cost(0.99, 1)), testing::ElementsAre("small/a", "small/b"));
}

TEST_F(LaunchChoices, are_worked_out_anew_for_other_types_and_other_wishes) {
    const auto before = types_that_cost(1, 2);
    names(before);
    const auto after = types_that_cost(3, 2);
    EXPECT_THAT(names(after), testing::ElementsAre("large/a", "large/b", "small/a", "small/b"));
    claim_.requirements = {{std::string(api::kZoneLabel), "In", {"b"}, std::nullopt}};
    EXPECT_THAT(names(after), testing::ElementsAre("large/b", "small/b"));
    claim_.requests = {{"cpu", *Quantity::parse("4")}};
    EXPECT_THAT(names(after), testing::ElementsAre("large/b"));
    // More questions than are remembered.
    for (int i = 0; i < 20; ++i) {
        claim_.requirements = {
            {std::string(api::kZoneLabel), "In", {"a", fmt::format("{}", i)}, std::nullopt}};
        EXPECT_THAT(names(after), testing::ElementsAre("large/a"));
    }
}

}  // namespace
}  // namespace joiner::act
