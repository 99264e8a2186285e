#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "api/names.h"
#include "cli/explain/subjects.h"
#include "cli/grouping.h"
#include "model/volume_places.h"
#include "plan/explain/lone_pod.h"
#include "plan/explain/smallest_change.h"
#include "rules/taints.h"

namespace joiner::cli {
namespace {

using PodJson = nlohmann::ordered_json;

// Of all pools together; a pool may have no more than plan::kMostChangeTries of them.
constexpr std::size_t kMostTriesInAll = 4'000;
constexpr std::size_t kMostPoolsShown = 6;
constexpr std::size_t kMostEvents = 3;

double rounded_dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

// What one NodePool has for the pod.
struct PoolVerdict {
    const api::NodePool* pool = nullptr;
    std::string unused;  // Why nothing is bought from it for any pod.
    plan::LonePod::Answer now;
    plan::SmallestChange change;
    plan::LonePod::Answer then;  // With the best change.

    bool is_open() const { return now.machine != nullptr; }
    bool has_change() const { return !change.found.empty(); }
};

std::string joined_words(const std::vector<plan::Change>& changes, const std::string& pool) {
    std::vector<std::string> words;
    for (const plan::Change& one : changes) words.push_back(plan::in_words(one, pool));
    return fmt::format("{}", fmt::join(words, ", and "));
}

std::string joined_advice(const std::vector<plan::Change>& changes, const std::string& pool) {
    std::vector<std::string> words;
    for (const plan::Change& one : changes) words.push_back(plan::as_advice(one, pool));
    return fmt::format("{}", fmt::join(words, ", and "));
}

std::size_t changes_of_pool(const std::vector<plan::Change>& changes) {
    return static_cast<std::size_t>(std::count_if(
        changes.begin(), changes.end(), [](const plan::Change& one) { return !plan::is_of_pod(one.kind); }));
}

PodJson machine_json(const plan::MachineSpec& spec, const std::string& pool) {
    return {{"nodePool", pool},
            {"instanceType", spec.types.empty() ? "" : spec.types.front()},
            {"zone", spec.zone},
            {"capacityType", spec.capacity_type},
            {"pricePerHour", rounded_dollars(spec.price)}};
}

class PodExplainer {
  public:
    explicit PodExplainer(AskedWorld& world)
        : world_(world),
          pod_(*world.pod()),
          key_(api::full_name(pod_.meta)),
          state_(*world.cluster().find_pod(key_)) {
        json_ = {{"kind", "Pod"}, {"name", key_}};
    }

    Answer explain() {
        add_demands();
        if (!state_.node_name.empty()) {
            explain_bound();
        } else if (std::string why = why_not_planned(); !why.empty()) {
            json_["state"] = word_;
            answer_.title = fmt::format("Pod {} {}.", key_, why);
        } else {
            explain_waiting();
        }
        answer_.finish(std::move(json_));
        return std::move(answer_);
    }

  private:
    // --- what it is

    void add_demands() {
        AnswerSection& out = answer_.section("What it asks for");
        std::string text = words_of(state_.shape->requests);
        for (const auto& [key, value] : pod_.spec.node_selector)
            text += fmt::format("; nodeSelector {}={}", key, value);
        std::size_t expressions = 0;
        for (const api::NodeSelectorTerm& term : pod_.spec.required_node_terms)
            expressions += term.match_expressions.size() + term.match_fields.size();
        if (pod_.spec.has_required_node_terms)
            text += fmt::format("; node affinity of {}", count_of(expressions, "expression"));
        const auto count = [&](std::size_t n, std::string_view noun) {
            if (n > 0) text += "; " + count_of(n, noun);
        };
        count(pod_.spec.required_pod_affinity.size(), "pod affinity rule");
        count(pod_.spec.required_pod_anti_affinity.size(), "anti-affinity rule");
        count(pod_.spec.topology_spread.size(), "spread rule");
        count(state_.volumes == nullptr ? 0 : state_.volumes->size(), "volume");
        if (const api::OwnerReference* owner = api::controller_of(pod_.meta))
            text += fmt::format("; made by {} {}", owner->kind, owner->name);
        out.say(std::move(text));
        for (const rules::Requirements& one : state_.shape->required) {
            if (!one.empty()) out.detail("of its node: " + one.to_string());
        }
    }

