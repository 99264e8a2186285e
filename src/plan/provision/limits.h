// What the limits of NodePools leave to be bought, counted down as machines are chosen. A value. Source:
// Karpenter's rule that a type is out once its capacity is more than what is left of any limited resource; a
// pool that is over a limit buys nothing therefore.
#pragma once

#include <cstddef>
#include <vector>

#include "plan/provision/problem.h"

namespace joiner::plan {

class Limits {
  public:
    explicit Limits(const Problem& problem);

    bool any() const { return any_; }
    // Whether so many machines of the option keep within what is left.
    bool allow(model::PoolIndex pool, std::size_t option, double times = 1) const;
    // Less than zero times gives back.
    void take(model::PoolIndex pool, std::size_t option, double times = 1);
    // More has been taken of some pool than it had to begin with.
    bool are_overdrawn() const;
    // Of the pool's limited resources, in the order of PoolView::remaining.
    const std::vector<double>& left(model::PoolIndex pool) const { return left_[pool]; }

  private:
    const double* counts(model::PoolIndex pool, std::size_t option) const {
        return &problem_->pools()[pool].capacity[option * left_[pool].size()];
    }

    const Problem* problem_;
    std::vector<std::vector<double>> left_;
    bool any_ = false;
};

}  // namespace joiner::plan
