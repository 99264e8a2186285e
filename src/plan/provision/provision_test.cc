#include "plan/provision/provision.h"

#include <gtest/gtest.h>

#include "api/names.h"
#include "model/commitments.h"

namespace joiner::plan {
namespace {

using rules::InstanceType;
using rules::Requirement;
using rules::Requirements;

InstanceType a_type(const std::string& name, int cpus, int gib, double price) {
    InstanceType type;
    type.name = name;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = static_cast<std::int64_t>(gib) << 30;
    type.capacity.pods = 110;
    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {name}));
    type.requirements.add(Requirement::in(std::string(api::kArchLabel), {"amd64"}));
    type.requirements.add(Requirement::in(std::string(api::kOSLabel), {"linux"}));
    for (const char* zone : {"a", "b"}) {
        rules::Offering offering;
        offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {zone}));
        offering.requirements.add(
            Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(api::kOnDemand)}));
        offering.price = rules::Money::from_dollars(price);
        type.offerings.push_back(offering);
    }
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a", "b"}));
    return type;
}

// A world that says only what matters.
struct Question {
    model::Snapshot snapshot;
    std::shared_ptr<const std::vector<InstanceType>> types;

    Question() {
        types = std::make_shared<const std::vector<InstanceType>>(
            std::vector<InstanceType>{a_type("small", 2, 4, 0.10), a_type("medium", 4, 8, 0.19),
                                      a_type("large", 16, 32, 0.70), a_type("memory", 4, 32, 0.30)});
    }
    model::PoolView& pool(const std::string& name, int weight = 0) {
        model::PoolView& view = snapshot.pools.emplace_back();
        view.name = name;
        view.weight = weight;
        view.types = types;
        view.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {name}));
        return view;
    }
    // Of these types, and of so many of them at least.
    void pool_of_types(std::vector<std::string> names, int min_values) {
        Requirement of = Requirement::in(std::string(api::kInstanceTypeLabel), std::move(names));
        of.set_min_values(min_values);
        pool("default").requirements.add(of);
    }
    void pods(int count, std::int64_t cpu_milli, std::int64_t gib, Requirements required = {},
              std::vector<api::Toleration> tolerations = {}) {
        auto shape = std::make_shared<rules::PodShape>();
        shape->requests.cpu_milli = cpu_milli;
        shape->requests.memory_bytes = gib << 30;
        shape->requests.pods = 1;
        shape->constraint_key = required.to_string() + (tolerations.empty() ? "" : "t");
        shape->required.push_back(std::move(required));
        shape->tolerations = std::move(tolerations);
        shape->key = shape->constraint_key + std::to_string(cpu_milli) + "/" + std::to_string(gib);
        for (int i = 0; i < count; ++i) {
            const std::string name = "p" + std::to_string(snapshot.pods.size());
            snapshot.pods.push_back({{"default", name, name}, shape, kNoTime});
        }
    }
    model::RoomView& room(const std::string& name, std::int64_t cpu_milli, std::int64_t gib) {
        model::RoomView& view = snapshot.rooms.emplace_back();
        view.name = name;
        view.free.cpu_milli = cpu_milli;
        view.free.memory_bytes = gib << 30;
        view.free.pods = 100;
        return view;
    }
    // Plans, and holds the plan to what every plan must keep.
    Plan plan(ProvisionOptions options = {}) const {
        Plan out = plan_provisioning(snapshot, options);
        std::vector<int> seen(snapshot.pods.size(), 0);
        for (const Placement& p : out.placements) ++seen[p.pod];
        for (const Wait& w : out.waits) {
            ++seen[w.pod];
            EXPECT_FALSE(w.reason.empty());
        }
        rules::Money sum;
        for (const Launch& launch : out.launches) {
            sum += launch.spec->price;
            rules::Resources requests;
            for (const model::PodIndex pod : launch.pods) {
                ++seen[pod];
                requests += snapshot.pods[pod].shape->requests;
            }
            EXPECT_FALSE(launch.pods.empty());
            for (const std::string& name : launch.spec->types) {
                const auto it =
                    std::find_if(types->begin(), types->end(), [&](const auto& t) { return t.name == name; });
                EXPECT_TRUE(rules::fits(requests, it->allocatable())) << name;
            }
        }
        EXPECT_EQ(sum, out.price);
        EXPECT_LE(out.lower_bound, out.price + out.node_cost);
        for (const int count : seen) EXPECT_EQ(count, 1) << "every pod has exactly one place or reason";
        return out;
    }
};

