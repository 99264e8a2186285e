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

void OverlayKeeper::reconcile(const std::vector<rules::OverlayProblem>& problems) {
    const WallTime now = services_.loop.now();
    for (const auto& [name, kept] : services_.cluster.overlays()) {
        const api::NodeOverlay& overlay = kept.object;
        if (overlay.meta.deleted || !patches_.may_send(kube::kNodeOverlays, overlay.meta)) continue;
        const std::vector<api::Condition> wanted = wanted_conditions(overlay, problems, now);
        if (wanted != overlay.conditions) patch(overlay, wanted);
    }
}

// Only onto the state that was seen: an overlay that has changed meanwhile is reconciled again.
void OverlayKeeper::patch(const api::NodeOverlay& overlay, const std::vector<api::Condition>& conditions) {
    patches_.send(
        kube::kNodeOverlays, overlay.meta, "status",
        fmt::format(R"({{"metadata":{{"resourceVersion":{}}},"status":{{"conditions":{}}}}})",
                    api::encode_string(overlay.meta.resource_version), api::encode_conditions(conditions)),
        [this](bool is_written) {
            if (is_written) reconcile_again_();
        });
}

}  // namespace joiner::control
