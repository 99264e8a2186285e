// Turns a plan's launches into NodeClaim objects. The names are ours, so that a create whose answer was lost
// is found again instead of being made twice. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "act/services.h"
#include "base/rng.h"
#include "plan/plan.h"

namespace joiner::act {

// The claim a launch asks for: owner, labels, hash, requirements; everything but the pods. Pure.
api::NodeClaim make_claim(const plan::MachineSpec& spec, const model::PoolView& pool,
                          const rules::RestrictedLabels& labels, const std::string& name);

// "<pool>-<five letters>".
std::string make_claim_name(const std::string& pool, Rng& rng);

// What the claim of each launch says of its launch group, in the launches' order: those that share a spec are
// one, and as many as are more than a group holds begin the next. Empty: it is in none.
std::vector<std::string> launch_groups(const std::vector<std::shared_ptr<const plan::MachineSpec>>& specs,
                                       Rng& rng);

// Creates it, trying again until the answer is known. `done` gets a value once the claim exists, or why it
// never will; `reason` is what the metrics say it was created for.
void create_claim(Services& services, api::NodeClaim claim, std::string_view reason,
                  std::function<void(Status)> done);

}  // namespace joiner::act
