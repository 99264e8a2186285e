#include "plan/provision/scarce.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <tuple>

#include "plan/provision/problem.h"

namespace joiner::plan {
namespace {

using model::PodIndex;

constexpr int kMostRounds = 24;
constexpr std::uint64_t kEffortPart = 8;  // Of the effort, for one round.
constexpr double kTimePart = 0.2;         // Of the time, likewise.
// So much that limits decide and prices only break ties. Sums of it stay exact in doubles.
constexpr double kLimitsFirst = 1e13;
// Of what the plan costs: limits that are worth less let a plan cost less.
constexpr double kMildly[] = {4, 1, 0.25};

class Scarce {
  public:
    Scarce(const model::Snapshot& snapshot, const ProvisionOptions& options, Planned known)
        : snapshot_(snapshot), options_(options), best_(std::move(known)) {
        options_.effort /= kEffortPart;
        all_seconds_ = options_.budget_seconds;
        options_.budget_seconds *= kTimePart;
        started_ = options_.clock ? options_.clock() : 0;
    }

    Planned run() {
        order_pods();
        if (best_.broken.empty() && all_wait_anyway()) return std::move(best_);
        // Of each urgency all; where that is too much, the largest number from the front of the order that
        // all get a place beside the more urgent ones that have theirs. What is less urgent changes nothing
        // for them.
        std::vector<PodIndex> placed;
        for (const std::vector<PodIndex>& tier : tiers_) {
            std::size_t fits = 0;
            std::size_t too_many = tier.size() + 1;
            for (std::size_t count = tier.size(); fits + 1 < too_many && !is_over();) {
                (try_only(with_first_of(placed, tier, count), kLimitsFirst) ? fits : too_many) = count;
                count = fits + (too_many - fits) / 2;
            }
            placed = with_first_of(placed, tier, fits);
        }
        const auto price = static_cast<double>((best_.plan.price + best_.plan.node_cost).nanos);
        for (const double part : kMildly) {
            if (!is_over()) try_only(placed, part * price);
        }
        for (Wait& wait : best_.plan.waits) {
            if (const auto it = waits_anyway_.find(wait.pod); it != waits_anyway_.end()) wait = it->second;
        }
        return std::move(best_);
    }

  private:
    bool is_over() {
        return ++rounds_ > kMostRounds ||
               (options_.clock && options_.clock() - started_ > all_seconds_ - options_.budget_seconds);
    }

    // Urgent before others; then those that need the least of what is limited. Without those that would wait
    // were there no limits.
    void order_pods() {
        Problem problem(snapshot_);
        problem.set_scarcity(kLimitsFirst);
        std::vector<double> need(snapshot_.pods.size(), -1);
        for (const PodKind& kind : problem.kinds()) {
            const double of_kind = least_need(problem, kind);
            for (const PodIndex pod : kind.pods) need[pod] = of_kind;
        }
        model::Snapshot unlimited = snapshot_;
        for (model::PoolView& pool : unlimited.pools) {
            if (!pool.is_reservation) pool.remaining.clear();
        }
        for (Wait& wait : plan_pods(unlimited, options_, {}).plan.waits) {
            need[wait.pod] = -1;
            waits_anyway_.emplace(wait.pod, std::move(wait));
        }
        std::vector<PodIndex> order;
        for (PodIndex pod = 0; pod < need.size(); ++pod) {
            if (need[pod] >= 0) order.push_back(pod);
        }
        std::sort(order.begin(), order.end(), [&](PodIndex a, PodIndex b) {
            return std::tuple(-std::int64_t{priority(a)}, need[a], a) <
                   std::tuple(-std::int64_t{priority(b)}, need[b], b);
        });
        for (const PodIndex pod : order) {
            if (tiers_.empty() || priority(tiers_.back().back()) != priority(pod)) tiers_.emplace_back();
            tiers_.back().push_back(pod);
        }
    }

