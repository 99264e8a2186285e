#include "plan/verify/checker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/names.h"

namespace joiner::plan {
namespace {

using rules::Requirement;

const std::string kZone(api::kZoneLabel);
const std::string kHost(api::kHostnameLabel);

api::LabelSelector app(const std::string& name) {
    return {{{"app", name}}, {}};
}

// A pod of the app `name`, and what it asks.
class PodBuilder {
  public:
    explicit PodBuilder(const std::string& name) {
        pod_.meta.ns = "ns";
        pod_.meta.labels = {{"app", name}};
        pod_.spec.containers.emplace_back().requests["cpu"] = Quantity::of_milli(100);
    }
    PodBuilder& cpu(std::int64_t milli) {
        pod_.spec.containers[0].requests["cpu"] = Quantity::of_milli(milli);
        return *this;
    }
    PodBuilder& urgent(std::int32_t priority) {
        pod_.spec.priority = priority;
        return *this;
    }
    PodBuilder& in_zone(const std::string& zone) {
        pod_.spec.node_selector[kZone] = zone;
        return *this;
    }
    PodBuilder& with(const std::string& key, const std::string& name) {
        pod_.spec.required_pod_affinity.push_back({app(name), key, {}, {}, {}, {}});
        return *this;
    }
    PodBuilder& without(const std::string& key, const std::string& name) {
        pod_.spec.required_pod_anti_affinity.push_back({app(name), key, {}, {}, {}, {}});
        return *this;
    }
    PodBuilder& spread(const std::string& key, const std::string& name, int min_domains = 0) {
        api::TopologySpreadConstraint spread;
        spread.topology_key = key;
        spread.selector = app(name);
        spread.when_unsatisfiable = "DoNotSchedule";
        if (min_domains > 0) spread.min_domains = min_domains;
        pod_.spec.topology_spread.push_back(spread);
        return *this;
    }
    PodBuilder& port(int port, const std::string& ip = "") {
        pod_.spec.containers[0].ports.push_back({port, ip, "TCP"});
        return *this;
    }
    std::shared_ptr<const rules::PodLabels> labels() const {
        return std::make_shared<const rules::PodLabels>(rules::PodLabels{pod_.meta.ns, pod_.meta.labels});
    }
    std::shared_ptr<const rules::PodShape> shape() const {
        return std::make_shared<const rules::PodShape>(
            rules::make_pod_shape(pod_, rules::PreferencePolicy::kRespect));
    }

  private:
    api::Pod pod_;
};

// Rooms a-1, a-2 and b-1 of one core each (the letter is the zone), and one pool with one type in both zones.
class WorldBuilder {
  public:
    WorldBuilder() {
        for (const char* name : {"a-1", "a-2", "b-1"}) {
            model::RoomView room;
            room.name = name;
            room.labels.add_labels({{kHost, name}, {kZone, std::string(1, name[0])}});
            room.free.cpu_milli = 1000;
            room.free.pods = 10;
            snapshot.rooms.push_back(std::move(room));
        }
        rules::InstanceType type;
        type.name = "small";
        type.capacity.cpu_milli = 2000;
        type.capacity.pods = 10;
        type.requirements.add(Requirement::in(kZone, {"a", "b"}));
        for (const char* zone : {"a", "b"}) {
            rules::Offering offering;
            offering.requirements.add(Requirement::in(kZone, {zone}));
            offering.requirements.add(
                Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(api::kOnDemand)}));
            offering.price = rules::Money::from_dollars(0.1);
            type.offerings.push_back(offering);
        }
        model::PoolView pool;
        pool.name = "default";
        pool.types = std::make_shared<const std::vector<rules::InstanceType>>(
            std::vector<rules::InstanceType>{std::move(type)});
        snapshot.pools.push_back(std::move(pool));
    }
    WorldBuilder& running(const PodBuilder& pod, model::PlaceIndex place, std::uint32_t times = 1) {
        snapshot.standing.push_back({pod.labels(), pod.shape(), false, {{place, times}}});
        return *this;
    }
    WorldBuilder& on(const PodBuilder& pod, model::RoomIndex room) {
        plan.placements.push_back({add(pod), room});
        return *this;
    }
    WorldBuilder& on_new(const PodBuilder& pod, const std::string& zone) {
        MachineSpec spec;
        spec.types = {"small"};
        spec.zone = zone;
        spec.capacity_type = api::kOnDemand;
        spec.price = rules::Money::from_dollars(0.1);
        plan.launches.push_back({std::make_shared<const MachineSpec>(spec), {add(pod)}});
        return *this;
    }
    WorldBuilder& limit(const std::string& name, std::int64_t left) {
        snapshot.pools[0].remaining.emplace_back(name, left);
        return *this;
    }
    std::string verdict(Order order = Order::kAny) const {
        std::string out;
        for (const Violation& one : check_plan(snapshot, plan, order))
            out += fmt::format("{}: {}\n", snapshot.pods[one.pod].id.name(), one.what);
        return out;
    }

