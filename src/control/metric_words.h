// The words that Karpenter's metrics use for what objects call otherwise. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace joiner::control {

std::string lower(std::string_view text);
// "WhenEmpty" is "when_empty"; a run of capitals is one word, "KWOKUnhealthy" "kwok_unhealthy".
std::string snake_case(std::string_view text);
// How long pods may hold up the end of a node: graceful (for ever), eventual (for a while) or forceful (not
// at all).
std::string termination_mode(const std::optional<Duration>& bound);

}  // namespace joiner::control