Requirements in(std::string_view key, std::vector<std::string> values) {
    Requirements out;
    out.add(Requirement::in(std::string(key), std::move(values)));
    return out;
}

TEST(Provision, alike_pods_fill_the_cheapest_machines) {
    Question q;
    q.pool("default");
    q.pods(160, 1000, 1);
    const Plan plan = q.plan();
    EXPECT_TRUE(plan.waits.empty());
    EXPECT_EQ(plan.launches.size(), 10u);
    EXPECT_NEAR(plan.price.dollars(), 7.0, 1e-9) << "ten large ones, the cheapest per cpu";
    EXPECT_NEAR(plan.lower_bound.dollars(), 7.0, 1e-6);
}

TEST(Provision, a_single_small_pod_gets_the_smallest_machine) {
    Question q;
    q.pool("default");
    q.pods(1, 100, 1);
    const Plan plan = q.plan();
    ASSERT_EQ(plan.launches.size(), 1u);
    EXPECT_EQ(plan.launches[0].spec->types, (std::vector<std::string>{"small", "medium", "memory", "large"}));
    EXPECT_EQ(plan.launches[0].spec->zone, "a");
}

TEST(Provision, of_equal_prices_fewer_machines_win) {
    Question q;
    q.types = std::make_shared<const std::vector<InstanceType>>(std::vector<InstanceType>{
        a_type("one", 1, 4, 0.1), a_type("two", 2, 8, 0.2), a_type("five", 5, 20, 0.5)});
    q.pool("default");
    q.pods(5, 1000, 1);
    const Plan plan = q.plan();
    ASSERT_EQ(plan.launches.size(), 1u);
    EXPECT_EQ(plan.launches[0].spec->types.front(), "five");
}

TEST(Provision, of_few_pods_the_bound_is_the_price) {
    Question q;
    q.types = std::make_shared<const std::vector<InstanceType>>(
        std::vector<InstanceType>{a_type("four", 4, 16, 0.2), a_type("five", 5, 20, 0.24)});
    q.pool("default");
    q.pods(3, 3000, 1);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.launches.size(), 3u);
    EXPECT_NEAR(plan.price.dollars(), 0.6, 1e-9);
    EXPECT_NEAR(plan.lower_bound.dollars(), 0.6, 1e-6)
        << "nine cores would cost 0.44, but no machine holds two pods";
}

TEST(Provision, of_few_pods_that_no_room_holds_the_machines_are_the_cheapest) {
    Question q;
    q.types = std::make_shared<const std::vector<InstanceType>>(std::vector<InstanceType>{
        a_type("four", 4, 16, 0.2), a_type("seven", 7, 28, 0.36), a_type("ten", 10, 40, 0.49)});
    q.pool("default");
    q.pods(5, 3000, 1);
    q.room("node-1", 3000, 8);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.placements.size(), 1u);
    EXPECT_NEAR(plan.price.dollars(), 0.69, 1e-9) << "three on ten cores, one on four";
}

TEST(Provision, room_that_is_there_is_used_first) {
    Question q;
    q.pool("default");
    q.pods(3, 1000, 1);
    q.room("node-1", 2000, 8);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.placements.size(), 2u);
    EXPECT_EQ(plan.launches.size(), 1u);
}

TEST(Provision, a_room_is_used_only_by_those_it_admits) {
    Question q;
    q.pool("default");
    q.pods(1, 100, 1, in(api::kZoneLabel, {"b"}));
    q.room("in-a", 2000, 8).labels.add(Requirement::in(std::string(api::kZoneLabel), {"a"}));
    q.room("tainted", 2000, 8).taints = {{"k", "v", "NoSchedule", {}}};
    q.room("unlabelled", 2000, 8);
    const Plan plan = q.plan();
    EXPECT_TRUE(plan.placements.empty());
    ASSERT_EQ(plan.launches.size(), 1u);
    EXPECT_EQ(plan.launches[0].spec->zone, "b");
}

