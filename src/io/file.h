// Whole small files. Blocks for as long as the disk takes: for configuration and credentials, not for data.
// Any thread.
#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace joiner::io {

// Errors name the path: kNotFound, kForbidden, kInvalid (a folder, or more than `max_bytes`), kUnavailable.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = 16u << 20);

}  // namespace joiner::io
