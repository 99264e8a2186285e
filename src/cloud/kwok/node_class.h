// What a KWOKNodeClass says. Pure; any thread.
#pragma once

#include "api/karpenter.h"
#include "base/result.h"
#include "cloud/kwok/sold_out.h"

namespace joiner::cloud::kwok {

struct KwokClass {
    Duration registration_delay{0};  // Of its nodes.
    SoldOut sold_out = SoldOut({});
};

// kNotReady where nothing can be launched with it, and why.
Result<KwokClass> usable_class(const api::NodeClass& node_class);

}  // namespace joiner::cloud::kwok
