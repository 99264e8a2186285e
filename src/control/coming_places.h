// Places for pods that are still to be made. A ReplicaSet says how many pods it wants before its controller
// has made them, and a controller makes some twenty a second where nobody has told it to make more. A plan
// counts on all of them, so that nodes start while pods are being made; each pod takes its place when it
// comes, and is planned no more. What a ReplicaSet says is believed as long as its pods keep coming: one that
// stalls (at a quota, say) is not believed again until its spec changes, and its places are given up. Owned
// by Parts; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/reason.h"

namespace joiner::control {

class ComingPlaces {
  public:
    explicit ComingPlaces(const model::Cluster& cluster) : cluster_(cluster) {}

    // A controller that is held up by its own rate, with others before it, makes one more pod within that.
    static constexpr Duration kStalled = std::chrono::seconds{10};

    struct Place {
        std::string claim;
        std::string pool;
        plan::SharedReasons reasons = {};  // Of the placement.
        bool is_bought_for_it = true;      // Or it was there before.
    };

    // A pod of the set is or was gated: whoever gates pods decides when they are wanted, and nothing of the
    // set is counted on.
    void note_gated(const model::PodState& pod);
    // A pod that waits has come: whoever made it is at work. `now`: of the monotonic clock.
    void note_arrival(const model::PodState& pod, Duration now);
    // The next plan counts on the pod, and on all that its ReplicaSet still wants.
    void count(const model::PodState& pod);
    // It does so already.
    bool is_counted(const model::PodState& pod) const;
    // A plan is made now: what is still to come, by ReplicaSet, and no more than 10,000 in all. Stands until
    // the next call of another function. Places that were kept are given up; the plan deals them anew.
    // `moves(pod)`: pods like it are on the move, and those that are made in their stead have places already.
    std::vector<model::ComingPods> begin_plan(const std::function<bool(const model::PodState&)>& moves);
    // For one more pod of the set. `is_open`: the scheduler places pods there by itself, so none is given.
    // REQUIRES: the last begin_plan() has named the set.
    void keep(const model::PodKey& set, Place place, bool is_open);
    // A place for the pod; each is given once. Its claim has no name where there is none.
    Place take(const model::PodState& pod);
    // No place on the claim's node is given any more, but the node is still needed.
    void note_open(const std::string& claim);
    // The claim is gone. Whether there were any places.
    bool drop_claim(const std::string& claim);
    // Each second. Sets whose pods do not come any more are given up. Whether places were.
    bool give_up_stalled(Duration now);

    // Places are kept on the claim's node: its binding window stays closed.
    bool keeps_closed(const std::string& claim) const;
    // What pods that are still to come will take, by claim.
    model::ReservedRoom reserved() const;
    // Claims whose nodes are needed for what is still to come; stands until the next call.
    const model::ClaimNames& claims() const;

  private:
    struct Kept {
        Place place;
        std::int64_t count = 0;
        bool is_open = false;
    };
    struct Set {
        std::optional<model::PodState> last;  // That came; never nullopt.
        Duration came_last{0};
        bool is_counted = false;
        bool is_gated = false;
        // As the last plan expected its pods.
        std::shared_ptr<const rules::PodShape> shape;
        std::shared_ptr<const rules::PodLabels> labels;
        std::int64_t stalled_at = -1;  // Generation of the ReplicaSet.
        std::vector<Kept> kept;
    };
    // False: there is nothing to remember of it.
    bool is_remembered_once_given_up(const model::PodKey& name, Set& set);
    // nullptr: nothing of it is to be counted on.
    const model::TemplateState* believed(const model::PodKey& name, const Set& set) const;

    const model::Cluster& cluster_;
    std::map<model::PodKey, Set, std::less<>> sets_;
    mutable model::ClaimNames claims_;
};

}  // namespace joiner::control
