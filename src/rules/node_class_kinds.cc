#include "rules/node_class_kinds.h"

#include <cctype>

namespace joiner::rules {

std::string node_class_label(const NodeClassKind& kind) {
    std::string lower = kind.kind;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return kind.group + "/" + lower;
}

NodeClassKinds::NodeClassKinds(std::vector<NodeClassKind> served) : served_(std::move(served)) {
    for (const NodeClassKind& kind : served_) labels_.push_back(node_class_label(kind));
}

bool NodeClassKinds::serve(const api::NodeClassReference& reference) const {
    return std::find(served_.begin(), served_.end(), NodeClassKind{reference.group, reference.kind}) !=
           served_.end();
}

bool NodeClassKinds::are_named_by(const api::StringMap& labels) const {
    return std::any_of(labels_.begin(), labels_.end(),
                       [&](const std::string& label) { return labels.contains(label); });
}

}  // namespace joiner::rules
