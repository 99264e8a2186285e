// What each cloud calls a sick node, read once at the start.
#pragma once

#include "base/result.h"
#include "cloud/providers.h"
#include "plan/disrupt/repair.h"
#include "plan/lifecycle/legacy_repair.h"

namespace joiner::control {

// Errors: a provider whose policies cannot be used, or not one that has any.
Result<plan::RepairPoliciesByClass> repair_policies_of(const cloud::Providers& providers);
plan::LegacyPoliciesByClass legacy_repair_policies_of(const cloud::Providers& providers);

}  // namespace joiner::control
