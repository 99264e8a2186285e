#include "plan/provision/fill.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "base/check.h"
#include "plan/provision/bounds.h"
#include "plan/provision/company.h"
#include "plan/provision/limits.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMaxTried = 40;  // Machines filled for real in one round.

class Filler {
  public:
    Filler(const Problem& problem, const std::vector<Tiers>& tiers, const ProvisionOptions& options,
           std::vector<std::uint32_t>& left)
        : problem_(problem),
          tiers_(tiers),
          options_(options),
          left_(left),
          n_(problem.dimensions()),
          program_(make_columns(problem, left)),
          limits_(problem) {}

    std::vector<Machine> run(const std::vector<std::uint32_t>& order) {
        std::vector<Machine> out;
        Closing closing;
        double spent = 0;
        for (const std::uint32_t seed : order) {
            std::size_t tier = 0;
            while (left_[seed] > 0 && tier < tiers_[seed].size()) {
                consider_closing(seed, tiers_[seed][tier], spent, out.size(), closing);
                Machine best;
                if (!find_best(seed, tiers_[seed][tier], best)) {
                    ++tier;
                    continue;
                }
                open(best);
                spent += dollars(best) * best.times;
                out.push_back(std::move(best));
            }
        }
        if (closing.machine && (has_placeable_left() || closing.total <= spent * (1 + 1e-12)))
            close(closing, out);
        return out;
    }

  private:
    double dollars(const Machine& machine) const {
        return price_of(problem_, machine).dollars() +
               problem_.surcharge(machine.pool, machine.option) * 1e-9;
    }

    double value_of(const double* amounts) const {
        double sum = 0;
        for (std::size_t d = 0; d < n_; ++d) sum += worth_[d] * amounts[d];
        return sum;
    }

    // A plan that ends with one machine for all that is left; rounds that look no further than the next
    // machine miss it.
    struct Closing {
        std::optional<Machine> machine;
        std::size_t machines_before = 0;
        double total = std::numeric_limits<double>::infinity();
    };

    void consider_closing(std::uint32_t seed, const Tier& tier, double spent, std::size_t machines_before,
                          Closing& closing) const {
        for (const model::PoolIndex pool : tier.pools) {
            Machine machine;
            machine.pool = pool;
            if (!take_all(seed, tier.alternative, pool, machine)) continue;
            if (!settle(machine)) continue;
            const double total = spent + dollars(machine);
            // Of equal totals the later one has more machines, so the first stays.
            if (total < closing.total) closing = {std::move(machine), machines_before, total};
        }
    }

    bool take_all(std::uint32_t seed, std::uint32_t alternative, model::PoolIndex pool,
                  Machine& machine) const {
        Company company;
        for (std::uint32_t c = 0; c < left_.size(); ++c) {
            if (left_[c] == 0 || tiers_[c].empty()) continue;
            if (company.room_for(problem_, problem_.classes()[c]) < left_[c]) return false;
            company.add(problem_.classes()[c], left_[c]);
            std::uint32_t own_alternative = alternative;
            if (c != seed && match_on(c, pool, own_alternative) == nullptr) return false;
            const OpenId open =
                problem_.groups()[problem_.classes()[c].group].matches[own_alternative][pool].open;
            machine.open = problem_.merge(machine.open, open);
            if (machine.open == kOpenConflict) return false;
            machine.take.emplace_back(c, left_[c]);
            machine.alternative.emplace_back(c, own_alternative);
        }
        return true;
    }

    bool has_placeable_left() const {
        for (std::size_t c = 0; c < left_.size(); ++c) {
            if (left_[c] > 0 && !tiers_[c].empty()) return true;
        }
        return false;
    }

    void close(Closing& closing, std::vector<Machine>& out) {
        out.resize(closing.machines_before);
        for (const auto& [c, count] : closing.machine->take) left_[c] = 0;
        out.push_back(std::move(*closing.machine));
    }

    // By which alternative a class may join a machine of `pool`: that of its first tier with this pool.
    const Match* match_on(std::uint32_t c, model::PoolIndex pool, std::uint32_t& alternative) const {
        for (const Tier& tier : tiers_[c]) {
            if (std::find(tier.pools.begin(), tier.pools.end(), pool) == tier.pools.end()) continue;
            alternative = tier.alternative;
            return &problem_.groups()[problem_.classes()[c].group].matches[tier.alternative][pool];
        }
        return nullptr;
    }

    void value_what_is_left() {
        std::vector<double> demand(n_, 0);
        for (std::size_t c = 0; c < left_.size(); ++c) {
            if (left_[c] == 0 || tiers_[c].empty()) continue;
            for (std::size_t d = 0; d < n_; ++d) demand[d] += left_[c] * problem_.classes()[c].request[d];
        }
        demand_ = demand;
        worth_ = program_.solve(demand.data());
        // A resource that does not bind now still has to be found somewhere.
        for (std::size_t d = 0; d < n_; ++d) {
            if (demand[d] > 0) worth_[d] += 1e-6 / demand[d];
        }
    }

