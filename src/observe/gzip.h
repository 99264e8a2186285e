// Compresses what goes out over HTTP. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace joiner::observe {

// As Content-Encoding: gzip has it; quickly rather than small.
std::string gzip(std::string_view text);

}  // namespace joiner::observe
