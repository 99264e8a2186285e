#include "cloud/providers.h"

namespace joiner::cloud {

rules::NodeClassKinds kinds_of(const std::vector<NodeClassResource>& resources) {
    std::vector<rules::NodeClassKind> kinds;
    for (const NodeClassResource& resource : resources) kinds.push_back(kind_of(resource));
    return rules::NodeClassKinds(std::move(kinds));
}

void Providers::add(std::unique_ptr<Provider> provider, const Wrap& wrap) {
    auto guarded = std::make_unique<GuardedProvider>(*provider, loop_, may_change_);
    auto wrapped = wrap ? wrap(*guarded) : nullptr;
    rules::NodeClassKinds kinds = kinds_of(provider->node_class_resources());
    entries_.push_back({std::move(provider), std::move(guarded), std::move(wrapped), std::move(kinds)});
    all_.push_back(&entries_.back().outermost());
}

Provider& Providers::of(const api::NodeClassReference& reference) const {
    for (const Entry& entry : entries_) {
        if (entry.kinds.serve(reference)) return entry.outermost();
    }
    return *nobody_;
}

Provider& Providers::of(const api::StringMap& node_labels) const {
    for (const Entry& entry : entries_) {
        if (entry.kinds.are_named_by(node_labels)) return entry.outermost();
    }
    return *nobody_;
}

rules::NodeClassKinds Providers::kinds() const {
    return kinds_of(node_class_resources());
}

std::vector<NodeClassResource> Providers::node_class_resources() const {
    std::vector<NodeClassResource> out;
    for (const Entry& entry : entries_) {
        for (const NodeClassResource& resource : entry.guarded->node_class_resources())
            out.push_back(resource);
    }
    return out;
}

void Providers::finish_changes(std::function<void()> done) {
    auto left = std::make_shared<std::size_t>(entries_.size());
    if (entries_.empty()) return loop_.post(std::move(done));
    auto all_done = std::make_shared<std::function<void()>>(std::move(done));
    for (const Entry& entry : entries_) {
        entry.guarded->finish_changes([left, all_done] {
            if (--*left == 0) (*all_done)();
        });
    }
}

}  // namespace joiner::cloud
