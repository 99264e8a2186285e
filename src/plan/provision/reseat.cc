#include "plan/provision/reseat.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "api/names.h"
#include "plan/provision/planner.h"
#include "plan/verify/checker.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using rules::Requirement;

// Pods held against the rules, a plan at a time, and as many for a machine that is looked for.
constexpr std::int64_t kEffort = 100'000;
constexpr std::int64_t kEffortOfMachine = 200;
// Machines of the plan that could hold one pod more.
constexpr std::size_t kMostJoined = 64;

constexpr std::size_t kMostCorners = 64;

// Labels of a node to buy: zone and capacity type, and other labels that pods' rules look at.
using Corner = std::map<std::string, std::string>;

using Values = std::map<std::string, std::set<std::string>>;  // By key.

// Topology keys of pods' rules, and what values pools offer.
Values other_keys(const model::Snapshot& snapshot) {
    std::set<std::string> asked;
    const auto ask = [&](const rules::PodShape* shape) {
        if (shape == nullptr) return;
        for (const auto* terms : {&shape->constraints.affinity, &shape->constraints.anti_affinity}) {
            for (const rules::PodTerm& term : *terms) asked.insert(term.topology_key);
        }
        for (const rules::SpreadTerm& term : shape->constraints.spread) asked.insert(term.topology_key);
    };
    for (const model::PodView& pod : snapshot.pods) ask(pod.shape.get());
    for (const model::StandingPods& standing : snapshot.standing) ask(standing.shape.get());
    Values out;
    for (const std::string& key : asked) {
        if (key == api::kHostnameLabel || key == api::kZoneLabel || key == api::kCapacityTypeLabel) continue;
        for (const model::PoolView& pool : snapshot.pools) {
            const Requirement* offered = pool.requirements.find(key);
            if (offered != nullptr && !offered->is_complement())
                out[key].insert(offered->values().begin(), offered->values().end());
        }
    }
    return out;
}

std::set<Corner> corners_of(const model::Snapshot& snapshot, const Values& other_keys) {
    std::set<Corner> out;
    for (const model::PoolView& pool : snapshot.pools) {
        if (pool.types == nullptr) continue;
        for (const rules::InstanceType& type : *pool.types) {
            for (const rules::Offering& offering : type.offerings) {
                if (!offering.available) continue;
                out.insert(
                    Corner{{std::string(api::kZoneLabel), std::string(offering.zone())},
                           {std::string(api::kCapacityTypeLabel), std::string(offering.capacity_type())}});
            }
        }
    }
    for (const auto& [key, values] : other_keys) {
        if (out.size() * values.size() > kMostCorners) continue;
        for (const Corner& corner : std::set<Corner>(out)) {
            for (const std::string& value : values) {
                Corner narrower = corner;
                narrower.emplace(key, value);
                out.insert(std::move(narrower));
            }
        }
    }
    return out;
}

class Reseat {
  public:
    Reseat(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan, Order order)
        : snapshot_(snapshot),
          options_(options),
          plan_(plan),
          order_(order),
          other_keys_(other_keys(snapshot)),
          corners_(corners_of(snapshot, other_keys_)),
          started_(options.clock ? options.clock() : 0) {}

