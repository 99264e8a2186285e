#include "plan/provision/held_ratio.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "api/names.h"
#include "base/testing/seeds.h"
#include "model/capacity_mix.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using rules::CapacityMix;
using rules::InstanceType;
using rules::Requirement;

InstanceType sold_both_ways(const std::string& name, int cpus, double price, bool on_demand, bool spot) {
    InstanceType type;
    type.name = name;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = std::int64_t{cpus} * (std::int64_t{4} << 30);
    type.capacity.pods = 110;
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {name}));
    type.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel),
                                          {std::string(api::kOnDemand), std::string(api::kSpot)}));
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a"}));
    for (const bool is_spot : {false, true}) {
        rules::Offering offering;
        offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a"}));
        offering.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel),
                                                  {std::string(is_spot ? api::kSpot : api::kOnDemand)}));
        offering.price = rules::Money::from_dollars(is_spot ? price * 0.4 : price);
        offering.available = is_spot ? spot : on_demand;
        type.offerings.push_back(std::move(offering));
    }
    return type;
}

struct RatioQuestion {
    CapacityMix mix;
    bool has_on_demand = true;
    bool has_spot = true;
    std::vector<std::pair<std::string, std::int64_t>> limits = {};
    std::vector<std::int64_t> pods = {};  // Thousandths of a core.
    std::string pods_ask_for = {};        // A capacity type.

    model::Snapshot snapshot() const {
        model::Snapshot out;
        model::PoolView view;
        view.name = "default";
        view.remaining = limits;
        view.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {"default"}));
        std::vector<InstanceType> types;
        for (const int cpus : {2, 4, 8, 16})
            types.push_back(sold_both_ways(fmt::format("t{}", cpus), cpus, 0.05 * cpus - 0.001 * cpus,
                                           has_on_demand, has_spot));
        view.types = std::make_shared<const std::vector<InstanceType>>(std::move(types));
        for (model::PoolView& part : model::split_by_ratio(view, mix)) out.pools.push_back(std::move(part));
        for (const std::int64_t cpu : pods) {
            auto shape = std::make_shared<rules::PodShape>();
            shape->requests.cpu_milli = cpu;
            shape->requests.memory_bytes = std::int64_t{1} << 28;
            shape->requests.pods = 1;
            rules::Requirements required;
            if (!pods_ask_for.empty())
                required.add(Requirement::in(std::string(api::kCapacityTypeLabel), {pods_ask_for}));
            shape->constraint_key = required.to_string();
            shape->required.push_back(std::move(required));
            shape->key = fmt::format("{}/{}", shape->constraint_key, cpu);
            const std::string name = fmt::format("p{}", out.pods.size());
            out.pods.push_back({{"default", name, name}, std::move(shape), kNoTime});
        }
        return out;
    }
};

struct Outcome {
    Plan plan;
    CapacityMix after;
};

Outcome planned(const RatioQuestion& question) {
    const model::Snapshot snapshot = question.snapshot();
    Outcome out{plan_provisioning(snapshot, {}), {}};
    out.after = mixes_after(mixes_of(snapshot), snapshot, out.plan.launches).at("default");
    for (const Violation& violation : check_plan(snapshot, out.plan)) ADD_FAILURE() << violation.what;
    return out;
}

