#include "plan/disrupt/command.h"

#include <fmt/format.h>

#include <algorithm>

namespace joiner::plan {

Result<DisruptionCommand> plan_replacement(const model::Snapshot& snapshot, std::vector<Candidate> leaving,
                                           std::string_view reason, const ProvisionOptions& options) {
    DisruptionCommand out{reason, std::move(leaving), {}, {}};
    std::set<std::string_view> uids;
    for (const Candidate& candidate : out.leaving) {
        for (const model::PodId& pod : candidate.pods) uids.insert(pod.uid());
    }
    if (uids.empty()) return out;
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
    // What others need is for provisioning to launch.
    for (Launch& launch : plan.launches) {
        if (std::any_of(launch.pods.begin(), launch.pods.end(), [&](auto pod) { return is_moving[pod]; }))
            out.launches.push_back(std::move(launch));
    }
    for (const Placement& placement : plan.placements) {
        if (is_moving[placement.pod]) out.placements.push_back(placement);
    }
    return out;
}

}  // namespace joiner::plan
