#include "plan/provision/planner.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <tuple>
#include <utility>

#include "plan/provision/bounds.h"
#include "plan/provision/deal.h"
#include "plan/provision/draft.h"
#include "plan/provision/exact.h"
#include "plan/provision/fill.h"
#include "plan/provision/first_fit.h"
#include "plan/provision/fleet.h"
#include "plan/provision/improve.h"
#include "plan/provision/launches.h"
#include "plan/provision/market.h"
#include "plan/provision/patterns.h"
#include "plan/provision/problem.h"
#include "plan/provision/search.h"
#include "plan/provision/share_greedy.h"
#include "plan/provision/slots.h"
#include "plan/provision/stow.h"
#include "plan/provision/tiers.h"
#include "plan/provision/trial.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

double extended_resources(const std::vector<double>& request) {
    double count = 0;
    for (std::size_t d = 4; d < request.size(); ++d) count += request[d] > 0 ? 1 : 0;
    return count;
}

// Urgent before others, then large before small: what is hard to place comes first.
std::vector<std::uint32_t> placing_order(const Problem& problem) {
    std::vector<std::uint32_t> order(problem.classes().size());
    std::iota(order.begin(), order.end(), 0u);
    const auto rank = [&](std::uint32_t c) {
        const PodClass& pod_class = problem.classes()[c];
        return std::tuple(-std::int64_t{pod_class.shape->priority}, -extended_resources(pod_class.request),
                          -pod_class.request[0], -pod_class.request[1],
                          pod_class.pods.empty() ? 0 : pod_class.pods.front(), c);
    };
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
    return order;
}

