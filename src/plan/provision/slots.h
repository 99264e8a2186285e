// How many machines the caps alone ask for: the most that any cap needs. Kept up to date as pods are placed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "plan/provision/market.h"

namespace joiner::plan {

class Slots {
  public:
    explicit Slots(const Market& market) : market_(&market), units_(market.problem().caps().size(), 0) {}

    void add(LotIndex lot, std::int64_t count) {
        for (const CapId cap : market_->caps(lot)) units_[cap] += count;
    }
    void clear() { std::fill(units_.begin(), units_.end(), 0); }
    // Machines that the pods with one cap need at least.
    double needed(CapId cap) const {
        const auto most = static_cast<std::int64_t>(market_->problem().caps()[cap]);
        return most == 0 ? 0 : static_cast<double>((units_[cap] + most - 1) / most);
    }
    double needed() const {
        double out = 0;
        for (CapId cap = 0; cap < units_.size(); ++cap) out = std::max(out, needed(cap));
        return out;
    }
    // What part of a machine's one slot a pod of the lot takes, if a cap of it sets their number.
    double share(LotIndex lot, double all) const {
        double out = 0;
        for (const CapId cap : market_->caps(lot)) {
            const std::uint32_t most = market_->problem().caps()[cap];
            if (most > 0 && all > 0 && needed(cap) >= 0.95 * all) out = std::max(out, 1.0 / most);
        }
        return out;
    }

  private:
    const Market* market_;
    std::vector<std::int64_t> units_;
};

}  // namespace joiner::plan