    struct Candidate {
        model::PoolIndex pool;
        std::uint32_t option;
        double price;
        double promise;  // The least price for a unit of worth it could reach.
    };

    bool find_best(std::uint32_t seed, const Tier& tier, Machine& best) {
        value_what_is_left();
        const PodClass& pod_class = problem_.classes()[seed];
        const Group& group = problem_.groups()[pod_class.group];
        std::vector<Candidate> candidates;
        for (const model::PoolIndex pool : tier.pools) {
            const PoolOptions& options = problem_.pools()[pool];
            const Match& match = group.matches[tier.alternative][pool];
            for (std::uint32_t t = 0; t < options.types.size(); ++t) {
                if (match.masks[t] == 0 || !holds(&options.room[t * n_], pod_class.request)) continue;
                if (!limits_.allow(pool, t)) continue;
                const std::uint8_t bit = Problem::cheapest(options.types[t], match.masks[t]);
                const double price = (problem_.offering(pool, options.types[t], bit).cost() +
                                      problem_.snapshot().pools[pool].node_cost)
                                         .dollars() +
                                     problem_.surcharge(pool, t) * 1e-9;
                double useful = 0;
                for (std::size_t d = 0; d < n_; ++d)
                    useful += worth_[d] * std::min(options.room[t * n_ + d], demand_[d]);
                candidates.push_back({pool, t, price, useful > 0 ? price / useful : price});
            }
        }
        std::stable_sort(candidates.begin(), candidates.end(),
                         [](const Candidate& a, const Candidate& b) { return a.promise < b.promise; });
        double best_ratio = std::numeric_limits<double>::infinity();
        std::size_t tried = 0;
        for (const Candidate& candidate : candidates) {
            if (candidate.promise >= best_ratio ||
                (tried >= kMaxTried && best_ratio < std::numeric_limits<double>::infinity())) {
                break;
            }
            ++tried;
            Machine machine;
            if (!fill_one(seed, tier.alternative, candidate, machine)) continue;
            double value = 0;
            for (const auto& [c, count] : machine.take)
                value += count * value_of(problem_.classes()[c].request.data());
            const double ratio = dollars(machine) / value;
            if (ratio < best_ratio) {
                best_ratio = ratio;
                best = std::move(machine);
            }
        }
        return best_ratio < std::numeric_limits<double>::infinity();
    }

    // One pod of the seed, then whatever is large and aligned with the room that is left.
    bool fill_one(std::uint32_t seed, std::uint32_t alternative, const Candidate& candidate,
                  Machine& machine) {
        const PoolOptions& options = problem_.pools()[candidate.pool];
        const Match& seed_match =
            problem_.groups()[problem_.classes()[seed].group].matches[alternative][candidate.pool];
        machine.pool = candidate.pool;
        machine.option = candidate.option;
        machine.offerings = seed_match.masks[candidate.option];
        machine.open = seed_match.open;
        std::vector<double> room(&options.room[candidate.option * n_],
                                 &options.room[candidate.option * n_] + n_);

        struct Live {
            std::uint32_t c;
            std::uint32_t alternative;
            std::uint32_t available;
            OfferingMask mask;
            OpenId open;
        };
        std::vector<Live> live;
        for (std::uint32_t c = 0; c < left_.size(); ++c) {
            if (left_[c] == 0 || !holds(room.data(), problem_.classes()[c].request)) continue;
            std::uint32_t own_alternative = alternative;
            const Match* match = c == seed ? &seed_match : match_on(c, candidate.pool, own_alternative);
            if (match == nullptr || (match->masks[candidate.option] & machine.offerings) == 0) continue;
            live.push_back({c, own_alternative, left_[c], match->masks[candidate.option], match->open});
        }
        Company company;
        const auto add = [&](Live& one, std::uint32_t count) {
            const std::vector<double>& request = problem_.classes()[one.c].request;
            company.add(problem_.classes()[one.c], count);
            for (std::size_t d = 0; d < n_; ++d) room[d] -= count * request[d];
            one.available -= count;
            machine.offerings &= one.mask;
            machine.open = problem_.merge(machine.open, one.open);
            for (auto& [c, total] : machine.take) {
                if (c == one.c) return void(total += count);
            }
            machine.take.emplace_back(one.c, count);
            machine.alternative.emplace_back(one.c, one.alternative);
        };
        for (Live& one : live) {
            if (one.c == seed) add(one, 1);
        }
        std::vector<double> room_worth(n_);
        while (!live.empty()) {
            for (std::size_t d = 0; d < n_; ++d) room_worth[d] = worth_[d] * std::max(0.0, room[d]);
            double best_score = -std::numeric_limits<double>::infinity();
            constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
            std::size_t best = kNone;
            for (std::size_t i = 0; i < live.size();) {
                const PodClass& pod_class = problem_.classes()[live[i].c];
                const std::vector<double>& request = pod_class.request;
                const bool fits = live[i].available > 0 && holds(room.data(), request) &&
                                  (live[i].mask & machine.offerings) != 0 &&
                                  company.room_for(problem_, pod_class) > 0 &&
                                  problem_.merge(machine.open, live[i].open) != kOpenConflict;
                if (!fits) {
                    live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
                    continue;
                }
                double score = 0;
                for (std::size_t d = 0; d < n_; ++d) {
                    const double u = worth_[d] * request[d];
                    score += u * (2 * room_worth[d] - u);
                }
                if (score > best_score) {
                    best_score = score;
                    best = i;
                }
                ++i;
            }
            if (best == kNone) break;
            const std::vector<double>& request = problem_.classes()[live[best].c].request;
            double fit =
                std::min(live[best].available, company.room_for(problem_, problem_.classes()[live[best].c]));
            for (std::size_t d = 0; d < n_; ++d) {
                if (request[d] > 0) fit = std::min(fit, std::floor(room[d] / request[d]));
            }
            add(live[best], std::max(1u, static_cast<std::uint32_t>(fit / 2)));
        }
        return finish(machine, seed);
    }

