#include "plan/disrupt/repack_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "api/names.h"
#include "model/capacity_mix.h"
#include "plan/disrupt/step_snapshot.h"
#include "plan/provision/launches.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using model::RoomIndex;

// Karpenter's: a single spot node is replaced by spot only where at least so many types are cheaper.
constexpr std::size_t kLeastSpotTypes = 15;
// Karpenter's balanced score: a part of the pool's price for at least half that part of its disruption.
constexpr double kLeastBalance = 0.5;
// Steps whose pods others ask about: each is held against the whole cluster, and once one is carried out the
// rest must be looked at again anyway.
constexpr std::size_t kMostDependent = 64;
// What it takes to make a step, in looks, and the part of it that grows with the cluster.
constexpr std::uint64_t kLooksOfAStep = 50'000;
constexpr std::uint64_t kLooksOfARoom = 1'000;
// A step of all that depends on one another is planned so often at most, with so much effort each time.
constexpr int kMostJointTries = 5;
constexpr std::uint64_t kEffortOfJoint = 20'000'000;

std::string nodes(std::size_t count) {
    return fmt::format("{} node{}", count, count == 1 ? "" : "s");
}

std::string why(const RepackStep& step) {
    const std::string saves = fmt::format("saves {:.4f} $ an hour", step.saving.dollars());
    if (step.evictions == 0) return fmt::format("no pod needs {}; {}", nodes(step.nodes.size()), saves);
    if (step.launches.empty())
        return fmt::format("the pods of {} fit on nodes that stay; {}", nodes(step.nodes.size()), saves);
    return fmt::format("{} become {}, {} of {} pods go to nodes that stay; {}", nodes(step.nodes.size()),
                       step.launches.size(), step.placements.size(), step.evictions, saves);
}

}  // namespace

RepackSteps::RepackSteps(const RepackQuestion& question, const RepackSearch& search,
                         const RepackOptions& options)
    : question_(question),
      search_(search),
      options_(options),
      purchases_(search.purchases()),
      pools_(question.snapshot.pools),
      mixes_(mixes_of(question.snapshot)) {
    provision_options_.max_types = options.max_types;
    for (const model::StandingPods& one : question.snapshot.standing) {
        if (one.shape != nullptr) add_repulsions(*one.shape);
    }
    std::set<const rules::PodShape*> seen;
    for (const model::PodView& pod : question.snapshot.pods) {
        if (seen.insert(pod.shape.get()).second) add_repulsions(*pod.shape);
    }
    find_parts();
    if (options.joint) gather_joint();
}

void RepackSteps::add_repulsions(const rules::PodShape& shape) {
    for (const rules::PodTerm& term : shape.constraints.anti_affinity)
        repulsions_.emplace(term.pods.key, &term.pods);
    // What is planned as a whole counts the pods that others ask for; none of them may have moved before.
    if (!options_.joint) return;
    for (const rules::PodTerm& term : shape.constraints.affinity)
        repulsions_.emplace(term.pods.key, &term.pods);
    for (const rules::SpreadTerm& term : shape.constraints.spread)
        repulsions_.emplace(term.pods.key, &term.pods);
}

void RepackSteps::find_parts() {
    const std::size_t count = question_.candidates.size();
    std::vector<std::size_t> home_of(question_.snapshot.pods.size(), 0);
    for (std::size_t v = 0; v < count; ++v) {
        for (const PodIndex pod : question_.pods[v]) home_of[pod] = v;
    }
    std::vector<std::size_t> leader(count);
    std::iota(leader.begin(), leader.end(), std::size_t{0});
    const auto find = [&](std::size_t v) {
        while (leader[v] != v) v = leader[v] = leader[leader[v]];
        return v;
    };
    for (const RepackPurchase& purchase : purchases_) {
        for (const PodIndex pod : purchase.pods) {
            const std::size_t a = find(home_of[pod]);
            const std::size_t b = find(home_of[purchase.pods.front()]);
            leader[std::max(a, b)] = std::min(a, b);
        }
    }
    std::map<std::size_t, Part> by_leader;
    for (std::size_t v = 0; v < count; ++v) {
        if (search_.leaves(v)) by_leader[find(v)].candidates.push_back(v);
    }
    for (std::size_t i = 0; i < purchases_.size(); ++i)
        by_leader[find(home_of[purchases_[i].pods.front()])].purchases.push_back(i);
    for (auto& [first, part] : by_leader) parts_.push_back(std::move(part));
    const auto rank = [&](const Part& part) {
        double gain = 0;
        double disruption = 0;
        for (const std::size_t v : part.candidates) {
            gain += static_cast<double>(question_.candidates[v].price.nanos);
            disruption += question_.candidates[v].disruption_cost;
        }
        for (const std::size_t i : part.purchases)
            gain -= search_.market()->offers()[purchases_[i].offer].price;
        return -gain / std::max(disruption, 1.0);
    };
    std::stable_sort(parts_.begin(), parts_.end(),
                     [&](const Part& a, const Part& b) { return rank(a) < rank(b); });
}

