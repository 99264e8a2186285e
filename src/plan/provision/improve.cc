#include "plan/provision/improve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/rng.h"
#include "plan/provision/limits.h"
#include "plan/provision/offer_focus.h"
#include "plan/provision/packer.h"
#include "plan/provision/slots.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMaxPicked = 4;    // Machines taken apart at once; more cost more than they gain.
constexpr std::size_t kCrowd = 16;       // But so many where all are small beside another.
constexpr std::uint64_t kCrowdOdds = 8;  // One step in so many tries such a crowd.
constexpr int kCrowdTries = 100;
constexpr int kRivals = 6;  // Of a machine that is picked because it wastes the most.
constexpr int kCrowdRivals = 2;
constexpr std::size_t kMaxPickedLots = 400;   // Entries of their takes; a pick stops growing there.
constexpr std::uint64_t kLooksOfAStep = 100;  // What a step costs that fills nothing.
constexpr std::uint32_t kStepsWithoutGain = 80'000;
constexpr std::uint32_t kStepsWithoutGainWithBins = 160'000;
// Pods of few shapes can be put together in few ways.
constexpr std::size_t kStepsPerLot = 2'000;
constexpr std::uint32_t kStepsPerMachine = 2'000;  // With few machines there are few ways to pick.
constexpr OfferIndex kNone = OfferFocus::kNone;

struct Node {
    OfferIndex offer = 0;
    std::vector<Take> take;
    std::vector<double> used;
    double waste = 0;    // Price less the worth of what stands on it.
    double free_sq = 0;  // The worth of its free room, squared.
};

class Improver {
  public:
    Improver(const Market& market, Draft draft, const ImproveOptions& options)
        : market_(market),
          options_(options),
          rng_(options.seed),
          n_(market.dimensions()),
          program_(market.columns(market.has_caps())),
          packer_(market),
          slots_(market),
          worth_(value_everything()),
          offers_(market, worth_),
          limits_(market.problem()),
          entry_of_(market.lots().size(), 0) {
        for (DraftNode& node : draft.nodes) {
            Node own{node.offer, std::move(node.take), std::vector<double>(n_, 0), 0, 0};
            for (const Take& take : own.take) add_request(own.used, take.lot, take.count);
            finish(own);
            price_ += price(own.offer);
            nodes_.push_back(std::move(own));
        }
        focus_.assign(market.kind_words(), 0);
        if (limits_.any()) {
            for (const Node& node : nodes_) count(node.offer, 1);
        }
        list_machines();
    }

    Draft run() {
        std::uint32_t steps = 0;
        std::uint32_t since_gain = 0;
        const auto patience = static_cast<std::uint32_t>(
            std::min<std::size_t>({market_.bins() > 0 ? kStepsWithoutGainWithBins : kStepsWithoutGain,
                                   kStepsPerMachine * nodes_.size(), kStepsPerLot * market_.lots().size()}));
        while (price_ > options_.good_enough && since_gain < patience &&
               packer_.looks() + steps * kLooksOfAStep < options_.effort) {
            if (steps % 8 == 0 && options_.is_late && options_.is_late()) break;
            ++steps;
            const double before = price_;
            step();
            since_gain = price_ < before ? 0 : since_gain + 1;
        }
        Draft out;
        out.price = price_;
        out.is_complete = true;
        for (Node& node : nodes_) out.nodes.push_back({node.offer, std::move(node.take)});
        return out;
    }

  private:
    double price(OfferIndex offer) const { return market_.price(offer); }
    KindIndex kind(LotIndex lot) const { return market_.lots()[lot].kind; }

    void add_request(std::vector<double>& to, LotIndex lot, double count) const {
        const double* request = market_.request(lot);
        for (std::size_t d = 0; d < n_; ++d) to[d] += count * request[d];
    }

