#include "act/lifecycle.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "act/claim_status_patch.h"
#include "api/codec.h"
#include "api/names.h"
#include "plan/disrupt/candidates.h"
#include "plan/disrupt/outgoing.h"
#include "plan/lifecycle/claim_marks.h"
#include "plan/lifecycle/consistency.h"
#include "plan/lifecycle/initialization.h"
#include "rules/conditions.h"
#include "rules/taints.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr std::string_view kConsistent = "ConsistentStateFound";

Json parse(const std::string& text) {
    return Json::parse(text);
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

void Lifecycle::step_claim(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr) return;
    const Claim& claim = state->claim;
    if (!state->is_ours) return;
    const WallTime now = services_.loop.now();
    if (!writer_.may_act_on(claim)) return;
    const model::NodeState* node = services_.cluster.node_of(claim);
    if (node != nullptr && !writer_.may_act_on(node->node)) return;
    if (plan::is_rebooting(claim) && !claim.meta.deleted) return reboot_.step(claim, node);
    const plan::ClaimStep step = plan::next_claim_step(
        {claim, node, writer_.is_gone(claim), launch_.is_ensured(name), binding_window_may_open_(name),
         services_.cluster.has_several_nodes(claim), hooks_.are_done(claim)},
        now);
    perform(step, claim, node);
}

void Lifecycle::perform(const plan::ClaimStep& step, const Claim& claim, const model::NodeState* node) {
    using Kind = plan::ClaimStep::Kind;
    const WallTime now = services_.loop.now();
    const std::string& name = claim.meta.name;
    switch (step.kind) {
        case Kind::kNothing:
            note_waiting(claim, node, step.waiting);
            return keep_marks(claim);
        case Kind::kAddFinalizer: {
            std::vector<std::string> finalizers = claim.meta.finalizers;
            finalizers.emplace_back(api::kTerminationFinalizer);
            return writer_.patch_claim(claim, "",
                                       dump({{"metadata",
                                              {{"resourceVersion", claim.meta.resource_version},
                                               {"finalizers", std::move(finalizers)}}}}));
        }
        case Kind::kLabel:
            return label(claim, node);
        case Kind::kLaunch:
            return launch_.launch(claim);
        case Kind::kEnsureInstance:
            return launch_.ensure_instance(claim);
        case Kind::kAskHooks:
            hooks_.ask(claim);
            return note_waiting(claim, node, step.waiting);
        case Kind::kRegister:
            return register_node(claim, node->node);
        case Kind::kRecordRegistered:
            services_.notices.node_created(node->node);
            return writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
                patch.conditions.set_true("Registered", now);
                patch.status["nodeName"] = node->node.meta.name;
            });
        case Kind::kLiftUnreachable: {
            std::vector<api::Taint> taints = node->node.taints;
            std::erase_if(taints, [](const api::Taint& t) {
                return t.key == api::kUnreachableTaint && t.effect == api::kNoSchedule;
            });
            return writer_.write_taints(node->node, taints);
        }
        case Kind::kOpenBindingWindow:
            return open_binding_window(claim, node->node);
        case Kind::kInitialize:
            return writer_.patch_node(node->node,
                                      dump({{"metadata", {{"labels", {{api::kInitializedLabel, "true"}}}}}}));
        case Kind::kRecordInitialized:
            return writer_.write_conditions(
                claim, [&](ClaimStatusPatch& patch) { patch.conditions.set_true("Initialized", now); });
        case Kind::kDelete:
            return delete_claim(name, step.reason);
        case Kind::kSetDeadline: {
            const WallTime deadline = *claim.meta.deleted + *claim.termination_grace_period;
            const std::string message =
                "pods that are not gone by then are deleted at " + format_rfc3339(deadline);
            services_.events.record({target_of(claim), true, "TerminationGracePeriodExpiring", message});
            if (node != nullptr)
                services_.events.record(
                    {target_of(node->node), true, "TerminationGracePeriodExpiring", message});
            return writer_.patch_claim(
                claim, "",
                dump({{"metadata",
                       {{"resourceVersion", claim.meta.resource_version},
                        {"annotations",
                         {{api::kTerminationTimestampAnnotation, format_rfc3339(deadline)}}}}}}));
        }
        case Kind::kDeleteNode: {
            const std::string node_name = node->node.meta.name;
            // Its own finalizer keeps it, so the answer has a version for the watch to show.
            writer_.begin(node_key(node_name));
            services_.client.remove(kube::kNodes, "", node_name, {node->node.meta.uid, "", -1},
                                    [this, name, node_name](const Result<std::string>& result) {
                                        writer_.settle(node_key(node_name), result,
                                                       "delete Node " + node_name);
                                        services_.reconcile_node(node_name);
                                        services_.reconcile_claim(name);
                                    });
            return;
        }
        case Kind::kRemoveInstance:
            if (!rules::is_true(claim.conditions, "InstanceTerminating"))
                return writer_.note(claim, {{"InstanceTerminating", "True", "InstanceTerminating"}});
            return writer_.remove_instance(services_.providers.of(claim.node_class), claim.provider_id, name,
                                           "");
        case Kind::kRemoveFinalizer:
            return writer_.release_claim(claim, [this, claim] { services_.notices.claim_terminated(claim); });
    }
}

