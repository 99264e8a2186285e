// Plans for random small clusters, each held against Kubernetes' own rules as written down once more here, in
// the plainest way and without the planner's words.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "api/names.h"
#include "base/rng.h"
#include "base/testing/seeds.h"
#include "plan/provision/provision.h"

namespace joiner::plan {
namespace {

using Labels = std::map<std::string, std::string>;
using Amounts = std::map<std::string, std::int64_t>;
using rules::Requirement;

const char* const kZones[] = {"a", "b", "c"};
const std::string kZone(api::kZoneLabel);
const std::string kCapacityType(api::kCapacityTypeLabel);
const std::string kArch(api::kArchLabel);
const std::string kType(api::kInstanceTypeLabel);
const std::string kPool(api::kNodePoolLabel);

Amounts amounts(const rules::Resources& r) {
    Amounts out{{"cpu", r.cpu_milli},
                {"memory", r.memory_bytes},
                {"pods", r.pods},
                {"ephemeral-storage", r.ephemeral_bytes}};
    for (const auto& [name, amount] : r.extended) out[name] = amount;
    return out;
}
void add(Amounts& to, const Amounts& what) {
    for (const auto& [name, amount] : what) to[name] += amount;
}
bool fits(const Amounts& asked, const Amounts& there) {
    return std::all_of(asked.begin(), asked.end(), [&](const auto& one) {
        const auto it = there.find(one.first);
        return one.second <= 0 || (it != there.end() && one.second <= it->second);
    });
}

// Does a node with these labels meet it?
bool meets(const Labels& labels, const Requirement& wanted) {
    const auto it = labels.find(wanted.key());
    const auto listed = [&](const std::string& v) {
        return std::find(wanted.values().begin(), wanted.values().end(), v) != wanted.values().end();
    };
    switch (wanted.op()) {
        case rules::Operator::kIn:
            return it != labels.end() && listed(it->second);
        case rules::Operator::kNotIn:
            return it == labels.end() ? wanted.allows_absence() : !listed(it->second);
        case rules::Operator::kExists:
            return it != labels.end();
        case rules::Operator::kDoesNotExist:
            return it == labels.end();
    }
    return false;
}
bool meets_any(const Labels& labels, const std::vector<rules::Requirements>& alternatives) {
    return std::any_of(alternatives.begin(), alternatives.end(), [&](const rules::Requirements& one) {
        return std::all_of(one.begin(), one.end(), [&](const Requirement& r) { return meets(labels, r); });
    });
}
bool tolerated(const std::vector<api::Toleration>& tolerations, const std::vector<api::Taint>& taints) {
    return std::all_of(taints.begin(), taints.end(), [&](const api::Taint& taint) {
        if (taint.effect == "PreferNoSchedule") return true;
        return std::any_of(tolerations.begin(), tolerations.end(), [&](const api::Toleration& t) {
            if (!t.effect.empty() && t.effect != taint.effect) return false;
            if (t.op == "Exists") return t.key.empty() || t.key == taint.key;
            return t.key == taint.key && t.value == taint.value;
        });
    });
}

rules::InstanceType random_type(Rng& rng, int index) {
    rules::InstanceType type;
    type.name = fmt::format("t{}", index);
    const int cpus = 1 << rng.below(6);
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = static_cast<std::int64_t>(cpus) * (1 + static_cast<int>(rng.below(8))) << 30;
    type.capacity.pods = 2 + static_cast<std::int64_t>(rng.below(30));
    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
    if (rng.below(6) == 0) type.capacity.set("nvidia.com/gpu", 1 + static_cast<std::int64_t>(rng.below(4)));
    type.overhead.cpu_milli = 100;
    type.overhead.memory_bytes = 100 << 20;
    type.requirements.add(Requirement::in(kType, {type.name}));
    type.requirements.add(Requirement::in(kArch, {rng.below(3) == 0 ? "arm64" : "amd64"}));
    type.requirements.add(Requirement::in(std::string(api::kOSLabel), {"linux"}));
    std::vector<std::string> zones;
    std::vector<std::string> capacity_types;
    const double price = 0.03 * cpus * (0.7 + 0.6 * rng.unit());
    for (const char* zone : kZones) {
        for (const char* capacity_type : {"on-demand", "spot"}) {
            if (rng.below(4) == 0) continue;
            rules::Offering offering;
            offering.requirements.add(Requirement::in(kZone, {zone}));
            offering.requirements.add(Requirement::in(kCapacityType, {capacity_type}));
            offering.price = rules::Money::from_dollars(price * (*capacity_type == 's' ? 0.6 : 1));
            offering.available = rng.below(8) != 0;
            type.offerings.push_back(offering);
            zones.emplace_back(zone);
            capacity_types.emplace_back(capacity_type);
        }
    }
    type.requirements.add(Requirement::in(kZone, zones));
    type.requirements.add(Requirement::in(kCapacityType, capacity_types));
    return type;
}

std::shared_ptr<rules::PodShape> finished(rules::PodShape shape) {
    // Keys as rules::make_pod_shape makes them: equal exactly for what is equal.
    for (const auto& one : shape.required) shape.constraint_key += "{" + one.to_string() + "}";
    for (const auto& t : shape.tolerations)
        shape.constraint_key += fmt::format("|{} {} {} {}", t.key, t.op, t.value, t.effect);
    shape.constraint_key += fmt::format("|{}", shape.priority);
    shape.key = shape.constraint_key;
    for (const auto& [name, amount] : amounts(shape.requests))
        shape.key += fmt::format("/{}={}", name, amount);
    return std::make_shared<rules::PodShape>(std::move(shape));
}

Requirement random_requirement(Rng& rng) {
    switch (rng.below(7)) {
        case 0:
            return Requirement::in(kZone, {kZones[rng.below(3)]});
        case 1:
            return Requirement::not_in(kZone, {kZones[rng.below(3)]});
        case 2:
            return Requirement::in(kCapacityType, {rng.below(2) ? "spot" : "on-demand"});
        case 3:
            return Requirement::in(kArch, {rng.below(2) ? "amd64" : "arm64"});
        case 4:
            return Requirement::in("team", {rng.below(2) ? "red" : "blue"});
        case 5:
            return Requirement::not_in("team", {"red"});
        default:
            return Requirement::does_not_exist("team");
    }
}
const api::Taint kTaints[] = {{"dedicated", "a", "NoSchedule", {}},
                              {"dedicated", "b", "NoSchedule", {}},
                              {"evict", "", "NoExecute", {}},
                              {"rather-not", "", "PreferNoSchedule", {}}};
api::Toleration random_toleration(Rng& rng) {
    switch (rng.below(4)) {
        case 0:
            return {"dedicated", "Equal", "a", ""};
        case 1:
            return {"dedicated", "Exists", "", "NoSchedule"};
        case 2:
            return {"evict", "Exists", "", ""};
        default:
            return {"", "Exists", "", ""};
    }
}

rules::PodShape random_shape(Rng& rng, int scale) {
    rules::PodShape shape;
    shape.requests.cpu_milli =
        static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(scale) * 100)) * 10;
    shape.requests.memory_bytes = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(scale) * 16))
                                  << 26;
    shape.requests.pods = 1;
    if (rng.below(15) == 0) shape.requests.set("nvidia.com/gpu", 1 + static_cast<std::int64_t>(rng.below(2)));
    const std::size_t alternatives = rng.below(6) == 0 ? 2 : 1;
    for (std::size_t i = 0; i < alternatives; ++i) {
        rules::Requirements one;
        for (std::uint64_t n = rng.below(4) == 0 ? 1 + rng.below(2) : 0; n > 0; --n)
            one.add(random_requirement(rng));
        shape.required.push_back(std::move(one));
    }
    while (rng.below(4) == 0) shape.tolerations.push_back(random_toleration(rng));
    if (rng.below(10) == 0) shape.priority = 100;
    return shape;
}

