#include "plan/provision/trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/check.h"
#include "plan/provision/node_filter.h"
#include "plan/provision/node_of_machine.h"
#include "plan/provision/rooms.h"
#include "rules/new_node.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using model::PoolIndex;
using rules::Requirements;

constexpr std::size_t kMaxCombinations = 2'048;

const std::string& single_value(const Requirements& labels, const std::string& key) {
    static const std::string none;
    const rules::Requirement* r = labels.find(key);
    return r != nullptr && r->is_single() ? r->values().front() : none;
}

}  // namespace

Trial::Trial(Problem& problem, const ProvisionOptions& options)
    : problem_(problem),
      options_(options),
      n_(problem.dimensions()),
      rooms_(problem.snapshot().rooms.size()),
      closed_end_(rooms_ + problem.snapshot().closed_nodes.size()),
      limits_(problem) {
    const Topology& topology = problem.topology();
    domain_ids_.resize(topology.keys().size());
    domain_names_.resize(topology.keys().size());
    counts_.resize(topology.counters().size());
    totals_.resize(topology.counters().size(), 0);
    eligible_.resize(topology.filters().size());
    lowest_.resize(topology.counters().size());
    read_places();
    read_standing();
}

void Trial::read_places() {
    const model::Snapshot& snapshot = problem_.snapshot();
    const std::vector<std::string>& keys = problem_.topology().keys();
    free_.reserve(rooms_ * n_);
    for (const model::RoomView& room : snapshot.rooms) {
        const std::vector<double> free = problem_.free_of(room);
        free_.insert(free_.end(), free.begin(), free.end());
        attached_.push_back(room.shared_volumes);
    }
    domains_.resize(closed_end_);
    ports_.resize(closed_end_);
    for (Place place = 0; place < closed_end_; ++place) {
        const Requirements& labels =
            place < rooms_ ? snapshot.rooms[place].labels : snapshot.closed_nodes[place - rooms_].labels;
        domains_[place] = nowhere();
        domains_[place][kHostnameKey] = static_cast<std::int32_t>(place);
        for (KeyId key = 1; key < keys.size(); ++key) {
            if (const std::string& value = single_value(labels, keys[key]); !value.empty())
                domains_[place][key] = domain(key, value);
        }
    }
    for (KeyId key = 1; key < keys.size(); ++key) {
        for (PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
            for (const std::string& value : problem_.values_of(pool, key)) domain(key, value);
        }
    }
    for (CounterId c = 0; c < counts_.size(); ++c) {
        const KeyId key = problem_.topology().counters()[c].key;
        counts_[c].assign(key == kHostnameKey ? closed_end_ : domain_names_[key].size(), 0);
    }
    for (auto& known : eligible_) known.assign(closed_end_, -1);
}

void Trial::read_standing() {
    const Topology& topology = problem_.topology();
    for (const model::StandingPods& standing : problem_.snapshot().standing) {
        const auto counters =
            topology.counts_of(standing.shape.get(), topology.profile_of(standing.labels.get()));
        for (const auto& [place, times] : standing.places) {
            count(counters, place, static_cast<int>(times), standing.is_going);
            if (standing.shape == nullptr) continue;
            for (const rules::HostPort& port : standing.shape->constraints.ports)
                ports_[place].push_back(topology.port_id(port));
        }
    }
}

std::int32_t Trial::domain(KeyId key, const std::string& value) {
    const auto [it, is_new] =
        domain_ids_[key].try_emplace(value, static_cast<std::int32_t>(domain_names_[key].size()));
    if (is_new) domain_names_[key].push_back(value);
    return it->second;
}

std::size_t Trial::preferences(std::uint32_t kind) const {
    const PodRules& rules = problem_.kinds()[kind].rules;
    return rules.rather_with.size() + rules.rather_without.size() + rules.rather_spread.size();
}

bool Trial::admits_group(std::uint32_t group, Place room) {
    const rules::PodShape& shape = *problem_.groups()[group].shape;
    if (admitted_.size() <= group) admitted_.resize(group + 1);
    std::vector<signed char>& known = admitted_[group];
    if (known.empty()) known.assign(rooms_, -1);
    if (known[room] < 0) {
        known[room] = plan::admits(problem_.snapshot().rooms[room], shape) ? 1 : 0;
    }
    return known[room] == 1;
}

