#include "plan/provision/room_bound.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "plan/provision/room_auction.h"

namespace joiner::plan {
namespace {

constexpr int kWorths = 3;
constexpr double kFewestRounds = 12;
constexpr double kMostRounds = 200;
constexpr double kLooksAPod = 170;  // In a room, of one auction, about.
constexpr double kFewestRooms = 16;
constexpr double kMostRooms = 1'024;
constexpr double kSafe = 1 - 1e-9;  // Rounding may make a bound a hair too high.

class RoomBound {
  public:
    RoomBound(const RoomBoundQuestion& question, std::uint64_t effort)
        : q_(question), n_(question.columns.dimensions), effort_(effort) {
        auction_.dimensions = n_;
        auction_.requests = question.requests;
        auction_.counts = question.counts;
        if (n_ == 0 || question.rooms.empty() || question.counts.empty()) return;
        const double most = static_cast<double>(effort) / kLooksAPod / static_cast<double>(q_.counts.size());
        merge_rooms(static_cast<std::size_t>(std::clamp(most, kFewestRooms, kMostRooms)));
    }

    double run() {
        if (auction_.times.empty()) return 0;
        std::vector<double> worth = resource_bound(q_.columns, left_by_rooms()).worth;
        if (!is_of_use(worth)) worth = resource_bound(q_.columns, sum(q_.counts)).worth;
        if (!is_of_use(worth)) return 0;
        auction_.ceilings = ceilings(worth);
        const double looks = kLooksAPod * static_cast<double>(auction_.times.size() * q_.counts.size());
        const auto rounds =
            static_cast<int>(std::clamp(static_cast<double>(effort_) / looks, kFewestRounds, kMostRounds));
        RoomAuction auction(std::move(auction_), effort_, {});
        auction.bid(rounds);
        double best = 0;
        // What is left outside has its own worths, which may be better.
        for (int i = 1; i < kWorths && !auction.is_over(); ++i) {
            std::vector<double> next = resource_bound(q_.columns, sum(auction.outside())).worth;
            if (next == worth || !is_of_use(next)) break;
            best = std::max(best, auction.bound());
            worth = std::move(next);
            auction.set_ceilings(ceilings(worth));
            auction.bid(rounds / 2);
        }
        best = std::max(best, auction.bound());
        return best * kSafe;
    }

  private:
    std::vector<double> sum(const std::vector<double>& counts) const {
        std::vector<double> out(n_, 0);
        for (std::size_t p = 0; p < counts.size(); ++p) {
            for (std::size_t d = 0; d < n_; ++d) out[d] += counts[p] * q_.requests[p * n_ + d];
        }
        return out;
    }

    std::vector<double> ceilings(const std::vector<double>& worth) const {
        std::vector<double> out;
        for (std::size_t p = 0; p < q_.counts.size(); ++p)
            out.push_back(std::inner_product(worth.begin(), worth.end(), &q_.requests[p * n_], 0.0));
        return out;
    }
    // Whether all pods are worth something.
    bool is_of_use(const std::vector<double>& worth) const {
        const std::vector<double> all = ceilings(worth);
        return std::all_of(all.begin(), all.end(), [](double one) { return one > 0; });
    }

    std::vector<double> left_by_rooms() const {
        std::vector<double> out = sum(q_.counts);
        for (std::size_t i = 0; i < q_.rooms.size(); ++i) out[i % n_] -= q_.rooms[i];
        for (double& amount : out) amount = std::max(0.0, amount);
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
                    ++auction_.times.back();
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
                ++auction_.times.back();
                double* room = &auction_.rooms[auction_.rooms.size() - n_];
                for (std::size_t d = 0; d < n_; ++d)
                    room[d] = std::max(room[d], row[static_cast<std::ptrdiff_t>(k)][d]);
            }
        }
    }

    void add_room(const double* room) {
        auction_.rooms.insert(auction_.rooms.end(), room, room + n_);
        auction_.times.push_back(1);
    }

    const RoomBoundQuestion& q_;
    std::size_t n_;
    std::uint64_t effort_;
    AuctionQuestion auction_;
};

}  // namespace

double room_bound(const RoomBoundQuestion& question, std::uint64_t effort) {
    return RoomBound(question, effort).run();
}

}  // namespace joiner::plan
