#include "plan/provision/provision.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <tuple>

#include "plan/provision/bounds.h"
#include "plan/provision/draft.h"
#include "plan/provision/fill.h"
#include "plan/provision/improve.h"
#include "plan/provision/launches.h"
#include "plan/provision/market.h"
#include "plan/provision/problem.h"
#include "plan/provision/reuse.h"
#include "plan/provision/share_greedy.h"
#include "plan/provision/tiers.h"

namespace joiner::plan {
namespace {

// Urgent before others, then large before small: what is hard to place comes first.
std::vector<std::uint32_t> placing_order(const Problem& problem) {
    std::vector<std::uint32_t> order(problem.classes().size());
    std::iota(order.begin(), order.end(), 0u);
    const auto rank = [&](std::uint32_t c) {
        const PodClass& pod_class = problem.classes()[c];
        double extended = 0;
        for (std::size_t d = 4; d < pod_class.request.size(); ++d)
            extended += pod_class.request[d] > 0 ? 1 : 0;
        return std::tuple(-pod_class.shape->priority, -extended, -pod_class.request[0], -pod_class.request[1],
                          pod_class.pods.front());
    };
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
    return order;
}

// A plan within this of the bound is not worth another look.
constexpr double kGoodEnough = 1.0005;
// Of the time, for trying several shares before one plan is improved.
constexpr double kGreedyPart = 0.2;

class Planner {
  public:
    Planner(const model::Snapshot& snapshot, const ProvisionOptions& options)
        : problem_(snapshot), options_(options), started_(now()) {}

    Plan run() {
        struct Pass {
            std::string_view name;
            void (Planner::*run)();
        };
        // In this order; a pass that has nothing to do returns at once.
        static constexpr Pass kPasses[] = {
            {"reuse", &Planner::reuse}, {"greedy", &Planner::greedy},   {"fill", &Planner::fill},
            {"bound", &Planner::bound}, {"improve", &Planner::improve}, {"launches", &Planner::launch},
        };
        for (const auto& [pod, reason] : problem_.rejected()) plan_.waits.push_back({pod, reason});
        for (const PodClass& pod_class : problem_.classes()) left_.push_back(pod_class.pods);
        for (const Pass& pass : kPasses) {
            if (std::find(options_.without.begin(), options_.without.end(), pass.name) !=
                options_.without.end())
                continue;
            const double start = now();
            (this->*pass.run)();
            plan_.passes.push_back({pass.name, now() - start, price()});
        }
        return std::move(plan_);
    }

  private:
    double now() const { return options_.clock ? options_.clock() : 0; }
    bool is_late(double part) const {
        return options_.clock && now() - started_ > part * options_.budget_seconds;
    }
    void note_first_plan() { plan_.first_plan_seconds = now() - started_; }

    rules::Money price() const {
        rules::Money sum;
        for (const Machine& machine : machines_) {
            const rules::Money one = price_of(problem_, machine);
            sum.nanos += one.nanos * machine.times;
        }
        return sum;
    }

    std::size_t machine_count() const {
        std::size_t out = 0;
        for (const Machine& machine : machines_) out += machine.times;
        return out;
    }

    void reuse() {
        order_ = placing_order(problem_);
        tiers_ = make_tiers(problem_);
        reuse_rooms(problem_, order_, left_, plan_.placements);
        for (const auto& pods : left_) counts_.push_back(static_cast<std::uint32_t>(pods.size()));
        unplaced_ = counts_;
    }

    // By price alone, for pods that all go to their first choice.
    void greedy() {
        if (std::all_of(counts_.begin(), counts_.end(), [](std::uint32_t count) { return count == 0; }))
            return;
        market_ = std::make_unique<Market>(problem_, tiers_, counts_);
        if (market_->dimensions() > Packer::kMaxDimensions || market_->lots().empty()) return;
        ShareGreedy greedy(*market_);
        // No share is the best for all; the first is the best for most.
        for (const double share : {3.0, std::numeric_limits<double>::infinity(), 5.0, 2.0, 4.0, 6.0, 8.0}) {
            Draft draft = greedy.run(share);
            if (!draft.is_complete || !is_sound(*market_, draft)) {
                if (draft_.nodes.empty()) return;
                continue;
            }
            if (draft_.nodes.empty()) note_first_plan();
            if (draft_.nodes.empty() || is_better(draft, draft_)) draft_ = std::move(draft);
            if (greedy.looks() > options_.effort / 5 || is_late(kGreedyPart)) break;
        }
        adopt(std::move(draft_));
    }

    // By urgency and size, with every fall-back: for what price alone could not place.
    void fill() {
        bool is_needed = draft_.nodes.empty();
        for (const Lot& lot : is_needed || !market_ ? std::vector<Lot>{} : market_->lots())
            unplaced_[lot.pod_class] -= lot.count;
        FillResult filled = fill_machines(problem_, tiers_, options_, order_, unplaced_);
        reasons_ = std::move(filled.reasons);
        if (!is_needed) return;
        machines_ = std::move(filled.machines);
        note_first_plan();
    }

    void bound() {
        std::vector<std::uint32_t> placed;
        for (std::size_t c = 0; c < counts_.size(); ++c) {
            placed.push_back(static_cast<std::uint32_t>(problem_.classes()[c].pods.size()) - unplaced_[c]);
        }
        plan_.lower_bound = lower_bound(problem_, placed, price(), machine_count());
    }

    void improve() {
        if (draft_.nodes.empty()) return;
        ImproveOptions improve_options;
        improve_options.seed = options_.seed;
        improve_options.effort = options_.effort;
        improve_options.good_enough = static_cast<double>(plan_.lower_bound.nanos) * kGoodEnough;
        if (options_.clock)
            improve_options.is_late = [this] { return now() - started_ > options_.budget_seconds; };
        adopt(plan::improve(*market_, std::move(draft_), improve_options));
    }

    void adopt(Draft draft) {
        draft_ = std::move(draft);
        machines_.clear();
        for (const DraftNode& node : draft_.nodes) machines_.push_back(to_machine(*market_, node));
    }

    void launch() {
        make_launches(problem_, options_, machines_, left_, plan_);
        for (std::size_t c = 0; c < left_.size(); ++c) {
            for (const model::PodIndex pod : left_[c]) plan_.waits.push_back({pod, reasons_[c]});
        }
        std::sort(plan_.waits.begin(), plan_.waits.end(),
                  [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
    }

    Problem problem_;
    const ProvisionOptions& options_;
    double started_;
    Plan plan_;
    std::vector<std::uint32_t> order_;
    std::vector<Tiers> tiers_;
    std::vector<std::vector<model::PodIndex>> left_;  // By class: without a place yet.
    std::vector<std::uint32_t> counts_;               // By class: what no room held.
    std::vector<std::uint32_t> unplaced_;             // By class: what no machine holds.
    std::vector<std::string> reasons_;
    std::unique_ptr<Market> market_;
    Draft draft_;
    std::vector<Machine> machines_;
};

}  // namespace

Plan plan_provisioning(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    return Planner(snapshot, options).run();
}

}  // namespace joiner::plan