TEST(HeldRatio, decides_how_much_of_a_plan_is_spot) {
    const struct {
        const char* name;
        RatioQuestion question;
        std::int64_t on_demand;  // Cores after it.
        std::int64_t spot;
        std::size_t waits;
    } cases[] = {
        {"a fifth and the rest", {.mix = {{0, 20}}, .pods = std::vector<std::int64_t>(20, 2000)}, 8, 32, 0},
        {"the base first", {.mix = {{16'000, 20}}, .pods = std::vector<std::int64_t>(28, 2000)}, 24, 32, 0},
        {"spot is free where enough is on demand",
         {.mix = {{16'000, 20}, 64'000, 0}, .pods = std::vector<std::int64_t>(16, 2000)},
         64,
         32,
         0},
        {"one small pod is on demand", {.mix = {{0, 20}}, .pods = {1000}}, 2, 0, 0},
        {"what is short is made good first",
         {.mix = {{0, 50}, 0, 16'000}, .pods = std::vector<std::int64_t>(4, 4000)},
         16,
         16,
         0},
        {"spot sold out",
         {.mix = {{0, 20}}, .has_spot = false, .pods = std::vector<std::int64_t>(8, 2000)},
         16,
         0,
         0},
        {"no pod waits for what is sold out on demand",
         {.mix = {{0, 50}}, .has_on_demand = false, .pods = std::vector<std::int64_t>(8, 2000)},
         0,
         16,
         0},
        {"pods that ask for spot get it",
         {.mix = {{16'000, 20}}, .pods = std::vector<std::int64_t>(2, 2000), .pods_ask_for = "spot"},
         0,
         4,
         0},
        {"pods that ask for on-demand wait where it is sold out",
         {.mix = {{0, 20}}, .has_on_demand = false, .pods = {2000, 2000}, .pods_ask_for = "on-demand"},
         0,
         0,
         2},
        {"limits hold for both together",
         {.mix = {{0, 50}}, .limits = {{"cpu", 16'000}}, .pods = std::vector<std::int64_t>(12, 2000)},
         8,
         8,
         4},
    };
    for (const auto& c : cases) {
        const Outcome out = planned(c.question);
        EXPECT_EQ(out.after.on_demand, c.on_demand * 1000) << c.name;
        EXPECT_EQ(out.after.spot, c.spot * 1000) << c.name;
        EXPECT_EQ(out.plan.waits.size(), c.waits) << c.name;
    }
}

// Never below by anything, and of what is above no more than machines are large.
TEST(HeldRatio, random_plans_keep_it_as_closely_as_machines_allow) {
    std::mt19937 random(7);
    const auto draw = [&](int most) { return static_cast<int>(random() % static_cast<unsigned>(most + 1)); };
    for (int world = 0; world < seeds(60); ++world) {
        RatioQuestion question;
        question.mix.ratio = {draw(4) * 8'000, draw(10) * 10};
        question.mix.on_demand = draw(8) * 4'000;
        question.mix.spot = draw(8) * 4'000;
        for (int i = draw(60) + 1; i > 0; --i) question.pods.push_back((draw(7) + 1) * 500);
        const Outcome out = planned(question);
        EXPECT_TRUE(out.plan.waits.empty()) << world;
        EXPECT_LE(out.after.missing(), question.mix.missing()) << world;
        if (out.after.spot > question.mix.spot) {
            EXPECT_EQ(out.after.missing(), 0) << world;
        }
        const std::int64_t total = out.after.on_demand + out.after.spot;
        const std::int64_t too_much =
            out.after.on_demand - std::max(out.after.wanted(total), question.mix.on_demand);
        EXPECT_LE(too_much, 16'000) << world << ": " << out.after.on_demand << " and " << out.after.spot;
    }
}

// Which stand-in a claim becomes must not matter: one with less cores and more memory would hold the pod too.
TEST(HeldRatio, stand_ins_are_no_smaller_on_demand) {
    const RatioQuestion question{.mix = {{0, 50}}, .pods = {6000}};
    model::Snapshot snapshot = question.snapshot();
    auto types = std::vector<InstanceType>{sold_both_ways("wide", 16, 0.4, true, true),
                                           sold_both_ways("small", 8, 0.9, true, true),
                                           sold_both_ways("large", 32, 1.5, true, true)};
    for (model::PoolView& pool : snapshot.pools)
        pool.types = std::make_shared<const std::vector<InstanceType>>(types);
    const Plan plan = plan_provisioning(snapshot, {});
    ASSERT_THAT(plan.launches, testing::SizeIs(1));
    EXPECT_EQ(plan.launches[0].spec->capacity_type, api::kOnDemand);
    EXPECT_THAT(plan.launches[0].spec->types, testing::ElementsAre("wide", "large"));
}

}  // namespace
}  // namespace joiner::plan
