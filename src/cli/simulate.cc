#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "api/names.h"
#include "cli/commands.h"
#include "cli/pool_types.h"
#include "cli/scheduler_config.h"
#include "cli/world.h"
#include "model/headroom.h"
#include "model/make_snapshot.h"
#include "model/overlaid_types.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/repack.h"
#include "plan/lifecycle/node_step.h"
#include "plan/provision/provision.h"
#include "rules/budget.h"

namespace joiner::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kSliceLooks = 1'000'000;

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Simulation {
    model::Snapshot snapshot;
    plan::Plan plan;
    double seconds = 0;
    double snapshot_seconds = 0;
    double first_plan_seconds = 0;
    plan::RepackQuestion repack_question;
    std::vector<plan::RepackStep> removals;
    double repack_seconds = 0;
    double repack_question_seconds = 0;
    double longest_slice_seconds = 0;
};

// Of the offering that the node's labels name; nothing where there is none.
rules::Money price_of(const api::Node& node, const model::PoolView& pool) {
    const auto label = [&](std::string_view key) { return api::find_or_empty(node.meta.labels, key); };
    for (const rules::InstanceType& type : *pool.types) {
        if (type.name != label(api::kInstanceTypeLabel)) continue;
        for (const rules::Offering& offering : type.offerings) {
            if (offering.zone() == label(api::kZoneLabel) &&
                offering.capacity_type() == label(api::kCapacityTypeLabel))
                return offering.price;
        }
    }
    return {};
}

// nullopt where a pod keeps the node.
std::optional<plan::Candidate> removable(const model::Cluster& cluster, const model::NodeState& state,
                                         const model::PoolView& pool, WallTime now) {
    const api::Node& node = state.node;
    plan::Candidate out;
    if (const model::ClaimState* claim = cluster.claim_of(node)) out.claim = claim->claim.meta.name;
    out.node = node.meta.name;
    out.pool = pool.name;
    out.price = price_of(node, pool);
    out.is_spot = api::find_or_empty(node.meta.labels, api::kCapacityTypeLabel) == api::kSpot;
    for (const auto& [key, pod] : state.pods) {
        if (!pod->is_active()) continue;
        if (plan::do_not_disrupt_is_active(*pod, now)) return std::nullopt;
        if (pod->is_daemon || pod->is_mirror) continue;
        out.pods.push_back(pod->id);
        out.disruption_cost += std::max(0.0, plan::eviction_cost(*pod));
    }
    return out;
}

// Budgets set the pace of removals and not where they end, so here only a budget of none matters.
std::vector<plan::Candidate> removable_nodes(const model::Cluster& cluster, const Simulation& s,
                                             WallTime now) {
    std::map<std::string_view, const model::PoolView*> pools;
    for (const model::PoolView& pool : s.snapshot.pools) {
        if (pool.types != nullptr && pool.pool.consolidate_after.value) pools.emplace(pool.name, &pool);
    }
    std::map<std::string_view, std::int64_t> counts;
    for (const auto& [name, state] : cluster.nodes())
        ++counts[api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel)];
    std::set<std::string_view> is_awaited;
    for (const plan::Placement& one : s.plan.placements) is_awaited.insert(s.snapshot.rooms[one.room].name);
    std::vector<plan::Candidate> out;
    for (const auto& [name, state] : cluster.nodes()) {
        const api::ObjectMeta& meta = state.node.meta;
        const auto pool = pools.find(api::find_or_empty(meta.labels, api::kNodePoolLabel));
        if (pool == pools.end() || is_awaited.contains(name) ||
            api::find_or_empty(meta.annotations, api::kDoNotDisruptAnnotation) == "true")
            continue;
        auto candidate = removable(cluster, state, *pool->second, now);
        if (!candidate) continue;
        const std::string_view reason = candidate->pods.empty() ? "Empty" : "Underutilized";
        if (rules::allowed_disruptions(pool->second->pool, reason, counts[pool->first], now) > 0)
            out.push_back(std::move(*candidate));
    }
    return out;
}

