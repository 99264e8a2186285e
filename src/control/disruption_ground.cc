#include "control/disruption_ground.h"

#include "plan/disrupt/outgoing.h"

namespace joiner::control {

plan::DisruptionFacts DisruptionGround::facts() const {
    return {services_.cluster,
            provisioner_.planned().by_uid(),
            ledger_.in_commands(),
            last_pod_event_,
            [this](const api::NodePool& pool) { return services_.offers.instance_types(pool); },
            &provisioner_.headroom().claims(),
            &provisioner_.commitments(),
            &provisioner_.coming_claims()};
}

model::ClaimNames DisruptionGround::outgoing() const {
    return plan::outgoing_claims(services_.cluster, ledger_.gate(), services_.loop.now());
}

model::Snapshot DisruptionGround::snapshot_without(const std::vector<plan::Candidate>& leaving, Rooms rooms,
                                                   const model::ClaimNames* gives_back) const {
    model::ClaimNames names;
    for (const plan::Candidate& candidate : leaving) names.insert(candidate.claim);
    // Pods on nodes that are being drained are about to need a place too.
    for (const auto& [name, state] : services_.cluster.claims()) {
        if (state.claim.meta.deleted) names.insert(name);
    }
    model::Snapshot out = provisioner_.make_snapshot(KeptPlaces::For::kMoves, &names, gives_back);
    if (rooms == Rooms::kThatStay) plan::close_rooms(out, services_.cluster, outgoing());
    return out;
}

}  // namespace joiner::control
