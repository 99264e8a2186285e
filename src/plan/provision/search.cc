#include "plan/provision/search.h"

#include <algorithm>

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::PoolIndex;

class Search {
  public:
    Search(Trial& trial, const std::vector<std::uint32_t>& kind_of, std::size_t all, std::size_t best,
           int budget, const std::function<bool(const std::vector<PodIndex>&)>& accept)
        : trial_(trial),
          problem_(trial.problem()),
          kind_of_(kind_of),
          all_(all),
          best_(best),
          budget_(budget),
          accept_(accept) {}

    // True when the search is over.
    bool go(const std::vector<PodIndex>& left) {
        if (--budget_ < 0) return true;
        if (all_ - left.size() > best_ && accept_(left)) best_ = all_ - left.size();
        if (left.empty()) return best_ == all_;
        for (std::size_t i = 0; i < left.size(); ++i) {
            // Of pods alike one stands for all.
            const bool is_repeat =
                std::any_of(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(i),
                            [&](PodIndex other) { return kind_of_[other] == kind_of_[left[i]]; });
            if (is_repeat) continue;
            std::vector<PodIndex> others = left;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
            if (try_places(left[i], others)) return true;
        }
        return false;
    }

  private:
    bool deeper(std::size_t mark, const std::vector<PodIndex>& others) {
        const bool is_over = go(others);
        trial_.undo_to(mark);
        return is_over;
    }

    bool try_places(PodIndex pod, const std::vector<PodIndex>& others) {
        const std::uint32_t k = kind_of_[pod];
        const PodKind& kind = problem_.kinds()[k];
        const Mode mode{trial_.preferences(k), kind.rules.together.empty()};
        const std::size_t mark = trial_.mark();
        for (Place room = 0; room < trial_.rooms(); ++room) {
            if (trial_.how_many_fit(k, room) == 0 || !trial_.admits(k, room) || !trial_.allows(k, room, mode))
                continue;
            trial_.put(k, room, pod);
            if (deeper(mark, others)) return true;
        }
        const std::vector<KeyId>& keys = kind.rules.counted_keys;
        for (std::size_t i = 0; i < trial_.opened().size(); ++i) {
            const Place place = trial_.place_of(i);
            for (const Domains& at :
                 trial_.combinations(keys, trial_.opened()[i].machine.pool, trial_.domains_of(place))) {
                if (!trial_.allows_at(k, at, place, mode) || !trial_.join(k, i, at, pod)) continue;
                if (deeper(mark, others)) return true;
            }
        }
        const std::size_t alternatives = problem_.groups()[kind.group].alternatives.size();
        for (std::uint32_t a = 0; a < alternatives; ++a) {
            for (PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
                if (problem_.pools()[pool].types.empty()) continue;
                for (const Domains& at : trial_.combinations(keys, pool, trial_.nowhere())) {
                    if (!trial_.allows_at(k, at, kNewPlace, mode) || !trial_.open(k, pool, a, at, pod))
                        continue;
                    if (deeper(mark, others)) return true;
                }
            }
        }
        return false;
    }

    Trial& trial_;
    Problem& problem_;
    const std::vector<std::uint32_t>& kind_of_;
    std::size_t all_;
    std::size_t best_;
    int budget_;
    const std::function<bool(const std::vector<PodIndex>&)>& accept_;
};

}  // namespace

void search(Trial& trial, const std::vector<PodIndex>& pods, const std::vector<std::uint32_t>& kind_of,
            std::size_t placed, int budget,
            const std::function<bool(const std::vector<PodIndex>& left)>& accept) {
    trial.record(true);
    const std::size_t mark = trial.mark();
    Search(trial, kind_of, pods.size(), placed, budget, accept).go(pods);
    trial.undo_to(mark);
    trial.record(false);
}

}  // namespace joiner::plan
