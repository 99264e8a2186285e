#include "plan/provision/reuse.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rules/taints.h"

namespace joiner::plan {
namespace {

// How many more pods asking `request` find room in `free`.
std::size_t how_many_fit(const std::vector<double>& request, const double* free, std::size_t wanted) {
    double count = static_cast<double>(wanted);
    for (std::size_t d = 0; d < request.size(); ++d) {
        if (request[d] > 0) count = std::min(count, std::floor(free[d] / request[d]));
    }
    return count <= 0 ? 0 : static_cast<std::size_t>(count);
}

bool admits(const model::RoomView& room, const rules::PodShape& shape) {
    if (rules::untolerated_taint(shape.tolerations, room.taints) != nullptr) return false;
    return std::any_of(shape.required.begin(), shape.required.end(), [&](const rules::Requirements& wanted) {
        return rules::compatible(room.labels, wanted, nullptr);
    });
}

}  // namespace

void reuse_rooms(const Problem& problem, const std::vector<std::uint32_t>& order,
                 std::vector<std::vector<model::PodIndex>>& left, std::vector<Placement>& placements) {
    const std::vector<model::RoomView>& rooms = problem.snapshot().rooms;
    const std::size_t n = problem.dimensions();
    std::vector<double> free;
    free.reserve(rooms.size() * n);
    for (const model::RoomView& room : rooms) {
        const std::vector<double> dense = problem.dense(room.free);
        free.insert(free.end(), dense.begin(), dense.end());
    }
    // Whether a group may stand in a room at all is asked once; most rooms are full and are not asked.
    std::vector<std::vector<signed char>> admitted(problem.groups().size());
    for (const std::uint32_t c : order) {
        const PodClass& pod_class = problem.classes()[c];
        std::vector<signed char>& known = admitted[pod_class.group];
        if (known.empty()) known.assign(rooms.size(), -1);
        std::size_t next = 0;
        for (model::RoomIndex r = 0; r < rooms.size() && next < left[c].size(); ++r) {
            const std::size_t count = how_many_fit(pod_class.request, &free[r * n], left[c].size() - next);
            if (count == 0) continue;
            if (known[r] < 0) known[r] = admits(rooms[r], *pod_class.shape) ? 1 : 0;
            if (known[r] == 0) continue;
            for (std::size_t i = 0; i < count; ++i) placements.push_back({left[c][next++], r});
            for (std::size_t d = 0; d < n; ++d)
                free[r * n + d] -= static_cast<double>(count) * pod_class.request[d];
        }
        left[c].erase(left[c].begin(), left[c].begin() + static_cast<std::ptrdiff_t>(next));
    }
}

}  // namespace joiner::plan
