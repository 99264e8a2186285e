#include "plan/provision/few_pods.h"

#include <algorithm>
#include <limits>

#include "plan/provision/ceilings.h"

namespace joiner::plan {
namespace {

// A state is a number of pods of each shape, as one number: the digits times their strides.
using State = std::uint32_t;
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kLooksBetween = 8192;  // Two looks at the clock.
constexpr State kMostStates = 300'000;

class FewPods {
  public:
    explicit FewPods(const FewPodsQuestion& question)
        : question_(question), n_(question.columns.dimensions), shapes_(question.counts.size()) {}

    std::optional<FewPodsAnswer> solve(std::uint64_t effort, const std::function<bool()>& is_late) {
        if (!is_within(effort)) return std::nullopt;
        price_machines();
        if (!choose(is_late)) return std::nullopt;
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
        for (const std::uint32_t count : question_.counts) {
            strides_.push_back(states_);
            if (count >= kMostStates / states_) return false;
            states_ *= count + 1;
            looks *= 0.5 * (count + 1.0) * (count + 2.0);
        }
        return looks + states_ * static_cast<double>(n_ + shapes_) <= static_cast<double>(effort);
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
        if (!has_room(question_.columns.capacity(column), sum, n_)) return false;
        if (question_.admits.empty()) return true;
        for (std::size_t i = 0; i < shapes_; ++i) {
            if (digit[i] > 0 && !question_.admits[column * shapes_ + i]) return false;
        }
        return true;
    }

    // Of what is left, one machine holds a pod of the first shape there is; every such machine is tried that
    // is not dearer by itself than what is known. False where that took too long.
    bool choose(const std::function<bool()>& is_late) {
        least_.assign(states_, kNever);
        next_.assign(states_, 0);
        machines_.assign(states_, 0);
        least_[0] = 0;
        std::uint64_t looks = 0;
        for (State state = 1; state < states_; ++state) {
            start(state);
            do {
                if (++looks % kLooksBetween == 0 && is_late && is_late()) return false;
                const double cost = price_[taken_] + least_[state - taken_];
                const std::uint32_t machines = machines_[state - taken_] + 1;
                if (cost < least_[state] || (cost == least_[state] && machines < machines_[state])) {
                    least_[state] = cost;
                    next_[state] = taken_;
                    machines_[state] = machines;
                }
            } while (step(price_[taken_] > least_[state]));
        }
        return true;
    }

    void start(State state) {
        there_ = digits(state);
        first_ = 0;
        while (there_[first_] == 0) ++first_;
        take_.assign(shapes_, 0);
        take_[first_] = 1;
        taken_ = strides_[first_];
    }

    // To the next of the takes in order; past those that hold more than this one where it `is_too_dear`.
    bool step(bool is_too_dear) {
        for (std::size_t i = first_; i < shapes_; ++i) {
            const std::uint32_t least = i == first_ ? 1 : 0;
            if (!is_too_dear && take_[i] < there_[i]) {
                ++take_[i];
                taken_ += strides_[i];
                return true;
            }
            // All that hold more than it come before the next digit after the first that is not at its least.
            if (take_[i] > least) is_too_dear = false;
            taken_ -= (take_[i] - least) * strides_[i];
            take_[i] = least;
        }
        return false;
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
    // What the machine being tried takes of the state at hand.
    std::vector<std::uint32_t> there_;
    std::vector<std::uint32_t> take_;
    std::size_t first_ = 0;  // Shape of which something is left.
    State taken_ = 0;
};

}  // namespace

std::optional<FewPodsAnswer> cheapest_for_few(const FewPodsQuestion& question, std::uint64_t effort,
                                              const std::function<bool()>& is_late) {
    return FewPods(question).solve(effort, is_late);
}

}  // namespace joiner::plan