std::uint32_t Trial::how_many_fit(std::uint32_t k, Place room) const {
    const PodKind& kind = problem_.kinds()[k];
    double count = std::numeric_limits<std::uint32_t>::max();
    // The first of them brings what they share.
    std::vector<double> more;
    if (!kind.shape->shared_volumes.empty()) {
        more.assign(n_, 0);
        for (const std::size_t d : not_attached(kind, attached_[room])) ++more[d];
    }
    for (std::size_t d = 0; d < n_; ++d) {
        const double extra = more.empty() ? 0 : more[d];
        const double free = free_[room * n_ + d] - extra;
        if (extra > 0 && free < 0) return 0;
        if (kind.request[d] > 0) count = std::min(count, std::floor(free / kind.request[d]));
    }
    return count <= 0 ? 0 : static_cast<std::uint32_t>(count);
}

// By dimension: of the volumes that pods of the kind share with others, those that are not there yet.
std::vector<std::size_t> Trial::not_attached(const PodKind& kind,
                                             const std::vector<std::string>& there) const {
    std::vector<std::size_t> out;
    for (const auto& [driver, id] : kind.shape->shared_volumes) {
        const std::size_t d = problem_.dimension_of_volumes(driver);
        if (d < n_ && std::find(there.begin(), there.end(), id) == there.end()) out.push_back(d);
    }
    return out;
}

// Returns how many were not there yet.
std::size_t Trial::attach(const PodKind& kind, std::vector<std::string>& there) {
    const std::size_t before = there.size();
    for (const auto& [driver, id] : kind.shape->shared_volumes) {
        if (std::find(there.begin(), there.end(), id) == there.end()) there.push_back(id);
    }
    return there.size() - before;
}

bool Trial::is_eligible(FilterId id, Place place) {
    if (id == 0) return true;
    signed char& known = eligible_[id][place];
    if (known >= 0) return known == 1;
    const NodeFilter& filter = problem_.topology().filters()[id];
    const std::vector<std::string>& keys = problem_.topology().keys();
    const model::Snapshot& snapshot = problem_.snapshot();
    bool ok = false;
    if (place < rooms_) {
        const model::RoomView& room = snapshot.rooms[place];
        ok = passes(filter, keys, room.labels, room.node_name(), room.taints);
    } else if (place < closed_end_) {
        const model::ClosedNode& closed = snapshot.closed_nodes[place - rooms_];
        ok = passes(filter, keys, closed.labels, closed.name, closed.taints);
    } else {
        const Machine& machine = opened_[place - closed_end_].machine;
        std::optional<Requirements>& labels = labels_[place - closed_end_];
        if (!labels) labels = labels_of_node(problem_, machine);
        ok = passes(filter, keys, *labels, {}, snapshot.pools[machine.pool].taints);
    }
    known = ok ? 1 : 0;
    return ok;
}

// The machine at the place would become this one, and pods are counted there: those who count them must not
// see another node.
bool Trial::stays_as_eligible(const Machine& machine, Place place) const {
    std::optional<Requirements> labels;
    const std::vector<api::Taint>& taints = problem_.snapshot().pools[machine.pool].taints;
    const Topology& topology = problem_.topology();
    for (FilterId id = 1; id < eligible_.size(); ++id) {
        const signed char known = eligible_[id][place];
        if (known < 0) continue;
        if (!labels) labels = labels_of_node(problem_, machine);
        if (passes(topology.filters()[id], topology.keys(), *labels, {}, taints) != (known == 1))
            return false;
    }
    return true;
}

// While it is open which machine it will be: pods of the class may stand on one that passes.
bool Trial::is_eligible_there(FilterId id, std::uint32_t pod_class) {
    const auto [it, is_new] = eligible_there_.try_emplace({id, pod_class}, true);
    const NodeFilter& filter = problem_.topology().filters()[id];
    if (!is_new || filter.affinity == nullptr) return it->second;
    const Group& group = problem_.groups()[problem_.classes()[pod_class].group];
    const auto may_pass_by = [&](const Requirements* own) {
        return own != nullptr &&
               std::any_of(filter.affinity->begin(), filter.affinity->end(),
                           [&](const Requirements& wanted) { return rules::intersects(*own, wanted); });
    };
    it->second = std::any_of(group.alternatives.begin(), group.alternatives.end(), may_pass_by);
    return it->second;
}

