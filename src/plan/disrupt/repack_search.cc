#include "plan/disrupt/repack_search.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "api/names.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {
namespace {

using model::PodIndex;

constexpr OfferIndex kNoOffer = ~OfferIndex{0};
constexpr std::size_t kFewReceivers = 96;  // So many are looked at by one try at random.
constexpr std::size_t kManyReceivers = 1024;
constexpr std::uint64_t kMostSweeps = 24;
constexpr std::size_t kMostPurchases = 8;  // That one try makes.
// One try at random in so many exchanges a node that stays for those whose pods it took.
constexpr std::uint64_t kExchangesOneIn = 8;
// One machine for all that is left is bought even where others give so much more for their money.
constexpr double kHolderPatience = 1.25;
// Prefers nodes that stay in any case to all others, which are ranked by worth for price.
constexpr double kStaysAnyway = 1e6;

}  // namespace

RepackSearch::RepackSearch(const RepackQuestion& question, const RepackOptions& options)
    : question_(question),
      options_(options),
      problem_(question.snapshot),
      trial_(problem_, provision_options_),
      rng_(options.seed),
      n_(problem_.dimensions()),
      rooms_(static_cast<std::uint32_t>(question.snapshot.rooms.size())),
      launch_factor_(1 + options.least_gain + options.overlap_hours / options.payback_hours),
      budgets_(question.may_leave) {
    make_market();
    make_classes();
    make_bins();
    most_tries_ = std::max(options.tries, options.tries_per_candidate * question.candidates.size());
}

void RepackSearch::make_market() {
    class_of_.assign(question_.snapshot.pods.size(), 0);
    std::vector<std::uint32_t> counts;
    for (std::uint32_t k = 0; k < problem_.kinds().size(); ++k) {
        const std::uint32_t c = problem_.class_of(k, {});
        if (counts.size() <= c) counts.resize(c + 1, 0);
        if (kinds_.size() <= c) kinds_.resize(c + 1);
        kinds_[c].kind = k;
        for (const PodIndex pod : problem_.kinds()[k].pods) {
            class_of_[pod] = c;
            ++counts[c];
        }
    }
    if (counts.empty()) return;
    counts.resize(problem_.classes().size(), 0);
    market_ = std::make_unique<Market>(problem_, make_tiers(problem_), counts, std::vector<Bin>{});
    if (market_->dimensions() > Packer::kMaxDimensions || market_->lots().empty() ||
        market_->offers().empty()) {
        market_.reset();
        return;
    }
    packer_ = std::make_unique<Packer>(*market_);
    for (const Offer& offer : market_->offers()) {
        const TypeOption& option = problem_.pools()[offer.pool].types[offer.option];
        is_spot_offer_.push_back(problem_.offering(offer.pool, option, offer.offering).capacity_type() ==
                                 api::kSpot);
    }
    // No machine is cheaper than what it holds is worth, so worth tells when a try can no longer pay.
    ResourceProgram program(market_->columns(false));
    std::vector<double> demand(market_->dimensions(), 0);
    for (LotIndex lot = 0; lot < market_->lots().size(); ++lot) {
        for (std::size_t d = 0; d < demand.size(); ++d)
            demand[d] += market_->lots()[lot].count * market_->request(lot)[d];
        kinds_[market_->lots()[lot].pod_class].lot = lot;
        kinds_[market_->lots()[lot].pod_class].is_buyable = true;
    }
    market_worth_ = program.bound(demand).worth;
    ware_of_.assign(market_->lots().size(), 0);
    wanted_.assign(market_->kind_words(), 0);
}

void RepackSearch::make_classes() {
    for (std::uint32_t c = 0; c < kinds_.size(); ++c) {
        const PodClass& pod_class = problem_.classes()[c];
        requests_.insert(requests_.end(), pod_class.request.begin(), pod_class.request.end());
        Kind& kind = kinds_[c];
        for (const CapId cap : pod_class.caps) kind.most = std::min(kind.most, problem_.caps()[cap]);
        kind.is_social = !pod_class.caps.empty() || pod_class.crowd != 0;
        if (!kind.is_buyable) continue;
        for (std::size_t d = 0; d < market_worth_.size(); ++d)
            kind.worth += market_->request(kind.lot)[d] * market_worth_[d];
    }
    least_request_.assign(n_, std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < requests_.size(); ++i)
        least_request_[i % n_] = std::min(least_request_[i % n_], requests_[i]);
    mean_request_.assign(n_, 0);
    const auto pods = static_cast<double>(class_of_.size());
    for (const std::uint32_t c : class_of_) {
        for (std::size_t d = 0; d < n_; ++d) mean_request_[d] += requests_[c * n_ + d] / pods;
    }
}

