#include "plan/provision/patterns.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "plan/provision/company.h"
#include "plan/provision/covering_program.h"
#include "plan/provision/resource_bound.h"
#include "plan/provision/slots.h"

namespace joiner::plan {
namespace {

constexpr std::size_t kMaxRows = 200;  // The program's steps take the square of it.
constexpr double kDear = 4;            // So many times the average machine's price, no pattern is sought.
constexpr std::size_t kNewAtOnce = 8;  // Patterns added between two solutions.
constexpr std::size_t kSteps = 200;    // Of the program between two searches for patterns.
constexpr int kSwaps = 6;              // On a pattern.
constexpr int kSearchesATurn = 4;
constexpr double kPartAtOnce = 0.15;   // So many of the machines that are not whole are made so in one turn.
constexpr double kNearlyWhole = 0.97;  // So much of a pattern must be there for one more of it.
constexpr double kBinds = 0.95;        // A cap that needs nearly as many machines as the first binds, too.
constexpr std::array<double, 3> kMixes = {0.15, 0.5, 0.85};
constexpr std::uint32_t kNone = ~0u;

// Pods of one shape: equal requests, and the same of the caps that set the number of machines.
struct Row {
    const double* request = nullptr;
    std::uint32_t count = 0;
    std::uint32_t most = 0;  // On one machine.
    std::vector<std::size_t> caps;
    std::vector<LotIndex> lots;  // Those with few offers first.
};

// Offers alike in room and price: zones, mostly.
struct Type {
    const double* room = nullptr;
    double price = 0;
    std::vector<OfferIndex> offers;
};

struct Node {
    OfferIndex offer = 0;
    std::vector<Take> take;
    std::vector<double> used;
    std::vector<KindWord> kinds;
    Company company;
};

using Counts = std::vector<std::uint32_t>;  // By lot.

Slots count_slots(const Market& market, const Counts& left) {
    Slots out(market);
    for (LotIndex lot = 0; lot < left.size(); ++lot) out.add(lot, left[lot]);
    return out;
}

std::vector<CapId> binding_caps(const Market& market, const Counts& left) {
    const Slots slots = count_slots(market, left);
    const double needed = slots.needed();
    std::vector<CapId> out;
    for (CapId cap = 0; cap < market.problem().caps().size(); ++cap) {
        if (slots.needed(cap) > 0 && slots.needed(cap) >= kBinds * needed) out.push_back(cap);
    }
    return out;
}

// Of the pods that are left, with the slots they need last.
std::vector<double> sums(const Market& market, const Counts& left) {
    std::vector<double> out(market.dimensions() + 1, 0);
    for (LotIndex lot = 0; lot < left.size(); ++lot) {
        for (std::size_t d = 0; d < market.dimensions(); ++d) out[d] += left[lot] * market.request(lot)[d];
    }
    out.back() = count_slots(market, left).needed();
    return out;
}

}  // namespace

class Patterns::Planner {
  public:
    Planner(const Market& market, const std::vector<DraftNode>& stowed)
        : market_(market),
          stowed_(stowed),
          all_left_(count_left(market, stowed)),
          n_(market.dimensions()),
          caps_(binding_caps(market, all_left_)) {
        make_rows();
    }

    std::size_t rows() const { return rows_.size(); }

    KnownPatterns known() const {
        KnownPatterns out;
        for (const Row& row : rows_) {
            const Lot& lot = market_.lots()[row.lots.front()];
            out.requests.push_back(market_.problem().classes()[lot.pod_class].request);
            out.is_capped.push_back(!row.caps.empty());
        }
        if (program_) out.patterns = program_->patterns();
        return out;
    }

    // The program as good as `options` allow, then whole machines of it; may be asked again for more.
    Draft run(const PatternOptions& options) {
        if (!program_ && !start()) return {};
        left_ = all_left_;
        row_left_.clear();
        for (const Row& row : rows_) row_left_.push_back(row.count);
        program_->restart({row_left_.begin(), row_left_.end()});
        solve(rows_.size() * kSteps);
        const auto is_late = [&] { return options.is_late && options.is_late(); };
        while (looks_ < options.effort && !is_late() && find_patterns()) solve(kSteps);
        return round_off(options, is_late);
    }

