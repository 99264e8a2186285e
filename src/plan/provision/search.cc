#include "plan/provision/search.h"

#include <algorithm>
#include <optional>
#include <set>

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::PoolIndex;

// What both searches have in common: the pods left, one by one, in every place that takes them.
class Search {
  public:
    Search(Trial& trial, const std::vector<std::uint32_t>& kind_of, int budget)
        : trial_(trial), problem_(trial.problem()), kind_of_(kind_of), budget_(budget) {}
    virtual ~Search() = default;

    void run(const std::vector<PodIndex>& pods) {
        trial_.record(true);
        const std::size_t mark = trial_.mark();
        go(pods);
        trial_.undo_to(mark);
        trial_.record(false);
    }

  protected:
    enum class Next { kDeeper, kBack, kOver };
    // What to do where these are left.
    virtual Next look(const std::vector<PodIndex>& left) = 0;
    // By which rules a pod is placed; the later modes only where the earlier ones gave no place.
    virtual std::vector<Mode> modes(const PodKind& kind, std::uint32_t k) const = 0;
    // No machine is opened by a later alternative or in a lighter pool where an earlier one does.
    virtual bool keeps_to_tiers() const = 0;

    Trial& trial_;
    Problem& problem_;
    const std::vector<std::uint32_t>& kind_of_;

  private:
    // True when the search is over.
    bool go(const std::vector<PodIndex>& left) {
        if (--budget_ < 0) return true;
        const Next next = look(left);
        if (next != Next::kDeeper) return next == Next::kOver;
        for (std::size_t i = 0; i < left.size(); ++i) {
            // Of pods alike one stands for all.
            const bool is_repeat =
                std::any_of(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(i),
                            [&](PodIndex other) { return kind_of_[other] == kind_of_[left[i]]; });
            if (is_repeat) continue;
            std::vector<PodIndex> others = left;
            others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
            const std::uint32_t k = kind_of_[left[i]];
            for (const Mode& mode : modes(problem_.kinds()[k], k)) {
                bool some_place = false;
                if (try_places(left[i], mode, others, some_place)) return true;
                if (some_place) break;
            }
        }
        return false;
    }

    bool deeper(std::size_t mark, const std::vector<PodIndex>& others) {
        const bool is_over = go(others);
        trial_.undo_to(mark);
        return is_over;
    }

    bool try_places(PodIndex pod, const Mode& mode, const std::vector<PodIndex>& others, bool& some_place) {
        const std::uint32_t k = kind_of_[pod];
        const PodKind& kind = problem_.kinds()[k];
        const std::size_t mark = trial_.mark();
        for (Place room = 0; room < trial_.rooms(); ++room) {
            if (trial_.how_many_fit(k, room) == 0 || !trial_.admits(k, room) || !trial_.allows(k, room, mode))
                continue;
            some_place = true;
            trial_.put(k, room, pod);
            if (deeper(mark, others)) return true;
        }
        const std::vector<KeyId>& keys = kind.rules.counted_keys;
        for (std::size_t i = 0; i < trial_.opened().size(); ++i) {
            const Place place = trial_.place_of(i);
            for (const Domains& at :
                 trial_.combinations(keys, trial_.opened()[i].machine.pool, trial_.domains_of(place))) {
                if (!trial_.allows_at(k, at, place, mode) || !trial_.join(k, i, at, pod)) continue;
                some_place = true;
                if (deeper(mark, others)) return true;
            }
        }
        const std::size_t alternatives = problem_.groups()[kind.group].alternatives.size();
        std::optional<int> weight;  // Of the pools that opened one.
        for (std::uint32_t a = 0; a < alternatives; ++a) {
            for (PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
                if (problem_.pools()[pool].types.empty()) continue;
                const int own = problem_.snapshot().pools[pool].weight;
                if (keeps_to_tiers() && weight && own < *weight) break;
                for (const Domains& at : trial_.combinations(keys, pool, trial_.nowhere())) {
                    if (!trial_.allows_at(k, at, kNewPlace, mode) || !trial_.open(k, pool, a, at, pod))
                        continue;
                    some_place = true;
                    weight = own;
                    if (deeper(mark, others)) return true;
                }
            }
            if (keeps_to_tiers() && weight) break;
        }
        return false;
    }

