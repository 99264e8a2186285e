// A whole plan from machines worth repeating, for pods of whom a machine holds only so many. There a pod's
// worth depends on what fits beside it, which the worth of resources alone does not see. Column generation: a
// linear program chooses among patterns (what stands on a machine) and values every shape of pod, new
// patterns are sought by these values, and the program's answer is rounded to whole machines. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "plan/provision/draft.h"
#include "plan/provision/pattern_bound.h"

namespace joiner::plan {

struct PatternOptions {
    std::uint64_t effort = 0;       // Looks at a shape, since the first run.
    int turns = 0;                  // So often the program is asked again while its answer is rounded.
    std::function<bool()> is_late;  // May be empty.
};

class Patterns {
  public:
    // `stowed`: what stands in bins by now; part of every draft.
    Patterns(const Market& market, const std::vector<DraftNode>& stowed);
    ~Patterns();

    // Whether caps set the number of machines, and shapes are few enough: what patterns are for.
    bool are_of_use() const { return planner_ != nullptr; }
    // Incomplete where pods found no place. Another run goes on from the patterns that the last one knew.
    // REQUIRES: are_of_use().
    Draft run(const PatternOptions& options);
    // All patterns by now, for a bound. REQUIRES: are_of_use().
    KnownPatterns known() const;

  private:
    class Planner;
    std::unique_ptr<Planner> planner_;
};

}  // namespace joiner::plan