void Trial::count(const std::vector<CounterId>& counters, Place place, int by, bool is_going) {
    ++version_;
    for (const CounterId c : counters) {
        const Counter& counter = problem_.topology().counters()[c];
        if (is_going && counter.is_spread) continue;
        const std::int32_t at = domains_[place][counter.key];
        if (at < 0 || !is_eligible(counter.filter, place)) continue;
        counts_[c][static_cast<std::size_t>(at)] += by;
        totals_[c] += by;
    }
}

void Trial::count_at(std::uint32_t k, const Domains& at, int by) {
    ++version_;
    std::optional<std::uint32_t> pod_class;
    for (const CounterId c : problem_.kinds()[k].rules.counts) {
        const Counter& counter = problem_.topology().counters()[c];
        if (counter.key == kHostnameKey || at[counter.key] < 0) continue;
        if (counter.filter != 0) {
            if (!pod_class) pod_class = problem_.class_of(k, pins(k, at));
            if (!is_eligible_there(counter.filter, *pod_class)) continue;
        }
        counts_[c][static_cast<std::size_t>(at[counter.key])] += by;
        totals_[c] += by;
    }
}

int Trial::count_of(CounterId c, const Domains& at, Place place) const {
    const KeyId key = problem_.topology().counters()[c].key;
    if (key == kHostnameKey) return place == kNewPlace ? 0 : counts_[c][place];
    return at[key] < 0 ? 0 : counts_[c][static_cast<std::size_t>(at[key])];
}

// All domains where a node may come to be that the spread looks at, whoever it is bought for.
const std::vector<std::int32_t>& Trial::universe(const SpreadRule& rule) {
    const auto [it, is_new] = universes_.try_emplace(rule.counter);
    if (!is_new) return it->second;
    std::set<std::int32_t> found;
    const FilterId id = problem_.topology().counters()[rule.counter].filter;
    for (Place place = 0; place < closed_end_; ++place) {
        if (const std::int32_t d = domains_[place][rule.key]; d >= 0 && is_eligible(id, place))
            found.insert(d);
    }
    const NodeFilter& filter = problem_.topology().filters()[id];
    for (PoolIndex pool = 0; pool < problem_.pools().size(); ++pool) {
        if (filter.tolerations != nullptr &&
            rules::untolerated_taint(*filter.tolerations, problem_.snapshot().pools[pool].taints) != nullptr)
            continue;
        const Requirements of_pool = rules::labels_of_new_node(problem_.snapshot().pools[pool].requirements);
        for (const std::string& value : problem_.values_of(pool, rule.key)) {
            const std::int32_t d = domain(rule.key, value);
            if (found.contains(d)) continue;
            const auto suits = [&](const TypeOption& option) {
                return std::any_of(option.order.begin(), option.order.end(), [&](std::uint8_t bit) {
                    return (option.offerings >> bit & 1) != 0 &&
                           may_pass(filter, problem_.topology().keys(),
                                    {&problem_.offering(pool, option, bit).requirements,
                                     &problem_.type(pool, option).requirements, &of_pool},
                                    rule.key, value);
                });
            };
            const std::vector<TypeOption>& options = problem_.pools()[pool].types;
            if (std::any_of(options.begin(), options.end(), suits)) found.insert(d);
        }
    }
    it->second.assign(found.begin(), found.end());
    return it->second;
}

int Trial::least(const SpreadRule& rule, const Mode& mode) {
    const FilterId filter = problem_.topology().counters()[rule.counter].filter;
    const std::vector<int>& counts = counts_[rule.counter];
    int least = std::numeric_limits<int>::max();
    std::size_t domains = 0;
    if (mode.is_lenient) {
        Lowest& known = lowest_[rule.counter];
        if (known.version != version_) {
            known = {version_, std::numeric_limits<int>::max(), 0, false};
            std::vector<bool> seen(counts.size(), false);
            for (Place place = 0; place < domains_.size(); ++place) {
                const std::int32_t d = domains_[place][rule.key];
                known.some_open = known.some_open || is_open(place, rule.key);
                if (d < 0 || seen[static_cast<std::size_t>(d)] || !is_eligible(filter, place)) continue;
                seen[static_cast<std::size_t>(d)] = true;
                known.count = std::min(known.count, counts[static_cast<std::size_t>(d)]);
                ++known.domains;
            }
        }
        least = known.count;
        domains = known.domains;
    }
    if (!mode.is_lenient || lowest_[rule.counter].some_open) {
        if (rule.key == kHostnameKey) return 0;
        for (const std::int32_t d : universe(rule))
            least = std::min(least, counts[static_cast<std::size_t>(d)]);
        domains = universe(rule).size();
    }
    return domains == 0 || domains < static_cast<std::size_t>(rule.min_domains) ? 0 : least;
}