    // Why no plan looks at it, as what follows its name; sets what to do. Empty: it waits to be planned.
    std::string why_not_planned() {
        const auto is = [&](std::string word, std::string to_do) {
            word_ = std::move(word);
            answer_.to_do = std::move(to_do);
        };
        if (state_.is_terminal) {
            is("finished", "nothing; a pod that is finished needs no node.");
            return fmt::format("is finished ({}) and has no node", pod_.status.phase);
        }
        if (state_.deleted) {
            is("leaving", "nothing; it is being deleted.");
            return "is being deleted and has no node";
        }
        if (state_.has_gates) {
            is("gated",
               "have what set spec.schedulingGates take them off; until then nobody plans for the pod.");
            return "has scheduling gates";
        }
        if (state_.is_daemon) {
            is("daemon",
               "look at the node it is meant for (joiner explain node NAME): no node is bought for a "
               "DaemonSet.");
            return "is of a DaemonSet and has no node; no node is bought for it";
        }
        if (state_.is_mirror) {
            is("mirror", "nothing; its kubelet runs it.");
            return "is a static pod of its kubelet";
        }
        if (state_.shape->avoids_node_pools) {
            is("outside", "give it a node of no NodePool, or let it onto one (its node affinity says no).");
            return "asks for a node of no NodePool, and Joiner buys none for it";
        }
        if (model::is_nominated(world_.cluster(), state_)) {
            is("nominated", "nothing; kube-scheduler binds it when the room is free.");
            return fmt::format("is nominated to node {}, which keeps room for it", state_.nominated_node);
        }
        return {};
    }

    // --- on a node

    void explain_bound() {
        const model::NodeState* node = world_.cluster().find_node(state_.node_name);
        json_["node"] = state_.node_name;
        std::string word = state_.is_terminal ? "finished" : state_.deleted ? "leaving" : "bound";
        answer_.title =
            fmt::format("Pod {} {} node {}.", key_,
                        state_.is_terminal ? fmt::format("is finished ({}); it ran on", pod_.status.phase)
                        : state_.deleted   ? "is being deleted; it is on"
                                           : "runs on",
                        state_.node_name);
        json_["state"] = word;
        AnswerSection& where = answer_.section("Where it is");
        if (node == nullptr) {
            where.say(fmt::format("node {} was not read, so nothing is known of it", state_.node_name));
        } else {
            say_where(where, *node);
        }
        say_why_there(where);
        answer_.to_do = "nothing; it has its node.";
        if (state_.is_terminal || state_.deleted) {
            answer_.to_do = "nothing; what it holds on its node is free once it is gone.";
            return;
        }
        if (state_.is_daemon || state_.is_mirror) {
            where.say(state_.is_daemon
                          ? "a DaemonSet has one on each node that suits it; it goes with its node"
                          : "its kubelet runs it by itself; it goes with its node");
            return;
        }
        say_if_it_moved();
        if (node != nullptr && rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule))
            answer_.to_do = fmt::format("nothing; its node is on its way out (joiner explain node {}).",
                                        state_.node_name);
    }

    void say_where(AnswerSection& where, const model::NodeState& node) {
        const auto price = world_.price_of(node.node);
        const std::string_view pool = api::find_or_empty(node.node.meta.labels, api::kNodePoolLabel);
        where.say(fmt::format("{}, {}, {}", machine_of(node.node),
                              price ? an_hour(*price) : "of unknown price",
                              pool.empty() ? "of no NodePool" : fmt::format("of NodePool {}", pool)));
        if (const model::ClaimState* claim = world_.cluster().claim_of(node.node)) {
            where.say(fmt::format("NodeClaim {}", claim->claim.meta.name));
            const std::string_view passed_over =
                api::find_or_empty(claim->claim.meta.annotations, api::kPassedOverAnnotation);
            if (!passed_over.empty())
                where.say(fmt::format(
                    "NodePool {} weighs more, and had nothing for the pods when the node was bought",
                    passed_over));
        }
        PodJson machine = {
            {"instanceType", api::find_or_empty(node.node.meta.labels, api::kInstanceTypeLabel)},
            {"zone", api::find_or_empty(node.node.meta.labels, api::kZoneLabel)},
            {"capacityType", api::find_or_empty(node.node.meta.labels, api::kCapacityTypeLabel)},
            {"nodePool", pool}};
        if (price) machine["pricePerHour"] = rounded_dollars(*price);
        json_["machine"] = std::move(machine);
    }

