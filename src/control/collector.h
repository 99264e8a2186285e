// Orphans both ways: claims whose instance is gone, and instances no claim speaks for. Every two minutes, and
// once after start-up. Claims whose instance has left its reservation are relabelled on the way. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "act/services.h"
#include "plan/lifecycle/lost_reservation.h"

namespace joiner::control {

class Collector {
  public:
    using DeleteClaim = std::function<void(const std::string& claim, const std::string& reason)>;
    Collector(act::Services& services, DeleteClaim delete_claim)
        : services_(services), delete_claim_(std::move(delete_claim)) {}
    void start();

  private:
    void reconcile(cloud::Provider& provider);
    void relabel(const cloud::Provider& provider, const std::vector<cloud::Instance>& instances);
    void patch_labels(const kube::Resource& resource, const std::string& name,
                      const plan::LabelChanges& changes);
    void compare(cloud::Provider& provider, const std::vector<cloud::Instance>& instances);

    act::Services& services_;
    DeleteClaim delete_claim_;
    // Of each cloud: instances without a claim, since when. One pass may catch a claim that the watch has not
    // shown yet.
    std::map<const cloud::Provider*, std::map<std::string, WallTime>> strays_;
};

}  // namespace joiner::control