model::Snapshot random_snapshot(Rng& rng) {
    model::Snapshot out;
    std::vector<rules::InstanceType> types;
    const int type_count = 1 + static_cast<int>(rng.below(8));
    while (static_cast<int>(types.size()) < type_count) {
        rules::InstanceType type = random_type(rng, static_cast<int>(types.size()));
        if (!type.offerings.empty()) types.push_back(std::move(type));
    }
    const auto shared = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    for (std::uint64_t p = rng.below(4); p > 0; --p) {
        model::PoolView pool;
        pool.name = fmt::format("pool-{}", p);
        pool.weight = static_cast<int>(rng.below(3)) * 10;
        pool.types = shared;
        pool.requirements.add(Requirement::in(kPool, {pool.name}));
        if (rng.below(3) == 0) pool.requirements.add(Requirement::in(kZone, {"a", "b"}));
        if (rng.below(3) == 0) pool.requirements.add(Requirement::in(kCapacityType, {"on-demand"}));
        if (rng.below(3) == 0) pool.requirements.add(Requirement::in(kArch, {"amd64"}));
        if (rng.below(3) == 0)
            pool.requirements.add(Requirement::in("team", rng.below(2)
                                                              ? std::vector<std::string>{"red"}
                                                              : std::vector<std::string>{"red", "blue"}));
        while (rng.below(3) == 0) pool.taints.push_back(kTaints[rng.below(4)]);
        if (rng.below(3) == 0)
            pool.remaining.emplace_back("cpu", static_cast<std::int64_t>(rng.below(60)) * 1000 - 4000);
        if (rng.below(6) == 0)
            pool.remaining.emplace_back("memory", static_cast<std::int64_t>(rng.below(200)) << 30);
        if (rng.below(6) == 0) pool.remaining.emplace_back("nodes", static_cast<std::int64_t>(rng.below(5)));
        if (rng.below(12) == 0)
            pool.remaining.emplace_back("nvidia.com/gpu", static_cast<std::int64_t>(rng.below(3)));
        out.pools.push_back(std::move(pool));
    }
    std::sort(out.pools.begin(), out.pools.end(),
              [](const auto& a, const auto& b) { return a.weight > b.weight; });
    for (std::uint64_t r = rng.below(5); r > 0; --r) {
        model::RoomView room;
        room.name = fmt::format("room-{}", r);
        room.free.cpu_milli = static_cast<std::int64_t>(rng.below(8000)) - 500;
        room.free.memory_bytes = static_cast<std::int64_t>(rng.below(16)) << 30;
        room.free.pods = static_cast<std::int64_t>(rng.below(8));
        if (rng.below(5) == 0) room.free.set("nvidia.com/gpu", 1);
        room.labels.add_labels({{kZone, kZones[rng.below(3)]}, {kArch, "amd64"}, {kCapacityType, "spot"}});
        if (rng.below(2)) room.labels.add_labels({{"team", "red"}});
        while (rng.below(4) == 0) room.taints.push_back(kTaints[rng.below(4)]);
        out.rooms.push_back(std::move(room));
    }
    for (std::uint64_t d = rng.below(3); d > 0; --d) {
        rules::PodShape shape = random_shape(rng, 1);
        shape.requests.extended.clear();
        out.daemons.push_back({fmt::format("daemon-{}", d), finished(std::move(shape))});
    }
    const std::uint64_t pods = 1 + rng.below(60);
    while (out.pods.size() < pods) {
        const auto shape = finished(random_shape(rng, 1 + static_cast<int>(rng.below(12))));
        for (std::uint64_t n = 1 + rng.below(8); n > 0 && out.pods.size() < pods; --n) {
            const std::string name = fmt::format("p{}", out.pods.size());
            out.pods.push_back({{"ns", name, name}, shape, kNoTime});
        }
    }
    // One that planning does not cover.
    if (rng.below(5) == 0) {
        rules::PodShape shape = *out.pods[0].shape;
        shape.problem = "it asks for the moon";
        shape.key += shape.problem;
        shape.constraint_key += shape.problem;
        out.pods[0].shape = std::make_shared<rules::PodShape>(std::move(shape));
    }
    return out;
}

