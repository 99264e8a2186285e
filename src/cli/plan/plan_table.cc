// One screen of 100 columns, however large the cluster.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/cut.h"
#include "cli/grouping.h"
#include "cli/plan/cluster_plan.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kMostRows = 6;  // Of a section.

class PlanTable {
  public:
    PlanTable(const ClusterPlan& plan, bool is_verbose) : plan_(plan), is_verbose_(is_verbose) {}

    std::string make() {
        wrapped(money_sentence(plan_) + ".");
        pools();
        removals();
        launches();
        kept();
        waiting();
        not_read();
        if (is_verbose_) moves();
        line("");
        wrapped("Next: " + next_step(plan_) + ".");
        return std::move(out_);
    }

  private:
    void line(const std::string& text) {
        out_ += is_verbose_ ? text : cut_with_dots(text, kColumns);
        out_ += '\n';
    }
    std::string cut(const std::string& text, std::size_t most) const {
        return is_verbose_ ? text : cut_with_dots(text, most);
    }
    // Whole, on as many lines as it takes.
    void wrapped(std::string_view text) {
        while (text.size() > kColumns) {
            std::size_t end = text.rfind(' ', kColumns);
            if (end == std::string_view::npos || end == 0) end = kColumns;
            out_ += text.substr(0, end);
            out_ += '\n';
            text.remove_prefix(std::min(text.size(), end + 1));
        }
        out_ += text;
        out_ += '\n';
    }
    std::size_t shown(std::size_t rows) const {
        // A single row more is as short as the line that says so.
        return is_verbose_ || rows <= kMostRows + 1 ? rows : kMostRows;
    }
    void pools() {
        line("");
        line(fmt::format("{:<34}{:>7}{:>7}{:>12}{:>12}{:>16}{:>12}", "POOL", "NODES", "AFTER", "$/H NOW",
                         "$/H AFTER", "ALONE AT LEAST", "SAVES"));
        const auto row = [&](const std::string& name, const NodesAndPrice& now, const NodesAndPrice& after,
                             rules::Money bound) {
            line(fmt::format("{:<34}{:>7}{:>7}{:>12}{:>12}{:>16}{:>12}", cut(name, 33), now.nodes,
                             after.nodes, money_text(now.price), money_text(after.price), money_text(bound),
                             saved_share(now.price, after.price)));
        };
        const std::size_t count = shown(plan_.pools.size());
        for (std::size_t i = 0; i < count; ++i) {
            const PoolMoney& pool = plan_.pools[i];
            row(pool.name + (pool.is_stand_in ? " (group)" : ""), pool.now, pool.after, pool.lower_bound);
        }
        if (count < plan_.pools.size()) line(fmt::format("  and {} more", plan_.pools.size() - count));
        if (plan_.pools.size() > 1) row("all", plan_.now, plan_.after, plan_.lower_bound);
        line(fmt::format("No nodes for these pods cost less than {} $ an hour.",
                         money_text(plan_.lower_bound)));
    }

    void node_rows(const char* title, const char* money, const std::vector<NodeRow>& rows) {
        if (rows.empty()) return;
        line("");
        line(fmt::format("{:<28}{:<44}{:>8}{:>8}{:>12}", title, "", "NODES", "PODS", money));
        const std::size_t count = shown(rows.size());
        std::size_t nodes = 0;
        rules::Money left;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const NodeRow& row = rows[i];
            if (i >= count) {
                nodes += row.nodes;
                left += row.money;
                continue;
            }
            line(fmt::format("{:<28}{:<44}{:>8}{:>8}{:>12}", cut(row.pool, 27), cut(row.what, 43), row.nodes,
                             row.pods, money_text(row.money)));
            if (is_verbose_) {
                for (const std::string& name : row.names) line("  " + name);
            }
        }
        if (count < rows.size())
            line(fmt::format("{:<72}{:>8}{:>8}{:>12}", fmt::format("  and {} rows more", rows.size() - count),
                             nodes, "", money_text(left)));
    }

    void removals() { node_rows("GO", "SAVES $/H", removal_rows(plan_)); }
    void launches() { node_rows("BOUGHT", "$/H", launch_rows(plan_)); }

    void kept() {
        const auto sums = plan::sum_keepers(plan_.kept);
        if (sums.empty()) return;
        line("");
        line(fmt::format("{:<80}{:>8}{:>12}", "KEPT BY", "NODES", "COSTS $/H"));
        const std::size_t count = shown(sums.size());
        std::size_t nodes = 0;
        rules::Money left;
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const plan::KeeperSum& sum = sums[i];
            if (i >= count) {
                nodes += sum.nodes;
                left += sum.cost;
                continue;
            }
            const std::string what = sum.message.starts_with(sum.rule)
                                         ? sum.message
                                         : fmt::format("{}: {}", sum.rule, sum.message);
            line(fmt::format("{:<80}{:>8}{:>12}", cut(what, 79), sum.nodes, money_text(sum.cost)));
        }
        if (count < sums.size())
            line(fmt::format("{:<80}{:>8}{:>12}", fmt::format("  and {} reasons more", sums.size() - count),
                             nodes, money_text(left)));
        if (!is_verbose_) return;
        for (const plan::KeptNode& node : plan_.kept) {
            line(fmt::format("  {} ({})", node.node, node.pool));
            for (const plan::Keeper& one : node.reasons)
                line(fmt::format("    {:>10}  {}: {}", money_text(one.cost), plan::kept_rule(one.reason.rule),
                                 plan::in_words(one.reason)));
        }
    }

    void waiting() {
        if (plan_.unschedulable.empty()) return;
        std::map<std::string, std::vector<std::string>> by_reason;
        for (const auto& [pod, reason] : plan_.unschedulable) by_reason[reason].push_back(pod);
        line("");
        line(fmt::format("{:<80}{:>8}", "WAIT", "PODS"));
        std::size_t i = 0;
        for (const auto& [reason, pods] : by_reason) {
            if (i++ == shown(by_reason.size())) break;
            line(fmt::format("{:<80}{:>8}", cut(some_of(pods, 1) + ": " + reason, 79), pods.size()));
        }
        if (shown(by_reason.size()) < by_reason.size())
            line(fmt::format("  and {} reasons more", by_reason.size() - shown(by_reason.size())));
    }

    void not_read() {
        if (plan_.not_read.empty()) return;
        line("");
        line("NOT READ");
        const std::size_t count = shown(plan_.not_read.size());
        for (std::size_t i = 0; i < count; ++i) line(in_words(plan_.not_read[i]));
        if (count < plan_.not_read.size()) line(fmt::format("  and {} more", plan_.not_read.size() - count));
    }

    void moves() {
        if (plan_.moves.empty()) return;
        line("");
        line("MOVES");
        for (const PlannedMove& one : plan_.moves)
            line(fmt::format("{}: {} to {}", one.pod, one.from, one.to));
    }

    const ClusterPlan& plan_;
    const bool is_verbose_;
    std::string out_;
};

}  // namespace

std::string plan_table(const ClusterPlan& plan, bool is_verbose) {
    return PlanTable(plan, is_verbose).make();
}

}  // namespace joiner::cli
