#include "plan/provision/fleet.h"

#include <algorithm>
#include <utility>

#include "plan/provision/ceilings.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {
namespace {

// What a machine must be able to hold of all that is asked for, pod by pod, to be bought.
constexpr double kLeastHeld[] = {0, 0.25, 0.5, 0.75, 0.95, 1};
// A machine that leaves so much more of its price unused than the others do is not kept.
constexpr double kMostWaste = 0.03;
constexpr std::size_t kSample = 512;  // Lots that are asked whether a machine holds them.

// The pods that may stand in the same places.
struct Group {
    std::vector<LotIndex> lots;
    std::vector<OfferIndex> offers;
    std::vector<double> held;  // By offer: the least part of a resource that pods it can hold ask for.
    std::vector<double> demand;
    std::vector<double> worth;
    std::uint64_t pods = 0;
};

class Fleets {
  public:
    Fleets(const Market& market, const std::vector<DraftNode>& stowed, std::uint64_t effort)
        : market_(market),
          stowed_(stowed),
          n_(market.dimensions()),
          effort_(effort),
          left_(count_left(market, stowed)) {
        for (const KindIndex kind : market.scarce_first()) {
            if (Group group = make_group(kind); !group.lots.empty()) groups_.push_back(std::move(group));
        }
    }

    std::vector<Draft> run() {
        std::vector<Draft> out;
        std::vector<std::vector<OfferIndex>> known;
        const std::vector<std::uint32_t> all = left_;
        for (const double least : kLeastHeld) {
            std::vector<std::vector<OfferIndex>> fleets;
            std::vector<OfferIndex> bought;
            std::uint64_t looks = 0;
            for (Group& group : groups_) {
                fleets.push_back(choose(group, least));
                bought.insert(bought.end(), fleets.back().begin(), fleets.back().end());
                looks += fleets.back().size() * (group.lots.size() * n_ + group.pods);
            }
            if (bought.empty() || std::find(known.begin(), known.end(), bought) != known.end()) continue;
            if (looks > effort_) break;
            effort_ -= looks;
            known.push_back(std::move(bought));
            Draft draft;
            draft.nodes = stowed_;
            for (std::size_t i = 0; i < groups_.size(); ++i) fill(groups_[i], fleets[i], draft);
            out.push_back(std::move(draft));
            left_ = all;
        }
        return out;
    }

  private:
    bool is_social(LotIndex lot) const {
        return !market_.caps(lot).empty() || market_.crowd(lot) != 0 || market_.some_open();
    }

    Group make_group(KindIndex kind) const {
        Group group;
        group.demand.assign(n_, 0);
        for (LotIndex lot = 0; lot < left_.size(); ++lot) {
            if (market_.lots()[lot].kind != kind || left_[lot] == 0 || is_social(lot)) continue;
            group.lots.push_back(lot);
            group.pods += left_[lot];
            for (std::size_t d = 0; d < n_; ++d) group.demand[d] += left_[lot] * market_.request(lot)[d];
        }
        for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
            if (market_.admits(j, kind)) group.offers.push_back(j);
        }
        group.held = parts_held(group);
        return group;
    }

    std::vector<double> parts_held(const Group& group) const {
        const std::size_t step = group.lots.size() / kSample + 1;
        std::vector<double> sampled(n_, 0);
        for (std::size_t i = 0; i < group.lots.size(); i += step) {
            const LotIndex lot = group.lots[i];
            for (std::size_t d = 0; d < n_; ++d) sampled[d] += left_[lot] * market_.request(lot)[d];
        }
        std::vector<double> out;
        std::vector<double> held(n_);
        for (const OfferIndex j : group.offers) {
            std::fill(held.begin(), held.end(), 0.0);
            for (std::size_t i = 0; i < group.lots.size(); i += step) {
                const double* request = market_.request(group.lots[i]);
                if (!has_room(market_.room(j), request, n_)) continue;
                for (std::size_t d = 0; d < n_; ++d) held[d] += left_[group.lots[i]] * request[d];
            }
            double least = 1;
            for (std::size_t d = 0; d < n_; ++d) {
                if (sampled[d] > 0) least = std::min(least, held[d] / sampled[d]);
            }
            out.push_back(least);
        }
        return out;
    }