// A dependent condition that stays Unknown says what it waits for.
void Lifecycle::note_waiting(const Claim& claim, const model::NodeState* node, const std::string& waiting) {
    if (waiting.empty() || waiting == "NodeTerminating" || waiting == "BindingPods") return;
    const std::string_view type =
        rules::is_true(claim.conditions, "Registered") ? "Initialized" : "Registered";
    const api::Condition* there = api::find_condition(claim.conditions, type);
    if (there != nullptr && there->reason == waiting) return;
    // Most nodes come up at once, and a write that is out of date a moment later helps nobody.
    constexpr Duration kWorthSaying = std::chrono::seconds{2};
    if (services_.loop.now() - claim.meta.created < kWorthSaying) return;
    // Which of them is the claim's own nobody can tell; the others wait for what is to come.
    const std::string_view status = waiting == "MultipleNodesFound" ? "False" : "Unknown";
    std::string message = node == nullptr || type != "Initialized"
                              ? std::string{}
                              : plan::missing_for_initialization(claim, node->node);
    if (message.empty()) message = "waits: " + waiting;
    writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
        patch.conditions.set(type, status, waiting, message, services_.loop.now());
    });
}

// For claims made by hand or by an older version: the label says whose the claim and its node are.
void Lifecycle::label(const Claim& claim, const model::NodeState* node) {
    const std::string key = rules::node_class_label(claim.node_class);
    const std::string body = dump({{"metadata", {{"labels", {{key, claim.node_class.name}}}}}});
    if (!claim.meta.labels.contains(key)) return writer_.patch_claim(claim, "", body);
    writer_.patch_node(node->node, body);
}

