// Holds a plan against kube-scheduler's rules, from the Snapshot and the Plan alone. It shares nothing with
// the planner but the value algebra of `rules`, so that one mistake is not made twice. A plan is good when
// there is an order in which the scheduler could bind every pod where the plan has it; which orders count is
// asked for. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/verify/binding_order.h"

namespace joiner::plan {

struct Violation {
    model::PodIndex pod = 0;
    std::string what;
};

// Empty when the plan is good.
std::vector<Violation> check_plan(const model::Snapshot& snapshot, const Plan& plan,
                                  Order order = Order::kAny);

// Takes the pods out of their places, and with the last one its machine.
void let_wait(const model::Snapshot& snapshot, const std::map<model::PodIndex, std::string>& reasons,
              Plan& plan);

// Lets the pods wait that break a rule, until nothing does.
void drop_violations(const model::Snapshot& snapshot, Plan& plan, Order order = Order::kAny);

}  // namespace joiner::plan
