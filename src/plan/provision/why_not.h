// Why pods of a class fit nowhere. Pure.
#pragma once

#include "plan/provision/limits.h"
#include "plan/provision/problem.h"
#include "plan/reason.h"

namespace joiner::plan {

// One reason a pool: which rule, or how far the nearest type was.
Reasons why_not(const Problem& problem, const Limits& limits, std::uint32_t pod_class);

}  // namespace joiner::plan
