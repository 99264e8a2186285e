// Binds the pods a plan meant for a node while the node's window is closed: it carries our NoSchedule taint,
// so that the scheduler stays away and cannot fill the same room (docs/binding.md). Decides nothing: which
// pod goes where stands in the plan; here each pod is checked once more against the newest facts, and let go
// when they no longer agree. Loop thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "act/planned_book.h"
#include "act/services.h"

namespace joiner::act {

class Binder {
  public:
    // `planned` is control's; the binder takes pods out of it that it lets go.
    Binder(Services& services, PlannedBook& planned) : services_(services), planned_(planned) {}

    // Sends what can be sent for the claim's node now. `pods`: the keys of the unbound pods planned for it.
    void bind(const std::string& claim, const std::set<model::PodKey>& pods);

    // Every answer is in, and every pod that was bound is seen bound (or gone) in the watch.
    bool is_quiet(const std::string& claim) const;
    // The watch shows the pod bound, or gone.
    void saw_bound(const std::string& pod_uid);
    std::size_t in_flight() const { return sent_.size(); }

  private:
    struct Sent {
        std::string claim;
        model::PodKey pod;
        bool answered = false;
        int tries = 0;
    };
    void send(const std::string& uid);
    void answer(const std::string& uid, const Result<std::string>& result);
    void verify(const std::string& uid);
    void let_go(const std::string& uid, const char* result);

    Services& services_;
    PlannedBook& planned_;
    std::map<std::string, Sent> sent_;              // By pod uid, until seen bound.
    std::map<std::string, std::size_t> per_claim_;  // How many of them.
};

// Whether the scheduler would bind the pod in one step, so that we may do it in its place.
bool is_bindable(const model::PodState& pod);

}  // namespace joiner::act
