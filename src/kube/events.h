// Kubernetes Events, de-duplicated and bounded. Fire and forget: a lost event never holds up work. Loop
// thread.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "io/loop.h"
#include "kube/client.h"

namespace joiner::kube {

struct EventTarget {
    std::string api_version;
    std::string kind;
    std::string ns;  // Events about cluster-scoped objects go to "default".
    std::string name;
    std::string uid;
    std::string resource_version;
};

struct Event {
    EventTarget target;
    bool warning = false;
    std::string reason;
    std::string message;  // Cut to 1,024 bytes, the API's limit.
    // An equal (reason, target, message) within this time is dropped.
    Duration dedupe = std::chrono::minutes{2};
};

class EventRecorder {
  public:
    struct Options {
        std::string component = "karpenter";
        std::string instance = {};  // Host or pod name.
        std::size_t max_remembered = 20'000;
        std::size_t max_in_flight = 100;  // More are dropped and counted.
        // Per reason, so that one storm does not silence the rest (upstream: Nominated at 5/s, burst 10).
        double per_reason_per_second = 10;
        int per_reason_burst = 50;
    };
    EventRecorder(io::Loop& loop, Client& client, Options options);
    ~EventRecorder();
    void record(Event event);
    std::uint64_t dropped() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::kube
