// Writes about claims and nodes: one request at a time an object, left alone until the watch shows what was
// written. Shared by all that act on them, so that no two of them write at once. Loop thread.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "act/services.h"
#include "act/settling.h"
#include "plan/lifecycle/condition_note.h"

namespace joiner::act {

class ClaimStatusPatch;

class ObjectWriter {
  public:
    explicit ObjectWriter(Services& services) : services_(services) {}

    // Nothing about the object is on its way, and our facts of it are not older than our last write.
    bool may_act_on(const api::NodeClaim& claim);
    bool may_act_on(const api::Node& node);

    // `body` is a merge patch. `after` is called when it was written.
    void patch_claim(const api::NodeClaim& claim, std::string_view subresource, std::string body,
                     std::function<void()> after = {});
    void patch_node(const api::Node& node, std::string body, std::function<void()> after = {});
    // All of the node's taints at once; refused where the node has changed since it was seen.
    void write_taints(const api::Node& node, const std::vector<api::Taint>& taints);
    void write_conditions(const api::NodeClaim& claim, const std::function<void(ClaimStatusPatch&)>& edit);
    // Makes the claim's conditions say so, where they do not and the claim may be written to now.
    void note(const api::NodeClaim& claim, const std::vector<plan::ConditionNote>& notes);
    // Takes our finalizer off.
    void release_claim(const api::NodeClaim& claim, std::function<void()> after);
    void release_node(const api::Node& node, std::function<void()> after);
    // Deletes the claim, once; `reason` is for the metrics ("empty", "expired", …).
    void delete_claim(const std::string& name, const std::string& reason);
    // It has been asked for, and our facts may not show it yet.
    bool is_deleting(const std::string& claim) const;
    // Asks the provider to remove the instance, and again until it is gone. Exactly one of `claim` and `node`
    // is whose step this is: it is reconciled again.
    void remove_instance(cloud::Provider& provider, const std::string& provider_id, const std::string& claim,
                         const std::string& node);
    // The provider has said so.
    bool is_gone(const std::string& provider_id) const { return gone_instances_.contains(provider_id); }
    bool is_gone(const api::NodeClaim& claim) const {
        return is_gone(claim.provider_id) || claims_without_instance_.contains(claim.meta.name);
    }
    void note_gone(const std::string& provider_id) { gone_instances_.insert(provider_id); }

    // For requests that are not patches: begin, then one of the ends.
    void begin(const std::string& key) { settling_.begin(key); }
    void settle(const std::string& key, const Result<std::string>& result, std::string_view what);
    // Nothing was written.
    void done(const std::string& key) { settling_.done(key, "0", services_.loop.now()); }
    // Left alone for a while, and for `at_least`.
    void failed(const std::string& key, Duration at_least = {}) {
        settling_.failed(key, services_.loop.now(), at_least);
    }
    void forget(const std::string& key) {
        settling_.forget(key);
        deleting_.erase(key);
    }

  private:
    void reconcile_again(const std::string& claim, const std::string& node);
    void release(const kube::Resource& resource, const std::string& key, const api::ObjectMeta& meta,
                 std::function<void()> after);

    Services& services_;
    Settling settling_;
    std::set<std::string> deleting_;                 // Keys of claims.
    std::set<std::string> gone_instances_;           // Provider ids.
    std::set<std::string> claims_without_instance_;  // By name.
};

// What requests about an object are known by.
std::string claim_key(const std::string& name);
std::string node_key(const std::string& name);
kube::EventTarget target_of(const api::NodeClaim& claim);
kube::EventTarget target_of(const api::NodePool& pool);
kube::EventTarget target_of(const api::Node& node);
kube::EventTarget target_of(const model::PodState& pod);
std::string dump(const nlohmann::json& json);

}  // namespace joiner::act