// After the plan: pods that wait come first, and what they take is taken.
void plan_removals(const model::Cluster& cluster, const model::SnapshotInputs& inputs, WallTime now,
                   Simulation& s) {
    std::vector<plan::Candidate> candidates = removable_nodes(cluster, s, now);
    const auto begin = std::chrono::steady_clock::now();
    s.repack_question = plan::make_repack_question(cluster, inputs, std::move(candidates));
    for (const plan::Placement& one : s.plan.placements)
        s.repack_question.snapshot.rooms[one.room].free -= s.snapshot.pods[one.pod].shape->requests;
    const auto start = std::chrono::steady_clock::now();
    plan::Repack repack(s.repack_question, {});
    s.repack_question_seconds = seconds_since(begin);
    for (bool is_done = false; !is_done;) {
        const auto slice = std::chrono::steady_clock::now();
        is_done = repack.run_slice(kSliceLooks);
        s.longest_slice_seconds = std::max(s.longest_slice_seconds, seconds_since(slice));
    }
    s.repack_seconds = seconds_since(start);
    s.removals = repack.steps();
}

Result<Simulation> simulate(const SimulateOptions& options, std::vector<std::string>& warnings) {
    TRY(PoolTypes types, PoolTypes::load(options.instance_types));
    TRY(const auto documents, read_manifests(options.files));
    const auto policy = options.preference_policy == "Ignore" ? rules::PreferencePolicy::kIgnore
                                                              : rules::PreferencePolicy::kRespect;
    World world(policy);
    const WallTime now = std::chrono::system_clock::now();
    TRY_STATUS(fill_world(documents, now, world));

    const model::OverlaidTypes overlaid =
        model::overlaid_types(world.cluster, [&](const api::NodePool& pool) { return types.of(pool); });
    const rules::RestrictedLabels labels = types.labels();
    model::SnapshotInputs inputs;
    inputs.types = [&](const api::NodePool& pool) { return overlaid.by_pool.at(pool.meta.name); };
    inputs.well_known = labels.well_known;
    inputs.types_source = types.source();
    TRY(const auto spread, default_spread(options.scheduler_config, options.preference_policy != "Ignore"));
    inputs.default_spread = &spread;
    inputs.is_usable = [&](const api::NodePool& pool) {
        const std::string problems = rules::validate_node_pool(pool, labels);
        if (!problems.empty())
            warnings.push_back(fmt::format("NodePool {} is not used: {}", pool.meta.name, problems));
        return problems.empty() && !pool.replicas && !pool.meta.deleted;
    };
    Simulation out;
    const auto start = std::chrono::steady_clock::now();
    const auto clock = [start] { return seconds_since(start); };
    out.snapshot = model::make_snapshot(world.cluster, inputs);
    for (const model::PoolView& pool : out.snapshot.pools) {
        if (std::string text = types.warning(pool); !text.empty()) warnings.push_back(std::move(text));
    }
    plan::ProvisionOptions plan_options;
    if (options.min_values_policy == "BestEffort")
        plan_options.min_values_policy = plan::MinValuesPolicy::kBestEffort;
    if (options.preference_policy == "Priced")
        plan_options.preference_worth = rules::Money::from_dollars(options.preference_worth);
    plan_options.clock = clock;
    out.snapshot_seconds = clock();
    // What it took to read the question is part of the time that the answer may take.
    plan_options.budget_seconds = std::max(0.0, options.planning_budget_seconds - out.snapshot_seconds);
    out.plan = plan::plan_provisioning(out.snapshot, plan_options);
    out.seconds = seconds_since(start);
    out.first_plan_seconds = out.snapshot_seconds + out.plan.first_plan_seconds;
    if (options.disruption) {
        const std::size_t told = warnings.size();
        plan_removals(world.cluster, inputs, now, out);
        warnings.resize(told);  // The pools' problems once are enough.
    }
    for (const rules::OverlayProblem& one : overlaid.problems)
        warnings.push_back(fmt::format("NodeOverlay {} is not applied: {}", one.overlay, one.problem));
    for (const auto& [name, kept] : world.cluster.buffers()) {
        if (const model::Headroom headroom = model::headroom_of(world.cluster, kept.object);
            headroom.source == nullptr)
            warnings.push_back(fmt::format("CapacityBuffer {} keeps no room: {}", name, headroom.problem));
    }
    warnings.insert(warnings.begin(), world.warnings.begin(), world.warnings.end());
    return out;
}

