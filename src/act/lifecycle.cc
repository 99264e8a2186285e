#include "act/lifecycle.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/codec.h"
#include "api/names.h"
#include "plan/lifecycle/claim_marks.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr Duration kInstancePoll = std::chrono::seconds{5};
constexpr Duration kEvictionRetry = std::chrono::seconds{1};
constexpr Duration kEvictionPause = std::chrono::seconds{5};
constexpr std::size_t kMaxMessage = 300;

std::string claim_key(const std::string& name) {
    return "claim/" + name;
}
std::string node_key(const std::string& name) {
    return "node/" + name;
}

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}
Json parse(const std::string& text) {
    return Json::parse(text);
}

kube::EventTarget target_of(const api::NodeClaim& claim) {
    return {"karpenter.sh/v1", "NodeClaim", "", claim.meta.name, claim.meta.uid, claim.meta.resource_version};
}

std::string version_in(const std::string& body) {
    const auto meta = api::decode_meta(body);
    return meta ? meta->resource_version : std::string{};
}

api::Taint disrupted_taint() {
    return {std::string(api::kDisruptedTaint), "", std::string(api::kNoSchedule), {}};
}

void merge_taints(std::vector<api::Taint>& into, const std::vector<api::Taint>& more) {
    for (const api::Taint& taint : more) {
        const bool there = std::any_of(into.begin(), into.end(),
                                       [&](const api::Taint& t) { return rules::same_taint(t, taint); });
        if (!there) into.push_back(taint);
    }
}

}  // namespace

// The status part of a claim, being edited.
class ClaimStatusPatch {
  public:
    explicit ClaimStatusPatch(const api::NodeClaim& claim)
        : conditions(claim.conditions, rules::kClaimDependents, claim.meta.generation, claim.meta.created) {}
    rules::ConditionEditor conditions;
    Json status = Json::object();
};

void Lifecycle::settle(const std::string& key, const Result<std::string>& result, std::string_view what) {
    const WallTime now = services_.loop.now();
    if (result) return settling_.done(key, version_in(*result), now);
    settling_.failed(key, now);
    // A conflict, or a thing already gone, is the normal way to learn that our facts are old.
    const bool ordinary =
        result.error().kind == ErrorKind::kConflict || result.error().kind == ErrorKind::kNotFound;
    if (!ordinary) services_.notices.failed(what, result.error());
}

void Lifecycle::patch_claim(const Claim& claim, std::string_view subresource, std::string body,
                            std::function<void()> after) {
    const std::string name = claim.meta.name;
    settling_.begin(claim_key(name));
    services_.client.patch(kube::kNodeClaims, "", name, subresource, kube::PatchType::kMerge, std::move(body),
                           [this, name, after = std::move(after)](Result<std::string> result) {
                               settle(claim_key(name), result, "patch NodeClaim " + name);
                               if (result && after) after();
                               services_.look_at_claim(name);
                           });
}

void Lifecycle::patch_node(const api::Node& node, std::string body, std::function<void()> after) {
    const std::string name = node.meta.name;
    settling_.begin(node_key(name));
    services_.client.patch(kube::kNodes, "", name, "", kube::PatchType::kMerge, std::move(body),
                           [this, name, after = std::move(after)](Result<std::string> result) {
                               settle(node_key(name), result, "patch Node " + name);
                               if (result && after) after();
                               services_.look_at_node(name);
                           });
}

void Lifecycle::write_claim_conditions(const Claim& claim,
                                       const std::function<void(ClaimStatusPatch&)>& edit) {
    ClaimStatusPatch patch(claim);
    edit(patch);
    patch.status["conditions"] = parse(api::encode_conditions(patch.conditions.finish(services_.loop.now())));
    patch_claim(claim, "status", dump({{"status", std::move(patch.status)}}));
}

void Lifecycle::step_claim(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) return;
    const Claim& claim = state->claim;
    if (!services_.provider.serves(claim.node_class)) return;
    const WallTime now = services_.loop.now();
    if (!settling_.may_act(claim_key(name), claim.meta.resource_version, now)) return;
    const model::NodeState* node = services_.cluster.node_of(claim);
    if (node != nullptr &&
        !settling_.may_act(node_key(node->node.meta.name), node->node.meta.resource_version, now))
        return;
    const plan::ClaimStep step =
        plan::next_claim_step({claim, node, gone_instances_.contains(claim.provider_id),
                               ensured_.contains(name), window_may_open_(name)},
                              now);
    perform(step, claim, node);
}

