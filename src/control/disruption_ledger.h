// What is remembered of voluntary disruption: the claims in commands under way, pods that have moved and
// rest, who is put off, and which pools are held because moves in them did not end well. The Disruptor writes
// it, and every method reads it. In memory only; loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "control/moves.h"
#include "io/loop.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/disrupt/breaker.h"
#include "plan/disrupt/gate.h"

namespace joiner::control {

class DisruptionLedger {
  public:
    using WhyByPool = std::map<std::string, std::string, std::less<>>;

    DisruptionLedger(io::Loop& loop, const model::Cluster& cluster) : loop_(loop), cluster_(cluster) {}

    // What any method must ask before a node goes.
    plan::DisruptionGate gate();

    // Claims that commands under way remove; and those with what replaces them and what is still to be
    // proved.
    const model::ClaimNames& leaving() const { return leaving_; }
    const model::ClaimNames& in_commands() const { return in_commands_; }
    void set_claims(model::ClaimNames leaving, model::ClaimNames in_commands);

    Moves& moves() { return moves_; }

    // A command that would have removed the claim has failed just now, or its pods had no place; others get
    // their turn.
    void put_off(const std::string& claim);
    bool is_put_off(const std::string& claim) const;
    // The pool's next replacement would hardly fare better so soon.
    void put_pool_off(const std::string& pool);
    bool is_pool_put_off(const std::string& pool) const;

    // A node of the pool has come up in time, or has not.
    void note_launch(const std::string& pool, bool has_come_up);
    // Where moved pods must be ready again (Proofs).
    plan::Breaker& breaker() { return breaker_; }
    // A consolidation of the pool has ended; `has_strays`: more nodes were bought than were planned.
    void note_consolidated(const std::string& pool, bool has_strays);
    // Pools where consolidation lately did not end as planned, so that it is not tried for a while, and why.
    WhyByPool fruitless_pools() const { return fruitless_.held(loop_.now()); }

    // Pools that nothing is launched for just to replace something, and why.
    const WhyByPool& held_pools() const { return held_pools_; }

    // Each second, after all that may have tripped a breaker.
    void reconcile();

  private:
    io::Loop& loop_;
    const model::Cluster& cluster_;
    model::ClaimNames leaving_;
    model::ClaimNames in_commands_;
    Moves moves_;
    plan::Breaker breaker_;
    plan::Breaker fruitless_;
    WhyByPool held_pools_;
    std::map<std::string, std::int64_t> pool_generations_;
    std::map<std::string, WallTime, std::less<>> not_before_;       // By claim.
    std::map<std::string, WallTime, std::less<>> pool_not_before_;  // By pool.
};

}  // namespace joiner::control