// The labels a new node of the type and offering will carry. What the pool leaves open is fixed by the
// launch.
std::optional<Labels> node_labels(const model::PoolView& pool, const rules::InstanceType& type,
                                  const rules::Offering& offering, const rules::Requirements& launch) {
    Labels out;
    for (const Requirement& r : type.requirements) {
        if (r.is_single()) out[r.key()] = r.values().front();
    }
    for (const Requirement& r : offering.requirements) out[r.key()] = r.values().front();
    for (const rules::Requirements* source : {&pool.requirements, &launch}) {
        for (const Requirement& r : *source) {
            if (out.contains(r.key())) {
                if (!r.allows(out[r.key()])) return std::nullopt;
            } else if (const std::string value =
                           launch.find(r.key()) ? launch.find(r.key())->any_value() : r.any_value();
                       !value.empty()) {
                out[r.key()] = value;
            }
        }
    }
    return out;
}

struct Checker {
    const model::Snapshot& snapshot;
    const Plan& plan;

    Amounts daemons_on(const Labels& labels, const std::vector<api::Taint>& taints) const {
        Amounts sum;
        for (const model::DaemonView& daemon : snapshot.daemons) {
            if (tolerated(daemon.shape->tolerations, taints) && meets_any(labels, daemon.shape->required)) {
                add(sum, amounts(daemon.shape->requests));
            }
        }
        return sum;
    }

