#include "plan/provision/first_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "plan/provision/why_not.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::PoolIndex;

// Looks at machines; each may copy what the machine could still be.
constexpr std::size_t kMostLooks = 10'000;
constexpr std::size_t kManyPods = 1'000;  // By order alone.

class FirstFit {
  public:
    FirstFit(Trial& trial, const std::vector<std::uint32_t>& kind_of, FitBy by)
        : trial_(trial),
          problem_(trial.problem()),
          kind_of_(kind_of),
          by_(by),
          skip_(problem_.kinds().size()) {}

    std::vector<Wait> run(std::vector<PodIndex> left) {
        // As long as something finds a place, others may find theirs by it.
        for (const bool is_lenient : {false, true}) {
            for (bool is_progress = true; is_progress && !left.empty();) {
                std::vector<PodIndex> still;
                for (const PodIndex pod : left) {
                    // Pods held in one place by a volume that they share do not bend a spread over it.
                    const bool may_try =
                        !is_lenient || problem_.kinds()[kind_of_[pod]].rules.together.empty();
                    if (!may_try || !place(pod, is_lenient)) still.push_back(pod);
                }
                is_progress = still.size() < left.size();
                left = std::move(still);
            }
        }
        std::vector<Wait> out;
        for (const PodIndex pod : left) {
            const Why& why = why_not_placed(kind_of_[pod]);
            out.push_back({pod, why.text, why.reasons});
        }
        return out;
    }

  private:
    // Preferences are let go one by one, and only when nothing anywhere keeps them.
    bool place(PodIndex pod, bool is_lenient) {
        const std::uint32_t k = kind_of_[pod];
        Skip& skip = skip_[k];
        const PodRules& rules = problem_.kinds()[k].rules;
        // What kept the last one of its kind out is still so.
        const std::uint64_t now = 2 * changes_ + (is_lenient ? 1 : 0);
        if (skip.failed && (rules.empty() || skip.failed_at == now)) return false;
        if (place_by_preference(k, pod, is_lenient)) {
            if (!rules.counts.empty()) ++changes_;
            return true;
        }
        skip.failed = true;
        skip.failed_at = now;
        return false;
    }

    bool place_by_preference(std::uint32_t k, PodIndex pod, bool is_lenient) {
        for (std::size_t dropped = 0; dropped <= trial_.preferences(k); ++dropped) {
            const Mode mode{dropped, is_lenient};
            if (place_in_room(k, mode, pod)) return true;
            const bool by_price = by_ == FitBy::kPrice && looks_ < kMostLooks;
            if (by_price ? place_by_price(k, mode, pod)
                         : place_on_opened(k, mode, pod) || place_on_new(k, mode, pod))
                return true;
        }
        return false;
    }

    bool place_in_room(std::uint32_t k, const Mode& mode, PodIndex pod) {
        bool is_full_so_far = true;
        for (Place room = skip_[k].rooms; room < trial_.rooms(); ++room) {
            if (trial_.how_many_fit(k, room) == 0 || !trial_.admits(k, room)) {
                if (is_full_so_far) skip_[k].rooms = room + 1;
                continue;
            }
            is_full_so_far = false;
            if (!trial_.allows(k, room, mode)) continue;
            trial_.put(k, room, pod);
            return true;
        }
        return false;
    }