  private:
    void solve(std::size_t steps) { looks_ += program_->solve(steps) * rows_.size() * rows_.size(); }

    void make_rows() {
        std::map<std::pair<std::vector<double>, std::vector<std::size_t>>, std::uint32_t> known;
        row_of_.assign(market_.lots().size(), 0);
        for (LotIndex lot = 0; lot < market_.lots().size(); ++lot) {
            if (all_left_[lot] == 0) continue;
            std::vector<std::size_t> caps;
            for (const CapId cap : market_.caps(lot)) {
                const auto it = std::find(caps_.begin(), caps_.end(), cap);
                if (it != caps_.end()) caps.push_back(static_cast<std::size_t>(it - caps_.begin()));
            }
            const double* request = market_.request(lot);
            const auto [it, is_new] =
                known.try_emplace({{request, request + n_}, caps}, static_cast<std::uint32_t>(rows_.size()));
            if (is_new) rows_.push_back({request, 0, 0, std::move(caps), {}});
            row_of_[lot] = it->second;
            rows_[it->second].count += all_left_[lot];
            rows_[it->second].lots.push_back(lot);
        }
        std::vector<std::size_t> scarcity(market_.kinds());
        for (std::size_t i = 0; i < market_.kinds(); ++i) scarcity[market_.scarce_first()[i]] = i;
        for (Row& row : rows_) {
            std::sort(row.lots.begin(), row.lots.end(), [&](LotIndex a, LotIndex b) {
                return std::tuple(scarcity[market_.lots()[a].kind], market_.caps(a).empty(), a) <
                       std::tuple(scarcity[market_.lots()[b].kind], market_.caps(b).empty(), b);
            });
            std::set<CapId> seen;
            double most = 0;
            for (const LotIndex lot : row.lots) {
                if (market_.caps(lot).empty()) {
                    most += all_left_[lot];
                } else if (const CapId cap = market_.caps(lot).front(); seen.insert(cap).second) {
                    most += market_.problem().caps()[cap];
                }
            }
            row.most = static_cast<std::uint32_t>(std::min<double>(most, row.count));
        }
    }

    bool start() {
        make_types();
        std::vector<Pattern> singles;
        std::vector<double> demand;
        for (std::uint32_t r = 0; r < rows_.size(); ++r) {
            singles.push_back(single(r));
            if (singles.back().take.empty()) return false;
            demand.push_back(rows_[r].count);
        }
        program_.emplace(std::move(demand), std::move(singles));
        return true;
    }

    void make_types() {
        for (OfferIndex j = 0; j < market_.offers().size(); ++j) {
            const double price = market_.offers()[j].price;
            const double* room = market_.room(j);
            const auto alike = [&](const Type& type) {
                return type.price == price && std::equal(room, room + n_, type.room);
            };
            const auto it = std::find_if(types_.rbegin(), types_.rend(), alike);
            if (it == types_.rend()) {
                types_.push_back({room, price, {j}});
            } else {
                it->offers.push_back(j);
            }
        }
        ResourceProgram program(market_.columns(true));
        std::vector<double> demand = sums(market_, all_left_);
        program.solve(demand.data());
        const double average = program.cost() / demand.back();
        while (few_ < types_.size() && types_[few_].price <= kDear * average) ++few_;
    }

    // As many of one row as fit, where that costs the least a pod.
    Pattern single(std::uint32_t r) {
        Pattern best;
        double least = std::numeric_limits<double>::infinity();
        type_of_.push_back(0);
        for (std::uint32_t t = 0; t < types_.size(); ++t) {
            const std::uint32_t count = fit(rows_[r], types_[t].room, rows_[r].most);
            if (count == 0 || types_[t].price / count >= least) continue;
            least = types_[t].price / count;
            best = {types_[t].price, {{r, count}}};
            type_of_.back() = t;
        }
        return best;
    }

    std::uint32_t fit(const Row& row, const double* room, std::uint32_t most) const {
        double count = most;
        for (const std::size_t cap : row.caps)
            count = std::min(count, static_cast<double>(market_.problem().caps()[caps_[cap]]));
        for (std::size_t d = 0; d < n_; ++d) {
            if (row.request[d] > 0) count = std::min(count, std::floor(room[d] / row.request[d]));
        }
        return count < 1 ? 0 : static_cast<std::uint32_t>(count);
    }

