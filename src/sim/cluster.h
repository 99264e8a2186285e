// A whole pretend cluster: API server, scheduler, controllers and kubelets on one loop, virtual unless
// another is given, with the custom resources of deploy/crds served. Tests, demo and replays build their
// world from it. It shows no JSON library. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/http.h"
#include "kube/config.h"
#include "sim/api_server.h"
#include "sim/faults.h"
#include "sim/options.h"
#include "sim/virtual_loop.h"

namespace joiner::sim {

class Kubelet;
class Scheduler;

struct ClusterOptions {
    ApiServerOptions api;
    SchedulerOptions scheduler;
    KubeletOptions kubelet;
    WorldOptions world;
    FaultOptions faults;  // Between clients of http() and the API server.
    Duration latency = std::chrono::milliseconds{1};
    bool with_scheduler = true;
    bool with_controllers = true;
    bool with_kubelets = true;
    bool with_custom_resources = true;
};

class Cluster {
  public:
    explicit Cluster(ClusterOptions options = {});
    // On a loop that someone else runs; time() must not be called then.
    Cluster(io::Loop& loop, ClusterOptions options);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    io::Loop& loop();
    VirtualLoop& time();
    ApiServer& api();
    io::HttpClient& http();
    // For a kube::Client over http().
    kube::Config config() const;
    Faults& faults();
    void set_path_dead(bool is_dead);
    // REQUIRES: not switched off by the options.
    Kubelet& kubelet();
    Scheduler& scheduler();

    // Creates the objects of a manifest (YAML or JSON, several documents, Lists), or changes them to what it
    // says. Objects without a namespace go to "default". The first problem ends it.
    Status apply(std::string_view manifest);
    Status remove(std::string_view kind, std::string_view ns, std::string_view name);
    Status scale(std::string_view kind, std::string_view ns, std::string_view name, int replicas);
    // `patch` is a merge patch.
    Status patch(std::string_view kind, std::string_view ns, std::string_view name, std::string_view patch,
                 std::string_view subresource = {});

    // `kind` in kubectl's words: "pods", "Deployment", "nodepools.karpenter.sh", "ds". Objects as JSON texts.
    std::optional<std::string> get(std::string_view kind, std::string_view ns, std::string_view name) const;
    std::vector<std::string> list(std::string_view kind, std::string_view ns = {}) const;
    std::size_t count(std::string_view kind, std::string_view ns = {}) const;
    std::map<std::string, std::size_t> pods_by_phase() const;
    std::size_t bound_pods() const;
    // Reasons of Events, each with how often it came.
    std::map<std::string, std::size_t> event_reasons() const;

    // The machine behind a node stops for good, or goes on.
    void stop_node(const std::string& node);
    void start_node(const std::string& node);

    // Of virtual time. run_until() looks after each step; false when `is_done` does not hold within `limit`.
    void run_for(Duration span) { time().run_for(span); }
    bool run_until(const std::function<bool()>& is_done, Duration limit) {
        return time().run_until(is_done, limit);
    }

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::sim
