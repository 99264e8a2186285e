#include "act/node_end.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/names.h"
#include "rules/taints.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr Duration kEvictionRetry = std::chrono::seconds{1};
constexpr Duration kEvictionPause = std::chrono::seconds{5};
constexpr Duration kLongestEvictionRetry = std::chrono::seconds{10};
constexpr Duration kAskAgain = std::chrono::seconds{10};
// A drain that is over in a moment needs no words.
constexpr Duration kWorthSaying = std::chrono::seconds{2};

}  // namespace

void NodeEnd::step(const model::NodeState& state) {
    const api::Node& node = state.node;
    if (!writer_.may_act_on(node)) return;
    const WallTime now = services_.loop.now();
    std::optional<WallTime> tainted_at;
    if (rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule))
        tainted_at = tainted_.try_emplace(node.meta.name, now).first->second;
    const auto asked = asked_.find(node.meta.name);
    const model::ClaimState* claim = services_.cluster.claim_of(node);
    const plan::NodeStep step =
        plan::next_node_step({services_.cluster, state, claim, writer_.is_gone(node.provider_id),
                              asked != asked_.end() && now - asked->second < kAskAgain, tainted_at},
                             now);
    say(step, node);
    const bool is_brief =
        step.kind == plan::NodeStep::Kind::kDrain && tainted_at && now - *tainted_at < kWorthSaying;
    if (claim != nullptr && !step.conditions.empty() && !is_brief)
        writer_.note(claim->claim, step.conditions);
    perform(step, state, claim);
}

void NodeEnd::perform(const plan::NodeStep& step, const model::NodeState& state,
                      const model::ClaimState* claim) {
    using Kind = plan::NodeStep::Kind;
    switch (step.kind) {
        case Kind::kNothing:
            return;
        case Kind::kDeleteClaim:
            // The node is reconciled more often than the claim's deletion is seen.
            if (!writer_.may_act_on(claim->claim)) return;
            return writer_.delete_claim(claim->claim.meta.name, "deleted");
        case Kind::kAskInstance:
            return ask_instance(state.node);
        case Kind::kTaint:
            return taint(state.node);
        case Kind::kDrain:
            for (const plan::NodeStep::Forced& forced : step.force) force(forced);
            for (const model::PodKey& key : step.evict) evict(key);
            return;
        case Kind::kRemoveInstance:
            services_.notices.node_drained(state.node);
            return writer_.remove_instance(provider_of(services_, state.node), state.node.provider_id, "",
                                           state.node.meta.name);
        case Kind::kRemoveFinalizer:
            return writer_.release_node(
                state.node, [this, node = state.node] { services_.notices.node_terminated(node); });
    }
}

void NodeEnd::say(const plan::NodeStep& step, const api::Node& node) {
    for (const plan::Remark& remark : step.remarks) {
        const model::PodState* pod = services_.cluster.find_pod(remark.pod);
        if (pod == nullptr && !remark.pod.empty()) continue;
        services_.events.record({pod == nullptr ? target_of(node) : target_of(*pod), remark.is_warning,
                                 remark.reason, remark.message});
    }
}

void NodeEnd::ask_instance(const api::Node& node) {
    const std::string name = node.meta.name;
    writer_.begin(node_key(name));
    provider_of(services_, node)
        .get(node.provider_id, [this, name, id = node.provider_id](const Result<cloud::Instance>& instance) {
            if (!instance && instance.error().kind == ErrorKind::kNotFound) {
                writer_.note_gone(id);
            } else {
                // Who gives no answer must not hold up the drain.
                asked_[name] = services_.loop.now();
                if (!instance) services_.notices.failed("look for instance " + id, instance.error());
            }
            writer_.done(node_key(name));
            services_.reconcile_node(name);
        });
}

