#include "plan/provision/share_greedy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "plan/provision/company.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMaxTried = 40;      // Machines filled for real in one round.
constexpr std::size_t kMaxFruitless = 12;  // So many in a row without a better one end it.
constexpr std::size_t kMaxSample = 512;    // Lots one filling looks at.
constexpr double kNever = std::numeric_limits<double>::infinity();

// Spread evenly over [0, 1), so that roundings of shares even out over lots and rounds.
double dither(std::size_t lot, std::uint32_t round) {
    const double x = static_cast<double>(lot) * 0.6180339887 + round * 0.7548776662;
    return x - std::floor(x);
}

}  // namespace

bool ShareGreedy::comes_later(const Candidate& a, const Candidate& b) {
    return a.promise != b.promise ? a.promise > b.promise : a.offer > b.offer;
}

ShareGreedy::ShareGreedy(const Market& market)
    : market_(market),
      n_(market.dimensions()),
      with_slot_(market.has_caps()),
      program_(market.columns(with_slot_)),
      packer_(market),
      slots_(market),
      limits_(market.problem()) {
    beside_.assign(market.kinds() * market.kind_words(), 0);
    for (OfferIndex j = 0; j < market.offers().size(); ++j) {
        for (KindIndex k = 0; k < market.kinds(); ++k) {
            if (!market.admits(j, k)) continue;
            for (std::size_t w = 0; w < market.kind_words(); ++w)
                beside_[k * market.kind_words() + w] |= market.kinds_of(j)[w];
        }
    }
    strata_.resize(market.lots().size());
    std::iota(strata_.begin(), strata_.end(), 0u);
    if (strata_.size() > kMaxSample) {
        const auto rank = [&](LotIndex lot) {
            const double* request = market_.request(lot);
            const double ratio = n_ < 2 ? 0 : std::floor(2 * std::log2((request[1] + 1) / (request[0] + 1)));
            return std::tuple(market_.lots()[lot].kind, ratio, request[0], lot);
        };
        std::vector<decltype(rank(0))> ranks;
        ranks.reserve(strata_.size());
        for (const LotIndex lot : strata_) ranks.push_back(rank(lot));
        std::sort(ranks.begin(), ranks.end());
        for (std::size_t i = 0; i < ranks.size(); ++i) strata_[i] = std::get<3>(ranks[i]);
    }
}

void ShareGreedy::start(const Draft& begun) {
    left_ = count_left(market_, begun.nodes);
    left_of_kind_.assign(market_.kinds(), 0);
    pods_left_ = 0;
    demand_.assign(n_ + (with_slot_ ? 1 : 0), 0);
    slots_.clear();
    for (LotIndex lot = 0; lot < market_.lots().size(); ++lot) {
        const std::uint32_t count = left_[lot];
        left_of_kind_[market_.lots()[lot].kind] += count;
        pods_left_ += count;
        for (std::size_t d = 0; d < n_; ++d) demand_[d] += count * market_.request(lot)[d];
        slots_.add(lot, count);
    }
    limits_ = Limits(market_.problem());
    for (const DraftNode& node : begun.nodes) {
        if (!market_.is_bin(node.offer))
            limits_.take(market_.offers()[node.offer].pool, market_.offers()[node.offer].option);
    }
    round_ = 0;
}

void ShareGreedy::value_what_is_left() {
    slots_needed_ = with_slot_ ? slots_.needed() : 0;
    if (with_slot_) demand_[n_] = slots_needed_;
    worth_ = program_.solve(demand_.data());
    cost_ = program_.cost();
    // A resource that does not bind now still has to be found somewhere.
    for (std::size_t d = 0; d < n_; ++d) {
        if (demand_[d] > 0) worth_[d] += 1e-9 * cost_ / demand_[d];
    }
}

void ShareGreedy::value_kinds() {
    if (market_.kinds() == 1) return;
    value_of_kind_.assign(market_.kinds(), 0);
    for (const LotIndex lot : strata_) value_of_kind_[market_.lots()[lot].kind] += left_[lot] * value_of(lot);
}

double ShareGreedy::value_of(LotIndex lot) const {
    const double* request = market_.request(lot);
    double out = 0;
    for (std::size_t d = 0; d < n_; ++d) out += worth_[d] * request[d];
    if (with_slot_ && worth_[n_] > 0) out += worth_[n_] * slots_.share(lot, slots_needed_);
    return out;
}

// `of`: only offers of this one's pool, which is what its machine may become without counting anew.
OfferIndex ShareGreedy::cheapest_that_holds(const std::vector<double>& used,
                                            const std::vector<KindWord>& kinds, const Offer* of) const {
    for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
        const double* room = market_.room(j);
        bool holds = true;
        for (std::size_t d = 0; d < n_; ++d) holds &= used[d] <= room[d];
        if (!holds || !market_.admits_all(j, kinds.data())) continue;
        if (of != nullptr && market_.some_open() && market_.offers()[j].pool != of->pool) continue;
        if (!limits_.allow(market_.offers()[j].pool, market_.offers()[j].option)) continue;
        return j;
    }
    return ~0u;
}