void Lifecycle::keep_marks(const Claim& claim) {
    if (claim.meta.deleted || !rules::is_true(claim.conditions, "Initialized")) return;
    const WallTime now = services_.loop.now();
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    plan::ClaimMarks marks;
    if (pool != nullptr) {
        const model::NodeState* node = services_.cluster.node_of(claim);
        marks = plan::wanted_claim_marks(
            {claim, pool->pool, services_.offers.all_types(pool->pool), drift_of(claim, pool->pool),
             last_pod_event_(claim.meta.name), node != nullptr && plan::is_empty(*node)},
            now);
    }
    if (!marks.annotations.empty()) {
        return writer_.patch_claim(
            claim, "",
            dump({{"metadata", {{"annotations", parse(api::encode_string_map(marks.annotations))}}}}));
    }
    const std::vector<plan::ConditionNote> notes = check_consistency(claim);
    if (marks.empty() && notes.empty()) {
        const model::NodeState* node = services_.cluster.node_of(claim);
        if (pool != nullptr && node != nullptr) keep_outgoing_taint(claim, pool->pool, node->node);
        return;
    }
    writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
        for (const plan::ConditionNote& note : notes)
            patch.conditions.set(note.type, note.status, note.reason, note.message, now);
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

// What the cloud says: a condition reason, or empty; nullopt where it does not know.
std::optional<std::string> Lifecycle::drift_of(const Claim& claim, const api::NodePool& pool) const {
    const auto node_class = services_.cluster.find_node_class(claim.node_class);
    const cloud::DriftAnswer answer =
        services_.providers.of(claim.node_class).drift(claim, pool, node_class.get());
    if (answer.kind == cloud::DriftAnswer::Kind::kNotKnown) return std::nullopt;
    return answer.reason;
}

void Lifecycle::keep_outgoing_taint(const Claim& claim, const api::NodePool& pool, const api::Node& node) {
    const bool wants = plan::is_outgoing(claim, pool, services_.loop.now());
    const bool has = rules::has_taint(node.taints, plan::kOutgoingTaint, api::kPreferNoSchedule);
    if (node.meta.deleted || wants == has || !writer_.may_act_on(node)) return;
    std::vector<api::Taint> taints = node.taints;
    std::erase_if(taints, [](const api::Taint& taint) { return taint.key == plan::kOutgoingTaint; });
    if (wants)
        taints.push_back({std::string(plan::kOutgoingTaint), "", std::string(api::kPreferNoSchedule), {}});
    writer_.write_taints(node, taints);
}

// Now and then; what differs from what the claim says.
std::vector<plan::ConditionNote> Lifecycle::check_consistency(const Claim& claim) {
    constexpr Duration kPeriod = std::chrono::minutes{10};
    const WallTime now = services_.loop.now();
    const model::NodeState* node = services_.cluster.node_of(claim);
    // While nodes come up there is more urgent work.
    const WallTime up_since = api::find_condition(claim.conditions, "Initialized")->last_transition;
    if (node == nullptr || now - up_since < plan::kPodEventGap) return {};
    const auto [it, is_first] = checked_.try_emplace(claim.meta.name, now);
    if (!is_first && now - it->second < kPeriod) return {};
    it->second = now;
    const std::string problem = plan::inconsistency(claim, node->node);
    const api::Condition* there = api::find_condition(claim.conditions, kConsistent);
    if (problem.empty()) {
        if (there != nullptr && there->status == "True") return {};
        return {{kConsistent, "True", std::string(kConsistent)}};
    }
    services_.events.record({target_of(claim), true, "FailedConsistencyCheck", problem});
    if (there != nullptr && there->status == "False" && there->message == problem) return {};
    return {{kConsistent, "False", "ConsistencyCheckFailed", problem}};
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
        if (writer_.may_act_on(node->node)) {
            std::vector<api::Taint> taints = node->node.taints;
            std::erase_if(taints, [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
            if (wants) taints.push_back(disrupted_taint());
            writer_.write_taints(node->node, taints);
        }
    }
    const api::Condition* there = api::find_condition(claim.conditions, "DisruptionReason");
    if ((there == nullptr ? std::string_view{} : there->reason) == reason) return is_done;
    if (writer_.may_act_on(claim)) {
        writer_.write_conditions(claim, [&](ClaimStatusPatch& patch) {
            if (wants) {
                patch.conditions.set("DisruptionReason", "True", std::string(reason), "", now);
            } else {
                patch.conditions.remove("DisruptionReason");
            }
        });
    }
    return false;
}

bool Lifecycle::end_by(const std::string& name, std::optional<WallTime> deadline, const std::string& reason) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.deleted || !writer_.may_act_on(state->claim)) return false;
    const auto there = parse_rfc3339(
        api::find_or_empty(state->claim.meta.annotations, api::kTerminationTimestampAnnotation));
    // The annotation knows whole seconds.
    if (!deadline || (there && *there <= *deadline)) {
        writer_.delete_claim(name, reason);
        return true;
    }
    writer_.patch_claim(
        state->claim, "",
        dump({{"metadata",
               {{"resourceVersion", state->claim.meta.resource_version},
                {"annotations", {{api::kTerminationTimestampAnnotation, format_rfc3339(*deadline)}}}}}}));
    return false;
}