TEST(Provision, pods_of_different_zones_never_share_a_machine) {
    Question q;
    q.pool("default");
    q.pods(2, 100, 1, in(api::kZoneLabel, {"a"}));
    q.pods(2, 100, 1, in(api::kZoneLabel, {"b"}));
    q.pods(2, 100, 1);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.launches.size(), 2u);
    EXPECT_TRUE(plan.waits.empty());
}

TEST(Provision, the_heavier_pool_is_bought_from_first) {
    Question q;
    q.pool("heavy", 10).taints = {{"k", "v", "NoSchedule", {}}};
    q.pool("light", 1);
    q.pods(1, 100, 1, {}, {{"k", "Exists", "", ""}});
    const Plan tolerant = q.plan();
    ASSERT_EQ(tolerant.launches.size(), 1u);
    EXPECT_EQ(tolerant.launches[0].spec->pool, 0u);
    Question other;
    other.pool("heavy", 10).taints = {{"k", "v", "NoSchedule", {}}};
    other.pool("light", 1);
    other.pods(1, 100, 1);
    ASSERT_EQ(other.plan().launches.size(), 1u);
    EXPECT_EQ(other.plan().launches[0].spec->pool, 1u);
}

TEST(Provision, limits_are_never_overshot_by_a_batch) {
    Question q;
    q.pool("default").remaining = {{"cpu", 20000}};
    q.pods(40, 1000, 1);
    const Plan plan = q.plan();
    rules::Resources bought;
    for (const Launch& launch : plan.launches) {
        for (const std::string& name : launch.spec->types) {
            const auto it =
                std::find_if(q.types->begin(), q.types->end(), [&](const auto& t) { return t.name == name; });
            if (name == launch.spec->types.front()) bought += it->capacity;
        }
    }
    EXPECT_LE(bought.cpu_milli, 20000);
    EXPECT_GE(bought.cpu_milli, 18000) << "and used as far as they go";
    EXPECT_FALSE(plan.waits.empty());
    EXPECT_NE(plan.waits[0].reason.find("limits"), std::string::npos) << plan.waits[0].reason;
}

// More than it may have already, and of no use to these pods.
TEST(Provision, a_pool_over_its_limits_changes_nothing_for_the_others) {
    const auto with_pods = [](Question& q) {
        q.pool("default");
        for (const int cpu_milli : {250, 700, 900, 1300, 1700}) q.pods(17, cpu_milli, 1);
    };
    Question alone;
    with_pods(alone);
    Question beside;
    with_pods(beside);
    model::PoolView& other = beside.pool("other");
    other.taints.push_back({"team", "blue", "NoSchedule", {}});
    other.remaining = {{"cpu", -4000}, {"nodes", -1}};
    EXPECT_EQ(beside.plan().price, alone.plan().price);
    EXPECT_EQ(beside.plan().lower_bound, alone.plan().lower_bound);
}

TEST(Provision, under_limits_no_stand_in_counts_for_more) {
    Question q;
    q.pool("default").remaining = {{"cpu", 4000}};
    q.pods(1, 1000, 1);
    EXPECT_EQ(q.plan().launches.at(0).spec->types, (std::vector<std::string>{"small"}));
}

TEST(Provision, the_nodes_limit_counts_machines) {
    Question q;
    q.pool("default").remaining = {{"nodes", 2}};
    q.pods(60, 1000, 1);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.launches.size(), 2u);
    EXPECT_EQ(plan.waits.size(), 28u);
}

TEST(Provision, a_label_the_pool_leaves_open_is_agreed_on_by_all_pods_of_a_machine) {
    Question q;
    q.pool("default").requirements.add(Requirement::in("team", {"red", "blue"}));
    q.pods(2, 100, 1, in("team", {"red"}));
    q.pods(2, 100, 1, in("team", {"blue"}));
    q.pods(1, 100, 1, in("team", {"green"}));
    q.pods(1, 100, 1, in("unknown", {"x"}));
    const Plan plan = q.plan();
    EXPECT_EQ(plan.launches.size(), 2u);
    ASSERT_EQ(plan.waits.size(), 2u);
    EXPECT_NE(plan.waits[0].reason.find("team In [green]"), std::string::npos) << plan.waits[0].reason;
    EXPECT_NE(plan.waits[1].reason.find("unknown"), std::string::npos) << plan.waits[1].reason;
    for (const Launch& launch : plan.launches)
        EXPECT_TRUE(launch.spec->requirements.find("team")->is_single());
}