double gap_of(const plan::Plan& plan) {
    if (plan.lower_bound.nanos <= 0) return 0;
    return static_cast<double>((plan.price + plan.node_cost).nanos) /
               static_cast<double>(plan.lower_bound.nanos) -
           1;
}

long peak_rss_kb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

// Rounded to what the money is kept in, so that 0.077 prints as 0.077.
double dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

Json launches_json(const model::Snapshot& snapshot, const std::vector<plan::Launch>& launches) {
    Json out = Json::array();
    for (const plan::Launch& launch : launches) {
        Json pods = Json::array();
        for (const model::PodIndex pod : launch.pods) pods.push_back(snapshot.pods[pod].id.full_name());
        out.push_back({{"nodePool", snapshot.pools[launch.spec->pool].name},
                       {"instanceType", launch.spec->types.front()},
                       {"zone", launch.spec->zone},
                       {"capacityType", launch.spec->capacity_type},
                       {"price", dollars(launch.spec->price)},
                       {"pods", std::move(pods)},
                       {"alternatives", launch.spec->types.size() - 1}});
    }
    return out;
}

Json removals_json(const Simulation& s) {
    const model::Snapshot& snapshot = s.repack_question.snapshot;
    Json out = Json::array();
    for (const plan::RepackStep& step : s.removals) {
        Json moves = Json::object();
        for (const plan::Placement& one : step.placements)
            moves[snapshot.pods[one.pod].id.full_name()] = snapshot.rooms[one.room].name;
        out.push_back({{"nodes", step.nodes},
                       {"reason", step.reason},
                       {"savesPerHour", dollars(step.saving)},
                       {"evictions", step.evictions},
                       {"why", step.why},
                       {"moves", std::move(moves)},
                       {"nodeClaims", launches_json(snapshot, step.launches)}});
    }
    return out;
}

void print_json(const Simulation& s, const SimulateOptions& options) {
    Json out;
    out["seconds"] = s.seconds;
    out["firstPlanSeconds"] = s.first_plan_seconds;
    out["nodes"] = s.plan.launches.size();
    out["pricePerHour"] = dollars(s.plan.price);
    if (s.plan.node_cost.nanos != 0) out["nodeCostPerHour"] = dollars(s.plan.node_cost);
    out["lowerBoundPerHour"] = dollars(s.plan.lower_bound);
    out["gap"] = gap_of(s.plan);
    out["maxRssKB"] = peak_rss_kb();
    out["passes"] = Json::array();
    out["passes"].push_back({{"name", "snapshot"}, {"seconds", s.snapshot_seconds}});
    for (const plan::PassReport& pass : s.plan.passes)
        out["passes"].push_back(
            {{"name", pass.name}, {"seconds", pass.seconds}, {"pricePerHour", dollars(pass.price)}});
    const auto name_of = [&](model::PodIndex pod) { return s.snapshot.pods[pod].id.full_name(); };
    out["unschedulable"] = Json::object();
    for (const plan::Wait& wait : s.plan.waits) out["unschedulable"][name_of(wait.pod)] = wait.reason;
    out["nodeClaims"] = launches_json(s.snapshot, s.plan.launches);
    out["existing"] = Json::object();
    for (const plan::Placement& placement : s.plan.placements) {
        out["existing"][name_of(placement.pod)] = s.snapshot.rooms[placement.room].name;
    }
    if (options.disruption) {
        out["repackSeconds"] = s.repack_seconds;
        out["repackQuestionSeconds"] = s.repack_question_seconds;
        out["repackLongestSliceSeconds"] = s.longest_slice_seconds;
        out["removals"] = removals_json(s);
    }
    std::puts(out.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

struct Row {
    std::size_t nodes = 0;
    std::size_t pods = 0;
    rules::Money price;
};

// Machines alike, the dearest total first.
std::vector<std::pair<std::string, Row>> group_launches(const Simulation& s) {
    std::map<std::string, Row> rows;
    for (const plan::Launch& launch : s.plan.launches) {
        Row& row =
            rows[fmt::format("{:<20} {:<24} {:<14} {:<10}", s.snapshot.pools[launch.spec->pool].name,
                             launch.spec->types.front(), launch.spec->zone, launch.spec->capacity_type)];
        ++row.nodes;
        row.pods += launch.pods.size();
        row.price += launch.spec->price;
    }
    std::vector<std::pair<std::string, Row>> out(rows.begin(), rows.end());
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.second.price > b.second.price; });
    return out;
}

