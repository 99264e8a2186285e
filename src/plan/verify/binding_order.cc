#include "plan/verify/binding_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "rules/taints.h"

namespace joiner::plan {
namespace {

using model::PodIndex;
using rules::PodSelector;
using rules::PodTerm;
using rules::SpreadTerm;

using LabelsIndex = std::size_t;

constexpr int kLevels = 3;
constexpr int kLastOfSpread = 1;
constexpr std::int32_t kLeastPriority = std::numeric_limits<std::int32_t>::min();
// Bounds on the search for pods that others wait for; beyond them a plan counts as broken.
constexpr int kMaxHelpers = 100;
constexpr std::ptrdiff_t kMaxHelped = 20;
// Likewise on pods that are taken one by one, each the one that leaves all most level.
constexpr std::size_t kMaxLevelled = 500;

// Pods counted by the values of one label.
struct Tally {
    std::vector<bool> selected;     // By LabelsIndex.
    std::vector<int> domain_of;     // By node; -1: the node does not count.
    std::vector<int> counts;        // By domain.
    std::vector<int> domains_with;  // How many domains have such a count.
    int total = 0;
    int lowest = 0;
    bool skips_going = false;

    void start() {
        std::fill(counts.begin(), counts.end(), 0);
        domains_with.assign(1, static_cast<int>(counts.size()));
        total = 0;
        lowest = 0;
    }
    // Counts only grow, and so does the lowest.
    void add(std::size_t node, int times) {
        const int domain = domain_of[node];
        if (domain < 0) return;
        int& count = counts[static_cast<std::size_t>(domain)];
        --domains_with[static_cast<std::size_t>(count)];
        count += times;
        total += times;
        if (domains_with.size() <= static_cast<std::size_t>(count))
            domains_with.resize(static_cast<std::size_t>(count) + 1, 0);
        ++domains_with[static_cast<std::size_t>(count)];
        while (domains_with[static_cast<std::size_t>(lowest)] == 0 &&
               static_cast<std::size_t>(lowest) + 1 < domains_with.size())
            ++lowest;
    }
    int at(std::size_t node) const {
        return domain_of[node] < 0 ? 0 : counts[static_cast<std::size_t>(domain_of[node])];
    }
};

struct CheckedSpread {
    Tally* tally = nullptr;
    const SpreadTerm* term = nullptr;
    int self = 0;
};

// Pods alike in labels and constraints.
struct Sort {
    const rules::PodShape* shape = nullptr;
    LabelsIndex labels = 0;
    std::vector<Tally*> affinity;
    bool starts_affinity = false;
    std::vector<CheckedSpread> spread;
    std::vector<Tally*> counted_by;
    bool is_checked = false;
};

struct Turn {
    std::size_t sort = 0;
    std::size_t node = 0;
    PodIndex pod = 0;
    std::size_t rank = 0;
    int level = 0;  // Of those that are checked: nodes' spread, wider spread, affinity alone.
};

class BindingOrder {
  public:
    BindingOrder(const model::Snapshot& snapshot, const std::vector<CheckedNode>& nodes, Order order)
        : snapshot_(snapshot), nodes_(nodes), order_(order), standing_(snapshot.standing) {
        add_daemons();
    }

    std::vector<std::pair<PodIndex, std::string>> run() {
        if (nothing_is_asked()) return {};
        read_pods();
        check_ports();
        check_anti_affinity();
        make_tallies();
        bind_all();
        return std::move(found_);
    }

  private:
    void fail(PodIndex pod, std::string what) { found_.emplace_back(pod, std::move(what)); }

    // Daemons of new nodes stand there for all rules but spread, which they come too late for.
    void add_daemons() {
        for (std::size_t i = 0; i < snapshot_.daemons.size(); ++i) {
            const model::DaemonView& daemon = snapshot_.daemons[i];
            const bool binds_others = daemon.shape->constraints.binds_others();
            model::StandingPods standing{daemon.labels, binds_others ? daemon.shape : nullptr, true, {}};
            for (std::size_t node = 0; node < nodes_.size(); ++node) {
                const std::vector<std::size_t>& there = nodes_[node].daemons;
                if (std::find(there.begin(), there.end(), i) != there.end())
                    standing.places.emplace_back(static_cast<model::PlaceIndex>(node), 1);
            }
            if (!standing.places.empty()) standing_.push_back(std::move(standing));
        }
    }

