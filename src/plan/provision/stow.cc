#include "plan/provision/stow.h"

#include <algorithm>
#include <cmath>

#include "plan/provision/packer.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {
namespace {

constexpr std::uint64_t kMostTries = 24;       // Fillings of a bin.
constexpr std::uint64_t kLooksOfAFilling = 8;  // At every lot, about.
constexpr std::uint64_t kLooksOfAPod = 64;     // In a bin, before the program is solved.
constexpr double kFull = 0.998;
constexpr double kTilt = 0.8;  // How far a try sees a lot larger or smaller than it is.

double dither(std::size_t lot, std::size_t round) {
    const double x = static_cast<double>(lot) * 0.6180339887 + static_cast<double>(round) * 0.7548776662;
    return x - std::floor(x);
}

class Stower {
  public:
    explicit Stower(const Market& market)
        : market_(market), n_(market.dimensions()), packer_(market), worth_(n_, 0) {
        for (const Lot& lot : market.lots()) left_.push_back(lot.count);
        value_what_is_bought();
    }

    // Bin after bin with what saves the most there.
    std::vector<DraftNode> run(std::uint64_t effort) {
        const std::uint64_t looks = market_.lots().size() * market_.bins() * kLooksOfAFilling;
        const auto tries =
            std::clamp<std::uint64_t>(effort / std::max<std::uint64_t>(1, looks), 1, kMostTries);
        std::vector<DraftNode> out;
        for (std::size_t i = 0; i < market_.bins(); ++i) {
            DraftNode node{market_.bin(i), {}};
            const double all = value(market_.room(node.offer));
            double most = 0;
            for (std::uint64_t turn = 0; turn < tries && most < kFull * all; ++turn) {
                list_wares(turn == 0 ? 0 : kTilt, i * tries + turn);
                packer_.begin(node.offer);
                packer_.pour(wares_, worth_.data());
                if (value(packer_.used().data()) <= most) continue;
                most = value(packer_.used().data());
                node.take = packer_.take();
            }
            for (const Take& take : node.take) left_[take.lot] -= take.count;
            out.push_back(std::move(node));
        }
        return out;
    }

  private:
    // What a unit of each resource costs where it is bought.
    void value_what_is_bought() {
        std::vector<double> rest = sum(all());
        for (std::size_t i = 0; i < market_.bins(); ++i) {
            for (std::size_t d = 0; d < n_; ++d) rest[d] -= market_.room(market_.bin(i))[d];
        }
        for (double& one : rest) one = std::max(one, 0.0);
        // Where the rooms might hold all, any worth will do.
        if (!value_by(rest)) value_by(sum(all()));
    }

    // Whether these amounts have a price.
    bool value_by(const std::vector<double>& bought) {
        ResourceProgram program(market_.columns(false));
        std::vector<double> worth = program.solve(bought.data());
        if (program.cost() <= 0) return false;
        worth_ = std::move(worth);
        const std::vector<double> total = sum(all());
        for (std::size_t d = 0; d < n_; ++d) {
            if (total[d] > 0) worth_[d] += 1e-6 * program.cost() / total[d];
        }
        return true;
    }

    std::vector<double> all() const {
        std::vector<double> out;
        for (const Lot& lot : market_.lots()) out.push_back(lot.count);
        return out;
    }
    std::vector<double> sum(const std::vector<double>& counts) const {
        std::vector<double> out(n_, 0);
        for (LotIndex lot = 0; lot < counts.size(); ++lot) {
            for (std::size_t d = 0; d < n_; ++d) out[d] += counts[lot] * market_.request(lot)[d];
        }
        return out;
    }

    double value(const double* amounts) const {
        double sum = 0;
        for (std::size_t d = 0; d < n_; ++d) sum += worth_[d] * amounts[d];
        return sum;
    }

    void list_wares(double tilt, std::size_t round) {
        wares_.clear();
        for (LotIndex lot = 0; lot < left_.size(); ++lot) {
            if (left_[lot] > 0) wares_.push_back({lot, left_[lot], 1 + tilt * (dither(lot, round) - 0.5), 0});
        }
    }