    bool all_wait_anyway() const {
        return std::all_of(best_.plan.waits.begin(), best_.plan.waits.end(),
                           [&](const Wait& wait) { return waits_anyway_.contains(wait.pod); });
    }

    std::int32_t priority(PodIndex pod) const { return snapshot_.pods[pod].shape->priority; }

    static std::vector<PodIndex> with_first_of(std::vector<PodIndex> pods, const std::vector<PodIndex>& tier,
                                               std::size_t count) {
        pods.insert(pods.end(), tier.begin(), tier.begin() + static_cast<std::ptrdiff_t>(count));
        return pods;
    }

    // The part of a machine that the pod takes, times what the machine takes of the limits; the least there
    // is.
    static double least_need(const Problem& problem, const PodKind& kind) {
        double least = std::numeric_limits<double>::infinity();
        const std::size_t n = problem.dimensions();
        for (const auto& row : problem.groups()[kind.group].matches) {
            for (model::PoolIndex pool = 0; pool < problem.pools().size(); ++pool) {
                if (!row[pool].possible) continue;
                const PoolOptions& options = problem.pools()[pool];
                for (std::size_t t = 0; t < options.types.size(); ++t) {
                    if (row[pool].masks[t] == 0) continue;
                    double part = 0;
                    for (std::size_t d = 0; d < n; ++d) {
                        const double room = options.room[t * n + d];
                        if (kind.request[d] > 0)
                            part = std::max(part, room > 0 ? kind.request[d] / room
                                                           : std::numeric_limits<double>::infinity());
                    }
                    if (part <= 1) least = std::min(least, part * problem.surcharge(pool, t));
                }
            }
        }
        return least;
    }

    // Whether these all got a place, the others coming last.
    bool try_only(const std::vector<PodIndex>& pods, double scarcity) {
        Pace pace;
        pace.scarcity = scarcity;
        pace.comes_last.assign(snapshot_.pods.size(), true);
        for (const PodIndex pod : pods) pace.comes_last[pod] = false;
        Planned found = plan_pods(snapshot_, options_, pace);
        if (!found.broken.empty()) return false;
        std::vector<bool> waits(snapshot_.pods.size(), false);
        for (const Wait& wait : found.plan.waits) waits[wait.pod] = true;
        const bool all_stand =
            std::none_of(pods.begin(), pods.end(), [&](PodIndex pod) { return waits[pod]; });
        if (is_better(found)) best_ = std::move(found);
        return all_stand;
    }

    // Of plans for as many pods, one that kept what was dealt is level and the other is not.
    bool is_better(const Planned& found) const {
        if (!best_.broken.empty()) return true;
        if (found.is_as_dealt == best_.is_as_dealt || !has_as_many(found))
            return places_more_than(snapshot_, found.plan, best_.plan);
        return found.is_as_dealt;
    }

    bool has_as_many(const Planned& found) const {
        Plan a = found.plan;
        Plan b = best_.plan;
        a.price = b.price = a.node_cost = b.node_cost = {};
        return !places_more_than(snapshot_, a, b) && !places_more_than(snapshot_, b, a);
    }

    const model::Snapshot& snapshot_;
    ProvisionOptions options_;
    Planned best_;
    double started_ = 0;
    double all_seconds_ = 0;
    int rounds_ = 0;
    std::map<PodIndex, Wait> waits_anyway_;     // Were there no limits; with the reason.
    std::vector<std::vector<PodIndex>> tiers_;  // By urgency, in the order they are tried.
};

}  // namespace

bool may_be_kept_out_by_limits(const model::Snapshot& snapshot, const Plan& plan) {
    return !plan.waits.empty() && std::any_of(snapshot.pools.begin(), snapshot.pools.end(),
                                              [](const auto& pool) { return !pool.remaining.empty(); });
}

Planned plan_scarce(const model::Snapshot& snapshot, const ProvisionOptions& options, Planned known) {
    return Scarce(snapshot, options, std::move(known)).run();
}

}  // namespace joiner::plan