    static const rules::PodConstraints& constraints(const rules::PodShape* shape) {
        static const rules::PodConstraints none;
        return shape == nullptr ? none : shape->constraints;
    }

    bool nothing_is_asked() const {
        for (const model::StandingPods& standing : standing_) {
            if (standing.shape != nullptr) return false;
        }
        return std::all_of(nodes_.begin(), nodes_.end(), [&](const CheckedNode& node) {
            return std::all_of(node.pods.begin(), node.pods.end(), [&](PodIndex pod) {
                return snapshot_.pods[pod].shape->constraints.key.empty();
            });
        });
    }

    LabelsIndex labels_index(const rules::PodLabels* labels, const std::string& ns) {
        if (labels == nullptr) {
            auto& made = bare_[ns];
            if (made == nullptr) made = std::make_unique<rules::PodLabels>(rules::PodLabels{ns, {}});
            labels = made.get();
        }
        const auto [it, is_new] = labels_ids_.try_emplace(labels, labels_.size());
        if (is_new) {
            labels_.push_back(labels);
            for (const auto& [key, value] : labels->labels)
                with_label_[key + '=' + value].push_back(it->second);
        }
        return it->second;
    }

    void read_pods() {
        std::map<std::pair<const rules::PodShape*, LabelsIndex>, std::size_t> known;
        for (std::size_t node = 0; node < nodes_.size(); ++node) {
            for (const PodIndex pod : nodes_[node].pods) {
                const model::PodView& view = snapshot_.pods[pod];
                const LabelsIndex labels = labels_index(view.labels.get(), view.id.ns());
                const auto [it, is_new] = known.try_emplace({view.shape.get(), labels}, sorts_.size());
                if (is_new) {
                    sorts_.emplace_back();
                    sorts_.back().shape = view.shape.get();
                    sorts_.back().labels = labels;
                }
                turns_.push_back({it->second, node, pod, 0, 0});
            }
        }
        for (const model::StandingPods& standing : standing_)
            standing_labels_.push_back(labels_index(standing.labels.get(), ""));
    }

    void check_ports() {
        std::vector<std::vector<rules::HostPort>> taken(nodes_.size());
        for (const model::StandingPods& standing : standing_) {
            for (const auto& [place, count] : standing.places) {
                const auto& ports = constraints(standing.shape.get()).ports;
                taken[place].insert(taken[place].end(), ports.begin(), ports.end());
            }
        }
        for (const Turn& turn : turns_) {
            for (const rules::HostPort& port : sorts_[turn.sort].shape->constraints.ports) {
                for (const rules::HostPort& other : taken[turn.node]) {
                    if (!port.clashes(other)) continue;
                    fail(turn.pod,
                         fmt::format("host port {} of {} is taken", port.port, nodes_[turn.node].name));
                    break;
                }
            }
            const auto& ports = sorts_[turn.sort].shape->constraints.ports;
            taken[turn.node].insert(taken[turn.node].end(), ports.begin(), ports.end());
        }
    }

    // Which label sets the selectors all select.
    std::vector<bool> selected_by(const std::vector<const PodSelector*>& all) const {
        std::vector<bool> out(labels_.size(), false);
        const auto consider = [&](LabelsIndex i) {
            out[i] = std::all_of(all.begin(), all.end(), [&](const PodSelector* one) {
                return one->selects(*labels_[i], snapshot_.namespaces);
            });
        };
        const auto& first = all.front()->labels;
        if (first && !first->match_labels.empty()) {
            const auto& [key, value] = *first->match_labels.begin();
            if (const auto it = with_label_.find(key + '=' + value); it != with_label_.end())
                std::for_each(it->second.begin(), it->second.end(), consider);
        } else {
            for (LabelsIndex i = 0; i < labels_.size(); ++i) consider(i);
        }
        return out;
    }