void RepackSteps::gather_joint() {
    std::erase_if(parts_, [&](const Part& part) {
        if (is_lone(pods_of(part))) return false;
        joint_.candidates.insert(joint_.candidates.end(), part.candidates.begin(), part.candidates.end());
        return true;
    });
}

std::vector<PodIndex> RepackSteps::pods_of(const Part& part) const {
    std::vector<PodIndex> out;
    for (const std::size_t v : part.candidates)
        out.insert(out.end(), question_.pods[v].begin(), question_.pods[v].end());
    std::sort(out.begin(), out.end());
    return out;
}

std::uint64_t RepackSteps::make_one() {
    if (next_ == parts_.size() && !joint_.candidates.empty()) {
        if (auto step = make_joint()) steps_.push_back(std::move(*step));
        joint_ = {};
        return kLooksOfAStep;
    }
    if (next_ == parts_.size()) return 0;
    const std::size_t dependent = dependent_;
    auto step = make(parts_[next_++]);
    if (step) {
        count_limits(*step);
        steps_.push_back(std::move(*step));
    }
    return kLooksOfAStep +
           (dependent_ - dependent) * kLooksOfARoom * std::uint64_t{question_.snapshot.rooms.size()};
}

std::vector<RepackStep> RepackSteps::take() {
    std::sort(steps_.begin(), steps_.end(), [](const RepackStep& a, const RepackStep& b) {
        const double x = static_cast<double>(a.saving.nanos) * b.disruption;
        const double y = static_cast<double>(b.saving.nanos) * a.disruption;
        return x != y ? x > y : a.nodes < b.nodes;
    });
    return std::move(steps_);
}

std::optional<RepackStep> RepackSteps::make(const Part& part) {
    RepackStep step;
    std::vector<PodIndex> pods;
    for (const std::size_t v : part.candidates) {
        const Candidate& candidate = question_.candidates[v];
        step.nodes.push_back(candidate.node);
        if (!candidate.claim.empty()) step.claims.push_back(candidate.claim);
        step.disruption += candidate.disruption_cost;
        for (const PodIndex pod : question_.pods[v]) {
            pods.push_back(pod);
            if (const BinIndex room = search_.room_of(pod); room != kNoBin)
                step.placements.push_back({pod, room});
        }
    }
    std::sort(pods.begin(), pods.end());
    std::sort(step.placements.begin(), step.placements.end(),
              [](const Placement& a, const Placement& b) { return a.pod < b.pod; });
    step.evictions = pods.size();
    step.is_independent = is_lone(pods);
    if (!step.is_independent) {
        if (dependent_ >= kMostDependent) return std::nullopt;
        ++dependent_;
    }
    const bool is_found = buy(part, step) && is_allowed(step, pods);
    if (!is_found && (step.is_independent || !plan_again(step, pods))) return std::nullopt;
    return settled(part, std::move(step), !pods.empty());
}