void Lifecycle::perform(const plan::ClaimStep& step, const Claim& claim, const model::NodeState* node) {
    using Kind = plan::ClaimStep::Kind;
    const WallTime now = services_.loop.now();
    const std::string& name = claim.meta.name;
    switch (step.kind) {
        case Kind::kNothing:
            note_waiting(claim, step.waiting);
            return keep_marks(claim);
        case Kind::kAddFinalizer: {
            std::vector<std::string> finalizers = claim.meta.finalizers;
            finalizers.emplace_back(api::kTerminationFinalizer);
            return patch_claim(claim, "",
                               dump({{"metadata",
                                      {{"resourceVersion", claim.meta.resource_version},
                                       {"finalizers", std::move(finalizers)}}}}));
        }
        case Kind::kLaunch:
            return launch(claim);
        case Kind::kEnsureInstance:
            ensured_.insert(name);
            services_.provider.create(claim, [this, name](Result<cloud::Instance> instance) {
                if (!instance)
                    services_.notices.failed("look for the instance of NodeClaim " + name, instance.error());
            });
            return;
        case Kind::kRegister:
            return register_node(claim, node->node);
        case Kind::kRecordRegistered:
            services_.notices.node_created(node->node);
            return write_claim_conditions(claim, [&](ClaimStatusPatch& patch) {
                patch.conditions.set_true("Registered", now);
                patch.status["nodeName"] = node->node.meta.name;
            });
        case Kind::kOpenWindow:
            return open_window(claim, node->node);
        case Kind::kInitialize:
            return patch_node(node->node,
                              dump({{"metadata", {{"labels", {{api::kInitializedLabel, "true"}}}}}}));
        case Kind::kRecordInitialized:
            return write_claim_conditions(
                claim, [&](ClaimStatusPatch& patch) { patch.conditions.set_true("Initialized", now); });
        case Kind::kDelete:
            return delete_claim(name, step.reason);
        case Kind::kSetDeadline: {
            const WallTime deadline = *claim.meta.deleted + *claim.termination_grace_period;
            return patch_claim(
                claim, "",
                dump({{"metadata",
                       {{"resourceVersion", claim.meta.resource_version},
                        {"annotations",
                         {{api::kTerminationTimestampAnnotation, format_rfc3339(deadline)}}}}}}));
        }
        case Kind::kDeleteNode: {
            const std::string node_name = node->node.meta.name;
            settling_.begin(claim_key(name));
            services_.client.remove(kube::kNodes, "", node_name, {node->node.meta.uid, "", -1},
                                    [this, name, node_name](Result<std::string> result) {
                                        settle(claim_key(name),
                                               result ? Result<std::string>(std::string{}) : result,
                                               "delete Node " + node_name);
                                        services_.look_at_node(node_name);
                                    });
            return;
        }
        case Kind::kRemoveInstance:
            return remove_instance(claim_key(name), claim.provider_id, name, "");
        case Kind::kRemoveFinalizer:
            return remove_finalizer(kube::kNodeClaims, claim_key(name), claim.meta,
                                    [this, claim] { services_.notices.claim_terminated(claim); });
    }
}

// A dependent condition that stays Unknown says what it waits for.
void Lifecycle::note_waiting(const Claim& claim, const std::string& waiting) {
    if (waiting.empty() || waiting == "NodeTerminating" || waiting == "BindingPods") return;
    const std::string_view type =
        rules::is_true(claim.conditions, "Registered") ? "Initialized" : "Registered";
    const api::Condition* there = api::find_condition(claim.conditions, type);
    if (there != nullptr && there->reason == waiting) return;
    // Most nodes come up at once, and a write that is out of date a moment later helps nobody.
    constexpr Duration kWorthSaying = std::chrono::seconds{2};
    if (services_.loop.now() - claim.meta.created < kWorthSaying) return;
    write_claim_conditions(claim, [&](ClaimStatusPatch& patch) {
        patch.conditions.set(type, "Unknown", waiting, "waits: " + waiting, services_.loop.now());
    });
}

