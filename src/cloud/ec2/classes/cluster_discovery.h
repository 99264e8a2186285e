// What nodes must be told of the cluster and no setting says: asked for at EKS until it is known. The version
// of Kubernetes is asked for again and again, since a cluster is upgraded under us. Borrows the calls. Loop
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/settings.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

// Asks the API server for its version: "1.34".
using AskVersion = std::function<void(std::function<void(Result<std::string>)>)>;

// "1.34", of the answer to GET /version.
Result<std::string> read_server_version(std::string_view body);

class ClusterDiscovery {
  public:
    // Writes what it finds into `settings`. A version that stands there is never asked for. Without
    // `ask_version` EKS is asked, as where the settings say so.
    ClusterDiscovery(io::Loop& loop, Eks& eks, Settings& settings, AskVersion ask_version)
        : loop_(loop),
          eks_(eks),
          settings_(settings),
          ask_version_(settings.eks_control_plane ? nullptr : std::move(ask_version)),
          is_version_set_(!settings.kubernetes.empty()) {}
    ~ClusterDiscovery() { *is_alive_ = false; }
    ClusterDiscovery(const ClusterDiscovery&) = delete;
    ClusterDiscovery& operator=(const ClusterDiscovery&) = delete;

    // `done` once all is known, or EKS could not say; from inside the call where nothing must be asked.
    void look(std::function<void()> done);
    // Why something is not known; nullopt: all is.
    const std::optional<Error>& problem() const { return problem_; }

  private:
    bool is_complete() const;
    bool is_version_due() const;
    void ask_version();
    void ask_eks();
    void finish();
    void take(const EksCluster& cluster);

    io::Loop& loop_;
    Eks& eks_;
    Settings& settings_;
    const AskVersion ask_version_;  // nullptr: EKS is asked.
    const bool is_version_set_;
    std::optional<Error> problem_;
    Duration no_question_before_{0};
    Duration version_due_{0};
    std::vector<std::function<void()>> waiting_;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
