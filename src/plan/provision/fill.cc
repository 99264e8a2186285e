#include "plan/provision/fill.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <tuple>

#include "base/check.h"
#include "plan/provision/company.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMaxTried = 40;  // Machines filled for real in one round.

// One choice of where a class may go: an alternative of its constraints, and the pools of one weight that
// match it.
struct Tier {
    std::uint32_t alternative = 0;
    std::vector<model::PoolIndex> pools;
};

class Filler {
  public:
    Filler(const Problem& problem, const ProvisionOptions& options, std::vector<std::uint32_t>& left)
        : problem_(problem), options_(options), left_(left), n_(problem.dimensions()) {
        columns_ = make_columns(problem);
        for (const model::PoolView& pool : problem.snapshot().pools) {
            std::vector<double>& remaining = remaining_.emplace_back();
            for (const auto& [name, amount] : pool.remaining)
                remaining.push_back(static_cast<double>(amount));
        }
        for (std::uint32_t c = 0; c < problem.classes().size(); ++c) make_tiers(c);
    }

    FillResult run(const std::vector<std::uint32_t>& order) {
        FillResult out;
        out.reasons.resize(problem_.classes().size());
        Closing closing;
        double spent = 0;
        for (const std::uint32_t seed : order) {
            std::size_t tier = 0;
            while (left_[seed] > 0 && tier < tiers_[seed].size()) {
                consider_closing(seed, tiers_[seed][tier], spent, out.machines.size(), closing);
                Machine best;
                if (!find_best(seed, tiers_[seed][tier], best)) {
                    ++tier;
                    continue;
                }
                open(best);
                spent += price_of(best) * best.times;
                out.machines.push_back(std::move(best));
            }
            if (left_[seed] > 0) out.reasons[seed] = why_not(seed);
        }
        if (closing.machine && (has_placeable_left() || closing.total <= spent * (1 + 1e-12)))
            close(closing, out);
        return out;
    }

  private:
    double value_of(const double* amounts) const {
        double sum = 0;
        for (std::size_t d = 0; d < n_; ++d) sum += worth_[d] * amounts[d];
        return sum;
    }

    double price_of(const Machine& machine) const {
        const TypeOption& option = problem_.pools()[machine.pool].types[machine.option];
        return problem_.offering(machine.pool, option, Problem::cheapest(option, machine.offerings))
            .price.dollars();
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
            auto others = stand_ins(problem_, machine);
            std::erase_if(others, [&](const auto& one) { return !within_limits(pool, one.first, 1); });
            if (others.empty() || !meets_min_values(machine, others)) continue;
            machine.option = others.front().first;
            machine.offerings = others.front().second;
            const double total = spent + price_of(machine);
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

    void close(Closing& closing, FillResult& out) {
        out.machines.resize(closing.machines_before);
        for (const auto& [c, count] : closing.machine->take) left_[c] = 0;
        out.machines.push_back(std::move(*closing.machine));
    }

    static bool holds(const double* room, const std::vector<double>& request) {
        for (std::size_t d = 0; d < request.size(); ++d) {
            if (request[d] > 0 && request[d] > room[d]) return false;
        }
        return true;
    }

    bool some_type_holds(const PodClass& pod_class, const Match& match, model::PoolIndex pool) const {
        const PoolOptions& options = problem_.pools()[pool];
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            if (match.masks[t] != 0 && holds(&options.room[t * n_], pod_class.request)) return true;
        }
        return false;
    }

