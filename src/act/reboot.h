// Carries out the reboot of a node in its place: what the next step is, plan/lifecycle/reboot says. Loop
// thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "act/node_end.h"
#include "act/object_writer.h"
#include "act/services.h"
#include "plan/lifecycle/reboot.h"

namespace joiner::act {

class Reboot {
  public:
    // `end_by(claim, deadline)`: removes a claim whose reboot has come to nothing, one step a call.
    Reboot(Services& services, ObjectWriter& writer, NodeEnd& node_end,
           std::function<bool(const std::string&, std::optional<WallTime>)> end_by)
        : services_(services), writer_(writer), node_end_(node_end), end_by_(std::move(end_by)) {}

    // Asks for one: pods may hold it up for `grace`, or for as long as they like. One step a call, to be
    // repeated until the watch shows it: true.
    bool request(const api::NodeClaim& claim, std::optional<Duration> grace, const std::string& why);
    // REQUIRES: the claim is being rebooted, and may be acted on as its node may.
    void step(const api::NodeClaim& claim, const model::NodeState* node);
    void forget(const std::string& claim) {
        asked_since_.erase(claim);
        not_before_.erase(claim);
        rejected_.erase(claim);
    }

  private:
    void perform(const plan::RebootStep& step, const api::NodeClaim& claim, const api::Node* node);
    void ask(const api::NodeClaim& claim);
    void refused(const std::string& claim, const Error& error);
    void note_issued(const api::NodeClaim& claim);
    void succeed(const api::NodeClaim& claim);
    void fail(const plan::RebootStep& step, const api::NodeClaim& claim, const api::Node* node);
    // Writes Rebooting=False, the boot id first. True once that has been asked for.
    bool end(const api::NodeClaim& claim, std::string_view reason, const std::string& message);
    void tell(const api::NodeClaim& claim, std::string_view result);

    Services& services_;
    ObjectWriter& writer_;
    NodeEnd& node_end_;
    std::function<bool(const std::string&, std::optional<WallTime>)> end_by_;
    std::map<std::string, WallTime> asked_since_;  // By claim: when the cloud was first asked.
    std::map<std::string, WallTime> not_before_;   // By claim: it is not asked again before.
    std::map<std::string, std::string> rejected_;  // By claim: why the cloud will not do it.
};

}  // namespace joiner::act
