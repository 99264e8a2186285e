// Claims of one plan that ask for the same. Which they are is written into each of them when it is made
// (api::kLaunchGroupAnnotation), so that a cloud may buy for all by one call, and whoever comes after a
// restart knows which call that was. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "api/karpenter.h"

namespace joiner::cloud {

inline constexpr std::size_t kMostInALaunchGroup = 20;

struct LaunchGroup {
    std::string id;         // No other group of any cluster has it.
    std::size_t count = 2;  // Claims that were made with it: 2 to kMostInALaunchGroup.

    friend bool operator==(const LaunchGroup&, const LaunchGroup&) = default;
};

// As the annotation says it: "<id>/<count>".
std::string written(const LaunchGroup& group);
// nullopt: the claim is in none, or what it says cannot be read.
std::optional<LaunchGroup> launch_group_of(const api::NodeClaim& claim);

}  // namespace joiner::cloud
