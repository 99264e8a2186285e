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
        const auto is_short = [&](const rules::OfferingKey& key) { return short_.contains(key); };
        const auto choices = chooser_.choices(claim_, types, {}, is_short);
        for (const auto& choice : choices) out.push_back(choice.key().type + "/" + choice.key().zone);
        const auto alone = launch_choices(claim_, *types, {}, is_short);
        EXPECT_TRUE(std::equal(choices.begin(), choices.end(), alone.begin(), alone.end(),
                               [](const auto& a, const auto& b) { return a.offering == b.offering; }));
        return out;
    }

    api::NodeClaim claim_;
    std::set<rules::OfferingKey> short_;
    LaunchChooser chooser_;
};

TEST_F(LaunchChoices, are_by_price_then_zone_without_what_is_short) {
    const auto types = types_that_cost(1, 2);
    EXPECT_THAT(names(types), testing::ElementsAre("small/a", "small/b", "large/a", "large/b"));
    short_.insert({"small", "b", "spot", ""});
    EXPECT_THAT(names(types), testing::ElementsAre("small/a", "large/a", "large/b"));
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