    model::Snapshot snapshot;
    Plan plan;

  private:
    model::PodIndex add(const PodBuilder& pod) {
        const auto index = static_cast<model::PodIndex>(snapshot.pods.size());
        snapshot.pods.push_back({{"ns", fmt::format("p{}", index), ""}, pod.shape(), kNoTime, pod.labels()});
        return index;
    }
};

using P = PodBuilder;
using W = WorldBuilder;

struct Case {
    const char* name;
    W world;
    const char* verdict;  // Part of it; empty: the plan is good.
};

TEST(Checker, knows_the_rules) {
    const Case cases[] = {
        {"room is shared", W().on(P("x").cpu(500), 0).on(P("x").cpu(500), 0), ""},
        {"room is exceeded", W().on(P("x").cpu(600), 0).on(P("x").cpu(600), 0), "too little room"},
        {"a zone is asked for", W().on(P("x").in_zone("b"), 0), "its node affinity"},
        {"a new node has its zone", W().on_new(P("x").in_zone("b"), "b"), ""},
        {"a new node of another zone", W().on_new(P("x").in_zone("b"), "a"), "its node affinity"},
        {"limits hold", W().limit("nodes", 1).on_new(P("x"), "a"), ""},
        {"limits are overshot", W().limit("nodes", 1).on_new(P("x"), "a").on_new(P("x"), "a"), "is overshot"},
        {"affinity starts with itself", W().on(P("x").with(kZone, "x"), 0).on(P("x").with(kZone, "x"), 1),
         ""},
        {"affinity starts once", W().on(P("x").with(kZone, "x"), 0).on(P("x").with(kZone, "x"), 2),
         "its pod affinity is not met"},
        {"affinity to a pod that comes later", W().on(P("x").with(kHost, "y"), 0).on(P("y"), 0), ""},
        {"affinity to a pod elsewhere", W().on(P("x").with(kHost, "y"), 0).on(P("y"), 1),
         "its pod affinity is not met"},
        {"affinity to a running pod", W().running(P("y"), 1).on(P("x").with(kZone, "y"), 0), ""},
        {"affinity to each other", W().on(P("x").with(kZone, "y"), 0).on(P("y").with(kZone, "x"), 0),
         "its pod affinity is not met"},
        {"anti-affinity holds", W().on(P("x").without(kHost, "x"), 0).on(P("x").without(kHost, "x"), 1), ""},
        {"anti-affinity is broken", W().on(P("x").without(kZone, "x"), 0).on(P("x").without(kZone, "x"), 1),
         "its anti-affinity"},
        {"anti-affinity holds both ways", W().on(P("y"), 0).on(P("x").without(kHost, "y"), 0),
         "its anti-affinity"},
        {"running pods have anti-affinity too", W().running(P("x").without(kZone, "y"), 0).on(P("y"), 1),
         "the anti-affinity of running pods"},
        {"it ends at the zone", W().running(P("x").without(kZone, "y"), 0).on(P("y"), 2), ""},
        {"spread is level", W().on(P("x").spread(kZone, "x"), 0).on(P("x").spread(kZone, "x"), 2), ""},
        {"spread is not level", W().on(P("x").spread(kZone, "x"), 0).on(P("x").spread(kZone, "x"), 1),
         "its spread over"},
        {"spread levels what runs", W().running(P("x"), 0, 2).on(P("x").spread(kZone, "x"), 2), ""},
        {"spread counts what runs", W().running(P("x"), 0, 2).on(P("x").spread(kZone, "x"), 1),
         "its spread over"},
        {"pods without the rule come after", W().on(P("x"), 0).on(P("x"), 0).on(P("x").spread(kZone, "x"), 1),
         ""},
        {"or before, where that helps",
         W().running(P("x"), 0, 1).on(P("x").spread(kZone, "x"), 0).on(P("x"), 2), ""},
        {"a zone less than minDomains",
         W().on(P("x").spread(kZone, "x", 3), 0).on(P("x").spread(kZone, "x", 3), 2), ""},
        {"minDomains forbid a second",
         W().running(P("x"), 0).running(P("x"), 2).on(P("x").spread(kZone, "x", 3), 0), "its spread over"},
        {"pods that their own spread does not count come after those that it does",
         W().on(P("x").spread(kZone, "y"), 0)
             .on(P("x").spread(kZone, "y"), 0)
             .on(P("x").spread(kZone, "x"), 0)
             .on(P("x").spread(kZone, "x"), 2),
         ""},
        {"ports differ", W().on(P("x").port(80), 0).on(P("x").port(81), 0), ""},
        {"ports clash", W().on(P("x").port(80), 0).on(P("x").port(80), 0), "host port 80"},
        {"addresses differ", W().on(P("x").port(80, "10.0.0.1"), 0).on(P("x").port(80, "10.0.0.2"), 0), ""},
        {"the wildcard clashes", W().on(P("x").port(80, "10.0.0.1"), 0).on(P("x").port(80), 0),
         "host port 80"},
        {"a running pod's port", W().running(P("x").port(80), 0).on(P("y").port(80), 0), "host port 80"},
    };
    for (const Case& one : cases) {
        const std::string verdict = one.world.verdict();
        if (*one.verdict == '\0') {
            EXPECT_EQ(verdict, "") << one.name;
        } else {
            EXPECT_NE(verdict.find(one.verdict), std::string::npos) << one.name << ": " << verdict;
        }
    }
}