    // Preferred alternatives come before weight: a preference that can be met is met on any pool.
    void make_tiers(std::uint32_t c) {
        const PodClass& pod_class = problem_.classes()[c];
        const Group& group = problem_.groups()[pod_class.group];
        std::vector<Tier>& tiers = tiers_.emplace_back();
        for (std::uint32_t a = 0; a < group.alternatives.size(); ++a) {
            int weight = std::numeric_limits<int>::min();
            for (model::PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
                const Match& match = group.matches[a][pool];
                if (!match.possible || !some_type_holds(pod_class, match, pool)) continue;
                const int own_weight = problem_.snapshot().pools[pool].weight;
                if (tiers.empty() || tiers.back().alternative != a || weight != own_weight)
                    tiers.push_back({a, {}});
                weight = own_weight;
                tiers.back().pools.push_back(pool);
            }
        }
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

    bool within_limits(model::PoolIndex pool, std::size_t option, double times) const {
        const std::size_t count = remaining_[pool].size();
        for (std::size_t i = 0; i < count; ++i) {
            if (problem_.pools()[pool].capacity[option * count + i] * times > remaining_[pool][i])
                return false;
        }
        return true;
    }

    void value_what_is_left() {
        std::vector<double> demand(n_, 0);
        for (std::size_t c = 0; c < left_.size(); ++c) {
            if (left_[c] == 0 || tiers_[c].empty()) continue;
            for (std::size_t d = 0; d < n_; ++d) demand[d] += left_[c] * problem_.classes()[c].request[d];
        }
        demand_ = demand;
        worth_ = resource_bound(columns_, demand).worth;
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
                if (!within_limits(pool, t, 1)) continue;
                const std::uint8_t bit = Problem::cheapest(options.types[t], match.masks[t]);
                const double price = problem_.offering(pool, options.types[t], bit).price.dollars();
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
            const double ratio = price_of(machine) / value;
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

    // The cheapest type that holds the take; false when the pool's minValues or limits forbid even one seed
    // pod.
    bool finish(Machine& machine, std::uint32_t seed) {
        while (true) {
            auto others = stand_ins(problem_, machine);
            std::erase_if(others,
                          [&](const auto& one) { return !within_limits(machine.pool, one.first, 1); });
            if (!others.empty() && meets_min_values(machine, others)) {
                machine.option = others.front().first;
                machine.offerings = others.front().second;
                return true;
            }
            const bool single = machine.take.size() == 1 && machine.take.front().second == 1;
            if (single) {
                if (others.empty() || options_.min_values_policy != MinValuesPolicy::kBestEffort)
                    return false;
                machine.option = others.front().first;
                machine.offerings = others.front().second;
                machine.min_values_relaxed = true;
                return true;
            }
            halve(machine, seed);
        }
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

    bool meets_min_values(const Machine& machine,
                          const std::vector<std::pair<std::uint32_t, OfferingMask>>& others) const {
        const model::PoolView& pool = problem_.snapshot().pools[machine.pool];
        for (const rules::Requirement& requirement : pool.requirements) {
            if (!requirement.min_values()) continue;
            std::set<std::string> seen;
            for (const auto& [option, mask] : others) {
                const rules::InstanceType& type =
                    problem_.type(machine.pool, problem_.pools()[machine.pool].types[option]);
                if (const rules::Requirement* own = type.requirements.find(requirement.key())) {
                    for (const std::string& value : own->values()) {
                        if (requirement.allows(value)) seen.insert(value);
                    }
                }
            }
            if (static_cast<int>(seen.size()) < *requirement.min_values()) return false;
        }
        return true;
    }

    // As many alike as the pods and the limits allow, but not all at once: worth moves as pods go.
    void open(Machine& machine) {
        double times = std::numeric_limits<double>::infinity();
        for (const auto& [c, count] : machine.take)
            times = std::min(times, std::floor(left_[c] / static_cast<double>(count)));
        std::uint32_t wanted = std::max(1u, static_cast<std::uint32_t>(times / 2));
        while (wanted > 1 && !within_limits(machine.pool, machine.option, wanted)) wanted /= 2;
        machine.times = wanted;
        for (const auto& [c, count] : machine.take) {
            CHECK(left_[c] >= count * wanted);
            left_[c] -= count * wanted;
        }
        const std::size_t limits = remaining_[machine.pool].size();
        for (std::size_t i = 0; i < limits; ++i) {
            remaining_[machine.pool][i] -=
                wanted * problem_.pools()[machine.pool].capacity[machine.option * limits + i];
        }
    }

    // One clause a pool: which rule, or how far the nearest type was.
    std::string why_not(std::uint32_t c) const {
        const PodClass& pod_class = problem_.classes()[c];
        const Group& group = problem_.groups()[pod_class.group];
        const std::vector<model::PoolView>& pools = problem_.snapshot().pools;
        if (pools.empty()) return "there is no NodePool that is ready";
        std::string out;
        for (model::PoolIndex pool = 0; pool < pools.size(); ++pool) {
            if (!out.empty()) out += "; ";
            out += fmt::format("NodePool {}: {}", pools[pool].name, why_not_on(pod_class, group, pool));
        }
        return out;
    }

    std::string why_not_on(const PodClass& pod_class, const Group& group, model::PoolIndex pool) const {
        const PoolOptions& options = problem_.pools()[pool];
        const Match* match = &group.matches.back()[pool];
        for (const auto& row : group.matches) {
            if (row[pool].possible) match = &row[pool];
        }
        if (!match->possible) return match->reason;
        std::size_t nearest = options.types.size();
        double least = std::numeric_limits<double>::infinity();
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            if (match->masks[t] == 0) continue;
            double lack = 0;
            for (std::size_t d = 0; d < n_; ++d) {
                const double asked = pod_class.request[d];
                if (asked > 0) lack += std::max(0.0, asked - std::max(0.0, options.room[t * n_ + d])) / asked;
            }
            if (lack < least) {
                least = lack;
                nearest = t;
            }
        }
        const rules::InstanceType& type = problem_.type(pool, options.types[nearest]);
        const std::string lack =
            rules::shortage(pod_class.shape->requests, type.allocatable() - options.types[nearest].daemons);
        if (!lack.empty()) return fmt::format("the nearest type, {}, is short of {}", type.name, lack);
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            if (match->masks[t] == 0 || !holds(&options.room[t * n_], pod_class.request)) continue;
            if (within_limits(pool, t, 1))
                return "its minValues cannot be met by the types that hold the pod";
        }
        return "its limits leave no room for another node";
    }

    const Problem& problem_;
    const ProvisionOptions& options_;
    std::vector<std::uint32_t>& left_;
    std::size_t n_;
    ResourceColumns columns_;
    std::vector<std::vector<double>> remaining_;
    std::vector<std::vector<Tier>> tiers_;
    std::vector<double> demand_;
    std::vector<double> worth_;
};

}  // namespace

