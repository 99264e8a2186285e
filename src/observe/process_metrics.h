// The process's own use of CPU and memory under the names that dashboards know from programs in Go, as lines
// of a metrics page. Any thread.
#pragma once

#include <string>

namespace joiner::observe {

std::string process_metrics();

}  // namespace joiner::observe
