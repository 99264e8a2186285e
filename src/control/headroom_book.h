// What the last plan made of the CapacityBuffers: where the room they ask for is, and on which nodes it is
// kept. Owned by the Provisioner; loop thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "model/cluster.h"
#include "model/make_snapshot.h"
#include "plan/plan.h"

namespace joiner::control {

class HeadroomBook {
  public:
    explicit HeadroomBook(const model::Cluster& cluster) : cluster_(cluster) {}

    enum class Place { kIsThere, kIsBoughtOrMissing };

    bool is_asked_for() const { return !cluster_.buffers().empty(); }
    // Whether what the buffers ask for has changed since it was last asked; workloads say much that no buffer
    // asks about.
    bool has_changed();

    void note(const model::Snapshot& snapshot, const plan::Plan& plan);
    // A node is bought under the claim, for this headroom among others.
    void note_bought(const model::PodView& pod, const std::string& claim);
    void clear();

    // By "ns/name" of the buffer; those that it held pods of.
    const std::map<std::string, Place, std::less<>>& places() const { return places_; }
    // Claims whose nodes it keeps room on: not empty, whatever stands there.
    const model::ClaimNames& claims() const { return claims_; }
    // And how much, by name of the node, or of the claim where there is none yet.
    const model::ReservedRoom& room() const { return room_; }

  private:
    const model::Cluster& cluster_;
    // Pods each buffer stood for and what they are like, when it was last asked.
    using Asked = std::pair<std::int32_t, const rules::PodShape*>;
    std::map<std::string, Asked, std::less<>> asked_;
    std::map<std::string, Place, std::less<>> places_;
    model::ClaimNames claims_;
    model::ReservedRoom room_;
};

// The claim behind a room of the snapshot; empty where there is none.
std::string claim_of(const model::Cluster& cluster, const model::RoomView& room);

}  // namespace joiner::control
