// What AWS's clock says: this machine's, until AWS refuses a signature for its time; from then on corrected
// by what AWS's answers say. Loop thread.
#pragma once

#include <string_view>

#include "base/time.h"
#include "cloud/ec2/aws/error.h"
#include "io/loop.h"

namespace joiner::cloud::ec2::aws {

class ServerClock {
  public:
    explicit ServerClock(const io::Loop& loop) : loop_(loop) {}

    WallTime now() const { return loop_.now() + ahead_; }
    // Of AWS's clock, before ours.
    Duration ahead() const { return ahead_; }

    // Of a request that was refused with `code`, in an answer of this time: whether it is worth signing anew,
    // because the clock has been set since it was signed. `ahead`: as it was then.
    bool corrects(std::string_view code, WallTime server_time, Duration ahead) {
        if (!may_be_for_its_time(code)) return false;
        // AWS takes five minutes for right, and the answer was under way for a while.
        constexpr Duration kTolerated = std::chrono::minutes{4};
        if (server_time != kNoTime && std::chrono::abs(server_time - now()) > kTolerated)
            ahead_ = server_time - loop_.now();
        return ahead_ != ahead;
    }

  private:
    const io::Loop& loop_;
    Duration ahead_{0};
};

}  // namespace joiner::cloud::ec2::aws
