// Binds the pods a plan meant for a node while the node's binding window is closed: it carries our NoSchedule
// taint, so that the scheduler stays away and cannot fill the same room (docs/binding.md). Decides nothing:
// which pod goes where stands in the plan; here each pod is checked once more against the newest facts, and
// let go when they no longer agree. Loop thread.
#pragma once

#include <map>
#include <optional>
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
    // Those that must not be bound there after all are left to the scheduler.
    void bind(const std::string& claim, const std::set<model::PodKey>& pods);
    // The claim's node is up, and its binding window closed.
    bool can_bind(const std::string& claim) const { return open_to_us(claim) != nullptr; }
    bool has_sent(const std::string& pod_uid) const { return sent_.contains(pod_uid); }
    // To the scheduler.
    void leave(const std::string& pod_uid);

    // Every answer is in, and every pod that was bound is seen bound (or gone) in the watch.
    bool is_quiet(const std::string& claim) const;
    // The watch shows the pod bound, or gone.
    void saw_bound(const std::string& pod_uid);
    std::size_t in_flight() const { return sent_.size(); }
    // The longest that the watch was behind an answer, of the bindings of the last half minute.
    Duration lag(WallTime now) const;

  private:
    struct Sent {
        std::string claim;
        model::PodKey pod;
        std::optional<WallTime> answered_at;
        int tries = 0;
    };
    const model::NodeState* open_to_us(const std::string& claim) const;
    void send(const std::string& uid);
    void answer(const std::string& uid, const Result<std::string>& result);
    void verify(const std::string& uid);
    void let_go(const std::string& uid, const char* result);

    Services& services_;
    PlannedBook& planned_;
    std::map<std::string, Sent> sent_;              // By pod uid, until seen bound.
    std::map<std::string, std::size_t> per_claim_;  // How many of them.
    Duration lag_{0};
    WallTime lag_seen_at_ = kNoTime;
};

// Whether the scheduler would bind the pod in one step, so that we may do it in its place.
bool is_bindable(const model::PodState& pod);
// Whether the pod's rules ask for more than its node and who is on it. There they are settled by the node's
// being closed: nobody but those planned for it is there.
bool looks_beyond_its_node(const model::PodState& pod);

}  // namespace joiner::act
