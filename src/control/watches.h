// Every watch of one controller: which kinds are watched, whether what they told is whole and fresh, and
// outages, in which it is not. Feeds the model. Owned by control; loop thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "cloud/provider.h"
#include "control/feed.h"
#include "control/options.h"
#include "io/loop.h"
#include "kube/client.h"
#include "kube/reflector.h"

namespace joiner::control {

// Whether anybody asks what the pods of workloads are made from.
bool reads_templates(const Options& options);

class Watches {
  public:
    // Borrows `listener`, whose functions need not be set before start().
    Watches(io::Loop& loop, kube::Client& client, model::Cluster& cluster, const Options& options,
            const std::vector<cloud::NodeClassResource>& node_classes, const FeedListener& listener,
            Rng& rng);

    void start();
    void stop();

    // All of it was told in full at least once. Optional kinds too: until they are known, prices are not what
    // they will be.
    bool is_synced() const;
    // Pods, nodes and claims are seen as they are. Others change seldom, and an old state of them does no
    // harm.
    bool are_fresh() const;

    // Notices that an outage has begun or ended, and has broken watches tried again at once when the API
    // server answers again. To be called often. How long it was, when it has just ended.
    std::optional<Duration> look_for_outage();
    bool is_outage() const { return outage_began_.has_value(); }

  private:
    struct OfKind {
        model::Kind kind;
        std::unique_ptr<Feed> feed;
        std::unique_ptr<kube::Reflector> reflector;
    };
    struct OfNodeClass {
        std::unique_ptr<NodeClassFeed> feed;
        std::unique_ptr<kube::Reflector> reflector;
    };

    io::Loop& loop_;
    kube::Client& client_;
    const model::Cluster& cluster_;
    std::vector<OfKind> kinds_;
    std::vector<OfNodeClass> node_classes_;
    std::optional<WallTime> outage_began_;
    std::uint64_t recoveries_seen_ = 0;
};

}  // namespace joiner::control
