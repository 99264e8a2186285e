// Provisioning: which pods go onto room there is, which machines are bought for the others. Pure. The passes
// are a list (planner.cc): deal, rooms, patterns, greedy, fill, improve, bound, first fit, launches,
// verify; each stands in a file of its own, is timed, and can be left out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "plan/plan.h"

namespace joiner::plan {

enum class MinValuesPolicy { kStrict, kBestEffort };

struct ProvisionOptions {
    MinValuesPolicy min_values_policy = MinValuesPolicy::kStrict;
    std::size_t max_types = 100;  // Alternatives a launch lists at most.
    // How long to look for a lower price, in looks at a lot: the same everywhere, so that a plan can be made
    // again. The default takes about 0.4 s.
    std::uint64_t effort = 150'000'000;
    std::uint64_t seed = 1;
    // Seconds on a steady clock. Where there is one, passes are timed, and the search for a lower price is
    // cut short `budget_seconds` after the start.
    std::function<double()> clock = {};
    double budget_seconds = 0.5;
    // A plan that costs no more than this times the bound is not worth another look.
    double good_enough = 1.0005;
    // Preferences are kept while keeping them costs no more than they are worth: so much an hour for one of
    // weight 100. Without it they are kept wherever they can be.
    std::optional<rules::Money> preference_worth = {};
    // Passes to leave out, by name: "patterns", "greedy" or "improve".
    std::vector<std::string_view> without = {};
};

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options);

}  // namespace joiner::plan