    void say_why_there(AnswerSection& where) {
        const std::vector<std::string> events = events_of_pod();
        for (std::size_t i = 0; i < events.size() && i < kMostEvents; ++i) where.say(events[i]);
        if (events.empty())
            where.say("who bound it and why, its Events would say; none were read (kubectl describe pod)");
    }

    // The youngest first, "SuccessfulAssigned of kube-scheduler: …".
    std::vector<std::string> events_of_pod() const {
        std::vector<std::pair<std::string, std::string>> found;
        for (const Manifest& one : world_.manifests().objects) {
            if (one.document.kind != "Event") continue;
            const auto event = nlohmann::json::parse(one.document.json, nullptr, false);
            if (!event.is_object()) continue;
            const auto text = [](const nlohmann::json& from, const char* key) {
                return from.is_object() && from.contains(key) && from[key].is_string()
                           ? from[key].get<std::string>()
                           : std::string();
            };
            const nlohmann::json about =
                event.value(event.contains("regarding") ? "regarding" : "involvedObject", nlohmann::json());
            if (text(about, "kind") != "Pod" || text(about, "name") != pod_.meta.name ||
                text(about, "namespace") != pod_.meta.ns)
                continue;
            std::string at = text(event, "eventTime");
            if (at.empty()) at = text(event, "lastTimestamp");
            std::string who = text(event, "reportingComponent");
            if (who.empty()) who = text(event.value("source", nlohmann::json()), "component");
            std::string what = text(event, event.contains("note") ? "note" : "message");
            found.emplace_back(at, fmt::format("Event {}{}: {}", text(event, "reason"),
                                               who.empty() ? "" : " of " + who, what));
        }
        std::stable_sort(found.begin(), found.end(),
                         [](const auto& a, const auto& b) { return a.first > b.first; });
        std::vector<std::string> out;
        for (auto& [at, words] : found) out.push_back(std::move(words));
        return out;
    }

    void say_if_it_moved() {
        plan::LonePod lone(world_.cluster(), world_.inputs(), world_.options_for_one(), pod_);
        AnswerSection& out = answer_.section("If its node went");
        const std::string room = lone.room_of({pod_.spec.node_name});
        if (!room.empty()) {
            out.say(fmt::format("node {} has room for it", room));
            json_["ifItMoved"] = {{"node", room}};
        } else {
            out.say("no other node has room for it");
        }
        const std::vector<PoolVerdict> verdicts = judge_pools(lone);
        say_pools(verdicts);
        if (room.empty()) {
            const PoolVerdict* best = cheapest_open(verdicts);
            if (best == nullptr) {
                answer_.to_do =
                    "nothing now; but it would wait if its node went: mend what is said above first.";
            } else {
                answer_.sections[answer_.sections.size() - 2].say(
                    fmt::format("a new node would be bought: {}, of NodePool {}",
                                words_of(*best->now.machine), best->pool->meta.name));
                json_["ifItMoved"] = machine_json(*best->now.machine, best->pool->meta.name);
            }
        }
    }

    // --- waiting

    void explain_waiting() {
        json_["state"] = "waits";
        const model::Snapshot snapshot = model::make_snapshot(world_.cluster(), world_.inputs());
        const plan::Plan plan = world_.plan(snapshot);
        Placing placing = find(snapshot, plan);
        const bool is_there = std::any_of(
            world_.manifests().objects.begin(), world_.manifests().objects.end(), [&](const Manifest& one) {
                const api::Document& document = one.document;
                return document.kind == "Pod" && document.name == pod_.meta.name &&
                       (document.ns.empty() ? "default" : document.ns) == pod_.meta.ns;
            });
        std::vector<PoolVerdict> verdicts;
        {
            plan::LonePod lone(world_.cluster(), world_.inputs(), world_.options_for_one(), pod_);
            verdicts = judge_pools(lone);
            say_pools(verdicts);
            say_nodes(lone);
        }
        say_plan(snapshot, plan, placing, verdicts);
        answer_.title = fmt::format("Pod {} waits: {}.{}", key_, placing.summary,
                                    is_there ? "" : " It is not made yet; its workload wants it.");
        advise(placing, verdicts);
    }

    struct Placing {
        const plan::Launch* launch = nullptr;
        std::string room;
        const plan::Wait* wait = nullptr;
        std::string summary;
    };