// A machine that may still become one of several domains, and be the emptiest.
bool Trial::is_open(Place place, KeyId key) {
    return place >= closed_end_ && key != kHostnameKey && domains_[place][key] < 0 &&
           !problem_.values_of(opened_[place - closed_end_].machine.pool, key).empty();
}

bool Trial::keeps_spread(const SpreadRule& rule, const Domains& at, Place place, const Mode& mode) {
    if (rule.key != kHostnameKey && at[rule.key] < 0) return false;
    int lowest = least(rule, mode);
    // A domain opened only now has no node to be counted yet, and will be the emptiest.
    if (mode.is_lenient && place == kNewPlace) lowest = std::min(lowest, count_of(rule.counter, at, place));
    return count_of(rule.counter, at, place) + rule.self - lowest <= rule.max_skew;
}

bool Trial::keeps_preferences(std::uint32_t k, const Domains& at, Place place, const Mode& mode) {
    const PodRules& rules = problem_.kinds()[k].rules;
    // The heaviest of each sort is let go last; spreads after the others.
    std::size_t to_drop = mode.dropped;
    const auto keeps = [&](const auto& terms, const auto& holds) {
        const std::size_t dropped = std::min(to_drop, terms.size());
        to_drop -= dropped;
        for (std::size_t i = 0; i + dropped < terms.size(); ++i) {
            if (!holds(terms[i])) return false;
        }
        return true;
    };
    return keeps(rules.rather_with,
                 [&](const auto& term) {
                     return count_of(term.first, at, place) > 0 ||
                            (totals_[term.first] == 0 &&
                             std::binary_search(rules.counts.begin(), rules.counts.end(), term.first));
                 }) &&
           keeps(rules.rather_without,
                 [&](const auto& term) { return count_of(term.first, at, place) == 0; }) &&
           keeps(rules.rather_spread,
                 [&](const SpreadRule& rule) { return keeps_spread(rule, at, place, mode); });
}

bool Trial::allows_at(std::uint32_t k, const Domains& at, Place place, const Mode& mode, std::string* why) {
    const PodRules& rules = problem_.kinds()[k].rules;
    const auto& counters = problem_.topology().counters();
    const auto& keys = problem_.topology().keys();
    const auto no = [&](auto text) {
        if (why != nullptr && why->empty()) *why = text();
        return false;
    };
    for (const CounterId c : rules.none_of) {
        if (count_of(c, at, place) == 0) continue;
        return no([&] {
            return fmt::format(
                "{} over {} forbids every place it could go to",
                counters[c].of_holders ? "the anti-affinity of other pods" : "its pod anti-affinity",
                keys[counters[c].key]);
        });
    }
    for (const CounterId c : rules.together) {
        const KeyId key = counters[c].key;
        if (key != kHostnameKey && at[key] < 0)
            return no(
                [&] { return fmt::format("a volume that it shares asks for the label {}", keys[key]); });
        if (totals_[c] == count_of(c, at, place)) continue;
        return no([&] {
            return fmt::format(
                "a volume that it shares with other pods will be in one place over {}, and there "
                "is none for it there",
                keys[key]);
        });
    }
    bool meets_all = true;
    bool meets_none = true;
    const bool is_to_buy = place >= closed_end_;
    for (const CounterId c : rules.affinity) {
        const KeyId key = counters[c].key;
        if (key != kHostnameKey && at[key] < 0)
            return no([&] { return fmt::format("its pod affinity asks for the label {}", keys[key]); });
        if (is_to_buy && problem_.is_met_by_daemons(c)) continue;
        meets_all &= count_of(c, at, place) > 0;
        meets_none &= totals_[c] == 0;
    }
    if (!meets_all && !(meets_none && rules.starts_affinity)) {
        return no([&] {
            return fmt::format("its pod affinity over {} finds no pod it selects where it could go",
                               keys[counters[rules.affinity.front()].key]);
        });
    }
    for (const SpreadRule& rule : rules.spread) {
        if (keeps_spread(rule, at, place, mode)) continue;
        if (rule.key != kHostnameKey && at[rule.key] < 0) {
            return no([&] {
                return fmt::format("its topology spread asks for the label {}, which no place for it has",
                                   keys[rule.key]);
            });
        }
        return no([&] {
            return fmt::format("its topology spread over {} allows a skew of {} only", keys[rule.key],
                               rule.max_skew);
        });
    }
    if (place != kNewPlace) {
        for (const std::uint32_t mine : rules.ports) {
            for (const std::uint32_t theirs : ports_[place]) {
                if (!problem_.topology().ports_clash(mine, theirs)) continue;
                return no([&] {
                    return fmt::format("host port {} is taken", problem_.topology().port(mine).port);
                });
            }
        }
    }
    if (!keeps_preferences(k, at, place, mode)) return no([] { return std::string("its preferences"); });
    return true;
}

