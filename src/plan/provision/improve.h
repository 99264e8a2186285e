// Looks for a lower price near a plan: takes a few machines and bins apart, buys others for their pods, and
// keeps what is no dearer. Of equal prices it keeps what gathers the free room on fewer machines, which is
// how the next step comes to save money. Pure: the same seed and effort give the same plan.
#pragma once

#include <cstdint>
#include <functional>

#include "plan/provision/draft.h"

namespace joiner::plan {

struct ImproveOptions {
    std::uint64_t seed = 1;
    std::uint64_t effort = 0;  // Looks at a lot, see Packer::looks().
    double good_enough = 0;    // Ends at this price: nothing, or next to nothing, is left to gain.
    MinValuesPolicy min_values_policy = MinValuesPolicy::kStrict;
    std::function<bool()> is_late;  // May be empty. Asked often.
};

// REQUIRES: `draft` is complete and sound. So is what comes back, and no dearer.
Draft improve(const Market& market, Draft draft, const ImproveOptions& options);

}  // namespace joiner::plan
