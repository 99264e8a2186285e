// Standard five-field cron schedules in UTC, and the @ macros, as disruption budgets use them. A value type;
// pure. Source: robfig/cron's standard parser, which upstream documents as the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace joiner::rules {

class Cron {
  public:
    static Result<Cron> parse(std::string_view text);

    // The first minute strictly after `after` that matches; nullopt when none comes within five years.
    std::optional<WallTime> next(WallTime after) const;
    // A hit lies within (now - duration, now].
    bool is_active(WallTime now, Duration duration) const;

  private:
    std::uint64_t minutes_ = 0;
    std::uint64_t hours_ = 0;
    std::uint64_t days_ = 0;
    std::uint64_t months_ = 0;
    std::uint64_t weekdays_ = 0;
    // A day matches when both fields do, or either where both are restricted.
    bool any_day_ = false;
    bool any_weekday_ = false;
};

}  // namespace joiner::rules
