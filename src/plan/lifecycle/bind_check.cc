#include "plan/lifecycle/bind_check.h"

#include <string_view>

#include "plan/verify/checker.h"

namespace joiner::plan {

std::set<std::string> may_be_bound(const model::Snapshot& snapshot,
                                   const std::map<std::string, std::string>& node_of) {
    std::map<std::string_view, model::RoomIndex> rooms;
    for (model::RoomIndex i = 0; i < snapshot.rooms.size(); ++i) {
        if (!snapshot.rooms[i].is_claim) rooms.emplace(snapshot.rooms[i].name, i);
    }
    Plan plan;
    for (model::PodIndex i = 0; i < snapshot.pods.size(); ++i) {
        const auto node = node_of.find(snapshot.pods[i].uid);
        const auto room = node == node_of.end() ? rooms.end() : rooms.find(node->second);
        if (room == rooms.end()) {
            plan.waits.push_back({i, {}});
        } else {
            plan.placements.push_back({i, room->second});
        }
    }
    drop_violations(snapshot, plan);
    std::set<std::string> out;
    for (const Placement& one : plan.placements) out.insert(snapshot.pods[one.pod].uid);
    return out;
}

}  // namespace joiner::plan