void Lifecycle::keep_marks(const Claim& claim) {
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    if (claim.meta.deleted || !rules::is_true(claim.conditions, "Initialized") || pool == nullptr) return;
    const WallTime now = services_.loop.now();
    const plan::ClaimMarks marks = plan::wanted_claim_marks(
        {claim, pool->pool, services_.provider.instance_types(pool->pool),
         services_.provider.drift_reason(claim, pool->pool), last_pod_event_(claim.meta.name)},
        now);
    if (marks.empty()) return;
    if (!marks.annotations.empty()) {
        return patch_claim(
            claim, "",
            dump({{"metadata", {{"annotations", parse(api::encode_string_map(marks.annotations))}}}}));
    }
    write_claim_conditions(claim, [&](ClaimStatusPatch& patch) {
        if (marks.drift && marks.drift->empty()) {
            patch.conditions.remove("Drifted");
        } else if (marks.drift) {
            patch.conditions.set("Drifted", "True", *marks.drift, "", now);
        }
        if (marks.is_consolidatable == true) {
            patch.conditions.set_true("Consolidatable", now);
        } else if (marks.is_consolidatable == false) {
            patch.conditions.remove("Consolidatable");
        }
        if (marks.last_pod_event) patch.status["lastPodEventTime"] = format_rfc3339(*marks.last_pod_event);
    });
}

