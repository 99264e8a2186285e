// Between a watch and the model: decodes each object and tells the Cluster, then says what changed. Loop
// thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "kube/reflector.h"
#include "model/cluster.h"

namespace joiner::control {

// Told after the model has changed. Names are as the model keys them.
struct FeedListener {
    std::function<void(const model::PodState* before, const model::PodState* after)> pod_changed;
    std::function<void(const std::string& name)> node_changed;
    std::function<void(const std::string& name)> claim_changed;
    std::function<void(const std::string& node)> volumes_changed;  // What is attached to the node.
    std::function<void()> pools_changed;  // NodePools, daemons, and what pods refer to.
    std::function<void(const api::NodeClassReference&)> class_changed;
    std::function<void()> headroom_changed;  // CapacityBuffers, and what they refer to.
    std::function<void(std::string_view what, const Error&)> unreadable;
    std::function<void()> synced;
};

// Of one kind of node class, whichever provider's. Nothing waits for a kind that is not installed.
class NodeClassFeed final : public kube::ObjectHandler {
  public:
    NodeClassFeed(rules::NodeClassKind kind, model::Cluster& cluster, const FeedListener& listener)
        : kind_(std::move(kind)), cluster_(cluster), listener_(listener) {}

    void begin_replace() override { seen_.clear(); }
    void upsert(std::string_view json) override;
    void remove(std::string_view json) override;
    void end_replace() override;
    void missing() override;
    bool is_synced() const { return is_synced_; }

  private:
    void remove(const std::string& name);

    rules::NodeClassKind kind_;
    model::Cluster& cluster_;
    const FeedListener& listener_;
    std::set<std::string, std::less<>> seen_;  // Names, since begin_replace().
    bool is_synced_ = false;
};

class Feed final : public kube::ObjectHandler {
  public:
    Feed(model::Kind kind, model::Cluster& cluster, const FeedListener& listener)
        : kind_(kind), cluster_(cluster), listener_(listener) {}

    void begin_replace() override { cluster_.begin_replace(kind_); }
    void upsert(std::string_view json) override;
    void remove(std::string_view json) override;
    void end_replace() override;
    void missing() override;

  private:
    void say_changed(const std::string& name);
    void remove(const std::string& ns, const std::string& name);
    template <typename T>
    void tell(Result<T> object);
    void tell_template(Result<api::Workload> workload);

    model::Kind kind_;
    model::Cluster& cluster_;
    const FeedListener& listener_;
};

}  // namespace joiner::control
