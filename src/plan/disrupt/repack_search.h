// The search of repack, in small integers: every candidate stays or leaves; the pods of those that leave
// stand in the free room of others or on machines to be bought; pods of nodes that stay never move. What it
// lowers is
//
//     price of candidates that stay + price of what is bought, enlarged by hysteresis and overlap
//         + evictions, spread over the payback horizon
//
// One try is a transaction: some nodes give up their pods, the pods are placed anew, and all of it is undone
// unless the sum has become less. It knows resources, node affinity and taints, and of the rules among pods
// only how many of a kind one node takes; the steps made of it are held against all rules afterwards.
// Pure; one owner, one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "plan/disrupt/repack.h"
#include "plan/provision/draft.h"
#include "plan/provision/market.h"
#include "plan/provision/packer.h"
#include "plan/provision/problem.h"
#include "plan/provision/trial.h"

namespace joiner::plan {

// Where pods may stand: a room of the snapshot, or, after those, a machine to be bought.
using BinIndex = std::uint32_t;
inline constexpr BinIndex kNoBin = ~BinIndex{0};
inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};  // No candidate.

// What one machine to be bought holds.
struct RepackPurchase {
    OfferIndex offer = 0;
    std::vector<model::PodIndex> pods;
};

class RepackSearch {
  public:
    RepackSearch(const RepackQuestion& question, const RepackOptions& options);

    bool run_slice(std::uint64_t looks);

    bool leaves(std::size_t candidate) const { return left_[candidate]; }
    // Of a pod whose node leaves: its room, or kNoBin when it stands on a purchase.
    BinIndex room_of(model::PodIndex pod) const { return bin_of_[pod] < rooms_ ? bin_of_[pod] : kNoBin; }
    std::vector<RepackPurchase> purchases() const;

    // What a launch of the price counts for, and the evictions when the candidate leaves; nano-dollars an
    // hour.
    double launch_cost(double price) const { return price * launch_factor_; }
    double eviction_cost(std::size_t candidate) const { return eviction_costs_[candidate]; }
    std::uint32_t class_of(model::PodIndex pod) const { return class_of_[pod]; }
    const Problem& problem() const { return problem_; }
    const Market* market() const { return market_.get(); }

  private:
    enum class State : std::uint8_t { kOpen, kShut, kDead };
    struct Step {
        enum class What : std::uint8_t { kMove, kLeave, kKeep, kOpen, kClose } what;
        std::uint32_t of = 0;    // Pod, candidate or bin.
        BinIndex from = kNoBin;  // Of a move.
    };

    void make_market();
    void make_classes();
    void make_bins();

    // Transactions: repack_transaction.cc.
    void begin();
    bool finish(bool is_good);
    bool keeps_steps_small();
    bool is_step_small(BinIndex purchase);
    void add_homes(BinIndex bin, std::uint64_t mark);
    void shift(model::PodIndex pod, BinIndex to);
    void move_raw(model::PodIndex pod, BinIndex to);
    void set_leaving(std::size_t candidate, bool leaves);
    BinIndex open_bin(OfferIndex offer);
    void close_bin(BinIndex bin);

    bool release(BinIndex bin);
    bool eject(BinIndex bin);
    void call_home(std::size_t candidate);
    bool exchange(BinIndex bin, double part);
    bool replace(double noise);
    double fullness(BinIndex bin) const;
    BinIndex best_bin(model::PodIndex pod, double noise);
    bool may_stand(model::PodIndex pod, BinIndex bin);
    bool buy_for(double budget, double noise);
    OfferIndex offer_for(double budget, double noise);
    void fill_purchase(BinIndex bin);

    void list_receivers();
    void sample_receivers();
    void list_sweep();
    bool sweep_one();
    void try_at_random();
    bool release_some();
    BinIndex random_target();

    double price_of(OfferIndex offer) const { return market_->offers()[offer].price; }

    const RepackQuestion& question_;
    const RepackOptions options_;
    ProvisionOptions provision_options_;
    Problem problem_;
    Trial trial_;
    std::unique_ptr<Market> market_;
    std::unique_ptr<Packer> packer_;
    Rng rng_;
    std::size_t n_;
    std::uint32_t rooms_;
    double launch_factor_;

    // By pod class.
    struct Kind {
        std::uint32_t kind = 0;  // Of the problem, for node affinity and taints.
        LotIndex lot = 0;
        bool is_buyable = false;  // Some machine holds it.
        bool is_social = false;
        std::uint32_t most = ~0u;  // On one node.
        double worth = 0;          // Nano-dollars an hour, at least.
    };
    std::vector<Kind> kinds_;
    std::vector<double> requests_;  // Class x dimension.
    std::vector<double> least_request_;
    std::vector<double> mean_request_;
    std::vector<double> market_worth_;  // Of a unit of each of the market's dimensions.
    std::vector<bool> is_spot_offer_;

    // By pod.
    std::vector<std::uint32_t> class_of_;
    std::vector<BinIndex> bin_of_;
    std::vector<std::uint32_t> slot_of_;  // Its place in pods_at_.
    std::vector<std::uint32_t> home_of_;  // Candidate.

    // By bin.
    std::vector<State> state_;
    std::vector<double> free_;
    std::vector<double> used_worth_;
    std::vector<double> price_;
    std::vector<std::uint32_t> candidate_at_;  // Or ~0.
    std::vector<OfferIndex> offer_of_;         // Of purchases, by bin - rooms_.
    std::vector<std::vector<model::PodIndex>> pods_at_;
    std::vector<BinIndex> spare_;  // Dead purchases, to be used again.

    // By candidate.
    std::vector<bool> left_;
    std::vector<double> eviction_costs_;
    std::vector<double> home_fullness_;  // As it was found.
    std::vector<std::int64_t*> budget_of_;
    std::map<std::string, std::int64_t> budgets_;

    double sum_ = 0;
    double sum_before_ = 0;
    std::vector<Step> log_;
    std::vector<model::PodIndex> hand_;
    std::vector<std::pair<double, model::PodIndex>> order_;
    std::vector<model::PodIndex> rest_;
    std::vector<BinIndex> receivers_;
    std::vector<BinIndex> all_receivers_;
    std::vector<Ware> wares_;
    std::vector<std::uint32_t> ware_of_;  // By lot, plus one.
    std::vector<double> need_;
    std::vector<double> pour_worth_;
    std::vector<KindWord> wanted_;

    // What was seen by which look around, and the nodes it found together.
    std::uint64_t mark_ = 0;
    std::uint64_t marks_before_ = 0;
    std::vector<std::uint64_t> mark_of_bin_;
    std::vector<std::uint64_t> mark_of_home_;
    std::vector<std::uint32_t> together_;

    // Progress.
    enum class Phase { kSweep, kRandom, kLastSweep, kDone } phase_ = Phase::kSweep;
    std::vector<BinIndex> sweep_;
    std::size_t sweep_at_ = 0;
    bool is_sweep_fruitful_ = false;
    std::uint64_t sweeps_ = 0;
    std::uint64_t tries_ = 0;
    std::uint64_t most_tries_ = 0;
    std::uint64_t looks_ = 0;
};

}  // namespace joiner::plan