    Placing find(const model::Snapshot& snapshot, const plan::Plan& plan) const {
        Placing out;
        const auto is_it = [&](model::PodIndex i) {
            return snapshot.pods[i].exists() && snapshot.pods[i].id.full_name() == key_;
        };
        for (const plan::Launch& launch : plan.launches) {
            if (std::any_of(launch.pods.begin(), launch.pods.end(), is_it)) out.launch = &launch;
        }
        for (const plan::Placement& one : plan.placements) {
            if (is_it(one.pod)) out.room = snapshot.rooms[one.room].name;
        }
        for (const plan::Wait& one : plan.waits) {
            if (is_it(one.pod)) out.wait = &one;
        }
        if (out.launch != nullptr) {
            out.summary = "a new node is planned for it";
        } else if (!out.room.empty()) {
            out.summary = fmt::format("{} has room for it", out.room);
        } else {
            out.summary = snapshot.pools.empty() ? "no node has room, and no NodePool can be bought from"
                                                 : "no node has room, and no NodePool has a machine for it";
        }
        return out;
    }

    std::vector<PoolVerdict> judge_pools(plan::LonePod& lone) {
        std::vector<PoolVerdict> out;
        std::size_t tries = 0;
        const std::shared_ptr<const rules::PodShape> shape = lone.shape();
        std::vector<api::NodePool> pools;
        for (const auto& [name, state] : world_.cluster().pools()) pools.push_back(state.pool);
        std::stable_sort(pools.begin(), pools.end(),
                         [](const api::NodePool& a, const api::NodePool& b) { return a.weight > b.weight; });
        for (api::NodePool& pool : pools) {
            PoolVerdict one;
            one.unused = world_.why_unused(pool);
            if (one.unused.empty()) {
                one.now = lone.ask(pool);
                if (!one.is_open() && tries < kMostTriesInAll) {
                    const auto works = [&](const api::Pod& pod, const api::NodePool& changed) {
                        return lone.ask(pod, changed).machine != nullptr;
                    };
                    one.change =
                        plan::find_smallest_change(pod_as_if_new(), pool, *shape, works,
                                                   std::min(plan::kMostChangeTries, kMostTriesInAll - tries));
                    tries += one.change.tries;
                    if (one.has_change()) {
                        api::Pod pod = pod_as_if_new();
                        api::NodePool changed = pool;
                        plan::carry_out(one.change.found.front(), pod, changed);
                        one.then = lone.ask(pod, changed);
                    }
                } else if (!one.is_open()) {
                    one.change.is_cut = true;
                }
            }
            one.pool = &world_.cluster().find_pool(pool.meta.name)->pool;
            out.push_back(std::move(one));
        }
        return out;
    }

    api::Pod pod_as_if_new() const {
        api::Pod out = pod_;
        out.spec.node_name.clear();
        out.status.nominated_node.clear();
        out.status.held.clear();
        out.status.held_by_pod.reset();
        return out;
    }

    static int rank_of(const PoolVerdict& one) {
        if (!one.unused.empty()) return 4;
        if (one.is_open()) return 0;
        return one.has_change() ? static_cast<int>(one.change.found.front().size()) : 3;
    }

    // Those that need the least stand first; of equals, the heavier.
    void say_pools(const std::vector<PoolVerdict>& verdicts) {
        AnswerSection& out = answer_.section("NodePools");
        if (verdicts.empty()) out.say("there is none, so nothing can be bought");
        std::vector<const PoolVerdict*> order;
        for (const PoolVerdict& one : verdicts) order.push_back(&one);
        std::stable_sort(order.begin(), order.end(), [](const PoolVerdict* a, const PoolVerdict* b) {
            return rank_of(*a) < rank_of(*b);
        });
        PodJson all = PodJson::array();
        for (std::size_t i = 0; i < order.size(); ++i) {
            const std::size_t before = out.lines.size();
            say_pool(out, *order[i]);
            for (std::size_t l = before; i >= kMostPoolsShown && l < out.lines.size(); ++l)
                out.lines[l].is_only_verbose = true;
            all.push_back(pool_json(*order[i]));
        }
        if (order.size() > kMostPoolsShown)
            out.say(fmt::format("and {} further from it; -v shows them",
                                count_of(order.size() - kMostPoolsShown, "NodePool")));
        json_["nodePools"] = std::move(all);
    }