bool Lifecycle::mark_disrupted(const std::string& name, std::string_view reason) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.deleted) return true;
    const Claim& claim = state->claim;
    const WallTime now = services_.loop.now();
    const bool wants = !reason.empty();
    bool is_done = true;
    const model::NodeState* node = services_.cluster.node_of(claim);
    if (node != nullptr && !node->node.meta.deleted &&
        wants != rules::has_taint(node->node.taints, api::kDisruptedTaint, api::kNoSchedule)) {
        is_done = false;
        if (settling_.may_act(node_key(node->node.meta.name), node->node.meta.resource_version, now)) {
            std::vector<api::Taint> taints = node->node.taints;
            std::erase_if(taints, [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
            if (wants) taints.push_back(disrupted_taint());
            patch_node(node->node,
                       dump({{"metadata", {{"resourceVersion", node->node.meta.resource_version}}},
                             {"spec", {{"taints", parse(api::encode_taints(taints))}}}}));
        }
    }
    const api::Condition* there = api::find_condition(claim.conditions, "DisruptionReason");
    if ((there == nullptr ? std::string_view{} : there->reason) == reason) return is_done;
    if (settling_.may_act(claim_key(name), claim.meta.resource_version, now)) {
        write_claim_conditions(claim, [&](ClaimStatusPatch& patch) {
            if (wants) {
                patch.conditions.set("DisruptionReason", "True", std::string(reason), "", now);
            } else {
                patch.conditions.remove("DisruptionReason");
            }
        });
    }
    return false;
}

void Lifecycle::launch(const Claim& claim) {
    const std::string name = claim.meta.name;
    settling_.begin(claim_key(name));
    ensured_.insert(name);
    services_.provider.create(claim, [this, name, uid = claim.meta.uid](Result<cloud::Instance> instance) {
        const model::ClaimState* state = services_.cluster.find_claim(name);
        if (state == nullptr || state->claim.meta.uid != uid)
            return settling_.failed(claim_key(name), services_.loop.now());
        if (instance) return record_launch(state->claim, *instance);
        launch_failed(state->claim, instance.error());
    });
}

void Lifecycle::record_launch(const Claim& claim, const cloud::Instance& instance) {
    const WallTime now = services_.loop.now();
    api::StringMap labels = instance.labels;
    for (const auto& [key, value] : claim.meta.labels) labels[key] = value;
    api::StringMap annotations = claim.meta.annotations;
    for (const auto& [key, value] : instance.annotations) annotations[key] = value;
    ClaimStatusPatch patch(claim);
    patch.conditions.set_true("Launched", now);
    patch.status["providerID"] = instance.provider_id;
    if (!instance.image_id.empty()) patch.status["imageID"] = instance.image_id;
    patch.status["capacity"] = parse(api::encode_resource_map(rules::to_resource_map(instance.capacity)));
    patch.status["allocatable"] =
        parse(api::encode_resource_map(rules::to_resource_map(instance.allocatable)));
    patch.status["conditions"] = parse(api::encode_conditions(patch.conditions.finish(now)));
    // Labels first: once the status says Launched, nobody would write them any more.
    const std::string name = claim.meta.name;
    const std::string body = dump({{"metadata",
                                    {{"labels", parse(api::encode_string_map(labels))},
                                     {"annotations", parse(api::encode_string_map(annotations))}}}});
    services_.client.patch(
        kube::kNodeClaims, "", name, "", kube::PatchType::kMerge, body,
        [this, name, status = dump({{"status", std::move(patch.status)}})](Result<std::string> result) {
            if (!result) {
                settle(claim_key(name), result, "patch NodeClaim " + name);
                return services_.look_at_claim(name);
            }
            services_.client.patch(kube::kNodeClaims, "", name, "status", kube::PatchType::kMerge, status,
                                   [this, name](Result<std::string> answer) {
                                       settle(claim_key(name), answer, "patch NodeClaim " + name);
                                       services_.look_at_claim(name);
                                   });
        });
}

void Lifecycle::launch_failed(const Claim& claim, const Error& error) {
    const std::string name = claim.meta.name;
    const WallTime now = services_.loop.now();
    settling_.failed(claim_key(name), now);
    services_.notices.failed("launch NodeClaim " + name, error);
    if (error.kind == ErrorKind::kExhausted) {
        services_.events.record({target_of(claim), true, "InsufficientCapacityError", error.message});
        return delete_claim(name, "insufficient_capacity");
    }
    if (error.kind == ErrorKind::kInvalid) return delete_claim(name, "nodeclass_not_ready");
    const api::Condition* there = api::find_condition(claim.conditions, "Launched");
    const std::string message = error.message.substr(0, kMaxMessage);
    if (there != nullptr && there->message == message) return;
    ClaimStatusPatch patch(claim);
    patch.conditions.set("Launched", "Unknown", "LaunchFailed", message, now);
    patch.status["conditions"] = parse(api::encode_conditions(patch.conditions.finish(now)));
    services_.client.patch(kube::kNodeClaims, "", name, "status", kube::PatchType::kMerge,
                           dump({{"status", std::move(patch.status)}}), [](const Result<std::string>&) {});
}

void Lifecycle::register_node(const Claim& claim, const api::Node& node) {
    std::vector<api::Taint> taints;
    for (const api::Taint& taint : node.taints) {
        if (taint.key != api::kUnregisteredTaint) taints.push_back(taint);
    }
    if (!rules::has_taint(node.taints, api::kUnregisteredTaint, api::kNoExecute)) {
        services_.events.record({target_of(claim), true, "UnregisteredTaintMissing",
                                 "the node came up without the taint karpenter.sh/unregistered:NoExecute"});
    }
    if (api::find_or_empty(node.meta.labels, api::kDoNotSyncTaintsLabel) != "true") {
        merge_taints(taints, claim.taints);
        merge_taints(taints, claim.startup_taints);
    }
    // Whoever lifts a user's startup taint may not tolerate ours, so such a node is left to the scheduler.
    if (binding_ == PodBinding::kAuto && claim.startup_taints.empty()) {
        merge_taints(taints, {{std::string(api::kBindingTaint), "", std::string(api::kNoSchedule), {}}});
    }
    std::vector<std::string> finalizers = node.meta.finalizers;
    if (!plan::has_termination_finalizer(node.meta)) finalizers.emplace_back(api::kTerminationFinalizer);
    std::vector<api::OwnerReference> owners = node.meta.owners;
    const bool is_owned =
        std::any_of(owners.begin(), owners.end(), [&](const auto& o) { return o.uid == claim.meta.uid; });
    if (!is_owned)
        owners.push_back({"karpenter.sh/v1", "NodeClaim", claim.meta.name, claim.meta.uid, false, true});
    api::StringMap labels = claim.meta.labels;
    labels[std::string(api::kRegisteredLabel)] = "true";
    patch_node(node, dump({{"metadata",
                            {{"resourceVersion", node.meta.resource_version},
                             {"labels", parse(api::encode_string_map(labels))},
                             {"annotations", parse(api::encode_string_map(claim.meta.annotations))},
                             {"finalizers", std::move(finalizers)},
                             {"ownerReferences", parse(api::encode_owners(owners))}}},
                           {"spec", {{"taints", parse(api::encode_taints(taints))}}}}));
}

void Lifecycle::open_window(const Claim& claim, const api::Node& node) {
    api::Node opened = node;
    std::erase_if(opened.taints, [](const api::Taint& t) { return t.key == api::kBindingTaint; });
    Json body = {{"metadata", {{"resourceVersion", node.meta.resource_version}}},
                 {"spec", {{"taints", parse(api::encode_taints(opened.taints))}}}};
    // One write where both can be said at once.
    if (plan::initialization_obstacle(claim, opened).empty())
        body["metadata"]["labels"] = {{api::kInitializedLabel, "true"}};
    // Said before the server has it: from now on the scheduler may see the node open before we do.
    opening_.insert(claim.meta.name);
    patch_node(node, dump(body));
}

bool Lifecycle::close_window(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    const model::NodeState* node = state == nullptr ? nullptr : services_.cluster.node_of(state->claim);
    if (node == nullptr || node->node.meta.deleted) return true;
    const api::ObjectMeta& meta = node->node.meta;
    if (rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule)) {
        opening_.erase(name);
        return true;
    }
    if (!settling_.may_act(node_key(meta.name), meta.resource_version, services_.loop.now())) return false;
    std::vector<api::Taint> taints = node->node.taints;
    taints.push_back({std::string(api::kBindingTaint), "", std::string(api::kNoSchedule), {}});
    patch_node(node->node, dump({{"metadata", {{"resourceVersion", meta.resource_version}}},
                                 {"spec", {{"taints", parse(api::encode_taints(taints))}}}}));
    return false;
}

