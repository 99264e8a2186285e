// When a cloud calls a node sick: a condition of it that has had a status for too long. Value type.
#pragma once

#include <string>

#include "base/time.h"

namespace joiner::rules {

struct RepairPolicy {
    std::string condition;  // Of the Node: "Ready".
    std::string status;     // "False", "Unknown", and so on.
    Duration toleration{0};
};

}  // namespace joiner::rules
