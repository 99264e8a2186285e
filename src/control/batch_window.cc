#include "control/batch_window.h"

#include <algorithm>

namespace joiner::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kQuiet = milliseconds{150};
constexpr Duration kLongest = seconds{1};
// A pause that ends a stream; no quiet that ends a batch is longer.
constexpr Duration kPause = milliseconds{500};
// Parts of the stream's age.
constexpr int kQuietPart = 20;
constexpr int kLongestPart = 2;

}  // namespace

BatchWindow::BatchWindow(Duration most_idle, Duration longest) : most_idle_(most_idle), longest_(longest) {}

Duration BatchWindow::note(Duration now) {
    if (!is_open_) {
        if (!has_begun_ || now - came_last_ > kPause) stream_began_ = now;
        closes_after_ = std::min(std::max(kLongest, (now - stream_began_) / kLongestPart), longest_);
        opened_ = now;
        is_open_ = has_begun_ = true;
    }
    came_last_ = now;
    const Duration quiet =
        std::min(std::clamp((now - stream_began_) / kQuietPart, kQuiet, kPause), most_idle_);
    return std::clamp(closes_after_ - (now - opened_), Duration{0}, quiet);
}

}  // namespace joiner::control