void RepackSearch::make_bins() {
    const std::size_t pods = question_.snapshot.pods.size();
    bin_of_.assign(pods, kNoBin);
    slot_of_.assign(pods, 0);
    home_of_.assign(pods, kNobody);
    state_.assign(rooms_, State::kShut);
    used_worth_.assign(rooms_, 0);
    price_.assign(rooms_, 0);
    candidate_at_.assign(rooms_, kNobody);
    pods_at_.resize(rooms_);
    mark_of_bin_.assign(rooms_, 0);
    mark_of_home_.assign(question_.candidates.size(), 0);
    for (BinIndex room = 0; room < rooms_; ++room) {
        const model::RoomView& view = question_.snapshot.rooms[room];
        const std::vector<double> dense = problem_.free_of(view);
        free_.insert(free_.end(), dense.begin(), dense.end());
        if (!view.is_claim && view.is_open && view.is_initialized) state_[room] = State::kOpen;
    }
    left_.assign(question_.candidates.size(), false);
    for (std::size_t v = 0; v < question_.candidates.size(); ++v) {
        const Candidate& candidate = question_.candidates[v];
        const BinIndex room = question_.rooms[v];
        candidate_at_[room] = static_cast<std::uint32_t>(v);
        price_[room] = static_cast<double>(candidate.price.nanos);
        sum_ += price_[room];
        for (const PodIndex pod : question_.pods[v]) {
            home_of_[pod] = static_cast<std::uint32_t>(v);
            bin_of_[pod] = room;
            slot_of_[pod] = static_cast<std::uint32_t>(pods_at_[room].size());
            pods_at_[room].push_back(pod);
            used_worth_[room] += kinds_[class_of_[pod]].worth;
        }
        eviction_costs_.push_back(candidate.disruption_cost * options_.eviction_dollars * 1e9 /
                                  options_.payback_hours);
        home_fullness_.push_back(fullness(room));
        const auto budget = budgets_.find(candidate.pool);
        budget_of_.push_back(budget == budgets_.end() ? nullptr : &budget->second);
    }
}

// ---- one try ----

// Its pods are in hand then; false where it may not leave.
bool RepackSearch::release(BinIndex bin) {
    if (state_[bin] != State::kOpen) return false;
    const std::uint32_t v = candidate_at_[bin];
    if (bin < rooms_ && (v == kNobody || (budget_of_[v] != nullptr && *budget_of_[v] <= 0))) return false;
    while (!pods_at_[bin].empty()) {
        hand_.push_back(pods_at_[bin].back());
        shift(pods_at_[bin].back(), kNoBin);
    }
    if (bin < rooms_) {
        set_leaving(v, true);
    } else {
        close_bin(bin);
    }
    return true;
}

// Takes what others brought to the bin in hand; what is at home there stays.
bool RepackSearch::eject(BinIndex bin) {
    if (state_[bin] != State::kOpen) return false;
    const std::size_t before = hand_.size();
    const std::uint32_t v = candidate_at_[bin];
    for (const PodIndex pod : pods_at_[bin]) {
        if (home_of_[pod] != v) hand_.push_back(pod);
    }
    for (std::size_t i = before; i < hand_.size(); ++i) shift(hand_[i], kNoBin);
    receivers_.push_back(bin);
    return hand_.size() > before;
}

// A candidate that was to leave stays, with all its pods.
void RepackSearch::call_home(std::size_t v) {
    set_leaving(v, false);
    for (const PodIndex pod : question_.pods[v]) {
        const BinIndex from = bin_of_[pod];
        shift(pod, question_.rooms[v]);
        if (from != kNoBin && from >= rooms_ && pods_at_[from].empty()) close_bin(from);
    }
    std::erase_if(hand_, [&](PodIndex pod) { return home_of_[pod] == v; });
}

// What others brought to the bin goes back to where it came from, as far as it filled those nodes by the part
// of their price, and the bin leaves in their stead.
bool RepackSearch::exchange(BinIndex bin, double part) {
    if (state_[bin] != State::kOpen) return false;
    together_.clear();
    add_homes(bin, ++mark_);
    std::erase_if(together_,
                  [&](std::uint32_t v) { return v == candidate_at_[bin] || home_fullness_[v] < part; });
    for (const std::uint32_t v : together_) {
        call_home(v);
        receivers_.push_back(question_.rooms[v]);
    }
    return !together_.empty() && (state_[bin] != State::kOpen || release(bin));
}

