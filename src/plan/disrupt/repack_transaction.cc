#include <algorithm>
#include <utility>

#include "plan/disrupt/repack_search.h"

// What one try changes, and how all of it is taken back.
namespace joiner::plan {
namespace {

using model::PodIndex;

constexpr std::uint64_t kLooksOfAMove = 8;  // There and back.
// Nano-dollars an hour: less is rounding.
constexpr double kSomething = 1;

}  // namespace

void RepackSearch::begin() {
    log_.clear();
    hand_.clear();
    marks_before_ = mark_;
    sum_before_ = sum_;
}

bool RepackSearch::finish(bool is_good) {
    looks_ += kLooksOfAMove * log_.size();
    if (is_good && sum_ < sum_before_ - kSomething && keeps_steps_small()) {
        for (const Step& step : log_) {
            if (step.what == Step::What::kClose) spare_.push_back(step.of);
        }
        return true;
    }
    for (auto step = log_.rbegin(); step != log_.rend(); ++step) {
        switch (step->what) {
            case Step::What::kMove:
                move_raw(step->of, step->from);
                break;
            case Step::What::kLeave:
            case Step::What::kKeep: {
                const bool leaves = step->what == Step::What::kKeep;
                left_[step->of] = leaves;
                state_[question_.rooms[step->of]] = leaves ? State::kShut : State::kOpen;
                if (budget_of_[step->of] != nullptr) *budget_of_[step->of] += leaves ? -1 : 1;
                break;
            }
            case Step::What::kOpen:
                state_[step->of] = State::kDead;
                spare_.push_back(step->of);
                break;
            case Step::What::kClose:
                state_[step->of] = State::kOpen;
                break;
        }
    }
    sum_ = sum_before_;
    return false;
}

// Nodes whose pods share a purchase leave in one step.
bool RepackSearch::keeps_steps_small() {
    return std::all_of(log_.begin(), log_.end(), [&](const Step& step) {
        if (step.what != Step::What::kMove) return true;
        const BinIndex bin = bin_of_[step.of];
        return bin == kNoBin || bin < rooms_ || is_step_small(bin);
    });
}

bool RepackSearch::is_step_small(BinIndex purchase) {
    if (mark_of_bin_[purchase] > marks_before_) return true;
    const std::uint64_t mark = ++mark_;
    std::vector<std::uint32_t>& homes = together_;
    homes.clear();
    const auto add = [&](BinIndex bin) {
        mark_of_bin_[bin] = mark;
        add_homes(bin, mark);
    };
    add(purchase);
    for (std::size_t i = 0; i < homes.size() && homes.size() <= options_.most_together; ++i) {
        for (const PodIndex pod : question_.pods[homes[i]]) {
            const BinIndex bin = bin_of_[pod];
            if (bin != kNoBin && bin >= rooms_ && mark_of_bin_[bin] != mark) add(bin);
        }
    }
    return homes.size() <= options_.most_together;
}

// Where the bin's pods come from, to together_; a home that has the mark is there already.
void RepackSearch::add_homes(BinIndex bin, std::uint64_t mark) {
    for (const PodIndex pod : pods_at_[bin]) {
        std::uint64_t& seen = mark_of_home_[home_of_[pod]];
        if (seen == mark) continue;
        seen = mark;
        together_.push_back(home_of_[pod]);
    }
}

void RepackSearch::move_raw(PodIndex pod, BinIndex to) {
    const double* request = &requests_[class_of_[pod] * n_];
    const double worth = kinds_[class_of_[pod]].worth;
    if (const BinIndex from = bin_of_[pod]; from != kNoBin) {
        for (std::size_t d = 0; d < n_; ++d) free_[from * n_ + d] += request[d];
        used_worth_[from] -= worth;
        std::vector<PodIndex>& pods = pods_at_[from];
        pods[slot_of_[pod]] = pods.back();
        slot_of_[pods.back()] = slot_of_[pod];
        pods.pop_back();
    }
    bin_of_[pod] = to;
    if (to == kNoBin) return;
    for (std::size_t d = 0; d < n_; ++d) free_[to * n_ + d] -= request[d];
    used_worth_[to] += worth;
    slot_of_[pod] = static_cast<std::uint32_t>(pods_at_[to].size());
    pods_at_[to].push_back(pod);
}

void RepackSearch::shift(PodIndex pod, BinIndex to) {
    log_.push_back({Step::What::kMove, pod, bin_of_[pod]});
    move_raw(pod, to);
}

void RepackSearch::set_leaving(std::size_t v, bool leaves) {
    const BinIndex room = question_.rooms[v];
    left_[v] = leaves;
    state_[room] = leaves ? State::kShut : State::kOpen;
    const double gain = price_[room] - eviction_cost(v);
    sum_ += leaves ? -gain : gain;
    if (budget_of_[v] != nullptr) *budget_of_[v] += leaves ? -1 : 1;
    log_.push_back({leaves ? Step::What::kLeave : Step::What::kKeep, static_cast<std::uint32_t>(v), kNoBin});
}

BinIndex RepackSearch::open_bin(OfferIndex offer) {
    BinIndex bin;
    if (spare_.empty()) {
        bin = static_cast<BinIndex>(state_.size());
        state_.push_back(State::kDead);
        free_.resize(free_.size() + n_);
        used_worth_.push_back(0);
        price_.push_back(0);
        candidate_at_.push_back(kNobody);
        offer_of_.push_back(offer);
        pods_at_.emplace_back();
        mark_of_bin_.push_back(0);
    } else {
        bin = spare_.back();
        spare_.pop_back();
    }
    const Offer& own = market_->offers()[offer];
    const double* room = &problem_.pools()[own.pool].room[own.option * n_];
    std::copy_n(room, n_, &free_[bin * n_]);
    used_worth_[bin] = 0;
    price_[bin] = own.price;
    offer_of_[bin - rooms_] = offer;
    state_[bin] = State::kOpen;
    sum_ += launch_cost(own.price);
    log_.push_back({Step::What::kOpen, bin, kNoBin});
    return bin;
}

void RepackSearch::close_bin(BinIndex bin) {
    state_[bin] = State::kDead;
    sum_ -= launch_cost(price_[bin]);
    log_.push_back({Step::What::kClose, bin, kNoBin});
}

}  // namespace joiner::plan