    // Nodes by their value of `key`.
    const std::vector<int>& domains_by(const std::string& key, std::size_t& count) {
        auto& [domains, number] = domains_[key];
        if (domains.empty()) {
            std::unordered_map<std::string_view, int> ids;
            for (const CheckedNode& node : nodes_) {
                const auto it = node.labels.find(key);
                if (it == node.labels.end()) {
                    domains.push_back(-1);
                } else {
                    domains.push_back(
                        ids.try_emplace(it->second, static_cast<int>(ids.size())).first->second);
                }
            }
            number = ids.size();
        }
        count = number;
        return domains;
    }

    // A pod and one that its anti-affinity names never share a domain, whoever came first.
    void check_anti_affinity() {
        // By selector and key: who holds it, where.
        struct Held {
            const PodTerm* term;
            std::vector<std::pair<std::size_t, const Turn*>> by_new;  // Node and pod.
            std::vector<std::size_t> by_standing;                     // Nodes.
        };
        std::map<std::pair<std::string, std::string>, Held> held;
        const auto at = [&](const PodTerm& term) -> Held& {
            return held.try_emplace({term.pods.key, term.topology_key}, Held{&term, {}, {}}).first->second;
        };
        for (const Turn& turn : turns_) {
            for (const PodTerm& term : sorts_[turn.sort].shape->constraints.anti_affinity)
                at(term).by_new.emplace_back(turn.node, &turn);
        }
        for (const model::StandingPods& standing : standing_) {
            for (const PodTerm& term : constraints(standing.shape.get()).anti_affinity) {
                for (const auto& [place, count] : standing.places) at(term).by_standing.push_back(place);
            }
        }
        for (const auto& [key, one] : held) {
            const std::vector<bool> selected = selected_by({&one.term->pods});
            std::size_t count = 0;
            const std::vector<int>& domain_of = domains_by(one.term->topology_key, count);
            std::vector<int> selected_new(count, 0);
            std::vector<int> selected_standing(count, 0);
            std::vector<bool> standing_holds(count, false);
            const auto add = [&](std::vector<int>& counts, std::size_t node) {
                if (domain_of[node] >= 0) ++counts[static_cast<std::size_t>(domain_of[node])];
            };
            for (const Turn& turn : turns_) {
                if (selected[sorts_[turn.sort].labels]) add(selected_new, turn.node);
            }
            for (std::size_t i = 0; i < standing_.size(); ++i) {
                if (!selected[standing_labels_[i]]) continue;
                for (const auto& [place, times] : standing_[i].places) add(selected_standing, place);
            }
            for (const std::size_t node : one.by_standing) {
                if (domain_of[node] >= 0) standing_holds[static_cast<std::size_t>(domain_of[node])] = true;
            }
            for (const auto& [node, turn] : one.by_new) {
                if (domain_of[node] < 0) continue;
                const auto domain = static_cast<std::size_t>(domain_of[node]);
                const int itself = selected[sorts_[turn->sort].labels] ? 1 : 0;
                if (selected_standing[domain] + selected_new[domain] - itself > 0)
                    fail(turn->pod,
                         fmt::format("its anti-affinity over {} is broken", one.term->topology_key));
            }
            for (const Turn& turn : turns_) {
                if (!selected[sorts_[turn.sort].labels] || domain_of[turn.node] < 0) continue;
                if (standing_holds[static_cast<std::size_t>(domain_of[turn.node])])
                    fail(turn.pod, fmt::format("the anti-affinity of running pods over {} is broken",
                                               one.term->topology_key));
            }
        }
    }

    // `domains` gives each node's; it is asked once a key.
    template <typename F>
    Tally& tally_of(const std::string& key, const std::vector<const PodSelector*>& all, F domains,
                    bool skips_going) {
        auto& made = tallies_[key];
        if (made != nullptr) return *made;
        std::vector<int> domain_of = domains();
        made = std::make_unique<Tally>();
        made->selected = selected_by(all);
        made->skips_going = skips_going;
        // Only values that some node in question has are domains.
        std::map<int, int> dense;
        for (int& domain : domain_of) {
            if (domain >= 0) domain = dense.try_emplace(domain, static_cast<int>(dense.size())).first->second;
        }
        made->domain_of = std::move(domain_of);
        made->counts.resize(dense.size());
        return *made;
    }

