#include "plan/provision/few_pods.h"

#include <algorithm>
#include <limits>

namespace joiner::plan {
namespace {

// A state is a number of pods of each shape, as one number: the digits times their strides.
using State = std::uint32_t;
constexpr double kNever = std::numeric_limits<double>::infinity();

class FewPods {
  public:
    explicit FewPods(const FewPodsQuestion& question)
        : question_(question), n_(question.columns.dimensions), shapes_(question.counts.size()) {}

    std::optional<FewPodsAnswer> solve(std::uint64_t effort) {
        if (!is_within(effort)) return std::nullopt;
        price_machines();
        choose();
        const State all = states_ - 1;
        if (least_[all] == kNever) return std::nullopt;
        FewPodsAnswer out;
        out.cost = least_[all];
        for (State left = all; left != 0; left -= next_[left])
            out.machines.push_back({column_[next_[left]], digits(next_[left])});
        return out;
    }

  private:
    // Also counts the states.
    bool is_within(std::uint64_t effort) {
        double looks = 1;
        double states = 1;
        for (const std::uint32_t count : question_.counts) {
            looks *= 0.5 * (count + 1.0) * (count + 2.0);
            states *= count + 1.0;
        }
        if (looks + states * static_cast<double>(n_ + shapes_) > static_cast<double>(effort)) return false;
        for (const std::uint32_t count : question_.counts) {
            strides_.push_back(states_);
            states_ *= count + 1;
        }
        return true;
    }

    std::vector<std::uint32_t> digits(State state) const {
        std::vector<std::uint32_t> out(shapes_);
        for (std::size_t i = shapes_; i-- > 0;) {
            out[i] = state / strides_[i];
            state %= strides_[i];
        }
        return out;
    }

    // For each state the first column that holds it. One pod less is held by no dearer a machine, so the
    // search begins where those of the states before ended.
    void price_machines() {
        const std::size_t columns = question_.columns.size();
        column_.assign(states_, 0);
        price_.assign(states_, 0);
        std::vector<double> sums(states_ * n_, 0);
        std::vector<std::uint32_t> digit(shapes_, 0);
        for (State state = 1; state < states_; ++state) {
            for (std::size_t i = 0; i < shapes_; ++i) {
                if (digit[i] < question_.counts[i]) {
                    ++digit[i];
                    break;
                }
                digit[i] = 0;
            }
            std::size_t column = 0;
            for (std::size_t i = 0; i < shapes_; ++i) {
                if (digit[i] == 0) continue;
                const State before = state - strides_[i];
                column = std::max<std::size_t>(column, column_[before]);
                for (std::size_t d = 0; d < n_; ++d)
                    sums[state * n_ + d] = sums[before * n_ + d] + question_.requests[i * n_ + d];
            }
            while (column < columns && !holds(column, &sums[state * n_], digit)) ++column;
            column_[state] = column;
            price_[state] = column < columns ? question_.columns.prices[column] : kNever;
        }
    }

    bool holds(std::size_t column, const double* sum, const std::vector<std::uint32_t>& digit) const {
        const double* capacity = question_.columns.capacity(column);
        for (std::size_t d = 0; d < n_; ++d) {
            if (sum[d] > capacity[d]) return false;
        }
        if (question_.admits.empty()) return true;
        for (std::size_t i = 0; i < shapes_; ++i) {
            if (digit[i] > 0 && !question_.admits[column * shapes_ + i]) return false;
        }
        return true;
    }

    // Of what is left, one machine holds a pod of the first shape there is; every such machine is tried.
    void choose() {
        least_.assign(states_, kNever);
        next_.assign(states_, 0);
        machines_.assign(states_, 0);
        least_[0] = 0;
        std::vector<std::uint32_t> take(shapes_);
        for (State state = 1; state < states_; ++state) {
            const std::vector<std::uint32_t> there = digits(state);
            const auto first = static_cast<std::size_t>(
                std::find_if(there.begin(), there.end(), [](std::uint32_t count) { return count > 0; }) -
                there.begin());
            std::fill(take.begin(), take.end(), 0);
            take[first] = 1;
            State taken = strides_[first];
            while (true) {
                const double cost = price_[taken] + least_[state - taken];
                const std::uint32_t machines = machines_[state - taken] + 1;
                if (cost < least_[state] || (cost == least_[state] && machines < machines_[state])) {
                    least_[state] = cost;
                    next_[state] = taken;
                    machines_[state] = machines;
                }
                std::size_t i = first;
                for (; i < shapes_; ++i) {
                    if (take[i] < there[i]) {
                        ++take[i];
                        taken += strides_[i];
                        break;
                    }
                    const std::uint32_t least = i == first ? 1 : 0;
                    taken -= (take[i] - least) * strides_[i];
                    take[i] = least;
                }
                if (i == shapes_) break;
            }
        }
    }

    const FewPodsQuestion& question_;
    std::size_t n_;
    std::size_t shapes_;
    State states_ = 1;
    std::vector<State> strides_;
    std::vector<std::size_t> column_;  // By state.
    std::vector<double> price_;        // Of a machine that holds it.
    std::vector<double> least_;        // Of all machines for it.
    std::vector<std::uint32_t> machines_;
    std::vector<State> next_;  // The part of it that the first of them holds.
};

}  // namespace

std::optional<FewPodsAnswer> cheapest_for_few(const FewPodsQuestion& question, std::uint64_t effort) {
    return FewPods(question).solve(effort);
}

}  // namespace joiner::plan