    int budget_;
};

class MorePods final : public Search {
  public:
    MorePods(Trial& trial, const std::vector<std::uint32_t>& kind_of, int budget, std::size_t all,
             std::size_t best, const std::function<bool(const std::vector<PodIndex>&)>& accept)
        : Search(trial, kind_of, budget), all_(all), best_(best), accept_(accept) {}

  private:
    Next look(const std::vector<PodIndex>& left) override {
        if (all_ - left.size() > best_ && accept_(left)) best_ = all_ - left.size();
        if (!left.empty()) return Next::kDeeper;
        return best_ == all_ ? Next::kOver : Next::kBack;
    }
    std::vector<Mode> modes(const PodKind& kind, std::uint32_t k) const override {
        return {{trial_.preferences(k), kind.rules.together.empty()}};
    }
    bool keeps_to_tiers() const override { return false; }

    std::size_t all_;
    std::size_t best_;
    const std::function<bool(const std::vector<PodIndex>&)>& accept_;
};

class LowerPrice final : public Search {
  public:
    LowerPrice(Trial& trial, const std::vector<std::uint32_t>& kind_of, int budget, rules::Money known,
               const std::function<bool()>& accept)
        : Search(trial, kind_of, budget), best_(known), accept_(accept) {}

  private:
    // A machine costs no less for one more pod.
    Next look(const std::vector<PodIndex>& left) override {
        const rules::Money price = trial_.price();
        if (price >= best_ || !seen_.insert(state()).second) return Next::kBack;
        if (!left.empty()) return Next::kDeeper;
        if (accept_()) best_ = price;
        return Next::kBack;
    }
    std::vector<Mode> modes(const PodKind&, std::uint32_t k) const override {
        std::vector<Mode> out;
        for (std::size_t dropped = 0; dropped <= trial_.preferences(k); ++dropped)
            out.push_back({dropped, false});
        return out;
    }
    bool keeps_to_tiers() const override { return true; }

    // The same for the same pods in the same places, in whatever order they came there.
    std::vector<std::vector<std::uint32_t>> state() const {
        std::vector<std::vector<std::uint32_t>> out;
        for (const Placement& one : trial_.placements()) out.push_back({one.room, kind_of_[one.pod]});
        for (std::size_t i = 0; i < trial_.opened().size(); ++i) {
            const Opened& opened = trial_.opened()[i];
            std::vector<std::uint32_t> machine;
            for (const PodIndex pod : opened.pods) machine.push_back(kind_of_[pod]);
            std::sort(machine.begin(), machine.end());
            machine.push_back(kNewPlace);
            machine.push_back(opened.machine.pool);
            const Domains& at = trial_.domains_of(trial_.place_of(i));
            for (KeyId key = 1; key < at.size(); ++key)
                machine.push_back(static_cast<std::uint32_t>(at[key]));
            auto alternatives = opened.machine.alternative;
            std::sort(alternatives.begin(), alternatives.end());
            for (const auto& [c, alternative] : alternatives) {
                machine.push_back(c);
                machine.push_back(alternative);
            }
            out.push_back(std::move(machine));
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    rules::Money best_;
    const std::function<bool()>& accept_;
    std::set<std::vector<std::vector<std::uint32_t>>> seen_;
};

}  // namespace

void search(Trial& trial, const std::vector<PodIndex>& pods, const std::vector<std::uint32_t>& kind_of,
            std::size_t placed, int budget,
            const std::function<bool(const std::vector<PodIndex>& left)>& accept) {
    MorePods(trial, kind_of, budget, pods.size(), placed, accept).run(pods);
}

void search_cheaper(Trial& trial, const std::vector<PodIndex>& pods,
                    const std::vector<std::uint32_t>& kind_of, rules::Money known, int budget,
                    const std::function<bool()>& accept) {
    LowerPrice(trial, kind_of, budget, known, accept).run(pods);
}

}  // namespace joiner::plan
