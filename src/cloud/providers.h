// Every cloud that this process drives, and which of them a pool, a claim or a node belongs to: by the group
// and kind of its node class. Owned by control; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cloud/guarded_provider.h"
#include "cloud/nobodys_provider.h"
#include "cloud/provider.h"
#include "io/loop.h"

namespace joiner::cloud {

class Providers {
  public:
    // `may_change` is asked before each call that changes a cloud.
    Providers(io::Loop& loop, std::function<bool()> may_change)
        : loop_(loop), may_change_(std::move(may_change)), nobody_(std::make_unique<NobodysProvider>(loop)) {}

    // A kind that two of them serve belongs to the first.
    // `wrap`: makes what stands before the guarded provider, where something does.
    using Wrap = std::function<std::unique_ptr<Provider>(Provider& guarded)>;
    void add(std::unique_ptr<Provider> provider, const Wrap& wrap = {});

    // Where nobody here serves the class: one that has no types, and that answers every call with kInvalid.
    Provider& of(const api::NodeClassReference& reference) const;
    // Of a node whose claim is not known: its labels name a class.
    Provider& of(const api::StringMap& node_labels) const;
    // In the order in which they were added.
    const std::vector<Provider*>& all() const { return all_; }

    rules::NodeClassKinds kinds() const;
    std::vector<NodeClassResource> node_class_resources() const;

    // Nothing more is changed; `done` when nothing that was asked for is under way.
    void finish_changes(std::function<void()> done);

  private:
    struct Entry {
        std::unique_ptr<Provider> own;
        std::unique_ptr<GuardedProvider> guarded;
        std::unique_ptr<Provider> wrapped;  // nullptr: nothing stands before it.
        rules::NodeClassKinds kinds;

        Provider& outermost() const { return wrapped ? *wrapped : *guarded; }
    };
    io::Loop& loop_;
    std::function<bool()> may_change_;
    std::unique_ptr<Provider> nobody_;
    std::vector<Entry> entries_;
    std::vector<Provider*> all_;
};

}  // namespace joiner::cloud