    // For every type the pattern that is worth the most, as far as seen; the best for their price are added.
    bool find_patterns() {
        const std::vector<double>& values = program_->values();
        order_rows(values);
        struct Found {
            double gain;
            std::uint32_t type;
            Pattern pattern;
        };
        std::vector<Found> found;
        for (std::uint32_t t = 0; t < few_; ++t) {
            double most = 0;
            Found best{1e-6, t, {}};
            for (const std::vector<std::uint32_t>& order : orders_) {
                const double worth = fill(types_[t].room, order, values);
                if (worth <= most) continue;
                most = worth;
                const double gain = worth / types_[t].price - 1;
                if (gain <= best.gain) continue;
                best.gain = gain;
                best.pattern = {types_[t].price, {}};
                for (std::uint32_t r = 0; r < rows_.size(); ++r) {
                    if (counts_[r] > 0) best.pattern.take.emplace_back(r, counts_[r]);
                }
            }
            if (!best.pattern.take.empty() && !known_.contains({t, best.pattern.take}))
                found.push_back(std::move(best));
        }
        std::stable_sort(found.begin(), found.end(),
                         [](const Found& a, const Found& b) { return a.gain > b.gain; });
        if (found.size() > kNewAtOnce) found.resize(kNewAtOnce);
        for (Found& one : found) {
            known_.emplace(one.type, one.pattern.take);
            program_->add(std::move(one.pattern));
            type_of_.push_back(one.type);
        }
        return !found.empty();
    }

    // By worth for room, with room weighed in several mixes of its dimensions.
    void order_rows(const std::vector<double>& values) {
        std::vector<double> total(n_, 0);
        for (const Row& row : rows_) {
            for (std::size_t d = 0; d < n_; ++d) total[d] += row.count * row.request[d];
        }
        orders_.clear();
        for (const double mix : kMixes) {
            std::vector<std::pair<double, std::uint32_t>> order;
            for (std::uint32_t r = 0; r < rows_.size(); ++r) {
                if (values[r] <= 0) continue;
                double size = 0;
                for (std::size_t d = 0; d < n_; ++d) {
                    const double weight = d == 0 ? mix : (1 - mix) / static_cast<double>(n_ - 1);
                    size += (n_ == 1 ? 1 : weight) * rows_[r].request[d] / total[d];
                }
                order.emplace_back(-values[r] / size, r);
            }
            std::sort(order.begin(), order.end());
            std::vector<std::uint32_t>& rows = orders_.emplace_back();
            for (const auto& [rank, r] : order) rows.push_back(r);
        }
    }

    double fill(const double* room, const std::vector<std::uint32_t>& order,
                const std::vector<double>& values) {
        counts_.assign(rows_.size(), 0);
        cap_left_.clear();
        for (const CapId cap : caps_) cap_left_.push_back(market_.problem().caps()[cap]);
        free_.assign(room, room + n_);
        taken_.clear();
        double worth = 0;
        for (const std::uint32_t r : order) {
            const Row& row = rows_[r];
            double count = std::min(row.most, row_left_[r]);
            for (const std::size_t cap : row.caps)
                count = std::min(count, static_cast<double>(cap_left_[cap]));
            for (std::size_t d = 0; d < n_; ++d) {
                if (row.request[d] > 0) count = std::min(count, std::floor(free_[d] / row.request[d]));
            }
            if (count < 1) continue;
            move(r, static_cast<std::int64_t>(count));
            worth += count * values[r];
            taken_.push_back(r);
        }
        looks_ += order.size();
        for (int swap = 0; swap < kSwaps; ++swap) {
            const double gain = best_swap(order, values);
            if (gain <= 0) break;
            worth += gain;
        }
        return worth;
    }

    void move(std::uint32_t r, std::int64_t count) {
        const Row& row = rows_[r];
        counts_[r] = static_cast<std::uint32_t>(counts_[r] + count);
        for (std::size_t d = 0; d < n_; ++d) free_[d] -= static_cast<double>(count) * row.request[d];
        for (const std::size_t cap : row.caps) cap_left_[cap] -= count;
    }

