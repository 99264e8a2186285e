#include "plan/provision/ceilings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace joiner::plan {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kDear = 100;  // Times the dearest machine.

double dot(const std::vector<double>& a, const double* b) {
    return std::inner_product(a.begin(), a.end(), b, 0.0);
}

}  // namespace

double dear_price(const ResourceColumns& columns) {
    return columns.prices.empty() ? 0
                                  : kDear * *std::max_element(columns.prices.begin(), columns.prices.end());
}

bool has_room(const double* room, const double* request, std::size_t dimensions) {
    for (std::size_t d = 0; d < dimensions; ++d) {
        if (request[d] > room[d]) return false;
    }
    return true;
}

std::vector<double> ceilings(const ResourceColumns& columns, const std::vector<double>& requests,
                             const std::vector<std::vector<double>>& units) {
    const std::size_t n = columns.dimensions;
    const std::size_t pods = requests.size() / n;
    if (units.empty()) return std::vector<double>(pods, 0);
    // Every machine is of the kind by which it is worth the least.
    std::vector<std::size_t> kind_of(columns.size(), 0);
    double excess = 1;
    for (std::size_t j = 0; j < columns.size(); ++j) {
        double least = kInfinity;
        for (std::size_t k = 0; k < units.size(); ++k) {
            const double worth = dot(units[k], columns.capacity(j));
            if (worth >= least) continue;
            least = worth;
            kind_of[j] = k;
        }
        if (least > 0)
            excess = std::max(excess, columns.prices[j] > 0 ? least / columns.prices[j] : kInfinity);
    }
    std::vector<double> out;
    for (std::size_t p = 0; p < pods; ++p) {
        const double* request = &requests[p * n];
        double least = kInfinity;
        std::vector<bool> seen(units.size(), false);
        for (std::size_t j = 0; j < columns.size(); ++j) {
            if (seen[kind_of[j]] || !has_room(columns.capacity(j), request, n)) continue;
            seen[kind_of[j]] = true;
            least = std::min(least, dot(units[kind_of[j]], request));
        }
        // What no machine holds stands in a room, or nowhere.
        out.push_back(std::isfinite(least) ? std::max(0.0, least) / excess : dear_price(columns));
    }
    return out;
}

}  // namespace joiner::plan
