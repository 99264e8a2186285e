// The covering relaxation: the cheapest whole machines whose rooms together are at least what is asked,
// whether or not the pods can be cut to fit. Tighter than the resource program where few machines do. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/provision/resource_bound.h"

namespace joiner::plan {

// A bound on the price of machines that cover `demand`: never above the cheapest, and equal to it (or to
// `upper`, when that is less) if `effort` looks at a machine suffice to finish. `upper`: the price of a plan
// that is known.
double covering_bound(const ResourceColumns& columns, const std::vector<double>& demand, double upper,
                      std::uint64_t effort);

}  // namespace joiner::plan
