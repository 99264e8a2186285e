// Plans for random clusters whose pods ask everything of one another that Kubernetes lets them ask: the
// checker accepts each plan, and on small ones trying everything finds no place for a pod that was left
// waiting.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/rng.h"
#include "base/testing/seeds.h"
#include "plan/provision/provision.h"
#include "plan/testing/random_world.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using testing::all_machines;
using testing::describe;
using testing::Size;
using testing::words;
using testing::World;

// Tries every place for pods[next...] in turn; true when all of them stand somewhere and the checker agrees.
bool some_assignment(const model::Snapshot& snapshot,
                     const std::vector<std::shared_ptr<const MachineSpec>>& machines,
                     const std::vector<model::PodIndex>& pods, std::size_t next, Plan& plan, int& budget) {
    if (next == pods.size()) return --budget >= 0 && check_plan(snapshot, plan).empty();
    if (budget <= 0) return false;
    for (model::RoomIndex room = 0; room < snapshot.rooms.size(); ++room) {
        plan.placements.push_back({pods[next], room});
        if (some_assignment(snapshot, machines, pods, next + 1, plan, budget)) return true;
        plan.placements.pop_back();
    }
    for (std::size_t i = 0; i < plan.launches.size(); ++i) {
        plan.launches[i].pods.push_back(pods[next]);
        if (some_assignment(snapshot, machines, pods, next + 1, plan, budget)) return true;
        plan.launches[i].pods.pop_back();
    }
    for (const auto& machine : machines) {
        plan.launches.push_back({machine, {pods[next]}});
        if (some_assignment(snapshot, machines, pods, next + 1, plan, budget)) return true;
        plan.launches.pop_back();
    }
    return false;
}

ProvisionOptions quick() {
    ProvisionOptions options;
    options.effort = 20'000;
    return options;
}

void accept(const model::Snapshot& snapshot, const Plan& plan) {
    const std::vector<Violation> found = check_plan(snapshot, plan);
    EXPECT_TRUE(found.empty()) << words(snapshot, found) << describe(snapshot, plan);
    EXPECT_LE(plan.lower_bound, plan.price + plan.node_cost);
    for (const Wait& wait : plan.waits) EXPECT_FALSE(wait.reason.empty());
}

class ConstraintPlansOfSeeds : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ConstraintPlansOfSeeds, are_accepted_by_the_checker) {
    std::size_t launches = 0;
    std::size_t placements = 0;
    std::size_t waits = 0;
    for (std::uint64_t seed = GetParam() + 1;
         seed <= GetParam() + seeds(250u) && !::testing::Test::HasFailure(); ++seed) {
        Rng rng(seed);
        Size size;
        size.pods = seed % 50 == 0 ? 300 : 1 + rng.below(40);
        size.types = 1 + rng.below(8);
        size.rooms = seed % 50 == 0 ? 20 : 5;
        const World world(rng, size);
        SCOPED_TRACE(fmt::format("seed {}", seed));
        const Plan plan = plan_provisioning(world.snapshot, quick());
        accept(world.snapshot, plan);
        launches += plan.launches.size();
        placements += plan.placements.size();
        waits += plan.waits.size();
        EXPECT_FALSE(plan.is_fallback);
    }
    RecordProperty("launches", static_cast<int>(launches));
    fmt::print("{} launches, {} placements, {} waits\n", launches, placements, waits);
    EXPECT_GT(launches, seeds(625u));
    EXPECT_GT(placements, seeds(250u));
    EXPECT_GT(waits, seeds(125u));
}

INSTANTIATE_TEST_SUITE_P(After, ConstraintPlansOfSeeds, ::testing::Values(0, 500, 1000, 1500));

// No pod that waits could be added to the plan as it is.
TEST(ConstraintPlans, leave_nothing_waiting_that_one_more_machine_would_hold) {
    for (std::uint64_t seed = 1; seed <= seeds(400u) && !::testing::Test::HasFailure(); ++seed) {
        Rng rng(1'000'000 + seed);
        const World world(rng, {1 + rng.below(8), 1 + rng.below(2), 2, 2});
        Plan plan = plan_provisioning(world.snapshot, quick());
        accept(world.snapshot, plan);
        const auto machines = all_machines(world.snapshot);
        const std::vector<Wait> waits = plan.waits;
        for (const Wait& wait : waits) {
            Plan more = plan;
            std::erase_if(more.waits, [&](const Wait& one) { return one.pod == wait.pod; });
            int budget = 1'000'000;
            EXPECT_FALSE(some_assignment(world.snapshot, machines, {wait.pod}, 0, more, budget))
                << "seed " << seed << ": " << world.snapshot.pods[wait.pod].id.name() << "\n"
                << describe(world.snapshot, plan) << "but:\n"
                << describe(world.snapshot, more);
        }
    }
}