    // Each place is tried and taken back; the best of them is taken again. Of equal ones the first.
    bool place_by_price(std::uint32_t k, const Mode& mode, PodIndex pod) {
        const bool was_recording = trial_.is_recording();
        trial_.record(true);
        const std::size_t mark = trial_.mark();
        const std::vector<KeyId>& keys = problem_.kinds()[k].rules.counted_keys;
        std::optional<std::size_t> best;
        Domains best_at;
        rules::Money least;
        for (std::size_t i = 0; i < trial_.opened().size(); ++i) {
            if (!trial_.may_hold(k, i)) continue;
            const Machine& machine = trial_.opened()[i].machine;
            const rules::Money before = price_of(problem_, machine);
            const Place place = trial_.place_of(i);
            for (const Domains& at : by_load(k, keys, machine.pool, trial_.domains_of(place))) {
                ++looks_;
                if (!trial_.allows_at(k, at, place, mode) || !trial_.join(k, i, at, pod)) continue;
                const rules::Money more = price_of(problem_, trial_.opened()[i].machine) - before;
                trial_.undo_to(mark);
                if (!best || more < least) {
                    best = i;
                    best_at = at;
                    least = more;
                }
                break;
            }
        }
        bool is_placed = place_on_new(k, mode, pod);
        if (best && (!is_placed || least <= price_of(problem_, trial_.opened().back().machine))) {
            trial_.undo_to(mark);
            is_placed = trial_.join(k, *best, best_at, pod);
        }
        trial_.record(was_recording);
        return is_placed;
    }

    bool place_on_opened(std::uint32_t k, const Mode& mode, PodIndex pod) {
        const std::vector<KeyId>& keys = problem_.kinds()[k].rules.counted_keys;
        const bool only_fills_up = !mode.is_lenient && only_ever_fills_up(problem_.kinds()[k].rules);
        bool is_full_so_far = true;
        for (std::size_t i = skip_[k].opened; i < trial_.opened().size(); ++i) {
            if (is_full_so_far) skip_[k].opened = i;
            if (!trial_.may_hold(k, i)) continue;
            is_full_so_far = only_fills_up;
            const Place place = trial_.place_of(i);
            const PoolIndex pool = trial_.opened()[i].machine.pool;
            for (const Domains& at : by_load(k, keys, pool, trial_.domains_of(place))) {
                if (trial_.allows_at(k, at, place, mode) && trial_.join(k, i, at, pod)) return true;
            }
        }
        return false;
    }

    // What keeps such a pod off a machine stays.
    static bool only_ever_fills_up(const PodRules& rules) {
        return rules.affinity.empty() && rules.rather_with.empty() && rules.rather_without.empty() &&
               rules.rather_spread.empty() && rules.counted_keys.empty();
    }

    // Preferred node requirements before weight, weight before price; ties go to the earlier pool.
    bool place_on_new(std::uint32_t k, const Mode& mode, PodIndex pod) {
        const PodKind& kind = problem_.kinds()[k];
        const std::size_t alternatives = problem_.groups()[kind.group].alternatives.size();
        for (std::uint32_t a = 0; a < alternatives; ++a) {
            for (PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
                if (problem_.pools()[pool].types.empty()) continue;
                for (const Domains& at : by_load(k, kind.rules.counted_keys, pool, trial_.nowhere())) {
                    if (!trial_.allows_at(k, at, kNewPlace, mode)) continue;
                    if (trial_.open(k, pool, a, at, pod)) return true;
                }
            }
        }
        return false;
    }

    std::vector<Domains> by_load(std::uint32_t k, const std::vector<KeyId>& keys, PoolIndex pool,
                                 const Domains& from) {
        std::vector<Domains> out = trial_.combinations(keys, pool, from);
        if (out.size() > 1) {
            std::stable_sort(out.begin(), out.end(), [&](const Domains& x, const Domains& y) {
                return std::tuple(trial_.regrets(k, x), trial_.load(k, x)) <
                       std::tuple(trial_.regrets(k, y), trial_.load(k, y));
            });
        }
        return out;
    }

    // The machines' side first; where some machine would do, the rule among pods that is in the way.
    struct Why {
        SharedReasons reasons;
        std::string text;
    };
    const Why& why_not_placed(std::uint32_t k) {
        const auto [it, is_new] = why_.try_emplace(k);
        if (!is_new) return it->second;
        Reasons reasons = reasons_for(k);
        it->second.text = in_words(reasons);
        it->second.reasons = share(std::move(reasons));
        return it->second;
    }