bool Lifecycle::request_reboot(const std::string& name, std::optional<Duration> grace,
                               const std::string& why) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    return state == nullptr || state->claim.meta.deleted || reboot_.request(state->claim, grace, why);
}

void Lifecycle::register_node(const Claim& claim, const api::Node& node) {
    std::vector<api::Taint> taints;
    for (const api::Taint& taint : node.taints) {
        if (taint.key != api::kUnregisteredTaint) taints.push_back(taint);
    }
    const bool is_tainted = rules::has_taint(node.taints, api::kUnregisteredTaint, api::kNoExecute);
    if (!is_tainted) {
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
        // Whoever deletes pods by NoExecute taints may not have seen yet that this one is gone. The same
        // process takes this taint away once it has seen the node as it is now; nothing is bound before.
        if (is_tainted)
            merge_taints(taints,
                         {{std::string(api::kUnreachableTaint), "", std::string(api::kNoSchedule), {}}});
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
    writer_.patch_node(node, dump({{"metadata",
                                    {{"resourceVersion", node.meta.resource_version},
                                     {"labels", parse(api::encode_string_map(labels))},
                                     {"annotations", parse(api::encode_string_map(claim.meta.annotations))},
                                     {"finalizers", std::move(finalizers)},
                                     {"ownerReferences", parse(api::encode_owners(owners))}}},
                                   {"spec", {{"taints", parse(api::encode_taints(taints))}}}}));
}

void Lifecycle::open_binding_window(const Claim& claim, const api::Node& node) {
    api::Node opened = node;
    std::erase_if(opened.taints, [](const api::Taint& t) { return t.key == api::kBindingTaint; });
    Json body = {{"metadata", {{"resourceVersion", node.meta.resource_version}}},
                 {"spec", {{"taints", parse(api::encode_taints(opened.taints))}}}};
    // One write where both can be said at once.
    if (plan::initialization_obstacle(claim, opened).empty())
        body["metadata"]["labels"] = {{api::kInitializedLabel, "true"}};
    // Said before the server has it: from now on the scheduler may see the node open before we do.
    opening_.insert(claim.meta.name);
    writer_.patch_node(node, dump(body));
}

bool Lifecycle::close_binding_window(const std::string& name) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    const model::NodeState* node = state == nullptr ? nullptr : services_.cluster.node_of(state->claim);
    if (node == nullptr || node->node.meta.deleted) return true;
    if (rules::has_taint(node->node.taints, api::kBindingTaint, api::kNoSchedule)) {
        opening_.erase(name);
        return true;
    }
    if (!writer_.may_act_on(node->node)) return false;
    std::vector<api::Taint> taints = node->node.taints;
    taints.push_back({std::string(api::kBindingTaint), "", std::string(api::kNoSchedule), {}});
    writer_.write_taints(node->node, taints);
    return false;
}

void Lifecycle::step_node(const std::string& name) {
    const model::NodeState* state = services_.cluster.find_node(name);
    if (state == nullptr || !services_.cluster.is_ours(*state)) return;
    if (state->node.meta.deleted && plan::has_termination_finalizer(state->node.meta))
        return node_end_.step(*state);
    if (const model::ClaimState* claim = services_.cluster.claim_of(state->node))
        services_.reconcile_claim(claim->claim.meta.name);
}

void Lifecycle::forget_claim(const std::string& name) {
    writer_.forget(claim_key(name));
    launch_.forget(name);
    opening_.erase(name);
    hooks_.forget(name);
    reboot_.forget(name);
    checked_.erase(name);
}

void Lifecycle::forget_node(const std::string& name) {
    writer_.forget(node_key(name));
    node_end_.forget(name);
}

}  // namespace joiner::act
