#include "control/proofs.h"

#include <algorithm>

#include "control/moves.h"

namespace joiner::control {
namespace {

// What is not made again by then will not be: a Job that has ended, a namespace that is gone.
constexpr Duration kMadeAgain = std::chrono::seconds{15};

// The pods that a move brought: on the places it was meant for, and wherever else their kin came to.
std::set<const model::PodState*> moved_pods(const model::Cluster& cluster, const Proofs::Proof& proof) {
    std::set<const model::PodState*> out;
    const auto add = [&](const model::PodState* pod) {
        if (pod != nullptr && pod->created >= proof.since && pod->is_reschedulable()) out.insert(pod);
    };
    for (const std::string& place : proof.places) {
        const model::ClaimState* claim = cluster.find_claim(place);
        const model::NodeState* node = claim == nullptr ? nullptr : cluster.node_of(claim->claim);
        if (node == nullptr) continue;
        for (const auto& [key, pod] : node->pods) add(pod);
    }
    for (const model::PodKey& key : proof.arrived) add(cluster.find_pod(key));
    return out;
}

bool some_wait(const model::Cluster& cluster, const Proofs::Proof& proof) {
    return std::any_of(cluster.unbound_pods().begin(), cluster.unbound_pods().end(),
                       [&](const model::PodKey& key) {
                           const model::PodState* pod = cluster.find_pod(key);
                           return pod->created >= proof.since && proof.kin.contains(kin_of(*pod));
                       });
}

}  // namespace

void Proofs::note_bound(const std::string& kin, const model::PodKey& pod) {
    for (Proof& proof : open_) {
        if (proof.kin.contains(kin)) proof.arrived.insert(pod);
    }
}

bool Proofs::check(const model::Cluster& cluster, plan::Breaker& breaker, WallTime now) {
    const auto is_over = [&](const Proof& proof) {
        const std::set<const model::PodState*> pods = moved_pods(cluster, proof);
        const auto are_ready =
            std::count_if(pods.begin(), pods.end(), [](const model::PodState* pod) { return pod->is_ready; });
        const bool are_all_ready = static_cast<std::size_t>(are_ready) == pods.size();
        const bool is_out_of_time = now >= proof.until;
        if (are_all_ready && !is_out_of_time && some_wait(cluster, proof)) return false;
        if (are_all_ready && !pods.empty()) {
            breaker.succeeded(proof.pool, plan::Breaker::Trouble::kPods);
            return true;
        }
        if (pods.empty()) return is_out_of_time || now - proof.began >= kMadeAgain;
        if (is_out_of_time && proof.counts) breaker.failed(proof.pool, plan::Breaker::Trouble::kPods, now);
        return is_out_of_time;
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