    // Also finds what a unit of each resource is worth to the group.
    std::vector<OfferIndex> choose(Group& group, double least) const {
        ResourceColumns columns;
        columns.dimensions = n_;
        std::vector<OfferIndex> offers;
        for (std::size_t i = 0; i < group.offers.size(); ++i) {
            if (group.held[i] < least) continue;
            const OfferIndex j = group.offers[i];
            offers.push_back(j);
            columns.prices.push_back(market_.price(j));
            columns.capacities.insert(columns.capacities.end(), market_.room(j), market_.room(j) + n_);
        }
        if (offers.empty()) return {};
        ResourceProgram program(columns);
        group.worth = program.solve(group.demand.data());
        for (std::size_t d = 0; d < n_; ++d) {
            if (group.demand[d] > 0) group.worth[d] += 1e-9 * program.cost() / group.demand[d];
        }
        std::vector<OfferIndex> out;
        for (const auto& [column, count] : program.machines())
            out.insert(out.end(), static_cast<std::size_t>(count), offers[column]);
        return out;
    }

    double value(const Group& group, const double* amounts) const {
        double out = 0;
        for (std::size_t d = 0; d < n_; ++d) out += group.worth[d] * amounts[d];
        return out;
    }

    void fill(const Group& group, const std::vector<OfferIndex>& fleet, Draft& draft) {
        const std::size_t m = fleet.size();
        if (m == 0) return;
        free_.resize(n_ * m);
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t d = 0; d < n_; ++d) free_[d * m + i] = market_.room(fleet[i])[d];
        }
        std::vector<std::vector<Take>> takes(m);
        std::vector<std::pair<double, LotIndex>> order;
        for (const LotIndex lot : group.lots) order.emplace_back(-value(group, market_.request(lot)), lot);
        std::sort(order.begin(), order.end());
        std::vector<double> scores(m);
        for (const auto& [less, lot] : order) {
            for (std::size_t i = 0; i < m; ++i) scores[i] = score(group, lot, i, m);
            while (left_[lot] > 0) {
                const auto best =
                    static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
                if (scores[best] < 0) break;
                for (std::size_t d = 0; d < n_; ++d) free_[d * m + best] -= market_.request(lot)[d];
                std::vector<Take>& take = takes[best];
                if (take.empty() || take.back().lot != lot) take.push_back({lot, 0});
                ++take.back().count;
                --left_[lot];
                scores[best] = score(group, lot, best, m);
            }
        }
        keep(group, fleet, std::move(takes), draft);
    }

    // The square of the cosine between what is free on the machine and what the pod asks for, both by worth;
    // less than 0 where the pod does not fit.
    double score(const Group& group, LotIndex lot, std::size_t i, std::size_t machines) const {
        const double* request = market_.request(lot);
        double both = 0;
        double square = 0;
        for (std::size_t d = 0; d < n_; ++d) {
            const double free = free_[d * machines + i];
            if (request[d] > free) return -1;
            const double own = group.worth[d] * free;
            both += own * group.worth[d] * request[d];
            square += own * own;
        }
        return square > 0 ? both * both / square : 0;
    }

    void keep(const Group& group, const std::vector<OfferIndex>& fleet, std::vector<std::vector<Take>> takes,
              Draft& draft) {
        const std::size_t m = fleet.size();
        std::vector<double> wastes(m, 0);
        double waste = 0;
        double price = 0;
        for (std::size_t i = 0; i < m; ++i) {
            for (std::size_t d = 0; d < n_; ++d) wastes[i] += group.worth[d] * free_[d * m + i];
            waste += wastes[i];
            price += market_.price(fleet[i]);
        }
        for (std::size_t i = 0; i < m; ++i) {
            const double own = market_.price(fleet[i]);
            const bool is_kept = !takes[i].empty() && wastes[i] <= (kMostWaste + waste / price) * own;
            if (!is_kept) {
                for (const Take& take : takes[i]) left_[take.lot] += take.count;
                continue;
            }
            draft.price += own;
            draft.nodes.push_back({fleet[i], std::move(takes[i])});
        }
    }

    const Market& market_;
    const std::vector<DraftNode>& stowed_;
    std::size_t n_;
    std::uint64_t effort_;
    std::vector<std::uint32_t> left_;  // By lot.
    std::vector<Group> groups_;
    std::vector<double> free_;  // By dimension, then machine.
};

}  // namespace

std::vector<Draft> fill_fleets(const Market& market, const std::vector<DraftNode>& stowed,
                               std::uint64_t effort) {
    return Fleets(market, stowed, effort).run();
}

}  // namespace joiner::plan