TEST(Provision, a_pod_too_large_hears_how_far_the_nearest_type_was) {
    Question q;
    q.pool("default");
    q.pods(1, 20000, 1);
    q.pods(3, 1000, 1);
    const Plan plan = q.plan();
    ASSERT_EQ(plan.waits.size(), 1u);
    EXPECT_EQ(plan.waits[0].reason,
              "NodePool default: the nearest type, large, is short of cpu: 20 asked, 16 free");
}

TEST(Provision, without_a_pool_every_pod_hears_so) {
    Question q;
    q.pods(1, 100, 1);
    EXPECT_EQ(q.plan().waits.at(0).reason, "there is no NodePool that is ready");
}

TEST(Provision, daemons_leave_less_room) {
    Question q;
    q.pool("default");
    auto daemon = std::make_shared<rules::PodShape>();
    daemon->requests.cpu_milli = 1500;
    daemon->requests.pods = 1;
    daemon->required.emplace_back();
    q.snapshot.daemons.push_back({"kube-system/agent", daemon});
    q.pods(1, 1000, 1);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.launches.at(0).spec->types.front(), "medium");
    EXPECT_EQ(plan.launches.at(0).spec->requests.cpu_milli, 2500);
}

TEST(Provision, min_values_keep_a_machine_flexible) {
    Question q;
    q.pool_of_types({"small", "medium", "large", "memory"}, 3);
    q.pods(8, 1000, 1);
    const Plan strict = q.plan();
    EXPECT_TRUE(strict.waits.empty());
    for (const Launch& launch : strict.launches) EXPECT_GE(launch.spec->types.size(), 3u);
    q.snapshot.pods.clear();
    q.pods(1, 10000, 1);
    EXPECT_EQ(q.plan().waits.size(), 1u);
    const Plan relaxed = q.plan({MinValuesPolicy::kBestEffort, 100});
    ASSERT_EQ(relaxed.launches.size(), 1u);
    EXPECT_TRUE(relaxed.launches[0].spec->min_values_relaxed);
}

// However it is planned: by price, by the fill, by first fit.
const std::vector<std::vector<std::string_view>> kWays = {{}, {"greedy"}, {"greedy", "fill"}};

TEST(Provision, the_first_pod_of_a_machine_lowers_min_values_and_others_may_join_it) {
    for (const auto& without : kWays) {
        Question q;
        q.types = std::make_shared<const std::vector<InstanceType>>(
            std::vector<InstanceType>{a_type("large", 16, 32, 0.70), a_type("memory", 4, 32, 0.30)});
        q.pool_of_types({"large", "memory"}, 2);
        q.pods(2, 5000, 1);
        ProvisionOptions options;
        options.without = without;
        EXPECT_EQ(q.plan(options).waits.size(), 2u);
        options.min_values_policy = MinValuesPolicy::kBestEffort;
        const Plan plan = q.plan(options);
        ASSERT_EQ(plan.launches.size(), 1u) << without.size();
        EXPECT_EQ(plan.launches[0].pods.size(), 2u);
        EXPECT_TRUE(plan.launches[0].spec->min_values_relaxed);
        EXPECT_EQ(plan.launches[0].spec->requirements.find(api::kInstanceTypeLabel)->min_values(), 1)
            << "the claim asks for what there is";
    }
}

TEST(Provision, no_pod_that_joins_a_machine_lowers_its_min_values) {
    for (const auto& without : kWays) {
        Question q;
        q.pool_of_types({"small", "medium", "large", "memory"}, 3);
        q.pods(2, 3000, 1);
        ProvisionOptions options;
        options.without = without;
        options.min_values_policy = MinValuesPolicy::kBestEffort;
        const Plan plan = q.plan(options);
        EXPECT_EQ(plan.launches.size(), 2u) << without.size();
        for (const Launch& launch : plan.launches) {
            EXPECT_FALSE(launch.spec->min_values_relaxed);
            EXPECT_EQ(launch.spec->requirements.find(api::kInstanceTypeLabel)->min_values(), 3);
        }
    }
}