void Lifecycle::delete_claim(const std::string& name, const std::string& reason) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.deleted) return;
    settling_.begin(claim_key(name));
    services_.client.remove(kube::kNodeClaims, "", name, {state->claim.meta.uid, "", -1},
                            [this, name, reason, claim = state->claim](Result<std::string> result) {
                                settle(claim_key(name), result ? Result<std::string>(std::string{}) : result,
                                       "delete NodeClaim " + name);
                                if (result) services_.notices.claim_disrupted(claim, reason);
                                services_.look_at_claim(name);
                            });
}

void Lifecycle::step_node(const std::string& name) {
    const model::NodeState* state = services_.cluster.find_node(name);
    if (state == nullptr) return;
    const model::ClaimState* claim = services_.cluster.claim_of(state->node);
    if (!state->node.meta.deleted || !plan::has_termination_finalizer(state->node.meta)) {
        if (claim != nullptr) services_.look_at_claim(claim->claim.meta.name);
        return;
    }
    const WallTime now = services_.loop.now();
    if (!settling_.may_act(node_key(name), state->node.meta.resource_version, now)) return;
    std::optional<WallTime> tainted_at;
    if (rules::has_taint(state->node.taints, api::kDisruptedTaint, api::kNoSchedule)) {
        tainted_at = tainted_.try_emplace(name, now).first->second;
    }
    const plan::NodeStep step = plan::next_node_step(
        {services_.cluster, *state, claim, gone_instances_.contains(state->node.provider_id), tainted_at},
        now);
    using Kind = plan::NodeStep::Kind;
    switch (step.kind) {
        case Kind::kNothing:
            return;
        case Kind::kDeleteClaim:
            return delete_claim(claim->claim.meta.name, "deleted");
        case Kind::kTaint:
            return taint_node(*state);
        case Kind::kDrain:
            return drain(step);
        case Kind::kRemoveInstance:
            services_.notices.node_drained(state->node);
            return remove_instance(node_key(name), state->node.provider_id, "", name);
        case Kind::kRemoveFinalizer:
            return remove_finalizer(kube::kNodes, node_key(name), state->node.meta,
                                    [this, node = state->node] { services_.notices.node_terminated(node); });
    }
}

void Lifecycle::taint_node(const model::NodeState& state) {
    std::vector<api::Taint> taints;
    for (const api::Taint& taint : state.node.taints) {
        if (taint.key != api::kDisruptedTaint) taints.push_back(taint);
    }
    taints.push_back(disrupted_taint());
    patch_node(state.node, dump({{"metadata",
                                  {{"resourceVersion", state.node.meta.resource_version},
                                   {"labels", {{api::kExcludeBalancersLabel, "karpenter"}}}}},
                                 {"spec", {{"taints", parse(api::encode_taints(taints))}}}}));
}

void Lifecycle::drain(const plan::NodeStep& step) {
    for (const model::PodKey& key : step.force) evict(key, true);
    for (const model::PodKey& key : step.evict) evict(key, false);
}

