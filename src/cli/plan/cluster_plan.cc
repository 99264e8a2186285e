#include "cli/plan/cluster_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "api/names.h"
#include "cli/missing_claims.h"
#include "cli/plan/machines.h"
#include "cli/plan/stand_ins.h"
#include "cli/planning_ground.h"
#include "cli/removals.h"
#include "cli/scheduler_config.h"
#include "cli/world.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/home_pool.h"
#include "plan/provision/pool_reason.h"
#include "plan/provision/provision.h"
#include "rules/node_cost.h"

namespace joiner::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr plan::RepackOptions kWhereItEnds = {.joint = true};
// The bound of few pods gains by more; with many it takes no search to be tight.
constexpr std::uint64_t kEffortOfBound = 5'000'000;

std::string_view pool_of_claim(const model::ClaimState* claim) {
    return claim == nullptr ? std::string_view{}
                            : api::find_or_empty(claim->claim.meta.labels, api::kNodePoolLabel);
}

class ClusterPlanner {
  public:
    ClusterPlanner(World& world, Machines& machines, const PlanOptions& options, WallTime now)
        : world_(world), cluster_(world.cluster), machines_(machines), options_(options), now_(now) {}

    Result<ClusterPlan> make() {
        const auto start = Clock::now();
        const StandIns stand_ins(cluster_, machines_);
        stand_ins_ = &stand_ins;
        add_missing_claims(cluster_);
        for (const auto& [name, state] : cluster_.nodes()) places_.add(state.node);
        const PlanningGround ground = make_ground(false);
        const model::SnapshotInputs& inputs = ground.inputs();
        model::Snapshot snapshot = model::make_snapshot(cluster_, inputs);
        stand_ins.correct(snapshot);
        plan::ProvisionOptions plan_options;
        plan_options.clock = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
        plan_options.budget_seconds = options_.planning_budget_seconds;
        const plan::Plan waiting = plan::plan_provisioning(snapshot, plan_options);
        ground.warn_of_pools(snapshot, out_.warnings);
        ground.warn_of_budgets(out_.warnings);
        ground.warn_of_overlays_and_buffers(out_.warnings);
        out_.warnings.insert(out_.warnings.end(), waiting.cut_offs.begin(), waiting.cut_offs.end());

        const Removals::Facts facts{cluster_, inputs,  now_,
                                    snapshot, waiting, [&](model::Snapshot& one) { stand_ins.correct(one); }};
        Removals removals(facts);
        price_nodes(removals);
        find_keepers(removals);
        plan::Consolidatable found = removals.find_removable();
        std::erase_if(found.candidates,
                      [&](const plan::Candidate& one) { return keepers_.contains(one.node); });
        settle(found.candidates);
        std::vector<plan::Candidate> candidates = found.candidates;
        const RepackAnswer answer = removals.repack(std::move(found), kWhereItEnds);
        const std::vector<plan::RepackStep>& steps = answer.steps;
        const plan::SavedByNode saved = plan::saved_by_node(answer.question, steps);
        add_waiting(snapshot, waiting);
        const plan::HomePools homes(
            answer.question.snapshot,
            [&](model::PodIndex pod) { return prices_.at(node_of(answer.question.snapshot.pods[pod])).pool; },
            [&](std::string_view pool) { return stand_ins.sells(pool); });
        for (const plan::RepackStep& step : steps) add_step(answer.question, step, saved, homes);
        bound(facts);
        price_what_is_kept(removals, std::move(candidates), saved);
        sum_up();
        out_.warnings.insert(out_.warnings.begin(), stand_ins.warnings().begin(), stand_ins.warnings().end());
        out_.unpriced.assign(unpriced_.begin(), unpriced_.end());
        out_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        return std::move(out_);
    }

  private:
    struct PricedNode {
        std::string pool;
        rules::Money price;
    };

