// Stands right before a cloud: nothing is changed there but by who leads, and every question has an answer in
// time, so that one that is lost holds nobody up for good. Whoever is told that there was no answer asks
// again; calls are repeatable. Owned by control; loop thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cloud/forwarding_provider.h"
#include "io/loop.h"

namespace joiner::cloud {

class GuardedProvider final : public ForwardingProvider {
  public:
    // `may_change` is asked at each create, remove, reboot and hear_of_node.
    GuardedProvider(Provider& own, io::Loop& loop, std::function<bool()> may_change)
        : ForwardingProvider(own), loop_(loop), may_change_(std::move(may_change)) {}

    // Each fails with kUnavailable where its answer does not come in time; one that comes later is heard by
    // nobody.
    void create(const LaunchRequest& request, LaunchDone done) override;
    void remove(const std::string& provider_id, std::function<void(Status)> done) override;
    void get(const std::string& provider_id, std::function<void(Result<Instance>)> done) override;
    void list(std::function<void(Result<std::vector<Instance>>)> done) override;
    void hear_of_node(const api::NodeClaim& claim, std::function<void(Result<api::StringMap>)> done) override;
    void reboot(const api::NodeClaim& claim, const std::string& operation,
                std::function<void(Status)> done) override;

    // Nothing more is changed; `done` when nothing that was asked for is under way.
    void finish_changes(std::function<void()> done);

  private:
    template <typename T>
    std::function<void(T)> in_time(std::string what, Duration limit, std::function<void(T)> done);
    template <typename T>
    std::function<void(T)> counted(std::function<void(T)> done);
    bool may_change() const { return !is_closed_ && may_change_(); }
    void say_if_finished();

    io::Loop& loop_;
    std::function<bool()> may_change_;
    int changes_under_way_ = 0;
    bool is_closed_ = false;
    std::function<void()> on_finished_;
};

}  // namespace joiner::cloud
