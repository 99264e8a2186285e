// Who stands on one node, as far as its caps and crowds go: how many more pods of a class may join. Pods are
// added and taken away in any order. A value type.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "plan/provision/problem.h"

namespace joiner::plan {

class Company {
  public:
    // How many more pods of the class may join, as far as caps and crowds go.
    std::uint32_t room_for(const Problem& problem, const PodClass& pod_class) const {
        std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
        if (pod_class.crowd != 0) {
            for (const auto& [crowd, count] : crowds_) {
                if (!problem.may_share(crowd, pod_class.crowd)) return 0;
            }
        }
        for (const CapId cap : pod_class.caps) {
            const std::uint32_t used = count_of(caps_, cap);
            most = std::min(most, problem.caps()[cap] - std::min(problem.caps()[cap], used));
        }
        return most;
    }

    void add(const PodClass& pod_class, std::uint32_t count) {
        if (pod_class.crowd != 0) change(crowds_, pod_class.crowd, static_cast<std::int64_t>(count));
        for (const CapId cap : pod_class.caps) change(caps_, cap, static_cast<std::int64_t>(count));
    }

    void remove(const PodClass& pod_class, std::uint32_t count) {
        if (pod_class.crowd != 0) change(crowds_, pod_class.crowd, -static_cast<std::int64_t>(count));
        for (const CapId cap : pod_class.caps) change(caps_, cap, -static_cast<std::int64_t>(count));
    }

  private:
    using Counts = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

    static std::uint32_t count_of(const Counts& counts, std::uint32_t id) {
        for (const auto& [known, count] : counts) {
            if (known == id) return count;
        }
        return 0;
    }
    static void change(Counts& counts, std::uint32_t id, std::int64_t by) {
        for (std::size_t i = 0; i < counts.size(); ++i) {
            if (counts[i].first != id) continue;
            counts[i].second = static_cast<std::uint32_t>(counts[i].second + by);
            if (counts[i].second == 0) counts.erase(counts.begin() + static_cast<std::ptrdiff_t>(i));
            return;
        }
        if (by > 0) counts.emplace_back(id, static_cast<std::uint32_t>(by));
    }

    Counts caps_;
    Counts crowds_;
};

}  // namespace joiner::plan
