#include "plan/provision/room_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "plan/provision/ceilings.h"
#include "plan/provision/room_program.h"

namespace joiner::plan {
namespace {

constexpr double kLooksAPod = 170;  // In a room, about.
constexpr double kFewestRooms = 16;
constexpr double kMostRooms = 1'024;
constexpr double kSafe = 1 - 1e-9;  // Rounding may make a bound a hair too high.

// Without machines of which another one has as much for no more money.
ResourceColumns without_dominated(const ResourceColumns& all) {
    const std::size_t n = all.dimensions;
    std::vector<std::size_t> order(all.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return all.prices[a] < all.prices[b]; });
    ResourceColumns out;
    out.dimensions = n;
    for (const std::size_t j : order) {
        bool is_dominated = false;
        for (std::size_t i = 0; i < out.size() && !is_dominated; ++i)
            is_dominated = has_room(out.capacity(i), all.capacity(j), n);
        if (is_dominated) continue;
        out.prices.push_back(all.prices[j]);
        out.capacities.insert(out.capacities.end(), all.capacity(j), all.capacity(j) + n);
    }
    return out;
}

class RoomBound {
  public:
    RoomBound(const RoomBoundQuestion& question, std::uint64_t effort)
        : q_(question), n_(question.columns.dimensions), effort_(effort) {
        if (n_ == 0 || question.rooms.empty() || question.counts.empty()) return;
        program_.columns = without_dominated(question.columns);
        program_.requests = question.requests;
        program_.counts = question.counts;
        const double most = static_cast<double>(effort) / kLooksAPod / static_cast<double>(q_.counts.size());
        merge_rooms(static_cast<std::size_t>(std::clamp(most, kFewestRooms, kMostRooms)));
    }

    double run(const KnownPrices& known, const std::function<bool()>& is_late) {
        if (program_.times.empty()) return 0;
        const std::vector<double> known_pods = prices_of_pods(known);
        RoomProgram program(std::move(program_), effort_, is_late);
        if (known.pods.empty()) {
            program.solve();
        } else {
            program.bound_at({known_pods, known.units});
        }
        return program.bound() * kSafe;
    }

  private:
    // What is not known costs what it would outside.
    std::vector<double> prices_of_pods(const KnownPrices& known) const {
        std::map<std::vector<double>, double> prices;
        for (std::size_t i = 0; i < known.pods.size(); ++i) prices.emplace(known.requests[i], known.pods[i]);
        std::vector<double> out;
        for (std::size_t p = 0; p < q_.counts.size(); ++p) {
            const auto at = q_.requests.begin() + static_cast<std::ptrdiff_t>(p * n_);
            const auto it = prices.find({at, at + static_cast<std::ptrdiff_t>(n_)});
            out.push_back(it == prices.end() ? std::numeric_limits<double>::infinity() : it->second);
        }
        return out;
    }

    // Rooms alike are one. Where they are too many all the same, neighbours in the first two dimensions are
    // taken for as large as the largest of them in each.
    void merge_rooms(std::size_t most) {
        std::vector<const double*> rooms;
        for (std::size_t i = 0; i < q_.rooms.size(); i += n_) rooms.push_back(&q_.rooms[i]);
        const auto less = [&](const double* a, const double* b) {
            return std::lexicographical_compare(a, a + n_, b, b + n_);
        };
        std::sort(rooms.begin(), rooms.end(), less);
        std::size_t shapes = 1;
        for (std::size_t i = 1; i < rooms.size(); ++i) shapes += less(rooms[i - 1], rooms[i]) ? 1 : 0;
        if (shapes <= most) {
            for (std::size_t i = 0; i < rooms.size(); ++i) {
                if (i == 0 || less(rooms[i - 1], rooms[i])) {
                    add_room(rooms[i]);
                } else {
                    ++program_.times.back();
                }
            }
            return;
        }
        const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(most)));
        const std::size_t second = n_ > 1 ? 1 : 0;
        for (std::size_t i = 0; i < side; ++i) {
            const auto row = rooms.begin() + static_cast<std::ptrdiff_t>(i * rooms.size() / side);
            const auto row_end = rooms.begin() + static_cast<std::ptrdiff_t>((i + 1) * rooms.size() / side);
            std::stable_sort(row, row_end,
                             [&](const double* a, const double* b) { return a[second] < b[second]; });
            const auto size = static_cast<std::size_t>(row_end - row);
            for (std::size_t k = 0; k < size; ++k) {
                if (k == 0 || k * side / size != (k - 1) * side / size) {
                    add_room(row[static_cast<std::ptrdiff_t>(k)]);
                    continue;
                }
                ++program_.times.back();
                double* room = &program_.rooms[program_.rooms.size() - n_];
                for (std::size_t d = 0; d < n_; ++d)
                    room[d] = std::max(room[d], row[static_cast<std::ptrdiff_t>(k)][d]);
            }
        }
    }

    void add_room(const double* room) {
        program_.rooms.insert(program_.rooms.end(), room, room + n_);
        program_.times.push_back(1);
    }

    const RoomBoundQuestion& q_;
    std::size_t n_;
    std::uint64_t effort_;
    RoomQuestion program_;
};

}  // namespace

double room_bound(const RoomBoundQuestion& question, const KnownPrices& known, std::uint64_t effort,
                  const std::function<bool()>& is_late) {
    return RoomBound(question, effort).run(known, is_late);
}

}  // namespace joiner::plan
