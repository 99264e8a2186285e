// Stands before the cloud and counts what its answers took and which were errors, under Karpenter's names.
// Borrows the cloud, the cluster and the metrics. Loop thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/forwarding_provider.h"
#include "io/loop.h"
#include "model/cluster.h"
#include "observe/metrics.h"

namespace joiner::control {

class MeteredProvider final : public cloud::ForwardingProvider {
  public:
    MeteredProvider(cloud::Provider& own, io::Loop& loop, const model::Cluster& cluster,
                    observe::Metrics& metrics)
        : ForwardingProvider(own), loop_(loop), cluster_(cluster), metrics_(metrics) {}

    void create(const cloud::LaunchRequest& request, cloud::LaunchDone done) override;
    void remove(const std::string& provider_id, std::function<void(Status)> done) override;
    void get(const std::string& provider_id, std::function<void(Result<cloud::Instance>)> done) override;
    void list(std::function<void(Result<std::vector<cloud::Instance>>)> done) override;
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override;

  private:
    struct Call {
        std::string_view controller;  // Who of Karpenter's asks this.
        std::string_view method;
        std::string pool;
    };
    template <typename T>
    std::function<void(T)> metered(Call call, std::function<void(T)> done);
    std::string pool_of(const std::string& provider_id) const;

    io::Loop& loop_;
    const model::Cluster& cluster_;
    observe::Metrics& metrics_;
};

}  // namespace joiner::control
