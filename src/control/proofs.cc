#include "control/proofs.h"

namespace joiner::control {

bool Proofs::check(const model::Cluster& cluster, plan::Breaker& breaker, WallTime now) {
    const auto is_over = [&](const Proof& proof) {
        int ready = 0;
        int others = 0;
        for (const std::string& place : proof.places) {
            const model::ClaimState* claim = cluster.find_claim(place);
            const model::NodeState* node = claim == nullptr ? nullptr : cluster.node_of(claim->claim);
            if (node == nullptr) continue;
            for (const auto& [key, pod] : node->pods) {
                if (pod->created >= proof.since && pod->is_reschedulable())
                    ++(pod->is_ready ? ready : others);
            }
        }
        const bool is_proved = ready > 0 && others == 0;
        if (!is_proved && now < proof.until) return false;
        if (is_proved) {
            breaker.succeeded(proof.pool, plan::Breaker::Trouble::kPods);
        } else if (others > 0 && proof.counts) {
            breaker.failed(proof.pool, plan::Breaker::Trouble::kPods, now);
        }
        return true;
    };
    return std::erase_if(open_, is_over) > 0;
}

void Proofs::add_places(model::ClaimNames& out) const {
    for (const Proof& proof : open_) out.insert(proof.places.begin(), proof.places.end());
}

void Proofs::count(std::string_view reason, plan::PoolCounts& out) const {
    for (const Proof& proof : open_) {
        if (proof.reason == reason) ++out[proof.pool];
    }
}

}  // namespace joiner::control
