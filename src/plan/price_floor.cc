#include "plan/price_floor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace joiner::plan {
namespace {

// So that both resources count in numbers of one size.
constexpr double kCore = 1000;
constexpr double kGibibyte = 1 << 30;
constexpr int kSteps = 40;

struct Asked {
    double cores = 0;
    double gibibytes = 0;
};

// Let a core be worth 1 and a GiB `worth`. No machine gives a dollar more value than the best of them does,
// so the value asked for costs no less than that machine's price for the same value. Any `worth` gives a
// floor.
double floor_at(double worth, const Asked& asked, const std::vector<SoldMachine>& sold) {
    double dearest_value = 0;
    for (const SoldMachine& one : sold) {
        const double value = static_cast<double>(one.cpu_milli) / kCore +
                             worth * static_cast<double>(one.memory_bytes) / kGibibyte;
        const double dollars = one.price.dollars();
        // What costs nothing may hold everything.
        if (dollars <= 0 && value > 0) return 0;
        if (value > 0) dearest_value = std::max(dearest_value, value / dollars);
    }
    return dearest_value > 0 ? (asked.cores + worth * asked.gibibytes) / dearest_value : 0;
}

}  // namespace

rules::Money price_floor(std::int64_t cpu_milli, std::int64_t memory_bytes, std::vector<SoldMachine> sold) {
    // Thousands of nodes are of few kinds.
    std::ranges::sort(sold);
    sold.erase(std::unique(sold.begin(), sold.end()), sold.end());
    const Asked asked{static_cast<double>(cpu_milli) / kCore, static_cast<double>(memory_bytes) / kGibibyte};
    // By the logarithm of the worth the floor rises to one height and falls again.
    double low = std::log(1e-4);
    double high = std::log(1e4);
    double best = 0;
    for (int i = 0; i < kSteps; ++i) {
        const double left = low + (high - low) / 3;
        const double right = high - (high - low) / 3;
        const double at_left = floor_at(std::exp(left), asked, sold);
        const double at_right = floor_at(std::exp(right), asked, sold);
        best = std::max({best, at_left, at_right});
        (at_left < at_right ? low : high) = at_left < at_right ? left : right;
    }
    // Rounded down: a floor that is a hair too low is one still.
    return {static_cast<std::int64_t>(std::floor(best * 1e9 * (1 - 1e-9)))};
}

}  // namespace joiner::plan
