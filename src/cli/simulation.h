// `joiner simulate`: the question that manifests pose, and its answer, ready to be printed in any form.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/commands.h"
#include "model/snapshot.h"
#include "plan/disrupt/repack.h"
#include "plan/plan.h"

namespace joiner::cli {

struct Simulation {
    model::Snapshot snapshot;
    plan::Plan plan;
    double seconds = 0;
    double snapshot_seconds = 0;
    double first_plan_seconds = 0;
    // What could be removed, where that is asked for.
    bool has_removals = false;
    plan::RepackQuestion repack_question;
    std::vector<plan::RepackStep> removals;
    double repack_seconds = 0;
    double repack_question_seconds = 0;
    double longest_slice_seconds = 0;
    rules::Money price_of_nodes;     // That are there, with what their pools add.
    std::size_t unpriced_nodes = 0;  // Of no pool or type that is known; not in the sum.
    rules::Money bound_anew;         // Machines for all pods, all bought anew, cost no less.
};

// `warnings`: what the answer leaves out or takes otherwise than it is written, one sentence each.
Result<Simulation> simulate(const SimulateOptions& options, std::vector<std::string>& warnings);

// By how much the plan may be too dear: 0.05 is 5 %. nullopt: nothing is known, because the bound is nought
// and the price is not.
std::optional<double> gap_of(const plan::Plan& plan);
// "4.20 %" or "unknown".
std::string gap_text(const plan::Plan& plan);

struct PodCounts {
    std::size_t all = 0;
    std::size_t on_new_nodes = 0;
    std::size_t on_existing_nodes = 0;
    std::size_t waiting = 0;
};
PodCounts count_pods(const Simulation& simulation);

// Machines alike.
struct LaunchRow {
    std::string pool;
    std::string type;
    std::string zone;
    std::string capacity_type;
    std::size_t nodes = 0;
    std::size_t pods = 0;
    rules::Money price;
};
// The dearest total first, then by name.
std::vector<LaunchRow> group_launches(const model::Snapshot& snapshot,
                                      const std::vector<plan::Launch>& launches);

// Pods that wait for one reason, "namespace/name".
struct WaitGroup {
    std::string reason;
    std::vector<std::string> pods;
};
std::vector<WaitGroup> group_waits(const Simulation& simulation);

// What the removals come to, node costs included.
struct RemovalSum {
    rules::Money now;  // Nodes that are there, and those bought for pods that wait.
    rules::Money after;
    std::size_t nodes = 0;
    std::size_t moves = 0;
};
RemovalSum sum_of_removals(const Simulation& simulation);
// "now 0.3840 $ an hour, after 0.0960, …", the same in every form of output.
std::string removal_sentence(const Simulation& simulation);
// "3 pods: 1 on 1 new node, …"
std::string pod_sentence(const Simulation& simulation);
// What a commitment pays for, of the machines bought for pods that wait.
struct CommitmentNote {
    std::string commitment;
    std::size_t nodes = 0;
    rules::Money saving;  // An hour, against the price on demand.
};
// By name.
std::vector<CommitmentNote> commitment_notes(const Simulation& simulation);
// "commitment web covers 3 of the machines, which saves ..."
std::string commitment_sentence(const CommitmentNote& note);
// "0.0960 $ an hour; no plan costs less than …"
std::string price_sentence(const Simulation& simulation);

// Warnings stand on standard error beside the table.
void print_table(const Simulation& simulation);
void print_json(const Simulation& simulation, const std::vector<std::string>& warnings);
void print_html(const Simulation& simulation, const std::vector<std::string>& warnings);

}  // namespace joiner::cli
