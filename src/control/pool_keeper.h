// Keeps each NodePool's (and Provisioner's) own fields true: the validation and readiness conditions, the
// drift hash, and the sums in its status. Has the claims of a pool whose spec has changed reconciled. Loop
// thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "act/services.h"
#include "act/settled_patches.h"
#include "control/pool_use.h"
#include "model/capacity_mix.h"
#include "model/first_api.h"
#include "observe/decision_log.h"
#include "rules/conditions.h"
#include "rules/registration_health.h"

namespace joiner::control {

class PoolKeeper {
  public:
    // `reconcile_again()` is called when a pool may be reconciled that could not be before.
    PoolKeeper(act::Services& services, observe::DecisionLog& decisions,
               std::function<void()> reconcile_again)
        : services_(services),
          decisions_(decisions),
          reconcile_again_(std::move(reconcile_again)),
          patches_(services) {}

    // Reconciles every pool; cheap when nothing is to be said.
    void reconcile(bool with_sums);
    // A node of the pool has registered, or was given up before it was initialised. The pool says so when it
    // is reconciled next.
    void note_registered(const std::string& pool);
    // `reason`: a condition reason; `message`: one sentence.
    void note_given_up(const std::string& pool, const std::string& reason, const std::string& message);
    // What of the pool is left alone because it was sold out, in one sentence; empty: nothing.
    void note_sold_out(const std::string& pool, std::string message);

  private:
    struct Registrations {
        // Of the pool and its node class; what older ones did says nothing of them.
        std::int64_t generation = 0;
        std::int64_t class_generation = 0;
        rules::RegistrationHealth health;
        std::string failure;  // The last one's reason, and what it says besides.
        std::string message;
    };
    // What is known of the pool as it is now; nullptr: there is no such pool.
    Registrations* registrations_of(const std::string& pool);
    std::int64_t class_generation(const api::NodePool& pool) const;
    void set_registration_health(const api::NodePool& pool, rules::ConditionEditor& edit) const;
    // Said of pools only that ask for a ratio.
    void set_ratio(const api::NodePool& pool, rules::ConditionEditor& edit) const;
    // `use`: what its nodes add up to; nullptr: the status keeps its sums.
    void reconcile(const api::NodePool& pool, const PoolUse* use);
    void reconcile_claims_of(const api::NodePool& pool);
    // Says of a Provisioner that is no pool of ours why it is not.
    void note_unused(const api::Provisioner& provisioner);
    std::vector<api::Condition> wanted_conditions(const api::NodePool& pool) const;
    void decide_on_readiness(const api::NodePool& pool, const std::vector<api::Condition>& conditions);
    void patch(const api::NodePool& pool, std::string_view subresource, std::string body);

    act::Services& services_;
    observe::DecisionLog& decisions_;
    std::function<void()> reconcile_again_;
    act::SettledPatches patches_;
    std::map<std::string, Registrations> registrations_;
    std::map<std::string, std::string> sold_out_;
    // As they were when the pools were reconciled last.
    model::CapacityMixes mixes_;
    std::vector<model::MadeClass> made_;
    // Generation and hash of each pool when its claims were last reconciled.
    std::map<std::string, std::pair<std::int64_t, std::string>> reconciled_;
};

}  // namespace joiner::control