bool Trial::allows(std::uint32_t k, Place place, const Mode& mode) {
    return problem_.kinds()[k].rules.empty() || allows_at(k, domains_[place], place, mode);
}

int Trial::regrets(std::uint32_t k, const Domains& at) {
    const PodRules& rules = problem_.kinds()[k].rules;
    const auto& counters = problem_.topology().counters();
    int sum = 0;
    for (const auto& [c, weight] : rules.rather_with) {
        const bool starts =
            totals_[c] == 0 && std::binary_search(rules.counts.begin(), rules.counts.end(), c);
        if (counters[c].key != kHostnameKey && count_of(c, at, kNewPlace) == 0 && !starts) sum += weight;
    }
    for (const auto& [c, weight] : rules.rather_without) {
        if (count_of(c, at, kNewPlace) > 0) sum += weight;
    }
    for (const SpreadRule& rule : rules.rather_spread) {
        if (!keeps_spread(rule, at, kNewPlace, {})) sum += 100;
    }
    return sum;
}

bool Trial::regrets_node(std::uint32_t k, Place place) {
    const PodRules& rules = problem_.kinds()[k].rules;
    const auto& counters = problem_.topology().counters();
    return std::any_of(rules.rather_without.begin(), rules.rather_without.end(),
                       [&](const auto& term) {
                           return counters[term.first].key == kHostnameKey &&
                                  count_of(term.first, domains_[place], place) > 0;
                       }) ||
           std::any_of(rules.rather_spread.begin(), rules.rather_spread.end(), [&](const SpreadRule& rule) {
               return rule.key == kHostnameKey && !keeps_spread(rule, domains_[place], place, {});
           });
}

std::pair<std::int64_t, std::int64_t> Trial::load(std::uint32_t k, const Domains& at) const {
    const PodRules& rules = problem_.kinds()[k].rules;
    std::pair<std::int64_t, std::int64_t> out{0, 0};
    for (const CounterId c : rules.counts) {
        const Counter& counter = problem_.topology().counters()[c];
        if (counter.is_spread && counter.key != kHostnameKey) out.first += count_of(c, at, kNewPlace);
    }
    for (const auto* spreads : {&rules.spread, &rules.rather_spread}) {
        for (const SpreadRule& rule : *spreads) out.second += count_of(rule.counter, at, kNewPlace);
    }
    return out;
}

Pins Trial::pins(std::uint32_t k, const Domains& at) const {
    Pins out;
    for (const KeyId key : problem_.kinds()[k].rules.counted_keys) {
        if (at[key] >= 0) out.emplace_back(key, domain_names_[key][static_cast<std::size_t>(at[key])]);
    }
    return out;
}

std::vector<Domains> Trial::combinations(const std::vector<KeyId>& keys, PoolIndex pool,
                                         const Domains& from) {
    std::vector<Domains> out{from};
    for (const KeyId key : keys) {
        if (from[key] >= 0) continue;
        const std::vector<std::string>& values = problem_.values_of(pool, key);
        if (values.empty()) continue;
        // Where they are too many, each of those so far goes on with as many of the likeliest values.
        const std::size_t share = std::max<std::size_t>(1, kMaxCombinations / out.size());
        const std::size_t count = std::min(values.size(), share);
        is_cut_ = is_cut_ || count < values.size();
        std::vector<Domains> wider;
        for (const Domains& one : out) {
            for (std::size_t i = 0; i < count; ++i) {
                wider.push_back(one);
                wider.back()[key] = domain(key, values[i]);
            }
        }
        out = std::move(wider);
    }
    return out;
}

