// Of which pool a machine is that several pools could buy alike: of the one that most of its pods come from,
// so that people find their pods again in the pool they know. Changes neither the machine nor its price. For
// people only: the planner takes the first pool by weight and name. Pure; one owner, one thread; borrows the
// snapshot.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "plan/plan.h"

namespace joiner::plan {

class HomePools {
  public:
    // `from`: the pool whose node a pod stands on; empty: of none. `may_take`: pools that such a machine may
    // be counted to.
    HomePools(const model::Snapshot& snapshot, std::function<std::string(model::PodIndex)> from,
              std::function<bool(std::string_view)> may_take);

    model::PoolIndex of(const Launch& launch) const;

  private:
    bool could_be_of(const model::PoolView& other, const Launch& launch) const;

    const model::Snapshot& snapshot_;
    const std::function<std::string(model::PodIndex)> from_;
    const std::function<bool(std::string_view)> may_take_;
    std::map<std::string_view, model::PoolIndex> pools_;
    std::set<std::string_view> topology_keys_;  // That some pod asks about.
};

}  // namespace joiner::plan
