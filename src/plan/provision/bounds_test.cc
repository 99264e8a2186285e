// The price of small questions, held against every plan there is.
#include "plan/provision/bounds.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "api/names.h"
#include "base/rng.h"
#include "plan/provision/provision.h"

namespace joiner::plan {
namespace {

using rules::Requirement;

rules::InstanceType random_type(Rng& rng, int index) {
    rules::InstanceType type;
    type.name = fmt::format("t{}", index);
    type.capacity.cpu_milli = 1000 * static_cast<std::int64_t>(1 + rng.below(8));
    type.capacity.memory_bytes = static_cast<std::int64_t>(1 + rng.below(16)) << 30;
    type.capacity.pods = 2 + static_cast<std::int64_t>(rng.below(4));
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {type.name}));
    std::vector<std::string> zones;
    for (const char* zone : {"a", "b"}) {
        if (!zones.empty() && rng.below(3) == 0) continue;
        rules::Offering offering;
        offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {zone}));
        offering.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
        offering.price = rules::Money::from_dollars(0.05 + rng.unit());
        type.offerings.push_back(offering);
        zones.emplace_back(zone);
    }
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), zones));
    return type;
}

model::Snapshot random_snapshot(Rng& rng) {
    std::vector<rules::InstanceType> types;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n)
        types.push_back(random_type(rng, static_cast<int>(types.size())));
    model::Snapshot out;
    model::PoolView& pool = out.pools.emplace_back();
    pool.name = "default";
    pool.types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    if (rng.below(2) == 0) pool.node_cost = rules::Money::from_dollars(0.1 * rng.unit());
    for (std::uint64_t n = rng.below(4) == 0 ? 1 + rng.below(2) : 0; n > 0; --n) {
        model::RoomView& room = out.rooms.emplace_back();
        room.name = fmt::format("room-{}", n);
        room.free.cpu_milli = static_cast<std::int64_t>(rng.below(60)) * 100;
        room.free.memory_bytes = static_cast<std::int64_t>(rng.below(40)) << 28;
        room.free.pods = static_cast<std::int64_t>(rng.below(4));
        room.labels.add(Requirement::in(std::string(api::kZoneLabel), {rng.below(2) ? "a" : "b"}));
    }
    const bool some_keep_apart = rng.below(3) == 0;
    const std::uint64_t pods = 1 + rng.below(6);
    while (out.pods.size() < pods) {
        auto shape = std::make_shared<rules::PodShape>();
        shape->requests.cpu_milli = static_cast<std::int64_t>(rng.below(40)) * 100;
        shape->requests.memory_bytes = static_cast<std::int64_t>(rng.below(24)) << 28;
        shape->requests.pods = 1;
        rules::Requirements required;
        if (rng.below(3) == 0)
            required.add(Requirement::in(std::string(api::kZoneLabel), {rng.below(2) ? "a" : "b"}));
        shape->constraint_key = required.to_string();
        // One pod a node: these set the number of machines.
        if (some_keep_apart && rng.below(2) == 0) {
            shape->constraints.ports.push_back({"0.0.0.0", 80, "TCP"});
            shape->constraints.key = "port";
        }
        shape->key = fmt::format("{} {} {} {}", shape->constraint_key, shape->requests.cpu_milli,
                                 shape->requests.memory_bytes, shape->constraints.key);
        shape->required.push_back(std::move(required));
        for (std::uint64_t n = 1 + rng.below(2); n > 0 && out.pods.size() < pods; --n) {
            const std::string name = fmt::format("p{}", out.pods.size());
            out.pods.push_back({{"ns", name, name}, shape, kNoTime});
        }
    }
    return out;
}

bool get_along(const model::Snapshot& snapshot, const std::vector<model::PodIndex>& pods) {
    return std::count_if(pods.begin(), pods.end(), [&](model::PodIndex pod) {
               return !snapshot.pods[pod].shape->constraints.ports.empty();
           }) <= 1;
}

// What the cheapest machine for all of `pods` together costs; nothing holds them: infinity.
double price_of_machine(const model::Snapshot& snapshot, const std::vector<model::PodIndex>& pods) {
    const model::PoolView& pool = snapshot.pools.front();
    rules::Resources asked;
    for (const model::PodIndex pod : pods) asked += snapshot.pods[pod].shape->requests;
    double best = std::numeric_limits<double>::infinity();
    if (!get_along(snapshot, pods)) return best;
    for (const rules::InstanceType& type : *pool.types) {
        if (!rules::fits(asked, type.allocatable())) continue;
        for (const rules::Offering& offering : type.offerings) {
            const bool all_may = std::all_of(pods.begin(), pods.end(), [&](model::PodIndex pod) {
                const Requirement* zone = snapshot.pods[pod].shape->required.front().find(api::kZoneLabel);
                return zone == nullptr || zone->allows(std::string(offering.zone()));
            });
            if (all_may) best = std::min(best, (offering.price + pool.node_cost).dollars());
        }
    }
    return best;
}

