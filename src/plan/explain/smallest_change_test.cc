#include "plan/explain/smallest_change.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "base/rng.h"
#include "base/testing/seeds.h"
#include "plan/explain/lone_pod.h"

namespace joiner::plan {
namespace {

using Types = std::shared_ptr<const std::vector<rules::InstanceType>>;

std::string text(std::string_view view) {
    return std::string(view);
}

// 2, 4 and 8 cores in zones a and b; the largest in zone a alone.
Types three_types() {
    std::vector<rules::InstanceType> out;
    for (const std::int64_t cores : {2, 4, 8}) {
        rules::InstanceType type;
        type.name = fmt::format("c{}", cores);
        type.capacity.cpu_milli = cores * 1000;
        type.capacity.memory_bytes = cores << 31;
        type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
        type.capacity.pods = 110;
        std::vector<std::string> zones = {"a"};
        if (cores < 8) zones.push_back("b");
        for (const std::string& zone : zones) {
            rules::Offering offering;
            offering.requirements.add_labels(
                {{text(api::kZoneLabel), zone}, {text(api::kCapacityTypeLabel), text(api::kOnDemand)}});
            offering.price = rules::Money::from_dollars(0.05 * static_cast<double>(cores));
            type.offerings.push_back(offering);
        }
        type.requirements.add_labels({{text(api::kInstanceTypeLabel), type.name},
                                      {text(api::kArchLabel), "amd64"},
                                      {text(api::kOSLabel), "linux"},
                                      {text(api::kCapacityTypeLabel), text(api::kOnDemand)}});
        type.requirements.add(rules::Requirement::in(text(api::kZoneLabel), zones));
        out.push_back(std::move(type));
    }
    return std::make_shared<const std::vector<rules::InstanceType>>(std::move(out));
}

api::Pod a_pod() {
    api::Pod pod;
    pod.meta.name = "web-1";
    pod.meta.ns = "ns";
    pod.meta.uid = "1";
    pod.meta.labels = {{"app", "web"}};
    api::Container& container = pod.spec.containers.emplace_back();
    container.requests = {{"cpu", Quantity::of_units(1)}, {"memory", Quantity::of_units(1 << 30)}};
    return pod;
}

api::NodePool a_pool() {
    api::NodePool pool;
    pool.meta.name = "default";
    return pool;
}

struct Objects {
    api::Pod pod = a_pod();
    api::NodePool pool = a_pool();
    std::vector<api::Pod> others;  // Bound to nodes.
    std::vector<api::Node> nodes;
};

void fill(const Objects& objects, model::Cluster& cluster) {
    for (const api::Node& node : objects.nodes) cluster.upsert(node);
    for (const api::Pod& pod : objects.others) cluster.upsert(pod);
    cluster.upsert(objects.pool);
    cluster.upsert(objects.pod);
}

model::SnapshotInputs inputs() {
    static const Types kTypes = three_types();
    model::SnapshotInputs out;
    out.types = [](const api::NodePool&) { return kTypes; };
    out.is_usable = [](const api::NodePool&) { return true; };
    return out;
}

// From new: nothing of what the search uses but the objects.
bool is_planned(const Objects& objects) {
    model::Cluster cluster(rules::PreferencePolicy::kRespect);
    fill(objects, cluster);
    const model::Snapshot snapshot = [&] {
        model::Snapshot out = model::make_snapshot(cluster, inputs());
        for (model::RoomView& room : out.rooms) room.free = {};
        return out;
    }();
    const Plan plan = plan_provisioning(snapshot, {});
    return plan.launches.size() == 1 && plan.launches.front().spec->pool == 0;
}

bool is_planned_after(const Objects& objects, const std::vector<Change>& changes) {
    Objects changed = objects;
    carry_out(changes, changed.pod, changed.pool);
    return is_planned(changed);
}

struct Found {
    bool is_open = false;
    SmallestChange change;
    std::vector<Change> possible;
};

Found explain(const Objects& objects, std::size_t most_tries = kMostChangeTries) {
    model::Cluster cluster(rules::PreferencePolicy::kRespect);
    fill(objects, cluster);
    const model::SnapshotInputs asked = inputs();
    LonePod lone(cluster, asked, {}, objects.pod);
    Found out;
    const LonePod::Answer answer = lone.ask(objects.pool);
    out.is_open = answer.machine != nullptr;
    EXPECT_EQ(out.is_open, answer.why_not.empty());
    if (out.is_open) return out;
    const auto shape = lone.shape();
    out.possible = possible_changes(objects.pod, objects.pool, *shape);
    out.change = find_smallest_change(
        objects.pod, objects.pool, *shape,
        [&](const api::Pod& pod, const api::NodePool& pool) {
            return lone.ask(pod, pool).machine != nullptr;
        },
        most_tries);
    return out;
}

std::string words_of(const std::vector<Change>& changes) {
    std::string out;
    for (const Change& one : changes) out += (out.empty() ? "" : " and ") + in_words(one, "default");
    return out;
}

std::string best(const Objects& objects) {
    const Found found = explain(objects);
    if (found.is_open) return "open";
    return found.change.found.empty() ? "none" : words_of(found.change.found.front());
}

struct Case {
    const char* name;
    void (*make)(Objects&);
    const char* expected;
};

const Case kCases[] = {
    {"as it is", [](Objects&) {}, "open"},
    {"a taint", [](Objects& o) { o.pool.node_template.taints = {{"gpu", "yes", "NoSchedule", {}}}; },
     "a toleration of gpu=yes:NoSchedule on the pod"},
    {"a selector nobody meets", [](Objects& o) { o.pod.spec.node_selector = {{"disk", "ssd"}}; },
     "the pod without its nodeSelector disk=ssd"},
    {"an affinity expression",
     [](Objects& o) {
         o.pod.spec.has_required_node_terms = true;
         o.pod.spec.required_node_terms = {
             {{{text(api::kArchLabel), "In", {"amd64"}, {}}, {"disk", "Exists", {}, {}}}, {}}};
     },
     "the pod without what its node affinity asks of disk"},
    {"two terms that fit nowhere each lack one thing",
     [](Objects& o) {
         o.pod.spec.has_required_node_terms = true;
         o.pod.spec.required_node_terms = {{{{"disk", "In", {"ssd"}, {}}}, {}},
                                           {{{"rack", "In", {"1"}, {}}}, {}}};
     },
     "the pod without what its node affinity asks of disk"},
    {"cores", [](Objects& o) { o.pod.spec.containers[0].requests["cpu"] = Quantity::of_milli(9500); },
     "the pod asking for 8 of cpu at most, not 9500m"},
    {"memory of two containers",
     [](Objects& o) {
         o.pod.spec.containers.push_back(o.pod.spec.containers[0]);
         for (api::Container& one : o.pod.spec.containers)
             one.requests["memory"] = Quantity::of_units(std::int64_t{12} << 30);
     },
     "the pod asking for 16Gi of memory at most, not 24Gi"},
    {"a resource nobody has",
     [](Objects& o) { o.pod.spec.containers[0].requests["gpu.example.com/one"] = Quantity::of_units(2); },
     "the pod asking for 0 of gpu.example.com/one at most, not 2"},
    {"cores and memory by the same part",
     [](Objects& o) {
         o.pod.spec.containers[0].requests = {{"cpu", Quantity::of_units(16)},
                                              {"memory", Quantity::of_units(std::int64_t{32} << 30)}};
     },
     "the pod asking for 8 of cpu at most, not 16 and the pod asking for 16Gi of memory at most, not 32Gi"},
    {"a limit", [](Objects& o) { o.pool.limits = {{"cpu", Quantity::of_units(1)}}; },
     "a limit of 2 of cpu on NodePool default, not 1"},
    {"two limits",
     [](Objects& o) { o.pool.limits = {{"cpu", Quantity::of_units(1)}, {"nodes", Quantity::of_units(0)}}; },
     "a limit of 2 of cpu on NodePool default, not 1 and a limit of 1 of nodes on NodePool default, not 0"},
    {"a zone the pool is kept from",
     [](Objects& o) {
         o.pod.spec.node_selector = {{text(api::kZoneLabel), "b"}};
         o.pool.node_template.requirements = {{text(api::kZoneLabel), "In", {"a"}, {}}};
     },
     "the pod without its nodeSelector topology.kubernetes.io/zone=b"},
    {"a large pod in the zone without large types",
     [](Objects& o) {
         o.pod.spec.containers[0].requests["cpu"] = Quantity::of_units(6);
         o.pod.spec.node_selector = {{text(api::kZoneLabel), "b"}};
     },
     "the pod without its nodeSelector topology.kubernetes.io/zone=b"},
    {"taint and selector",
     [](Objects& o) {
         o.pool.node_template.taints = {{"gpu", "", "NoExecute", {}}};
         o.pod.spec.node_selector = {{"disk", "ssd"}};
     },
     "a toleration of gpu:NoExecute on the pod and the pod without its nodeSelector disk=ssd"},
    {"three things too many",
     [](Objects& o) {
         o.pool.node_template.taints = {{"gpu", "", "NoExecute", {}}};
         o.pod.spec.node_selector = {{"disk", "ssd"}, {"rack", "1"}};
     },
     "none"},
    {"anti-affinity to what is everywhere",
     [](Objects& o) {
         api::PodAffinityTerm term;
         term.topology_key = text(api::kOSLabel);
         term.selector = api::LabelSelector{{{"app", "db"}}, {}};
         o.pod.spec.required_pod_anti_affinity = {term};
         api::Node node;
         node.meta.name = "n";
         node.meta.labels = {{text(api::kOSLabel), "linux"}, {text(api::kHostnameLabel), "n"}};
         node.allocatable = {{"cpu", Quantity::of_units(2)}, {"pods", Quantity::of_units(10)}};
         o.nodes = {node};
         api::Pod db = a_pod();
         db.meta.name = "db";
         db.meta.uid = "2";
         db.meta.labels = {{"app", "db"}};
         db.spec.node_name = "n";
         o.others = {db};
     },
     "the pod without its anti-affinity over kubernetes.io/os"},
    {"affinity to what is nowhere",
     [](Objects& o) {
         api::PodAffinityTerm term;
         term.topology_key = text(api::kZoneLabel);
         term.selector = api::LabelSelector{{{"app", "db"}}, {}};
         o.pod.spec.required_pod_affinity = {term};
     },
     "the pod without its pod affinity over topology.kubernetes.io/zone"},
    {"minValues",
     [](Objects& o) {
         o.pool.node_template.requirements = {{text(api::kInstanceTypeLabel), "Exists", {}, 9}};
     },
     "NodePool default without minValues on node.kubernetes.io/instance-type"},
    {"a requirement that no type meets",
     [](Objects& o) { o.pool.node_template.requirements = {{text(api::kArchLabel), "In", {"s390x"}, {}}}; },
     "NodePool default without its requirement on kubernetes.io/arch"},
    {"a label that must not be there",
     [](Objects& o) {
         o.pool.node_template.labels = {{"disk", "ssd"}};
         o.pod.spec.has_required_node_terms = true;
         o.pod.spec.required_node_terms = {{{{"disk", "DoesNotExist", {}, {}}}, {}}};
     },
     "the pod without what its node affinity asks of disk"},
};

TEST(SmallestChangeTest, is_found_for_each_rule_and_has_the_effect_that_is_said) {
    for (const Case& one : kCases) {
        SCOPED_TRACE(one.name);
        Objects objects;
        one.make(objects);
        EXPECT_EQ(best(objects), one.expected);
        for (const std::vector<Change>& changes : explain(objects).change.found)
            EXPECT_TRUE(is_planned_after(objects, changes)) << words_of(changes);
    }
}

TEST(SmallestChangeTest, a_single_change_of_the_pool_is_among_those_that_would_do) {
    Objects objects;
    objects.pool.node_template.taints = {{"gpu", "yes", "NoSchedule", {}}};
    objects.pod.spec.node_selector = {};
    std::vector<std::string> words;
    for (const std::vector<Change>& changes : explain(objects).change.found)
        words.push_back(words_of(changes));
    EXPECT_EQ(words, (std::vector<std::string>{"a toleration of gpu=yes:NoSchedule on the pod",
                                               "NodePool default without its taint gpu=yes:NoSchedule"}));
}

TEST(SmallestChangeTest, work_is_bounded_and_what_was_left_out_is_said) {
    Objects objects;
    for (int i = 0; i < 40; ++i) objects.pod.spec.node_selector[fmt::format("key-{}", i)] = "x";
    const Found hopeless = explain(objects);
    EXPECT_TRUE(hopeless.change.found.empty());
    EXPECT_FALSE(hopeless.change.is_cut);
    EXPECT_LT(hopeless.change.tries, 10u) << "three needed changes are enough to know";
    const Found found = explain(objects, 2);
    EXPECT_TRUE(found.change.found.empty());
    EXPECT_TRUE(found.change.is_cut);
    EXPECT_EQ(found.change.tries, 2u);
}

TEST(SmallestChangeTest, a_cluster_is_left_as_it_was) {
    Objects objects;
    objects.pool.node_template.taints = {{"gpu", "yes", "NoSchedule", {}}};
    model::Cluster cluster(rules::PreferencePolicy::kRespect);
    fill(objects, cluster);
    const model::SnapshotInputs asked = inputs();
    {
        LonePod lone(cluster, asked, {}, objects.pod);
        Objects other = objects;
        other.pool.node_template.taints.clear();
        EXPECT_NE(lone.ask(other.pod, other.pool).machine, nullptr);
        EXPECT_EQ(lone.ask(objects.pool).machine, nullptr);
    }
    EXPECT_EQ(cluster.find_pool("default")->pool.node_template.taints.size(), 1u);
    EXPECT_EQ(model::make_snapshot(cluster, asked).pods.size(), 1u);
}

// --- random worlds

Objects random_objects(Rng& rng) {
    const auto chance = [&](std::uint64_t one_in) { return rng.below(one_in) == 0; };
    const auto pick = [&](std::initializer_list<const char*> words) {
        return std::string(*(words.begin() + rng.below(words.size())));
    };
    const std::string zone = text(api::kZoneLabel);
    Objects out;
    api::NodePoolTemplate& nodes = out.pool.node_template;
    api::PodSpec& spec = out.pod.spec;
    if (chance(2)) nodes.taints.push_back({pick({"gpu", "team"}), pick({"", "x"}), "NoSchedule", {}});
    if (chance(4)) nodes.taints.push_back({"old", "", "NoExecute", {}});
    if (chance(2)) nodes.labels["disk"] = pick({"ssd", "hdd"});
    if (chance(3)) nodes.requirements.push_back({zone, "In", {pick({"a", "b"})}, {}});
    if (chance(4)) nodes.requirements.push_back({"rack", pick({"In", "NotIn"}), {"1"}, {}});
    if (chance(8))
        nodes.requirements.push_back(
            {text(api::kInstanceTypeLabel), "Exists", {}, 2 + static_cast<int>(rng.below(3))});
    if (chance(3)) out.pool.limits = {{"cpu", Quantity::of_units(static_cast<std::int64_t>(rng.below(6)))}};
    if (out.pool.limits && chance(2))
        (*out.pool.limits)["memory"] = Quantity::of_units(static_cast<std::int64_t>(rng.below(8)) << 30);
    if (chance(3)) spec.node_selector["disk"] = pick({"ssd", "none"});
    if (chance(3)) spec.node_selector[zone] = pick({"a", "b", "c"});
    if (chance(4)) spec.node_selector["rack"] = pick({"1", "2"});
    if (chance(2)) {
        spec.has_required_node_terms = true;
        for (std::uint64_t i = 1 + rng.below(2); i > 0; --i) {
            api::NodeSelectorTerm term;
            for (std::uint64_t j = 1 + rng.below(2); j > 0; --j)
                term.match_expressions.push_back({pick({"disk", "rack", "tier", zone.c_str()}),
                                                  pick({"In", "NotIn"}),
                                                  {pick({"a", "1", "ssd"})},
                                                  {}});
            spec.required_node_terms.push_back(std::move(term));
        }
    }
    if (chance(3))
        spec.containers[0].requests["cpu"] = Quantity::of_milli(static_cast<std::int64_t>(rng.below(14'000)));
    if (chance(4))
        spec.containers[0].requests["memory"] =
            Quantity::of_units(static_cast<std::int64_t>(rng.below(30)) << 30);
    if (chance(6)) spec.containers[0].requests["example.com/gpu"] = Quantity::of_units(1);
    if (chance(4)) spec.tolerations.push_back({"gpu", "Exists", "", ""});
    if (chance(4)) {
        api::PodAffinityTerm term;
        term.topology_key = zone;
        term.selector = api::LabelSelector{{{"app", pick({"db", "web"})}}, {}};
        (chance(2) ? spec.required_pod_affinity : spec.required_pod_anti_affinity).push_back(term);
    }
    for (const char* name : {"n-a", "n-b"}) {
        api::Node node;
        node.meta.name = name;
        node.meta.labels = {{zone, std::string(1, name[2])}, {text(api::kHostnameLabel), name}};
        node.allocatable = {{"cpu", Quantity::of_units(2)}, {"pods", Quantity::of_units(10)}};
        out.nodes.push_back(node);
        if (chance(2)) continue;
        api::Pod db = a_pod();
        db.meta.name = fmt::format("db-{}", name);
        db.meta.uid = db.meta.name;
        db.meta.labels = {{"app", pick({"db", "web"})}};
        db.spec.node_name = name;
        out.others.push_back(db);
    }
    return out;
}

std::int64_t step_of_amount(const Change& change) {
    if (change.key == "memory") return 1 << 20;
    return change.key == "cpu" && change.kind == ChangeKind::kRaiseLimit ? 1000 : 1;
}

TEST(SmallestChangeTest, in_random_worlds_it_has_its_effect_and_nothing_smaller_has) {
    std::size_t singles = 0;
    std::size_t pairs = 0;
    std::size_t hopeless = 0;
    for (std::uint64_t seed = 1; seed <= seeds<std::uint64_t>(600); ++seed) {
        SCOPED_TRACE(seed);
        Rng rng(seed);
        const Objects objects = random_objects(rng);
        const Found found = explain(objects);
        ASSERT_EQ(found.is_open, is_planned(objects));
        if (found.is_open) continue;
        ASSERT_FALSE(found.change.is_cut);
        const auto& all = found.change.found;
        for (const std::vector<Change>& changes : all) {
            ASSERT_TRUE(is_planned_after(objects, changes)) << words_of(changes);
            // One step less does not do.
            for (std::size_t i = 0; i < changes.size(); ++i) {
                std::vector<Change> less = changes;
                const std::int64_t step = step_of_amount(less[i]);
                if (less[i].kind == ChangeKind::kLowerRequest) {
                    less[i].to += step;
                } else if (less[i].kind == ChangeKind::kRaiseLimit) {
                    less[i].to -= step;
                } else {
                    less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
                }
                ASSERT_FALSE(is_planned_after(objects, less)) << words_of(changes);
            }
        }
        if (!all.empty() && all.front().size() == 1) {
            ++singles;
            continue;
        }
        for (const Change& one : found.possible)
            ASSERT_FALSE(is_planned_after(objects, {one})) << words_of({one});
        if (!all.empty()) {
            ++pairs;
            continue;
        }
        ++hopeless;
        for (std::size_t j = 0; j < found.possible.size(); ++j) {
            for (std::size_t i = 0; i < j; ++i)
                ASSERT_FALSE(is_planned_after(objects, {found.possible[i], found.possible[j]}));
        }
    }
    EXPECT_GT(singles, 15u);
    EXPECT_GT(pairs, 10u);
    EXPECT_GT(hopeless, 5u);
}

}  // namespace
}  // namespace joiner::plan