    // One set of prices for all that stands, so that waste can be compared.
    std::vector<double> value_everything() {
        std::vector<double> demand(program_.dimensions(), 0);
        for (LotIndex lot = 0; lot < market_.lots().size(); ++lot) {
            add_request(demand, lot, market_.lots()[lot].count);
            slots_.add(lot, market_.lots()[lot].count);
        }
        for (std::size_t i = 0; i < market_.bins(); ++i) {
            for (std::size_t d = 0; d < n_; ++d) demand[d] -= market_.room(market_.bin(i))[d];
        }
        for (double& one : demand) one = std::max(one, 0.0);
        if (market_.has_caps()) demand[n_] = slots_.needed();
        slots_.clear();
        std::vector<double> worth = program_.solve(demand.data());
        for (std::size_t d = 0; d < n_; ++d) {
            if (demand[d] > 0) worth[d] += 1e-9 * program_.cost() / demand[d];
        }
        return worth;
    }

    double value(const std::vector<double>& used) const {
        double out = 0;
        for (std::size_t d = 0; d < n_; ++d) out += worth_[d] * used[d];
        return out;
    }

    void finish(Node& node) const {
        const double* room = market_.room(node.offer);
        double free = 0;
        for (std::size_t d = 0; d < n_; ++d) free += worth_[d] * (room[d] - node.used[d]);
        // Room that costs nothing is best used up, wherever it is.
        node.free_sq = market_.is_bin(node.offer) ? 0 : free * free;
        node.waste = market_.is_bin(node.offer) ? free : price(node.offer) - value(node.used);
    }

    void count(OfferIndex offer, double times) {
        if (market_.is_bin(offer)) return;
        limits_.take(market_.offers()[offer].pool, market_.offers()[offer].option, times);
    }

    void step() {
        pick();
        gather();
        focus();
        bought_demand_ = demand_;
        for (const OfferIndex bin : bins_) {
            for (std::size_t d = 0; d < n_; ++d)
                bought_demand_[d] = std::max(0.0, bought_demand_[d] - market_.room(bin)[d]);
        }
        program_.solve(bought_demand_.data());
        // Not even machines cut to size would be cheaper; then only free room could be gathered.
        if (program_.cost() >= old_price_ * (1 - 1e-9) && rng_.below(8) != 0) return release();
        new_.clear();
        bool is_built = false;
        switch (rng_.below(8)) {
            case 0:
            case 1:
                is_built = rebuild_greedily();
                break;
            case 2:
                is_built = choose_old_but_one() && pack();
                break;
            case 3:
                is_built = choose_good() && pack();
                break;
            case 4:
            case 5:
                is_built = choose_by_program() && pack();
                break;
            default:
                is_built = choose_shifted() && pack();
        }
        if (is_built) consider();
        release();
    }

    // The first two from among the wasteful, the others as they come.
    void pick() {
        picked_.clear();
        if (rng_.below(kCrowdOdds) == 0 && pick_crowd()) return;
        const std::size_t wanted = std::min<std::size_t>(1 + rng_.below(kMaxPicked), nodes_.size());
        const bool same_sign = rng_.below(2) == 0;
        // There are far more bins than machines, and it is machines that cost.
        const bool machines_only = !machines_.empty() && rng_.below(4) != 0;
        std::size_t lots = 0;
        for (std::size_t tries = 0; picked_.size() < wanted && tries < 4 * kMaxPicked; ++tries) {
            std::size_t chosen = rng_.below(nodes_.size());
            if (machines_only || (!machines_.empty() && picked_.empty() && rng_.below(4) != 0)) {
                chosen = machines_[rng_.below(machines_.size())];
            } else if (picked_.size() < 2) {
                choose_more_wasteful(chosen, kRivals);
            }
            if (std::find(picked_.begin(), picked_.end(), chosen) != picked_.end()) continue;
            if (!picked_.empty()) {
                const OfferIndex first = nodes_[picked_.front()].offer;
                const OfferIndex own = nodes_[chosen].offer;
                if (same_sign ? !offers_.are_alike(own, first) : !offers_.have_common_kind(own, first))
                    continue;
            }
            if (!picked_.empty() && lots + nodes_[chosen].take.size() > kMaxPickedLots) break;
            lots += nodes_[chosen].take.size();
            picked_.push_back(chosen);
        }
    }