TEST(Provision, a_cost_by_the_node_makes_for_fewer_nodes) {
    Question q;
    model::PoolView& pool = q.pool("default");
    q.pods(30, 1000, 1);
    const Plan by_price = q.plan();
    q.snapshot.pools.front().node_cost = rules::Money::from_dollars(0.5);
    const Plan by_node = q.plan();
    EXPECT_EQ(by_node.node_cost,
              rules::Money::from_dollars(0.5 * static_cast<double>(by_node.launches.size())));
    EXPECT_LE(by_node.launches.size(), by_price.launches.size());
    EXPECT_LE(
        by_node.price + by_node.node_cost,
        by_price.price + rules::Money::from_dollars(0.5 * static_cast<double>(by_price.launches.size())));
    EXPECT_GT(by_node.lower_bound, by_price.lower_bound);
    static_cast<void>(pool);
}

// The bound, the choice and the sums go by what offerings cost with their interruptions; the price is the
// list price still.
TEST(Provision, what_interruptions_cost_makes_for_another_choice_and_is_no_price) {
    const struct {
        double cost;  // Of each offering in zone a, where prices are a cent lower.
        const char* zone;
    } cases[] = {{0, "a"}, {0.009, "a"}, {0.011, "b"}, {5, "b"}};
    for (const auto& c : cases) {
        Question q;
        q.pool("default");
        auto types = std::make_shared<std::vector<rules::InstanceType>>(*q.types);
        for (rules::InstanceType& type : *types) {
            type.offerings[0].interruption_cost = rules::Money::from_dollars(c.cost);
            type.offerings[1].price += rules::Money::from_dollars(0.01);
        }
        q.snapshot.pools.front().types = std::move(types);
        q.pods(30, 1000, 1);
        const Plan plan = q.plan();
        rules::Money price;
        rules::Money interruptions;
        for (const Launch& launch : plan.launches) {
            const bool is_calm = c.zone[0] == 'b';
            EXPECT_EQ(launch.spec->zone, c.zone) << c.cost;
            EXPECT_EQ(launch.spec->interruption_cost, rules::Money::from_dollars(is_calm ? 0 : c.cost));
            EXPECT_EQ(launch.spec->paid_for_fewer_interruptions,
                      rules::Money::from_dollars(is_calm ? 0.01 : 0));
            price += launch.spec->price;
            interruptions += launch.spec->interruption_cost;
        }
        EXPECT_EQ(plan.price, price);
        EXPECT_EQ(plan.node_cost, interruptions);
        EXPECT_LE(plan.lower_bound, plan.price + plan.node_cost);
    }
}

TEST(Provision, where_all_are_interrupted_alike_their_cost_stands_beside_the_price) {
    Question q;
    q.pool("default");
    auto types = std::make_shared<std::vector<rules::InstanceType>>(*q.snapshot.pools.front().types);
    for (rules::InstanceType& type : *types) {
        for (rules::Offering& offering : type.offerings)
            offering.interruption_cost = rules::Money::from_dollars(0.5);
    }
    q.snapshot.pools.front().types = std::move(types);
    q.pods(30, 1000, 1);
    const Plan plan = q.plan();
    EXPECT_EQ(plan.node_cost, rules::Money::from_dollars(0.5 * static_cast<double>(plan.launches.size())));
    EXPECT_GT(plan.lower_bound, plan.price);  // The bound counts it.
    EXPECT_LE(plan.lower_bound, plan.price + plan.node_cost);
    for (const Launch& launch : plan.launches)
        EXPECT_EQ(launch.spec->paid_for_fewer_interruptions, rules::Money{});
}

TEST(Provision, passes_are_named_and_timed_by_the_clock_that_is_handed_in) {
    Question q;
    q.pool("default");
    q.pods(30, 1000, 1);
    double now = 100;
    ProvisionOptions options;
    options.clock = [&] { return now += 0.001; };
    const Plan plan = q.plan(options);
    ASSERT_FALSE(plan.passes.empty());
    double sum = 0;
    for (const PassReport& pass : plan.passes) {
        EXPECT_FALSE(pass.name.empty());
        EXPECT_GT(pass.seconds, 0) << pass.name;
        sum += pass.seconds;
    }
    EXPECT_GT(plan.first_plan_seconds, 0);
    EXPECT_LT(plan.first_plan_seconds, sum);
    EXPECT_EQ(plan.passes.back().price, plan.price);
}

