// What a cloud must do for us. One implementation a folder below; control hands a provider what it needs and
// calls it on the loop's thread. Answers come later, on the same thread, never from inside the call. Every
// implementation passes cloud/testing/contract.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"
#include "base/result.h"
#include "cloud/class_state.h"
#include "cloud/launch.h"
#include "cloud/reports.h"
#include "rules/commitment.h"
#include "rules/instance_type.h"
#include "rules/node_class_kinds.h"
#include "rules/node_pool_rules.h"
#include "rules/repair_policy.h"

namespace joiner::cloud {

// Something that must be done before a node of this cloud counts as registered (an address attached, say).
class RegistrationHook {
  public:
    virtual ~RegistrationHook() = default;
    virtual std::string_view name() const = 0;
    // 0 once it is done for the claim's node; otherwise how long to wait before asking again.
    virtual void ask(const api::NodeClaim& claim, std::function<void(Result<Duration>)> done) = 0;
};

// A kind of node class as the API server's paths name it. Literals.
struct NodeClassResource {
    std::string_view group;
    std::string_view version;
    std::string_view plural;
    std::string_view kind;
};

inline rules::NodeClassKind kind_of(const NodeClassResource& resource) {
    return {std::string(resource.group), std::string(resource.kind)};
}
rules::NodeClassKinds kinds_of(const std::vector<NodeClassResource>& resources);

// Whether an instance is what the cloud would make of its claim today.
struct DriftAnswer {
    enum class Kind { kNone, kDrifted, kNotKnown };
    Kind kind = Kind::kNone;
    std::string reason = {};  // Of kDrifted: a condition reason, "ImageDrifted".
};

class Provider {
  public:
    virtual ~Provider() = default;

    virtual std::string_view name() const = 0;
    // The kinds of node class it serves; a NodePool, claim or node of another is not its to touch. One that
    // is not installed holds nothing up.
    virtual std::vector<NodeClassResource> node_class_resources() const = 0;
    virtual const rules::RestrictedLabels& labels() const = 0;
    // Every type, sold out or not, for the pool and its class; the same pointer until something changed,
    // which Reports::offers_changed() tells. `node_class`: nullptr where there is none. An error where they
    // are not known now: nothing is bought for the pool, and the pool and its pods say the error's sentence.
    virtual Result<InstanceTypes> instance_types(const api::NodePool& pool,
                                                 const api::NodeClass* node_class) = 0;

    // What its account has paid for already, as far as that is known and wanted; nullptr: nothing. The same
    // pointer until something changed, which Reports::offers_changed() tells.
    virtual std::shared_ptr<const rules::Commitments> commitments() const { return nullptr; }

    // Whether its types and offerings are shown as metrics, as Karpenter's provider for this cloud shows
    // them.
    virtual bool shows_offerings() const { return false; }

    // What the node class should say of itself; asked when it or its use has changed. The answer is written
    // by others. A class that is on its way out is asked for too, until the finalizer is no longer wanted.
    // A provider that has nothing to say of its classes need not answer.
    virtual void reconcile(const api::NodeClass&, const ClassFacts&,
                           std::function<void(Result<WantedClassState>)>) {}

    // Of the claim's instance. What is not known changes nothing.
    virtual DriftAnswer drift(const api::NodeClaim&, const api::NodePool&, const api::NodeClass*) {
        return {};
    }

    // When it calls a node sick. Policies that reboot want can_reboot().
    virtual std::vector<rules::RepairPolicy> repair_policies() const { return {}; }

    // All of them must be done before a node's unregistered taint goes. They outlive the calls made to them.
    virtual std::vector<RegistrationHook*> registration_hooks() { return {}; }

    // Repeatable: a second call for the same claim (by uid) finds the first one's instance, also after a
    // crash between the two.
    virtual void create(const LaunchRequest& request, LaunchDone done) = 0;
    // A value once deletion has begun; kNotFound when the instance is gone for good. Call until then. Here
    // and in get(): kInvalid where the id is none of this cloud's, of whose instances it knows nothing.
    virtual void remove(const std::string& provider_id, std::function<void(Status)> done) = 0;
    // kNotFound when there is no such instance any more.
    virtual void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) = 0;
    // Every instance that was made for a claim, of this cluster; an error where they are not all known.
    virtual void list(std::function<void(Result<std::vector<Instance>>)> done) = 0;

    // Whether the cloud has yet to hear which node the claim's instance has become: as a tag, say. Asked of
    // claims that are registered.
    virtual bool must_hear_of_node(const api::NodeClaim&) const { return false; }
    // Tells it; repeatable. The claim is annotated with the answer, by which must_hear_of_node() is over.
    virtual void hear_of_node(const api::NodeClaim& /*claim*/,
                              std::function<void(Result<api::StringMap>)> /*done*/) {}

    // What the node of a registered claim says of itself. It changes nothing in the cloud. false: no note was
    // taken of it yet, and it is shown again.
    virtual bool note_node(const api::NodeClaim& /*claim*/, const api::Node& /*node*/) { return true; }

    virtual bool can_reboot() const { return false; }
    // Starts the claim's instance anew in its place; repeatable under the same operation. A value once that
    // was accepted. Errors: kNotFound (there is no instance), kInvalid and kForbidden (not to be had), others
    // are worth another try. REQUIRES: can_reboot().
    virtual void reboot(const api::NodeClaim& /*claim*/, const std::string& /*operation*/,
                        std::function<void(Status)> /*done*/) {}
};

}  // namespace joiner::cloud
