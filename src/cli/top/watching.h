// A live cluster as `joiner top` follows it: watches of what it shows, and the metrics API where there is
// one. Writes nothing. The loop's thread; borrows all it is given.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "cli/top/state.h"
#include "control/feed.h"
#include "io/loop.h"
#include "kube/client.h"
#include "kube/reflector.h"
#include "model/cluster.h"

namespace joiner::cli::top {

// A NodeMetrics list.
inline constexpr std::string_view kUsePath = "/apis/metrics.k8s.io/v1beta1/nodes";

class Watching {
  public:
    Watching(io::Loop& loop, kube::Client& client, model::Cluster& cluster, Rng rng);
    ~Watching();
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

    void start();

    // Nodes and pods were read in full once.
    bool is_synced() const;
    // One sentence on what is wrong with what is shown; empty: nothing is.
    std::string problem() const;
    // nullptr: there is no metrics API, or it has not answered lately.
    const UseByNode* use() const;

  private:
    struct Watched {
        model::Kind kind;
        std::unique_ptr<control::Feed> feed;
        std::unique_ptr<kube::Reflector> reflector;
    };
    const kube::Reflector& reflector_of(model::Kind kind) const;
    void ask_for_use();
    void look_for_recovery();

    io::Loop& loop_;
    kube::Client& client_;
    const model::Cluster& cluster_;
    control::FeedListener listener_;
    std::vector<Watched> kinds_;
    std::string unreadable_;  // The last object that could not be decoded.
    UseByNode use_;
    std::optional<Duration> use_read_at_;  // By the loop's monotonic clock.
    std::uint64_t recoveries_seen_ = 0;
};

}  // namespace joiner::cli::top
