// What admission fills into the containers of a new pod from its namespace's LimitRanges; for pods that are
// not made yet, such as a daemon's on a node still to be bought. Pure; any thread. Source: the LimitRanger
// admission plug-in's documented defaults.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "api/core.h"

namespace joiner::rules {

// One namespace's defaults, those of several LimitRanges together; the first by name wins where two differ.
struct ContainerDefaults {
    api::ResourceMap requests;
    api::ResourceMap limits;

    void add(const api::LimitRange& range);
};

// Containers that name neither a request nor a limit for a resource get the defaults; a limit alone is the
// request too.
void apply_defaults(const ContainerDefaults& defaults, api::PodSpec& spec);

}  // namespace joiner::rules