// Planned by the planner itself among all that stays, in the order of tries: nodes whose pods find no place
// stay with the next.
std::optional<RepackStep> RepackSteps::make_joint() {
    for (int tries = 0; tries < kMostJointTries && !joint_.candidates.empty(); ++tries) {
        RepackStep step;
        step.is_independent = false;
        for (const std::size_t v : joint_.candidates) {
            step.nodes.push_back(question_.candidates[v].node);
            if (!question_.candidates[v].claim.empty()) step.claims.push_back(question_.candidates[v].claim);
            step.disruption += question_.candidates[v].disruption_cost;
        }
        const std::vector<PodIndex> pods = pods_of(joint_);
        RepackStep all = step;
        for (const RepackStep& before : steps_)
            all.nodes.insert(all.nodes.end(), before.nodes.begin(), before.nodes.end());
        std::vector<RoomIndex> rooms;
        model::Snapshot snapshot = snapshot_of_step(question_, pools_, all, pods, rooms);
        std::map<RoomIndex, std::size_t> own;
        for (std::size_t i = 0; i < rooms.size(); ++i) own.emplace(rooms[i], i);
        for (const RepackStep& before : steps_) {
            for (const Placement& one : before.placements)
                snapshot.rooms[own.at(one.room)].free -= question_.snapshot.pods[one.pod].shape->requests;
        }
        ProvisionOptions options = provision_options_;
        options.effort = kEffortOfJoint;
        const Plan plan = plan_provisioning(snapshot, options);
        if (!plan.waits.empty()) {
            std::set<PodIndex> waiting;
            for (const Wait& wait : plan.waits) waiting.insert(pods[wait.pod]);
            std::erase_if(joint_.candidates, [&](std::size_t v) {
                return std::any_of(question_.pods[v].begin(), question_.pods[v].end(),
                                   [&](PodIndex pod) { return waiting.contains(pod); });
            });
            continue;
        }
        step.evictions = pods.size();
        for (const Placement& one : plan.placements)
            step.placements.push_back({pods[one.pod], rooms[one.room]});
        for (const Launch& launch : plan.launches) {
            Launch& mine = step.launches.emplace_back();
            mine.spec = launch.spec;
            for (const PodIndex pod : launch.pods) mine.pods.push_back(pods[pod]);
        }
        std::sort(step.nodes.begin(), step.nodes.end());
        return settled(joint_, std::move(step), !pods.empty());
    }
    return std::nullopt;
}

// The step with all that does not depend on how it was found; nullopt where it does not pay.
std::optional<RepackStep> RepackSteps::settled(const Part& part, RepackStep step, bool has_pods) {
    if (!pays(part, step) || !may_be_spot(part, step) || !keeps_balance(part, step)) return std::nullopt;
    drop_dear_types(part, step);
    if (!keeps_ratios(part, step)) return std::nullopt;
    step.reason = !has_pods ? "Empty" : "Underutilized";
    step.why = why(step);
    return step;
}

// They ask nothing of others, and nobody keeps away from them.
bool RepackSteps::is_lone(const std::vector<PodIndex>& pods) {
    return std::all_of(pods.begin(), pods.end(), [&](PodIndex pod) {
        const model::PodView& view = question_.snapshot.pods[pod];
        if (!view.shape->constraints.key.empty()) return false;
        if (repulsions_.empty()) return true;
        if (view.labels == nullptr) return false;
        const auto [it, is_new] = is_left_alone_.try_emplace(view.labels.get(), true);
        if (is_new) {
            it->second = std::none_of(repulsions_.begin(), repulsions_.end(), [&](const auto& entry) {
                return entry.second->selects(*view.labels, question_.snapshot.namespaces);
            });
        }
        return it->second;
    });
}

bool RepackSteps::buy(const Part& part, RepackStep& step) const {
    if (part.purchases.empty()) return true;
    const Market& market = *search_.market();
    Plan plan;
    std::vector<std::uint32_t> lot_of_class;
    for (LotIndex lot = 0; lot < market.lots().size(); ++lot) {
        const std::uint32_t c = market.lots()[lot].pod_class;
        if (lot_of_class.size() <= c) lot_of_class.resize(c + 1, 0);
        lot_of_class[c] = lot;
    }
    for (const std::size_t i : part.purchases) {
        DraftNode node;
        node.offer = purchases_[i].offer;
        std::map<LotIndex, std::uint32_t> counts;
        for (const PodIndex pod : purchases_[i].pods) ++counts[lot_of_class[search_.class_of(pod)]];
        for (const auto& [lot, count] : counts) node.take.push_back({lot, count});
        if (!is_buyable_machine(market, node)) return false;
        const Machine machine = to_machine(market, node);
        if (machine.offerings == 0 || machine.open == kOpenConflict) return false;
        add_launch(search_.problem(), provision_options_, machine, purchases_[i].pods, plan);
    }
    step.launches = std::move(plan.launches);
    return true;
}

