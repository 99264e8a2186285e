// Time as values. Nobody here reads a clock: `now` is handed in by io::Loop. Durations are nanoseconds, wall
// time is nanoseconds since 1970 in UTC. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace joiner {

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::sys_time<Duration>;

// The time of an object that carries none.
inline constexpr WallTime kNoTime{};

constexpr double to_seconds(Duration d) {
    return std::chrono::duration<double>(d).count();
}
constexpr Duration from_seconds(double s) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(s));
}

// Go's duration text: "1h30m", "250ms", "1.5s", "-2m", "0". Errors are kInvalid.
Result<Duration> parse_duration(std::string_view text);

// The shortest exact form in h, m, s, ms, us, ns: "720h0m0s" as Go prints it.
std::string format_duration(Duration d);

// "2026-11-23T19:05:07Z", with fractions and numeric zones accepted on the way in.
Result<WallTime> parse_rfc3339(std::string_view text);
// Seconds only, as metav1.Time.
std::string format_rfc3339(WallTime t);
// Six digits of fraction, as metav1.MicroTime (Lease and Event times).
std::string format_rfc3339_micro(WallTime t);

}  // namespace joiner