ResourceColumns make_columns(const Problem& problem) {
    ResourceColumns columns;
    columns.dimensions = problem.dimensions();
    for (model::PoolIndex pool = 0; pool < problem.pools().size(); ++pool) {
        const PoolOptions& options = problem.pools()[pool];
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            columns.prices.push_back(
                problem.offering(pool, options.types[t], options.types[t].order.front()).price.dollars());
            columns.capacities.insert(columns.capacities.end(), &options.room[t * columns.dimensions],
                                      &options.room[t * columns.dimensions] + columns.dimensions);
            for (std::size_t d = 0; d < columns.dimensions; ++d) {
                double& amount = columns.capacities[columns.capacities.size() - columns.dimensions + d];
                amount = std::max(0.0, amount);
            }
        }
    }
    return columns;
}

std::vector<std::pair<std::uint32_t, OfferingMask>> stand_ins(const Problem& problem,
                                                              const Machine& machine) {
    const PoolOptions& options = problem.pools()[machine.pool];
    const std::size_t n = problem.dimensions();
    std::vector<double> need(n, 0);
    for (const auto& [c, count] : machine.take) {
        for (std::size_t d = 0; d < n; ++d) need[d] += count * problem.classes()[c].request[d];
    }
    struct Found {
        rules::Money price;
        std::string_view name;
        std::uint32_t option;
        OfferingMask mask;
    };
    std::vector<Found> found;
    for (std::uint32_t t = 0; t < options.types.size(); ++t) {
        OfferingMask mask = options.types[t].offerings;
        for (std::size_t d = 0; d < n && mask != 0; ++d) {
            if (need[d] > 0 && need[d] > options.room[t * n + d]) mask = 0;
        }
        for (const auto& [c, alternative] : machine.alternative) {
            if (mask == 0) break;
            mask &= problem.groups()[problem.classes()[c].group].matches[alternative][machine.pool].masks[t];
        }
        if (mask == 0) continue;
        // What the pods ask of labels that a type leaves open must also meet the type itself.
        const rules::InstanceType& type = problem.type(machine.pool, options.types[t]);
        if (machine.open != 0 &&
            !rules::intersects(type.requirements, problem.open_requirements(machine.open)))
            continue;
        const std::uint8_t bit = Problem::cheapest(options.types[t], mask);
        found.push_back({problem.offering(machine.pool, options.types[t], bit).price, type.name, t, mask});
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return std::tie(a.price, a.name) < std::tie(b.price, b.name);
    });
    std::vector<std::pair<std::uint32_t, OfferingMask>> out;
    for (const Found& one : found) out.emplace_back(one.option, one.mask);
    return out;
}

FillResult fill_machines(const Problem& problem, const ProvisionOptions& options,
                         const std::vector<std::uint32_t>& order, std::vector<std::uint32_t>& left) {
    return Filler(problem, options, left).run(order);
}

}  // namespace joiner::plan