bool RepackSearch::may_stand(PodIndex pod, BinIndex bin) {
    const Kind& kind = kinds_[class_of_[pod]];
    if (bin < rooms_) {
        if (!trial_.admits(kind.kind, bin)) return false;
    } else {
        const OfferIndex offer = offer_of_[bin - rooms_];
        if (!kind.is_buyable || !market_->admits(offer, market_->lots()[kind.lot].kind)) return false;
        if (market_->some_open() || kind.is_social) return false;
        if (!options_.spot_to_spot && is_spot_offer_[offer] && question_.candidates[home_of_[pod]].is_spot)
            return false;
    }
    if (!kind.is_social) return true;
    const auto there = std::count_if(pods_at_[bin].begin(), pods_at_[bin].end(),
                                     [&](PodIndex other) { return class_of_[other] == class_of_[pod]; });
    return static_cast<std::uint32_t>(there) < kind.most;
}

double RepackSearch::fullness(BinIndex bin) const {
    return price_[bin] > 0 ? used_worth_[bin] / price_[bin] : kStaysAnyway;
}

// The fullest for its price that still holds it.
BinIndex RepackSearch::best_bin(PodIndex pod, double noise) {
    const double* request = &requests_[class_of_[pod] * n_];
    looks_ += receivers_.size();
    BinIndex best = kNoBin;
    double most = 0;
    for (const BinIndex bin : receivers_) {
        if (state_[bin] != State::kOpen) continue;
        const double* free = &free_[bin * n_];
        bool fits = true;
        for (std::size_t d = 0; d < n_; ++d) fits &= request[d] <= free[d] || request[d] <= 0;
        if (!fits) continue;
        double score = fullness(bin);
        if (noise > 0) score *= 1 + noise * (rng_.unit() - 0.5);
        if (best != kNoBin && score <= most) continue;
        if (!may_stand(pod, bin)) continue;
        best = bin;
        most = score;
    }
    return best;
}

// Everything in hand finds a place, in room there is or on machines bought; false when it cannot pay.
bool RepackSearch::replace(double noise) {
    order_.clear();
    for (const PodIndex pod : hand_) {
        const double tilt = noise > 0 ? 1 + noise * (rng_.unit() - 0.5) : 1;
        order_.emplace_back(-kinds_[class_of_[pod]].worth * tilt, pod);
    }
    std::sort(order_.begin(), order_.end());
    rest_.clear();
    double rest_worth = 0;
    for (const auto& [rank, pod] : order_) {
        const BinIndex bin = best_bin(pod, noise);
        if (bin != kNoBin) {
            shift(pod, bin);
            continue;
        }
        const Kind& kind = kinds_[class_of_[pod]];
        if (market_ == nullptr || !kind.is_buyable) return false;
        rest_worth += kind.worth;
        if (sum_ + launch_cost(rest_worth) >= sum_before_) return false;
        rest_.push_back(pod);
    }
    return rest_.empty() || buy_for(sum_before_ - sum_, noise);
}

// The cheapest machine for all of the rest, unless others give far more for their money.
OfferIndex RepackSearch::offer_for(double budget, double noise) {
    const std::size_t m = market_->dimensions();
    std::fill(wanted_.begin(), wanted_.end(), 0);
    bool some_spot_home = false;
    for (const PodIndex pod : rest_) {
        const KindIndex kind = market_->lots()[kinds_[class_of_[pod]].lot].kind;
        wanted_[kind / 64] |= KindWord{1} << (kind % 64);
        some_spot_home = some_spot_home || question_.candidates[home_of_[pod]].is_spot;
    }
    OfferIndex best = kNoOffer;
    double least = std::numeric_limits<double>::infinity();
    OfferIndex holder = kNoOffer;
    double holder_cost = 0;
    for (OfferIndex j = 0; j < market_->offers().size(); ++j) {
        if (launch_cost(price_of(j)) >= budget) break;
        if (is_spot_offer_[j] && some_spot_home && !options_.spot_to_spot) continue;
        const double* room = market_->room(j);
        bool holds = true;
        double useful = 0;
        for (std::size_t d = 0; d < m; ++d) {
            holds &= need_[d] <= room[d];
            useful += market_worth_[d] * std::min(need_[d], room[d]);
        }
        bool admits_some = false;
        for (std::size_t w = 0; w < wanted_.size(); ++w)
            admits_some = admits_some || (wanted_[w] & market_->kinds_of(j)[w]) != 0;
        if (!admits_some || useful <= 0) continue;
        const double cost = price_of(j) / useful;
        if (holder == kNoOffer && holds && market_->admits_all(j, wanted_.data())) {
            holder = j;
            holder_cost = cost;
        }
        const double seen = cost * (1 + noise * rng_.unit());
        if (seen < least) {
            least = seen;
            best = j;
        }
    }
    const double patience = noise > 0 ? 1 + rng_.unit() : kHolderPatience;
    if (holder != kNoOffer && holder_cost <= patience * least) best = holder;
    looks_ += market_->offers().size();
    return best;
}

