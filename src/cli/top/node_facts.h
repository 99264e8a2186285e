// What `joiner top` knows of a node beside what the node says: what it costs, and the first thing that keeps
// it. By the controller's own rules, as `joiner plan` has them. Pure but for the catalogue's tables; the
// thread that owns the cluster.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/plan/machines.h"
#include "cli/world.h"
#include "model/cluster.h"
#include "rules/money.h"

namespace joiner::cli::top {

struct NodeFacts {
    std::optional<rules::Money> price;  // An hour, with what its pool adds.
    bool is_estimate = false;           // By cores and memory: no catalogue has the type.
    std::string kept_by;                // Empty: nothing can be said of it now.
};
// By the name of the node, or of the claim where that has no node yet.
using FactsByName = std::map<std::string, NodeFacts, std::less<>>;

// What keeps a node that no rule keeps: it goes where its pods fit elsewhere for less.
inline constexpr std::string_view kOnlyItsPrice = "its price";

// Goes over every pod: some tens of milliseconds where there are 50,000.
FactsByName find_facts(const model::Cluster& cluster, Machines& machines, const PodNotes& notes,
                       WallTime now);

// Its NodePool, or its group's name; empty: it is of none.
std::string pool_name(const model::Cluster& cluster, const api::Node& node);

}  // namespace joiner::cli::top
