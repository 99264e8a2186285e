// Keeps static pools (spec.replicas) at their size and replaces their drifted nodes one for one; what is to
// be done, plan/lifecycle/static_pool says. Loop thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/claim_decisions.h"
#include "control/disruption.h"
#include "control/provisioner.h"
#include "control/purchases.h"
#include "plan/lifecycle/static_pool.h"

namespace joiner::control {

class StaticPools {
  public:
    // `terminate_first`: which nodes may go before their replacement where there is no room for both.
    StaticPools(act::Services& services, Provisioner& provisioner, act::Lifecycle& lifecycle,
                const Disruption& disruption, observe::DecisionLog& decisions,
                plan::TerminateFirst terminate_first)
        : services_(services),
          provisioner_(provisioner),
          lifecycle_(lifecycle),
          disruption_(disruption),
          decisions_(decisions),
          terminate_first_(terminate_first) {}

    // Each second. REQUIRES: the watches are fresh.
    void reconcile();
    // Begins to replace the candidate, one for one; why not, in one sentence, or empty: it has begun, or a
    // replacement that is under way comes first. REQUIRES: the pool is static, the disruptor may start, and a
    // gate has admitted the candidate.
    std::string replace(const plan::Candidate& candidate, std::string_view reason,
                        std::optional<Duration> drain_bound);
    // A claim was not launched, or a node of the pool has come up.
    void launch_failed(const std::string& claim, const Error& error);
    void came_up(const std::string& pool) { purchases_.forget(pool); }

  private:
    void reconcile(const api::NodePool& pool);
    void launch(const model::PoolView& pool, std::int64_t count);
    plan::StaticPoolFacts facts_of(const api::NodePool& pool);
    void replace_drifted(const plan::StaticPoolFacts& facts, const model::PoolView& pool);
    void begin(const model::PoolView& pool, const plan::Candidate& candidate, std::string_view reason,
               std::optional<Duration> drain_bound);
    // What goes is made up for once it has gone, as whatever the pool lacks.
    void terminate_first(const plan::Candidate& candidate, std::string_view reason,
                         std::optional<Duration> drain_bound, std::string_view obstacle);
    // Nothing is replaced, because there is no room for a replacement.
    void keep_drifted(const api::NodePool& pool, const plan::StaticDrift& drift);
    std::shared_ptr<const plan::MachineSpec> spec_of(const model::PoolView& pool) const;
    void say(const api::NodePool& pool, const std::string& reason, const std::string& message);
    void decide(const api::NodePool& pool, observe::Matter matter, observe::Verdict verdict,
                plan::Reasons reasons);
    // Fewer are launched than are missing.
    void limit(const api::NodePool& pool, plan::Reason why);

    act::Services& services_;
    Provisioner& provisioner_;
    act::Lifecycle& lifecycle_;
    const Disruption& disruption_;
    observe::DecisionLog& decisions_;
    plan::TerminateFirst terminate_first_;
    Purchases purchases_;                                    // By pool; all claims of a pass count as one.
    std::map<std::string, std::set<std::string>> creating_;  // By pool: claims not seen yet.
};

}  // namespace joiner::control
