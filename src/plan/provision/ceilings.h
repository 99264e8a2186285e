// What a pod costs at least where it is bought. Of what may be bought there are a few kinds, alike in the
// proportion of their resources, and each has its own worth of a unit of each resource: none of its machines
// costs less than what it holds is worth. A pod costs no less than it is worth on some kind that holds it.
// With one worth for all, what one machine has too much of would make up for what another has too little of.
// Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "plan/provision/resource_bound.h"

namespace joiner::plan {

// `units` may be anything, by kind and dimension: every machine is taken to be of the kind by which it is
// worth the least, and where one costs less than that, all are made smaller. `requests`: pods alike x
// dimension; one that no machine holds is looked at as if all did.
std::vector<double> ceilings(const ResourceColumns& columns, const std::vector<double>& requests,
                             const std::vector<std::vector<double>>& units);

// More than any pod costs that some machine holds.
double dear_price(const ResourceColumns& columns);

bool has_room(const double* room, const double* request, std::size_t dimensions);

}  // namespace joiner::plan