void Trial::put(std::uint32_t k, Place room, model::PodIndex pod) {
    const PodKind& kind = problem_.kinds()[k];
    for (std::size_t d = 0; d < n_; ++d) free_[room * n_ + d] -= kind.request[d];
    const std::vector<std::size_t> brought = not_attached(kind, attached_[room]);
    for (const std::size_t d : brought) --free_[room * n_ + d];
    const std::size_t attached = attach(kind, attached_[room]);
    if (!kind.rules.empty()) {
        ports_[room].insert(ports_[room].end(), kind.rules.ports.begin(), kind.rules.ports.end());
        count(kind.rules.counts, room, 1, false);
    }
    placements_.push_back({pod, room});
    if (is_recording_) log_.push_back({k, room, std::nullopt, {}, attached, brought});
}

// Chooses the cheapest type that is left; false when none is, or too few for the pool's minValues.
bool Trial::settle(Opened& opened) {
    const PoolIndex pool = opened.machine.pool;
    const PoolOptions& options = problem_.pools()[pool];
    const rules::InstanceType* best = nullptr;
    rules::Money least;
    std::vector<std::pair<std::uint32_t, OfferingMask>> others;
    for (std::uint32_t t = 0; t < options.types.size(); ++t) {
        if (opened.masks[t] == 0 || !limits_.allow(pool, t)) continue;
        const rules::InstanceType& type = problem_.type(pool, options.types[t]);
        const rules::Money price =
            problem_.offering(pool, options.types[t], Problem::cheapest(options.types[t], opened.masks[t]))
                .cost();
        others.emplace_back(t, opened.masks[t]);
        if (best != nullptr && std::tie(least, best->name) <= std::tie(price, type.name)) continue;
        best = &type;
        least = price;
        opened.machine.option = t;
        opened.machine.offerings = opened.masks[t];
    }
    if (best == nullptr) return false;
    if (!has_min_values(problem_, pool)) return true;
    const ValueCounts asked = asked_values(problem_, pool);
    const ValueCounts counts = count_values(problem_, pool, others);
    // The first pod alone may lower what is asked.
    if (opened.pods.size() <= 1) {
        const bool may_lower = options_.min_values_policy == MinValuesPolicy::kBestEffort;
        opened.least_values = may_lower ? lowered(asked, counts) : asked;
    }
    opened.machine.min_values_relaxed = !has_enough(counts, asked);
    return has_enough(counts, opened.least_values);
}

// The class by one alternative; false leaves `opened` in between, for the caller to throw away.
bool Trial::add_to(Opened& opened, std::uint32_t k, std::uint32_t c, std::uint32_t alternative,
                   model::PodIndex pod) {
    const PodClass& pod_class = problem_.classes()[c];
    const PoolIndex pool = opened.machine.pool;
    const Match& match = problem_.groups()[pod_class.group].matches[alternative][pool];
    if (!match.possible) return false;
    opened.machine.open = problem_.merge(opened.machine.open, match.open);
    if (opened.machine.open == kOpenConflict) return false;
    for (std::size_t d = 0; d < n_; ++d) opened.sum[d] += pod_class.request[d];
    if (const PodKind& kind = problem_.kinds()[k]; !kind.shape->shared_volumes.empty()) {
        for (const std::size_t d : not_attached(kind, opened.attached)) {
            ++opened.sum[d];
            opened.machine.shared_volumes.push_back(d);
        }
        attach(kind, opened.attached);
    }
    const PoolOptions& options = problem_.pools()[pool];
    bool any = false;
    for (std::size_t t = 0; t < options.types.size(); ++t) {
        OfferingMask& mask = opened.masks[t];
        mask &= match.masks[t];
        for (std::size_t d = 0; d < n_ && mask != 0; ++d) {
            if (opened.sum[d] > 0 && opened.sum[d] > options.room[t * n_ + d]) mask = 0;
        }
        if (mask != 0 && opened.machine.open != 0 &&
            !rules::intersects(problem_.type(pool, options.types[t]).requirements,
                               problem_.open_requirements(opened.machine.open)))
            mask = 0;
        if (mask == 0) continue;
        if (!any) opened.most.assign(n_, 0);
        any = true;
        for (std::size_t d = 0; d < n_; ++d)
            opened.most[d] = std::max(opened.most[d], options.room[t * n_ + d]);
    }
    if (!any) return false;
    const auto same = [&](const auto& item) { return item.first == c; };
    auto& take = opened.machine.take;
    if (const auto it = std::find_if(take.begin(), take.end(), same); it != take.end()) {
        ++it->second;
    } else {
        take.emplace_back(c, 1);
    }
    auto& by = opened.machine.alternative;
    if (std::none_of(by.begin(), by.end(),
                     [&](const auto& item) { return item.first == c && item.second == alternative; }))
        by.emplace_back(c, alternative);
    opened.pods.push_back(pod);
    return settle(opened);
}

