// Hedged launches, where they are asked for: a claim that urgent pods wait for and whose launch is not
// answered in time gets a hedge (model/hedge.h), which asks for the next best offerings. As soon as one of
// the two has its machine the other one goes, and with it what may still become of it: the Collector removes
// a machine that no claim speaks for. Level-triggered, so that a restart in between changes nothing. Borrows
// all it is given. Loop thread.
#pragma once

#include <set>
#include <string>

#include "act/lifecycle.h"
#include "act/services.h"
#include "control/options.h"
#include "control/provisioner.h"
#include "observe/metrics.h"

namespace joiner::control {

class Hedges {
  public:
    Hedges(act::Services& services, const Options& options, const Provisioner& provisioner,
           act::Lifecycle& lifecycle, observe::Metrics& metrics)
        : services_(services),
          options_(options),
          provisioner_(provisioner),
          lifecycle_(lifecycle),
          metrics_(metrics) {}

    // Once a second.
    void look();

  private:
    void settle(const api::NodeClaim& hedge, const api::NodeClaim& hedged);
    bool is_slow(const api::NodeClaim& claim) const;
    bool is_urgent(const std::string& claim) const;
    // The same claim under another name, without what the launch asks for first; nullopt: nothing else would
    // do, or a limit does not hold it.
    std::optional<api::NodeClaim> hedge_of(const api::NodeClaim& claim) const;
    bool is_within_limits(const std::string& pool, const std::vector<cloud::LaunchChoice>& choices) const;
    void ask(const api::NodeClaim& claim);

    act::Services& services_;
    const Options& options_;
    const Provisioner& provisioner_;
    act::Lifecycle& lifecycle_;
    observe::Metrics& metrics_;
    std::set<std::string> asked_;  // Uids of claims that are there: a hedge was asked for, or there is none.
};

}  // namespace joiner::control
