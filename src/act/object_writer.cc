#include "act/object_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "act/claim_status_patch.h"
#include "act/settled_patches.h"
#include "api/codec.h"
#include "api/names.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr Duration kInstancePoll = std::chrono::seconds{5};

}  // namespace

std::string claim_key(const std::string& name) {
    return "claim/" + name;
}
std::string node_key(const std::string& name) {
    return "node/" + name;
}
std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

kube::EventTarget target_of(const api::NodeClaim& claim) {
    return {"karpenter.sh/v1", "NodeClaim", "", claim.meta.name, claim.meta.uid, claim.meta.resource_version};
}
kube::EventTarget target_of(const api::NodePool& pool) {
    return {std::string(pool.api_version()), std::string(pool.kind()), "", pool.meta.name, pool.meta.uid, ""};
}
kube::EventTarget target_of(const api::Node& node) {
    return {"v1", "Node", "", node.meta.name, node.meta.uid, ""};
}
kube::EventTarget target_of(const model::PodState& pod) {
    return {"v1", "Pod", pod.id.ns(), pod.id.name(), pod.id.uid(), ""};
}

bool ObjectWriter::may_act_on(const api::NodeClaim& claim) {
    return settling_.may_act(claim_key(claim.meta.name), claim.meta.resource_version, services_.loop.now());
}
bool ObjectWriter::may_act_on(const api::Node& node) {
    return settling_.may_act(node_key(node.meta.name), node.meta.resource_version, services_.loop.now());
}

void ObjectWriter::reconcile_again(const std::string& claim, const std::string& node) {
    if (!claim.empty()) services_.reconcile_claim(claim);
    if (!node.empty()) services_.reconcile_node(node);
}

void ObjectWriter::settle(const std::string& key, const Result<std::string>& result, std::string_view what) {
    act::settle(services_, settling_, key, result, what);
}

void ObjectWriter::patch_claim(const api::NodeClaim& claim, std::string_view subresource, std::string body,
                               std::function<void()> after) {
    const std::string name = claim.meta.name;
    settling_.begin(claim_key(name));
    services_.client.patch(kube::kNodeClaims, "", name, subresource, kube::PatchType::kMerge, std::move(body),
                           [this, name, after = std::move(after)](Result<std::string> result) {
                               settle(claim_key(name), result, "patch NodeClaim " + name);
                               if (result && after) after();
                               services_.reconcile_claim(name);
                           });
}

void ObjectWriter::patch_node(const api::Node& node, std::string body, std::function<void()> after) {
    const std::string name = node.meta.name;
    settling_.begin(node_key(name));
    services_.client.patch(kube::kNodes, "", name, "", kube::PatchType::kMerge, std::move(body),
                           [this, name, after = std::move(after)](Result<std::string> result) {
                               settle(node_key(name), result, "patch Node " + name);
                               if (result && after) after();
                               services_.reconcile_node(name);
                           });
}

void ObjectWriter::write_taints(const api::Node& node, const std::vector<api::Taint>& taints) {
    const Json body = {{"metadata", {{"resourceVersion", node.meta.resource_version}}},
                       {"spec", {{"taints", Json::parse(api::encode_taints(taints))}}}};
    patch_node(node, body.dump());
}

void ObjectWriter::write_conditions(const api::NodeClaim& claim,
                                    const std::function<void(ClaimStatusPatch&)>& edit) {
    ClaimStatusPatch patch(claim);
    edit(patch);
    patch.status["conditions"] =
        Json::parse(api::encode_conditions(patch.conditions.finish(services_.loop.now())));
    patch_claim(claim, "status", dump({{"status", std::move(patch.status)}}));
}

void ObjectWriter::note(const api::NodeClaim& claim, const std::vector<plan::ConditionNote>& notes) {
    const bool are_there = std::all_of(notes.begin(), notes.end(), [&](const plan::ConditionNote& note) {
        const api::Condition* there = api::find_condition(claim.conditions, note.type);
        return there != nullptr && there->status == note.status && there->reason == note.reason;
    });
    if (are_there || !may_act_on(claim)) return;
    write_conditions(claim, [&](ClaimStatusPatch& patch) {
        for (const plan::ConditionNote& note : notes)
            patch.conditions.set(note.type, note.status, note.reason, note.message, services_.loop.now());
    });
}

void ObjectWriter::delete_claim(const std::string& name, const std::string& reason) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.deleted || !deleting_.insert(claim_key(name)).second) return;
    settling_.begin(claim_key(name));
    services_.client.remove(kube::kNodeClaims, "", name, {state->claim.meta.uid, "", -1},
                            [this, name, reason, claim = state->claim](Result<std::string> result) {
                                settle(claim_key(name), result, "delete NodeClaim " + name);
                                if (result)
                                    services_.notices.claim_disrupted(claim, reason);
                                else
                                    deleting_.erase(claim_key(name));
                                services_.reconcile_claim(name);
                            });
}

bool ObjectWriter::is_deleting(const std::string& claim) const {
    return deleting_.contains(claim_key(claim));
}

void ObjectWriter::remove_instance(cloud::Provider& provider, const std::string& provider_id,
                                   const std::string& claim, const std::string& node) {
    const std::string key = claim.empty() ? node_key(node) : claim_key(claim);
    settling_.begin(key);
    provider.remove(provider_id, [this, key, provider_id, claim, node](Status status) {
        const WallTime now = services_.loop.now();
        if (!status && status.error().kind == ErrorKind::kNotFound) {
            gone_instances_.insert(provider_id);
            done(key);
        } else if (!claim.empty() && !status && status.error().kind == ErrorKind::kInvalid) {
            // The id is none of the claim's own cloud, so there is nothing of it. A node that names such an
            // id may be another's, and is not let go of.
            services_.notices.failed("find the instance of NodeClaim " + claim, status.error());
            claims_without_instance_.insert(claim);
            done(key);
        } else {
            if (!status) services_.notices.failed("remove instance " + provider_id, status.error());
            settling_.done(key, "", now);
            services_.loop.after(kInstancePoll, [this, claim, node] { reconcile_again(claim, node); });
        }
        reconcile_again(claim, node);
    });
}

void ObjectWriter::release_claim(const api::NodeClaim& claim, std::function<void()> after) {
    release(kube::kNodeClaims, claim_key(claim.meta.name), claim.meta,
            [this, name = claim.meta.name, id = claim.provider_id, after = std::move(after)] {
                gone_instances_.erase(id);
                claims_without_instance_.erase(name);
                after();
            });
}
void ObjectWriter::release_node(const api::Node& node, std::function<void()> after) {
    release(kube::kNodes, node_key(node.meta.name), node.meta, std::move(after));
}

void ObjectWriter::release(const kube::Resource& resource, const std::string& key,
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
                services_.reconcile_claim(name);
            else
                services_.reconcile_node(name);
        });
}

}  // namespace joiner::act