    // Them alone.
    void count_standing(Tally& tally) const {
        tally.start();
        for (std::size_t i = 0; i < standing_.size(); ++i) {
            const model::StandingPods& standing = standing_[i];
            if (!tally.selected[standing_labels_[i]] || (tally.skips_going && standing.is_going)) continue;
            for (const auto& [place, times] : standing.places) tally.add(place, static_cast<int>(times));
        }
    }

    // The nodes a spread looks at have all keys of the pod's hard spreads, and pass what its policies honour.
    std::vector<int> spread_domains(const rules::PodShape& shape, const SpreadTerm& term) {
        std::size_t count = 0;
        std::vector<int> out = domains_by(term.topology_key, count);
        const auto& required = shape.before_volumes.empty() ? shape.required : shape.before_volumes;
        for (std::size_t node = 0; node < nodes_.size(); ++node) {
            const CheckedNode& one = nodes_[node];
            bool counts = std::all_of(
                shape.constraints.spread.begin(), shape.constraints.spread.end(),
                [&](const SpreadTerm& s) { return !s.is_hard || one.labels.contains(s.topology_key); });
            if (counts && term.honors_affinity) {
                counts =
                    std::any_of(required.begin(), required.end(), [&](const rules::Requirements& wanted) {
                        return std::all_of(wanted.begin(), wanted.end(), [&](const rules::Requirement& r) {
                            const auto it = one.labels.find(r.key());
                            return it == one.labels.end() ? r.allows_absence() : r.allows(it->second);
                        });
                    });
            }
            if (counts && term.honors_taints)
                counts = rules::untolerated_taint(shape.tolerations, *one.taints) == nullptr;
            if (!counts) out[node] = -1;
        }
        return out;
    }

    static std::string spread_key(const rules::PodShape& shape, const SpreadTerm& term) {
        std::string key = fmt::format("spread {} {}", term.topology_key, term.pods.key);
        std::set<std::string_view> keys;
        for (const SpreadTerm& s : shape.constraints.spread) {
            if (s.is_hard) keys.insert(s.topology_key);
        }
        for (const std::string_view one : keys) key.append(1, ' ').append(one);
        if (term.honors_affinity) {
            for (const auto& one : shape.before_volumes.empty() ? shape.required : shape.before_volumes)
                key += '{' + one.to_string() + '}';
        }
        if (term.honors_taints) {
            key += "|taints";
            for (const api::Toleration& t : shape.tolerations)
                key += fmt::format("|{} {} {} {}", t.key, t.op, t.value, t.effect);
        }
        return key;
    }

    void make_tallies() {
        for (Sort& sort : sorts_) {
            const rules::PodConstraints& c = sort.shape->constraints;
            if (!c.affinity.empty()) {
                std::vector<const PodSelector*> all;
                std::string selectors;
                for (const PodTerm& term : c.affinity) {
                    all.push_back(&term.pods);
                    selectors += term.pods.key + '\n';
                }
                for (const PodTerm& term : c.affinity) {
                    const auto domains = [&] {
                        std::size_t count = 0;
                        return domains_by(term.topology_key, count);
                    };
                    Tally& tally = tally_of(fmt::format("affinity {} {}", term.topology_key, selectors), all,
                                            domains, false);
                    sort.affinity.push_back(&tally);
                    sort.starts_affinity = tally.selected[sort.labels];
                }
            }
            for (const SpreadTerm& term : c.spread) {
                if (!term.is_hard) continue;
                Tally& tally = tally_of(
                    spread_key(*sort.shape, term), {&term.pods},
                    [&] { return spread_domains(*sort.shape, term); }, true);
                sort.spread.push_back({&tally, &term, tally.selected[sort.labels] ? 1 : 0});
            }
            sort.is_checked = !sort.affinity.empty() || !sort.spread.empty();
        }
        for (Sort& sort : sorts_) {
            for (const auto& [key, tally] : tallies_) {
                if (tally->selected[sort.labels]) sort.counted_by.push_back(tally.get());
            }
        }
    }

