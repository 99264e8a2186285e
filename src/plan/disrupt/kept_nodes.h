// What keeps the nodes that a plan leaves where they are, and what that costs. For people: `joiner plan` and
// `joiner explain`. What it costs is found by asking the repack twice, as things are and with all lifted that
// somebody could lift; this shares the difference out. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plan/disrupt/repack.h"
#include "plan/reason.h"
#include "rules/money.h"

namespace joiner::plan {

// The rule by the field's name, as JSON has it: "PodDisruptionBudget", "DoNotDisrupt", "Price" and the others
// of docs/plan.md.
std::string_view kept_rule(Rule rule);
// Somebody could change it without touching the pods' requests or the machines: a budget, an annotation, a
// policy.
bool can_be_lifted(Rule rule);
// "ns/name" of the pod or the PodDisruptionBudget, or the NodePool's name; empty: it is the node itself.
std::string kept_object(const Reason& reason);

struct Keeper {
    Reason reason;
    rules::Money cost = {};  // An hour; nought where lifting it saves nothing, or where it cannot be lifted.
};

struct KeptNode {
    std::string node;
    std::string pool;
    rules::Money price;           // An hour; nought where it is not known.
    std::vector<Keeper> reasons;  // All that keep it; where none does, its price.

    rules::Money cost() const;
    // Each of its reasons can be lifted.
    bool can_go() const;
};

// What each node's going saves, by name. A step's saving is shared among its nodes by their prices, to the
// last nano-dollar.
using SavedByNode = std::map<std::string, rules::Money, std::less<>>;
SavedByNode saved_by_node(const RepackQuestion& question, const std::vector<RepackStep>& steps);

// Fills in what each reason costs. `now` is what the plan saves, `lifted` what it would save were all lifted
// that can be. Of the difference, each kept node that then goes bears as much as its going saves; where
// several reasons keep a node, each bears the same part of that, for none of them alone lets it go. So the
// sum over all reasons of all nodes is the difference, and nought where lifting saves nothing.
void price_keepers(const SavedByNode& now, const SavedByNode& lifted, std::vector<KeptNode>& kept);

// What keeps nodes for one cause, as people look for it: one PodDisruptionBudget, all pods annotated alike.
// By what it costs, the dearest first, then by how many, then by name.
struct KeeperSum {
    std::string_view rule;
    std::string message;
    std::size_t nodes = 0;
    rules::Money cost;
    std::string last_node;  // That was counted.
};
std::vector<KeeperSum> sum_keepers(const std::vector<KeptNode>& kept);

}  // namespace joiner::plan
