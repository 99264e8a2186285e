#include "plan/provision/rooms.h"

#include <algorithm>

#include "plan/provision/tiers.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMostLooks = 1'000'000;  // At a class in a room.

}  // namespace

bool admits(const model::RoomView& room, const rules::PodShape& shape) {
    return rules::untolerated_taint(shape.tolerations, room.taints) == nullptr &&
           std::any_of(shape.required.begin(), shape.required.end(), [&](const rules::Requirements& wanted) {
               return rules::admits_node(room.labels, room.node_name(), wanted);
           });
}

std::vector<model::RoomIndex> usable_rooms(const Problem& problem, const std::vector<std::uint32_t>& placed) {
    std::vector<model::RoomIndex> out;
    const std::vector<model::RoomView>& rooms = problem.snapshot().rooms;
    std::size_t looks = 0;
    for (model::RoomIndex room = 0; room < rooms.size(); ++room) {
        const std::vector<double> free = problem.free_of(rooms[room]);
        bool is_usable = looks >= kMostLooks;
        for (std::size_t c = 0; c < placed.size() && !is_usable; ++c) {
            ++looks;
            const PodClass& pod_class = problem.classes()[c];
            is_usable = placed[c] > 0 && holds(free.data(), pod_class.request) &&
                        admits(rooms[room], *pod_class.shape);
        }
        if (is_usable) out.push_back(room);
    }
    return out;
}

}  // namespace joiner::plan
