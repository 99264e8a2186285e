#include "control/placement_notes.h"

#include <tuple>
#include <utility>

#include "act/object_writer.h"
#include "api/names.h"

namespace joiner::control {
namespace {

// Between Events that say the same of a claim or a pool.
constexpr Duration kSeldom = std::chrono::minutes{15};

// What a wait says for itself, where it has no data.
plan::Reason as_reason(const model::PodView& pod, const plan::Wait& wait) {
    const bool is_its_own = !pod.shape->problem.empty();
    return {.rule = is_its_own ? plan::Rule::kPodItself : plan::Rule::kUnplaced, .detail = wait.reason};
}

}  // namespace

plan::Reason late_node(const std::string& claim, const std::string& why) {
    return {.rule = plan::Rule::kLateNode, .object = "NodeClaim " + claim, .detail = why};
}

const plan::SharedReasons& RoomReasons::of(model::RoomIndex room) {
    plan::SharedReasons& known = known_[room];
    if (known == nullptr) {
        const model::RoomView& view = snapshot_.rooms[room];
        known = plan::share(
            {{.rule = plan::Rule::kRoom, .object = (view.is_claim ? "NodeClaim " : "Node ") + view.name}});
    }
    return known;
}

void PlacementNotes::decide(const model::PodId& pod, observe::Verdict verdict, plan::SharedReasons reasons) {
    decisions_.record({observe::Subject::pod(pod), observe::Matter::kPlacement, verdict, std::move(reasons),
                       services_.loop.now()});
}

void PlacementNotes::say_waiting(const model::PodId& pod, plan::Reason reason) {
    const std::string text = in_words(reason);
    say_waiting(pod, plan::share({std::move(reason)}), text);
}

void PlacementNotes::say_waiting(const model::PodId& pod, const plan::SharedReasons& reasons,
                                 const std::string& text) {
    decide(pod, observe::Verdict::kWaits, reasons);
    services_.events.record({{"v1", "Pod", pod.ns(), pod.name(), pod.uid(), ""},
                             true,
                             "FailedScheduling",
                             text,
                             std::chrono::minutes{5}});
}

// Pods of a class share what is said of them, as far as they might go to the same pools in doubt.
void PlacementNotes::say_waits(const model::Snapshot& snapshot, const std::vector<plan::Wait>& waits,
                               bool some_doubt,
                               const std::function<plan::Reasons(const model::PodView&)>& doubts_about) {
    struct Said {
        plan::SharedReasons reasons;
        std::string text;
    };
    std::map<std::tuple<const plan::Reasons*, std::string_view, const rules::PodShape*>, Said> known;
    for (const plan::Wait& wait : waits) {
        const model::PodView& pod = snapshot.pods[wait.pod];
        if (!pod.exists()) continue;
        const std::string_view text = wait.why == nullptr ? std::string_view(wait.reason) : "";
        const rules::PodShape* shape = !some_doubt && wait.why != nullptr ? nullptr : pod.shape.get();
        const auto [it, is_new] = known.try_emplace({wait.why.get(), text, shape});
        Said& said = it->second;
        if (is_new) {
            plan::Reasons reasons = doubts_about(pod);
            for (const plan::Reason& doubt : reasons) said.text += in_words(doubt) + "; ";
            said.text += wait.reason;
            if (reasons.empty() && wait.why != nullptr) {
                said.reasons = wait.why;
            } else {
                if (wait.why != nullptr)
                    reasons.insert(reasons.end(), wait.why->begin(), wait.why->end());
                else
                    reasons.push_back(as_reason(pod, wait));
                said.reasons = plan::share(std::move(reasons));
            }
        }
        say_waiting(pod.id, said.reasons, said.text);
    }
}

void PlacementNotes::warn(const api::NodeClaim& claim, const std::string& reason,
                          const std::string& message) {
    services_.events.record({act::target_of(claim), true, reason, message, kSeldom});
    warn_pool_of(claim, reason, message);
}

void PlacementNotes::warn_pool_of(const api::NodeClaim& claim, const std::string& reason,
                                  const std::string& message) {
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    if (pool == nullptr) return;
    services_.events.record({act::target_of(pool->pool), true, reason, message, kSeldom});
}

}  // namespace joiner::control
