#include "plan/provision/pattern_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

namespace joiner::plan {
namespace {

constexpr std::size_t kSmallTypes = 24;
constexpr double kMostSteps = 768;
constexpr std::size_t kTurns = 40;
constexpr std::size_t kPivots = 400;  // Between two searches for patterns.
constexpr double kGain = 1e-5;
constexpr double kSafe = 1 - 5e-5;  // Values are summed in single precision.
constexpr std::uint32_t kNone = ~0u;

// Vectors of four, as in Packer.
constexpr std::size_t kLanes = 4;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));

class PatternBound {
  public:
    PatternBound(const PatternBoundQuestion& question, std::uint64_t effort)
        : q_(question), n_(question.columns.dimensions), rows_(question.counts.size()), effort_(effort) {}

    double run(const KnownPatterns& known, const std::function<bool()>& is_late) {
        if (rows_ == 0 || q_.columns.size() < 2 || n_ < 2 || !choose_dimensions()) return 0;
        sort_types();
        choose_steps();
        if (!start(known)) return 0;
        double best = 0;
        for (std::size_t turn = 0; turn < kTurns && looks_ < effort_; ++turn) {
            if (is_late && is_late()) break;
            looks_ += program_->solve(kPivots) * program_->rows() * program_->rows();
            values_ = program_->values();
            for (double& value : values_) value = std::max(0.0, value);
            fill_table();
            best = std::max(best, value_of_all() * worst_ratio());
            if (!find_patterns()) break;
        }
        return best * kSafe;
    }

  private:
    double price(std::size_t j) const { return q_.columns.prices[j]; }
    double room(std::size_t j, std::size_t i) const { return q_.columns.capacity(j)[dims_[i]]; }
    double request(std::size_t r, std::size_t i) const { return q_.requests[r][dims_[i]]; }

