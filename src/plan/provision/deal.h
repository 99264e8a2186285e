// First pass: pods go where there is room already (those without rules only if that is where all of them can
// go); those that need a machine are dealt to the values of their topology keys, one by one and level, so
// that what is left for the fill is masks, caps and crowds. Each step is one that kube-scheduler would allow
// at that moment.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/trial.h"

namespace joiner::plan {

struct Deal {
    // By pod: what its keys are settled to, as an index of `domains`; 0 settles nothing.
    std::vector<std::uint32_t> domains_of;
    std::vector<Domains> domains;
    // Pods whose rules do not fit the mould (affinity on one node, keys that some pools lack) or that found
    // no place; for first fit.
    std::vector<model::PodIndex> later;
    // Machines are needed also for pods that any room may hold; which of those go to rooms is open then, and
    // all of them are in the problem's classes.
    bool rooms_are_open = false;
};

// Kinds are served in `order`. What the fill is to place is in the problem's classes afterwards.
Deal deal(Trial& trial, const std::vector<std::uint32_t>& order);

}  // namespace joiner::plan