void ShareGreedy::list_candidates(KindIndex seed) {
    candidates_.clear();
    for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
        if (!market_.admits(j, seed)) continue;
        if (!limits_.allow(market_.offers()[j].pool, market_.offers()[j].option)) continue;
        const double* room = market_.room(j);
        double useful = with_slot_ ? worth_[n_] : 0;
        for (std::size_t d = 0; d < n_; ++d) useful += worth_[d] * std::min(room[d], demand_[d]);
        const double price = market_.offers()[j].price;
        candidates_.push_back({j, useful > 0 ? price / useful : price});
    }
    std::make_heap(candidates_.begin(), candidates_.end(), comes_later);
}

// Only the first few are ever asked for, so the others are not put in order.
OfferIndex ShareGreedy::next_candidate() {
    std::pop_heap(candidates_.begin(), candidates_.end(), comes_later);
    const OfferIndex next = candidates_.back().offer;
    candidates_.pop_back();
    return next;
}

// Of all that is left, what the offer admits is worth.
double ShareGreedy::value_admitted(OfferIndex offer) const {
    if (market_.kinds() == 1) return cost_;
    double out = 0;
    for (KindIndex k = 0; k < market_.kinds(); ++k) out += market_.admits(offer, k) ? value_of_kind_[k] : 0;
    return out;
}

// The lots a filling looks at: all that are left, or evenly many of every stratum.
void ShareGreedy::sample_lots(KindIndex seed) {
    std::erase_if(strata_, [&](LotIndex lot) { return left_[lot] == 0; });
    sample_.clear();
    const KindWord* beside = &beside_[seed * market_.kind_words()];
    for (const LotIndex lot : strata_) {
        const KindIndex kind = market_.lots()[lot].kind;
        if (beside[kind / 64] >> (kind % 64) & 1) sample_.push_back(lot);
    }
    sampled_ = 1;
    if (sample_.size() <= kMaxSample) return;
    const std::vector<LotIndex> all = std::move(sample_);
    sample_.clear();
    const double step = static_cast<double>(all.size()) / kMaxSample;
    for (double at = dither(0, round_) * step; at < static_cast<double>(all.size()); at += step)
        sample_.push_back(all[static_cast<std::size_t>(at)]);
    // A sample stands for the lots that it leaves out.
    sampled_ = static_cast<double>(all.size()) / static_cast<double>(sample_.size());
    const auto is_seed = [&](LotIndex lot) { return market_.lots()[lot].kind == seed; };
    if (std::none_of(sample_.begin(), sample_.end(), is_seed))
        sample_.push_back(*std::find_if(all.begin(), all.end(), is_seed));
}

bool ShareGreedy::fill(KindIndex seed, OfferIndex offer, double share) {
    const double* room = market_.room(offer);
    double limit = kNever;
    // Where the number of machines is set by the pods that keep apart, shares do no good.
    const bool slot_binds = with_slot_ && worth_[n_] > 0;
    if (share < kNever && cost_ > 0 && !slot_binds) {
        double own = 0;
        for (std::size_t d = 0; d < n_; ++d) own += worth_[d] * room[d];
        limit = share * own / value_admitted(offer) * sampled_;
    }
    packer_.begin(offer);
    for (int attempt = 0; attempt < 2; ++attempt) {
        wares_.clear();
        for (const LotIndex lot : sample_) {
            double available = left_[lot];
            if (limit < 1 && attempt == 0)
                available = std::min(available, std::floor(limit * available + dither(lot, round_)));
            if (available < 1) continue;
            Ware ware{lot, static_cast<std::uint32_t>(available), 1, 0};
            if (slot_binds) {
                const double part = worth_[n_] * slots_.share(lot, slots_needed_);
                ware.bonus = part * (2 * worth_[n_] - part);
            }
            wares_.push_back(ware);
        }
        // Something of what has the least choice stands on every machine that is bought for it.
        if (market_.kinds() > 1) {
            std::size_t largest = wares_.size();
            double most = -1;
            for (std::size_t i = 0; i < wares_.size(); ++i) {
                if (market_.lots()[wares_[i].lot].kind != seed) continue;
                const double value = value_of(wares_[i].lot);
                const double* request = market_.request(wares_[i].lot);
                bool fits = true;
                for (std::size_t d = 0; d < n_; ++d) fits &= request[d] <= room[d];
                if (fits && value > most) {
                    most = value;
                    largest = i;
                }
            }
            if (largest == wares_.size()) continue;
            packer_.put(wares_[largest], 1);
        }
        packer_.pour(wares_, worth_.data());
        if (!packer_.take().empty()) return true;
    }
    return false;
}

