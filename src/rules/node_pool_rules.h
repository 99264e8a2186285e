// What holds for a NodePool as such: its runtime validation, its static drift hash, and which labels a user
// may not set. Pure; any thread. Source: Karpenter's documented behaviour (core set of restricted labels,
// hash version v3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "rules/requirement.h"

namespace joiner::rules {

// Label domains that belong to the controller and its providers.
struct RestrictedLabels {
    std::vector<std::string> domains = {"karpenter.sh"};
    WellKnownLabels well_known;

    // Why `key` may not be set or required by a user, or nothing.
    std::optional<std::string> problem(std::string_view key) const;
};

// Every mistake, in one text; empty when the pool is fine.
std::string validate_node_pool(const api::NodePool& pool, const RestrictedLabels& restricted);

// The static drift hash of the pool's template, as unsigned decimal text. Bit for bit upstream's, so that
// nothing drifts when a cluster changes over.
std::string node_pool_hash(const api::NodePool& pool);

bool is_qualified_name(std::string_view key);
bool is_label_value(std::string_view value);

}  // namespace joiner::rules
