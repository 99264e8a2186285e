#include "act/binder.h"

#include <algorithm>

#include "api/codec.h"
#include "api/names.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/taints.h"

namespace joiner::act {
namespace {

constexpr int kMaxTries = 4;
constexpr Duration kRetry = std::chrono::milliseconds{200};
constexpr Duration kLagMemory = std::chrono::seconds{30};
constexpr Duration kVerifyRetry = std::chrono::seconds{2};

// Taints the pod must still tolerate: all but those that only say "not up yet", and ours.
bool tolerates_node(const model::PodState& pod, const api::Node& node) {
    std::vector<api::Taint> taints;
    for (const api::Taint& taint : node.taints) {
        if (taint.key == api::kBindingTaint) continue;
        // A startup taint is a wish of the user's to keep pods off until it is gone, bound ones too.
        const bool goes_by_itself = rules::is_ephemeral_taint(taint) && taint.effect != api::kNoExecute;
        if (!goes_by_itself) taints.push_back(taint);
    }
    return rules::untolerated_taint(pod.shape->tolerations, taints) == nullptr;
}

bool meets_labels(const model::PodState& pod, const api::Node& node) {
    rules::Requirements labels;
    labels.add_labels(node.meta.labels);
    return std::any_of(pod.shape->required.begin(), pod.shape->required.end(),
                       [&](const rules::Requirements& wanted) {
                           return rules::admits_node(labels, node.meta.name, wanted);
                       });
}

}  // namespace

bool is_bindable(const model::PodState& pod) {
    return pod.is_default_scheduler && model::is_waiting(pod) && pod.nominated_node.empty() &&
           pod.shape->problem.empty() && pod.volumes == nullptr;
}

bool looks_beyond_its_node(const model::PodState& pod) {
    const rules::PodConstraints& constraints = pod.shape->constraints;
    const auto on_node = [](const auto& term) { return term.topology_key == api::kHostnameLabel; };
    return !constraints.affinity.empty() || !constraints.ports.empty() ||
           !std::all_of(constraints.anti_affinity.begin(), constraints.anti_affinity.end(), on_node) ||
           !std::all_of(constraints.spread.begin(), constraints.spread.end(),
                        [&](const rules::SpreadTerm& term) { return !term.is_hard || on_node(term); });
}

const model::NodeState* Binder::open_to_us(const std::string& claim_name) const {
    const model::ClaimState* claim = services_.cluster.find_claim(claim_name);
    if (claim == nullptr || !claim->is_ours || claim->claim.meta.deleted) return nullptr;
    const model::NodeState* node = services_.cluster.node_of(claim->claim);
    // A node that never comes up must strand no pod, so nothing is bound before it is Ready; nor while
    // controller-manager may still see it as it was before it was registered (docs/binding.md).
    const bool is_open_to_us = node != nullptr && !node->node.meta.deleted && plan::is_ready(node->node) &&
                               rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule) &&
                               !rules::has_taint(node->node.taints, api::kUnreachableTaint, api::kNoSchedule);
    return is_open_to_us ? node : nullptr;
}

void Binder::bind(const std::string& claim_name, const std::set<model::PodKey>& pods) {
    const model::NodeState* node = open_to_us(claim_name);
    if (node == nullptr) return;
    rules::Resources free = node->allocatable - node->used;
    for (const auto& [uid, sent] : sent_) {
        if (sent.claim != claim_name) continue;
        const model::PodState* pod = services_.cluster.find_pod(sent.pod);
        // Answered or not, it may be bound there and not be seen yet.
        if (pod != nullptr && pod->node_name.empty()) free -= pod->shape->requests;
    }
    std::vector<std::string> ready;
    for (const model::PodKey& key : pods) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        if (pod == nullptr || sent_.contains(pod->id.uid())) continue;
        const bool still_right = is_bindable(*pod) && tolerates_node(*pod, node->node) &&
                                 meets_labels(*pod, node->node) && rules::fits(pod->shape->requests, free);
        if (!still_right) {
            leave(pod->id.uid());
            continue;
        }
        free -= pod->shape->requests;
        sent_.emplace(pod->id.uid(), Sent{claim_name, key, std::nullopt, 0});
        ++per_claim_[claim_name];
        ready.push_back(pod->id.uid());
    }
    for (const std::string& uid : ready) send(uid);
}

void Binder::leave(const std::string& uid) {
    services_.notices.pod_bound("left");
    const std::string claim = planned_.drop(uid);
    if (!claim.empty()) services_.reconcile_claim(claim);
}

