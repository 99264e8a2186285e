// Label keys that belong to clouds. What a node will have for one of them only its provider can say, so a key
// that no instance type defines is never taken for a label of the user's own. Pure; any thread.
#pragma once

#include <string_view>

namespace joiner::rules {

// "karpenter.k8s.aws/instance-cpu", "eks.amazonaws.com/instance-family" and the like.
bool is_provider_key(std::string_view key);

}  // namespace joiner::rules