// Where all pods can be placed together, they are.
TEST(ConstraintPlans, place_all_pods_that_can_be_placed_together) {
    std::size_t tried = 0;
    for (std::uint64_t seed = 1; seed <= seeds(600u) && !::testing::Test::HasFailure(); ++seed) {
        Rng rng(2'000'000 + seed);
        const World world(rng, {2 + rng.below(3), 1, 2, 1});
        const Plan plan = plan_provisioning(world.snapshot, quick());
        accept(world.snapshot, plan);
        if (plan.waits.empty()) continue;
        std::vector<model::PodIndex> pods;
        for (model::PodIndex pod = 0; pod < world.snapshot.pods.size(); ++pod) pods.push_back(pod);
        Plan other;
        int budget = 4'000;
        ++tried;
        EXPECT_FALSE(some_assignment(world.snapshot, all_machines(world.snapshot), pods, 0, other, budget))
            << "seed " << seed << "\n"
            << describe(world.snapshot, plan) << "but:\n"
            << describe(world.snapshot, other);
    }
    EXPECT_GT(tried, seeds(50u));
}

// Some of the pods as headroom: least urgent, and named after a buffer.
model::Snapshot with_headroom(const model::Snapshot& snapshot) {
    model::Snapshot out = snapshot;
    std::map<const rules::PodShape*, std::shared_ptr<const rules::PodShape>> shapes;
    for (model::PodView& pod : out.pods) {
        auto& shape = shapes[pod.shape.get()];
        if (shape == nullptr) {
            rules::PodShape least = *pod.shape;
            least.priority = std::numeric_limits<std::int32_t>::min();
            least.key += "|least";
            least.constraint_key += "|least";
            shape = std::make_shared<const rules::PodShape>(std::move(least));
        }
        if (shapes.size() % 3 != 0) continue;
        pod.shape = shape;
        pod.buffer = "ns/spare";
    }
    return out;
}

TEST(ConstraintPlans, with_headroom_are_accepted_and_cost_no_pod_its_place) {
    std::size_t headroom = 0;
    for (std::uint64_t seed = 1; seed <= seeds(300u) && !::testing::Test::HasFailure(); ++seed) {
        Rng rng(3'000'000 + seed);
        const World world(rng, {1 + rng.below(30), 1 + rng.below(6), 3, 5});
        SCOPED_TRACE(fmt::format("seed {}", seed));
        const model::Snapshot snapshot = with_headroom(world.snapshot);
        const Plan plan = plan_provisioning(snapshot, quick());
        accept(snapshot, plan);
        model::Snapshot alone = snapshot;
        std::erase_if(alone.pods, [](const auto& pod) { return pod.is_headroom(); });
        const Plan without = plan_provisioning(alone, quick());
        const auto is_pod = [&](const Wait& wait) { return !snapshot.pods[wait.pod].is_headroom(); };
        EXPECT_LE(static_cast<std::size_t>(std::count_if(plan.waits.begin(), plan.waits.end(), is_pod)),
                  without.waits.size())
            << describe(snapshot, plan) << "without:\n"
            << describe(alone, without);
        for (const Placement& placement : plan.placements)
            headroom += snapshot.pods[placement.pod].is_headroom() ? 1 : 0;
        // Pods that found room alone have it still.
        EXPECT_GE(plan.placements.size(), without.placements.size());
    }
    EXPECT_GT(headroom, seeds(100u));
}

TEST(ConstraintPlans, are_the_same_for_the_same_question) {
    for (std::uint64_t seed = 1; seed <= seeds(50u); ++seed) {
        Rng rng(seed);
        const World world(rng, {40, 5, 3, 5});
        EXPECT_EQ(describe(world.snapshot, plan_provisioning(world.snapshot, quick())),
                  describe(world.snapshot, plan_provisioning(world.snapshot, quick())));
    }
}

}  // namespace
}  // namespace joiner::plan