TEST(Provision, the_search_ends_the_sooner_the_longer_it_took_to_read_the_question) {
    Question q;
    q.pool("default");
    for (int i = 0; i < 12; ++i) q.pods(20, 300 + 170 * i, 1 + i % 3);
    // When the search ended, with a clock that moves at every look.
    const auto end_of_search = [&](double reading_seconds) {
        double next = 0;
        bool is_first = true;
        ProvisionOptions options;
        options.good_enough = 0;
        options.clock = [&] {
            const double now = next;
            next += is_first ? reading_seconds : 0.001;
            is_first = false;
            return now;
        };
        const Plan plan = q.plan(options);
        double end = reading_seconds;
        for (const PassReport& pass : plan.passes) {
            end += pass.seconds;
            if (pass.name == "improve") break;
        }
        return end;
    };
    EXPECT_NEAR(end_of_search(0.001), 0.475, 0.02) << "a little is left in any case";
    EXPECT_NEAR(end_of_search(0.05), 0.395, 0.02);
    EXPECT_NEAR(end_of_search(0.3), 0.35, 0.02) << "and not too much";
}

TEST(Provision, a_clock_that_runs_out_still_leaves_a_whole_plan) {
    Question q;
    q.pool("default");
    q.pods(300, 700, 1);
    q.pods(200, 300, 3);
    double now = 0;
    ProvisionOptions options;
    options.clock = [&] { return now += 10; };
    const Plan plan = q.plan(options);
    EXPECT_TRUE(plan.waits.empty());
}

TEST(Provision, room_goes_to_the_pods_that_save_the_most) {
    Question question;
    question.pool("default");
    // Largest first would put three cores on each room and leave one of them unused.
    for (int i = 0; i < 10; ++i) question.room("room-" + std::to_string(i), 4000, 64);
    question.pods(10, 3000, 1);
    question.pods(20, 2000, 1);
    const Plan plan = question.plan();
    EXPECT_EQ(plan.placements.size(), 20u);
    EXPECT_TRUE(plan.waits.empty());
}

// Of the pool, and of a commitment of so many machines "small" in zone a.
void split_pool(Question& question, const std::string& name, std::int64_t count) {
    model::PoolView whole = std::move(question.pool(name));
    question.snapshot.pools.pop_back();
    const rules::Commitments commitments = {
        {.name = "three", .instance_type = "small", .zone = "a", .amount = count * 1000}};
    for (model::PoolView& part : model::split_by_commitment(whole, commitments, {count * 1000}))
        question.snapshot.pools.push_back(std::move(part));
}

std::size_t paid_for(const Question& question, const Plan& plan) {
    return static_cast<std::size_t>(
        std::count_if(plan.launches.begin(), plan.launches.end(), [&](const Launch& launch) {
            return !question.snapshot.pools[launch.spec->pool].commitment.empty();
        }));
}

TEST(Provision, what_is_paid_for_is_used_first_and_the_cheapest_bought_for_the_rest) {
    Question question;
    split_pool(question, "default", 3);
    question.pods(5, 1500, 1);
    const Plan plan = question.plan();
    EXPECT_TRUE(plan.waits.empty());
    EXPECT_EQ(paid_for(question, plan), 3u);
    EXPECT_NEAR(plan.price.dollars(), 0.19, 1e-4) << "one medium machine for the other two";
    EXPECT_GT(plan.lower_bound.dollars(), 0.1) << "it counts how much there is";
    for (const Launch& launch : plan.launches) {
        if (question.snapshot.pools[launch.spec->pool].commitment.empty()) continue;
        EXPECT_EQ(launch.spec->types, std::vector<std::string>{"small"});
        EXPECT_TRUE(launch.spec->requirements.find(api::kZoneLabel)->is_single());
        EXPECT_EQ(launch.spec->requests.get(model::kCommitmentResource), 0);
    }
}

TEST(Provision, two_pools_do_not_use_a_commitment_twice) {
    Question question;
    split_pool(question, "open", 3);
    split_pool(question, "other", 3);
    question.pods(2, 1500, 1, in(api::kNodePoolLabel, {"open"}));
    question.pods(2, 1500, 1, in(api::kNodePoolLabel, {"other"}));
    const Plan plan = question.plan();
    EXPECT_TRUE(plan.waits.empty());
    EXPECT_EQ(paid_for(question, plan), 3u);
    EXPECT_NEAR(plan.price.dollars(), 0.1, 1e-4);
}

}  // namespace
}  // namespace joiner::plan
