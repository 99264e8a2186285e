// The part of checking that is about pods among each other: anti-affinity and host ports as they end up, and,
// for affinity and spread, an order in which each pod is let in when its turn comes. Pure.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "model/snapshot.h"

namespace joiner::plan {

using NodeLabels = std::map<std::string, std::string, std::less<>>;

struct CheckedNode {
    std::string name;
    NodeLabels labels;
    const std::vector<api::Taint>* taints = nullptr;
    std::vector<model::PodIndex> pods;  // Of the plan.
    std::vector<std::size_t> daemons;   // Of the snapshot, that will stand on a new node.
    bool is_new = false;
};

enum class Order {
    kAny,
    // Pods that no rule of their own holds back come before less urgent ones that spread, as the scheduler
    // takes them.
    kUrgentFirst,
    // And before those that are just as urgent, as it may happen.
    kFreeFirst,
};

// `nodes`: the snapshot's rooms, its closed nodes, then machines. Pods that break a rule, and how.
std::vector<std::pair<model::PodIndex, std::string>> check_binding_order(
    const model::Snapshot& snapshot, const std::vector<CheckedNode>& nodes, Order order);

}  // namespace joiner::plan