    // The two that would cost the most if they alone mattered.
    bool choose_dimensions() {
        std::vector<std::pair<double, std::size_t>> costs;
        for (std::size_t d = 0; d < n_; ++d) {
            double asked = 0;
            for (std::size_t r = 0; r < rows_; ++r) asked += q_.counts[r] * q_.requests[r][d];
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t j = 0; j < q_.columns.size(); ++j) {
                if (q_.columns.capacity(j)[d] > 0)
                    least = std::min(least, price(j) / q_.columns.capacity(j)[d]);
            }
            if (asked > 0 && std::isfinite(least)) costs.emplace_back(-asked * least, d);
        }
        std::sort(costs.begin(), costs.end());
        if (costs.size() < 2) return false;
        dims_[0] = costs[0].second;
        dims_[1] = costs[1].second;
        return true;
    }

    // Small ones first.
    void sort_types() {
        types_.resize(q_.columns.size());
        std::iota(types_.begin(), types_.end(), std::size_t{0});
        std::stable_sort(types_.begin(), types_.end(),
                         [&](std::size_t a, std::size_t b) { return price(a) < price(b); });
        small_ = std::min(kSmallTypes, types_.size() - 1);
    }

    // Requests are counted as the steps they fill, so that a place in the table never says too little. Of
    // steps that are fine enough the one that makes the least of it.
    void choose_steps() {
        for (std::size_t i = 0; i < 2; ++i) {
            double largest = 1;
            for (std::size_t t = 0; t < small_; ++t) largest = std::max(largest, room(types_[t], i));
            std::uint64_t common = 0;
            for (std::size_t r = 0; r < rows_; ++r)
                common = std::gcd(common, static_cast<std::uint64_t>(request(r, i)));
            const double unit = std::max(1.0, static_cast<double>(common));
            const double first = std::max(1.0, std::ceil(largest / kMostSteps / unit));
            double least_lost = std::numeric_limits<double>::infinity();
            for (double times = first; times <= 2 * first; ++times) {
                double lost = 0;
                for (std::size_t r = 0; r < rows_; ++r)
                    lost += q_.counts[r] * std::fmod(request(r, i), times * unit);
                if (lost >= least_lost) continue;
                least_lost = lost;
                steps_[i] = times * unit;
            }
            sides_[i] = steps(largest, i) + 1;
        }
        // A little more, so that a vector that begins in a row ends in the table.
        table_.assign(sides_[0] * sides_[1] + kLanes, 0);
    }
    std::size_t steps(double amount, std::size_t i) const {
        return static_cast<std::size_t>(std::max(0.0, std::floor(amount / steps_[i])));
    }
    std::size_t place(std::size_t j) const { return steps(room(j, 0), 0) * sides_[1] + steps(room(j, 1), 1); }

    bool fits(std::size_t r, std::size_t j) const {
        for (std::size_t d = 0; d < n_; ++d) {
            if (q_.requests[r][d] > q_.columns.capacity(j)[d]) return false;
        }
        return true;
    }

    // Rows of the program: the shapes, then the two resources of large machines and their number.
    bool start(const KnownPatterns& known) {
        std::vector<Pattern> singles;
        for (std::uint32_t r = 0; r < rows_; ++r) {
            Pattern best;
            for (const std::size_t j : types_) {
                if (!best.take.empty() || !fits(r, j)) continue;
                best = {price(j), {{r, 1}}};
            }
            if (best.take.empty()) return false;
            singles.push_back(std::move(best));
        }
        const auto resource = static_cast<std::uint32_t>(rows_);
        for (std::uint32_t i = 0; i < 3; ++i) {
            Pattern best;
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t t = small_; t < types_.size(); ++t) {
                const double amount = i < 2 ? room(types_[t], i) * scale(i) : 1;
                if (amount <= 0 || price(types_[t]) / amount >= least) continue;
                least = price(types_[t]) / amount;
                best = {price(types_[t]), {{resource + i, amount}}};
            }
            if (best.take.empty()) return false;
            singles.push_back(std::move(best));
        }
        std::vector<double> demand = q_.counts;
        demand.resize(rows_ + 3, 0);
        program_.emplace(std::move(demand), std::move(singles));
        for (std::size_t t = small_; t < types_.size(); ++t) {
            const std::size_t j = types_[t];
            program_->add({price(j),
                           {{resource, room(j, 0) * scale(0)},
                            {resource + 1, room(j, 1) * scale(1)},
                            {resource + 2, 1}}});
        }
        for (std::uint32_t r = 0; r < rows_; ++r) {
            Pattern pod{0, {{r, 1}}};
            for (std::uint32_t i = 0; i < 2; ++i) {
                if (request(r, i) > 0) pod.take.emplace_back(resource + i, -request(r, i) * scale(i));
            }
            if (q_.is_capped[r]) pod.take.emplace_back(resource + 2, -1);
            program_->add(std::move(pod));
        }
        add_known(known);
        return true;
    }

    // So that the program's numbers are of one size.
    double scale(std::size_t i) const { return 1 / room(types_[small_], i); }

    void add_known(const KnownPatterns& known) {
        std::map<std::pair<std::vector<double>, bool>, std::uint32_t> rows;
        for (std::uint32_t r = 0; r < rows_; ++r) rows.emplace(std::pair(q_.requests[r], q_.is_capped[r]), r);
        for (const Pattern& pattern : known.patterns) {
            std::map<std::uint32_t, double> take;
            for (const auto& [row, count] : pattern.take) {
                const auto it = rows.find({known.requests[row], known.is_capped[row]});
                if (it != rows.end()) take[it->second] += count;
            }
            if (!take.empty()) program_->add({pattern.price, {take.begin(), take.end()}});
        }
    }

    double value_of_all() const {
        double sum = 0;
        for (std::size_t r = 0; r < rows_; ++r) sum += values_[r] * q_.counts[r];
        return sum;
    }

    // By place what pods of shapes without the cap are worth there at most.
    void fill_table() {
        std::fill(table_.begin(), table_.end(), 0.0F);
        extra_ = 0;
        for (std::size_t r = 0; r < rows_; ++r) {
            const std::size_t down = steps(request(r, 0), 0);
            const std::size_t across = steps(request(r, 1), 1);
            if (q_.is_capped[r] || values_[r] <= 0 || down >= sides_[0] || across >= sides_[1]) continue;
            if (down == 0 && across == 0) {
                extra_ += values_[r] * q_.counts[r];
                continue;
            }
            looks_ += (sides_[0] - down) * (sides_[1] - across) / kLanes;
            for (std::size_t row = down; row < sides_[0]; ++row)
                put(&table_[row * sides_[1] + across], &table_[(row - down) * sides_[1]], sides_[1] - across,
                    static_cast<float>(values_[r]), down == 0 && across < kLanes);
        }
    }
    // Where a row refers to itself within a vector's width, one entry after the other.
    static void put(float* entries, const float* before, std::size_t count, float value, bool one_by_one) {
        std::size_t c = 0;
        if (!one_by_one) {
            const Floats more = Floats{} + value;
            for (; c + kLanes <= count; c += kLanes) {
                Floats old;
                Floats other;
                __builtin_memcpy(&old, entries + c, sizeof old);
                __builtin_memcpy(&other, before + c, sizeof other);
                other += more;
                old = old > other ? old : other;
                __builtin_memcpy(entries + c, &old, sizeof old);
            }
        }
        for (; c < count; ++c) entries[c] = std::max(entries[c], before[c] + value);
    }

    // With at most one pod that has the cap; returns its row, or none.
    std::uint32_t best_capped(std::size_t j, double& most) const {
        const std::size_t down = steps(room(j, 0), 0);
        const std::size_t across = steps(room(j, 1), 1);
        most = extra_ + table_[down * sides_[1] + across];
        std::uint32_t best = kNone;
        for (std::uint32_t r = 0; r < rows_; ++r) {
            if (!q_.is_capped[r] || steps(request(r, 0), 0) > down || steps(request(r, 1), 1) > across)
                continue;
            const double worth =
                values_[r] +
                table_[(down - steps(request(r, 0), 0)) * sides_[1] + across - steps(request(r, 1), 1)];
            if (worth <= most) continue;
            most = worth;
            best = r;
        }
        return best;
    }

    // The least part of its price that a machine costs of what may stand on it.
    double worst_ratio() const {
        double worst = 1;
        for (std::size_t t = 0; t < small_; ++t) {
            double most = 0;
            best_capped(types_[t], most);
            if (most > 0) worst = std::min(worst, price(types_[t]) / most);
        }
        return std::min(worst, large_ratio());
    }

    // Of large machines: no pod is worth more than its resources, but for one that has the cap.
    double large_ratio() const {
        double worth[2];
        for (std::size_t i = 0; i < 2; ++i) worth[i] = program_->values()[rows_ + i] * scale(i);
        if (worth[0] < 0 || worth[1] < 0) return 0;
        const auto sum = [&](std::size_t r) { return worth[0] * request(r, 0) + worth[1] * request(r, 1); };
        double times = 0;
        for (std::size_t r = 0; r < rows_; ++r) {
            if (q_.is_capped[r] || values_[r] <= 0) continue;
            if (sum(r) <= 0) return 0;
            times = std::max(times, values_[r] / sum(r));
        }
        double once = 0;
        for (std::size_t r = 0; r < rows_; ++r) {
            if (q_.is_capped[r]) once = std::max(once, values_[r] - times * sum(r));
        }
        double worst = 1;
        for (std::size_t t = small_; t < types_.size(); ++t) {
            const std::size_t j = types_[t];
            const double most = times * (worth[0] * room(j, 0) + worth[1] * room(j, 1)) + once;
            if (most > 0) worst = std::min(worst, price(j) / most);
        }
        return worst;
    }

    // Every small machine that is worth more than it costs.
    bool find_patterns() {
        bool is_any = false;
        for (std::size_t t = 0; t < small_; ++t) {
            const std::size_t j = types_[t];
            double most = 0;
            const std::uint32_t capped = best_capped(j, most);
            if (most <= price(j) * (1 + kGain)) continue;
            Pattern pattern{price(j), read(j, capped)};
            if (!seen_.emplace(j, pattern.take).second) continue;
            program_->add(std::move(pattern));
            is_any = true;
        }
        return is_any;
    }

    // What stands on the machine by the table.
    std::vector<std::pair<std::uint32_t, double>> read(std::size_t j, std::uint32_t capped) const {
        std::map<std::uint32_t, double> take;
        std::size_t down = steps(room(j, 0), 0);
        std::size_t across = steps(room(j, 1), 1);
        std::uint32_t next = capped;
        while (true) {
            if (next != kNone) {
                ++take[next];
                down -= steps(request(next, 0), 0);
                across -= steps(request(next, 1), 1);
            }
            const float here = table_[down * sides_[1] + across];
            next = kNone;
            for (std::uint32_t r = 0; r < rows_ && here > 0 && next == kNone; ++r) {
                const std::size_t a = steps(request(r, 0), 0);
                const std::size_t b = steps(request(r, 1), 1);
                if (q_.is_capped[r] || values_[r] <= 0 || a > down || b > across || a + b == 0) continue;
                if (table_[(down - a) * sides_[1] + across - b] + static_cast<float>(values_[r]) >= here)
                    next = r;
            }
            if (next == kNone) return {take.begin(), take.end()};
        }
    }

    const PatternBoundQuestion& q_;
    std::size_t n_;
    std::size_t rows_;
    std::uint64_t effort_;
    std::uint64_t looks_ = 0;
    std::size_t dims_[2] = {0, 0};
    std::vector<std::size_t> types_;
    std::size_t small_ = 0;
    double steps_[2] = {1, 1};
    std::size_t sides_[2] = {0, 0};
    std::vector<float> table_;
    double extra_ = 0;  // The worth of all pods that fill no step.
    std::vector<double> values_;
    std::optional<CoveringProgram> program_;
    std::set<std::pair<std::size_t, std::vector<std::pair<std::uint32_t, double>>>> seen_;
};

}  // namespace

double pattern_bound(const PatternBoundQuestion& question, const KnownPatterns& known, std::uint64_t effort,
                     const std::function<bool()>& is_late) {
    return PatternBound(question, effort).run(known, is_late);
}

}  // namespace joiner::plan