    void place(PodIndex pod) {
        const auto wait = std::find_if(plan_.waits.begin(), plan_.waits.end(),
                                       [&](const Wait& one) { return one.pod == pod; });
        if (wait == plan_.waits.end()) return;
        Wait kept = std::move(*wait);
        plan_.waits.erase(wait);
        if (!place_in_room(pod) && !place_on_machine(pod)) {
            plan_.waits.push_back(std::move(kept));
            std::sort(plan_.waits.begin(), plan_.waits.end(),
                      [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
        }
    }

  private:
    // Too much is tried already, or the time is gone.
    bool is_over() const {
        return effort_ <= 0 || (options_.clock && options_.clock() - started_ > options_.budget_seconds);
    }

    bool is_valid() {
        effort_ -= static_cast<std::int64_t>(snapshot_.pods.size());
        return check_plan(snapshot_, plan_, order_).empty();
    }

    bool place_in_room(PodIndex pod) {
        for (model::RoomIndex room = 0; room < snapshot_.rooms.size() && !is_over(); ++room) {
            if (!rules::fits(snapshot_.pods[pod].shape->requests, snapshot_.rooms[room].free)) continue;
            const std::vector<Placement> before = plan_.placements;
            const auto at = std::find_if(plan_.placements.begin(), plan_.placements.end(),
                                         [&](const Placement& one) { return one.pod > pod; });
            plan_.placements.insert(at, {pod, room});
            if (is_valid()) return true;
            plan_.placements = before;
        }
        return false;
    }

    // A machine of the plan with one pod more, or one of its own.
    struct Choice {
        std::int64_t more = 0;       // It costs so much more, in nano-dollars an hour.
        std::size_t instead_of = 0;  // Of the plan's launches; one past the last: a new one.
        Launch launch;
    };

    bool place_on_machine(PodIndex pod) {
        std::vector<Choice> choices;
        const std::size_t launches = plan_.launches.size();
        for (std::size_t i = 0; i < std::min(launches, kMostJoined); ++i) {
            const Launch& launch = plan_.launches[i];
            std::vector<PodIndex> pods = launch.pods;
            pods.push_back(pod);
            auto larger = machine_for(std::move(pods), corner_of(*launch.spec), launch.spec->pool);
            if (larger) choices.push_back({cost_of(*larger) - cost_of(launch), i, *std::move(larger)});
        }
        for (const Corner& corner : corners_) {
            if (auto own = machine_for({pod}, corner, std::nullopt))
                choices.push_back({cost_of(*own), launches, *std::move(own)});
        }
        std::stable_sort(choices.begin(), choices.end(),
                         [](const Choice& a, const Choice& b) { return a.more < b.more; });
        for (Choice& choice : choices) {
            if (is_over()) return false;
            if (choice.instead_of == launches) plan_.launches.emplace_back();
            std::swap(plan_.launches[choice.instead_of], choice.launch);
            if (is_valid()) {
                set_price();
                return true;
            }
            std::swap(plan_.launches[choice.instead_of], choice.launch);
            plan_.launches.resize(launches);
        }
        return false;
    }

    Corner corner_of(const MachineSpec& spec) const {
        Corner out{{std::string(api::kZoneLabel), spec.zone},
                   {std::string(api::kCapacityTypeLabel), spec.capacity_type}};
        for (const auto& [key, values] : other_keys_) {
            const Requirement* own = spec.requirements.find(key);
            if (own != nullptr && own->is_single()) out.emplace(key, own->values().front());
        }
        return out;
    }

    std::int64_t cost_of(const Launch& launch) const {
        return (launch.spec->price + cost_besides(snapshot_, *launch.spec)).nanos;
    }

    void set_price() {
        plan_.price = {};
        plan_.node_cost = {};
        for (const Launch& launch : plan_.launches) {
            plan_.price += launch.spec->price;
            plan_.node_cost += cost_besides(snapshot_, *launch.spec);
        }
    }

    // The machine that would be bought there for just these pods, if they asked nothing of others.
    std::optional<Launch> machine_for(std::vector<PodIndex> pods, const Corner& corner,
                                      std::optional<model::PoolIndex> only_pool) {
        if (is_over()) return std::nullopt;
        effort_ -= kEffortOfMachine;
        model::Snapshot alone = snapshot_;
        alone.pods.clear();
        for (const PodIndex pod : pods) {
            auto shape = std::make_shared<rules::PodShape>(*snapshot_.pods[pod].shape);
            shape->constraints = {};
            alone.pods.push_back(snapshot_.pods[pod]);
            alone.pods.back().shape = std::move(shape);
        }
        alone.rooms.clear();
        alone.closed_nodes.clear();
        alone.standing.clear();
        for (model::PoolIndex pool = 0; pool < alone.pools.size(); ++pool) {
            rules::Requirements& wanted = alone.pools[pool].requirements;
            for (const auto& [key, value] : corner) wanted.add(Requirement::in(key, {value}));
            if (only_pool.value_or(pool) != pool) alone.pools[pool].remaining = {{"nodes", 0}};
        }
        Planned planned = plan_pods(alone, options_, {});
        if (!planned.broken.empty() || planned.plan.launches.size() != 1 || !planned.plan.waits.empty())
            return std::nullopt;
        planned.plan.launches.front().pods = std::move(pods);
        return planned.plan.launches.front();
    }

    const model::Snapshot& snapshot_;
    const ProvisionOptions& options_;
    Plan& plan_;
    const Order order_;
    const Values other_keys_;
    const std::set<Corner> corners_;
    const double started_;
    std::int64_t effort_ = kEffort;
};

}  // namespace

void reseat(const model::Snapshot& snapshot, const ProvisionOptions& options,
            const std::vector<PodIndex>& left_out, Plan& plan, Order order) {
    Reseat one(snapshot, options, plan, order);
    for (const PodIndex pod : left_out) one.place(pod);
}

bool reseat_for(const model::Snapshot& snapshot, const ProvisionOptions& options, PodIndex waits,
                PodIndex placed, Plan& plan, Order order) {
    Plan other = plan;
    let_wait(snapshot, {{placed, "it is being moved"}}, other);
    reseat(snapshot, options, {waits, placed}, other, order);
    const bool is_out = std::any_of(other.waits.begin(), other.waits.end(),
                                    [&](const Wait& wait) { return wait.pod == placed; });
    if (is_out || other.waits.size() >= plan.waits.size()) return false;
    plan = std::move(other);
    return true;
}

}  // namespace joiner::plan
