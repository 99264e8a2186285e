// What a simulation says, whatever form it is printed in.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "cli/grouping.h"
#include "cli/simulation.h"
#include "model/commitments.h"

namespace joiner::cli {

std::optional<double> gap_of(const plan::Plan& plan) {
    const rules::Money cost = plan.price + plan.node_cost;
    if (cost.nanos == 0) return 0;
    if (plan.lower_bound.nanos <= 0) return std::nullopt;
    return static_cast<double>(cost.nanos) / static_cast<double>(plan.lower_bound.nanos) - 1;
}

std::string gap_text(const plan::Plan& plan) {
    const auto gap = gap_of(plan);
    return gap ? fmt::format("{:.2f} %", *gap * 100) : "unknown";
}

PodCounts count_pods(const Simulation& s) {
    PodCounts out;
    out.all = s.snapshot.pods.size();
    out.on_existing_nodes = s.plan.placements.size();
    out.waiting = s.plan.waits.size();
    out.on_new_nodes = out.all - out.on_existing_nodes - out.waiting;
    return out;
}

std::vector<LaunchRow> group_launches(const model::Snapshot& snapshot,
                                      const std::vector<plan::Launch>& launches) {
    std::map<std::tuple<std::string, std::string, std::string, std::string>, LaunchRow> rows;
    for (const plan::Launch& launch : launches) {
        const std::string& pool = snapshot.pools[launch.spec->pool].name;
        const std::string type = launch.spec->types.empty() ? "" : launch.spec->types.front();
        LaunchRow& row = rows[{pool, type, launch.spec->zone, launch.spec->capacity_type}];
        row.pool = pool;
        row.type = type;
        row.zone = launch.spec->zone;
        row.capacity_type = launch.spec->capacity_type;
        ++row.nodes;
        row.pods += launch.pods.size();
        row.price += launch.spec->price;
    }
    std::vector<LaunchRow> out;
    for (auto& [key, row] : rows) out.push_back(std::move(row));
    std::stable_sort(out.begin(), out.end(),
                     [](const LaunchRow& a, const LaunchRow& b) { return a.price > b.price; });
    return out;
}

std::vector<WaitGroup> group_waits(const Simulation& s) {
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const plan::Wait& wait : s.plan.waits)
        by_reason[wait.reason].push_back(s.snapshot.pods[wait.pod].id.full_name());
    std::vector<WaitGroup> out;
    for (auto& [reason, pods] : by_reason) out.push_back({reason, std::move(pods)});
    return out;
}

RemovalSum sum_of_removals(const Simulation& s) {
    RemovalSum out;
    out.now = s.price_of_nodes + s.plan.price + s.plan.node_cost;
    out.after = out.now;
    for (const plan::RepackStep& step : s.removals) {
        out.after -= step.saving;
        out.nodes += step.nodes.size();
        out.moves += step.evictions;
    }
    return out;
}

std::string removal_sentence(const Simulation& s) {
    const RemovalSum sum = sum_of_removals(s);
    std::string out = fmt::format(
        "now {:.4f} $ an hour, after {:.4f}; bought anew, the same pods take at least {:.4f}; {} {}, {} {}",
        sum.now.dollars(), sum.after.dollars(), s.bound_anew.dollars(), count_of(sum.nodes, "node"),
        sum.nodes == 1 ? "goes" : "go", count_of(sum.moves, "pod"), sum.moves == 1 ? "moves" : "move");
    if (s.unpriced_nodes > 0)
        out += fmt::format(" (without {} whose price is not known)", count_of(s.unpriced_nodes, "node"));
    return out;
}

std::string pod_sentence(const Simulation& s) {
    const PodCounts pods = count_pods(s);
    return fmt::format("{}: {} on {}, {} on nodes that are there, {} waiting", count_of(pods.all, "pod"),
                       pods.on_new_nodes, count_of(s.plan.launches.size(), "new node"),
                       pods.on_existing_nodes, pods.waiting);
}

std::vector<CommitmentNote> commitment_notes(const Simulation& s) {
    std::map<std::string_view, CommitmentNote> notes;
    for (const plan::Launch& launch : s.plan.launches) {
        const model::PoolView& pool = s.snapshot.pools[launch.spec->pool];
        if (pool.commitment.empty()) continue;
        CommitmentNote& note = notes[pool.commitment];
        note.commitment = pool.commitment;
        ++note.nodes;
        note.saving += model::list_price(pool, launch.spec->types.front(), launch.spec->zone);
        note.saving -= launch.spec->price;
    }
    std::vector<CommitmentNote> out;
    for (auto& [name, note] : notes) out.push_back(std::move(note));
    return out;
}

std::string commitment_sentence(const CommitmentNote& note) {
    return fmt::format(
        "commitment {} covers {} of the machines, which saves {:.4f} $ an hour against on-demand",
        note.commitment, note.nodes, note.saving.dollars());
}

std::string price_sentence(const Simulation& s) {
    return fmt::format("{:.4f} $ an hour; no plan costs less than {:.4f} (gap {}); planned in {:.1f} ms",
                       s.plan.price.dollars(), s.plan.lower_bound.dollars(), gap_text(s.plan),
                       s.seconds * 1e3);
}

}  // namespace joiner::cli
