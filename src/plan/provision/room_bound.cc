#include "plan/provision/room_bound.h"

#include <algorithm>
#include <limits>

namespace joiner::plan {
namespace {

// Rooms are told apart by how much they have of the two resources that matter most, in so many steps each.
constexpr std::size_t kSizes = 4;
constexpr int kSteps = 2'000;
constexpr int kPatience = 40;
// Of what all pods are worth.
constexpr double kFirstReach = 0.02;
constexpr double kFactors[] = {0, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5};

class RoomBound {
  public:
    RoomBound(const RoomBoundQuestion& question, std::uint64_t effort)
        : q_(question),
          n_(question.columns.dimensions),
          pods_(question.counts.size()),
          rooms_(n_ == 0 ? 0 : question.rooms.size() / n_),
          effort_(effort) {}

    double run() {
        if (rooms_ == 0 || pods_ == 0) return 0;
        make_groups();
        double best = 0;
        // What a unit is worth depends on what the rooms leave; any answer holds.
        for (const double part : {1.0, 0.8, 0.5}) {
            worth_ = resource_bound(q_.columns, left_by_rooms(part)).worth;
            worth_.resize(n_, 0);
            best = std::max(best, search());
            if (looks_ >= effort_) break;
        }
        return best;
    }

  private:
    using Worths = std::vector<double>;  // Group x dimension.

    std::vector<double> left_by_rooms(double part) const {
        std::vector<double> out(n_, 0);
        for (std::size_t p = 0; p < pods_; ++p) {
            for (std::size_t d = 0; d < n_; ++d) out[d] += q_.counts[p] * q_.requests[p * n_ + d];
        }
        for (std::size_t r = 0; r < rooms_; ++r) {
            for (std::size_t d = 0; d < n_; ++d) out[d] -= part * q_.rooms[r * n_ + d];
        }
        for (double& amount : out) amount = std::max(0.0, amount);
        return out;
    }

    // Which step of the sorted amounts the room's stands in.
    std::vector<std::size_t> steps_of(std::size_t d) const {
        std::vector<double> sorted;
        for (std::size_t r = 0; r < rooms_; ++r) sorted.push_back(q_.rooms[r * n_ + d]);
        std::sort(sorted.begin(), sorted.end());
        std::vector<std::size_t> out;
        for (std::size_t r = 0; r < rooms_; ++r) {
            const auto at = std::lower_bound(sorted.begin(), sorted.end(), q_.rooms[r * n_ + d]);
            out.push_back(static_cast<std::size_t>(at - sorted.begin()) * kSizes / rooms_);
        }
        return out;
    }

    void make_groups() {
        const std::vector<std::size_t> first = steps_of(0);
        const std::vector<std::size_t> second = steps_of(n_ > 1 ? 1 : 0);
        groups_ = kSizes * kSizes;
        free_.assign(groups_ * n_, 0);
        holds_.assign(pods_ * groups_, false);
        for (std::size_t r = 0; r < rooms_; ++r) {
            const std::size_t g = first[r] * kSizes + second[r];
            for (std::size_t d = 0; d < n_; ++d) free_[g * n_ + d] += q_.rooms[r * n_ + d];
            for (std::size_t p = 0; p < pods_; ++p) {
                if (!holds_[p * groups_ + g]) holds_[p * groups_ + g] = fits(p, r);
            }
        }
    }

    bool fits(std::size_t p, std::size_t r) const {
        for (std::size_t d = 0; d < n_; ++d) {
            if (q_.requests[p * n_ + d] > q_.rooms[r * n_ + d]) return false;
        }
        return true;
    }

    double worth_of(const double* worth, std::size_t p) const {
        double sum = 0;
        for (std::size_t d = 0; d < n_; ++d) sum += worth[d] * q_.requests[p * n_ + d];
        return sum;
    }

    // And how it changes with each number.
    double value(const Worths& in_rooms, Worths& slope) {
        looks_ += pods_ * groups_;
        double sum = 0;
        for (std::size_t i = 0; i < free_.size(); ++i) {
            sum -= in_rooms[i] * free_[i];
            slope[i] = -free_[i];
        }
        for (std::size_t p = 0; p < pods_; ++p) {
            double least = worth_of(worth_.data(), p);
            std::size_t where = groups_;
            for (std::size_t g = 0; g < groups_; ++g) {
                if (!holds_[p * groups_ + g]) continue;
                const double there = worth_of(&in_rooms[g * n_], p);
                if (there >= least) continue;
                least = there;
                where = g;
            }
            sum += q_.counts[p] * least;
            if (where == groups_) continue;
            for (std::size_t d = 0; d < n_; ++d)
                slope[where * n_ + d] += q_.counts[p] * q_.requests[p * n_ + d];
        }
        return sum;
    }

    // The bound is concave with many edges: it is climbed by subgradients, towards a little more than the
    // best so far, and by half as little where that did not help for a while.
    double search() {
        Worths at(groups_ * n_);
        for (std::size_t g = 0; g < groups_; ++g) std::copy(worth_.begin(), worth_.end(), &at[g * n_]);
        Worths slope(at.size());
        double best = value(at, slope);
        start(at, best);
        Worths best_at = at;
        double total = 0;
        for (std::size_t p = 0; p < pods_; ++p) total += q_.counts[p] * worth_of(worth_.data(), p);
        double reach = kFirstReach;
        int in_vain = 0;
        for (int i = 0; i < kSteps && looks_ < effort_ && reach > 1e-5; ++i) {
            const double found = value(at, slope);
            if (found > best) {
                in_vain = found > best + reach / 20 * total ? 0 : in_vain;
                best = found;
                best_at = at;
            }
            if (++in_vain > kPatience) {
                in_vain = 0;
                reach /= 2;
                at = best_at;
                continue;
            }
            climb(at, slope, best + reach * total - found);
        }
        return best;
    }

    // In units of worth_, in which the resources are alike.
    void climb(Worths& at, const Worths& slope, double missing) const {
        double length = 0;
        for (std::size_t i = 0; i < at.size(); ++i) {
            const double scaled = slope[i] * worth_[i % n_];
            length += scaled * scaled;
        }
        if (!(length > 0)) return;
        for (std::size_t i = 0; i < at.size(); ++i) {
            const double unit = worth_[i % n_];
            at[i] = std::max(0.0, at[i] + missing / length * slope[i] * unit * unit);
        }
    }

    // A coarse look at all groups alike.
    void start(Worths& at, double& best) {
        const std::size_t second = n_ > 1 ? 1 : 0;
        Worths slope(at.size());
        for (const double a : kFactors) {
            for (const double b : kFactors) {
                Worths tried = at;
                for (std::size_t g = 0; g < groups_; ++g) {
                    tried[g * n_] = a * worth_[0];
                    tried[g * n_ + second] = b * worth_[second];
                }
                const double found = value(tried, slope);
                if (found <= best) continue;
                best = found;
                at = std::move(tried);
            }
        }
    }

    const RoomBoundQuestion& q_;
    std::size_t n_;
    std::size_t pods_;
    std::size_t rooms_;
    std::uint64_t effort_;
    std::uint64_t looks_ = 0;
    std::size_t groups_ = 0;
    std::vector<double> free_;  // Group x dimension.
    std::vector<bool> holds_;   // Pod x group: some room of the group holds one.
    std::vector<double> worth_;
};

}  // namespace

double room_bound(const RoomBoundQuestion& question, std::uint64_t effort) {
    return RoomBound(question, effort).run();
}

}  // namespace joiner::plan