    // One pod, or none, gives its place to another; what that gains.
    double best_swap(const std::vector<std::uint32_t>& order, const std::vector<double>& values) {
        double most = 1e-9;
        std::uint32_t best_out = kNone;
        std::uint32_t best_in = kNone;
        for (std::size_t i = 0; i <= taken_.size(); ++i) {
            const std::uint32_t out = i < taken_.size() ? taken_[i] : kNone;
            if (out != kNone && counts_[out] == 0) continue;
            if (out != kNone) move(out, -1);
            const double lost = out != kNone ? values[out] : 0;
            for (const std::uint32_t in : order) {
                if (values[in] - lost <= most || in == out ||
                    counts_[in] >= std::min(rows_[in].most, row_left_[in]))
                    continue;
                bool fits = true;
                for (std::size_t d = 0; d < n_; ++d) fits &= rows_[in].request[d] <= free_[d];
                for (const std::size_t cap : rows_[in].caps) fits = fits && cap_left_[cap] > 0;
                if (!fits) continue;
                most = values[in] - lost;
                best_out = out;
                best_in = in;
            }
            if (out != kNone) move(out, 1);
        }
        looks_ += (taken_.size() + 1) * order.size();
        if (best_in == kNone) return 0;
        if (best_out != kNone) move(best_out, -1);
        if (counts_[best_in] == 0) taken_.push_back(best_in);
        move(best_in, 1);
        return most;
    }

    // Whole amounts become machines, then some of the largest parts; for what is left by then the program is
    // asked again.
    template <typename F>
    Draft round_off(const PatternOptions& options, const F& is_late) {
        nodes_.clear();
        for (int turn = 0;
             open_some(turn < options.turns ? kPartAtOnce : 1) && turn < options.turns && !is_late();
             ++turn) {
            program_->restart({row_left_.begin(), row_left_.end()});
            solve(rows_.size() * kSteps);
            for (int search = 0; search < kSearchesATurn && find_patterns(); ++search) solve(kSteps);
        }
        insert_rest(program_->values());
        Draft out;
        out.nodes = stowed_;
        out.is_complete =
            std::all_of(left_.begin(), left_.end(), [](std::uint32_t left) { return left == 0; });
        for (Node& node : nodes_) {
            node.offer = cheapest(0, node.used, node.kinds);
            out.price += market_.offers()[node.offer].price;
            out.nodes.push_back({node.offer, std::move(node.take)});
        }
        return out;
    }

    bool open_some(double part_at_once) {
        const std::size_t before = nodes_.size();
        std::vector<std::pair<double, std::size_t>> parts;
        double machines = 0;
        for (const auto& [p, amount] : program_->amounts()) {
            const double whole = std::floor(amount + 1e-6);
            for (double i = 0; i < whole; ++i) open(type_of_[p], program_->patterns()[p]);
            if (amount - whole > 1e-6) parts.emplace_back(whole - amount, p);
            machines += amount - whole;
        }
        std::sort(parts.begin(), parts.end());
        double wanted = part_at_once < 1 ? std::ceil(part_at_once * machines) : machines + 1;
        for (const auto& [part, p] : parts) {
            if (wanted < 1) break;
            const Pattern& pattern = program_->patterns()[p];
            double all = 0;
            double there = 0;
            for (const auto& [row, count] : pattern.take) {
                all += count * program_->values()[row];
                there += std::min<double>(count, row_left_[row]) * program_->values()[row];
            }
            if (there < kNearlyWhole * all || there <= 0) continue;
            open(type_of_[p], pattern);
            --wanted;
        }
        return nodes_.size() > before;
    }