void Binder::send(const std::string& uid) {
    const auto it = sent_.find(uid);
    if (it == sent_.end()) return;
    const model::PodState* pod = services_.cluster.find_pod(it->second.pod);
    const model::ClaimState* claim = services_.cluster.find_claim(it->second.claim);
    const model::NodeState* node = claim == nullptr ? nullptr : services_.cluster.node_of(claim->claim);
    if (pod == nullptr || pod->id.uid() != uid || node == nullptr || !is_bindable(*pod))
        return let_go(uid, "gone");
    ++it->second.tries;
    services_.client.bind(pod->id.ns(), pod->id.name(), uid, node->node.meta.name,
                          [this, uid](Result<std::string> result) { answer(uid, result); });
}

void Binder::answer(const std::string& uid, const Result<std::string>& result) {
    const auto it = sent_.find(uid);
    if (it == sent_.end()) return;
    if (result) {
        it->second.answered_at = services_.loop.now();
        services_.notices.pod_bound("bound");
        return;
    }
    switch (result.error().kind) {
        case ErrorKind::kConflict: {
            // Final: it has a node already. After a try without an answer that may be the one we gave it.
            services_.notices.pod_bound(it->second.tries > 1 ? "bound" : "conflict");
            it->second.answered_at = services_.loop.now();
            const model::PodState* pod = services_.cluster.find_pod(it->second.pod);
            if (pod == nullptr || pod->id.uid() != uid || !pod->node_name.empty()) let_go(uid, "");
            return;
        }
        case ErrorKind::kNotFound:
            return let_go(uid, "gone");
        case ErrorKind::kUnavailable:
            if (it->second.tries < kMaxTries) {
                services_.loop.after(kRetry * (1 << it->second.tries), [this, uid] { send(uid); });
                return;
            }
            services_.notices.failed("bind pod " + it->second.pod, result.error());
            return verify(uid);
        default:
            services_.notices.failed("bind pod " + it->second.pod, result.error());
            return let_go(uid, "failed");
    }
}

// No answer is not "no": the pod keeps its room until the server says that it has no node.
void Binder::verify(const std::string& uid) {
    const auto it = sent_.find(uid);
    if (it == sent_.end()) return;
    const std::size_t slash = it->second.pod.find('/');
    services_.client.get(kube::kPods, it->second.pod.substr(0, slash), it->second.pod.substr(slash + 1),
                         [this, uid](const Result<std::string>& result) {
                             const auto sent = sent_.find(uid);
                             if (sent == sent_.end()) return;
                             if (!result && result.error().kind == ErrorKind::kNotFound)
                                 return let_go(uid, "gone");
                             const auto pod =
                                 result ? api::decode_pod(*result) : tl::unexpected<Error>(result.error());
                             if (!pod) {
                                 services_.loop.after(kVerifyRetry, [this, uid] { verify(uid); });
                             } else if (pod->meta.uid != uid) {
                                 let_go(uid, "gone");
                             } else if (pod->spec.node_name.empty()) {
                                 let_go(uid, "failed");
                             } else {
                                 // The watch will show it, and then it is settled.
                                 sent->second.answered_at = services_.loop.now();
                                 services_.notices.pod_bound("bound");
                             }
                         });
}

void Binder::let_go(const std::string& uid, const char* result) {
    const auto it = sent_.find(uid);
    if (it == sent_.end()) return;
    const std::string claim = it->second.claim;
    if (*result != '\0') services_.notices.pod_bound(result);
    sent_.erase(it);
    if (const auto count = per_claim_.find(claim); count != per_claim_.end() && --count->second == 0)
        per_claim_.erase(count);
    planned_.drop(uid);
    services_.reconcile_claim(claim);
}

void Binder::saw_bound(const std::string& pod_uid) {
    const auto it = sent_.find(pod_uid);
    // Without the answer yet, the watch is as good: the pod has its node.
    if (it != sent_.end() && !it->second.answered_at) services_.notices.pod_bound("bound");
    if (it != sent_.end() && it->second.answered_at) {
        const WallTime now = services_.loop.now();
        const Duration behind = now - *it->second.answered_at;
        if (behind >= lag(now)) {
            lag_ = behind;
            lag_seen_at_ = now;
        }
    }
    let_go(pod_uid, "");
}

Duration Binder::lag(WallTime now) const {
    return now - lag_seen_at_ < kLagMemory ? lag_ : Duration{0};
}

bool Binder::is_quiet(const std::string& claim) const {
    return !per_claim_.contains(claim);
}

}  // namespace joiner::act