    PlanningGround make_ground(bool is_for_bound) {
        return PlanningGround(
            cluster_, {.types =
                           [this, is_for_bound](const api::NodePool& pool) {
                               if (const StandIn* one = stand_ins_->find(pool.meta.name))
                                   return is_for_bound ? one->types_and_seen : one->types;
                               ForSale sold = machines_.for_pool(pool, places_);
                               if (!sold.remark.empty()) warn_once(sold.remark);
                               return sold.types;
                           },
                       .labels = [this] { return machines_.labels(); },
                       .types_source = machines_.source(),
                       .nothing_sold =
                           [this](const model::PoolView& pool) {
                               const StandIn* one = stand_ins_->find(pool.name);
                               if (one != nullptr && one->kind != StandIn::Kind::kGroup) return std::string();
                               std::string why = plan::why_nothing_is_sold(pool);
                               if (why.empty()) return why;
                               return fmt::format("{} {} cannot be bought from: {}",
                                                  one == nullptr ? "NodePool" : "group", pool.name, why);
                           },
                       .default_spread = default_spread_of_scheduler(),
                       .stand_in = [this](const api::NodePool& pool) -> std::optional<bool> {
                           if (stand_ins_->find(pool.meta.name) == nullptr) return std::nullopt;
                           return stand_ins_->sells(pool.meta.name);
                       }});
    }

    static std::vector<api::TopologySpreadConstraint> default_spread_of_scheduler() {
        auto out = default_spread("", true);
        return out ? std::move(*out) : std::vector<api::TopologySpreadConstraint>{};
    }

    void warn_once(const std::string& text) {
        if (std::find(out_.warnings.begin(), out_.warnings.end(), text) == out_.warnings.end())
            out_.warnings.push_back(text);
    }

    void price_nodes(const Removals& removals) {
        unpriced_ = stand_ins_->unpriced();
        for (const auto& [name, state] : cluster_.nodes()) {
            const model::ClaimState* claim = cluster_.claim_of(state.node);
            std::string_view pool = pool_of_claim(claim);
            if (pool.empty()) pool = api::find_or_empty(state.node.meta.labels, api::kNodePoolLabel);
            const rules::Money price = removals.price_of(state);
            if (price.nanos == 0) unpriced_.insert(name);
            prices_[name] = {std::string(pool), price};
            ++out_.now.nodes;
            out_.now.price += price;
            for (const auto& [key, pod] : state.pods) out_.pods += pod->is_reschedulable() ? 1 : 0;
        }
    }

    // All that keeps each node, whatever the repack would say.
    void find_keepers(const Removals& removals) {
        for (const auto& [name, state] : cluster_.nodes()) {
            const model::ClaimState* claim = cluster_.claim_of(state.node);
            plan::Reasons reasons;
            if (claim == nullptr || !claim->is_ours) {
                reasons.push_back({.rule = plan::Rule::kPoolMissing});
            } else {
                reasons = plan::all_obstacles(cluster_, removals.finder(), removals.gate(), *claim);
            }
            if (const StandIn* one = stand_ins_->find(pool_of_claim(claim))) {
                if (one->kind != StandIn::Kind::kGroup) reasons.clear();
                for (plan::Reason& reason : obstacles_without_pool(*one, world_.pod_notes, state))
                    reasons.push_back(std::move(reason));
            }
            for (plan::Reason& reason : local_volumes(cluster_, state)) reasons.push_back(std::move(reason));
            if (!reasons.empty()) keepers_.emplace(name, std::move(reasons));
        }
    }

    // How long pods have stood where they are sets the pace, and not where it ends.
    static void settle(std::vector<plan::Candidate>& candidates) {
        for (plan::Candidate& one : candidates) one.steady_for = Duration::max();
    }

    void add_waiting(const model::Snapshot& snapshot, const plan::Plan& waiting) {
        for (const plan::Launch& launch : waiting.launches)
            add_launch(snapshot, launch, launch.spec->pool, true);
        for (const plan::Placement& one : waiting.placements)
            out_.placements[snapshot.pods[one.pod].id.full_name()] = snapshot.rooms[one.room].name;
        for (const plan::Wait& wait : waiting.waits)
            out_.unschedulable[snapshot.pods[wait.pod].id.full_name()] = wait.reason;
        out_.pods += snapshot.pods.size();
    }

    const std::string& node_of(const model::PodView& pod) const {
        return cluster_.find_pod(pod.id.full_name())->node_name;
    }

    const PlannedLaunch& add_launch(const model::Snapshot& snapshot, const plan::Launch& launch,
                                    model::PoolIndex pool_index, bool is_for_waiting) {
        const model::PoolView& pool = snapshot.pools[pool_index];
        PlannedLaunch one;
        one.pool = pool.name;
        do {
            one.name = fmt::format("{}-new-{}", pool.name, ++launched_[pool.name]);
        } while (cluster_.find_node(one.name) != nullptr);
        one.type = launch.spec->types.front();
        one.zone = launch.spec->zone == kUnknownZone ? std::string() : launch.spec->zone;
        one.capacity_type = launch.spec->capacity_type;
        one.price = launch.spec->price;
        one.cost = launch.spec->price + pool.node_cost;
        one.alternatives = launch.spec->types.size() - 1;
        one.is_for_waiting = is_for_waiting;
        for (const model::PodIndex pod : launch.pods) one.pods.push_back(snapshot.pods[pod].id.full_name());
        out_.launches.push_back(std::move(one));
        return out_.launches.back();
    }

