// Last pass: chosen machines become launches, each with its pods by name and everything that could stand in
// for it, so that a type sold out costs no new plan. Pure.
#pragma once

#include <vector>

#include "plan/plan.h"
#include "plan/provision/machine.h"

namespace joiner::plan {

// `left` are the pods of each class that are to stand on the machines, oldest first; those that do are taken
// out.
void make_launches(const Problem& problem, const ProvisionOptions& options,
                   const std::vector<Machine>& machines, std::vector<std::vector<model::PodIndex>>& left,
                   Plan& plan);

// One machine whose pods are known by name already.
void add_launch(const Problem& problem, const ProvisionOptions& options, const Machine& machine,
                std::vector<model::PodIndex> pods, Plan& plan);

}  // namespace joiner::plan
