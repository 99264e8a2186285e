#include "plan/provision/limits.h"

#include <algorithm>

namespace joiner::plan {

Limits::Limits(const Problem& problem) : problem_(&problem) {
    for (const model::PoolView& pool : problem.snapshot().pools) {
        std::vector<double>& left = left_.emplace_back();
        for (const auto& [name, amount] : pool.remaining) left.push_back(static_cast<double>(amount));
        any_ = any_ || !left.empty();
    }
}

bool Limits::allow(model::PoolIndex pool, std::size_t option, double times) const {
    const std::vector<double>& left = left_[pool];
    if (left.empty()) return true;
    const double* const each = counts(pool, option);
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (each[i] * times > left[i]) return false;
    }
    return true;
}

void Limits::take(model::PoolIndex pool, std::size_t option, double times) {
    std::vector<double>& left = left_[pool];
    if (left.empty()) return;
    const double* const each = counts(pool, option);
    for (std::size_t i = 0; i < left.size(); ++i) left[i] -= times * each[i];
}

bool Limits::are_overdrawn() const {
    for (model::PoolIndex pool = 0; pool < left_.size(); ++pool) {
        const auto& at_first = problem_->snapshot().pools[pool].remaining;
        for (std::size_t i = 0; i < left_[pool].size(); ++i) {
            if (left_[pool][i] < std::min(0.0, static_cast<double>(at_first[i].second))) return true;
        }
    }
    return false;
}

}  // namespace joiner::plan
