// Instance types from the JSON array that Karpenter's KWOK provider reads, and that provider's own 144 types
// by formula. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/instance_type.h"
#include "rules/node_pool_rules.h"

namespace joiner::cloud::kwok {

// `source` names the file in messages. Every type must have a name, cpu and memory, and every offering a
// price, a zone and a capacity type; the first that does not is named.
Result<std::vector<rules::InstanceType>> parse_types(std::string_view json, const std::string& source);

std::vector<rules::InstanceType> builtin_types();

// What labels the types and their offerings define, and whose domain users may not add to.
rules::RestrictedLabels labels_of(const std::vector<rules::InstanceType>& types);

}  // namespace joiner::cloud::kwok
