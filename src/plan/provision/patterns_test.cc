// Pods of whom a machine holds only so many, among others that fill it up.
#include "plan/provision/patterns.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "api/names.h"
#include "base/rng.h"
#include "plan/provision/provision.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using rules::Requirement;

rules::InstanceType a_type(int cpus, double price) {
    rules::InstanceType type;
    type.name = fmt::format("cpus-{}", cpus);
    type.capacity.cpu_milli = cpus * 1000 - 100;
    type.capacity.memory_bytes = std::int64_t{cpus} << 32;
    type.capacity.pods = 100;
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {type.name}));
    for (const char* zone : {"a", "b"}) {
        rules::Offering offering;
        offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {zone}));
        offering.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
        offering.price = rules::Money::from_dollars(price);
        type.offerings.push_back(offering);
    }
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a", "b"}));
    return type;
}

// `apart` of the pods keep away from each other, the others stand anywhere.
model::Snapshot a_question(Rng& rng, int pods, int apart) {
    model::Snapshot out;
    model::PoolView& pool = out.pools.emplace_back();
    pool.name = "default";
    std::vector<rules::InstanceType> types;
    for (int cpus = 1; cpus <= 16; ++cpus) types.push_back(a_type(cpus, 0.05 * cpus));
    pool.types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    std::map<std::string, std::shared_ptr<const rules::PodShape>> shapes;
    for (int i = 0; i < pods; ++i) {
        api::Pod pod;
        pod.meta.name = fmt::format("p{}", i);
        pod.meta.ns = "ns";
        pod.meta.labels = {{"app", i < apart ? "apart" : "other"}};
        api::Container& container = pod.spec.containers.emplace_back();
        container.requests["cpu"] = Quantity::of_milli(std::array{100, 250, 500, 1000, 1500}[rng.below(5)]);
        container.requests["memory"] = Quantity::of_units(std::int64_t{256} << (20 + rng.below(4)));
        if (i < apart) {
            api::PodAffinityTerm term;
            term.topology_key = std::string(api::kHostnameLabel);
            term.selector = api::LabelSelector{};
            term.selector->match_labels["app"] = "apart";
            pod.spec.required_pod_anti_affinity.push_back(term);
        }
        rules::PodShape shape = rules::make_pod_shape(pod, rules::PreferencePolicy::kRespect);
        auto& known = shapes[shape.key];
        if (known == nullptr) known = std::make_shared<const rules::PodShape>(std::move(shape));
        out.pods.push_back(
            {{"ns", pod.meta.name, pod.meta.name},
             known,
             kNoTime,
             std::make_shared<const rules::PodLabels>(rules::PodLabels{"ns", pod.meta.labels})});
    }
    return out;
}

TEST(Patterns, come_close_where_pods_that_keep_apart_set_the_number_of_machines) {
    Rng rng(21);
    const model::Snapshot snapshot = a_question(rng, 1'000, 200);
    const Plan plan = plan_provisioning(snapshot, {.effort = 20'000'000});
    EXPECT_TRUE(check_plan(snapshot, plan).empty());
    EXPECT_TRUE(plan.waits.empty());
    EXPECT_FALSE(plan.is_fallback);
    EXPECT_GE(plan.launches.size(), 200u);
    EXPECT_LT(plan.price.dollars(), 1.04 * plan.lower_bound.dollars());
    const Plan without = plan_provisioning(snapshot, {.effort = 20'000'000, .without = {"patterns"}});
    EXPECT_LE(plan.price, without.price);
}

TEST(Patterns, place_every_pod_once) {
    Rng rng(22);
    for (int round = 0; round < 20; ++round) {
        const int pods = 20 + static_cast<int>(rng.below(100));
        model::Snapshot snapshot = a_question(rng, pods, 5 + static_cast<int>(rng.below(30)));
        for (std::uint64_t i = rng.below(2) * rng.below(8); i > 0; --i) {
            model::RoomView& room = snapshot.rooms.emplace_back();
            room.name = fmt::format("room-{}", i);
            room.free.cpu_milli = static_cast<std::int64_t>(rng.below(4000));
            room.free.memory_bytes = static_cast<std::int64_t>(rng.below(64)) << 28;
            room.free.pods = 10;
            room.labels.add_labels(
                {{std::string(api::kHostnameLabel), room.name}, {std::string(api::kZoneLabel), "a"}});
        }
        ProvisionOptions options;
        options.effort = 300'000;
        const Plan plan = plan_provisioning(snapshot, options);
        EXPECT_TRUE(check_plan(snapshot, plan).empty()) << "seed 22, round " << round;
        EXPECT_FALSE(plan.is_fallback) << "seed 22, round " << round;
        std::set<model::PodIndex> seen;
        for (const Launch& launch : plan.launches) seen.insert(launch.pods.begin(), launch.pods.end());
        for (const Placement& placement : plan.placements) seen.insert(placement.pod);
        EXPECT_EQ(seen.size(), snapshot.pods.size()) << "seed 22, round " << round;
        const Plan again = plan_provisioning(snapshot, options);
        EXPECT_EQ(again.price, plan.price) << "seed 22, round " << round;
    }
}

}  // namespace
}  // namespace joiner::plan