    Reasons reasons_for(std::uint32_t k) {
        const std::vector<model::PoolView>& pools = problem_.snapshot().pools;
        Reasons of_machines = why_not(problem_, trial_.limits(), problem_.class_of(k, {}));
        if (problem_.kinds()[k].rules.empty()) return of_machines;
        Reasons of_rules;
        for (PoolIndex pool = 0; pool < pools.size(); ++pool) {
            std::string rule = rule_on(k, pool);
            if (rule.empty()) continue;
            of_rules.push_back({.rule = Rule::kOtherPods,
                                .object = "NodePool " + pools[pool].name,
                                .detail = std::move(rule)});
        }
        return of_rules.empty() ? of_machines : of_rules;
    }

    std::string rule_on(std::uint32_t k, PoolIndex pool) {
        const PodKind& kind = problem_.kinds()[k];
        if (problem_.pools()[pool].types.empty()) return {};
        bool some_machine = false;
        std::string rule;
        for (const Domains& at : trial_.combinations(kind.rules.counted_keys, pool, trial_.nowhere())) {
            const std::size_t alternatives = problem_.groups()[kind.group].alternatives.size();
            const std::size_t before = trial_.mark();
            const bool was_recording = trial_.is_recording();
            trial_.record(true);
            bool opens = false;
            for (std::uint32_t a = 0; a < alternatives && !opens; ++a) opens = trial_.open(k, pool, a, at, 0);
            trial_.undo_to(before);
            trial_.record(was_recording);
            if (!opens) continue;
            some_machine = true;
            trial_.allows_at(k, at, kNewPlace, {trial_.preferences(k), false}, &rule);
        }
        return some_machine ? rule : std::string{};
    }

    struct Skip {
        Place rooms = 0;         // Rooms before it are full for the kind.
        std::size_t opened = 0;  // No machine before it takes the kind.
        bool failed = false;
        std::uint64_t failed_at = 0;
    };

    Trial& trial_;
    Problem& problem_;
    const std::vector<std::uint32_t>& kind_of_;
    FitBy by_;
    std::size_t looks_ = 0;  // At machines, for the price.
    std::vector<Skip> skip_;
    std::uint64_t changes_ = 0;         // Of counts.
    std::map<std::uint32_t, Why> why_;  // By kind.
};

std::int64_t urgency(Trial& trial, std::uint32_t kind) {
    return trial.problem().kinds()[kind].shape->priority;
}

}  // namespace

std::vector<Wait> first_fit(Trial& trial, const std::vector<PodIndex>& pods,
                            const std::vector<std::uint32_t>& kind_of, FitBy by) {
    return FirstFit(trial, kind_of, by).run(pods);
}

std::vector<Wait> best_fit(Trial& trial, const std::vector<PodIndex>& pods,
                           const std::vector<std::uint32_t>& kind_of) {
    if (pods.size() > kManyPods) return first_fit(trial, pods, kind_of, FitBy::kOrder);
    const auto worth = [&](const std::vector<Wait>& waits) {
        std::map<std::int64_t, std::size_t> by_urgency;
        for (const PodIndex pod : pods) by_urgency.try_emplace(-urgency(trial, kind_of[pod]), 0);
        for (const Wait& wait : waits) ++by_urgency[-urgency(trial, kind_of[wait.pod])];
        return std::pair(std::move(by_urgency), trial.price());
    };
    const bool was_recording = trial.is_recording();
    trial.record(true);
    const std::size_t mark = trial.mark();
    std::vector<Wait> waits = first_fit(trial, pods, kind_of, FitBy::kOrder);
    const auto by_order = worth(waits);
    trial.undo_to(mark);
    std::vector<Wait> others = first_fit(trial, pods, kind_of, FitBy::kPrice);
    if (worth(others) < by_order) {
        waits = std::move(others);
    } else {
        trial.undo_to(mark);
        first_fit(trial, pods, kind_of, FitBy::kOrder);
    }
    trial.record(was_recording);
    return waits;
}

}  // namespace joiner::plan
