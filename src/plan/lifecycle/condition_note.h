// What a condition of a claim should say. A value type, so that a plan can ask for it.
#pragma once

#include <string>
#include <string_view>

namespace joiner::plan {

struct ConditionNote {
    std::string_view type;
    std::string_view status;
    std::string reason;
    std::string message = {};

    friend bool operator==(const ConditionNote&, const ConditionNote&) = default;
};

}  // namespace joiner::plan