    void add_step(const plan::RepackQuestion& question, const plan::RepackStep& step,
                  const plan::SavedByNode& saved, const plan::HomePools& homes) {
        const auto from = [&](model::PodIndex pod) { return node_of(question.snapshot.pods[pod]); };
        for (const plan::Placement& one : step.placements)
            out_.moves.push_back({question.snapshot.pods[one.pod].id.full_name(), from(one.pod),
                                  question.snapshot.rooms[one.room].name});
        for (const plan::Launch& launch : step.launches) {
            const std::string name = add_launch(question.snapshot, launch, homes.of(launch), false).name;
            for (const model::PodIndex pod : launch.pods)
                out_.moves.push_back({question.snapshot.pods[pod].id.full_name(), from(pod), name});
        }
        for (const std::string& node : step.nodes) {
            const PricedNode& priced = prices_.at(node);
            std::size_t pods = 0;
            for (const auto& [key, pod] : cluster_.find_node(node)->pods)
                pods += pod->is_reschedulable() ? 1 : 0;
            out_.removals.push_back({node, priced.pool, machine_facts(cluster_.find_node(node)->node).type,
                                     step.reason, priced.price, saved.at(node), pods});
        }
        out_.removals_save += step.saving;
    }

    // Nodes that stay whatever one decides, and those whose price nobody knows, stand on both sides.
    void bound(const Removals::Facts& facts) {
        const PlanningGround ground = make_ground(true);
        const model::SnapshotInputs& inputs = ground.inputs();
        const Removals removals(
            {facts.cluster, inputs, facts.now, facts.snapshot, facts.plan, facts.correct});
        model::ClaimNames leaving;
        std::map<std::string, model::ClaimNames> leaving_of;
        for (const auto& [name, priced] : prices_) {
            const model::ClaimState* claim = cluster_.claim_of(cluster_.find_node(name)->node);
            const StandIn* stand_in = stand_ins_->find(priced.pool);
            const bool stays = claim == nullptr || priced.price.nanos == 0 ||
                               cluster_.find_pool(priced.pool) == nullptr ||
                               (stand_in != nullptr && stand_in->kind != StandIn::Kind::kGroup);
            if (stays) {
                out_.lower_bound += priced.price;
                bounds_[priced.pool] += priced.price;
            } else {
                leaving.insert(claim->claim.meta.name);
                leaving_of[priced.pool].insert(claim->claim.meta.name);
            }
        }
        out_.lower_bound += removals.bound_of(leaving, kEffortOfBound);
        for (const auto& [pool, claims] : leaving_of)
            bounds_[pool] += removals.bound_alone(claims, kEffortOfBound / leaving_of.size());
    }

    // The repack once more, with all lifted that somebody could lift.
    void price_what_is_kept(const Removals& removals, std::vector<plan::Candidate> candidates,
                            const plan::SavedByNode& saved) {
        std::set<std::string_view> gone;
        for (const PlannedRemoval& one : out_.removals) gone.insert(one.node);
        bool is_any_lifted = false;
        for (const auto& [name, priced] : prices_) {
            if (gone.contains(name)) continue;
            plan::KeptNode kept{name, priced.pool, priced.price, {}};
            if (const auto it = keepers_.find(name); it != keepers_.end()) {
                for (const plan::Reason& reason : it->second) kept.reasons.push_back({reason});
                if (kept.can_go() && priced.price.nanos != 0) {
                    const model::ClaimState& claim = *cluster_.claim_of(cluster_.find_node(name)->node);
                    candidates.push_back(removals.finder().make(claim));
                    is_any_lifted = true;
                }
            } else {
                kept.reasons.push_back({{.rule = plan::Rule::kNoBetterPlace, .money = priced.price}});
            }
            out_.kept.push_back(std::move(kept));
        }
        if (!is_any_lifted) return;
        settle(candidates);
        lift_policies();
        plan::Consolidatable found;
        found.candidates = std::move(candidates);
        const RepackAnswer answer = removals.repack(std::move(found), kWhereItEnds);
        const std::vector<plan::RepackStep>& steps = answer.steps;
        plan::price_keepers(saved, plan::saved_by_node(answer.question, steps), out_.kept);
        for (const plan::KeptNode& one : out_.kept) out_.lifting_saves += one.cost();
    }