void NodeEnd::taint(const api::Node& node) {
    std::vector<api::Taint> taints = node.taints;
    std::erase_if(taints, [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
    taints.push_back({std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}});
    writer_.patch_node(node, dump({{"metadata",
                                    {{"resourceVersion", node.meta.resource_version},
                                     {"labels", {{api::kExcludeBalancersLabel, "karpenter"}}}}},
                                   {"spec", {{"taints", Json::parse(api::encode_taints(taints))}}}}));
}

bool NodeEnd::may_ask(const model::PodState& pod) {
    const WallTime now = services_.loop.now();
    const auto [it, is_new] = not_before_[pod.node_name].try_emplace(pod.id.uid(), kNoTime);
    if (!is_new && now < it->second) return false;
    // Once asked for, an eviction is not asked for again before the watch had its time to show it.
    it->second = now + kEvictionPause;
    return true;
}

void NodeEnd::evict(const model::PodKey& key) {
    const model::PodState* pod = services_.cluster.find_pod(key);
    if (pod == nullptr || (pod->surge != nullptr && !surge_.may_evict(*pod)) || !may_ask(*pod)) return;
    services_.client.evict(
        pod->id.ns(), pod->id.name(), pod->id.uid(),
        [this, key, uid = pod->id.uid(), node = pod->node_name,
         target = target_of(*pod)](const Result<std::string>& result) {
            if (result) {
                services_.notices.pod_evicted(200);
                services_.events.record({target, false, "Evicted", "evicted: its node is being removed"});
            } else {
                refused(key, uid, node, result.error());
            }
            services_.reconcile_node(node);
        });
}

void NodeEnd::evict_some(const plan::NodeStep& step, const api::Node& node) {
    say(step, node);
    for (const model::PodKey& key : step.evict) evict(key);
}

void NodeEnd::reconcile_surges() {
    for (const model::PodKey& key : services_.cluster.released_pods()) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        const model::NodeState* node = services_.cluster.find_node(pod->node_name);
        if (pod->is_active() && node != nullptr && !node->node.meta.deleted) evict(key);
    }
}

void NodeEnd::refused(const model::PodKey& key, const std::string& uid, const std::string& node,
                      const Error& error) {
    // 404 and 409: it is another's or nobody's by now, and the watch tells.
    if (error.kind != ErrorKind::kUnavailable)
        return services_.notices.pod_evicted(error.kind == ErrorKind::kNotFound ? 404 : 500);
    const Duration wait = std::max<Duration>(kEvictionRetry, std::chrono::seconds{error.retry_after_seconds});
    not_before_[node][uid] = services_.loop.now() + std::min(wait, kLongestEvictionRetry);
    const model::PodState* pod = services_.cluster.find_pod(key);
    const std::vector<std::string> budgets =
        pod == nullptr ? std::vector<std::string>{} : plan::budgets_of(services_.cluster, *pod);
    services_.notices.pod_evicted(budgets.size() > 1 ? 500 : 429);
    const model::NodeState* host = services_.cluster.find_node(node);
    if (host == nullptr || budgets.empty()) return;
    services_.events.record(
        {target_of(host->node), true, "FailedDraining",
         budgets.size() == 1
             ? fmt::format("pod {} cannot be evicted now: PodDisruptionBudget {} does not allow it", key,
                           budgets.front())
             : fmt::format("pod {} cannot be evicted: the API server refuses to evict a pod with several "
                           "PodDisruptionBudgets ({})",
                           key, fmt::join(budgets, ", "))});
}

void NodeEnd::force(const plan::NodeStep::Forced& forced) {
    const model::PodState* pod = services_.cluster.find_pod(forced.pod);
    if (pod == nullptr || !may_ask(*pod)) return;
    services_.events.record(
        {target_of(*pod), false, "Disrupted", "deleted: the termination grace period of its node has ended"});
    services_.client.remove(
        kube::kPods, pod->id.ns(), pod->id.name(), {pod->id.uid(), "", forced.grace_seconds},
        [this, key = forced.pod, node = pod->node_name](const Result<std::string>& result) {
            if (!result && result.error().kind != ErrorKind::kNotFound &&
                result.error().kind != ErrorKind::kConflict)
                services_.notices.failed("delete pod " + key, result.error());
            services_.reconcile_node(node);
        });
}

}  // namespace joiner::act