    // Machines that together cost as much as one of the plan, each no more than half of it, and perhaps that
    // one: the plan may do with one large machine in place of many small ones. False where there are none.
    bool pick_crowd() {
        const std::size_t large = rng_.below(nodes_.size());
        const double target = price(nodes_[large].offer);
        double total = 0;
        std::size_t lots = 0;
        const auto take_apart = [&](std::size_t chosen) {
            lots += nodes_[chosen].take.size();
            picked_.push_back(chosen);
        };
        if (rng_.below(2) == 0) take_apart(large);
        for (int tries = 0; total < target && tries < kCrowdTries && picked_.size() < kCrowd; ++tries) {
            std::size_t chosen = rng_.below(nodes_.size());
            choose_more_wasteful(chosen, kCrowdRivals);
            const double own = price(nodes_[chosen].offer);
            if (own <= 0 || own > target / 2) continue;
            if (std::find(picked_.begin(), picked_.end(), chosen) != picked_.end()) continue;
            if (!picked_.empty() &&
                !offers_.have_common_kind(nodes_[chosen].offer, nodes_[picked_.front()].offer))
                continue;
            if (lots + nodes_[chosen].take.size() > kMaxPickedLots) break;
            total += own;
            take_apart(chosen);
        }
        if (total > 0) return true;
        picked_.clear();
        return false;
    }

    void choose_more_wasteful(std::size_t& chosen, int rivals) {
        for (int i = 0; i < rivals; ++i) {
            const std::size_t other = rng_.below(nodes_.size());
            if (nodes_[other].waste > nodes_[chosen].waste) chosen = other;
        }
    }

