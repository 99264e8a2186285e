#include "plan/provision/deal.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "plan/provision/packer.h"

namespace joiner::plan {
namespace {

// One combination of values that pods of a kind could be dealt to.
struct Choice {
    Domains at;
    std::uint32_t domains = 0;  // Index into Deal::domains.
    bool is_buyable = false;
    std::uint32_t pod_class = 0;  // When buyable.
    std::vector<Place> rooms;
    std::size_t next_room = 0;  // Rooms before it are full.
    std::size_t rank = 0;       // Likeliest to be cheap first.
};

class Dealer {
  public:
    explicit Dealer(Trial& trial) : trial_(trial), problem_(trial.problem()) {
        out_.domains.push_back(trial.nowhere());
        out_.domains_of.assign(problem_.snapshot().pods.size(), 0);
        find_node_affinities();
    }

    Deal run(const std::vector<std::uint32_t>& order) {
        std::vector<std::pair<std::uint32_t, std::vector<model::PodIndex>>> unplaced;
        std::vector<std::uint32_t> free;
        for (const std::uint32_t k : order) {
            if (is_free(k)) {
                free.push_back(k);
                continue;
            }
            std::vector<model::PodIndex> left = place_kind(k);
            if (!left.empty()) unplaced.emplace_back(k, std::move(left));
        }
        place_free(free);
        // Affinity may have been waiting for pods that came after.
        for (bool is_progress = true; is_progress;) {
            is_progress = false;
            for (auto& [k, left] : unplaced) {
                if (left.empty() || choices_[k].empty()) continue;
                const std::size_t before = left.size();
                left = deal_pods(k, left);
                is_progress |= left.size() < before;
            }
        }
        for (const auto& [k, left] : unplaced) out_.later.insert(out_.later.end(), left.begin(), left.end());
        return std::move(out_);
    }

  private:
    bool is_free(std::uint32_t k) {
        const PodClass& own = problem_.classes()[problem_.class_of(k, {})];
        return own.is_free && problem_.dimensions() <= Packer::kMaxDimensions &&
               problem_.some_machine_holds(own);
    }

    // To the rooms as they come, if they hold all.
    void place_free(const std::vector<std::uint32_t>& kinds) {
        trial_.record(true);
        const std::size_t mark = trial_.mark();
        for (const std::uint32_t k : kinds) {
            if (fill_rooms(k) == problem_.kinds()[k].pods.size()) continue;
            out_.rooms_are_open = true;
            break;
        }
        if (out_.rooms_are_open) trial_.undo_to(mark);
        trial_.record(false);
        if (!out_.rooms_are_open) return;
        for (const std::uint32_t k : kinds) {
            const std::uint32_t c = problem_.class_of(k, {});
            for (const model::PodIndex pod : problem_.kinds()[k].pods) problem_.add_pod(c, pod);
        }
    }

    // Counters by which pods are drawn to one node. Those that daemons meet draw to none.
    void find_node_affinities() {
        const auto& counters = problem_.topology().counters();
        for (const PodKind& kind : problem_.kinds()) {
            for (const CounterId c : kind.rules.affinity) {
                if (counters[c].key == kHostnameKey && !problem_.is_met_by_daemons(c))
                    node_affinities_.insert(c);
            }
            for (const auto& [c, weight] : kind.rules.rather_with) {
                if (counters[c].key == kHostnameKey) node_affinities_.insert(c);
            }
        }
    }

    // Whether caps, crowds and pins can say all there is to the kind's rules.
    bool fits_mould(const PodKind& kind) {
        if (problem_.may_lack_volumes(*kind.shape)) return false;
        const auto draws = [&](CounterId c) { return node_affinities_.contains(c); };
        if (std::any_of(kind.rules.affinity.begin(), kind.rules.affinity.end(), draws)) return false;
        if (std::any_of(kind.rules.counts.begin(), kind.rules.counts.end(), draws)) return false;
        for (const auto& [c, weight] : kind.rules.rather_with) {
            if (draws(c)) return false;
        }
        for (const KeyId key : kind.rules.keys) {
            for (model::PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
                if (problem_.pools()[pool].sells() && problem_.values_of(pool, key).empty()) return false;
            }
        }
        return true;
    }

    // Returns the pods that found no place.
    std::vector<model::PodIndex> place_kind(std::uint32_t k) {
        const PodKind& kind = problem_.kinds()[k];
        if (choices_.size() <= k) choices_.resize(problem_.kinds().size());
        if (!fits_mould(kind)) return kind.pods;
        if (kind.rules.keys.empty()) {
            const std::size_t placed = fill_rooms(k);
            const std::uint32_t c = problem_.class_of(k, {});
            for (std::size_t i = placed; i < kind.pods.size(); ++i) problem_.add_pod(c, kind.pods[i]);
            return {};
        }
        make_choices(k);
        return deal_pods(k, kind.pods);
    }