    static int skew(const CheckedSpread& spread, const Turn& turn) {
        const bool few = spread.tally->counts.size() < static_cast<std::size_t>(spread.term->min_domains);
        return spread.tally->at(turn.node) - (few ? 0 : spread.tally->lowest);
    }

    struct Hurdle {
        const char* what = nullptr;
        const SpreadTerm* broken = nullptr;
    };
    // What keeps the pod out by now, if anything does.
    std::optional<Hurdle> hurdle(const Turn& turn) const {
        const Sort& sort = sorts_[turn.sort];
        bool meets_all = true;
        bool meets_none = true;
        for (const Tally* tally : sort.affinity) {
            if (tally->domain_of[turn.node] < 0)
                return Hurdle{"its affinity asks for a label that its node lacks"};
            meets_all &= tally->at(turn.node) > 0;
            meets_none &= tally->total == 0;
        }
        if (!meets_all && !(meets_none && sort.starts_affinity)) return Hurdle{"its pod affinity is not met"};
        for (const CheckedSpread& spread : sort.spread) {
            if (spread.tally->domain_of[turn.node] < 0)
                return Hurdle{"its spread asks for a label that its node lacks"};
            if (skew(spread, turn) + spread.self > spread.term->max_skew) return Hurdle{nullptr, spread.term};
        }
        return std::nullopt;
    }
    bool is_let_in(const Turn& turn) const { return !hurdle(turn); }
    std::string why_not(const Turn& turn) const {
        const std::optional<Hurdle> found = hurdle(turn);
        if (!found) return {};
        return found->broken == nullptr
                   ? std::string(found->what)
                   : fmt::format("its spread over {} is broken", found->broken->topology_key);
    }

    void bind(const Turn& turn) {
        for (Tally* tally : sorts_[turn.sort].counted_by) tally->add(turn.node, 1);
    }

    // Turns whose pods are level over their domains come in an order that keeps them so; those that look at
    // single nodes before those that look at many, which fill the nodes; those that only go where others are
    // at the end.
    void rank_turns() {
        std::map<std::pair<LabelsIndex, std::vector<int>>, std::size_t> next;
        for (Turn& turn : turns_) {
            const Sort& sort = sorts_[turn.sort];
            std::vector<int> domains;
            turn.level = sort.spread.empty() ? kLevels - 1 : 1;
            for (const CheckedSpread& spread : sort.spread) {
                const bool by_node = spread.tally->counts.size() * 2 > nodes_.size();
                if (by_node) turn.level = 0;
                if (!by_node) domains.push_back(spread.tally->domain_of[turn.node]);
            }
            turn.rank = next[{sort.labels, std::move(domains)}]++;
        }
        std::stable_sort(turns_.begin(), turns_.end(), [](const Turn& a, const Turn& b) {
            return std::pair(a.level, a.rank) < std::pair(b.level, b.rank);
        });
    }

    // Any order that lets all in will do: where the likeliest does not, others are tried.
    void bind_all() {
        rank_turns();
        const auto left_out = [&](const auto& bind_them) {
            for (const auto& [key, tally] : tallies_) count_standing(*tally);
            helpers_ = 0;
            std::vector<std::pair<PodIndex, std::string>> out;
            for (const Turn* turn : bind_them()) out.emplace_back(turn->pod, why_not(*turn));
            return out;
        };
        auto found = left_out([this] { return bind_ranked(order_); });
        const bool may_differ = order_ == Order::kAny && !found.empty();
        if (may_differ && (left_out([this] { return bind_ranked(Order::kUrgentFirst); }).empty() ||
                           left_out([this] { return bind_most_level(); }).empty()))
            return;
        found_.insert(found_.end(), found.begin(), found.end());
    }

