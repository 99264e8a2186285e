#include "plan/disrupt/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/names.h"
#include "model/capacity_mix.h"
#include "plan/disrupt/gate.h"
#include "plan/provision/held_ratio.h"

namespace joiner::plan {
namespace {

// With the leaving nodes still there.
Mixes mixes_before(const model::Snapshot& snapshot, const std::vector<Candidate>& leaving) {
    Mixes out = mixes_of(snapshot);
    for (const Candidate& one : leaving) {
        const auto mix = out.find(one.pool);
        if (mix != out.end()) model::count_capacity(mix->second, one.is_spot, one.milli_cores);
    }
    return out;
}

// Pods of a node on demand find no room on spot nodes of pools that keep a ratio.
model::Snapshot without_spot_rooms(const model::Snapshot& snapshot, const Mixes& mixes) {
    model::Snapshot out = snapshot;
    const auto value = [](const model::RoomView& room, std::string_view key) {
        const rules::Requirement* own = room.labels.find(key);
        return own == nullptr ? std::string() : own->any_value();
    };
    for (model::RoomView& room : out.rooms) {
        if (value(room, api::kCapacityTypeLabel) == api::kSpot &&
            mixes.contains(value(room, api::kNodePoolLabel)))
            room.free = {};
    }
    return out;
}

// What of the plan is for the pods of the leaving nodes; the rest is for provisioning to launch.
void take_moves(const Plan& plan, const std::vector<bool>& is_moving, DisruptionCommand& out) {
    for (const Launch& launch : plan.launches) {
        if (std::any_of(launch.pods.begin(), launch.pods.end(), [&](auto pod) { return is_moving[pod]; }))
            out.launches.push_back(launch);
    }
    for (const Placement& placement : plan.placements) {
        if (is_moving[placement.pod]) out.placements.push_back(placement);
    }
}

}  // namespace

Result<DisruptionCommand> plan_replacement(const model::Snapshot& snapshot, std::vector<Candidate> leaving,
                                           std::string_view reason, const ProvisionOptions& options) {
    DisruptionCommand out{reason, std::move(leaving), {}, {}};
    const Mixes before = mixes_before(snapshot, out.leaving);
    const auto worse = [&](const std::vector<Launch>& launches) {
        return made_worse(before, mixes_after(mixes_of(snapshot), snapshot, launches));
    };
    const auto refused = [](const std::string& pool) {
        return fail(ErrorKind::kUnavailable,
                    fmt::format("NodePool {} would have less on demand than its ratio asks for", pool));
    };
    const bool is_for_saving = reason == kUnderutilized;
    std::set<std::string_view> uids;
    for (const Candidate& candidate : out.leaving) {
        for (const model::PodId& pod : candidate.pods) uids.insert(pod.uid());
    }
    if (uids.empty()) {
        if (const std::string* pool = worse({}); pool != nullptr && is_for_saving) return refused(*pool);
        return out;
    }
    std::vector<bool> is_moving(snapshot.pods.size());
    for (std::size_t i = 0; i < snapshot.pods.size(); ++i)
        is_moving[i] = uids.contains(snapshot.pods[i].id.uid());

    Plan plan = plan_provisioning(snapshot, options);
    for (const Wait& wait : plan.waits) {
        if (is_moving[wait.pod])
            return fail(ErrorKind::kUnavailable,
                        fmt::format("pod {} would have no place: {}", snapshot.pods[wait.pod].id.full_name(),
                                    wait.reason));
    }
    take_moves(plan, is_moving, out);
    const std::string* pool = worse(out.launches);
    if (pool == nullptr) return out;
    if (is_for_saving) return refused(*pool);
    // What must be replaced is, with a machine on demand where there would have been room as spot.
    plan = plan_provisioning(without_spot_rooms(snapshot, before), options);
    if (!plan.waits.empty()) return out;
    DisruptionCommand other{reason, out.leaving, {}, {}};
    take_moves(plan, is_moving, other);
    return worse(other.launches) == nullptr ? other : out;
}

}  // namespace joiner::plan