bool RepackSteps::is_allowed(const RepackStep& step, const std::vector<PodIndex>& pods) const {
    return keeps_rules(question_, pools_, step, pods);
}

const rules::InstanceType* RepackSteps::type_of(model::PoolIndex pool, const std::string& name) {
    if (types_.size() <= pool) types_.resize(pool + 1);
    auto& known = types_[pool];
    if (known.empty()) {
        for (const rules::InstanceType& type : *question_.snapshot.pools[pool].types)
            known.emplace(type.name, &type);
    }
    const auto it = known.find(name);
    return it == known.end() ? nullptr : it->second;
}

// Of the offerings that the launch may become.
const rules::Offering* RepackSteps::cheapest_of(const MachineSpec& spec, const std::string& name) {
    const rules::InstanceType* type = type_of(spec.pool, name);
    if (type == nullptr) return nullptr;
    return rules::cheapest_offering(*type, spec.requirements, question_.snapshot.pools[spec.pool].well_known);
}

// By the planner itself, which knows all rules among pods.
bool RepackSteps::plan_again(RepackStep& step, const std::vector<PodIndex>& pods) const {
    std::vector<RoomIndex> rooms;
    const model::Snapshot snapshot = snapshot_of_step(question_, pools_, step, pods, rooms);
    ProvisionOptions options = provision_options_;
    options.without = {"improve"};
    const Plan plan = plan_provisioning(snapshot, options);
    if (!plan.waits.empty()) return false;
    step.placements.clear();
    step.launches.clear();
    for (const Placement& one : plan.placements) step.placements.push_back({pods[one.pod], rooms[one.room]});
    for (const Launch& launch : plan.launches) {
        Launch& mine = step.launches.emplace_back();
        mine.spec = launch.spec;
        for (const PodIndex pod : launch.pods) mine.pods.push_back(pods[pod]);
    }
    return is_allowed(step, pods);
}

// ---- whether it is worth it ----

bool RepackSteps::pays(const Part& part, RepackStep& step) const {
    double sum = 0;
    double cost = 0;  // Nano-dollars, once.
    for (const std::size_t v : part.candidates) {
        step.saving += question_.candidates[v].price;
        cost += search_.eviction_cost(v) * options_.payback_hours;
        sum -= static_cast<double>(question_.candidates[v].price.nanos) - search_.eviction_cost(v);
    }
    for (const Launch& launch : step.launches) {
        const rules::Money price = launch.spec->price + cost_besides(question_.snapshot, *launch.spec);
        step.saving -= price;
        sum += search_.launch_cost(static_cast<double>(price.nanos));
        cost += options_.overlap_hours * static_cast<double>(price.nanos);
    }
    if (step.evictions > 0 && step.saving.nanos > 0)
        step.payback = from_seconds(3600 * cost / static_cast<double>(step.saving.nanos));
    const bool are_steady = std::all_of(part.candidates.begin(), part.candidates.end(), [&](std::size_t v) {
        return question_.candidates[v].steady_for >= step.payback;
    });
    if (step.payback > options_.pays_soon && !are_steady) return false;
    if (step.evictions == 0) return step.launches.empty();
    return sum < 0;
}

// As the steps before have left it; a step that keeps them is counted.
bool RepackSteps::keeps_ratios(const Part& part, const RepackStep& step) {
    if (mixes_.empty()) return true;
    Mixes after = mixes_after(mixes_, question_.snapshot, step.launches);
    for (const std::size_t v : part.candidates) {
        const Candidate& candidate = question_.candidates[v];
        if (const auto mix = after.find(candidate.pool); mix != after.end())
            model::count_capacity(mix->second, candidate.is_spot, -candidate.milli_cores);
    }
    if (made_worse(mixes_, after) != nullptr) return false;
    mixes_ = std::move(after);
    return true;
}

