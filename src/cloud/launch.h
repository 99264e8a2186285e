// What a launch asks of a cloud, and what comes of it. Value types; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"
#include "rules/instance_type.h"
#include "rules/offering_key.h"

namespace joiner::cloud {

using InstanceTypes = std::shared_ptr<const std::vector<rules::InstanceType>>;

struct Instance {
    std::string provider_id;
    std::string image_id;
    std::string claim_name;  // What the instance's tags say it was made for; empty when they say nothing.
    api::NodeClassReference node_class;  // As its tags say; empty when they say nothing.
    api::StringMap labels;  // Instance type, zone, capacity type and what else the provider knows.
    api::StringMap annotations;
    api::StringMap tags;  // As the cloud has them.
    rules::Resources capacity;
    rules::Resources allocatable;
    WallTime launched = kNoTime;  // kNoTime: not known.
    bool is_terminating = false;
    // It was bought for claims of this launch group, and may be whichever's of them; empty: for none. See
    // cloud/launch_group.h.
    std::string launch_group = {};
    std::vector<std::string> absent_labels;  // That its claim and node must not have, as far as is known.
};

struct LaunchChoice {
    const rules::InstanceType* type = nullptr;
    const rules::Offering* offering = nullptr;

    rules::OfferingKey key() const { return rules::key_of(*type, *offering); }
    friend bool operator==(const LaunchChoice&, const LaunchChoice&) = default;
};

struct LaunchRequest {
    api::NodeClaim claim;
    std::shared_ptr<const api::NodeClass> node_class;  // Never nullptr.
    // All that the claim may become and that was to be had when it was asked for, cheapest first: what the
    // plan would take, in its order. Never empty.
    std::vector<LaunchChoice> choices;
    InstanceTypes types;  // Keeps what the choices point to.
    WallTime asked_at = kNoTime;
    bool leaves_some_out = false;  // What was sold out and may be back, is tried by others or later.
};

struct LaunchAnswer {
    // The errors, by kind, and what becomes of the claim:
    //   kExhausted   none of the choices that were tried is to be had; the next ones are asked for
    //   kNotReady    its node class cannot be used yet; the claim is given up, and planned again
    //   kInvalid     the cloud will never take such a request; as kNotReady, and its pool is in doubt
    //   kForbidden   not allowed to; asked for again after a long wait
    //   kThrottled   asked for too often; again after as long as the error says
    //   kUnavailable, kInternal  not known what came of it; asked for again
    Result<Instance> instance;
    // Which of the choices the instance is. Empty where the instance was there already.
    rules::OfferingKey taken = {};
    // Found sold out on the way, also where an instance came of it. Of an answer that says kExhausted and
    // names none: all choices were.
    std::vector<rules::OfferingKey> exhausted = {};
};
using LaunchDone = std::function<void(LaunchAnswer)>;

// Whether a launch that ended so is not tried again under the same claim.
inline bool gives_claim_up(ErrorKind kind) {
    return kind == ErrorKind::kExhausted || kind == ErrorKind::kNotReady || kind == ErrorKind::kInvalid;
}

}  // namespace joiner::cloud
