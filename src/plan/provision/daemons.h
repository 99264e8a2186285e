// What daemons mean to the machines one may buy: which of them stand on which offering of a type, and what
// pods ask of them (their host ports, affinity to their pods and away from them). Built from a Snapshot,
// immutable then; one thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/snapshot.h"
#include "plan/provision/topology.h"

namespace joiner::plan {

// Index into Snapshot::daemons.
using DaemonIndex = std::uint32_t;
using DaemonList = std::vector<DaemonIndex>;  // Sorted.

// What pods ask of the daemons of a machine to buy.
struct DaemonRules {
    std::vector<DaemonList> wanted;  // Of each of these lists one at least stands there.
    DaemonList unwanted;             // None of these does.
    // None of these stands anywhere in its domain of the key; sorted.
    std::vector<std::pair<DaemonIndex, KeyId>> unwanted_around;

    bool empty() const { return wanted.empty() && unwanted.empty() && unwanted_around.empty(); }
    bool allow(const DaemonList& there) const;
    friend auto operator<=>(const DaemonRules&, const DaemonRules&) = default;
};

class Daemons {
  public:
    Daemons(const model::Snapshot& snapshot, const Topology& topology);

    bool empty() const { return snapshot_->daemons.empty(); }
    // The daemons that stand on a node of the pool that is this offering of the type.
    DaemonList on(const model::PoolView& pool, const rules::InstanceType& type,
                  const rules::Offering& offering) const;
    // What they take of it.
    rules::Resources sum_of(const DaemonList& daemons) const;

    // `standing`: those that stand on some machine one may buy. Affinity is held to no others.
    DaemonRules rules_of(const PodRules& rules, const DaemonList& standing) const;
    // Whether pods that these rules are for may count on a daemon for the counter, on any machine they may
    // stand on.
    bool is_counted_by(DaemonIndex daemon, CounterId counter) const;
    // Why pods with these rules may not stand beside `there`, in words.
    std::string why_not(const PodRules& pods, const DaemonRules& rules, const DaemonList& there) const;

  private:
    bool is_unwanted(const PodRules& rules, DaemonIndex daemon) const;
    std::set<KeyId> keys_kept_clear_of(const PodRules& rules, DaemonIndex daemon) const;
    // A host port of the pods that the daemon holds, or 0.
    int clashing_port(const PodRules& rules, DaemonIndex daemon) const;

    const model::Snapshot* snapshot_;
    const Topology* topology_;
    std::vector<std::string> keys_;               // That some daemon asks about.
    std::vector<std::vector<CounterId>> counts_;  // By daemon: what its pods are counted by; sorted.
};

}  // namespace joiner::plan