bool RepackSteps::may_be_spot(const Part& part, const RepackStep& step) {
    const bool all_spot = std::all_of(part.candidates.begin(), part.candidates.end(),
                                      [&](std::size_t v) { return question_.candidates[v].is_spot; });
    if (!all_spot) return true;
    for (const Launch& launch : step.launches) {
        if (launch.spec->capacity_type != api::kSpot) continue;
        if (!options_.spot_to_spot) return false;
        if (part.candidates.size() > 1) continue;
        // The rule is about list prices.
        const Candidate& leaving = question_.candidates[part.candidates.front()];
        const rules::Money price = leaving.price - leaving.interruption_cost;
        const auto cheaper =
            std::count_if(launch.spec->types.begin(), launch.spec->types.end(), [&](const std::string& name) {
                const rules::Offering* own = cheapest_of(*launch.spec, name);
                return own != nullptr && own->price < price;
            });
        if (static_cast<std::size_t>(cheaper) < kLeastSpotTypes) return false;
    }
    return true;
}

bool RepackSteps::keeps_balance(const Part& part, const RepackStep& step) const {
    if (question_.balanced.empty() || step.evictions == 0) return true;
    std::map<std::string_view, PoolTotals> own;
    double price = 0;
    for (const std::size_t v : part.candidates) {
        const Candidate& candidate = question_.candidates[v];
        PoolTotals& totals = own[candidate.pool];
        totals.price += candidate.price;
        totals.disruption += candidate.disruption_cost;
        price += static_cast<double>(candidate.price.nanos);
    }
    return std::all_of(own.begin(), own.end(), [&](const auto& entry) {
        const auto pool = question_.balanced.find(std::string(entry.first));
        if (pool == question_.balanced.end()) return true;
        const double share = static_cast<double>(entry.second.price.nanos) / price;
        const double saved =
            static_cast<double>(step.saving.nanos) * share / static_cast<double>(pool->second.price.nanos);
        return saved >= kLeastBalance * entry.second.disruption / pool->second.disruption;
    });
}

// Should the cheapest be sold out, its stand-in must still be cheaper than what leaves.
void RepackSteps::drop_dear_types(const Part& part, RepackStep& step) {
    double leaving = 0;
    double bought = 0;
    for (const std::size_t v : part.candidates)
        leaving += static_cast<double>(question_.candidates[v].price.nanos);
    for (const Launch& launch : step.launches) bought += static_cast<double>(launch.spec->cost().nanos);
    for (Launch& launch : step.launches) {
        const model::PoolView& pool = question_.snapshot.pools[launch.spec->pool];
        const double most = static_cast<double>(launch.spec->cost().nanos) * leaving / bought;
        const bool needs_many = std::any_of(pool.requirements.begin(), pool.requirements.end(),
                                            [](const auto& one) { return one.min_values().has_value(); });
        if (needs_many) continue;
        auto spec = std::make_shared<MachineSpec>(*launch.spec);
        std::size_t kept = 1;
        for (; kept < spec->types.size(); ++kept) {
            const rules::Offering* own = cheapest_of(*spec, spec->types[kept]);
            if (own == nullptr || static_cast<double>(own->cost().nanos) >= most) break;
        }
        spec->types.resize(kept);
        launch.spec = std::move(spec);
    }
}

// Replacements come up before anything goes, so limits must hold them beside all there is.
void RepackSteps::count_limits(const RepackStep& step) {
    for (const Launch& launch : step.launches) {
        model::PoolView& pool = pools_[launch.spec->pool];
        for (auto& [name, left] : pool.remaining) {
            std::int64_t most = name == "nodes" ? 1 : 0;
            for (const std::string& type_name : launch.spec->types) {
                const rules::InstanceType* type = type_of(launch.spec->pool, type_name);
                if (type != nullptr && name != "nodes") most = std::max(most, type->capacity.get(name));
            }
            left -= most;
        }
    }
}

}  // namespace joiner::plan