    // Of the type's offers the one that most of the pattern's pods can go to nowhere else.
    OfferIndex choose_offer(const Type& type, const Pattern& pattern) const {
        if (type.offers.size() == 1) return type.offers.front();
        OfferIndex best = type.offers.front();
        std::pair<std::uint64_t, std::uint64_t> most{0, 0};
        for (const OfferIndex offer : type.offers) {
            std::uint64_t served = 0;
            std::uint64_t waiting = 0;
            for (const auto& [r, count] : pattern.take) {
                std::uint64_t own = 0;
                for (const LotIndex lot : rows_[r].lots) {
                    if (left_[lot] == 0 || !market_.admits(offer, market_.lots()[lot].kind)) continue;
                    const bool everywhere = std::all_of(
                        type.offers.begin(), type.offers.end(),
                        [&](OfferIndex other) { return market_.admits(other, market_.lots()[lot].kind); });
                    if (!everywhere) own += left_[lot];
                }
                served += std::min(own, static_cast<std::uint64_t>(count));
                waiting += own;
            }
            if (std::pair{served, waiting} <= most) continue;
            most = {served, waiting};
            best = offer;
        }
        return best;
    }

    void open(std::uint32_t type, const Pattern& pattern) {
        Node& node = nodes_.emplace_back(Node{choose_offer(types_[type], pattern),
                                              {},
                                              std::vector<double>(n_, 0),
                                              std::vector<KindWord>(market_.kind_words(), 0),
                                              {}});
        for (const auto& [r, count] : pattern.take) {
            for (std::uint32_t i = 0; i < count; ++i) {
                const LotIndex lot = choose_lot(rows_[r], node);
                if (lot == kNone) break;
                put(lot, node);
            }
        }
        if (node.take.empty()) nodes_.pop_back();
    }

    // What has the least choice first; of equals what has the most left.
    LotIndex choose_lot(const Row& row, const Node& node) const {
        LotIndex best = kNone;
        for (const LotIndex lot : row.lots) {
            const Lot& own = market_.lots()[lot];
            if (best != kNone && (own.kind != market_.lots()[best].kind ||
                                  market_.caps(lot).empty() != market_.caps(best).empty()))
                break;
            if (left_[lot] == 0 || (best != kNone && left_[lot] <= left_[best])) continue;
            if (!market_.admits(node.offer, own.kind)) continue;
            if (node.company.room_for(market_.problem(), market_.problem().classes()[own.pod_class]) == 0)
                continue;
            best = lot;
        }
        return best;
    }

    void put(LotIndex lot, Node& node) {
        const Lot& own = market_.lots()[lot];
        --left_[lot];
        --row_left_[row_of_[lot]];
        node.company.add(market_.problem().classes()[own.pod_class], 1);
        node.kinds[own.kind / 64] |= KindWord{1} << (own.kind % 64);
        for (std::size_t d = 0; d < n_; ++d) node.used[d] += market_.request(lot)[d];
        const auto same = [&](const Take& take) { return take.lot == lot; };
        const auto it = std::find_if(node.take.begin(), node.take.end(), same);
        if (it == node.take.end()) {
            node.take.push_back({lot, 1});
        } else {
            ++it->count;
        }
    }

    OfferIndex cheapest(OfferIndex from, const std::vector<double>& used,
                        const std::vector<KindWord>& kinds) const {
        for (OfferIndex j = from; j < market_.offers().size(); ++j) {
            const double* room = market_.room(j);
            bool holds = true;
            for (std::size_t d = 0; d < n_; ++d) holds &= used[d] <= room[d];
            if (holds && market_.admits_all(j, kinds.data())) return j;
        }
        return kNone;
    }

    // Each pod where it costs the least, on a machine that there is, made larger if need be, or on one more.
    // Those that set the number of machines first, then the most valuable.
    void insert_rest(const std::vector<double>& values) {
        std::vector<LotIndex> order;
        for (LotIndex lot = 0; lot < left_.size(); ++lot) {
            if (left_[lot] > 0) order.push_back(lot);
        }
        std::stable_sort(order.begin(), order.end(), [&](LotIndex a, LotIndex b) {
            const std::uint32_t x = row_of_[a];
            const std::uint32_t y = row_of_[b];
            return std::tuple(rows_[x].caps.empty(), -values[x]) <
                   std::tuple(rows_[y].caps.empty(), -values[y]);
        });
        for (const LotIndex lot : order) {
            while (left_[lot] > 0) {
                if (!insert(lot)) return;
            }
        }
    }