    static void say_pool(AnswerSection& out, const PoolVerdict& one) {
        const std::string& name = one.pool->meta.name;
        if (!one.unused.empty()) {
            out.say(fmt::format("NodePool {}: {}", name, one.unused));
            return;
        }
        if (one.is_open()) {
            out.say(fmt::format("NodePool {} would do: {} for it alone", name, words_of(*one.now.machine)));
            return;
        }
        out.say(plan::in_words(one.now.why_not.front()));
        if (one.has_change()) {
            out.say("what would do: " + joined_words(one.change.found.front(), name), 1);
            if (one.then.machine != nullptr) out.say(fmt::format("then: {}", words_of(*one.then.machine)), 1);
            // Whose pool it is wants to know what the pool could do.
            const bool is_pods_own = changes_of_pool(one.change.found.front()) == 0;
            bool has_said_pools = !is_pods_own;
            for (std::size_t i = 1; i < one.change.found.size(); ++i) {
                const bool is_news = !has_said_pools && changes_of_pool(one.change.found[i]) > 0;
                has_said_pools |= is_news;
                out.lines.push_back({"or: " + joined_words(one.change.found[i], name), 1, !is_news});
            }
        } else if (one.change.is_cut) {
            out.say(fmt::format("no change was found in {} tries; more were not made", one.change.tries), 1);
        } else {
            out.say("no change would do, nor would two at once", 1);
        }
        if (one.change.is_cut && one.has_change()) out.detail("not every change was tried", 1);
    }

    static PodJson pool_json(const PoolVerdict& one) {
        PodJson out = {{"name", one.pool->meta.name}};
        if (!one.unused.empty()) {
            out["excludedBy"] = {{"rule", "not-used"}, {"message", one.unused}};
            return out;
        }
        if (one.is_open()) {
            out["machine"] = machine_json(*one.now.machine, one.pool->meta.name);
            return out;
        }
        const plan::Reason& why = one.now.why_not.front();
        out["excludedBy"] = {{"rule", plan::word_for(why.rule)}, {"message", plan::in_words(why)}};
        PodJson changes = PodJson::array();
        for (const std::vector<plan::Change>& found : one.change.found) {
            PodJson together = PodJson::array();
            for (const plan::Change& change : found) {
                PodJson entry = {{"change", plan::word_for(change.kind)},
                                 {"of", plan::is_of_pod(change.kind) ? "Pod" : "NodePool"},
                                 {"message", plan::in_words(change, one.pool->meta.name)}};
                if (!change.key.empty()) entry["key"] = change.key;
                if (!change.value.empty()) entry["value"] = change.value;
                if (!change.effect.empty()) entry["effect"] = change.effect;
                if (change.kind == plan::ChangeKind::kLowerRequest ||
                    change.kind == plan::ChangeKind::kRaiseLimit) {
                    entry["from"] = rules::amount_text(change.key, change.from);
                    entry["to"] = rules::amount_text(change.key, change.to);
                }
                together.push_back(std::move(entry));
            }
            changes.push_back(std::move(together));
        }
        out["changes"] = std::move(changes);
        if (one.then.machine != nullptr)
            out["machineThen"] = machine_json(*one.then.machine, one.pool->meta.name);
        out["tries"] = one.change.tries;
        out["isCut"] = one.change.is_cut;
        return out;
    }

    // --- nodes that are there

    struct Lack {
        int rank = 0;  // The smaller, the nearer.
        double amount = 0;
        std::string words;
    };

    static std::optional<Lack> lack_of(const model::RoomView& room, const rules::PodShape& shape) {
        if (const api::Taint* taint = rules::untolerated_taint(shape.tolerations, room.taints))
            return Lack{2, 0,
                        taint->key == api::kUnschedulableTaint
                            ? std::string("it is cordoned")
                            : fmt::format("its taint {}{}{}:{} is not tolerated", taint->key,
                                          taint->value.empty() ? "" : "=", taint->value, taint->effect)};
        const auto admits = [&](const rules::Requirements& wanted) {
            return rules::admits_node(room.labels, room.node_name(), wanted);
        };
        if (std::none_of(shape.required.begin(), shape.required.end(), admits)) {
            const auto why = rules::incompatibility(room.labels, shape.required.front(), nullptr);
            return Lack{3, 0,
                        why ? fmt::format("the pod asks for {}", *why)
                            : std::string("the pod asks for another node by name")};
        }
        if (rules::fits(shape.requests, room.free)) return std::nullopt;
        double amount = 0;
        const auto add = [&](std::int64_t asked, std::int64_t free) {
            if (asked > 0)
                amount +=
                    static_cast<double>(std::max<std::int64_t>(0, asked - std::max<std::int64_t>(0, free))) /
                    static_cast<double>(asked);
        };
        add(shape.requests.cpu_milli, room.free.cpu_milli);
        add(shape.requests.memory_bytes, room.free.memory_bytes);
        add(shape.requests.pods, room.free.pods);
        for (const auto& [name, asked] : shape.requests.extended) add(asked, room.free.get(name));
        return Lack{1, amount, rules::shortage(shape.requests, room.free)};
    }