    void list_machines() {
        if (market_.bins() == 0) return;
        machines_.clear();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            if (!market_.is_bin(nodes_[i].offer)) machines_.push_back(i);
        }
    }

    // The offers that a rebuilding draws from: those that admit all of the pods, or where none does, all that
    // stood on one of the machines.
    void focus() {
        if (market_.kinds() == 1) {
            if (!offers_.is_set()) offers_.set(focus_);
            return;
        }
        focus_.assign(market_.kind_words(), 0);
        for (const Ware& ware : wares_) focus_[kind(ware.lot) / 64] |= KindWord{1} << (kind(ware.lot) % 64);
        admits_focus_ = offers_.set(focus_);
        if (admits_focus_) return;
        focus_.assign(market_.kind_words(), 0);
        for (const Take& take : nodes_[picked_[rng_.below(picked_.size())]].take)
            focus_[kind(take.lot) / 64] |= KindWord{1} << (kind(take.lot) % 64);
        offers_.set(focus_);
    }

    void gather() {
        wares_.clear();
        demand_.assign(program_.dimensions(), 0);
        old_price_ = 0;
        old_free_sq_ = 0;
        bins_.clear();
        for (const std::size_t i : picked_) {
            const Node& node = nodes_[i];
            old_price_ += price(node.offer);
            old_free_sq_ += node.free_sq;
            if (market_.is_bin(node.offer)) bins_.push_back(node.offer);
            for (std::size_t d = 0; d < n_; ++d) demand_[d] += node.used[d];
            for (const Take& take : node.take) {
                std::uint32_t& entry = entry_of_[take.lot];
                if (entry == 0) {
                    wares_.push_back({take.lot, 0, 1, 0});
                    entry = static_cast<std::uint32_t>(wares_.size());
                }
                wares_[entry - 1].available += take.count;
                if (market_.has_caps()) slots_.add(take.lot, take.count);
            }
        }
        counts_.clear();
        for (const Ware& ware : wares_) counts_.push_back(ware.available);
        if (market_.has_caps()) demand_[n_] = slots_.needed();
    }

    void release() {
        for (std::size_t i = 0; i < wares_.size(); ++i) {
            entry_of_[wares_[i].lot] = 0;
            if (market_.has_caps()) slots_.add(wares_[i].lot, -static_cast<std::int64_t>(counts_[i]));
        }
    }

    // All but one of the machines that were there, then the cheapest that could hold the rest.
    bool choose_old_but_one() {
        chosen_.clear();
        for (const std::size_t i : picked_) {
            if (!market_.is_bin(nodes_[i].offer)) chosen_.push_back(nodes_[i].offer);
        }
        if (chosen_.empty()) return true;
        shuffle();
        chosen_.pop_back();
        if (chosen_.size() > 1 && rng_.below(4) == 0) chosen_.pop_back();
        return close_choice();
    }

    // What the program would buy, as many whole ones as that is or one less, then the cheapest that could
    // hold the rest.
    bool choose_by_program() {
        chosen_.clear();
        for (const auto& [offer, count] : program_.machines()) {
            const auto own = static_cast<OfferIndex>(offer);
            if (offers_.has(own)) chosen_.insert(chosen_.end(), static_cast<std::size_t>(count), own);
        }
        shuffle();
        if (chosen_.size() > 1 && rng_.below(2) == 0) chosen_.pop_back();
        return close_choice();
    }

    bool choose_good() {
        if (offers_.by_price().empty()) return false;
        chosen_.clear();
        double total = 0;
        while (chosen_.size() < kMaxPicked) {
            const OfferIndex next = offers_.some_good(rng_);
            if (total + price(next) > old_price_) break;
            total += price(next);
            chosen_.push_back(next);
            if (rng_.below(3) == 0 && close_choice()) return true;
        }
        return close_choice();
    }

    bool close_choice() {
        rest_.assign(bought_demand_.begin(), bought_demand_.begin() + static_cast<std::ptrdiff_t>(n_));
        double total = 0;
        for (const OfferIndex j : chosen_) {
            total += price(j);
            for (std::size_t d = 0; d < n_; ++d) rest_[d] -= market_.room(j)[d];
        }
        if (total > old_price_) return false;
        if (std::all_of(rest_.begin(), rest_.end(), [](double amount) { return amount <= 0; }))
            return !chosen_.empty() || !bins_.empty();
        const OfferIndex last = offers_.cheapest_with(rest_.data(), old_price_ - total);
        if (last == kNone) return false;
        chosen_.push_back(last);
        return true;
    }

    // The machines that were there, one of them cheaper and perhaps one dearer.
    bool choose_shifted() {
        chosen_.clear();
        for (const std::size_t i : picked_) {
            if (!market_.is_bin(nodes_[i].offer)) chosen_.push_back(nodes_[i].offer);
        }
        if (chosen_.empty()) return true;
        shuffle();
        const auto shift = [&](OfferIndex& offer, int direction) {
            if (!offers_.has(offer)) return;
            offer = offers_.shifted(offer, static_cast<std::int64_t>(1 + rng_.below(12)) * direction);
        };
        if (rng_.below(3) == 0 && offers_.has(chosen_[0])) {
            chosen_[0] = offers_.some_good(rng_);
        } else {
            shift(chosen_[0], -1);
        }
        if (chosen_.size() > 1 && rng_.below(2) == 0) shift(chosen_[1], 1);
        double total = 0;
        rest_.assign(bought_demand_.begin(), bought_demand_.begin() + static_cast<std::ptrdiff_t>(n_));
        for (const OfferIndex j : chosen_) {
            total += price(j);
            for (std::size_t d = 0; d < n_; ++d) rest_[d] -= market_.room(j)[d];
        }
        return total <= old_price_ &&
               std::all_of(rest_.begin(), rest_.end(), [](double amount) { return amount <= 0; });
    }

    void shuffle() { shuffle(chosen_); }
    void shuffle(std::vector<OfferIndex>& list) {
        for (std::size_t i = list.size(); i > 1; --i) std::swap(list[i - 1], list[rng_.below(i)]);
    }

    // What must stand on the machine being filled because none of those after it can take it.
    void put_what_has_no_later_place(std::size_t at) {
        const std::size_t later = chosen_.size() - at - 1;
        if (market_.kinds() > 1) {
            last_chance_.clear();
            for (const Ware& ware : wares_) {
                bool has_later = ware.available == 0;
                for (std::size_t i = at + 1; i < chosen_.size() && !has_later; ++i)
                    has_later = market_.admits(chosen_[i], kind(ware.lot));
                if (!has_later) last_chance_.push_back(ware);
            }
            if (!last_chance_.empty() && last_chance_.size() < wares_.size()) {
                packer_.pour(last_chance_, local_worth_.data());
                for (const Ware& ware : last_chance_)
                    wares_[entry_of_[ware.lot] - 1].available = ware.available;
            }
        }
        if (!market_.has_caps()) return;
        for (Ware& ware : wares_) {
            for (const CapId cap : market_.caps(ware.lot)) {
                const std::uint32_t most = market_.problem().caps()[cap];
                while (ware.available > 0 && cap_left_[cap] > later * most && packer_.put(ware, 1)) {
                    for (const CapId own : market_.caps(ware.lot)) --cap_left_[own];
                }
            }
        }
    }

    void count_caps() {
        if (!market_.has_caps()) return;
        cap_left_.assign(market_.problem().caps().size(), 0);
        for (const Ware& ware : wares_) {
            for (const CapId cap : market_.caps(ware.lot)) cap_left_[cap] += ware.available;
        }
    }

    // The chosen machines filled one after the other, by weights that look at what is scarce for these pods
    // on these machines. Bins come first: they are small, and there is no choosing a larger one.
    bool pack() {
        shuffle(bins_);
        chosen_.insert(chosen_.begin(), bins_.begin(), bins_.end());
        const double power = 1 + 4 * rng_.unit();
        const double noise = 0.4 * rng_.unit();
        for (std::size_t i = 0; i < wares_.size(); ++i)
            wares_[i] = {wares_[i].lot, counts_[i], 1 + noise * (rng_.unit() - 0.5), 0};
        rest_.assign(demand_.begin(), demand_.begin() + static_cast<std::ptrdiff_t>(n_));
        capacity_.assign(n_, 0);
        for (const OfferIndex j : chosen_) {
            for (std::size_t d = 0; d < n_; ++d) capacity_[d] += market_.room(j)[d];
        }
        local_worth_.resize(n_);
        for (std::size_t at = 0; at < chosen_.size(); ++at) {
            for (std::size_t d = 0; d < n_; ++d) {
                const double load = capacity_[d] > 0 ? rest_[d] / capacity_[d] : 0;
                local_worth_[d] = capacity_[d] > 0 ? std::pow(load, power) / capacity_[d] : 0;
            }
            if (market_.has_caps()) count_caps();
            packer_.begin(chosen_[at]);
            put_what_has_no_later_place(at);
            packer_.pour(wares_, local_worth_.data());
            bool can_still_fit = true;
            bool is_all_placed = true;
            for (std::size_t d = 0; d < n_; ++d) {
                rest_[d] -= packer_.used()[d];
                capacity_[d] -= market_.room(chosen_[at])[d];
                can_still_fit &= rest_[d] <= capacity_[d];
                is_all_placed &= rest_[d] <= 0;
            }
            if (!can_still_fit) return false;
            if (!packer_.take().empty() || market_.is_bin(chosen_[at])) keep_new(chosen_[at]);
            if (is_all_placed && at + 1 >= bins_.size()) break;
        }
        return std::all_of(wares_.begin(), wares_.end(),
                           [](const Ware& ware) { return ware.available == 0; });
    }

    void keep_new(OfferIndex offer) {
        Node node;
        node.offer = market_.is_bin(offer) ? offer : offers_.cheapest_for(packer_.used(), packer_.kinds());
        node.take = packer_.take();
        node.used = packer_.used();
        finish(node);
        new_.push_back(std::move(node));
    }

    // Machine after machine by worth for money, with some chance in the choice.
    bool rebuild_greedily() {
        if (!admits_focus_ || !bins_.empty()) return false;
        for (std::size_t i = 0; i < wares_.size(); ++i)
            wares_[i] = {wares_[i].lot, counts_[i], 1 + 0.2 * (rng_.unit() - 0.5), 0};
        greedy_demand_ = demand_;
        double spent = 0;
        for (std::size_t round = 0; round < 2 * kMaxPicked + picked_.size(); ++round) {
            greedy_worth_ = program_.solve(greedy_demand_.data());
            if (spent + program_.cost() > old_price_ * (1 + 1e-12)) return false;
            for (std::size_t d = 0; d < n_; ++d) {
                if (greedy_demand_[d] > 0) greedy_worth_[d] += 1e-9 * old_price_ / greedy_demand_[d];
            }
            OfferIndex best = offers_.cheapest_with(greedy_demand_.data(), old_price_ - spent);
            // Once one machine could hold the rest, that is the end of it.
            if (best == kNone) best = noisy_choice(old_price_ - spent);
            if (best == kNone) return false;
            packer_.begin(best);
            packer_.pour(wares_, greedy_worth_.data());
            if (packer_.take().empty()) return false;
            keep_new(best);
            spent += price(new_.back().offer);
            bool is_all_placed = true;
            for (std::size_t d = 0; d < n_; ++d) {
                greedy_demand_[d] -= packer_.used()[d];
                is_all_placed &= greedy_demand_[d] <= 0;
            }
            if (is_all_placed)
                return std::all_of(wares_.begin(), wares_.end(),
                                   [](const Ware& ware) { return ware.available == 0; });
            if (market_.has_caps()) {
                for (const Take& take : packer_.take())
                    slots_.add(take.lot, -static_cast<std::int64_t>(take.count));
                greedy_demand_[n_] = slots_.needed();
                for (const Take& take : packer_.take()) slots_.add(take.lot, take.count);
            }
        }
        return false;
    }

    OfferIndex noisy_choice(double most) {
        OfferIndex best = kNone;
        double least = std::numeric_limits<double>::infinity();
        for (const OfferIndex j : offers_.by_price()) {
            if (price(j) > most) break;
            double useful = market_.has_caps() ? greedy_worth_[n_] : 0;
            for (std::size_t d = 0; d < n_; ++d)
                useful += greedy_worth_[d] * std::min(market_.room(j)[d], greedy_demand_[d]);
            const double cost = price(j) / useful * (1 + 0.1 * rng_.unit());
            if (cost < least) {
                least = cost;
                best = j;
            }
        }
        return best;
    }

    void consider() {
        double new_price = 0;
        double new_free_sq = 0;
        for (const Node& node : new_) {
            if (node.offer == kNone) return;
            new_price += price(node.offer);
            new_free_sq += node.free_sq;
        }
        if (new_price > old_price_) return;
        if (new_price == old_price_ && new_free_sq < old_free_sq_ * (1 - 1e-12)) return;
        if (!keeps_limits() || !is_buyable()) return;
        std::sort(picked_.begin(), picked_.end(), std::greater<>());
        for (const std::size_t i : picked_) {
            std::swap(nodes_[i], nodes_.back());
            nodes_.pop_back();
        }
        for (Node& node : new_) nodes_.push_back(std::move(node));
        price_ += new_price - old_price_;
        list_machines();
    }

    bool keeps_limits() {
        if (!limits_.any()) return true;
        for (const std::size_t i : picked_) count(nodes_[i].offer, -1);
        for (const Node& node : new_) count(node.offer, 1);
        if (!limits_.are_overdrawn()) return true;
        for (const std::size_t i : picked_) count(nodes_[i].offer, 1);
        for (const Node& node : new_) count(node.offer, -1);
        return false;
    }

    // What the numbers do not know: requirements left open by types, and minValues.
    bool is_buyable() const {
        return std::all_of(new_.begin(), new_.end(), [&](const Node& node) {
            return is_buyable_machine(market_, {node.offer, node.take}, options_.min_values_policy);
        });
    }

    const Market& market_;
    const ImproveOptions& options_;
    Rng rng_;
    std::size_t n_;
    ResourceProgram program_;
    Packer packer_;
    Slots slots_;
    std::vector<double> worth_;
    OfferFocus offers_;
    Limits limits_;
    std::vector<Node> nodes_;
    std::vector<std::size_t> machines_;  // Among them, where there are bins, too.
    double price_ = 0;

    // Of one step.
    std::vector<std::size_t> picked_;
    std::vector<std::uint32_t> entry_of_;  // By lot: its place in wares_, plus one.
    std::vector<Ware> wares_;
    std::vector<std::uint32_t> counts_;
    std::vector<double> demand_;
    std::vector<double> bought_demand_;  // What the bins among the picked cannot hold, at best.
    std::vector<OfferIndex> bins_;       // Among the picked.
    double old_price_ = 0;
    double old_free_sq_ = 0;
    std::vector<KindWord> focus_;
    bool admits_focus_ = true;
    std::vector<OfferIndex> chosen_;
    std::vector<Node> new_;
    std::vector<Ware> last_chance_;
    std::vector<std::uint64_t> cap_left_;
    std::vector<double> rest_;
    std::vector<double> capacity_;
    std::vector<double> local_worth_;
    std::vector<double> greedy_demand_;
    std::vector<double> greedy_worth_;
};

}  // namespace

Draft improve(const Market& market, Draft draft, const ImproveOptions& options) {
    return Improver(market, std::move(draft), options).run();
}

}  // namespace joiner::plan