    // How many found a place.
    std::size_t fill_rooms(std::uint32_t k) {
        const PodKind& kind = problem_.kinds()[k];
        std::size_t next = 0;
        for (Place room = 0; room < trial_.rooms() && next < kind.pods.size(); ++room) {
            std::uint32_t fit = trial_.how_many_fit(k, room);
            if (fit == 0 || !trial_.admits(k, room)) continue;
            for (; fit > 0 && next < kind.pods.size() && trial_.allows(k, room, {}); --fit)
                trial_.put(k, room, kind.pods[next++]);
        }
        return next;
    }

    void make_choices(std::uint32_t k) {
        const PodKind& kind = problem_.kinds()[k];
        std::vector<Choice>& choices = choices_[k];
        std::map<Domains, std::size_t> known;
        const auto choice_at = [&](Domains at) -> Choice& {
            const auto [it, is_new] = known.try_emplace(at, choices.size());
            if (is_new) {
                Choice& made = choices.emplace_back();
                made.at = std::move(at);
                made.rank = choices.size();
            }
            return choices[it->second];
        };
        for (model::PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
            if (!problem_.pools()[pool].sells()) continue;
            for (Domains& at : trial_.combinations(kind.rules.keys, pool, trial_.nowhere())) {
                Choice& choice = choice_at(std::move(at));
                if (choice.is_buyable) continue;
                choice.pod_class = problem_.class_of(k, trial_.pins(k, choice.at));
                choice.is_buyable = problem_.some_machine_holds(problem_.classes()[choice.pod_class]);
            }
        }
        for (Place room = 0; room < trial_.rooms(); ++room) {
            if (trial_.how_many_fit(k, room) == 0 || !trial_.admits(k, room)) continue;
            Domains at = trial_.nowhere();
            for (const KeyId key : kind.rules.keys) at[key] = trial_.domains_of(room)[key];
            choice_at(std::move(at)).rooms.push_back(room);
        }
        std::erase_if(choices, [](const Choice& one) { return !one.is_buyable && one.rooms.empty(); });
        for (Choice& choice : choices) {
            choice.domains = static_cast<std::uint32_t>(out_.domains.size());
            out_.domains.push_back(choice.at);
        }
    }

    std::vector<model::PodIndex> deal_pods(std::uint32_t k, const std::vector<model::PodIndex>& pods) {
        for (std::size_t i = 0; i < pods.size(); ++i) {
            if (!deal_one(k, pods[i])) return {pods.begin() + static_cast<std::ptrdiff_t>(i), pods.end()};
        }
        return {};
    }

    bool deal_one(std::uint32_t k, model::PodIndex pod) {
        using Score = std::tuple<int, std::pair<std::int64_t, std::int64_t>, int, std::size_t>;
        std::vector<std::pair<Score, Choice*>> order;
        // Preferences among nodes are kept by caps; those among domains are weighed here.
        const Mode mode{trial_.preferences(k), false};
        for (Choice& choice : choices_[k]) {
            if (!trial_.allows_at(k, choice.at, kNewPlace, mode)) continue;
            const bool has_room = choice.next_room < choice.rooms.size();
            if (!has_room && !choice.is_buyable) continue;
            order.push_back(
                {{trial_.regrets(k, choice.at), trial_.load(k, choice.at), has_room ? 0 : 1, choice.rank},
                 &choice});
        }
        std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [score, choice] : order) {
            if (put_in_room(k, *choice, mode, pod)) return true;
            if (!choice->is_buyable) continue;
            trial_.count_at(k, choice->at, 1);
            problem_.add_pod(choice->pod_class, pod);
            out_.domains_of[pod] = choice->domains;
            return true;
        }
        return false;
    }

    bool put_in_room(std::uint32_t k, Choice& choice, const Mode& mode, model::PodIndex pod) {
        for (std::size_t i = choice.next_room; i < choice.rooms.size(); ++i) {
            const Place room = choice.rooms[i];
            if (trial_.how_many_fit(k, room) == 0) {
                if (i == choice.next_room) ++choice.next_room;
                continue;
            }
            if (!trial_.allows(k, room, mode) || trial_.regrets_node(k, room)) continue;
            trial_.put(k, room, pod);
            return true;
        }
        return false;
    }

    Trial& trial_;
    Problem& problem_;
    std::set<CounterId> node_affinities_;
    std::vector<std::vector<Choice>> choices_;  // By kind.
    Deal out_;
};

}  // namespace

Deal deal(Trial& trial, const std::vector<std::uint32_t>& order) {
    return Dealer(trial).run(order);
}

}  // namespace joiner::plan