    void say_nodes(plan::LonePod& lone) {
        AnswerSection& out = answer_.section("Nodes that are there");
        const model::Snapshot snapshot = lone.snapshot();
        const rules::PodShape& shape = *snapshot.pods.front().shape;
        std::size_t holders = 0;
        const model::RoomView* nearest = nullptr;
        Lack least;
        for (const model::RoomView& room : snapshot.rooms) {
            std::optional<Lack> lack = lack_of(room, shape);
            if (!lack) {
                ++holders;
                continue;
            }
            if (nearest == nullptr ||
                std::tie(lack->rank, lack->amount) < std::tie(least.rank, least.amount)) {
                nearest = &room;
                least = std::move(*lack);
            }
        }
        const std::string room = holders == 0 ? std::string() : lone.room_of({});
        PodJson json = {{"holding", room.empty() ? 0 : holders}, {"of", snapshot.rooms.size()}};
        if (snapshot.rooms.empty()) {
            out.say("there is none");
        } else if (!room.empty()) {
            out.say(fmt::format("{} of {} could hold it, {} first", holders, snapshot.rooms.size(), room));
        } else if (holders > 0) {
            out.say(fmt::format(
                "{} of {} have room for it, and other pods or its volumes keep it off all of them", holders,
                snapshot.rooms.size()));
        } else {
            out.say(fmt::format("none of {} can hold it; the nearest is {}: {}", snapshot.rooms.size(),
                                nearest->name, least.words));
            json["nearest"] = {{"name", nearest->name}, {"lacks", least.words}};
        }
        json_["nodes"] = std::move(json);
    }

    // --- the plan

    static const PoolVerdict* cheapest_open(const std::vector<PoolVerdict>& verdicts) {
        const PoolVerdict* out = nullptr;
        for (const PoolVerdict& one : verdicts) {
            if (!one.is_open()) continue;
            const bool is_better =
                out == nullptr || one.pool->weight > out->pool->weight ||
                (one.pool->weight == out->pool->weight && one.now.machine->cost() < out->now.machine->cost());
            if (is_better) out = &one;
        }
        return out;
    }

    void say_plan(const model::Snapshot& snapshot, const plan::Plan& plan, const Placing& placing,
                  const std::vector<PoolVerdict>& verdicts) {
        AnswerSection& out = answer_.section("The plan");
        PodJson json = PodJson::object();
        if (placing.launch != nullptr) {
            say_launch(out, json, snapshot, *placing.launch, verdicts);
        } else if (!placing.room.empty()) {
            out.say(fmt::format("it goes to {}, which is there; nothing is bought for it", placing.room));
            json["node"] = placing.room;
        } else {
            const std::size_t placed = plan.placements.size() + pods_on_new_nodes(plan);
            out.say(snapshot.pods.size() < 2
                        ? std::string("it gets no node; no other pod waits")
                        : fmt::format("it gets no node; there are places for {} of {} that wait", placed,
                                      count_of(snapshot.pods.size(), "pod")));
            if (placing.wait != nullptr && cheapest_open(verdicts) != nullptr)
                out.say("together with the others: " + placing.wait->reason);
            if (placing.wait != nullptr) json["waits"] = placing.wait->reason;
        }
        for (const std::string& cut : plan.cut_offs) out.detail(cut);
        json_["plan"] = std::move(json);
    }

    static std::size_t pods_on_new_nodes(const plan::Plan& plan) {
        std::size_t out = 0;
        for (const plan::Launch& launch : plan.launches) out += launch.pods.size();
        return out;
    }

