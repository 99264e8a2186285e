#include "plan/provision/cover.h"

#include <algorithm>
#include <numeric>
#include <queue>
#include <tuple>

namespace joiner::plan {
namespace {

// Machines that another beats in every way are left out; dear ones first, so that a multiset is counted once:
// by its members in this order.
ResourceColumns undominated(const ResourceColumns& columns, const std::vector<double>& demand) {
    const std::size_t n = columns.dimensions;
    std::vector<std::size_t> order(columns.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    // More than is asked for is of no use.
    const auto useful = [&](std::size_t j, std::size_t d) {
        return std::min(columns.capacity(j)[d], demand[d]);
    };
    const auto sum = [&](std::size_t j) {
        double out = 0;
        for (std::size_t d = 0; d < n; ++d) out += demand[d] > 0 ? useful(j, d) / demand[d] : 0;
        return out;
    };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tuple(columns.prices[a], -sum(a), a) < std::tuple(columns.prices[b], -sum(b), b);
    });
    std::vector<std::size_t> kept;
    for (const std::size_t b : order) {
        const bool is_dominated = std::any_of(kept.begin(), kept.end(), [&](std::size_t a) {
            for (std::size_t d = 0; d < n; ++d) {
                if (useful(a, d) < useful(b, d)) return false;
            }
            return true;
        });
        if (!is_dominated) kept.push_back(b);
    }
    ResourceColumns out;
    out.dimensions = n;
    for (auto it = kept.rbegin(); it != kept.rend(); ++it) {
        out.prices.push_back(columns.prices[*it]);
        out.capacities.insert(out.capacities.end(), columns.capacity(*it), columns.capacity(*it) + n);
    }
    return out;
}

struct Partial {
    double bound = 0;  // No completion costs less.
    double price = 0;
    std::uint32_t last = 0;  // Only machines from here on are added.
    std::uint32_t number = 0;
    std::vector<double> left;
};

struct DearerFirst {
    bool operator()(const Partial& a, const Partial& b) const {
        return std::tuple(a.bound, b.number) > std::tuple(b.bound, a.number);
    }
};

}  // namespace

// Best first: what is least of all open partial covers bounds every cover, however early one stops.
double covering_bound(const ResourceColumns& all, const std::vector<double>& demand, double upper,
                      std::uint64_t effort) {
    const ResourceColumns columns = undominated(all, demand);
    const std::size_t n = columns.dimensions;
    ResourceProgram program(columns);
    const ResourceBound root = program.bound(demand);
    if (columns.size() == 0 || root.cost <= 0) return 0;
    // Rounding may make a bound a hair too high.
    constexpr double kSafe = 1 - 1e-9;
    std::priority_queue<Partial, std::vector<Partial>, DearerFirst> open;
    open.push({root.cost * kSafe, 0, 0, 0, demand});
    std::uint64_t looks = 0;
    std::uint32_t number = 0;
    double best = upper;
    while (!open.empty() && open.top().bound < best) {
        if (looks > effort) return std::min(best, open.top().bound);
        const Partial at = open.top();
        open.pop();
        for (std::uint32_t j = at.last; j < columns.size(); ++j) {
            ++looks;
            const double price = at.price + columns.prices[j];
            if (price >= best) continue;
            Partial next{0, price, j, 0, at.left};
            double worth = 0;
            bool is_covered = true;
            for (std::size_t d = 0; d < n; ++d) {
                // What no machine has is left out, as in the resource program.
                next.left[d] = root.worth[d] > 0 || columns.capacity(j)[d] > 0
                                   ? std::max(0.0, next.left[d] - columns.capacity(j)[d])
                                   : next.left[d];
                worth += root.worth[d] * next.left[d];
                is_covered &= next.left[d] <= 0;
            }
            if (is_covered) {
                best = price;
                continue;
            }
            if ((price + worth) * kSafe >= best) continue;
            looks += columns.size() / 8;
            program.solve(next.left.data());
            next.bound = std::max(at.bound, (price + std::max(worth, program.cost())) * kSafe);
            if (next.bound >= best) continue;
            next.number = ++number;
            open.push(std::move(next));
        }
    }
    return best;
}

}  // namespace joiner::plan
