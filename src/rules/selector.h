// Label selectors against label sets. Pure; any thread.
#pragma once

#include <optional>

#include "api/meta.h"
#include "base/result.h"

namespace joiner::rules {

// An empty selector matches everything, an absent one nothing. Unknown operators match nothing.
bool matches(const api::LabelSelector& selector, const api::StringMap& labels);
bool matches(const std::optional<api::LabelSelector>& selector, const api::StringMap& labels);

// "app=web,tier in (a,b),!beta", the text form of kubectl and watch requests.
Result<api::LabelSelector> parse_selector(std::string_view text);

}  // namespace joiner::rules
