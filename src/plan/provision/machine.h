// A machine chosen, before its pods have names, and what else could stand in for it. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "plan/provision/problem.h"
#include "plan/provision/provision.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {

struct Machine {
    model::PoolIndex pool = 0;
    std::uint32_t option = 0;  // Of the pool's types; the cheapest that holds `take`.
    OfferingMask offerings = 0;
    OpenId open = 0;
    bool min_values_relaxed = false;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> take;  // Class and count.
    std::vector<std::pair<std::uint32_t, std::uint32_t>>
        alternative;  // Class and the alternative it stands by.
    // The dimension of each volume that its pods share with others: it is counted once, beside their own.
    std::vector<std::size_t> shared_volumes = {};
    std::uint32_t times = 1;  // So many machines alike.
};

// The groups of its pods and the alternatives they stand by, each pair once.
std::vector<std::pair<std::uint32_t, std::uint32_t>> groups_of(const Problem& problem,
                                                               const Machine& machine);

// Of the cheapest offering; the pool's cost of a node included.
rules::Money price_of(const Problem& problem, const Machine& machine);

using StandIns = std::vector<std::pair<std::uint32_t, OfferingMask>>;

// Every machine type of the pool that could stand in for `machine`, cheapest first, as (option, offering
// mask).
StandIns stand_ins(const Problem& problem, const Machine& machine);

bool has_min_values(const Problem& problem, model::PoolIndex pool);

// By key of the pool's that has minValues: how many values it asks for, and how many of these `others` may
// still have: a zone that the pods rule out does not count.
using ValueCounts = std::vector<int>;
ValueCounts asked_values(const Problem& problem, model::PoolIndex pool);
ValueCounts count_values(const Problem& problem, model::PoolIndex pool, const StandIns& others);
bool has_enough(const ValueCounts& counts, const ValueCounts& asked);
bool meets_min_values(const Problem& problem, model::PoolIndex pool, const StandIns& others);
// No key asks for more than there is.
ValueCounts lowered(ValueCounts asked, const ValueCounts& counts);

// What the pool's minValues say to a machine that could be any of `others`. Under BestEffort the first pod of
// a machine lowers them to what it could stand on alone, and those after it keep to that, as with Karpenter;
// any of the pods may be the first. `alone` counts the values for a machine that holds one of them.
enum class MinValues { kMet, kRelaxed, kUnmet };
MinValues judge_min_values(const Problem& problem, MinValuesPolicy policy, const Machine& machine,
                           const StandIns& others,
                           const std::function<ValueCounts(const Machine& single)>& alone);

}  // namespace joiner::plan
