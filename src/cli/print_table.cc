#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/grouping.h"
#include "cli/simulation.h"

namespace joiner::cli {
namespace {

void print_launches(const std::vector<LaunchRow>& rows) {
    std::size_t pool = 20;
    std::size_t type = 24;
    std::size_t zone = 14;
    std::size_t capacity = 10;
    for (const LaunchRow& row : rows) {
        pool = std::max(pool, row.pool.size());
        type = std::max(type, row.type.size());
        zone = std::max(zone, row.zone.size());
        capacity = std::max(capacity, row.capacity_type.size());
    }
    fmt::print("{:<{}} {:<{}} {:<{}} {:<{}} {:>6} {:>7} {:>12}\n", "NODEPOOL", pool, "TYPE", type, "ZONE",
               zone, "CAPACITY", capacity, "NODES", "PODS", "PRICE/H");
    for (const LaunchRow& row : rows) {
        fmt::print("{:<{}} {:<{}} {:<{}} {:<{}} {:>6} {:>7} {:>12.4f}\n", row.pool, pool, row.type, type,
                   row.zone, zone, row.capacity_type, capacity, row.nodes, row.pods, row.price.dollars());
    }
}

}  // namespace

void print_table(const Simulation& s) {
    print_launches(group_launches(s.snapshot, s.plan.launches));
    fmt::print("\n{}\n{}\n", pod_sentence(s), price_sentence(s));
    for (const CommitmentNote& note : commitment_notes(s)) fmt::print("{}\n", commitment_sentence(note));
    for (const WaitGroup& group : group_waits(s))
        fmt::print("waiting: {}: {}\n", some_of(group.pods, 1), group.reason);
    if (!s.has_removals) return;
    for (const plan::RepackStep& step : s.removals)
        fmt::print("remove: {} ({}): {}\n", fmt::join(step.nodes, ", "), step.reason, step.why);
    fmt::print("{}\n", removal_sentence(s));
}

}  // namespace joiner::cli
