// --commitments: a file that names the reserved instances and Savings Plans of an account. YAML or JSON;
// unknown fields are refused.
#pragma once

#include <string>

#include "base/result.h"
#include "rules/commitment.h"

namespace joiner::cli {

// Errors name the line and the field.
Result<rules::Commitments> parse_commitments(const std::string& text, const std::string& where);
// No path: none.
Result<rules::Commitments> load_commitments(const std::string& path);

}  // namespace joiner::cli
