#include "plan/provision/room_program.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"
#include "plan/provision/ceilings.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMostKinds = 4;  // Of machines.
constexpr double kTight = 1 - 1e-6;    // Of its price that a machine of use is worth.
// Rounds of bidding, and how far a price moves in one, of its ceiling, if a kind is chosen by nobody; in the
// first and in the last.
constexpr int kRounds = 3;
constexpr double kFirstStep = 0.5;
constexpr double kLastStep = 0.2;
constexpr double kMostVisits = 4;               // Of rooms alike in a round.
constexpr std::size_t kRoomsBetweenLooks = 32;  // At the clock.
constexpr int kTurns = 60;                      // Of the program.
constexpr std::size_t kPivotsARoom = 4;         // In a turn.
// The least gain of a column, of an average row's part of what prices and program are apart.
constexpr double kGainOfGap = 0.3;
constexpr double kLessGain = 0.1;         // Once that finds nothing more,
constexpr double kLeastGainOfGap = 1e-3;  // down to this.
// How far the prices that are looked at next stay what the best ones are: less as long as that helps.
constexpr double kFirstStay = 0.7;
constexpr double kLeastStay = 0.3;
constexpr double kMostStay = 0.8;
constexpr double kStayLess = 0.8;
constexpr double kStayMore = 1.2;
constexpr std::size_t kFew = 4;  // Patterns; with fewer new ones the program's own prices are tried.
constexpr double kCloseEnough = 1 - 1e-3;  // The bound, of what the program costs.
constexpr double kWhole = 0.99;
constexpr std::uint64_t kEntriesALook = 4;  // Of the program's inverse, at a pivot.
constexpr int kPolishings = 4;
constexpr BestFill::Effort kRough{5e-3, 100};
constexpr BestFill::Effort kClose{1e-3, 1'000};
constexpr BestFill::Effort kExact{3e-4, 5'000};
constexpr std::size_t kNone = ~std::size_t{0};
constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

RoomProgram::RoomProgram(RoomQuestion question, std::uint64_t effort, std::function<bool()> is_late)
    : q_(std::move(question)),
      effort_(effort),
      is_late_(std::move(is_late)),
      n_(q_.columns.dimensions),
      pods_(q_.counts.size()),
      rooms_(q_.times.size()),
      table_({n_, &q_.requests, &q_.counts, &q_.rooms}),
      best_fill_(n_),
      takes_(rooms_) {}

// Kinds are begun by the machines that are worth their price, and every other one is of the kind that it is
// the most like.
void RoomProgram::sort_columns() {
    std::vector<double> asked(n_, 0);
    for (std::size_t p = 0; p < pods_; ++p) {
        for (std::size_t d = 0; d < n_; ++d) asked[d] += q_.counts[p] * q_.requests[p * n_ + d];
    }
    std::vector<double> left = asked;
    for (std::size_t r = 0; r < rooms_; ++r) {
        for (std::size_t d = 0; d < n_; ++d) left[d] -= q_.times[r] * q_.rooms[r * n_ + d];
    }
    for (double& amount : left) amount = std::max(0.0, amount);
    ResourceBound bought = resource_bound(q_.columns, left);
    // Where the rooms might hold all, any worth will do.
    if (bought.cost <= 0) bought = resource_bound(q_.columns, asked);
    if (bought.cost <= 0) return;

    const auto part = [&](std::size_t j, std::size_t d) {
        return bought.worth[d] * q_.columns.capacity(j)[d] / q_.columns.prices[j];
    };
    std::vector<std::size_t> seeds;
    for (std::size_t j = 0; j < q_.columns.size() && seeds.size() < kMostKinds; ++j) {
        double all = 0;
        for (std::size_t d = 0; d < n_; ++d) all += part(j, d);
        if (all >= kTight) seeds.push_back(j);
    }
    if (seeds.empty()) return;
    kinds_ = seeds.size();
    for (std::size_t j = 0; j < q_.columns.size(); ++j) {
        double least = kInfinity;
        std::uint32_t nearest = 0;
        for (std::uint32_t k = 0; k < kinds_; ++k) {
            double distance = 0;
            for (std::size_t d = 0; d < n_; ++d) distance += std::abs(part(j, d) - part(seeds[k], d));
            if (distance >= least) continue;
            least = distance;
            nearest = k;
        }
        kind_of_.push_back(nearest);
    }
    prices_.units.assign(kinds_, bought.worth);
    prices_.pods = ceilings(q_.columns, q_.requests, prices_.units);
}

// Rows of the program: pods, then what each kind of machine has of each resource.
void RoomProgram::start() {
    sort_columns();
    if (kinds_ == 0) return;
    scale_.assign(n_, 0);
    for (std::size_t j = 0; j < q_.columns.size(); ++j) {
        for (std::size_t d = 0; d < n_; ++d) scale_[d] = std::max(scale_[d], q_.columns.capacity(j)[d]);
    }
    for (double& one : scale_) one = one > 0 ? 1 / one : 0;

    std::vector<Pattern> singles;
    std::vector<double> demand = q_.counts;
    for (std::uint32_t p = 0; p < pods_; ++p) {
        const double* request = &q_.requests[p * n_];
        double least = dear_price(q_.columns);
        for (std::size_t j = 0; j < q_.columns.size(); ++j) {
            if (!has_room(q_.columns.capacity(j), request, n_)) continue;
            double part = 0;
            for (std::size_t d = 0; d < n_; ++d) {
                if (request[d] > 0) part = std::max(part, request[d] / q_.columns.capacity(j)[d]);
            }
            least = std::min(least, part * q_.columns.prices[j]);
        }
        singles.push_back({least, {{p, 1}}});
    }
    resource_rows_.assign(kinds_, std::vector<std::size_t>(n_, kNone));
    for (std::size_t k = 0; k < kinds_; ++k) {
        for (std::size_t d = 0; d < n_; ++d) {
            double least = kInfinity;
            for (std::size_t j = 0; j < q_.columns.size(); ++j) {
                if (kind_of_[j] == k && q_.columns.capacity(j)[d] > 0)
                    least = std::min(least, q_.columns.prices[j] / (q_.columns.capacity(j)[d] * scale_[d]));
            }
            if (least == kInfinity) continue;
            resource_rows_[k][d] = singles.size();
            singles.push_back({least, {{static_cast<std::uint32_t>(singles.size()), 1}}});
            demand.push_back(0);
        }
    }
    program_ = std::make_unique<ChoiceProgram>(demand, singles, q_.times);
    for (std::size_t j = 0; j < q_.columns.size(); ++j) {
        Pattern machine{q_.columns.prices[j], {}};
        for (std::size_t d = 0; d < n_; ++d) {
            const std::size_t row = resource_rows_[kind_of_[j]][d];
            if (row != kNone && q_.columns.capacity(j)[d] > 0)
                machine.take.emplace_back(row, q_.columns.capacity(j)[d] * scale_[d]);
        }
        program_->add(machine);
    }
    for (std::uint32_t p = 0; p < pods_; ++p) {
        const double* request = &q_.requests[p * n_];
        std::vector<bool> seen(kinds_, false);
        for (std::size_t j = 0; j < q_.columns.size(); ++j) {
            const std::size_t k = kind_of_[j];
            if (seen[k] || !has_room(q_.columns.capacity(j), request, n_)) continue;
            seen[k] = true;
            Pattern pod{0, {{p, 1}}};
            for (std::size_t d = 0; d < n_; ++d) {
                if (request[d] > 0) pod.take.emplace_back(resource_rows_[k][d], -request[d] * scale_[d]);
            }
            program_->add(pod);
        }
    }
}

RoomPrices RoomProgram::program_prices() const {
    const std::vector<double>& values = program_->values();
    RoomPrices out{{values.begin(), values.begin() + static_cast<std::ptrdiff_t>(pods_)}, {}};
    for (const std::vector<std::size_t>& rows : resource_rows_) {
        std::vector<double>& units = out.units.emplace_back(n_, 0);
        for (std::size_t d = 0; d < n_; ++d) {
            if (rows[d] != kNone) units[d] = std::max(0.0, values[rows[d]]) * scale_[d];
        }
    }
    return out;
}

// From the best prices some of the way to others.
RoomPrices RoomProgram::towards(const RoomPrices& other, double stay) const {
    RoomPrices out = prices_;
    for (std::size_t p = 0; p < pods_; ++p) out.pods[p] = stay * out.pods[p] + (1 - stay) * other.pods[p];
    for (std::size_t k = 0; k < kinds_; ++k) {
        for (std::size_t d = 0; d < n_; ++d)
            out.units[k][d] = stay * out.units[k][d] + (1 - stay) * other.units[k][d];
    }
    return out;
}

void RoomProgram::list(std::size_t room, const std::vector<double>& values,
                       const std::vector<double>& counts) {
    best_fill_.begin(&q_.rooms[room * n_]);
    for (std::uint32_t p = 0; p < pods_; ++p) {
        if (counts[p] < 1 || (!q_.admits.empty() && !q_.admits[room * pods_ + p])) continue;
        best_fill_.add(p, &q_.requests[p * n_], values[p], static_cast<std::uint32_t>(counts[p]));
    }
}

bool RoomProgram::stands(std::size_t room, const Take& take) const {
    std::vector<double> free(&q_.rooms[room * n_], &q_.rooms[room * n_] + n_);
    for (const auto& [p, count] : take) {
        if (!q_.admits.empty() && !q_.admits[room * pods_ + p]) return false;
        for (std::size_t d = 0; d < n_; ++d) free[d] -= count * q_.requests[p * n_ + d];
    }
    return std::all_of(free.begin(), free.end(), [](double left) { return left >= 0; });
}

// What no choice of pods is worth more than, of all rooms; and a good choice for each.
double RoomProgram::value_rooms(const std::vector<double>& values) {
    const bool use_table = table_.looks() > 0 && table_.looks() < effort_ / 20;
    if (use_table) {
        table_.set_values(values);
        looks_ += table_.looks();
    }
    double sum = 0;
    for (std::size_t room = 0; room < rooms_; ++room) {
        double most = use_table ? table_.most(room) : kInfinity;
        takes_[room].clear();
        if (std::isfinite(most)) {
            takes_[room] = table_.read(room);
            looks_ += pods_;
        }
        if (!std::isfinite(most) || !table_.is_exact() || !stands(room, takes_[room])) {
            list(room, values, q_.counts);
            most = std::min(most, best_fill_.find(kExact));
            takes_[room] = best_fill_.take();
        }
        sum += q_.times[room] * most;
    }
    return sum;
}

double RoomProgram::bound_at(const RoomPrices& prices) {
    RoomPrices own = prices;
    const std::vector<double> most = ceilings(q_.columns, q_.requests, own.units);
    double sum = 0;
    for (std::size_t p = 0; p < pods_; ++p) {
        own.pods[p] = std::clamp(own.pods[p], 0.0, most[p]);
        sum += q_.counts[p] * own.pods[p];
    }
    const double bound = sum - value_rooms(own.pods);
    if (bound > bound_ || prices_.pods.empty()) {
        bound_ = std::max(0.0, bound);
        prices_ = std::move(own);
    }
    return bound;
}

std::size_t RoomProgram::add_patterns() {
    std::size_t added = 0;
    for (std::uint32_t room = 0; room < rooms_; ++room) {
        ChoiceProgram::Entries entries(takes_[room].begin(), takes_[room].end());
        if (!(program_->gain(room, entries) > 0)) continue;
        program_->add_to_choice(room, entries);
        ++added;
    }
    return added;
}

// Rooms in turns choose what is worth the most to them; what is chosen more often than it is there grows
// cheaper, what is chosen less often dearer. This comes near the best prices soon, and finds patterns for a
// program to begin with.
void RoomProgram::bid() {
    const std::vector<double> most = prices_.pods;  // The ceilings, at first.
    double all = 0;
    std::vector<std::size_t> order(rooms_);
    for (std::size_t room = 0; room < rooms_; ++room) {
        order[room] = room;
        all += q_.times[room];
    }
    Rng rng(1);
    std::vector<double> prices = most;
    for (int i = 0; i < kRounds; ++i) {
        const double step = kFirstStep * std::pow(kLastStep / kFirstStep, i / std::max(1.0, kRounds - 1.0));
        for (std::size_t k = rooms_; k > 1; --k) std::swap(order[k - 1], order[rng.below(k)]);
        RoomPrices mean = prices_;
        mean.pods.assign(pods_, 0);
        for (std::size_t k = 0; k < rooms_; ++k) {
            if (k % kRoomsBetweenLooks == 0 && is_over()) return;
            const std::size_t room = order[k];
            const double visits = std::min(kMostVisits, q_.times[room]);
            const double weight = q_.times[room] / visits;
            for (double visit = 0; visit < visits; ++visit) {
                list(room, prices, q_.counts);
                best_fill_.find(kRough);
                for (const auto& [p, count] : best_fill_.take())
                    prices[p] = std::max(0.0, prices[p] - step * most[p] * weight * count / q_.counts[p]);
                for (std::size_t p = 0; p < pods_; ++p) {
                    prices[p] = std::min(most[p], prices[p] + step * most[p] * weight / all);
                    mean.pods[p] += prices[p] * weight / all;
                }
            }
            takes_[room] = best_fill_.take();
        }
        add_patterns();
        bound_at(mean);
        add_patterns();
    }
}

void RoomProgram::solve() {
    if (pods_ == 0 || rooms_ == 0 || n_ == 0 || is_solved_) return;
    if (!program_) {
        start();
        if (!program_) return;
        bound_at(prices_);
        add_patterns();
        bid();
    }
    double stay = kFirstStay;
    double part = kGainOfGap;
    double cost = program_->cost();
    for (int turn = 0; turn < kTurns && !is_over(); ++turn) {
        const double gap = std::max(cost - bound_, (1 - kCloseEnough) * cost);
        const std::size_t pivots = program_->solve(kPivotsARoom * (rooms_ + pods_),
                                                   part * gap / static_cast<double>(rooms_ + pods_));
        looks_ += pivots * program_->rows() * program_->rows() / kEntriesALook;
        cost = program_->cost();
        is_solved_ = bound_ >= kCloseEnough * cost;
        if (is_solved_) return;
        const RoomPrices own = program_prices();
        const double before = bound_;
        bound_at(towards(own, stay));
        stay =
            bound_ > before ? std::max(kLeastStay, stay * kStayLess) : std::min(kMostStay, stay * kStayMore);
        if (add_patterns() >= kFew) continue;
        bound_at(own);
        if (add_patterns() > 0) continue;
        // No pattern is better by prices that are good to so much only.
        is_solved_ = part < kLeastGainOfGap;
        if (is_solved_) return;
        part *= kLessGain;
    }
}

void RoomProgram::allow_more(std::uint64_t effort, std::function<bool()> is_late) {
    effort_ = looks() + effort;
    is_late_ = std::move(is_late);
}

RoomProgram::Filling RoomProgram::fill() {
    Filling out(rooms_);
    std::vector<double> left = q_.counts;
    ceilings_ = ceilings(q_.columns, q_.requests, prices_.units);
    // Where nothing is known, any pod is as good as another.
    if (prices_.pods.empty()) ceilings_.assign(pods_, 1);
    const std::vector<double>& values = prices_.pods.empty() ? ceilings_ : prices_.pods;
    std::vector<std::size_t> open;
    for (std::uint32_t room = 0; room < rooms_; ++room) {
        if (!program_) {
            open.push_back(room);
            continue;
        }
        const auto chosen = program_->chosen(room);
        if (chosen.empty() || chosen.front().second < kWhole || chosen.front().first.empty()) {
            open.push_back(room);
            continue;
        }
        for (const auto& [p, count] : chosen.front().first) {
            const double taken = std::min(count, left[p]);
            if (taken < 1) continue;
            out[room].emplace_back(p, static_cast<std::uint32_t>(taken));
            left[p] -= out[room].back().second;
        }
    }
    for (const std::size_t room : open) {
        list(room, values, left);
        best_fill_.find(is_over() ? kRough : kClose);
        out[room] = best_fill_.take();
        for (const auto& [p, count] : out[room]) left[p] -= count;
    }
    polish(out, left);
    return out;
}

// What pods left outside cost, as far as known: the most that any prices say. By those of the program, and by
// what a unit of each resource is worth for just these pods.
RoomProgram::Outside RoomProgram::outside(const std::vector<double>& left, ResourceProgram& resources) const {
    std::vector<double> sums(n_, 0);
    double by_program = 0;
    for (std::size_t p = 0; p < pods_; ++p) {
        by_program += left[p] * ceilings_[p];
        for (std::size_t d = 0; d < n_; ++d) sums[d] += left[p] * q_.requests[p * n_ + d];
    }
    const std::vector<double>& worth = resources.solve(sums.data());
    if (resources.cost() <= by_program) return {by_program, ceilings_};
    Outside out{resources.cost(), {}};
    for (std::size_t p = 0; p < pods_; ++p)
        out.prices.push_back(std::inner_product(worth.begin(), worth.end(), &q_.requests[p * n_], 0.0));
    return out;
}

// Room after room: what there is by then that saves more than what stands there.
void RoomProgram::polish(Filling& filling, std::vector<double>& left) {
    ResourceProgram resources(q_.columns);
    Outside now = outside(left, resources);
    for (int turn = 0; turn < kPolishings; ++turn) {
        bool is_better = false;
        for (std::size_t room = 0; room < rooms_; ++room) {
            if (is_over()) return;
            Take& take = filling[room];
            double old = 0;
            for (const auto& [p, count] : take) {
                left[p] += count;
                old += now.prices[p] * count;
            }
            list(room, now.prices, left);
            best_fill_.find(kClose);
            Take other = best_fill_.value() > old * (1 + 1e-9) ? best_fill_.take() : take;
            for (const auto& [p, count] : other) left[p] -= count;
            if (other == take) continue;
            Outside next = outside(left, resources);
            if (next.cost < now.cost * (1 - 1e-12)) {
                take = std::move(other);
                now = std::move(next);
                is_better = true;
                continue;
            }
            for (const auto& [p, count] : other) left[p] += count;
            for (const auto& [p, count] : take) left[p] -= count;
        }
        if (!is_better) return;
    }
}

}  // namespace joiner::plan
