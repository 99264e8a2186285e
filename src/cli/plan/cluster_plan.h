// `joiner plan`: what a cluster costs, what the same pods would cost, and why it is not so already. Data,
// ready to be printed in any form; it says what would be done, and does nothing. One call makes it; any
// thread reads it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/read_cluster.h"
#include "plan/disrupt/kept_nodes.h"
#include "rules/money.h"

namespace joiner::cli {

struct NodesAndPrice {
    std::int64_t nodes = 0;
    rules::Money price;  // An hour, with what nodes cost besides.
};

// A NodePool, or a group of nodes that none made and that a pool stands for (docs/plan.md).
struct PoolMoney {
    std::string name;
    bool is_stand_in = false;
    NodesAndPrice now;
    NodesAndPrice after;
    // No machines for the pods that its nodes hold now cost less, of whatever pool they are, where those pods
    // are alone. Pools that share machines may cost less together.
    rules::Money lower_bound;
};

struct PlannedRemoval {
    std::string node;
    std::string pool;
    std::string type;    // Of its machine.
    std::string reason;  // "Empty" or "Underutilized".
    rules::Money price;
    rules::Money saving;   // Its part of what its step saves, what is bought for that counted.
    std::size_t pods = 0;  // That move.
};

struct PlannedLaunch {
    std::string name;  // Made up, for `moves` to name it: "workers-new-1".
    std::string pool;
    std::string type;
    std::string zone;  // Empty: the nodes of its pool do not say in which zone they are.
    std::string capacity_type;
    rules::Money price;
    rules::Money cost;  // With what its pool's nodes cost besides.
    std::vector<std::string> pods;
    std::size_t alternatives = 0;
    bool is_for_waiting = false;  // For pods that wait today, and not for pods that move.
};

struct PlannedMove {
    std::string pod;   // "ns/name"
    std::string from;  // A node.
    std::string to;    // A node, or a launch's name.
};

struct ClusterPlan {
    NodesAndPrice now;
    NodesAndPrice after;
    rules::Money lower_bound;  // No nodes for these pods cost less.
    double seconds = 0;        // Of planning, not of reading.
    WallTime made_at = kNoTime;
    std::size_t pods = 0;                  // That nodes hold, daemons and pods of nodes apart, and that wait.
    std::vector<PoolMoney> pools;          // By price now, the dearest first, then by name.
    std::vector<PlannedRemoval> removals;  // By node.
    std::vector<PlannedLaunch> launches;
    std::vector<PlannedMove> moves;                    // By pod.
    std::map<std::string, std::string> placements;     // Pods that wait today, and the node that has room.
    std::map<std::string, std::string> unschedulable;  // Pods, and why.
    std::vector<plan::KeptNode> kept;                  // By node: every one that is not removed.
    rules::Money lifting_saves;                        // The sum over what keeps them.
    std::vector<NotRead> not_read;
    std::vector<std::string> warnings;
    // Nodes whose price is worked out of cores and memory, or not known and nought; by name.
    std::vector<std::string> unpriced;
    bool is_live = false;
    // What the removals save, what is bought for pods that move counted.
    rules::Money removals_save;
};

// Errors: a cluster or file that cannot be read, one sentence.
Result<ClusterPlan> plan_cluster(const PlanOptions& options);
// The same of what is read already.
Result<ClusterPlan> plan_cluster(const ClusterRead& read, const PlanOptions& options);

// --- in every form of output the same words

// "38.40": dollars, with more digits where there are few of them.
std::string money_text(rules::Money money);
// "37 %" of `before` is saved; "-4 %" where more is paid.
std::string saved_share(rules::Money before, rules::Money after);
// One sentence on what it comes to, without its full stop.
std::string money_sentence(const ClusterPlan& plan);
// One sentence on what to do next, without its full stop.
std::string next_step(const ClusterPlan& plan);

// Nodes alike that go, or that are bought.
struct NodeRow {
    std::string pool;
    std::string what;  // The type and where it is, or why it goes.
    std::size_t nodes = 0;
    std::size_t pods = 0;
    rules::Money money;  // What they save, or cost, an hour.
    std::vector<std::string> names;
};
// The most money first, then by name.
std::vector<NodeRow> removal_rows(const ClusterPlan& plan);
std::vector<NodeRow> launch_rows(const ClusterPlan& plan);

// One screen of 100 columns; verbose: all there is.
std::string plan_table(const ClusterPlan& plan, bool is_verbose);
// Text of one JSON object.
std::string plan_json(const ClusterPlan& plan);
// One page that asks for nothing else.
std::string plan_html(const ClusterPlan& plan);

}  // namespace joiner::cli
