// So many a second on the average, so many at once. Knows no clock: `now` is handed in and never goes back.
// Pure.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace joiner::kube {

class TokenBucket {
  public:
    TokenBucket(double per_second, int burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

    bool try_take(Duration now) {
        refill(now);
        if (tokens_ < 1) return false;
        tokens_ -= 1;
        return true;
    }
    // How long until try_take() succeeds; zero when it would now.
    Duration wait(Duration now) {
        refill(now);
        if (tokens_ >= 1) return Duration{0};
        // One nanosecond more than computed, so that rounding never makes a timer come just too early.
        return from_seconds((1 - tokens_) / per_second_) + Duration{1};
    }

  private:
    void refill(Duration now) {
        tokens_ = std::min<double>(burst_, tokens_ + to_seconds(now - last_) * per_second_);
        last_ = now;
    }

    double per_second_;
    double burst_;
    double tokens_;
    Duration last_{0};
};

}  // namespace joiner::kube