bool holds_room(const model::Snapshot& snapshot, const model::RoomView& room,
                const std::vector<model::PodIndex>& pods) {
    rules::Resources asked;
    for (const model::PodIndex pod : pods) {
        asked += snapshot.pods[pod].shape->requests;
        if (!rules::compatible(room.labels, snapshot.pods[pod].shape->required.front(), nullptr))
            return false;
    }
    return rules::fits(asked, room.free) && get_along(snapshot, pods);
}

// Every way to put each of `pods` into a room, with others, or on a machine of its own.
double cheapest_plan(const model::Snapshot& snapshot, const std::vector<model::PodIndex>& pods) {
    double best = std::numeric_limits<double>::infinity();
    std::vector<std::vector<model::PodIndex>> machines;
    std::vector<std::vector<model::PodIndex>> rooms(snapshot.rooms.size());
    const std::function<void(std::size_t)> place = [&](std::size_t i) {
        if (i == pods.size()) {
            double total = 0;
            for (const auto& machine : machines) total += price_of_machine(snapshot, machine);
            best = std::min(best, total);
            return;
        }
        for (std::size_t r = 0; r < rooms.size(); ++r) {
            rooms[r].push_back(pods[i]);
            if (holds_room(snapshot, snapshot.rooms[r], rooms[r])) place(i + 1);
            rooms[r].pop_back();
        }
        for (std::size_t m = 0; m < machines.size(); ++m) {
            machines[m].push_back(pods[i]);
            place(i + 1);
            machines[m].pop_back();
        }
        machines.push_back({pods[i]});
        place(i + 1);
        machines.pop_back();
    };
    place(0);
    return best;
}

TEST(Bounds, no_plan_of_all_there_are_costs_less) {
    Rng rng(3);
    int optimal = 0;
    int tight = 0;
    int planned = 0;
    for (int round = 0; round < 600; ++round) {
        const model::Snapshot snapshot = random_snapshot(rng);
        ProvisionOptions options;
        options.effort = 200'000;
        const Plan plan = plan_provisioning(snapshot, options);
        std::vector<model::PodIndex> placed;
        for (const Launch& launch : plan.launches)
            placed.insert(placed.end(), launch.pods.begin(), launch.pods.end());
        if (placed.empty()) continue;
        for (const Placement& placement : plan.placements) placed.push_back(placement.pod);
        ++planned;
        const double best = cheapest_plan(snapshot, placed);
        const double price = (plan.price + plan.node_cost).dollars();
        ASSERT_LE(plan.lower_bound.dollars(), best + 1e-9) << "seed 3, round " << round;
        ASSERT_GE(price, best - 1e-9) << "seed 3, round " << round;
        optimal += price <= best + 1e-9 ? 1 : 0;
        tight += plan.lower_bound.dollars() >= 0.999 * best ? 1 : 0;
    }
    EXPECT_GT(planned, 400);
    EXPECT_GT(optimal, planned * 95 / 100) << "of " << planned;
    EXPECT_GT(tight, planned / 4) << "a bound that is always loose says nothing";
}

TEST(Bounds, is_at_least_the_resource_program) {
    Rng rng(4);
    for (int round = 0; round < 300; ++round) {
        const model::Snapshot snapshot = random_snapshot(rng);
        const Problem problem(snapshot);
        std::vector<std::uint32_t> placed;
        for (const PodClass& pod_class : problem.classes())
            placed.push_back(static_cast<std::uint32_t>(pod_class.pods.size()));
        const Question question = relax(problem, placed);
        const double resources = resource_bound(question.columns, question.demand).cost;
        const rules::Money bound = lower_bound(problem, placed, {rules::Money::from_dollars(1e6), 1, {}});
        // Two nano-dollars for rounding to whole ones.
        EXPECT_GE(static_cast<double>(bound.nanos), resources * (1 - 1e-9) - 2) << "seed 4, round " << round;
    }
}

TEST(Bounds, counts_what_is_lost_on_each_machine_where_pods_are_alike) {
    Rng rng(5);
    rules::InstanceType type = random_type(rng, 0);
    type.capacity.cpu_milli = 3'500;
    type.capacity.memory_bytes = std::int64_t{64} << 30;
    type.capacity.pods = 100;
    for (rules::Offering& offering : type.offerings) offering.price = rules::Money::from_dollars(1);
    model::Snapshot snapshot;
    model::PoolView& pool = snapshot.pools.emplace_back();
    pool.name = "default";
    pool.types = std::make_shared<const std::vector<rules::InstanceType>>(1, type);
    auto shape = std::make_shared<rules::PodShape>();
    shape->requests.cpu_milli = 1'000;
    shape->requests.pods = 1;
    shape->required.emplace_back();
    for (int i = 0; i < 99; ++i) {
        const std::string name = fmt::format("p{}", i);
        snapshot.pods.push_back({{"ns", name, name}, shape, kNoTime});
    }
    const Plan plan = plan_provisioning(snapshot, {});
    EXPECT_EQ(plan.launches.size(), 33u);
    // By sums of cpu alone 28.3 machines would do.
    EXPECT_GT(plan.lower_bound.dollars(), 32.999);
}

}  // namespace
}  // namespace joiner::plan
