// What everything that acts is handed: the loop, the API server, the cloud, and a place to say what happened.
// Owned by control; loop thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cloud/offers.h"
#include "cloud/providers.h"
#include "io/loop.h"
#include "kube/client.h"
#include "kube/events.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"

namespace joiner::act {

// Things that happened, for metrics and logs. The default hears nothing.
class Notices {
  public:
    virtual ~Notices() = default;
    virtual void claim_created(const api::NodeClaim&, std::string_view /*reason*/) {}
    virtual void claim_disrupted(const api::NodeClaim&, std::string_view /*reason*/) {}
    virtual void claim_terminated(const api::NodeClaim&) {}
    // The provider has not made an instance of the claim.
    virtual void launch_failed(const api::NodeClaim&, const Error&) {}
    virtual void node_created(const api::Node&) {}
    virtual void node_drained(const api::Node&) {}
    virtual void node_terminated(const api::Node&) {}
    // `result`: as metrics name it. `took`: since it was asked for. `recovery`: since the machine began anew.
    virtual void node_rebooted(std::string_view /*result*/, Duration /*took*/,
                               std::optional<Duration> /*recovery*/) {}
    virtual void pod_evicted(int /*code*/) {}
    virtual void pod_bound(std::string_view /*result*/) {}  // "bound", "conflict", "gone", "failed", "left"
    virtual void failed(std::string_view /*what*/, const Error&) {}
};

struct Services {
    io::Loop& loop;
    kube::Client& client;
    kube::EventRecorder& events;
    const cloud::Providers& providers;
    cloud::Offers& offers;
    const model::Cluster& cluster;
    Notices& notices;
    // Has control reconcile the claim (or node) again soon.
    std::function<void(const std::string& claim)> reconcile_claim;
    std::function<void(const std::string& node)> reconcile_node;
};

// The cloud that the node belongs to: its claim's, and without one as its labels say.
inline cloud::Provider& provider_of(const Services& services, const api::Node& node) {
    const model::ClaimState* claim = services.cluster.claim_of(node);
    return claim == nullptr ? services.providers.of(node.meta.labels)
                            : services.providers.of(claim->claim.node_class);
}

enum class PodBinding { kAuto, kScheduler };

}  // namespace joiner::act
