// Has a claim's instance launched, and writes down what became of it: the cheapest that is to be had, the
// next one of the same claim where that is sold out, and by the kind of the error a wait or the claim's end.
// Owned by Lifecycle; loop thread.
#pragma once

#include <set>
#include <string>

#include "act/launch_request.h"
#include "act/object_writer.h"
#include "act/services.h"

namespace joiner::act {

class InstanceLaunch {
  public:
    InstanceLaunch(Services& services, ObjectWriter& writer) : services_(services), writer_(writer) {}

    // Of a claim that is not launched, or whose launch is not written down.
    void launch(const api::NodeClaim& claim);
    // Launched before our time: asks whether the instance is there, and has the claim go where it is not.
    void ensure_instance(const api::NodeClaim& claim);
    // It was launched by this process, or asked for.
    bool is_ensured(const std::string& claim) const { return ensured_.contains(claim); }
    void forget(const std::string& claim) { ensured_.erase(claim); }

  private:
    using Claim = api::NodeClaim;

    void buy(const Claim& claim, int falls_left);
    Result<cloud::LaunchRequest> launch_request(const Claim& claim);
    void refuse(const Claim& claim, const Error& error);
    void launched(const std::string& name, const std::string& uid, const Result<cloud::Instance>& instance);
    bool is_another_instance(const Claim& claim, const cloud::Instance& instance);
    void record_launch(const Claim& claim, const cloud::Instance& instance);
    void launch_failed(const Claim& claim, const Error& error);

    Services& services_;
    ObjectWriter& writer_;
    LaunchChooser chooser_;
    std::set<std::string> ensured_;
};

}  // namespace joiner::act
