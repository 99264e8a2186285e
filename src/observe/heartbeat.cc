#include "observe/heartbeat.h"

#include <fmt/format.h>

namespace joiner::observe {
namespace {

constexpr Duration kPeriod = std::chrono::seconds{1};
// Plans of the largest clusters take some seconds; a restart costs more than to wait.
constexpr Duration kHangs = std::chrono::minutes{1};

}  // namespace

Heartbeat::Heartbeat(io::Loop& loop) : loop_(loop) {
    beat();
}

Heartbeat::~Heartbeat() {
    loop_.cancel(timer_);
}

void Heartbeat::beat() {
    last_.store(loop_.monotonic().count());
    timer_ = loop_.after(kPeriod, [this] { beat(); });
}

Page Heartbeat::page() const {
    const Duration age = loop_.monotonic() - Duration{last_.load()};
    if (age < kHangs) return {200, "text/plain", "ok"};
    return {500, "text/plain",
            fmt::format("the loop has not turned for {:.0f} seconds; the process should be restarted",
                        to_seconds(age))};
}

}  // namespace joiner::observe