void Trial::grow(Place place) {
    ++version_;
    domains_.push_back(nowhere());
    domains_.back()[kHostnameKey] = static_cast<std::int32_t>(place);
    ports_.emplace_back();
    for (CounterId c = 0; c < counts_.size(); ++c) {
        if (problem_.topology().counters()[c].key == kHostnameKey) counts_[c].push_back(0);
    }
    for (auto& known : eligible_) known.push_back(-1);
    labels_.emplace_back();
}

bool Trial::may_hold(std::uint32_t k, std::size_t index) const {
    const Opened& opened = opened_[index];
    const std::vector<double>& request = problem_.kinds()[k].request;
    for (std::size_t d = 0; d < n_; ++d) {
        if (request[d] > 0 && opened.sum[d] + request[d] > opened.most[d]) return false;
    }
    return true;
}

bool Trial::join(std::uint32_t k, std::size_t index, const Domains& at, model::PodIndex pod) {
    Opened& opened = opened_[index];
    const Place place = place_of(index);
    const std::uint32_t c = problem_.class_of(k, pins(k, at));
    const PodClass& pod_class = problem_.classes()[c];
    // No type holds it: the common case, and quick to see.
    const PoolOptions& options = problem_.pools()[opened.machine.pool];
    bool some_type = false;
    for (std::size_t t = 0; t < options.types.size() && !some_type; ++t) {
        bool holds = opened.masks[t] != 0;
        for (std::size_t d = 0; d < n_ && holds; ++d)
            holds =
                pod_class.request[d] <= 0 || opened.sum[d] + pod_class.request[d] <= options.room[t * n_ + d];
        some_type = holds;
    }
    if (!some_type) return false;
    const PodRules& rules = problem_.kinds()[k].rules;
    const std::size_t alternatives = problem_.groups()[pod_class.group].alternatives.size();
    for (std::uint32_t a = 0; a < alternatives; ++a) {
        Opened tried = opened;
        limits_.take(opened.machine.pool, opened.machine.option, -1);
        const bool ok = add_to(tried, k, c, a, pod) && stays_as_eligible(tried.machine, place);
        const Machine& kept = (ok ? tried : opened).machine;
        limits_.take(kept.pool, kept.option);
        if (!ok) continue;
        Step step{k, place, std::nullopt, {}, 0, {}};
        if (is_recording_) {
            step.before = std::move(opened);
            step.domains_before = domains_[place];
        }
        opened = std::move(tried);
        labels_[index].reset();
        for (KeyId key = 1; key < at.size(); ++key) {
            if (at[key] >= 0) domains_[place][key] = at[key];
        }
        ports_[place].insert(ports_[place].end(), rules.ports.begin(), rules.ports.end());
        count(rules.counts, place, 1, false);
        if (is_recording_) log_.push_back(std::move(step));
        return true;
    }
    return false;
}

bool Trial::open(std::uint32_t k, PoolIndex pool, std::uint32_t alternative, const Domains& at,
                 model::PodIndex pod) {
    Opened opened;
    opened.machine.pool = pool;
    for (const TypeOption& option : problem_.pools()[pool].types) opened.masks.push_back(option.offerings);
    opened.sum.assign(n_, 0);
    const std::uint32_t c = problem_.class_of(k, pins(k, at));
    if (problem_.groups()[problem_.classes()[c].group].alternatives.size() <= alternative) return false;
    if (!add_to(opened, k, c, alternative, pod)) return false;
    const PodRules& rules = problem_.kinds()[k].rules;
    const auto place = static_cast<Place>(domains_.size());
    limits_.take(opened.machine.pool, opened.machine.option, 1);
    opened_.push_back(std::move(opened));
    grow(place);
    for (KeyId key = 1; key < at.size(); ++key) domains_[place][key] = at[key];
    ports_[place] = rules.ports;
    count(rules.counts, place, 1, false);
    if (is_recording_) log_.push_back({k, place, std::nullopt, {}, 0, {}});
    return true;
}