// The same, and of equal urgency pods that are bound by others before those that are free: what spread asks
// about is best level before it is not, and nodes are narrower than zones.
std::vector<std::uint32_t> dealing_order(const Problem& problem) {
    std::vector<std::uint32_t> order(problem.kinds().size());
    std::iota(order.begin(), order.end(), 0u);
    const auto rank = [&](std::uint32_t k) {
        const PodKind& kind = problem.kinds()[k];
        const bool on_hosts = std::any_of(kind.rules.spread.begin(), kind.rules.spread.end(),
                                          [](const SpreadRule& rule) { return rule.key == kHostnameKey; });
        const int freedom = on_hosts                      ? 0
                            : !kind.rules.spread.empty()  ? 1
                            : !kind.rules.keys.empty()    ? 2
                            : !kind.rules.none_of.empty() ? 3
                                                          : 4;
        return std::tuple(-std::int64_t{kind.shape->priority}, freedom, -extended_resources(kind.request),
                          -kind.request[0], -kind.request[1],
                          kind.pods.empty() ? model::PodIndex{0} : kind.pods.front());
    };
    std::sort(order.begin(), order.end(),
              [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
    return order;
}

constexpr int kMaxTurns = 4;
constexpr std::size_t kManyPods = 1'000;  // Another turn takes too long then.
constexpr int kSearchBudget = 5'000;

// Of the time, for trying several shares before one plan is improved.
constexpr double kGreedyPart = 0.2;
// Of the time, for the cheapest plan of few pods.
constexpr double kExactPart = 0.4;
constexpr std::size_t kStarts = 3;
constexpr double kNoShare = std::numeric_limits<double>::infinity();
// Of the time, until rooms are filled closely.
constexpr double kStowPart = 0.5;
// Of the time, until patterns are good enough.
constexpr double kPatternsPart = 0.6;
constexpr int kPatternTurns = 100;
// Of the time, for naming the pods and checking the plan: twice what it took to read the question, since all
// of it goes by the number of pods and the speed of the machine.
constexpr double kNamingOfReading = 2;
constexpr double kLeastNamingPart = 0.05;
constexpr double kMostNamingPart = 0.3;
// Before that, for a bound that looks at more than sums.
constexpr double kBoundPart = 0.15;

class Planner {
  public:
    Planner(const model::Snapshot& snapshot, const ProvisionOptions& options, const Pace& pace)
        : options_(options), started_(now()), problem_(snapshot) {
        problem_.set_scarcity(pace.scarcity);
        if (!pace.comes_last.empty()) hold_back(pace.comes_last);
    }

    // A plan that regards no price; what it lets in, the scheduler would let in at that moment.
    Plan run_first_fit() {
        find_kinds();
        plan_ = baseline(all_pods());
        plan_.lower_bound = plan::lower_bound(problem_, count_all_but(waiting()), known_plan());
        return std::move(plan_);
    }

    Planned run() {
        struct Pass {
            std::string_view name;
            void (Planner::*run)();
        };
        // In this order; a pass that has nothing to do returns at once.
        static constexpr Pass kPasses[] = {
            {"deal", &Planner::deal_out}, {"rooms", &Planner::fill_rooms},   {"patterns", &Planner::repeat},
            {"greedy", &Planner::greedy}, {"fill", &Planner::fill},          {"improve", &Planner::improve},
            {"bound", &Planner::bound},   {"first fit", &Planner::fit_rest}, {"launches", &Planner::launch},
            {"verify", &Planner::verify},
        };
        find_kinds();
        for (const Pass& pass : kPasses) {
            if (std::find(options_.without.begin(), options_.without.end(), pass.name) !=
                options_.without.end())
                continue;
            const double start = now();
            (this->*pass.run)();
            plan_.passes.push_back({pass.name, now() - start, price()});
        }
        out_.plan = std::move(plan_);
        out_.seconds = now() - started_;
        return std::move(out_);
    }

  private:
    // The others are planned as if these were not there.
    void hold_back(const std::vector<bool>& comes_last) {
        for (std::uint32_t k = 0; k < problem_.kinds().size(); ++k) {
            for (const model::PodIndex pod : problem_.kinds()[k].pods) {
                if (comes_last[pod]) held_.push_back(pod);
            }
        }
        held_of_.assign(comes_last.size(), 0);
        for (std::uint32_t k = 0; k < problem_.kinds().size(); ++k) {
            for (const model::PodIndex pod : problem_.kinds()[k].pods) held_of_[pod] = k;
        }
        problem_.take_out(comes_last);
    }

    double now() const { return options_.clock ? options_.clock() : 0; }
    bool is_late(double part) const {
        return options_.clock && now() - started_ > part * options_.budget_seconds;
    }
    // Or to do what takes so much of the time before that.
    bool is_time_to_name(double before = 0) const {
        return options_.clock && now() - started_ > (1 - before) * options_.budget_seconds - naming_seconds_;
    }
    void note_first_plan() {
        if (!has_plan_) plan_.first_plan_seconds = now() - started_;
        has_plan_ = true;
    }

    rules::Money price() const {
        rules::Money sum = plan_.price + plan_.node_cost;
        if (!plan_.launches.empty()) return sum;
        for (const Machine& machine : machines_) {
            const rules::Money one = price_of(problem_, machine);
            sum.nanos += one.nanos * machine.times;
        }
        return sum;
    }

    std::size_t machine_count() const {
        std::size_t out = plan_.launches.size();
        for (const Machine& machine : machines_) out += plan_.launches.empty() ? machine.times : 0;
        return out;
    }

    void find_kinds() {
        kind_of_ = held_of_;
        kind_of_.resize(problem_.snapshot().pods.size(), 0);
        for (std::uint32_t k = 0; k < problem_.kinds().size(); ++k) {
            for (const model::PodIndex pod : problem_.kinds()[k].pods) kind_of_[pod] = k;
        }
        kind_order_ = dealing_order(problem_);
    }

    void deal_out() {
        trial_ = std::make_unique<Trial>(problem_, options_);
        deal_ = deal(*trial_, kind_order_);
        for (const PodClass& pod_class : problem_.classes()) {
            left_.push_back(pod_class.pods);
            counts_.push_back(static_cast<std::uint32_t>(pod_class.pods.size()));
        }
        unplaced_ = counts_;
        order_ = placing_order(problem_);
        tiers_ = make_tiers(problem_);
        naming_seconds_ =
            std::clamp(kNamingOfReading * (now() - started_), kLeastNamingPart * options_.budget_seconds,
                       kMostNamingPart * options_.budget_seconds);
    }

    // Where machines have to be bought as well, those go to rooms that are worth the most there.
    void fill_rooms() {
        if (std::all_of(counts_.begin(), counts_.end(), [](std::uint32_t count) { return count == 0; }))
            return;
        const std::vector<Bin> bins = deal_.rooms_are_open ? find_bins(*trial_, counts_) : std::vector<Bin>{};
        market_ = std::make_unique<Market>(problem_, tiers_, counts_, bins);
        if (market_->dimensions() > Packer::kMaxDimensions || market_->lots().empty()) {
            market_.reset();
            return;
        }
        stowed_ = stow(*market_, options_.effort / 50);
        keep_stowed(stowed_);
    }

    void keep_stowed(const std::vector<DraftNode>& nodes) {
        in_rooms_.clear();
        for (const DraftNode& node : nodes) {
            if (!market_->is_bin(node.offer)) continue;
            for (const Take& take : node.take)
                in_rooms_.push_back(
                    {market_->room_of_bin(node.offer), market_->lots()[take.lot].pod_class, take.count});
        }
        std::sort(in_rooms_.begin(), in_rooms_.end());
    }

    // By price alone, for pods that all go to their first choice.
    void greedy() {
        if (market_ == nullptr || !draft_.nodes.empty()) return;
        const auto is_late_for_exact = [this] { return is_late(kExactPart); };
        if (auto best = cheapest_draft(*market_, stowed_, options_.effort / 4, is_late_for_exact)) {
            // With rooms, others might have been chosen for those.
            is_cheapest_ = keep_better(*std::move(best)) && market_->bins() == 0;
            if (is_cheapest_) return adopt(std::move(draft_));
        }
        ShareGreedy greedy(*market_);
        // Where rooms are filled anew, the first plan need only be one.
        try_shares(greedy, stowed_, market_->bins() > 0 ? 0 : kGreedyPart);
        if (draft_.nodes.empty()) return;
        if (market_->bins() > 0 && draft_.price > 0) {
            const auto is_late = [this] { return this->is_late(kStowPart); };
            close_stower_ = std::make_unique<CloseStower>(*market_, options_.effort / 3);
            if (close_stower_->is_of_use()) {
                first_draft_ = std::exchange(draft_, {});
                try_shares(greedy, close_stower_->run(is_late), kStowPart);
                // How well whole machines come out is chance, and for the search to mend.
                if (draft_.nodes.empty() ||
                    cost_outside(*market_, first_draft_.nodes) < cost_outside(*market_, draft_.nodes))
                    std::swap(draft_, first_draft_);
            }
        }
        adopt(std::move(draft_));
    }

    void try_shares(ShareGreedy& greedy, const std::vector<DraftNode>& stowed, double part) {
        const std::uint64_t looks = greedy.looks();
        const auto is_over = [&] {
            return !draft_.nodes.empty() && (greedy.looks() - looks > options_.effort / 5 || is_late(part));
        };
        for (const Draft& begun : fill_fleets(*market_, stowed, options_.effort / 5)) {
            for (const double share : {3.0, kNoShare}) {
                if (!is_over()) keep_better(greedy.run(share, begun));
            }
        }
        // No share is the best for all; the first is the best for most.
        for (const double share : {3.0, kNoShare, 5.0, 2.0, 4.0, 6.0, 8.0}) {
            if (is_over() || (!keep_better(greedy.run(share, {stowed, 0, false})) && draft_.nodes.empty()))
                return;
        }
    }

    // False where it is none to keep.
    bool keep_better(Draft draft) {
        if (!draft.is_complete || !is_sound(*market_, draft, options_.min_values_policy)) return false;
        note_first_plan();
        if (draft_.nodes.empty() || is_better(draft, draft_)) draft_ = draft;
        keep_start(std::move(draft));
        return true;
    }

    // The best few, each price once.
    void keep_start(Draft draft) {
        const auto at = std::find_if(starts_.begin(), starts_.end(),
                                     [&](const Draft& other) { return draft.price <= other.price; });
        if (at != starts_.end() && at->price == draft.price) return;
        starts_.insert(at, std::move(draft));
        if (starts_.size() > kStarts) starts_.pop_back();
    }

    // Where caps set the number of machines.
    void repeat() {
        if (market_ == nullptr) return;
        Patterns patterns(*market_, stowed_);
        if (!patterns.are_of_use()) return;
        PatternOptions pattern_options;
        // A plan to have first, then the one to have. The first is bounded by its effort alone: rounding what
        // no pattern was found for takes far longer than finding some.
        for (const bool is_first : {true, false}) {
            if (!is_first && is_late(kPatternsPart)) break;
            if (!is_first && options_.clock)
                pattern_options.is_late = [this] { return is_late(kPatternsPart); };
            pattern_options.effort = options_.effort / (is_first ? 20 : 3);
            pattern_options.turns = is_first ? 0 : kPatternTurns;
            keep_better(patterns.run(pattern_options));
        }
        known_patterns_ = patterns.known();
        if (!draft_.nodes.empty()) adopt(std::move(draft_));
    }

    // By urgency and size, with every fall-back: for what price alone could not place.
    void fill() {
        const bool is_needed = draft_.nodes.empty();
        if (is_needed) {
            for (const auto& [room, c, count] : in_rooms_) unplaced_[c] -= count;
        } else {
            for (const Lot& lot : market_->lots()) unplaced_[lot.pod_class] -= lot.count;
        }
        std::vector<Machine> filled = fill_machines(problem_, tiers_, options_, order_, unplaced_);
        if (!is_needed) return;
        machines_ = std::move(filled);
        note_first_plan();
    }

    void bound() {
        if (close_stower_ && close_stower_->is_of_use())
            known_prices_ = close_stower_->prices([this] { return is_time_to_name(); });
        plan_.lower_bound =
            plan::lower_bound(problem_, count_placed(), known_plan(), [this] { return is_time_to_name(); });
    }

    KnownPlan known_plan() const { return {price(), machine_count(), known_patterns_, known_prices_}; }

    // Pods that have a place, wherever their topology was settled to.
    std::vector<std::uint32_t> count_placed() {
        std::vector<bool> is_unplaced(kind_of_.size(), false);
        for (const auto& [pod, reason] : problem_.rejected()) is_unplaced[pod] = true;
        for (const model::PodIndex pod : deal_.later) is_unplaced[pod] = true;
        for (std::size_t c = 0; c < left_.size(); ++c) {
            const std::size_t placed = left_[c].size() - unplaced_[c];
            for (std::size_t i = placed; i < left_[c].size(); ++i) is_unplaced[left_[c][i]] = true;
        }
        return count_all_but(is_unplaced);
    }

    // By class.
    std::vector<std::uint32_t> count_all_but(const std::vector<bool>& left_out) {
        std::vector<std::uint32_t> counts;
        for (std::uint32_t k = 0; k < problem_.kinds().size(); ++k) {
            const std::uint32_t c = problem_.class_of(k, {});
            if (counts.size() <= c) counts.resize(c + 1, 0);
            const auto& pods = problem_.kinds()[k].pods;
            counts[c] += static_cast<std::uint32_t>(
                std::count_if(pods.begin(), pods.end(), [&](model::PodIndex pod) { return !left_out[pod]; }));
        }
        return counts;
    }

    // Then each has the cheapest machine by now.
    bool is_each_pod_alone() const {
        Slots slots(*market_);
        double pods = 0;
        for (LotIndex lot = 0; lot < market_->lots().size(); ++lot) {
            slots.add(lot, market_->lots()[lot].count);
            pods += market_->lots()[lot].count;
        }
        return slots.needed() >= pods;
    }

    void improve() {
        if (draft_.nodes.empty() || is_cheapest_) return;
        if (!is_each_pod_alone()) improve_starts();
        adopt(std::move(is_better(first_draft_, draft_) ? first_draft_ : draft_));
    }

    // From the best start, then from others as time allows: how a search ends is partly chance.
    void improve_starts() {
        ImproveOptions improve_options;
        improve_options.seed = options_.seed;
        improve_options.min_values_policy = options_.min_values_policy;
        improve_options.effort = options_.effort;
        improve_options.good_enough =
            static_cast<double>(quick_lower_bound(problem_, count_placed(), known_plan()).nanos) *
            options_.good_enough;
        const bool bound_takes_long =
            !known_patterns_.patterns.empty() || (close_stower_ && close_stower_->may_know_better());
        const double before = bound_takes_long ? kBoundPart : 0;
        if (options_.clock) improve_options.is_late = [this, before] { return is_time_to_name(before); };
        const double first = draft_.price;
        draft_ = plan::improve(*market_, std::move(draft_), improve_options);
        for (Draft& start : starts_) {
            if (start.price == first) continue;
            if (draft_.price <= improve_options.good_enough ||
                (improve_options.is_late && improve_options.is_late()))
                return;
            ++improve_options.seed;
            Draft other = plan::improve(*market_, std::move(start), improve_options);
            if (is_better(other, draft_)) draft_ = std::move(other);
        }
    }

    void adopt(Draft draft) {
        draft_ = std::move(draft);
        machines_.clear();
        keep_stowed(draft_.nodes);
        for (const DraftNode& node : draft_.nodes) {
            if (market_->is_bin(node.offer)) continue;
            Machine machine = to_machine(*market_, node);
            if (options_.min_values_policy == MinValuesPolicy::kBestEffort)
                machine.min_values_relaxed =
                    has_min_values(problem_, machine.pool) &&
                    !meets_min_values(problem_, machine.pool, stand_ins(problem_, machine));
            machines_.push_back(std::move(machine));
        }
    }

    // What fits no mould, and what the fill could not place, beside all that stands by now.
    void fit_rest() {
        settle_rooms();
        std::vector<std::size_t> placed(left_.size(), 0);
        for (const Machine& machine : machines_) {
            for (const auto& [c, count] : machine.take) placed[c] += std::size_t{count} * machine.times;
        }
        std::vector<model::PodIndex> rest;
        for (std::size_t c = 0; c < left_.size(); ++c)
            rest.insert(rest.end(), left_[c].begin() + static_cast<std::ptrdiff_t>(placed[c]),
                        left_[c].end());
        for (const model::PodIndex pod : rest) {
            trial_->count_at(kind_of_[pod], deal_.domains[deal_.domains_of[pod]], -1);
            out_.is_as_dealt = out_.is_as_dealt && problem_.kinds()[kind_of_[pod]].rules.keys.empty();
        }
        rest.insert(rest.end(), deal_.later.begin(), deal_.later.end());
        problem_.put_back(held_, kind_of_);
        rest.insert(rest.end(), held_.begin(), held_.end());
        has_rest_ = !rest.empty();
        if (!has_rest_) return;
        std::vector<std::uint32_t> rank(problem_.kinds().size());
        for (std::uint32_t i = 0; i < kind_order_.size(); ++i) rank[kind_order_[i]] = i;
        std::vector<bool> is_held(kind_of_.size(), false);
        for (const model::PodIndex pod : held_) is_held[pod] = true;
        std::sort(rest.begin(), rest.end(), [&](model::PodIndex a, model::PodIndex b) {
            return std::tuple(is_held[a], rank[kind_of_[a]], a) <
                   std::tuple(is_held[b], rank[kind_of_[b]], b);
        });
        hand_to_trial();
        waits_ = best_fit(*trial_, rest, kind_of_);
    }

    // Pods by name; the oldest of each class go to rooms.
    void settle_rooms() {
        std::vector<std::size_t> next(left_.size(), 0);
        for (const auto& [room, c, count] : in_rooms_) {
            for (std::uint32_t i = 0; i < count; ++i) {
                const model::PodIndex pod = left_[c][next[c]++];
                trial_->put(kind_of_[pod], room, pod);
            }
        }
        for (std::size_t c = 0; c < left_.size(); ++c)
            left_[c].erase(left_[c].begin(), left_[c].begin() + static_cast<std::ptrdiff_t>(next[c]));
    }

    // The machines so far become the trial's, with their pods by name.
    void hand_to_trial() {
        std::vector<std::size_t> next(left_.size(), 0);
        for (const Machine& machine : machines_) {
            for (std::uint32_t i = 0; i < machine.times; ++i) {
                std::vector<model::PodIndex> pods;
                Domains at = trial_->nowhere();
                for (const auto& [c, count] : machine.take) {
                    for (std::uint32_t k = 0; k < count; ++k) {
                        pods.push_back(left_[c][next[c]++]);
                        const Domains& own = deal_.domains[deal_.domains_of[pods.back()]];
                        for (KeyId key = 1; key < own.size(); ++key) at[key] = std::max(at[key], own[key]);
                        // As it was dealt; now it is known which node it is.
                        trial_->count_at(kind_of_[pods.back()], own, -1);
                    }
                }
                trial_->adopt(machine, std::move(pods), kind_of_, at);
            }
        }
        machines_.clear();
    }

    void launch() {
        plan_.placements = trial_->placements();
        for (const auto& [pod, reason] : problem_.rejected()) plan_.waits.push_back({pod, reason});
        plan_.waits.insert(plan_.waits.end(), waits_.begin(), waits_.end());
        make_launches(problem_, options_, machines_, left_, plan_);
        for (const Opened& opened : trial_->opened())
            add_launch(problem_, options_, opened.machine, opened.pods, plan_);
        sort_waits(plan_);
    }

    static void sort_waits(Plan& plan) {
        std::sort(plan.waits.begin(), plan.waits.end(),
                  [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
    }

    Plan make_plan(const Trial& trial, std::vector<Wait> waits) const {
        Plan out;
        out.waits = std::move(waits);
        for (const auto& [pod, reason] : problem_.rejected()) out.waits.push_back({pod, reason});
        out.placements = trial.placements();
        for (const Opened& opened : trial.opened())
            add_launch(problem_, options_, opened.machine, opened.pods, out);
        sort_waits(out);
        return out;
    }

    // Everything by first fit: valid at every step.
    Plan baseline(const std::vector<model::PodIndex>& pods) {
        Trial trial(problem_, options_);
        std::vector<Wait> waits = best_fit(trial, pods, kind_of_);
        Plan out = make_plan(trial, std::move(waits));
        drop_violations(problem_.snapshot(), out);
        return out;
    }

    std::vector<model::PodIndex> all_pods() const {
        std::vector<model::PodIndex> pods;
        for (const std::uint32_t k : kind_order_)
            pods.insert(pods.end(), problem_.kinds()[k].pods.begin(), problem_.kinds()[k].pods.end());
        return pods;
    }

    // Pods that break a rule are for the caller to hold back. Where pods wait which another order, or a
    // search where they are few, finds a place for, that plan is taken.
    void verify() {
        for (const Violation& one : check_plan(problem_.snapshot(), plan_)) out_.broken.push_back(one.pod);
        if (!out_.broken.empty()) return;
        const bool some_ask = std::any_of(problem_.kinds().begin(), problem_.kinds().end(),
                                          [](const PodKind& kind) { return !kind.rules.empty(); });
        if (some_wait() && some_ask) look_for_places();
        if (some_ask || has_rest_) look_for_less();
        if (some_wait() && some_ask) {
            plan_.lower_bound = plan::lower_bound(problem_, count_all_but(waiting()), known_plan());
        } else if (has_rest_) {
            plan_.lower_bound = plan::lower_bound(problem_, count_all_but(waiting()), known_plan(),
                                                  [this] { return is_time_to_name(); });
        }
        if (trial_->is_cut())
            plan_.cut_offs.push_back(
                "pods whose rules name several topology keys were tried in the likeliest combinations of "
                "their "
                "values only");
    }

    void look_for_places() {
        std::vector<model::PodIndex> pods = all_pods();
        if (Plan other = baseline(pods); places_more(other)) take(std::move(other));
        // Those left over go first, as long as that helps.
        const int turns = pods.size() <= kManyPods ? kMaxTurns : 0;
        for (int turn = 0; turn < turns && some_wait(); ++turn) {
            std::vector<bool> waits = waiting();
            std::stable_partition(pods.begin(), pods.end(), [&](model::PodIndex pod) { return waits[pod]; });
            Plan other = baseline(pods);
            if (!places_more(other)) break;
            take(std::move(other));
        }
        if (some_wait()) search_all(std::move(pods));
    }

    bool some_wait() const { return plan_.waits.size() > problem_.rejected().size(); }
    std::vector<bool> waiting() const {
        std::vector<bool> out(kind_of_.size(), false);
        for (const Wait& wait : plan_.waits) out[wait.pod] = true;
        return out;
    }

    void search_all(std::vector<model::PodIndex> pods) {
        Trial trial(problem_, options_);
        std::erase_if(pods, [&](model::PodIndex pod) { return is_hopeless(trial, kind_of_[pod]); });
        const std::vector<bool> waits = waiting();
        const auto placed = static_cast<std::size_t>(
            std::count_if(pods.begin(), pods.end(), [&](model::PodIndex pod) { return !waits[pod]; }));
        if (pods.size() > kMaxSearchedPods || placed == pods.size()) return;
        std::map<model::PodIndex, Wait> known;
        for (const Wait& wait : plan_.waits) known.emplace(wait.pod, wait);
        search(trial, pods, kind_of_, placed, kSearchBudget, [&](const std::vector<model::PodIndex>& left) {
            std::vector<Wait> others;
            for (model::PodIndex pod = 0; pod < kind_of_.size(); ++pod) {
                const bool is_left = std::find(left.begin(), left.end(), pod) != left.end();
                const bool is_out = waits[pod] && std::find(pods.begin(), pods.end(), pod) == pods.end();
                if (!is_rejected(pod) && (is_left || is_out)) {
                    const auto it = known.find(pod);
                    others.push_back(it != known.end() ? it->second
                                                       : Wait{pod, "other pods leave no place for it"});
                }
            }
            Plan other = make_plan(trial, std::move(others));
            if (!check_plan(problem_.snapshot(), other).empty() || !places_more(other)) return false;
            take(std::move(other));
            return true;
        });
    }

    // Few pods are tried in every place: first fit and the dealing of zones look at no price.
    void look_for_less() {
        std::vector<model::PodIndex> pods = all_pods();
        const std::vector<bool> waits = waiting();
        std::erase_if(pods, [&](model::PodIndex pod) { return waits[pod]; });
        if (pods.size() > kMaxSearchedPods || price() <= plan_.lower_bound) return;
        Trial trial(problem_, options_);
        search_cheaper(trial, pods, kind_of_, price(), kSearchBudget, [&] {
            Plan other = make_plan(trial, waits_left());
            if (!check_plan(problem_.snapshot(), other).empty() || !places_more(other)) return false;
            take(std::move(other));
            return true;
        });
    }

    // Without those that no plan can place.
    std::vector<Wait> waits_left() const {
        std::vector<Wait> out = plan_.waits;
        std::erase_if(out, [this](const Wait& wait) { return is_rejected(wait.pod); });
        return out;
    }

    bool is_rejected(model::PodIndex pod) const {
        return std::any_of(problem_.rejected().begin(), problem_.rejected().end(),
                           [&](const auto& one) { return one.first == pod; });
    }

    // No machine and no room would hold a pod of the kind, were it alone.
    bool is_hopeless(Trial& trial, std::uint32_t k) {
        if (problem_.some_machine_holds(problem_.classes()[problem_.class_of(k, {})])) return false;
        for (Place room = 0; room < trial.rooms(); ++room) {
            if (trial.how_many_fit(k, room) > 0 && trial.admits(k, room)) return false;
        }
        return true;
    }

    void take(Plan other) {
        plan_.waits = std::move(other.waits);
        plan_.launches = std::move(other.launches);
        plan_.placements = std::move(other.placements);
        plan_.price = other.price;
        plan_.node_cost = other.node_cost;
    }

    bool places_more(const Plan& other) const { return places_more_than(problem_.snapshot(), other, plan_); }

    const ProvisionOptions& options_;
    double started_;
    Problem problem_;
    Plan plan_;
    Planned out_;
    bool has_rest_ = false;               // First fit placed some.
    std::vector<model::PodIndex> held_;   // They come last.
    std::vector<std::uint32_t> held_of_;  // By pod: its kind, where some are held.
    double naming_seconds_ = 0;
    std::vector<std::uint32_t> kind_of_;  // By pod.
    std::vector<std::uint32_t> kind_order_;
    std::unique_ptr<Trial> trial_;
    Deal deal_;
    std::vector<std::uint32_t> order_;
    std::vector<Tiers> tiers_;
    std::vector<std::vector<model::PodIndex>> left_;  // By class: without a place yet.
    std::vector<std::uint32_t> counts_;               // By class: what no room held.
    std::vector<std::uint32_t> unplaced_;             // By class: what no machine holds.
    std::vector<Wait> waits_;
    std::unique_ptr<Market> market_;
    std::vector<DraftNode> stowed_;
    std::unique_ptr<CloseStower> close_stower_;
    using InRoom = std::tuple<model::RoomIndex, std::uint32_t, std::uint32_t>;  // With class and count.
    std::vector<InRoom> in_rooms_;
    Draft draft_;
    bool is_cheapest_ = false;   // The draft is, of all there are.
    std::vector<Draft> starts_;  // The best of them first.
    Draft first_draft_;          // Or another whole one that the search did not begin with.
    bool has_plan_ = false;
    KnownPatterns known_patterns_;
    KnownPrices known_prices_;
    std::vector<Machine> machines_;
};

}  // namespace

Planned plan_pods(const model::Snapshot& snapshot, const ProvisionOptions& options, const Pace& pace) {
    return Planner(snapshot, options, pace).run();
}

Plan plan_by_first_fit(const model::Snapshot& snapshot, const ProvisionOptions& options) {
    return Planner(snapshot, options, {}).run_first_fit();
}

bool places_more_than(const model::Snapshot& snapshot, const Plan& a, const Plan& b) {
    const auto count = [&](const Plan& plan) {
        std::map<std::int32_t, std::size_t, std::greater<>> out;
        for (const Wait& wait : plan.waits) ++out[snapshot.pods[wait.pod].shape->priority];
        return out;
    };
    auto of_a = count(a);
    auto of_b = count(b);
    for (const auto& [priority, waits] : of_a) of_b.try_emplace(priority, 0);
    for (const auto& [priority, waits] : of_b) {
        if (of_a[priority] != waits) return of_a[priority] < waits;
    }
    return (a.price + a.node_cost) < (b.price + b.node_cost);
}

}  // namespace joiner::plan
