#include "control/cloud_events.h"

#include "act/object_writer.h"
#include "api/names.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

using Kind = cloud::InstanceEvent::Kind;

// A cloud says the same more than once.
constexpr Duration kEventGap = std::chrono::minutes{5};

}  // namespace

void CloudEvents::note(const cloud::InstanceEvent& event) {
    const model::ClaimState* state = services_.cluster.claim_with_id(event.provider_id);
    if (state == nullptr || !state->is_ours) return;
    const api::NodeClaim& claim = state->claim;
    const bool must_go = event.kind != Kind::kRebalance;
    services_.events.record({act::target_of(claim), must_go, event.reason, event.message, kEventGap});
    if (const model::NodeState* node = services_.cluster.node_of(claim))
        services_.events.record(
            {act::target_of(node->node), must_go, event.reason, event.message, kEventGap});
    if (!must_go) return;
    if (event.kind == Kind::kInterruption) {
        shortages_.note_taken_back(claim);
        spot_prices_.note_taken_back(claim);
    }
    if (claim.meta.deleted) return;
    observe::log_info("interruption", "removing a node that the cloud takes away",
                      {{"NodeClaim", claim.meta.name}, {"reason", event.reason}, {"message", event.message}});
    endings_.insert_or_assign(claim.meta.name, Ending{claim.meta.uid, event.deadline});
    reconcile();
}

void CloudEvents::reconcile() {
    std::erase_if(endings_, [this](const auto& item) { return end(item.first, item.second); });
}

bool CloudEvents::end(const std::string& name, const Ending& ending) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.uid != ending.uid || state->claim.meta.deleted) return true;
    return lifecycle_.end_by(name, ending.deadline, "interruption");
}

}  // namespace joiner::control