void Trial::adopt(const Machine& machine, std::vector<model::PodIndex> pods,
                  const std::vector<std::uint32_t>& kind_of, const Domains& at) {
    Opened opened;
    opened.machine = machine;
    opened.machine.times = 1;
    opened.pods = std::move(pods);
    opened.sum.assign(n_, 0);
    for (const auto& [c, count] : machine.take) {
        for (std::size_t d = 0; d < n_; ++d) opened.sum[d] += count * problem_.classes()[c].request[d];
    }
    opened.masks.assign(problem_.pools()[machine.pool].types.size(), 0);
    opened.most.assign(n_, 0);
    const StandIns others = stand_ins(problem_, machine);
    opened.least_values =
        lowered(asked_values(problem_, machine.pool), count_values(problem_, machine.pool, others));
    for (const auto& [option, mask] : others) {
        opened.masks[option] = mask;
        for (std::size_t d = 0; d < n_; ++d)
            opened.most[d] = std::max(opened.most[d], problem_.pools()[machine.pool].room[option * n_ + d]);
    }
    const auto place = static_cast<Place>(domains_.size());
    limits_.take(opened.machine.pool, opened.machine.option, 1);
    opened_.push_back(std::move(opened));
    grow(place);
    for (KeyId key = 1; key < at.size(); ++key) domains_[place][key] = at[key];
    for (const model::PodIndex pod : opened_.back().pods) {
        const PodRules& rules = problem_.kinds()[kind_of[pod]].rules;
        ports_[place].insert(ports_[place].end(), rules.ports.begin(), rules.ports.end());
        // By other keys others count it, and it comes after them.
        std::vector<CounterId> counters;
        for (const CounterId c : rules.counts) {
            const KeyId key = problem_.topology().counters()[c].key;
            if (key == kHostnameKey || std::binary_search(rules.keys.begin(), rules.keys.end(), key))
                counters.push_back(c);
        }
        count(counters, place, 1, false);
    }
}

rules::Money Trial::price() const {
    rules::Money sum;
    for (const Opened& opened : opened_) sum += price_of(problem_, opened.machine);
    return sum;
}

void Trial::undo_to(std::size_t mark) {
    while (log_.size() > mark) {
        Step step = std::move(log_.back());
        log_.pop_back();
        const PodKind& kind = problem_.kinds()[step.kind];
        count(kind.rules.counts, step.place, -1, false);
        ports_[step.place].resize(ports_[step.place].size() - kind.rules.ports.size());
        if (step.place < rooms_) {
            for (std::size_t d = 0; d < n_; ++d) free_[step.place * n_ + d] += kind.request[d];
            for (const std::size_t d : step.brought) ++free_[step.place * n_ + d];
            attached_[step.place].resize(attached_[step.place].size() - step.attached);
            placements_.pop_back();
            continue;
        }
        const Machine& machine = opened_[step.place - closed_end_].machine;
        limits_.take(machine.pool, machine.option, -1);
        if (step.before) {
            opened_[step.place - closed_end_] = std::move(*step.before);
            const Machine& before = opened_[step.place - closed_end_].machine;
            limits_.take(before.pool, before.option);
            domains_[step.place] = step.domains_before;
            for (auto& known : eligible_) known[step.place] = -1;
            labels_[step.place - closed_end_].reset();
            continue;
        }
        CHECK(step.place + 1 == domains_.size());
        ++version_;
        opened_.pop_back();
        domains_.pop_back();
        ports_.pop_back();
        for (CounterId c = 0; c < counts_.size(); ++c) {
            if (problem_.topology().counters()[c].key == kHostnameKey) counts_[c].pop_back();
        }
        for (auto& known : eligible_) known.pop_back();
        labels_.pop_back();
    }
}

}  // namespace joiner::plan