    // Those that an order of binding is to be found for, and the others that are counted.
    void read_turns(std::vector<const Turn*>& checked, std::vector<const Turn*>& free) const {
        for (const Turn& turn : turns_) {
            const Sort& sort = sorts_[turn.sort];
            if (sort.is_checked) {
                checked.push_back(&turn);
            } else if (!sort.counted_by.empty()) {
                free.push_back(&turn);
            }
        }
    }

    // Returns those that are never let in.
    std::vector<const Turn*> bind_ranked(Order order) {
        std::vector<const Turn*> checked;
        std::vector<const Turn*> free;
        read_turns(checked, free);
        if (order != Order::kAny) bind_urgent_first(checked, free, order);
        while (true) {
            bind_let_in(checked, free, kLeastPriority);
            if (checked.empty() || !bind_helper(checked, free)) return checked;
        }
    }

    // Of all that are let in, each time the one that would be the furthest from being let in last; of these
    // the one that goes where the fewest are. Those that no spread of their own counts can wait.
    std::vector<const Turn*> bind_most_level() {
        std::vector<const Turn*> checked;
        std::vector<const Turn*> free;
        read_turns(checked, free);
        if (checked.size() > kMaxLevelled) return checked;
        const std::map<const Turn*, int> too_full = how_much_too_full(checked);
        while (!checked.empty()) {
            auto best = checked.end();
            std::tuple<int, bool, int> least;
            for (auto it = checked.begin(); it != checked.end(); ++it) {
                if (!is_let_in(**it)) continue;
                const std::vector<CheckedSpread>& spreads = sorts_[(*it)->sort].spread;
                const bool can_wait = std::none_of(spreads.begin(), spreads.end(),
                                                   [](const CheckedSpread& one) { return one.self > 0; });
                const std::tuple own(-too_full.at(*it), can_wait, height(**it));
                if (best != checked.end() && least <= own) continue;
                best = it;
                least = own;
            }
            if (best != checked.end()) {
                bind(**best);
                checked.erase(best);
            } else if (!bind_helper(checked, free)) {
                break;
            }
        }
        return checked;
    }

    // By how many pods its domains are too full for each when all are bound.
    std::map<const Turn*, int> how_much_too_full(const std::vector<const Turn*>& checked) {
        for (const Turn& turn : turns_) bind(turn);
        std::map<const Turn*, int> out;
        for (const Turn* turn : checked) {
            int& most = out[turn];
            for (const CheckedSpread& spread : sorts_[turn->sort].spread)
                most = std::max(most, skew(spread, *turn) - spread.term->max_skew);
        }
        for (const auto& [key, tally] : tallies_) count_standing(*tally);
        return out;
    }

    // How much fuller than the emptiest its domains are in the eyes of those who spread, at most.
    int height(const Turn& turn) const {
        int out = 0;
        for (const Tally* tally : sorts_[turn.sort].counted_by) {
            if (tally->skips_going && tally->domain_of[turn.node] >= 0)
                out = std::max(out, tally->at(turn.node) - tally->lowest);
        }
        return out;
    }

    std::int32_t priority(const Turn* turn) const { return sorts_[turn->sort].shape->priority; }

    // The most urgent that spread are let in before those that are free and less urgent, and after those that
    // are free and more so.
    void bind_urgent_first(std::vector<const Turn*>& checked, std::vector<const Turn*>& free, Order order) {
        std::set<std::int32_t, std::greater<>> of_spread;
        for (const Turn* turn : checked) {
            if (!sorts_[turn->sort].spread.empty()) of_spread.insert(priority(turn));
        }
        for (const std::int32_t own : of_spread) {
            std::erase_if(free, [&](const Turn* turn) {
                const bool is_before =
                    priority(turn) > own || (order == Order::kFreeFirst && priority(turn) == own);
                if (is_before) bind(*turn);
                return is_before;
            });
            std::vector<const Turn*> nobody;
            bind_let_in(checked, nobody, own);
        }
    }

    // All that are let in, one after another, and as urgent as that; they leave `checked`. Pods that only go
    // where others are come last, but for those that level what a spread waits for.
    void bind_let_in(std::vector<const Turn*>& checked, std::vector<const Turn*>& free, std::int32_t least) {
        for (int level = 0; level < kLevels && !checked.empty();) {
            const bool is_progress = bind_level(checked, level, least) ||
                                     (level == kLastOfSpread && bind_for_spread(checked, free, least));
            level = is_progress ? 0 : level + 1;
        }
    }

