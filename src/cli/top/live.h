// `joiner top` of a live cluster: until the user quits. One call; the calling thread is the loop's.
#pragma once

#include "base/result.h"
#include "cli/commands.h"

namespace joiner::cli::top {

// Errors: no cluster to speak to, no terminal. A cluster that does not answer is none: it is waited for.
Status run_live(const TopOptions& options);

}  // namespace joiner::cli::top