    // For the last question only.
    void lift_policies() {
        std::vector<api::NodePool> pools;
        for (const auto& [name, state] : cluster_.pools()) {
            if (state.pool.consolidation_policy != "WhenEmpty") continue;
            pools.push_back(state.pool);
            pools.back().consolidation_policy = "WhenEmptyOrUnderutilized";
        }
        for (api::NodePool& pool : pools) cluster_.upsert(std::move(pool));
    }

    void sum_up() {
        std::map<std::string, PoolMoney> pools;
        const auto pool = [&](const std::string& name) -> PoolMoney& {
            PoolMoney& one = pools[name];
            one.name = name;
            one.is_stand_in = stand_ins_->find(name) != nullptr;
            return one;
        };
        const auto count = [](NodesAndPrice& sum, std::int64_t nodes, rules::Money price) {
            sum.nodes += nodes;
            nodes > 0 ? sum.price += price : sum.price -= price;
        };
        for (const auto& [node, priced] : prices_) {
            count(pool(priced.pool).now, 1, priced.price);
            count(pool(priced.pool).after, 1, priced.price);
        }
        for (const PlannedRemoval& one : out_.removals) count(pool(one.pool).after, -1, one.price);
        for (const PlannedLaunch& one : out_.launches) count(pool(one.pool).after, 1, one.cost);
        for (auto& [name, one] : pools) {
            one.lower_bound = bounds_[name];
            out_.after.nodes += one.after.nodes;
            out_.after.price += one.after.price;
            out_.pools.push_back(std::move(one));
        }
        std::stable_sort(out_.pools.begin(), out_.pools.end(),
                         [](const PoolMoney& a, const PoolMoney& b) { return a.now.price > b.now.price; });
        std::sort(out_.removals.begin(), out_.removals.end(),
                  [](const PlannedRemoval& a, const PlannedRemoval& b) { return a.node < b.node; });
        std::sort(out_.moves.begin(), out_.moves.end(),
                  [](const PlannedMove& a, const PlannedMove& b) { return a.pod < b.pod; });
        // A machine may be there that no pool could buy now.
        out_.lower_bound = std::min(out_.lower_bound, out_.after.price);
    }

    World& world_;
    model::Cluster& cluster_;
    Machines& machines_;
    const PlanOptions& options_;
    const WallTime now_;
    const StandIns* stand_ins_ = nullptr;
    PoolPlaces places_;
    std::map<std::string, PricedNode, std::less<>> prices_;  // By node.
    std::map<std::string, plan::Reasons, std::less<>> keepers_;
    std::map<std::string, std::size_t> launched_;  // By pool.
    std::map<std::string, rules::Money> bounds_;   // By pool.
    std::set<std::string, std::less<>> unpriced_;
    ClusterPlan out_;
};

}  // namespace

Result<ClusterPlan> plan_cluster(const PlanOptions& options) {
    TRY(const ClusterRead read, read_cluster({.kubeconfig = options.kubeconfig,
                                              .context = options.context,
                                              .files = options.files,
                                              .is_recursive = options.is_recursive,
                                              .with = options.with}));
    return plan_cluster(read, options);
}

Result<ClusterPlan> plan_cluster(const ClusterRead& read, const PlanOptions& options) {
    TRY(Machines machines, Machines::load(options.instance_types));
    World world(rules::PreferencePolicy::kRespect);
    const WallTime now = std::chrono::system_clock::now();
    TRY_STATUS(fill_world(read.manifests, now, world));
    if (world.cluster.nodes().empty())
        return invalid(
            "there is no Node in what was read: `kubectl get nodes,pods,daemonsets,… -A -o yaml` gives all "
            "that a plan needs (docs/plan.md)");
    TRY(ClusterPlan out, ClusterPlanner(world, machines, options, now).make());
    out.not_read = read.not_read;
    out.is_live = read.is_live;
    out.made_at = now;
    out.warnings.insert(out.warnings.end(), world.warnings.begin(), world.warnings.end());
    return out;
}

}  // namespace joiner::cli
