#include "plan/provision/room_auction.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace joiner::plan {
namespace {

constexpr std::size_t kRoundsForBound = 4;  // The last ones, whose prices are the best.
// How far a price moves in a round, of its ceiling, if a kind is chosen by nobody; from the first round to
// the last.
constexpr double kFirstStep = 0.5;
constexpr double kWarmStep = 0.2;  // The first where prices were found before, for other ceilings.
constexpr double kLastStep = 0.06;
constexpr double kLastStepTimesRounds = 0.72;
constexpr double kMostVisits = 4;     // Of rooms alike in a round.
constexpr std::size_t kBatches = 10;  // Of rooms being filled; prices move between them.
constexpr int kPolishings = 4;
constexpr BestFill::Effort kRough{5e-3, 100};
constexpr BestFill::Effort kClose{1e-3, 1'000};
constexpr BestFill::Effort kExact{3e-4, 5'000};

}  // namespace

RoomAuction::RoomAuction(AuctionQuestion question, std::uint64_t effort, std::function<bool()> is_late)
    : q_(std::move(question)),
      effort_(effort),
      is_late_(std::move(is_late)),
      pods_(q_.counts.size()),
      rooms_(q_.times.size()),
      rng_(1),
      best_fill_(q_.dimensions),
      prices_(q_.ceilings),
      chosen_(pods_, 0) {}

void RoomAuction::list(std::size_t room, const std::vector<double>& prices,
                       const std::vector<double>& counts) {
    best_fill_.begin(&q_.rooms[room * q_.dimensions]);
    for (std::uint32_t p = 0; p < pods_; ++p) {
        if (counts[p] < 1 || (!q_.admits.empty() && !q_.admits[room * pods_ + p])) continue;
        best_fill_.add(p, &q_.requests[p * q_.dimensions], prices[p], static_cast<std::uint32_t>(counts[p]));
    }
}

void RoomAuction::shuffle(std::vector<std::size_t>& rooms) {
    for (std::size_t i = rooms.size(); i > 1; --i) std::swap(rooms[i - 1], rooms[rng_.below(i)]);
}

// What is not chosen grows dearer evenly.
void RoomAuction::move(const std::vector<double>& counts, double step, double part) {
    for (std::size_t p = 0; p < pods_; ++p) {
        if (counts[p] >= 1) prices_[p] = std::min(q_.ceilings[p], prices_[p] + step * q_.ceilings[p] * part);
        sums_[p] += part * prices_[p];
    }
}

void RoomAuction::round(const std::vector<std::size_t>& rooms, const std::vector<double>& counts,
                        double step) {
    double all = 0;
    for (const std::size_t room : rooms) all += q_.times[room];
    sums_.assign(pods_, 0);
    chosen_.assign(pods_, 0);
    for (const std::size_t room : rooms) {
        const double visits = std::min(kMostVisits, q_.times[room]);
        const double weight = q_.times[room] / visits;
        for (double visit = 0; visit < visits; ++visit) {
            list(room, prices_, counts);
            best_fill_.find(kRough);
            for (const auto& [p, count] : best_fill_.take()) {
                chosen_[p] += weight * count;
                prices_[p] = std::max(0.0, prices_[p] - step * q_.ceilings[p] * weight * count / counts[p]);
            }
            move(counts, step, weight / all);
        }
    }
}

double RoomAuction::bound_at(const std::vector<double>& prices, FillTable& table, BestFill::Effort effort) {
    double sum = 0;
    for (std::size_t p = 0; p < pods_; ++p) sum += q_.counts[p] * prices[p];
    const bool use_table = table.looks() > 0 && table.looks() < effort_ / 20;
    if (use_table) table.set_values(prices);
    for (std::size_t room = 0; room < rooms_; ++room) {
        double most = use_table ? table.most(room) : std::numeric_limits<double>::infinity();
        if (!table.is_exact() || most == std::numeric_limits<double>::infinity()) {
            list(room, prices, q_.counts);
            most = std::min(most, best_fill_.find(effort));
        }
        sum -= q_.times[room] * most;
    }
    return sum;
}

void RoomAuction::bid(int rounds) {
    std::vector<std::size_t> rooms(rooms_);
    std::iota(rooms.begin(), rooms.end(), std::size_t{0});
    const double first = is_warm_ ? kWarmStep : kFirstStep;
    const double last = std::min(kLastStep, kLastStepTimesRounds / rounds);
    for (int i = 0; i < rounds && !is_over(); ++i) {
        shuffle(rooms);
        round(rooms, q_.counts, first * std::pow(last / first, i / std::max(1.0, rounds - 1.0)));
        means_.push_back(sums_);
        if (means_.size() > kRoundsForBound) means_.erase(means_.begin());
    }
    is_warm_ = true;
}

// Prices on the way are better than the last ones. At the ceilings it is what sums of resources cost.
double RoomAuction::bound() {
    FillTable table({q_.dimensions, &q_.requests, &q_.counts, &q_.rooms});
    double best = std::max(0.0, bound_at(q_.ceilings, table, kRough));
    // The last ones are the best; without a table one look has to do.
    for (std::size_t i = means_.size(); i-- > 0;) {
        best = std::max(best, bound_at(means_[i], table, kExact));
        if (table.looks() == 0 || is_over()) break;
    }
    return best;
}

void RoomAuction::set_ceilings(const std::vector<double>& ceilings) {
    for (std::size_t p = 0; p < pods_; ++p)
        prices_[p] = std::min(ceilings[p], prices_[p] / q_.ceilings[p] * ceilings[p]);
    q_.ceilings = ceilings;
    means_.clear();
}

std::vector<double> RoomAuction::outside() const {
    std::vector<double> out;
    for (std::size_t p = 0; p < pods_; ++p) out.push_back(std::max(0.0, q_.counts[p] - chosen_[p]));
    return out;
}

RoomAuction::Filling RoomAuction::fill() {
    Filling out(rooms_);
    std::vector<double> left = q_.counts;
    std::vector<std::size_t> rooms(rooms_);
    std::iota(rooms.begin(), rooms.end(), std::size_t{0});
    shuffle(rooms);
    const std::size_t batch = std::max<std::size_t>(1, rooms_ / kBatches);
    while (!rooms.empty()) {
        for (std::size_t i = 0; i < batch && !rooms.empty(); ++i) {
            const std::size_t room = rooms.back();
            rooms.pop_back();
            list(room, prices_, left);
            best_fill_.find(is_over() ? kRough : kClose);
            out[room] = best_fill_.take();
            for (const auto& [p, count] : out[room]) left[p] -= count;
        }
        if (!is_over()) round(rooms, left, kLastStep);
    }
    polish(out, left);
    return out;
}

// Room after room: what there is by then that saves more than what stands there.
void RoomAuction::polish(Filling& filling, std::vector<double>& left) {
    for (int turn = 0; turn < kPolishings; ++turn) {
        bool is_better = false;
        for (std::size_t room = 0; room < rooms_; ++room) {
            if (is_over()) return;
            double old = 0;
            for (const auto& [p, count] : filling[room]) {
                left[p] += count;
                old += q_.ceilings[p] * count;
            }
            list(room, q_.ceilings, left);
            best_fill_.find(kClose);
            if (best_fill_.value() > old * (1 + 1e-9)) {
                filling[room] = best_fill_.take();
                is_better = true;
            }
            for (const auto& [p, count] : filling[room]) left[p] -= count;
        }
        if (!is_better) return;
    }
}

}  // namespace joiner::plan