bool ShareGreedy::find_best(KindIndex seed, double share, Choice& best) {
    list_candidates(seed);
    best.ratio = kNever;
    std::size_t tried = 0;
    std::size_t fruitless = 0;
    while (!candidates_.empty()) {
        if (best.ratio < kNever &&
            (candidates_.front().promise >= best.ratio || tried >= kMaxTried || fruitless >= kMaxFruitless))
            break;
        const OfferIndex candidate = next_candidate();
        ++tried;
        ++fruitless;
        if (!fill(seed, candidate, share)) continue;
        double own = 0;
        double others = 0;
        for (const Take& take : packer_.take()) {
            const double value = take.count * value_of(take.lot);
            (market_.lots()[take.lot].kind == seed ? own : others) += value;
        }
        if (own <= 0) continue;
        const Offer& offer = market_.offers()[candidate];
        const OfferIndex cheapest = cheapest_that_holds(packer_.used(), packer_.kinds(), &offer);
        if (cheapest == ~0u) continue;
        // What others stand on it is taken at what it would cost elsewhere.
        const double ratio = (market_.offers()[cheapest].price - others) / own;
        if (ratio < best.ratio) {
            fruitless = 0;
            best.ratio = ratio;
            best.offer = cheapest;
            best.take = packer_.take();
        }
    }
    return best.ratio < kNever;
}

// A plan that ends with one machine for all that is left; rounds that look no further than the next machine
// miss it.
void ShareGreedy::consider_closing(Draft& closing, const Draft& so_far) const {
    const double* largest = nullptr;
    for (OfferIndex j = 0; j < market_.offers().size() && largest == nullptr; ++j) {
        bool holds = true;
        for (std::size_t d = 0; d < n_; ++d) holds &= demand_[d] <= market_.room(j)[d];
        if (holds) largest = market_.room(j);
    }
    if (largest == nullptr) return;
    std::vector<KindWord> kinds(market_.kind_words(), 0);
    for (KindIndex k = 0; k < market_.kinds(); ++k) {
        if (left_of_kind_[k] > 0) kinds[k / 64] |= KindWord{1} << (k % 64);
    }
    const std::vector<double> used(demand_.begin(), demand_.begin() + static_cast<std::ptrdiff_t>(n_));
    const OfferIndex offer = cheapest_that_holds(used, kinds, nullptr);
    if (offer == ~0u) return;
    const double total = so_far.price + market_.offers()[offer].price;
    // Of equal totals the later one has more machines, so the first stays.
    if (closing.is_complete && total >= closing.price) return;
    OpenId open = 0;
    Company company;
    DraftNode node{offer, {}};
    for (LotIndex lot = 0; lot < left_.size(); ++lot) {
        if (left_[lot] == 0) continue;
        const Lot& own = market_.lots()[lot];
        const PodClass& pod_class = market_.problem().classes()[own.pod_class];
        open = market_.problem().merge(open, market_.open(own.kind, market_.offers()[offer].pool));
        if (open == kOpenConflict || company.room_for(market_.problem(), pod_class) < left_[lot]) return;
        company.add(pod_class, left_[lot]);
        node.take.push_back({lot, left_[lot]});
    }
    closing = so_far;
    closing.nodes.push_back(std::move(node));
    closing.price = total;
    closing.is_complete = true;
}

// As many alike as half the pods and the limits allow, but not all at once: worth moves as pods go.
void ShareGreedy::open(const Choice& choice, Draft& draft) {
    const Offer& offer = market_.offers()[choice.offer];
    std::uint32_t times = std::numeric_limits<std::uint32_t>::max();
    for (const Take& take : choice.take) times = std::min(times, left_[take.lot] / take.count);
    times = std::max(1u, times / 2);
    while (times > 1 && !limits_.allow(offer.pool, offer.option, times)) times /= 2;
    for (const Take& take : choice.take) {
        const std::uint32_t count = take.count * times;
        left_[take.lot] -= count;
        left_of_kind_[market_.lots()[take.lot].kind] -= count;
        pods_left_ -= count;
        for (std::size_t d = 0; d < n_; ++d) demand_[d] -= count * market_.request(take.lot)[d];
        slots_.add(take.lot, -static_cast<std::int64_t>(count));
    }
    limits_.take(offer.pool, offer.option, times);
    for (std::uint32_t i = 0; i < times; ++i) draft.nodes.push_back({choice.offer, choice.take});
    draft.price += times * offer.price;
}

Draft ShareGreedy::run(double share, const Draft& begun) {
    start(begun);
    std::vector<LotIndex> all_strata = strata_;
    Draft draft = begun;
    draft.is_complete = false;
    Draft closing;
    Choice choice;
    for (const KindIndex seed : market_.scarce_first()) {
        while (has_left(seed)) {
            ++round_;
            value_what_is_left();
            sample_lots(seed);
            value_kinds();
            consider_closing(closing, draft);
            if (!find_best(seed, share, choice)) break;
            open(choice, draft);
        }
    }
    strata_ = std::move(all_strata);
    draft.is_complete = pods_left_ == 0;
    return is_better(closing, draft) ? closing : draft;
}

}  // namespace joiner::plan
