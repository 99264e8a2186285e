// What a cloud must do for us. One implementation a folder below; control hands a provider what it needs and
// calls it on the loop's thread. Answers come later, on the same thread, never from inside the call.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "rules/instance_type.h"
#include "rules/node_class_kinds.h"
#include "rules/node_pool_rules.h"
#include "rules/repair_policy.h"

namespace joiner::cloud {

struct Instance {
    std::string provider_id;
    std::string image_id;
    std::string claim_name;  // What the instance's tags say it was made for; empty when they say nothing.
    api::StringMap labels;   // Instance type, zone, capacity type and what else the provider knows.
    api::StringMap annotations;
    rules::Resources capacity;
    rules::Resources allocatable;
    bool is_terminating = false;
};

// Something that must be done before a node of this cloud counts as registered (an address attached, say).
class RegistrationHook {
  public:
    virtual ~RegistrationHook() = default;
    virtual std::string_view name() const = 0;
    // 0 once it is done for the claim's node; otherwise how long to wait before asking again.
    virtual void ask(const api::NodeClaim& claim, std::function<void(Result<Duration>)> done) = 0;
};

using InstanceTypes = std::shared_ptr<const std::vector<rules::InstanceType>>;

class Provider {
  public:
    virtual ~Provider() = default;

    virtual std::string_view name() const = 0;
    // The kinds of node class it serves; a NodePool, claim or node of another is not ours to touch.
    virtual std::vector<rules::NodeClassKind> node_class_kinds() const = 0;
    virtual const rules::RestrictedLabels& labels() const = 0;
    // Every type, sold out or not. The same pointer until something changed.
    virtual InstanceTypes instance_types(const api::NodePool& pool) = 0;

    // Why the claim's instance is not what the cloud would make of the claim today, as a condition reason
    // ("ImageDrifted"); empty when it is, and where the cloud has nothing to say about it.
    virtual std::string drift_reason(const api::NodeClaim&, const api::NodePool&) { return {}; }

    // When it calls a node sick. Policies that reboot want can_reboot().
    virtual std::vector<rules::RepairPolicy> repair_policies() const { return {}; }

    // All of them must be done before a node's unregistered taint goes. They outlive the calls made to them.
    virtual std::vector<RegistrationHook*> registration_hooks() { return {}; }

    // Repeatable: a second call for the same claim (by uid) finds the first one's instance. Errors:
    // kExhausted (none of the offerings that the claim allows is to be had: plan without them), kInvalid (the
    // node class is not usable), others are worth another try.
    virtual void create(const api::NodeClaim& claim, std::function<void(Result<Instance>)> done) = 0;
    // A value once deletion has begun; kNotFound when the instance is gone for good. Call until then. Here
    // and in get(): kInvalid where the id is none of this cloud's, of whose instances it knows nothing.
    virtual void remove(const std::string& provider_id, std::function<void(Status)> done) = 0;
    // kNotFound when there is no such instance any more.
    virtual void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) = 0;
    virtual void list(std::function<void(Result<std::vector<Instance>>)> done) = 0;

    virtual bool can_reboot() const { return false; }
    // Starts the claim's instance anew in its place; repeatable under the same operation. A value once that
    // was accepted. Errors: kNotFound (there is no instance), kInvalid and kForbidden (not to be had), others
    // are worth another try. REQUIRES: can_reboot().
    virtual void reboot(const api::NodeClaim& /*claim*/, const std::string& /*operation*/,
                        std::function<void(Status)> /*done*/) {}
};

}  // namespace joiner::cloud
