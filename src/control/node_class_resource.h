// Between a node class as a provider names it and a resource of the API server. Pure; any thread.
#pragma once

#include <optional>

#include "cloud/provider.h"
#include "cloud/providers.h"
#include "kube/client.h"

namespace joiner::control {

inline kube::Resource resource_of(const cloud::NodeClassResource& of) {
    return {of.group, of.version, of.plural, of.kind, false};
}

// Of the class's kind; nullopt: no provider here serves it.
inline std::optional<kube::Resource> find_resource(const cloud::Providers& providers,
                                                   const api::NodeClassReference& node_class) {
    for (const cloud::NodeClassResource& each : providers.node_class_resources()) {
        if (each.group == node_class.group && each.kind == node_class.kind) return resource_of(each);
    }
    return std::nullopt;
}

}  // namespace joiner::control
