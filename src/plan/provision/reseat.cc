#include "plan/provision/reseat.h"

#include <algorithm>
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

// Each holds a whole plan against the rules.
constexpr int kMostTries = 400;

using Corner = std::pair<std::string, std::string>;  // Zone and capacity type.

std::set<Corner> corners_of(const model::Snapshot& snapshot) {
    std::set<Corner> out;
    for (const model::PoolView& pool : snapshot.pools) {
        if (pool.types == nullptr) continue;
        for (const rules::InstanceType& type : *pool.types) {
            for (const rules::Offering& offering : type.offerings) {
                if (offering.available) out.emplace(offering.zone(), offering.capacity_type());
            }
        }
    }
    return out;
}

class Reseat {
  public:
    Reseat(const model::Snapshot& snapshot, const ProvisionOptions& options, Plan& plan)
        : snapshot_(snapshot), options_(options), plan_(plan), corners_(corners_of(snapshot)) {}

    void place(PodIndex pod) {
        const auto wait = std::find_if(plan_.waits.begin(), plan_.waits.end(),
                                       [&](const Wait& one) { return one.pod == pod; });
        if (wait == plan_.waits.end()) return;
        const Wait kept = *wait;
        plan_.waits.erase(wait);
        if (!place_in_room(pod) && !place_on_new(pod)) {
            plan_.waits.push_back(kept);
            std::sort(plan_.waits.begin(), plan_.waits.end(),
                      [](const Wait& a, const Wait& b) { return a.pod < b.pod; });
        }
    }

  private:
    bool is_valid() { return --tries_ >= 0 && check_plan(snapshot_, plan_).empty(); }

    bool place_in_room(PodIndex pod) {
        for (model::RoomIndex room = 0; room < snapshot_.rooms.size() && tries_ > 0; ++room) {
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

    bool place_on_new(PodIndex pod) {
        std::vector<Launch> launches;
        for (const Corner& corner : corners_) {
            if (auto launch = alone_in(pod, corner)) launches.push_back(*std::move(launch));
        }
        std::sort(launches.begin(), launches.end(), [](const Launch& a, const Launch& b) {
            return std::tie(a.spec->price, a.spec->zone, a.spec->capacity_type) <
                   std::tie(b.spec->price, b.spec->zone, b.spec->capacity_type);
        });
        for (const Launch& launch : launches) {
            plan_.launches.push_back(launch);
            if (is_valid()) {
                plan_.price += launch.spec->price;
                plan_.node_cost += snapshot_.pools[launch.spec->pool].node_cost;
                return true;
            }
            plan_.launches.pop_back();
        }
        return false;
    }

    // The machine that would be bought there if there were no other pod, and the pod asked nothing of others.
    std::optional<Launch> alone_in(PodIndex pod, const Corner& corner) const {
        model::Snapshot alone = snapshot_;
        auto shape = std::make_shared<rules::PodShape>(*snapshot_.pods[pod].shape);
        shape->constraints = {};
        alone.pods = {snapshot_.pods[pod]};
        alone.pods.front().shape = std::move(shape);
        alone.rooms.clear();
        alone.closed_nodes.clear();
        alone.standing.clear();
        for (model::PoolView& pool : alone.pools) {
            pool.requirements.add(Requirement::in(std::string(api::kZoneLabel), {corner.first}));
            pool.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {corner.second}));
        }
        Planned planned = plan_pods(alone, options_, {});
        if (!planned.broken.empty() || planned.plan.launches.size() != 1) return std::nullopt;
        planned.plan.launches.front().pods = {pod};
        return planned.plan.launches.front();
    }

    const model::Snapshot& snapshot_;
    const ProvisionOptions& options_;
    Plan& plan_;
    const std::set<Corner> corners_;
    int tries_ = kMostTries;
};

}  // namespace

void reseat(const model::Snapshot& snapshot, const ProvisionOptions& options,
            const std::vector<PodIndex>& left_out, Plan& plan) {
    Reseat one(snapshot, options, plan);
    for (const PodIndex pod : left_out) one.place(pod);
}

}  // namespace joiner::plan