    void every_pod_once() const {
        std::vector<int> seen(snapshot.pods.size(), 0);
        for (const Placement& p : plan.placements) ++seen.at(p.pod);
        for (const Wait& w : plan.waits) {
            ++seen.at(w.pod);
            EXPECT_FALSE(w.reason.empty()) << snapshot.pods[w.pod].id.name();
        }
        for (const Launch& launch : plan.launches) {
            EXPECT_FALSE(launch.pods.empty());
            for (const model::PodIndex pod : launch.pods) ++seen.at(pod);
        }
        for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], 1) << snapshot.pods[i].id.name();
    }

    void rooms() const {
        std::map<model::RoomIndex, Amounts> asked;
        for (const Placement& p : plan.placements) {
            const model::RoomView& room = snapshot.rooms.at(p.room);
            const rules::PodShape& shape = *snapshot.pods[p.pod].shape;
            EXPECT_TRUE(shape.problem.empty());
            EXPECT_TRUE(tolerated(shape.tolerations, room.taints))
                << snapshot.pods[p.pod].id.name() << " on " << room.name;
            Labels labels;
            for (const Requirement& r : room.labels) labels[r.key()] = r.values().front();
            EXPECT_TRUE(meets_any(labels, shape.required))
                << snapshot.pods[p.pod].id.name() << " on " << room.name;
            add(asked[p.room], amounts(shape.requests));
        }
        for (const auto& [room, sum] : asked)
            EXPECT_TRUE(fits(sum, amounts(snapshot.rooms[room].free))) << snapshot.rooms[room].name;
    }

    void launch(const Launch& launch) const {
        const model::PoolView& pool = snapshot.pools.at(launch.spec->pool);
        ASSERT_FALSE(launch.spec->types.empty());
        for (std::size_t i = 0; i < launch.spec->types.size(); ++i) {
            const auto type = std::find_if(pool.types->begin(), pool.types->end(),
                                           [&](const auto& t) { return t.name == launch.spec->types[i]; });
            ASSERT_NE(type, pool.types->end());
            // The offering the plan names for the first; for the others some offering must do.
            bool some_offering_does = false;
            for (const rules::Offering& offering : type->offerings) {
                const bool is_named = offering.zone() == launch.spec->zone &&
                                      offering.capacity_type() == launch.spec->capacity_type;
                if (!offering.available || (i == 0 && (!is_named || offering.price != launch.spec->price)))
                    continue;
                some_offering_does |= holds(launch, pool, *type, offering);
            }
            EXPECT_TRUE(some_offering_does) << "type " << type->name << " of pool " << pool.name;
        }
        for (const model::PodIndex pod : launch.pods) {
            EXPECT_TRUE(tolerated(snapshot.pods[pod].shape->tolerations, pool.taints))
                << snapshot.pods[pod].id.name();
            EXPECT_TRUE(snapshot.pods[pod].shape->problem.empty());
        }
    }

    bool holds(const Launch& launch, const model::PoolView& pool, const rules::InstanceType& type,
               const rules::Offering& offering) const {
        const auto labels = node_labels(pool, type, offering, launch.spec->requirements);
        if (!labels) return false;
        Amounts asked = daemons_on(*labels, pool.taints);
        for (const model::PodIndex pod : launch.pods) {
            if (!meets_any(*labels, snapshot.pods[pod].shape->required)) return false;
            add(asked, amounts(snapshot.pods[pod].shape->requests));
        }
        return fits(asked, amounts(type.allocatable()));
    }

    // Whichever of its types each machine becomes, the limits hold.
    std::vector<Amounts> counted() const {
        std::vector<Amounts> out(snapshot.pools.size());
        for (const Launch& launch : plan.launches) {
            Amounts most;
            for (const auto& type : *snapshot.pools[launch.spec->pool].types) {
                if (std::find(launch.spec->types.begin(), launch.spec->types.end(), type.name) ==
                    launch.spec->types.end())
                    continue;
                for (const auto& [name, amount] : amounts(type.capacity))
                    most[name] = std::max(most[name], amount);
            }
            most["nodes"] = 1;
            add(out[launch.spec->pool], most);
        }
        return out;
    }
    void limits() const {
        const std::vector<Amounts> bought = counted();
        for (std::size_t p = 0; p < snapshot.pools.size(); ++p) {
            for (const auto& [name, left] : snapshot.pools[p].remaining) {
                const auto it = bought[p].find(name);
                if (it == bought[p].end() || it->second == 0) continue;
                EXPECT_LE(it->second, left) << snapshot.pools[p].name << ' ' << name;
            }
        }
    }

    void money() const {
        rules::Money sum;
        for (const Launch& launch : plan.launches) sum += launch.spec->price;
        EXPECT_EQ(sum, plan.price);
        EXPECT_LE(plan.lower_bound, plan.price);
    }

    // Nothing that waits would have found a machine of its own within what the limits leave.
    void waits() const {
        const std::vector<Amounts> bought = counted();
        for (const Wait& wait : plan.waits) {
            const model::PodView& pod = snapshot.pods[wait.pod];
            if (!pod.shape->problem.empty()) continue;
            for (std::size_t p = 0; p < snapshot.pools.size(); ++p) {
                for (const auto& type : *snapshot.pools[p].types) {
                    EXPECT_FALSE(could_be_alone(pod, snapshot.pools[p], bought[p], type))
                        << pod.id.name() << " waits (" << wait.reason << "), yet " << type.name << " of "
                        << snapshot.pools[p].name << " would hold it";
                }
            }
        }
    }

    bool could_be_alone(const model::PodView& pod, const model::PoolView& pool, const Amounts& bought,
                        const rules::InstanceType& type) const {
        if (!tolerated(pod.shape->tolerations, pool.taints)) return false;
        for (const auto& [name, left] : pool.remaining) {
            const auto it = bought.find(name);
            const Amounts capacity = amounts(type.capacity);
            const auto own = capacity.find(name);
            const std::int64_t more = name == "nodes" ? 1 : own == capacity.end() ? 0 : own->second;
            if (more > 0 && (it == bought.end() ? 0 : it->second) + more > left) return false;
        }
        for (const rules::Offering& offering : type.offerings) {
            if (!offering.available) continue;
            for (const rules::Requirements& wanted : pod.shape->required) {
                rules::Requirements launch = pool.requirements;
                bool is_defined = true;
                for (const Requirement& r : wanted) {
                    const bool known = pool.requirements.has(r.key()) || type.requirements.has(r.key()) ||
                                       offering.requirements.has(r.key());
                    is_defined &= known || r.allows_absence();
                    if (known) launch.add(r);
                }
                if (!is_defined || !rules::intersects(pool.requirements, wanted)) continue;
                const auto labels = node_labels(pool, type, offering, launch);
                if (!labels || !meets_any(*labels, {wanted})) continue;
                Amounts asked = daemons_on(*labels, pool.taints);
                // The plan reckons a daemon in where any value left open would bring it.
                for (const model::DaemonView& daemon : snapshot.daemons) {
                    if (!daemon.shape->required.front().empty() || daemon.shape->required.size() > 1)
                        add(asked, amounts(daemon.shape->requests));
                }
                add(asked, amounts(pod.shape->requests));
                if (fits(asked, amounts(type.allocatable()))) return true;
            }
        }
        return false;
    }
};

