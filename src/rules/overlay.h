// NodeOverlays: what users know better than the provider about prices and capacities. Pure; any thread.
// Source: Karpenter's documented evaluation (weights, conflicts, first writer wins).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "rules/instance_type.h"

namespace joiner::rules {

using InstanceTypes = std::shared_ptr<const std::vector<InstanceType>>;

// A pool as overlays see it: its name and template labels, and the types the provider has for it.
struct OverlaidPool {
    Requirements labels;
    InstanceTypes types;
};

struct OverlayProblem {
    std::string overlay;
    std::string problem;       // Why it is not applied.
    bool is_conflict = false;  // With another overlay; by itself it would do.
};

// Every mistake in one overlay, or empty.
std::string validate_overlay(const api::NodeOverlay& overlay);

// "0.5", "+0.1", "-0.2", "+10%", "-10%"; never below zero where it adjusts.
Result<Money> adjusted_price(const api::NodeOverlay& overlay, Money price);

// Replaces the types of each pool that some overlay touches. The heaviest overlay sets a price or a capacity,
// ties going to the later name; overlays of one weight that set the same thing differ, and the later to come
// is not applied at all.
std::vector<OverlayProblem> apply_overlays(std::vector<api::NodeOverlay> overlays,
                                           std::vector<OverlaidPool>& pools);

}  // namespace joiner::rules
