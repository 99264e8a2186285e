// What nodes must be told of the cluster and no setting says, asked for at EKS until it is known. Borrows the
// calls. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/settings.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class ClusterDiscovery {
  public:
    // Writes what it finds into `settings`.
    ClusterDiscovery(io::Loop& loop, Eks& eks, Settings& settings)
        : loop_(loop), eks_(eks), settings_(settings) {}
    ~ClusterDiscovery() { *is_alive_ = false; }
    ClusterDiscovery(const ClusterDiscovery&) = delete;
    ClusterDiscovery& operator=(const ClusterDiscovery&) = delete;

    // `done` once all is known, or EKS could not say; from inside the call where nothing must be asked.
    void look(std::function<void()> done);
    // Why something is not known; nullopt: all is.
    const std::optional<Error>& problem() const { return problem_; }

  private:
    bool is_complete() const;
    void take(const EksCluster& cluster);

    io::Loop& loop_;
    Eks& eks_;
    Settings& settings_;
    std::optional<Error> problem_;
    Duration no_question_before_{0};
    std::vector<std::function<void()>> waiting_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