bool RepackSearch::buy_for(double budget, double noise) {
    const std::size_t m = market_->dimensions();
    for (std::size_t bought = 0; bought < kMostPurchases && !rest_.empty(); ++bought) {
        need_.assign(m, 0);
        wares_.clear();
        for (const PodIndex pod : rest_) {
            const LotIndex lot = kinds_[class_of_[pod]].lot;
            for (std::size_t d = 0; d < m; ++d) need_[d] += market_->request(lot)[d];
            if (ware_of_[lot] == 0) {
                wares_.push_back({lot, 0, 1 + noise * (rng_.unit() - 0.5), 0});
                ware_of_[lot] = static_cast<std::uint32_t>(wares_.size());
            }
            ++wares_[ware_of_[lot] - 1].available;
        }
        for (const Ware& ware : wares_) ware_of_[ware.lot] = 0;
        const OfferIndex offer = offer_for(budget, noise);
        if (offer == kNoOffer) return false;
        pour_worth_ = market_worth_;
        for (std::size_t d = 0; d < m; ++d) {
            if (need_[d] > 0) pour_worth_[d] += 1e-6 * price_of(offer) / need_[d];
        }
        packer_->begin(offer);
        packer_->pour(wares_, pour_worth_.data());
        looks_ += wares_.size();
        if (packer_->take().empty()) return false;
        // The cheapest that holds what was taken.
        OfferIndex own = offer;
        for (OfferIndex j = 0; j < offer; ++j) {
            if (is_spot_offer_[j] != is_spot_offer_[offer]) continue;
            bool holds = true;
            for (std::size_t d = 0; d < m; ++d) holds &= packer_->used()[d] <= market_->room(j)[d];
            if (!holds || !market_->admits_all(j, packer_->kinds().data())) continue;
            own = j;
            break;
        }
        const BinIndex bin = open_bin(own);
        fill_purchase(bin);
        budget -= launch_cost(price_of(own));
        if (budget <= 0) return false;
    }
    return rest_.empty();
}

// The pods the packer took, by name.
void RepackSearch::fill_purchase(BinIndex bin) {
    for (const Take& take : packer_->take()) ware_of_[take.lot] = take.count;
    std::erase_if(rest_, [&](PodIndex pod) {
        std::uint32_t& wanted = ware_of_[kinds_[class_of_[pod]].lot];
        if (wanted == 0) return false;
        --wanted;
        shift(pod, bin);
        return true;
    });
    for (const Take& take : packer_->take()) ware_of_[take.lot] = 0;
}

// ---- which tries ----

// Bins that could hold the smallest of all requests. Of very many, those that could hold a middling one, the
// fullest for their price; only the last sweep looks at all, so that nothing is left for a next time.
void RepackSearch::list_receivers() {
    const auto list = [&](const std::vector<double>& need) {
        all_receivers_.clear();
        for (BinIndex bin = 0; bin < state_.size(); ++bin) {
            if (state_[bin] != State::kOpen) continue;
            bool may_fit = true;
            for (std::size_t d = 0; d < n_; ++d) may_fit &= need[d] <= 0 || need[d] <= free_[bin * n_ + d];
            if (may_fit) all_receivers_.push_back(bin);
        }
        looks_ += state_.size();
    };
    list(least_request_);
    if (all_receivers_.size() <= kManyReceivers || phase_ == Phase::kLastSweep) return;
    list(mean_request_);
    if (all_receivers_.size() <= kManyReceivers) return;
    const auto last = all_receivers_.begin() + static_cast<std::ptrdiff_t>(kManyReceivers);
    std::nth_element(all_receivers_.begin(), last, all_receivers_.end(), [&](BinIndex a, BinIndex b) {
        const double x = fullness(a);
        const double y = fullness(b);
        return x != y ? x > y : a < b;
    });
    all_receivers_.erase(last, all_receivers_.end());
    std::sort(all_receivers_.begin(), all_receivers_.end());
}

void RepackSearch::sample_receivers() {
    receivers_.clear();
    if (all_receivers_.size() <= kFewReceivers) {
        receivers_ = all_receivers_;
        return;
    }
    for (std::size_t i = 0; i < kFewReceivers; ++i)
        receivers_.push_back(all_receivers_[rng_.below(all_receivers_.size())]);
}