std::map<std::string, std::vector<std::string>> group_waits(const Simulation& s) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const plan::Wait& wait : s.plan.waits)
        by_reason[wait.reason].push_back(s.snapshot.pods[wait.pod].id.full_name());
    return by_reason;
}

void print_table(const Simulation& s) {
    fmt::print("{:<20} {:<24} {:<14} {:<10} {:>6} {:>7} {:>12}\n", "NODEPOOL", "TYPE", "ZONE", "CAPACITY",
               "NODES", "PODS", "PRICE/H");
    for (const auto& [name, row] : group_launches(s)) {
        fmt::print("{} {:>6} {:>7} {:>12.4f}\n", name, row.nodes, row.pods, row.price.dollars());
    }
    fmt::print("\n{} pods: {} on {} new nodes, {} on nodes that are there, {} waiting\n",
               s.snapshot.pods.size(),
               s.snapshot.pods.size() - s.plan.placements.size() - s.plan.waits.size(),
               s.plan.launches.size(), s.plan.placements.size(), s.plan.waits.size());
    fmt::print("{:.4f} $ an hour; no plan costs less than {:.4f} (gap {:.2f} %); planned in {:.1f} ms\n",
               s.plan.price.dollars(), s.plan.lower_bound.dollars(), gap_of(s.plan) * 100, s.seconds * 1e3);
    for (const auto& [reason, pods] : group_waits(s)) {
        fmt::print("waiting: {}{}: {}\n", pods.front(),
                   pods.size() > 1 ? fmt::format(" and {} more", pods.size() - 1) : "", reason);
    }
    for (const plan::RepackStep& step : s.removals) {
        fmt::print("remove: {} ({}): {}\n", fmt::join(step.nodes, ", "), step.reason, step.why);
    }
}

std::string escape_html(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

void print_html(const Simulation& s) {
    fmt::print(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Joiner: "
        "plan</title><style>body{{font:15px "
        "system-ui,sans-serif;margin:2em auto;max-width:60em}}td,th{{padding:.3em "
        ".8em;text-align:left;border-bottom:1px "
        "solid #ddd}}.n{{text-align:right}}</style><h1>Plan</h1><p>{} pods on {} new nodes: <b>{:.4f} $</b> "
        "an hour, at least "
        "{:.4f} $ (gap {:.2f} %).</p><table><tr><th>Pool, type, zone, capacity<th class=n>Nodes<th "
        "class=n>Pods<th class=n>$ "
        "an hour</tr>",
        s.snapshot.pods.size(), s.plan.launches.size(), s.plan.price.dollars(), s.plan.lower_bound.dollars(),
        gap_of(s.plan) * 100);
    for (const auto& [name, row] : group_launches(s)) {
        fmt::print("<tr><td>{}<td class=n>{}<td class=n>{}<td class=n>{:.4f}</tr>", escape_html(name),
                   row.nodes, row.pods, row.price.dollars());
    }
    fmt::print("</table>");
    if (!s.plan.waits.empty()) fmt::print("<h2>Waiting</h2><ul>");
    for (const auto& [reason, pods] : group_waits(s)) {
        fmt::print("<li>{} ({}): {}", escape_html(pods.front()), pods.size(), escape_html(reason));
    }
    fmt::print("{}</html>\n", s.plan.waits.empty() ? "" : "</ul>");
}

}  // namespace

int refuse(const std::string& message) {
    fmt::print(stderr, "joiner: {}\n", message);
    return 2;
}

int run_simulate(const SimulateOptions& options) {
    std::vector<std::string> warnings;
    const auto simulation = simulate(options, warnings);
    for (const std::string& warning : warnings) fmt::print(stderr, "joiner: warning: {}\n", warning);
    if (!simulation) return refuse(simulation.error().message);
    if (options.output == "json") {
        print_json(*simulation, options);
    } else if (options.output == "html") {
        print_html(*simulation);
    } else {
        print_table(*simulation);
    }
    return 0;
}

}  // namespace joiner::cli
