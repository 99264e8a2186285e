// Drift: a claim that its NodePool, the catalogue or the cloud would not make so any more. Pure; any thread.
// Source: Karpenter's documented drift.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/gate.h"
#include "rules/instance_type.h"

namespace joiner::plan {

// A younger claim is not held against the catalogue: its launch was just made from it.
inline constexpr Duration kCatalogueGrace = std::chrono::hours{1};

struct DriftQuestion {
    const api::NodeClaim& claim;
    const api::NodePool& pool;
    // nullptr: not known, and nothing is concluded from it.
    std::shared_ptr<const std::vector<rules::InstanceType>> types;
    // What the cloud says: a condition reason, or empty. nullopt: it does not know, and what it said last
    // still holds.
    std::optional<std::string> provider_reason;
};

// Why the claim has drifted, as the Drifted condition's reason; empty when it has not; nullopt where that is
// not known, and what the claim says stays. The first that holds of NodePoolDrifted, RequirementsDrifted,
// InstanceTypeNotFound and the provider's own.
std::optional<std::string> drift_reason(const DriftQuestion& question, WallTime now);

// The first two of these, which the claim and the pool tell by themselves.
bool is_of_old_template(const api::NodeClaim& claim, const api::NodePool& pool);

// The hash annotations the claim should carry, where they are of another version than ours: hashes of
// different versions say nothing about each other. A claim that has drifted already keeps its old hash.
// REQUIRES: the pool's own annotations are of today's version, else nothing is said.
std::optional<api::StringMap> restamped_hash(const api::NodeClaim& claim, const api::NodePool& pool);

struct DriftPlan {
    // Drifted nodes that may be replaced: those without pods first, then by how long they have been drifted.
    std::vector<Candidate> candidates;
    std::vector<Blocked> blocked;  // Drifted nodes that may not.
};

DriftPlan plan_drift(const DisruptionFacts& facts, WallTime now);

}  // namespace joiner::plan
