// Delays that double from a first to a longest, each drawn between half and one and a half times its middle
// so that many clients do not come back in step. Pure.
#pragma once

#include <algorithm>

#include "base/rng.h"
#include "base/time.h"

namespace joiner::kube {

class Backoff {
  public:
    Backoff(Duration first, Duration longest) : first_(first), longest_(longest), next_(first) {}

    Duration next(Rng& rng) {
        const Duration middle = next_;
        next_ = std::min(longest_, next_ * 2);
        return from_seconds(to_seconds(middle) * (0.5 + rng.unit()));
    }
    void reset() { next_ = first_; }

  private:
    Duration first_;
    Duration longest_;
    Duration next_;
};

}  // namespace joiner::kube