// Enough for the search to take many steps on worlds of this size, and for thousands of them in a minute.
constexpr std::uint64_t kEffort = 100'000;

TEST(RandomPlans, keep_the_rules_of_kubernetes) {
    std::size_t launches = 0;
    std::size_t placements = 0;
    std::size_t waits = 0;
    for (std::uint64_t seed = 1; seed <= seeds(2000u); ++seed) {
        Rng rng(seed);
        const model::Snapshot snapshot = random_snapshot(rng);
        ProvisionOptions options;
        options.effort = kEffort;
        const Plan plan = plan_provisioning(snapshot, options);
        const Checker checker{snapshot, plan};
        SCOPED_TRACE(fmt::format("seed {}", seed));
        checker.every_pod_once();
        checker.rooms();
        for (const Launch& launch : plan.launches) checker.launch(launch);
        checker.limits();
        checker.money();
        checker.waits();
        if (HasFailure()) break;
        launches += plan.launches.size();
        placements += plan.placements.size();
        waits += plan.waits.size();
    }
    // The worlds are worth planning for: each kind of answer comes up often.
    if (!HasFailure()) {
        EXPECT_GT(launches, seeds(5000u));
        EXPECT_GT(placements, seeds(2000u));
        EXPECT_GT(waits, seeds(2000u));
    }
}