    bool bind_for_spread(std::vector<const Turn*>& checked, std::vector<const Turn*>& free,
                         std::int32_t least) {
        std::vector<const Turn*> stuck;
        for (const Turn* turn : checked) {
            if (turn->level <= kLastOfSpread && priority(turn) >= least) stuck.push_back(turn);
        }
        const auto may_come = [&](const Turn& turn) {
            return turn.level > kLastOfSpread && priority(&turn) >= least && is_let_in(turn);
        };
        return !stuck.empty() && (bind_helper(stuck, checked, may_come) || bind_helper(stuck, free));
    }

    // False when there are none.
    bool bind_level(std::vector<const Turn*>& checked, int level, std::int32_t least) {
        std::vector<const Turn*> still;
        for (const Turn* turn : checked) {
            if (turn->level == level && priority(turn) >= least && is_let_in(*turn)) {
                bind(*turn);
            } else {
                still.push_back(turn);
            }
        }
        const bool is_progress = still.size() < checked.size();
        checked = std::move(still);
        return is_progress;
    }

    // A pod that nothing holds back and that someone waits for: for affinity, or to level the emptiest
    // domain.
    bool bind_helper(
        const std::vector<const Turn*>& stuck, std::vector<const Turn*>& helpers,
        const std::function<bool(const Turn&)>& may_come = [](const Turn&) { return true; }) {
        if (helpers_ == kMaxHelpers) return false;
        const auto last_helped =
            stuck.begin() + std::min(kMaxHelped, static_cast<std::ptrdiff_t>(stuck.size()));
        for (auto it = helpers.begin(); it != helpers.end(); ++it) {
            const Turn& one = **it;
            const auto helps = [&](const Turn* other) {
                const Sort& sort = sorts_[other->sort];
                for (const Tally* tally : sort.affinity) {
                    if (tally->selected[sorts_[one.sort].labels] &&
                        tally->domain_of[one.node] == tally->domain_of[other->node] &&
                        tally->at(other->node) == 0)
                        return true;
                }
                for (const CheckedSpread& spread : sort.spread) {
                    if (spread.tally->selected[sorts_[one.sort].labels] &&
                        spread.tally->domain_of[one.node] >= 0 &&
                        spread.tally->at(one.node) == spread.tally->lowest &&
                        spread.tally->domain_of[one.node] != spread.tally->domain_of[other->node])
                        return true;
                }
                return false;
            };
            if (std::none_of(stuck.begin(), last_helped, helps) || !may_come(one)) continue;
            bind(one);
            helpers.erase(it);
            ++helpers_;
            return true;
        }
        return false;
    }

    const model::Snapshot& snapshot_;
    const std::vector<CheckedNode>& nodes_;
    const Order order_;
    std::vector<model::StandingPods> standing_;
    std::unordered_map<const rules::PodLabels*, LabelsIndex> labels_ids_;
    std::vector<const rules::PodLabels*> labels_;
    std::map<std::string, std::unique_ptr<rules::PodLabels>> bare_;  // Pods without labels, by namespace.
    std::unordered_map<std::string, std::vector<LabelsIndex>> with_label_;
    std::vector<LabelsIndex> standing_labels_;
    std::vector<Sort> sorts_;
    std::vector<Turn> turns_;
    std::map<std::string, std::pair<std::vector<int>, std::size_t>> domains_;
    std::map<std::string, std::unique_ptr<Tally>> tallies_;
    int helpers_ = 0;
    std::vector<std::pair<PodIndex, std::string>> found_;
};

}  // namespace

std::vector<std::pair<PodIndex, std::string>> check_binding_order(const model::Snapshot& snapshot,
                                                                  const std::vector<CheckedNode>& nodes,
                                                                  Order order) {
    return BindingOrder(snapshot, nodes, order).run();
}

}  // namespace joiner::plan
