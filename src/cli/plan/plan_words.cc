// What a plan says, whatever form it is printed in.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "cli/grouping.h"
#include "cli/plan/cluster_plan.h"

namespace joiner::cli {
namespace {

constexpr double kHoursOfAMonth = 730;

std::vector<NodeRow> sorted_rows(std::map<std::pair<std::string, std::string>, NodeRow> rows) {
    std::vector<NodeRow> out;
    for (auto& [key, row] : rows) {
        row.pool = key.first;
        row.what = key.second;
        out.push_back(std::move(row));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const NodeRow& a, const NodeRow& b) { return a.money > b.money; });
    return out;
}

// The group whose nodes save the most; empty where all are of NodePools.
std::string best_stand_in(const ClusterPlan& plan) {
    const PoolMoney* best = nullptr;
    const auto saves = [](const PoolMoney& pool) { return pool.now.price - pool.after.price; };
    for (const PoolMoney& pool : plan.pools) {
        if (!pool.is_stand_in || saves(pool).nanos <= 0) continue;
        if (best == nullptr || saves(pool) > saves(*best)) best = &pool;
    }
    return best == nullptr ? std::string() : best->name;
}

}  // namespace

std::string money_text(rules::Money money) {
    const double dollars = money.dollars();
    return fmt::format("{:.{}f}", dollars, std::abs(dollars) < 10 ? 4 : 2);
}

std::string saved_share(rules::Money before, rules::Money after) {
    if (before.nanos == 0) return "-";
    const double share = 100 * (before - after).dollars() / before.dollars();
    return fmt::format("{:.0f} %", std::abs(share) < 0.5 ? 0.0 : share);
}

std::string money_sentence(const ClusterPlan& plan) {
    const rules::Money saved = plan.now.price - plan.after.price;
    std::string out =
        fmt::format("{} cost {} $ an hour. ", count_of(plan.now.nodes, "node"), money_text(plan.now.price));
    if (plan.removals.empty() && plan.launches.empty()) {
        out += fmt::format("No plan was found that costs less for the same {}", count_of(plan.pods, "pod"));
    } else {
        out += fmt::format("The same {} need {} for {} $", count_of(plan.pods, "pod"),
                           count_of(plan.after.nodes, "node"), money_text(plan.after.price));
    }
    if (saved.nanos > 0)
        out += fmt::format(": {} less, {:.0f} $ a month", saved_share(plan.now.price, plan.after.price),
                           saved.dollars() * kHoursOfAMonth);
    if (saved.nanos < 0) out += ", for pods wait that have no room";
    return out;
}

std::string next_step(const ClusterPlan& plan) {
    const rules::Money saved = plan.now.price - plan.after.price;
    const auto sums = plan::sum_keepers(plan.kept);
    if (!sums.empty() && sums.front().cost.nanos > 0 && sums.front().cost > saved)
        return fmt::format("look at what keeps {} first: {}; without that {} $ an hour more are saved",
                           count_of(sums.front().nodes, "node"), sums.front().message,
                           money_text(sums.front().cost));
    if (!plan.unschedulable.empty() && plan.removals.empty())
        return fmt::format("see why {} {}: {}", count_of(plan.unschedulable.size(), "pod"),
                           plan.unschedulable.size() == 1 ? "waits" : "wait",
                           plan.unschedulable.begin()->second);
    if (const std::string group = best_stand_in(plan); !group.empty())
        return fmt::format(
            "a NodePool in place of group {} lets Joiner do this by itself; -o html makes the report", group);
    if (saved.nanos > 0) return "-o html makes a report of it, -v names every node and every move";
    return "nothing; ask again after the next change of the workloads";
}

std::vector<NodeRow> removal_rows(const ClusterPlan& plan) {
    std::map<std::pair<std::string, std::string>, NodeRow> rows;
    for (const PlannedRemoval& one : plan.removals) {
        NodeRow& row = rows[{one.pool, one.reason + " " + one.type}];
        ++row.nodes;
        row.pods += one.pods;
        row.money += one.saving;
        row.names.push_back(one.node);
    }
    return sorted_rows(std::move(rows));
}

std::vector<NodeRow> launch_rows(const ClusterPlan& plan) {
    std::map<std::pair<std::string, std::string>, NodeRow> rows;
    for (const PlannedLaunch& one : plan.launches) {
        // In which zone, the cloud may choose where the pods do not.
        NodeRow& row = rows[{one.pool, one.type + " " + one.capacity_type}];
        ++row.nodes;
        row.pods += one.pods.size();
        row.money += one.cost;
        row.names.push_back(one.name);
    }
    return sorted_rows(std::move(rows));
}

}  // namespace joiner::cli