TEST(RandomPlans, the_search_never_costs_and_loses_no_pod) {
    int cheaper = 0;
    for (std::uint64_t seed = 1; seed <= seeds(300u); ++seed) {
        Rng rng(seed);
        const model::Snapshot snapshot = random_snapshot(rng);
        ProvisionOptions options;
        options.effort = kEffort;
        const Plan improved = plan_provisioning(snapshot, options);
        options.without = {"improve"};
        const Plan first = plan_provisioning(snapshot, options);
        options.without = {"greedy", "improve"};
        const Plan safe = plan_provisioning(snapshot, options);
        ASSERT_EQ(improved.waits.size(), first.waits.size()) << "seed " << seed;
        ASSERT_LE(improved.price, first.price) << "seed " << seed;
        ASSERT_LE(improved.waits.size(), safe.waits.size()) << "seed " << seed;
        cheaper += improved.price < first.price ? 1 : 0;
    }
    EXPECT_GT(cheaper, seeds(10)) << "a search that never finds anything is not being tested";
}

TEST(RandomPlans, are_the_same_for_the_same_question) {
    for (std::uint64_t seed = 1; seed <= seeds(100u); ++seed) {
        Rng rng(seed);
        const model::Snapshot snapshot = random_snapshot(rng);
        ProvisionOptions options;
        options.effort = kEffort;
        const Plan a = plan_provisioning(snapshot, options);
        const Plan b = plan_provisioning(snapshot, options);
        ASSERT_EQ(a.launches.size(), b.launches.size()) << "seed " << seed;
        for (std::size_t i = 0; i < a.launches.size(); ++i) {
            EXPECT_EQ(a.launches[i].pods, b.launches[i].pods) << "seed " << seed;
            EXPECT_EQ(a.launches[i].spec->types, b.launches[i].spec->types) << "seed " << seed;
        }
    }
}

}  // namespace
}  // namespace joiner::plan
