// One frame of `joiner top` as text: of a dump, or of a live cluster that is read once. One call.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/top/frame.h"

namespace joiner::cli::top {

// Errors: a cluster or a file that cannot be read, a size that is too small.
Result<std::string> frame_once(const TopOptions& options, Size size, Style style, WallTime now);

}  // namespace joiner::cli::top
