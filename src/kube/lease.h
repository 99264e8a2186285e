// Leader election by a coordination.k8s.io Lease: 15 s lease, 10 s renew deadline, 2 s between tries, as
// client-go's defaults. Owned by control; loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/rng.h"
#include "base/time.h"
#include "io/loop.h"
#include "kube/client.h"

namespace joiner::kube {

struct LeaseOptions {
    std::string name = "karpenter-leader-election";
    std::string ns;
    std::string identity;  // Unique to this process.
    Duration lease = std::chrono::seconds{15};
    Duration renew_deadline = std::chrono::seconds{10};
    Duration retry = std::chrono::seconds{2};
};

class LeaderElector {
  public:
    // `on_lost` comes once, after which nothing may be written any more: the process ends.
    LeaderElector(io::Loop& loop, Client& client, LeaseOptions options, Rng rng,
                  std::function<void()> on_elected, std::function<void()> on_lost);
    ~LeaderElector();
    void start();
    // Gives the lease back so that a standby takes over at once, then calls `done`.
    void release(std::function<void()> done);
    bool is_leader() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::kube
