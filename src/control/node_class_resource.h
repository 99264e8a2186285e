// Between a node class as a provider names it and a resource of the API server. Pure; any thread.
#pragma once

#include "cloud/provider.h"
#include "kube/client.h"

namespace joiner::control {

inline kube::Resource resource_of(const cloud::NodeClassResource& of) {
    return {of.group, of.version, of.plural, of.kind, false};
}

}  // namespace joiner::control
