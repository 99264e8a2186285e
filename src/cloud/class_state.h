// What a provider wants a node class to say of itself. Value types; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"

namespace joiner::cloud {

// Of a class: what memory its nodes have said they have. It says nothing of what is in stock.
inline constexpr std::string_view kLearnedMemoryAnnotation = "joiner.sh/learned-memory";

struct ClassFacts {
    bool is_in_use = false;  // A NodeClaim names it.
};

struct WantedCondition {
    std::string type;
    std::string status;  // "True", "False" or "Unknown".
    std::string reason;
    std::string message;
};

// What is left out stays as it is.
struct WantedClassState {
    api::StringMap annotations;
    std::vector<WantedCondition> conditions;
    std::string status = "{}";  // JSON: a merge patch of the status, its conditions left out.
    // The provider's finalizer, while it has something to clear away; once it is no longer wanted it is taken
    // off.
    std::string finalizer = {};
    bool wants_finalizer = false;
    std::optional<Duration> again_after;  // Ask again then, though nothing has changed.
};

}  // namespace joiner::cloud