    void say_launch(AnswerSection& out, PodJson& json, const model::Snapshot& snapshot,
                    const plan::Launch& launch, const std::vector<PoolVerdict>& verdicts) {
        const plan::MachineSpec& spec = *launch.spec;
        const std::string& pool = snapshot.pools[spec.pool].name;
        out.say(fmt::format("a new node of NodePool {}: {}", pool, words_of(spec)));
        std::vector<std::string> others;
        for (const model::PodIndex i : launch.pods) {
            if (snapshot.pods[i].id.full_name() != key_) others.push_back(snapshot.pods[i].id.full_name());
        }
        out.say(others.empty()
                    ? std::string("for it alone")
                    : fmt::format("shared with {}: {}", count_of(others.size(), "pod"), some_of(others, 3)));
        out.say("when: a running controller buys it within a second or two; then the machine has to start");
        if (spec.types.size() > 1)
            out.say(fmt::format("{} would do, too, dearer: {}", count_of(spec.types.size() - 1, "other type"),
                                some_of({spec.types.begin() + 1, spec.types.end()}, 3)));
        if (const PoolVerdict* alone = cheapest_open(verdicts)) {
            const plan::MachineSpec& other = *alone->now.machine;
            const bool is_same =
                other.types == spec.types && other.zone == spec.zone && other.price == spec.price;
            if (!is_same)
                out.say(fmt::format("not taken: {} of NodePool {}, the cheapest for it alone{}",
                                    words_of(other), alone->pool->meta.name,
                                    others.empty() ? "" : "; together the pods cost less so"));
            if (!is_same) json["cheapestAlone"] = machine_json(other, alone->pool->meta.name);
        }
        const model::PoolView& view = snapshot.pools[spec.pool];
        for (const PoolVerdict& one : verdicts) {
            if (!one.is_open() || one.pool->weight >= view.weight || one.now.machine->cost() >= spec.cost())
                continue;
            out.say(fmt::format("not taken: {} of NodePool {}, because it weighs less ({}, not {})",
                                words_of(*one.now.machine), one.pool->meta.name, one.pool->weight,
                                view.weight));
            break;
        }
        json["machine"] = machine_json(spec, pool);
        json["sharedWith"] = others;
        json["otherTypes"] = spec.types.size() - 1;
    }

    // --- what to do

    void advise(const Placing& placing, const std::vector<PoolVerdict>& verdicts) {
        if (placing.launch != nullptr) {
            answer_.to_do =
                "nothing; the node comes by itself. If none has come in a minute, see whether a controller "
                "runs.";
            return;
        }
        if (!placing.room.empty()) {
            answer_.to_do = fmt::format("nothing; the pod is bound to {} by itself.", placing.room);
            return;
        }
        if (verdicts.empty()) {
            answer_.to_do = "make a NodePool; there is none (kubectl get nodepools).";
            return;
        }
        if (cheapest_open(verdicts) != nullptr) {
            answer_.to_do =
                "make room for all pods that wait together: for this one alone a node could be bought.";
            return;
        }
        const PoolVerdict* best = nullptr;
        for (const PoolVerdict& one : verdicts) {
            if (!one.has_change()) continue;
            const auto rank = [](const PoolVerdict& v) {
                const auto& changes = v.change.found.front();
                return std::tuple(changes.size(), changes_of_pool(changes), changes.front().kind,
                                  v.then.machine == nullptr ? rules::Money{} : v.then.machine->price);
            };
            if (best == nullptr || rank(one) < rank(*best)) best = &one;
        }
        if (best != nullptr) {
            const auto& changes = best->change.found.front();
            answer_.to_do = fmt::format("{}; then NodePool {} has {} for it.",
                                        joined_advice(changes, best->pool->meta.name), best->pool->meta.name,
                                        words_of(*best->then.machine));
            return;
        }
        const auto unused = std::find_if(verdicts.begin(), verdicts.end(),
                                         [](const PoolVerdict& one) { return !one.unused.empty(); });
        answer_.to_do = unused != verdicts.end() && verdicts.size() == 1
                            ? fmt::format("see to NodePool {} first (joiner explain nodepool {}).",
                                          unused->pool->meta.name, unused->pool->meta.name)
                            : "make a NodePool for pods like it; none is within two changes of taking it.";
    }

    AskedWorld& world_;
    const api::Pod pod_;
    const std::string key_;
    const model::PodState state_;  // A copy: the cluster is told of the pod anew.
    std::string word_;
    Answer answer_;
    PodJson json_;
};

}  // namespace

Answer explain_pod(AskedWorld& world) {
    return PodExplainer(world).explain();
}

}  // namespace joiner::cli
