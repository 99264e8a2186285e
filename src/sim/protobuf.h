// Objects of the built-in kinds as kubectl sends some of them: Kubernetes' protobuf envelope, turned into the
// JSON that it stands for. Which number is which field says core_kinds.proto. Any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sim/json.h"

namespace joiner::sim {

// kInvalid: not such an envelope, cut short, or of a kind that is not built in.
Result<Json> json_of_protobuf(std::string_view body);

}  // namespace joiner::sim
