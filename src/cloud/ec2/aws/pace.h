// How often calls of one kind may go to AWS: as often as asked for, until AWS says that it is too often; then
// at a rate that falls with each such answer and grows again while there is none. Knows no clock: `now` never
// goes back. Pure.
#pragma once

#include <optional>

#include "base/time.h"

namespace joiner::cloud::ec2::aws {

class Pace {
  public:
    // When the next call may go; it counts as gone then.
    Duration take(Duration now);
    void throttled(Duration now);
    void succeeded(Duration now);

    // Calls a second; nullopt: without limit.
    std::optional<double> rate() const { return rate_; }

  private:
    void count(Duration at);

    std::optional<double> rate_;
    Duration next_{0};     // No call before.
    Duration changed_{0};  // When the rate was set last.
    Duration window_start_{0};
    int in_window_ = 0;       // Calls of the second that is being counted,
    double last_window_ = 0;  // and of the one before.
};

}  // namespace joiner::cloud::ec2::aws
