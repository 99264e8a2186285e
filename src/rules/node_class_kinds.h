// The kinds of node class that this process serves, which is what makes a pool, a claim or a node ours. Told
// apart by group and kind; the name does not matter. Pure; any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"

namespace joiner::rules {

struct NodeClassKind {
    std::string group;
    std::string kind;

    friend bool operator==(const NodeClassKind&, const NodeClassKind&) = default;
};

// The label by which claims and nodes name their node class: "karpenter.kwok.sh/kwoknodeclass".
std::string node_class_label(const NodeClassKind& kind);
inline std::string node_class_label(const api::NodeClassReference& reference) {
    return node_class_label(NodeClassKind{reference.group, reference.kind});
}

class NodeClassKinds {
  public:
    explicit NodeClassKinds(std::vector<NodeClassKind> served);

    bool serve(const api::NodeClassReference& reference) const;
    // For a node whose claim is not known: its labels name a class of a kind that is served.
    bool are_named_by(const api::StringMap& labels) const;

  private:
    std::vector<NodeClassKind> served_;
    std::vector<std::string> labels_;
};

}  // namespace joiner::rules
