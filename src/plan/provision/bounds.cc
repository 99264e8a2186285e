#include "plan/provision/bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "plan/provision/cover.h"
#include "plan/provision/few_pods.h"
#include "plan/provision/rooms.h"

namespace joiner::plan {
namespace {

// A plan this close to the resource program needs no better bound.
constexpr double kCloseEnough = 1.0005;
// With more, machines cut to size cost nearly what whole ones do, and there are too many covers to see.
constexpr std::size_t kFewMachines = 16;
constexpr std::uint64_t kCoveringEffort = 300'000;
constexpr std::uint64_t kFewPodsEffort = 40'000'000;
constexpr std::uint64_t kRoomEffort = 10'000'000;
constexpr std::size_t kMostShapes = 200;
constexpr std::uint64_t kPatternEffort = 60'000'000;

// The offerings of every type of a pool that some of the placed pods may stand on, by any of their
// alternatives.
std::vector<OfferingMask> wanted_offerings(const Problem& problem, const std::vector<bool>& is_placed,
                                           model::PoolIndex pool) {
    std::vector<OfferingMask> out(problem.pools()[pool].types.size(), 0);
    for (std::size_t g = 0; g < problem.groups().size(); ++g) {
        if (!is_placed[g]) continue;
        for (const std::vector<Match>& row : problem.groups()[g].matches) {
            if (!row[pool].possible) continue;
            for (std::size_t t = 0; t < out.size(); ++t) out[t] |= row[pool].masks[t];
        }
    }
    return out;
}

// Never does a machine hold more pods than it would hold of the smallest in every respect. Where pods are
// alike this says what is lost at the end of each machine, which sums of resources do not see.
class PodCount {
  public:
    PodCount(const Problem& problem, const std::vector<std::uint32_t>& placed) {
        const auto& names = problem.dimension_names();
        pods_ = static_cast<std::size_t>(std::find(names.begin(), names.end(), "pods") - names.begin());
        least_.assign(problem.dimensions(), std::numeric_limits<double>::infinity());
        for (std::size_t c = 0; c < placed.size(); ++c) {
            if (placed[c] == 0) continue;
            for (std::size_t d = 0; d < least_.size(); ++d)
                least_[d] = std::min(least_[d], problem.classes()[c].request[d]);
        }
    }

    void tighten(double* room) const {
        if (pods_ >= least_.size() || !(least_[pods_] > 0)) return;
        for (std::size_t d = 0; d < least_.size(); ++d) {
            if (d == pods_ || !(least_[d] > 0) || std::isinf(least_[d])) continue;
            const double count = std::floor(std::max(0.0, room[d]) / least_[d]);
            room[pods_] = std::min(room[pods_], count * least_[pods_]);
        }
    }

  private:
    std::size_t pods_ = 0;
    std::vector<double> least_;
};

}  // namespace

ResourceColumns make_columns(const Problem& problem, const std::vector<std::uint32_t>& placed) {
    std::vector<bool> is_placed(problem.groups().size(), false);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        if (placed[c] > 0) is_placed[problem.classes()[c].group] = true;
    }
    ResourceColumns columns;
    columns.dimensions = problem.dimensions();
    for (model::PoolIndex pool = 0; pool < problem.pools().size(); ++pool) {
        const PoolOptions& options = problem.pools()[pool];
        const std::vector<OfferingMask> wanted = wanted_offerings(problem, is_placed, pool);
        for (std::size_t t = 0; t < options.types.size(); ++t) {
            if (wanted[t] == 0) continue;
            const rules::Money price =
                problem.offering(pool, options.types[t], Problem::cheapest(options.types[t], wanted[t]))
                    .cost() +
                problem.snapshot().pools[pool].node_cost;
            columns.prices.push_back(static_cast<double>(price.nanos));
            for (std::size_t d = 0; d < columns.dimensions; ++d)
                columns.capacities.push_back(std::max(0.0, options.room[t * columns.dimensions + d]));
        }
    }
    return columns;
}

Question relax(const Problem& problem, const std::vector<std::uint32_t>& placed) {
    const std::size_t n = problem.dimensions();
    const std::vector<model::RoomIndex> rooms = usable_rooms(problem, placed);
    Question out;
    out.demand.assign(n, 0);
    std::vector<double> units(problem.caps().size(), 0);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        const PodClass& pod_class = problem.classes()[c];
        for (std::size_t d = 0; d < n; ++d) out.demand[d] += placed[c] * pod_class.request[d];
        for (const CapId cap : pod_class.firm_caps) units[cap] += placed[c];
    }
    const PodCount pod_count(problem, placed);
    for (const model::RoomIndex room : rooms) {
        std::vector<double> free = problem.free_of(problem.snapshot().rooms[room]);
        pod_count.tighten(free.data());
        for (std::size_t d = 0; d < n; ++d) out.demand[d] -= std::max(0.0, free[d]);
    }
    double machines = 0;
    for (CapId cap = 0; cap < units.size(); ++cap) {
        const double most = problem.caps()[cap];
        if (most > 0)
            machines = std::max(machines, std::ceil(units[cap] / most) - static_cast<double>(rooms.size()));
    }
    ResourceColumns all = make_columns(problem, placed);
    for (std::size_t j = 0; j < all.size(); ++j) pod_count.tighten(&all.capacities[j * n]);
    // Only what is asked for, and the number of machines where it matters.
    std::vector<std::size_t> asked;
    for (std::size_t d = 0; d < n; ++d) {
        if (out.demand[d] > 0) asked.push_back(d);
    }
    out.columns.dimensions = asked.size() + (machines > 0 ? 1 : 0);
    out.columns.prices = all.prices;
    for (std::size_t j = 0; j < all.size(); ++j) {
        for (const std::size_t d : asked) out.columns.capacities.push_back(all.capacity(j)[d]);
        if (machines > 0) out.columns.capacities.push_back(1);
    }
    std::vector<double> demand;
    for (const std::size_t d : asked) demand.push_back(out.demand[d]);
    if (machines > 0) demand.push_back(machines);
    out.demand = std::move(demand);
    return out;
}

