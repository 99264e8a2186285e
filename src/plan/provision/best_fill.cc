#include "plan/provision/best_fill.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMostDimensions = 16;
constexpr int kNarrowings = 8;  // Of the interval in which the weights of two dimensions are sought.
constexpr std::uint64_t kLooksAnItem = 8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

BestFill::BestFill(std::size_t dimensions) : n_(dimensions), room_(n_) {
    CHECK(n_ <= kMostDimensions);
}

void BestFill::begin(const double* room) {
    room_.assign(room, room + n_);
    items_.clear();
    take_.clear();
    most_ = 0;
}

void BestFill::add(std::uint32_t id, const double* request, double value, std::uint32_t count) {
    if (!(value > 0) || count == 0) return;
    for (std::size_t d = 0; d < n_; ++d) {
        if (request[d] > room_[d]) return;
    }
    items_.push_back({id, request, value, count, 0});
}

double BestFill::find(Effort effort) {
    looks_ += items_.size() * kLooksAnItem;
    if (items_.empty()) return 0;
    effort_ = effort;
    list_scarce();
    weigh();
    std::sort(items_.begin(), items_.end(),
              [](const Item& a, const Item& b) { return a.rate != b.rate ? a.rate > b.rate : a.id < b.id; });
    list_amounts();
    counts_.assign(items_.size(), 0);
    best_counts_.clear();
    missed_ = 0;
    steps_ = 0;
    double free[kMostDimensions];
    for (std::size_t i = 0; i < scarce_.size(); ++i) free[i] = room_[scarce_[i]];
    switch (scarce_.size()) {
        case 1:
            search<1>(0, 0, free);
            break;
        case 2:
            search<2>(0, 0, free);
            break;
        case 3:
            search<3>(0, 0, free);
            break;
        default:
            search<0>(0, 0, free);
    }
    looks_ += steps_;
    for (std::size_t k = 0; k < best_counts_.size(); ++k) {
        if (best_counts_[k] > 0) take_.emplace_back(items_[k].id, best_counts_[k]);
    }
    return std::max(most_, missed_);
}

// A dimension is not scarce where another is always used up before. The one that pods fill first comes
// first.
void BestFill::list_scarce() {
    scarce_.clear();
    filled_.assign(n_, 0);
    for (const Item& item : items_) {
        for (std::size_t d = 0; d < n_; ++d) {
            if (item.request[d] > 0) filled_[d] += item.request[d] / room_[d];
        }
    }
    for (std::size_t d = 0; d < n_; ++d) {
        if (filled_[d] > 0) scarce_.push_back(d);
    }
    std::stable_sort(scarce_.begin(), scarce_.end(),
                     [&](std::size_t a, std::size_t b) { return filled_[a] > filled_[b]; });
    const auto is_covered = [&](std::size_t d, std::size_t by) {
        return std::all_of(items_.begin(), items_.end(), [&](const Item& item) {
            return item.request[d] * room_[by] <= item.request[by] * room_[d];
        });
    };
    for (std::size_t i = scarce_.size(); i-- > 1;) {
        bool is_needless = false;
        for (std::size_t k = 0; k < i; ++k) is_needless = is_needless || is_covered(scarce_[i], scarce_[k]);
        if (is_needless) scarce_.erase(scarce_.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

// Weights of which the whole room has one in all. The more the cheapest item costs by them for its value, the
// less is promised of the room. They are sought for the two scarcest dimensions.
void BestFill::weigh() {
    const std::size_t first = scarce_.empty() ? 0 : scarce_[0];
    const std::size_t second = scarce_.size() > 1 ? scarce_[1] : first;
    costs_.clear();
    for (const Item& item : items_) {
        costs_.push_back(room_[first] > 0 ? item.request[first] / (room_[first] * item.value) : 0);
        costs_.push_back(room_[second] > 0 ? item.request[second] / (room_[second] * item.value) : 0);
    }
    const auto least_at = [&](double part) {
        double least = kInfinity;
        for (std::size_t i = 0; i < costs_.size(); i += 2)
            least = std::min(least, part * costs_[i] + (1 - part) * costs_[i + 1]);
        return least;
    };
    double low = 0;
    double high = 1;
    for (int i = 0; i < kNarrowings && scarce_.size() > 1; ++i) {
        const double a = low + (high - low) * 0.4;
        const double b = low + (high - low) * 0.6;
        (least_at(a) > least_at(b) ? high : low) = least_at(a) > least_at(b) ? b : a;
    }
    const double part = scarce_.size() > 1 ? (low + high) / 2 : 1;
    weights_.assign(std::max<std::size_t>(2, scarce_.size()), 0);
    weights_[0] = room_[first] > 0 ? part / room_[first] : 0;
    if (scarce_.size() > 1) weights_[1] = (1 - part) / room_[second];
    for (std::size_t i = 0; i < items_.size(); ++i) {
        const double cost = part * costs_[2 * i] + (1 - part) * costs_[2 * i + 1];
        items_[i].rate = cost > 0 ? 1 / cost : kInfinity;
    }
}

void BestFill::list_amounts() {
    const std::size_t n = scarce_.size();
    requests_.resize(items_.size() * n);
    rates_.assign((items_.size() + 1) * n, 0);
    for (std::size_t k = items_.size(); k-- > 0;) {
        for (std::size_t i = 0; i < n; ++i) {
            const double request = items_[k].request[scarce_[i]];
            requests_[k * n + i] = request;
            rates_[k * n + i] =
                std::max(rates_[(k + 1) * n + i], request > 0 ? items_[k].value / request : kInfinity);
        }
    }
}

template <std::size_t N>
void BestFill::search(std::size_t k, double value, const double* free) {
    const std::size_t n = N > 0 ? N : scarce_.size();
    if (value > most_) {
        most_ = value;
        best_counts_ = counts_;
    }
    double size = 0;
    for (std::size_t i = 0; i < n; ++i) size += weights_[i] * free[i];
    double left[N > 0 ? N : kMostDimensions];
    for (; k < items_.size(); ++k) {
        const Item& item = items_[k];
        // What this one and those after it could add.
        double more = size > 0 ? size * item.rate : kInfinity;
        for (std::size_t i = 0; i < n; ++i)
            more = std::min(more, free[i] > 0 ? free[i] * rates_[k * n + i] : more);
        if (value + more <= most_ * (1 + effort_.slack) || steps_ >= effort_.steps) {
            missed_ = std::max(missed_, value + more);
            return;
        }
        if (counts_[k] >= item.count) continue;
        bool fits = true;
        for (std::size_t i = 0; i < n; ++i) {
            left[i] = free[i] - requests_[k * n + i];
            fits &= left[i] >= 0;
        }
        if (!fits) continue;
        ++steps_;
        ++counts_[k];
        search<N>(k, value + item.value, left);
        --counts_[k];
    }
}

}  // namespace joiner::plan
