// The time of day for a process that measures by it: steps of the machine's clock do no harm. It goes with
// the monotonic clock and follows the wall clock at a tenth of the speed at most, so that it never goes back,
// and a span of it is never off by more than that. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"

namespace joiner::io {

class SteadyWall {
  public:
    // What both clocks read at this moment. The first reading is believed.
    WallTime at(WallTime wall, Duration monotonic) {
        const Duration measured = wall.time_since_epoch() - monotonic;
        const Duration most = (monotonic - read_at_) / 10;
        offset_ = offset_ ? *offset_ + std::clamp(measured - *offset_, -most, most) : measured;
        read_at_ = monotonic;
        return WallTime{monotonic + *offset_};
    }

  private:
    std::optional<Duration> offset_;  // What the monotonic clock is behind.
    Duration read_at_{0};
};

}  // namespace joiner::io
