// What a change of the model means: who is told at once, and what is reconciled in the next round. Loop
// thread.
#pragma once

#include <string>

#include "control/parts.h"

namespace joiner::control {

class Changes {
  public:
    // `on_synced()`: one more kind was told in full. Sets the functions of parts.feed_listener.
    Changes(Parts& parts, std::function<void()> on_synced);

  private:
    void pod_changed(const model::PodState* before, const model::PodState* after);
    void note_pod_event(const model::NodeState& node, const model::PodState* before,
                        const model::PodState* after);
    void node_changed(const std::string& name);
    void claim_changed(const std::string& name);
    void hear_providers();

    Parts& parts_;
};

}  // namespace joiner::control
