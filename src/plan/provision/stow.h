// Room that there is, filled by worth: what pods would cost on machines to buy decides who goes there, so
// that what is left over is cheap. Pure.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "plan/provision/draft.h"
#include "plan/provision/room_bound.h"
#include "plan/provision/room_program.h"
#include "plan/provision/trial.h"

namespace joiner::plan {

// Rooms that hold some of the pods of free classes, for a Market.
std::vector<Bin> find_bins(Trial& trial, const std::vector<std::uint32_t>& left);

// One node for every bin, empty ones too. `effort`: looks at a lot, at most.
std::vector<DraftNode> stow(const Market& market, std::uint64_t effort);

// The same by a program over all bins and all that may be bought, which uses far more of them and takes
// longer.
class CloseStower {
  public:
    CloseStower(const Market& market, std::uint64_t effort);

    // Whether there are not too many bins for the effort.
    bool is_of_use() const { return program_ != nullptr; }
    // Hasty once it is late; `is_late` may be empty. REQUIRES: is_of_use().
    std::vector<DraftNode> run(const std::function<bool()>& is_late);
    // Whether the prices by which bins are filled are not the best yet, for want of time.
    bool may_know_better() const { return program_ != nullptr && !program_->is_solved(); }
    // These prices, better ones where there is time. REQUIRES: is_of_use().
    KnownPrices prices(const std::function<bool()>& is_late);

  private:
    const Market& market_;
    std::uint64_t effort_;
    std::unique_ptr<RoomProgram> program_;
};

// What the pods outside of bins cost at least: on machines cut to any size.
double cost_outside(const Market& market, const std::vector<DraftNode>& nodes);

}  // namespace joiner::plan