namespace {

double bound_by_rooms(const Problem& problem, const std::vector<std::uint32_t>& placed,
                      const KnownPrices& known, const std::function<bool()>& is_late) {
    const std::size_t n = problem.dimensions();
    const PodCount pod_count(problem, placed);
    RoomBoundQuestion question;
    question.columns = make_columns(problem, placed);
    for (std::size_t j = 0; j < question.columns.size(); ++j)
        pod_count.tighten(&question.columns.capacities[j * n]);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        if (placed[c] == 0) continue;
        const std::vector<double>& request = problem.classes()[c].request;
        question.requests.insert(question.requests.end(), request.begin(), request.end());
        question.counts.push_back(placed[c]);
    }
    for (const model::RoomIndex room : usable_rooms(problem, placed)) {
        for (const double amount : problem.free_of(problem.snapshot().rooms[room]))
            question.rooms.push_back(std::max(0.0, amount));
    }
    return room_bound(question, known, kRoomEffort, is_late);
}

// By the cap that asks for the most machines, of which each holds one pod.
double bound_by_patterns(const Problem& problem, const std::vector<std::uint32_t>& placed,
                         const KnownPatterns& known, const std::function<bool()>& is_late) {
    std::vector<std::uint64_t> units(problem.caps().size(), 0);
    for (std::size_t c = 0; c < placed.size(); ++c) {
        for (const CapId cap : problem.classes()[c].firm_caps)
            units[cap] += problem.caps()[cap] == 1 ? placed[c] : 0;
    }
    const auto most = std::max_element(units.begin(), units.end());
    if (most == units.end() || *most == 0) return 0;
    const auto cap = static_cast<CapId>(most - units.begin());
    std::map<std::pair<std::vector<double>, bool>, double> counts;
    for (std::size_t c = 0; c < placed.size(); ++c) {
        const PodClass& own = problem.classes()[c];
        const bool is_capped =
            std::find(own.firm_caps.begin(), own.firm_caps.end(), cap) != own.firm_caps.end();
        if (placed[c] > 0) counts[{own.request, is_capped}] += placed[c];
    }
    if (counts.size() > kMostShapes) return 0;
    PatternBoundQuestion question;
    question.columns = make_columns(problem, placed);
    for (const auto& [shape, count] : counts) {
        question.requests.push_back(shape.first);
        question.is_capped.push_back(shape.second);
        question.counts.push_back(count);
    }
    return pattern_bound(question, known, kPatternEffort, is_late);
}

// Exactly, but for all rules that are not about amounts.
double bound_by_pods(const Problem& problem, const std::vector<std::uint32_t>& placed,
                     const std::function<bool()>& is_late) {
    const std::size_t n = problem.dimensions();
    const PodCount pod_count(problem, placed);
    std::map<std::vector<double>, std::uint32_t> counts;
    for (std::size_t c = 0; c < placed.size(); ++c) {
        if (placed[c] > 0) counts[problem.classes()[c].request] += placed[c];
    }
    const ResourceColumns all = make_columns(problem, placed);
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::pair(all.prices[a], a) < std::pair(all.prices[b], b);
    });
    FewPodsQuestion question;
    question.columns.dimensions = n;
    for (const std::size_t j : order) {
        question.columns.prices.push_back(all.prices[j]);
        question.columns.capacities.insert(question.columns.capacities.end(), all.capacity(j),
                                           all.capacity(j) + n);
        pod_count.tighten(&question.columns.capacities[question.columns.capacities.size() - n]);
    }
    for (const auto& [request, count] : counts) {
        question.requests.insert(question.requests.end(), request.begin(), request.end());
        question.counts.push_back(count);
    }
    const auto found = cheapest_for_few(question, kFewPodsEffort, is_late);
    return found ? found->cost : 0;
}

}  // namespace

rules::Money quick_lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed,
                               const KnownPlan& plan) {
    const Question question = relax(problem, placed);
    const auto best = static_cast<double>(plan.price.nanos);
    double cost = resource_bound(question.columns, question.demand).cost;
    if (cost > 0 && best > cost * kCloseEnough && plan.machines <= kFewMachines)
        cost = std::max(cost, covering_bound(question.columns, question.demand, best, kCoveringEffort));
    return {static_cast<std::int64_t>(std::floor(std::min(cost, best) * (1 - 1e-12)))};
}

rules::Money lower_bound(const Problem& problem, const std::vector<std::uint32_t>& placed,
                         const KnownPlan& plan, const std::function<bool()>& is_late) {
    const rules::Money quick = quick_lower_bound(problem, placed, plan);
    const auto best = static_cast<double>(plan.price.nanos);
    auto cost = static_cast<double>(quick.nanos);
    if (best <= cost * kCloseEnough) return quick;
    if (!usable_rooms(problem, placed).empty()) {
        cost = std::max(cost, bound_by_rooms(problem, placed, plan.prices, is_late));
    } else {
        cost = std::max(cost, bound_by_pods(problem, placed, is_late));
        if (!plan.patterns.patterns.empty())
            cost = std::max(cost, bound_by_patterns(problem, placed, plan.patterns, is_late));
    }
    return {static_cast<std::int64_t>(std::floor(std::min(cost, best)))};
}

}  // namespace joiner::plan
