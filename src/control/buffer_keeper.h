// Keeps each CapacityBuffer's status true: what it was resolved to, and whether the room it asks for is
// there. Loop thread.
#pragma once

#include <string>

#include "act/services.h"
#include "act/settled_patches.h"
#include "control/provisioner.h"
#include "model/headroom.h"

namespace joiner::control {

class BufferKeeper {
  public:
    BufferKeeper(act::Services& services, const Provisioner& provisioner)
        : services_(services), provisioner_(provisioner), patches_(services) {}

    // Reconciles every buffer; cheap when nothing is to be said.
    void reconcile();

  private:
    void reconcile(const std::string& key, const api::CapacityBuffer& buffer);
    std::vector<api::Condition> wanted_conditions(const std::string& key, const api::CapacityBuffer& buffer,
                                                  const model::Headroom& headroom) const;

    act::Services& services_;
    const Provisioner& provisioner_;
    act::SettledPatches patches_;
};

}  // namespace joiner::control