    bool insert(LotIndex lot) {
        const Lot& own = market_.lots()[lot];
        const PodClass& pod_class = market_.problem().classes()[own.pod_class];
        const double* request = market_.request(lot);
        std::vector<double> used(request, request + n_);
        std::vector<KindWord> kinds(market_.kind_words(), 0);
        kinds[own.kind / 64] |= KindWord{1} << (own.kind % 64);
        OfferIndex best_offer = cheapest(0, used, kinds);
        if (best_offer == kNone) return false;
        double least = market_.offers()[best_offer].price;
        double least_free = std::numeric_limits<double>::infinity();
        std::size_t best = nodes_.size();
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            Node& node = nodes_[i];
            const double price = market_.offers()[node.offer].price;
            for (std::size_t d = 0; d < n_; ++d) used[d] = node.used[d] + request[d];
            kinds = node.kinds;
            kinds[own.kind / 64] |= KindWord{1} << (own.kind % 64);
            const OfferIndex offer = cheapest_within(node.offer, used, kinds, price + least);
            if (offer == kNone) continue;
            const double more = market_.offers()[offer].price - price;
            // Of equal costs where the least room stays free.
            const double free = free_part(offer, used);
            if (more > least || (more == least && free >= least_free)) continue;
            if (node.company.room_for(market_.problem(), pod_class) == 0) continue;
            least = more;
            least_free = free;
            best = i;
            best_offer = offer;
        }
        if (best == nodes_.size()) {
            nodes_.push_back({best_offer,
                              {},
                              std::vector<double>(n_, 0),
                              std::vector<KindWord>(market_.kind_words(), 0),
                              {}});
        }
        nodes_[best].offer = best_offer;
        put(lot, nodes_[best]);
        return true;
    }

    OfferIndex cheapest_within(OfferIndex from, const std::vector<double>& used,
                               const std::vector<KindWord>& kinds, double most) const {
        for (OfferIndex j = from; j < market_.offers().size() && market_.offers()[j].price <= most; ++j) {
            const double* room = market_.room(j);
            bool holds = true;
            for (std::size_t d = 0; d < n_; ++d) holds &= used[d] <= room[d];
            if (holds && market_.admits_all(j, kinds.data())) return j;
        }
        return kNone;
    }

    double free_part(OfferIndex offer, const std::vector<double>& used) const {
        double sum = 0;
        for (std::size_t d = 0; d < n_; ++d) {
            const double room = market_.room(offer)[d];
            sum += room > 0 ? market_.offers()[offer].price * (room - used[d]) / room : 0;
        }
        return sum;
    }

    const Market& market_;
    std::vector<DraftNode> stowed_;
    Counts all_left_;
    std::size_t n_;
    std::vector<CapId> caps_;
    std::vector<Row> rows_;
    std::vector<std::uint32_t> row_of_;   // By lot.
    std::vector<Type> types_;             // Cheapest first.
    std::uint32_t few_ = 0;               // Of them, those that patterns are sought for.
    std::vector<std::uint32_t> type_of_;  // By pattern.
    std::optional<CoveringProgram> program_;
    std::set<std::pair<std::uint32_t, std::vector<std::pair<std::uint32_t, double>>>> known_;
    std::uint64_t looks_ = 0;

    // Of one filling.
    std::vector<std::vector<std::uint32_t>> orders_;
    std::vector<std::uint32_t> counts_;
    std::vector<std::uint32_t> taken_;
    std::vector<double> free_;
    std::vector<std::int64_t> cap_left_;

    // Of the rounding.
    std::vector<std::uint32_t> left_;      // By lot.
    std::vector<std::uint32_t> row_left_;  // By row.
    std::vector<Node> nodes_;
};

Patterns::Patterns(const Market& market, const std::vector<DraftNode>& stowed) {
    if (!market.has_caps() || market.some_open()) return;
    ResourceProgram program(market.columns(true));
    if (program.solve(sums(market, count_left(market, stowed)).data()).back() <= 0) return;
    planner_ = std::make_unique<Planner>(market, stowed);
    if (planner_->rows() > kMaxRows) planner_.reset();
}

Patterns::~Patterns() = default;

KnownPatterns Patterns::known() const {
    return planner_->known();
}

Draft Patterns::run(const PatternOptions& options) {
    return planner_->run(options);
}

}  // namespace joiner::plan