// What is worth least for its price is tried first.
void RepackSearch::list_sweep() {
    std::vector<std::pair<double, BinIndex>> ranked;
    for (BinIndex bin = 0; bin < state_.size(); ++bin) {
        if (state_[bin] != State::kOpen || (bin < rooms_ && candidate_at_[bin] == kNobody)) continue;
        if (bin < rooms_ && price_[bin] <= 0 && !pods_at_[bin].empty()) continue;
        ranked.emplace_back(price_[bin] > 0 ? used_worth_[bin] / price_[bin] : 0, bin);
    }
    std::sort(ranked.begin(), ranked.end());
    sweep_.clear();
    for (const auto& [rank, bin] : ranked) sweep_.push_back(bin);
    sweep_at_ = 0;
    is_sweep_fruitful_ = false;
    list_receivers();
}

// False at the end of the sweep.
bool RepackSearch::sweep_one() {
    if (sweep_at_ == sweep_.size()) return false;
    const BinIndex bin = sweep_[sweep_at_++];
    receivers_ = all_receivers_;
    begin();
    const bool is_good = release(bin) && replace(0);
    if (finish(is_good)) {
        is_sweep_fruitful_ = true;
        list_receivers();
    }
    ++looks_;
    return true;
}

BinIndex RepackSearch::random_target() {
    return sweep_[rng_.below(sweep_.size())];
}

// A few nodes give up their pods at once, and now and then one that was to leave stays after all.
bool RepackSearch::release_some() {
    const std::size_t targets = 1 + rng_.below(4);
    bool is_good = false;
    for (std::size_t i = 0; i < targets; ++i) {
        const BinIndex bin = random_target();
        is_good |= bin < rooms_ && rng_.below(3) == 0 ? eject(bin) : release(bin);
    }
    if (rng_.below(2) != 0) return is_good;
    const std::size_t v = rng_.below(left_.size());
    for (std::size_t i = 0; i < left_.size() && i < kFewReceivers; ++i) {
        const std::size_t at = (v + i) % left_.size();
        const bool is_fresh = std::any_of(log_.begin(), log_.end(), [&](const Step& step) {
            return step.what == Step::What::kLeave && step.of == at;
        });
        if (!left_[at] || is_fresh) continue;
        call_home(at);
        receivers_.push_back(question_.rooms[at]);
        return true;
    }
    return is_good;
}

// Or a node that took pods in leaves for those they came from.
void RepackSearch::try_at_random() {
    sample_receivers();
    begin();
    bool is_good = false;
    if (rng_.below(kExchangesOneIn) == 0) {
        const double part = rng_.unit();
        is_good = exchange(random_target(), part);
    } else {
        is_good = release_some();
    }
    const double noise = 0.4 * rng_.unit();
    const bool was_good = is_good && replace(noise);
    ++looks_;
    if (finish(was_good)) list_sweep();
}

bool RepackSearch::run_slice(std::uint64_t looks) {
    const std::uint64_t end = looks_ + looks;
    while (phase_ != Phase::kDone && looks_ < end) {
        if (phase_ == Phase::kRandom) {
            if (tries_++ < most_tries_ && !sweep_.empty()) {
                try_at_random();
            } else {
                phase_ = Phase::kLastSweep;
                sweep_at_ = sweep_.size();
                is_sweep_fruitful_ = true;
                sweeps_ = 0;
            }
            continue;
        }
        if (sweep_at_ == sweep_.size()) {
            const bool is_first = sweeps_ == 0;
            if (is_first || (is_sweep_fruitful_ && sweeps_ < kMostSweeps)) {
                ++sweeps_;
                list_sweep();
                if (sweep_.empty()) phase_ = Phase::kDone;
                continue;
            }
            phase_ = phase_ == Phase::kSweep ? Phase::kRandom : Phase::kDone;
            list_sweep();
            continue;
        }
        sweep_one();
    }
    return phase_ == Phase::kDone;
}

std::vector<RepackPurchase> RepackSearch::purchases() const {
    std::vector<RepackPurchase> out;
    for (BinIndex bin = rooms_; bin < state_.size(); ++bin) {
        if (state_[bin] != State::kOpen) continue;
        RepackPurchase& one = out.emplace_back();
        one.offer = offer_of_[bin - rooms_];
        one.pods = pods_at_[bin];
        std::sort(one.pods.begin(), one.pods.end());
    }
    return out;
}

}  // namespace joiner::plan