void Lifecycle::evict(const model::PodKey& key, bool force) {
    const model::PodState* pod = services_.cluster.find_pod(key);
    if (pod == nullptr) return;
    const WallTime now = services_.loop.now();
    const auto [it, is_new] = evicting_.try_emplace(pod->uid, kNoTime);
    if (!is_new && now < it->second) return;
    // Once asked for, an eviction is not asked for again before the watch had its time to show it.
    it->second = now + kEvictionPause;
    const auto done = [this, uid = pod->uid, key, node = pod->node_name](Result<std::string> result) {
        const int code = result                                           ? 200
                         : result.error().kind == ErrorKind::kUnavailable ? 429
                         : result.error().kind == ErrorKind::kNotFound    ? 404
                                                                          : 500;
        services_.notices.pod_evicted(code);
        const model::PodState* seen = services_.cluster.find_pod(key);
        const kube::EventTarget target{
            "v1", "Pod", key.substr(0, key.find('/')), key.substr(key.find('/') + 1), uid, ""};
        if (result) {
            services_.events.record({target, false, "Evicted", "evicted: its node is being removed"});
        } else if (result.error().kind == ErrorKind::kUnavailable) {
            const Duration wait =
                std::max<Duration>(kEvictionRetry, std::chrono::seconds{result.error().retry_after_seconds});
            evicting_[uid] = services_.loop.now() + std::min<Duration>(wait, std::chrono::seconds{10});
            services_.events.record(
                {{"v1", "Node", "", node, "", ""},
                 true,
                 "FailedDraining",
                 fmt::format("pod {} cannot be evicted now: {}", key, result.error().message)});
        }
        if (seen == nullptr) evicting_.erase(uid);
        services_.look_at_node(node);
    };
    if (force) {
        services_.events.record({{"v1", "Pod", pod->ns, pod->name, pod->uid, ""},
                                 false,
                                 "Disrupted",
                                 "deleted: the termination grace period of its node has ended"});
        services_.client.remove(kube::kPods, pod->ns, pod->name, {pod->uid, "", 1}, done);
    } else {
        services_.client.evict(pod->ns, pod->name, pod->uid, done);
    }
}

void Lifecycle::remove_instance(const std::string& key, const std::string& provider_id,
                                const std::string& claim, const std::string& node) {
    settling_.begin(key);
    services_.provider.remove(provider_id, [this, key, provider_id, claim, node](Status status) {
        const WallTime now = services_.loop.now();
        const bool is_gone = !status && status.error().kind == ErrorKind::kNotFound;
        if (is_gone) {
            gone_instances_.insert(provider_id);
            settling_.done(key, "0", now);
        } else {
            if (!status) services_.notices.failed("remove instance " + provider_id, status.error());
            settling_.done(key, "", now);
            services_.loop.after(kInstancePoll, [this, claim, node] {
                if (!claim.empty()) services_.look_at_claim(claim);
                if (!node.empty()) services_.look_at_node(node);
            });
        }
        if (!claim.empty()) services_.look_at_claim(claim);
        if (!node.empty()) services_.look_at_node(node);
    });
}

void Lifecycle::remove_finalizer(const kube::Resource& resource, const std::string& key,
                                 const api::ObjectMeta& meta, std::function<void()> after) {
    std::vector<std::string> finalizers = meta.finalizers;
    std::erase(finalizers, std::string(api::kTerminationFinalizer));
    settling_.begin(key);
    services_.client.patch(
        resource, "", meta.name, "", kube::PatchType::kMerge,
        dump({{"metadata",
               {{"resourceVersion", meta.resource_version}, {"finalizers", std::move(finalizers)}}}}),
        [this, key, name = meta.name, after = std::move(after)](Result<std::string> result) {
            settle(key, result, "remove the finalizer of " + name);
            if (result) after();
            if (key.starts_with("claim/"))
                services_.look_at_claim(name);
            else
                services_.look_at_node(name);
        });
}

void Lifecycle::forget_claim(const std::string& name) {
    settling_.forget(claim_key(name));
    ensured_.erase(name);
    opening_.erase(name);
}

void Lifecycle::forget_node(const std::string& name) {
    settling_.forget(node_key(name));
    tainted_.erase(name);
}

}  // namespace joiner::act
