#include "plan/lifecycle/bind_check.h"

#include <iterator>
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
        const auto node = node_of.find(snapshot.pods[i].id.uid());
        const auto room = node == node_of.end() ? rooms.end() : rooms.find(node->second);
        if (room == rooms.end()) {
            plan.waits.push_back({i, {}});
        } else {
            plan.placements.push_back({i, room->second});
        }
    }
    // Of pods that exclude each other some may stay: the younger half waits, until the rest agrees.
    while (true) {
        std::set<model::PodIndex> bad;
        for (const Violation& one : check_plan(snapshot, plan)) bad.insert(one.pod);
        const std::size_t placed = plan.placements.size();
        auto first = bad.begin();
        std::advance(first, static_cast<std::ptrdiff_t>(bad.size() / 2));
        const std::set<model::PodIndex> waits(first, bad.end());
        std::erase_if(plan.placements, [&](const Placement& one) { return waits.contains(one.pod); });
        for (const model::PodIndex pod : waits) plan.waits.push_back({pod, {}});
        if (plan.placements.size() == placed) break;
    }
    std::set<std::string> out;
    for (const Placement& one : plan.placements) out.insert(snapshot.pods[one.pod].id.uid());
    return out;
}

}  // namespace joiner::plan