    const Market& market_;
    std::size_t n_;
    Packer packer_;
    std::vector<std::uint32_t> left_;  // By lot.
    std::vector<double> worth_;
    std::vector<Ware> wares_;
};

RoomQuestion make_question(const Market& market) {
    const std::size_t n = market.dimensions();
    RoomQuestion out;
    out.columns = market.columns(false);
    for (LotIndex lot = 0; lot < market.lots().size(); ++lot) {
        const double* request = market.request(lot);
        out.requests.insert(out.requests.end(), request, request + n);
        out.counts.push_back(market.lots()[lot].count);
    }
    for (std::size_t i = 0; i < market.bins(); ++i) {
        const double* room = market.room(market.bin(i));
        out.rooms.insert(out.rooms.end(), room, room + n);
        out.times.push_back(1);
        for (const Lot& lot : market.lots()) out.admits.push_back(market.admits(market.bin(i), lot.kind));
    }
    // Where all admit all, that need not be asked again and again.
    if (std::all_of(out.admits.begin(), out.admits.end(), [](bool admits) { return admits; }))
        out.admits.clear();
    return out;
}

}  // namespace

std::vector<Bin> find_bins(Trial& trial, const std::vector<std::uint32_t>& left) {
    const Problem& problem = trial.problem();
    std::vector<bool> asks(problem.groups().size(), false);
    for (std::size_t c = 0; c < left.size(); ++c) {
        if (left[c] > 0 && problem.classes()[c].is_free) asks[problem.classes()[c].group] = true;
    }
    std::vector<Bin> out;
    for (Place room = 0; room < trial.rooms(); ++room) {
        Bin bin{room,
                {trial.free(room), trial.free(room) + problem.dimensions()},
                std::vector<bool>(asks.size())};
        const bool is_of_use =
            std::any_of(problem.classes().begin(), problem.classes().end(), [&](const auto& one) {
                return one.is_free && asks[one.group] && holds(bin.free.data(), one.request);
            });
        if (!is_of_use) continue;
        bool admits_any = false;
        for (std::uint32_t g = 0; g < asks.size(); ++g) {
            bin.admits[g] = asks[g] && trial.admits_group(g, room);
            admits_any = admits_any || bin.admits[g];
        }
        if (admits_any) out.push_back(std::move(bin));
    }
    return out;
}

std::vector<DraftNode> stow(const Market& market, std::uint64_t effort) {
    if (market.bins() == 0) return {};
    return Stower(market).run(effort);
}

double cost_outside(const Market& market, const std::vector<DraftNode>& nodes) {
    std::vector<double> sums(market.dimensions(), 0);
    const auto add = [&](LotIndex lot, double count) {
        for (std::size_t d = 0; d < sums.size(); ++d) sums[d] += count * market.request(lot)[d];
    };
    for (LotIndex lot = 0; lot < market.lots().size(); ++lot) add(lot, market.lots()[lot].count);
    for (const DraftNode& node : nodes) {
        if (!market.is_bin(node.offer)) continue;
        for (const Take& take : node.take) add(take.lot, -static_cast<double>(take.count));
    }
    ResourceProgram program(market.columns(false));
    program.solve(sums.data());
    return program.cost();
}

CloseStower::CloseStower(const Market& market, std::uint64_t effort) : market_(market), effort_(effort) {
    if (market.bins() == 0 || market.lots().size() * market.bins() * kLooksOfAPod > effort) return;
    program_ = std::make_unique<RoomProgram>(make_question(market), effort, std::function<bool()>{});
}

std::vector<DraftNode> CloseStower::run(const std::function<bool()>& is_late) {
    program_->allow_more(effort_, is_late);
    program_->solve();
    std::vector<DraftNode> out;
    for (const auto& take : program_->fill()) {
        DraftNode& node = out.emplace_back(DraftNode{market_.bin(out.size()), {}});
        for (const auto& [lot, count] : take) node.take.push_back({lot, count});
    }
    return out;
}

KnownPrices CloseStower::prices(const std::function<bool()>& is_late) {
    if (may_know_better()) {
        program_->allow_more(effort_, is_late);
        program_->solve();
    }
    const Problem& problem = market_.problem();
    KnownPrices out;
    for (const Lot& lot : market_.lots()) out.requests.push_back(problem.classes()[lot.pod_class].request);
    out.pods = program_->prices().pods;
    for (const std::vector<double>& units : program_->prices().units) {
        std::vector<double>& own = out.units.emplace_back(problem.dimensions(), 0);
        for (std::size_t d = 0; d < units.size(); ++d) own[market_.problem_dimension(d)] = units[d];
    }
    return out;
}

}  // namespace joiner::plan
