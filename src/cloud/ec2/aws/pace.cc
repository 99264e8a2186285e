#include "cloud/ec2/aws/pace.h"

#include <algorithm>

namespace joiner::cloud::ec2::aws {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kLeast = 0.5;        // Calls a second.
constexpr double kFall = 0.7;         // To so much of what was too often.
constexpr double kGrowth = 1.5;       // In each second without a complaint.
constexpr double kNoLimitFrom = 100;  // A rate that grew so far is none.
// Answers to calls that were under way together are one complaint.
constexpr Duration kOneComplaint = milliseconds{500};

}  // namespace

Duration Pace::take(Duration now) {
    const Duration at = rate_ ? std::max(now, next_) : now;
    if (rate_) next_ = at + from_seconds(1 / *rate_);
    count(at);
    return at;
}

void Pace::count(Duration at) {
    if (at >= window_start_ + seconds{1}) {
        last_window_ = at >= window_start_ + seconds{2} ? 0 : in_window_;
        window_start_ = at;
        in_window_ = 0;
    }
    ++in_window_;
}

void Pace::throttled(Duration now) {
    if (rate_ && now < changed_ + kOneComplaint) return;
    const double measured = std::max<double>(last_window_, in_window_);
    rate_ = std::max(kLeast, kFall * (rate_ ? std::min(*rate_, std::max(measured, 1.0)) : measured));
    changed_ = now;
    next_ = std::max(next_, now + from_seconds(1 / *rate_));
}

void Pace::succeeded(Duration now) {
    if (!rate_ || now < changed_ + seconds{1}) return;
    rate_ = *rate_ * kGrowth;
    changed_ = now;
    if (*rate_ >= kNoLimitFrom) rate_.reset();
}

}  // namespace joiner::cloud::ec2::aws