TEST(Checker, takes_the_urgent_first_where_that_is_asked) {
    const P less = P("x").urgent(1).spread(kZone, "x");
    const Case cases[] = {
        {"the urgent one is there first", W().on(P("x").urgent(2), 2).on(less, 2), "p1: its spread over"},
        {"and where it helps", W().on(P("x").urgent(2), 0).on(less, 2).on(less, 0), ""},
        {"one as urgent may come after", W().on(P("x").urgent(1), 2).on(less, 2), ""},
        {"more urgent than one that spreads, less than another",
         W().on(P("x").urgent(2), 2).on(P("x").urgent(3).spread(kZone, "x"), 2), ""},
        {"of two that spread each by its own urgency",
         W().on(P("x").urgent(2), 2)
             .on(P("x").urgent(2), 2)
             .on(P("x").urgent(3).spread(kZone, "x"), 0)
             .on(less, 2),
         "p3: its spread over"},
        {"what spreads itself waits for others",
         W().on(P("x").urgent(2).spread(kZone, "x"), 0)
             .on(P("x").urgent(2).spread(kZone, "x"), 2)
             .on(less, 0),
         ""},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(one.world.verdict(), "");
        const std::string verdict = one.world.verdict(Order::kUrgentFirst);
        EXPECT_EQ(verdict.empty(), *one.verdict == 0) << verdict;
        EXPECT_NE(verdict.find(one.verdict), std::string::npos) << verdict;
    }
}

TEST(Checker, takes_the_free_first_where_that_is_asked) {
    const P spread = P("x").urgent(1).spread(kZone, "x");
    EXPECT_EQ(W().on(P("x").urgent(0), 2).on(spread, 2).verdict(Order::kFreeFirst), "");
    EXPECT_NE(W().on(P("x").urgent(1), 2).on(spread, 2).verdict(Order::kFreeFirst), "");
}

TEST(Checker, counts_every_pod_once) {
    W world;
    world.on(P("x"), 0).on(P("x"), 1);
    world.plan.waits.push_back({0, "waits too"});
    EXPECT_NE(world.verdict().find("p0: it stands in the plan 2 times"), std::string::npos);
    world.plan.waits.clear();
    world.plan.placements.pop_back();
    EXPECT_NE(world.verdict().find("p1: it stands in the plan 0 times"), std::string::npos);
}

TEST(Checker, lets_those_wait_that_break_a_rule) {
    W world;
    world.on(P("x").without(kHost, "y"), 0).on(P("y"), 1).on_new(P("z").in_zone("b"), "a");
    world.plan.price = rules::Money::from_dollars(0.1);
    drop_violations(world.snapshot, world.plan);
    EXPECT_EQ(world.plan.placements.size(), 2u);
    EXPECT_TRUE(world.plan.launches.empty());
    EXPECT_EQ(world.plan.price, rules::Money{});
    ASSERT_EQ(world.plan.waits.size(), 1u);
    EXPECT_EQ(world.plan.waits[0].pod, 2u);
    EXPECT_EQ(world.verdict(), "");
}

}  // namespace
}  // namespace joiner::plan
