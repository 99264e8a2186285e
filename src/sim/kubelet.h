// The kubelets of nodes that no machine stands behind, as KWOK plays them: nodes turn Ready, pods run, pods
// that are to go are gone. A pod that does not fit fails for good, as on a real kubelet. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/options.h"
#include "sim/world.h"

namespace joiner::sim {

class Kubelet final : public Controller {
  public:
    Kubelet(World& world, KubeletOptions options);

    // For nodes yet to come, too: this one takes so long to get Ready; nullopt: it never does.
    void set_ready_delay(const std::string& node, std::optional<Duration> delay) {
        ready_delays_[node] = delay;
    }
    // The machine stops: its pods neither start nor end, and nothing is said of it any more.
    void stop_node(const std::string& node) { stopped_.insert(node); }
    void start_node(const std::string& node);
    bool is_stopped(const std::string& node) const { return stopped_.contains(node); }

  private:
    void on_node(EventType type, const ObjectPtr& node);
    void on_pod(EventType type, const ObjectPtr& pod, const ObjectPtr& previous);
    void make_ready(const std::string& name, const std::string& uid);
    void admit(const ObjectPtr& pod);
    void start(const std::string& key, const std::string& uid);
    void finish(const std::string& key, const std::string& uid);
    void remove(const std::string& key, const std::string& uid);
    std::string reason_to_refuse(const Json& pod, const Json& node) const;
    bool plays(const Json& node) const;
    bool is_up(const std::string& node) const;
    ObjectPtr pod_of(const std::string& key, const std::string& uid) const;
    void after(Duration delay, std::function<void()> task);

    World& world_;
    KubeletOptions options_;
    const ResourceType& nodes_type_;
    const ResourceType& pods_type_;
    std::map<std::string, std::optional<Duration>> ready_delays_;
    std::set<std::string> stopped_;
    std::set<std::string> admitted_;  // Uids of pods taken on.
    std::uint64_t next_address_ = 1;
    std::shared_ptr<bool> is_alive_;
    Informer nodes_;
    Informer pods_;

  public:
    ~Kubelet() override { *is_alive_ = false; }
};

}  // namespace joiner::sim
