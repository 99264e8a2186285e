// Which nodes a spread looks at, those that are there and those that may be bought. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/provision/topology.h"

namespace joiner::plan {

// Whether it looks at a node with these labels; `keys` are the topology's, by KeyId.
bool passes(const NodeFilter& filter, const std::vector<std::string>& keys, const rules::Requirements& labels,
            std::string_view name, const std::vector<api::Taint>& taints);

// Whether it may look at a node to be bought that has the value for the key, whatever its taints. What each
// of `sources` says of a label goes before what the next says.
bool may_pass(const NodeFilter& filter, const std::vector<std::string>& keys,
              const std::vector<const rules::Requirements*>& sources, KeyId key, const std::string& value);

}  // namespace joiner::plan
