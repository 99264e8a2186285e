// Why pods of a class fit nowhere, in words for whoever reads the event. Pure.
#pragma once

#include <string>

#include "plan/provision/limits.h"
#include "plan/provision/problem.h"

namespace joiner::plan {

// One clause a pool: which rule, or how far the nearest type was.
std::string why_not(const Problem& problem, const Limits& limits, std::uint32_t pod_class);

}  // namespace joiner::plan