    // The cheapest type that holds some of the take; false when the pool's minValues or limits forbid even
    // one seed pod.
    bool finish(Machine& machine, std::uint32_t seed) const {
        while (!settle(machine)) {
            const bool single = machine.take.size() == 1 && machine.take.front().second == 1;
            if (single) return false;
            halve(machine, seed);
        }
        return true;
    }

    // The cheapest type that holds the take; false when the pool's minValues or limits leave none.
    bool settle(Machine& machine) const {
        const StandIns others = allowed_stand_ins(machine);
        if (others.empty()) return false;
        const MinValues judged = judge_min_values(
            problem_, options_.min_values_policy, machine, others, [&](const Machine& single) {
                return count_values(problem_, single.pool, allowed_stand_ins(single));
            });
        if (judged == MinValues::kUnmet) return false;
        machine.option = others.front().first;
        machine.offerings = others.front().second;
        machine.min_values_relaxed = judged == MinValues::kRelaxed;
        return true;
    }

    StandIns allowed_stand_ins(const Machine& machine) const {
        StandIns out = stand_ins(problem_, machine);
        std::erase_if(out, [&](const auto& one) { return !limits_.allow(machine.pool, one.first); });
        return out;
    }

    // Fewer pods leave more types to choose from.
    void halve(Machine& machine, std::uint32_t seed) const {
        for (auto& [c, count] : machine.take) count = c == seed ? std::max(1u, count / 2) : count / 2;
        std::erase_if(machine.take, [](const auto& item) { return item.second == 0; });
        std::erase_if(machine.alternative, [&](const auto& item) {
            return std::none_of(machine.take.begin(), machine.take.end(),
                                [&](const auto& t) { return t.first == item.first; });
        });
        machine.open = 0;
        for (const auto& [c, alternative] : machine.alternative) {
            machine.open = problem_.merge(
                machine.open,
                problem_.groups()[problem_.classes()[c].group].matches[alternative][machine.pool].open);
        }
    }

    // As many alike as the pods and the limits allow, but not all at once: worth moves as pods go.
    void open(Machine& machine) {
        double times = std::numeric_limits<double>::infinity();
        for (const auto& [c, count] : machine.take)
            times = std::min(times, std::floor(left_[c] / static_cast<double>(count)));
        std::uint32_t wanted = std::max(1u, static_cast<std::uint32_t>(times / 2));
        while (wanted > 1 && !limits_.allow(machine.pool, machine.option, wanted)) wanted /= 2;
        machine.times = wanted;
        for (const auto& [c, count] : machine.take) {
            CHECK(left_[c] >= count * wanted);
            left_[c] -= count * wanted;
        }
        limits_.take(machine.pool, machine.option, wanted);
    }

    const Problem& problem_;
    const std::vector<Tiers>& tiers_;
    const ProvisionOptions& options_;
    std::vector<std::uint32_t>& left_;
    std::size_t n_;
    ResourceProgram program_;
    Limits limits_;
    std::vector<double> demand_;
    std::vector<double> worth_;
};

}  // namespace

std::vector<Machine> fill_machines(const Problem& problem, const std::vector<Tiers>& tiers,
                                   const ProvisionOptions& options, const std::vector<std::uint32_t>& order,
                                   std::vector<std::uint32_t>& left) {
    return Filler(problem, tiers, options, left).run(order);
}

}  // namespace joiner::plan
