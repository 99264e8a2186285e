// Turns what happened into metrics and log lines, and passes on what came of launches. Owned by control; loop
// thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "act/services.h"
#include "io/loop.h"
#include "model/cluster.h"
#include "observe/metrics.h"

namespace joiner::control {

// A condition reason.
inline constexpr std::string_view kLaunchFailed = "LaunchFailed";

class Recorder final : public act::Notices {
  public:
    struct Listener {
        std::function<void(const api::Node&)> registered;
        std::function<void(const api::NodeClaim&, std::string_view reason)> ended;
        // It was deleted before its node came up. `reason`: as the metrics name it; `condition`: a condition
        // reason.
        std::function<void(const api::NodeClaim&, std::string_view reason, std::string_view condition)>
            given_up;
        std::function<void(const api::NodeClaim&, const Error&)> launch_failed;
    };
    Recorder(observe::Metrics& metrics, const io::Loop& loop, const model::Cluster& cluster,
             Listener listener)
        : metrics_(metrics), loop_(loop), cluster_(cluster), listener_(std::move(listener)) {}

    void claim_created(const api::NodeClaim& claim, std::string_view reason) override;
    void claim_disrupted(const api::NodeClaim& claim, std::string_view reason) override;
    void claim_terminated(const api::NodeClaim& claim) override;
    void launch_failed(const api::NodeClaim& claim, const Error& error) override;
    void node_created(const api::Node& node) override;
    void node_drained(const api::Node& node) override;
    void node_terminated(const api::Node& node) override;
    void node_rebooted(std::string_view result, Duration took, std::optional<Duration> recovery) override;
    void pod_evicted(int code) override;
    void pod_bound(std::string_view result) override;
    void failed(std::string_view what, const Error& error) override;

  private:
    std::string consolidation_policy(const api::NodeClaim& claim, std::string_view reason) const;
    void count_node(std::string_view name, const api::Node& node);
    // Nothing where it is not known since when.
    void time_since(std::optional<WallTime> since, std::string_view metric, const api::ObjectMeta& meta);

    observe::Metrics& metrics_;
    const io::Loop& loop_;
    const model::Cluster& cluster_;
    Listener listener_;
};

}  // namespace joiner::control
