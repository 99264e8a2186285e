// What each cloud has of its own, found by the node class of a pool, a claim or a node. Value type; any
// thread.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "api/karpenter.h"
#include "rules/node_class_kinds.h"

namespace joiner::rules {

template <typename T>
class ByNodeClass {
  public:
    // A kind that was added twice belongs to the first.
    void add(NodeClassKinds kinds, T value) { entries_.emplace_back(std::move(kinds), std::move(value)); }

    // T{} where nobody serves the class.
    const T& of(const api::NodeClassReference& reference) const {
        return find([&](const NodeClassKinds& kinds) { return kinds.serve(reference); });
    }
    // Of a node whose claim is not known.
    const T& of(const api::StringMap& node_labels) const {
        return find([&](const NodeClassKinds& kinds) { return kinds.are_named_by(node_labels); });
    }
    template <typename F>
    bool all(F holds) const {
        return std::all_of(entries_.begin(), entries_.end(),
                           [&](const auto& one) { return holds(one.second); });
    }

  private:
    template <typename F>
    const T& find(F is_it) const {
        const auto it =
            std::find_if(entries_.begin(), entries_.end(), [&](const auto& one) { return is_it(one.first); });
        return it == entries_.end() ? nobodys_ : it->second;
    }

    std::vector<std::pair<NodeClassKinds, T>> entries_;
    T nobodys_{};
};

}  // namespace joiner::rules
