#include "control/overlay_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/codec.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

constexpr std::string_view kValidationSucceeded = "ValidationSucceeded";

std::vector<api::Condition> wanted_conditions(const api::NodeOverlay& overlay,
                                              const std::vector<rules::OverlayProblem>& problems,
                                              WallTime now) {
    rules::ConditionEditor edit(overlay.conditions, rules::kOverlayDependents, overlay.meta.generation,
                                overlay.meta.created);
    const auto problem = std::find_if(problems.begin(), problems.end(),
                                      [&](const auto& one) { return one.overlay == overlay.meta.name; });
    if (problem == problems.end()) {
        edit.set_true(kValidationSucceeded, now);
    } else {
        edit.set(kValidationSucceeded, "False", problem->is_conflict ? "Conflict" : "RuntimeValidation",
                 problem->problem, now);
    }
    return edit.finish(now);
}

}  // namespace

void OverlayKeeper::look(const std::vector<rules::OverlayProblem>& problems) {
    const WallTime now = services_.loop.now();
    for (const auto& [name, kept] : services_.cluster.overlays()) {
        const api::NodeOverlay& overlay = kept.object;
        if (overlay.meta.deleted || !settling_.may_act(name, overlay.meta.resource_version, now)) continue;
        const std::vector<api::Condition> wanted = wanted_conditions(overlay, problems, now);
        if (wanted != overlay.conditions) patch(overlay, wanted);
    }
}

// Only onto the state that was looked at: an overlay that has changed meanwhile is looked at again.
void OverlayKeeper::patch(const api::NodeOverlay& overlay, const std::vector<api::Condition>& conditions) {
    const std::string name = overlay.meta.name;
    settling_.begin(name);
    services_.client.patch(
        kube::kNodeOverlays, "", name, "status", kube::PatchType::kMerge,
        fmt::format(R"({{"metadata":{{"resourceVersion":{}}},"status":{{"conditions":{}}}}})",
                    api::encode_string(overlay.meta.resource_version), api::encode_conditions(conditions)),
        [this, name](Result<std::string> result) {
            const WallTime now = services_.loop.now();
            if (!result) {
                settling_.failed(name, now);
                return services_.notices.failed("patch NodeOverlay " + name, result.error());
            }
            const auto meta = api::decode_meta(*result);
            settling_.done(name, meta ? meta->resource_version : "", now);
            look_again_();
        });
}

}  // namespace joiner::control
