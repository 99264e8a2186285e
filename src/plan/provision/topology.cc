#include "plan/provision/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/names.h"
#include "base/check.h"

namespace joiner::plan {
namespace {

using rules::PodSelector;
using rules::PodShape;
using rules::PodTerm;
using rules::SpreadTerm;

std::vector<const PodSelector*> all_of(const std::vector<PodTerm>& terms) {
    std::vector<const PodSelector*> out;
    for (const PodTerm& term : terms) out.push_back(&term.pods);
    return out;
}

std::string to_key(const std::vector<const PodSelector*>& all) {
    std::set<std::string_view> keys;
    for (const PodSelector* one : all) keys.insert(one->key);
    std::string out;
    for (const std::string_view key : keys) out.append(key).append(1, '\n');
    return out;
}

// What nodes must meet for the spread to look at them; nullptr where any node does.
const std::vector<rules::Requirements>* honored_affinity(const PodShape& shape, const SpreadTerm& term) {
    const auto& required = shape.before_volumes.empty() ? shape.required : shape.before_volumes;
    const bool asks_nothing = std::any_of(required.begin(), required.end(),
                                          [](const rules::Requirements& one) { return one.empty(); });
    return term.honors_affinity && !asks_nothing ? &required : nullptr;
}

// A spread that must hold looks at nodes that have the keys of all such spreads of the pod. Those beside its
// own; every node has a hostname.
std::set<std::string_view> other_keys(const PodShape& shape, const SpreadTerm& term) {
    std::set<std::string_view> out;
    for (const SpreadTerm& other : shape.constraints.spread) {
        if (term.is_hard && other.is_hard && other.topology_key != api::kHostnameLabel &&
            other.topology_key != term.topology_key)
            out.insert(other.topology_key);
    }
    return out;
}

std::string filter_key(const PodShape& shape, const SpreadTerm& term) {
    std::string key;
    for (const std::string_view other : other_keys(shape, term)) key.append(1, '+').append(other);
    if (const auto* affinity = honored_affinity(shape, term)) {
        for (const rules::Requirements& one : *affinity) key += '{' + one.to_string() + '}';
    }
    if (term.honors_taints) {
        key += "|taints";
        for (const api::Toleration& t : shape.tolerations)
            key += fmt::format("|{} {} {} {}", t.key, t.op, t.value, t.effect);
    }
    return key;
}

// "key=value" that every pod selected has, or empty.
std::string sure_label(const PodSelector& selector) {
    if (!selector.labels) return {};
    if (!selector.labels->match_labels.empty()) {
        const auto& [key, value] = *selector.labels->match_labels.begin();
        return key + '=' + value;
    }
    for (const api::SelectorRequirement& r : selector.labels->match_expressions) {
        if (r.op == "In" && r.values.size() == 1) return r.key + '=' + r.values.front();
    }
    return {};
}

void sort_unique(std::vector<std::uint32_t>& ids) {
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
}

}  // namespace

Topology::Topology(const model::Snapshot& snapshot) : snapshot_(snapshot) {
    key_id(std::string(api::kHostnameLabel));
    filters_.emplace_back();
    filter_ids_.emplace("", 0);
    profiles_.emplace_back();
    profile_ids_.emplace(std::vector<SelectorId>{}, 0);
    std::set<const PodShape*> seen;
    std::set<rules::HostPort> ports;
    const auto read_ports = [&](const PodShape& shape) {
        ports.insert(shape.constraints.ports.begin(), shape.constraints.ports.end());
    };
    for (const model::PodView& pod : snapshot.pods) {
        if (pod.shape->constraints.key.empty() || !seen.insert(pod.shape.get()).second) continue;
        read_pending(*pod.shape);
        read_holders(*pod.shape);
        read_ports(*pod.shape);
    }
    for (const model::StandingPods& standing : snapshot.standing) {
        if (standing.shape == nullptr || !seen.insert(standing.shape.get()).second) continue;
        read_holders(*standing.shape);
        read_together(*standing.shape);
        read_ports(*standing.shape);
    }
    for (const model::DaemonView& daemon : snapshot.daemons) {
        read_holders(*daemon.shape);
        read_ports(*daemon.shape);
    }
    ports_.assign(ports.begin(), ports.end());
    index_selectors();
}

void Topology::read_pending(const PodShape& shape) {
    const rules::PodConstraints& c = shape.constraints;
    for (const PodTerm& term : c.affinity)
        add_counter({selector_id(all_of(c.affinity)), key_id(term.topology_key), false, false, 0});
    for (const auto* terms : {&c.anti_affinity, &c.preferred_affinity, &c.preferred_anti_affinity}) {
        for (const PodTerm& term : *terms)
            add_counter({selector_id({&term.pods}), key_id(term.topology_key), false, false, 0});
    }
    read_together(shape);
    for (const SpreadTerm& term : c.spread) {
        add_counter(
            {selector_id({&term.pods}), key_id(term.topology_key), false, true, filter_id(shape, term)});
    }
}

void Topology::read_together(const PodShape& shape) {
    for (const rules::TogetherTerm& term : shape.constraints.together)
        add_counter({together_id(term), key_id(term.topology_key), false, false, 0});
}

// A selector that selects by no label: who is counted by it says so itself.
SelectorId Topology::together_id(const rules::TogetherTerm& term) {
    const auto [it, is_new] =
        selector_ids_.try_emplace("volume " + term.id, static_cast<SelectorId>(selectors_.size()));
    if (is_new) selectors_.emplace_back();
    return it->second;
}

CounterId Topology::together_counter(const rules::TogetherTerm& term) const {
    return find_counter(
        {selector_ids_.at("volume " + term.id), find_key(term.topology_key), false, false, 0});
}

void Topology::read_holders(const PodShape& shape) {
    for (const PodTerm& term : shape.constraints.anti_affinity)
        add_counter({selector_id({&term.pods}), key_id(term.topology_key), true, false, 0});
}

KeyId Topology::key_id(const std::string& key) {
    const auto [it, is_new] = key_ids_.try_emplace(key, static_cast<KeyId>(keys_.size()));
    if (is_new) keys_.push_back(key);
    return it->second;
}

SelectorId Topology::selector_id(const std::vector<const PodSelector*>& all) {
    const auto [it, is_new] =
        selector_ids_.try_emplace(to_key(all), static_cast<SelectorId>(selectors_.size()));
    if (is_new) selectors_.push_back({all, {}, {}});
    return it->second;
}

SelectorId Topology::find_selector(const std::vector<const PodSelector*>& all) const {
    return selector_ids_.at(to_key(all));
}

CounterId Topology::add_counter(const Counter& counter) {
    const CounterKey key{counter.selector, counter.key, counter.of_holders, counter.is_spread,
                         counter.filter};
    const auto [it, is_new] = counter_ids_.try_emplace(key, static_cast<CounterId>(counters_.size()));
    if (is_new) {
        counters_.push_back(counter);
        Selector& selector = selectors_[counter.selector];
        (counter.of_holders ? selector.holders : selector.counters).push_back(it->second);
    }
    return it->second;
}

CounterId Topology::find_counter(const Counter& counter) const {
    return counter_ids_.at(
        {counter.selector, counter.key, counter.of_holders, counter.is_spread, counter.filter});
}

FilterId Topology::filter_id(const PodShape& shape, const SpreadTerm& term) {
    const auto [it, is_new] =
        filter_ids_.try_emplace(filter_key(shape, term), static_cast<FilterId>(filters_.size()));
    if (is_new) {
        NodeFilter& filter = filters_.emplace_back();
        filter.affinity = honored_affinity(shape, term);
        for (const std::string_view key : other_keys(shape, term))
            filter.keys.push_back(key_id(std::string(key)));
        if (term.honors_taints) filter.tolerations = &shape.tolerations;
    }
    return it->second;
}

FilterId Topology::find_filter(const PodShape& shape, const SpreadTerm& term) const {
    return filter_ids_.at(filter_key(shape, term));
}

void Topology::index_selectors() {
    for (SelectorId s = 0; s < selectors_.size(); ++s) {
        if (selectors_[s].all.empty()) continue;
        const std::string label = sure_label(*selectors_[s].all.front());
        if (label.empty()) {
            unindexed_.push_back(s);
        } else {
            by_label_[label].push_back(s);
        }
    }
}

bool Topology::selects(SelectorId selector, const rules::PodLabels& labels) const {
    const auto& all = selectors_[selector].all;
    return std::all_of(all.begin(), all.end(),
                       [&](const PodSelector* one) { return one->selects(labels, snapshot_.namespaces); });
}

Topology::ProfileId Topology::profile_of(const rules::PodLabels* labels) const {
    if (labels == nullptr || selectors_.empty()) return 0;
    const auto [known, is_new] = known_profiles_.try_emplace(labels, 0);
    if (!is_new) return known->second;
    std::vector<SelectorId> selected;
    const auto consider = [&](const std::vector<SelectorId>& candidates) {
        for (const SelectorId s : candidates) {
            if (selects(s, *labels)) selected.push_back(s);
        }
    };
    consider(unindexed_);
    std::string label;
    for (const auto& [key, value] : labels->labels) {
        label.assign(key).append(1, '=').append(value);
        if (const auto it = by_label_.find(label); it != by_label_.end()) consider(it->second);
    }
    sort_unique(selected);
    const auto [it, is_new_profile] =
        profile_ids_.try_emplace(selected, static_cast<ProfileId>(profiles_.size()));
    if (is_new_profile) profiles_.push_back(std::move(selected));
    return known->second = it->second;
}

std::vector<CounterId> Topology::counts_of(const PodShape* shape, ProfileId profile) const {
    std::vector<CounterId> out;
    for (const SelectorId s : profiles_[profile])
        out.insert(out.end(), selectors_[s].counters.begin(), selectors_[s].counters.end());
    if (shape != nullptr) {
        for (const PodTerm& term : shape->constraints.anti_affinity)
            out.push_back(
                find_counter({find_selector({&term.pods}), find_key(term.topology_key), true, false, 0}));
        for (const rules::TogetherTerm& term : shape->constraints.together)
            out.push_back(together_counter(term));
    }
    sort_unique(out);
    return out;
}

PodRules Topology::rules_of(const PodShape& shape, ProfileId profile) const {
    const rules::PodConstraints& c = shape.constraints;
    const std::vector<SelectorId>& selected = profiles_[profile];
    const auto is_selected = [&](SelectorId s) {
        return std::binary_search(selected.begin(), selected.end(), s);
    };
    const auto counter_of = [&](const PodTerm& term) {
        return find_counter({find_selector({&term.pods}), find_key(term.topology_key), false, false, 0});
    };
    PodRules out;
    out.counts = counts_of(&shape, profile);
    if (!c.affinity.empty()) {
        const SelectorId selector = find_selector(all_of(c.affinity));
        for (const PodTerm& term : c.affinity)
            out.affinity.push_back(find_counter({selector, find_key(term.topology_key), false, false, 0}));
        out.starts_affinity = is_selected(selector);
        sort_unique(out.affinity);
    }
    for (const rules::TogetherTerm& term : c.together) out.together.push_back(together_counter(term));
    for (const PodTerm& term : c.anti_affinity) out.none_of.push_back(counter_of(term));
    for (const SelectorId s : selected)
        out.none_of.insert(out.none_of.end(), selectors_[s].holders.begin(), selectors_[s].holders.end());
    sort_unique(out.none_of);
    for (const SpreadTerm& term : c.spread) {
        SpreadRule rule;
        const SelectorId selector = find_selector({&term.pods});
        rule.key = find_key(term.topology_key);
        rule.counter = find_counter({selector, rule.key, false, true, find_filter(shape, term)});
        rule.max_skew = term.max_skew;
        rule.min_domains = term.min_domains;
        rule.self = is_selected(selector) ? 1 : 0;
        (term.is_hard ? out.spread : out.rather_spread).push_back(rule);
    }
    for (const PodTerm& term : c.preferred_affinity)
        out.rather_with.emplace_back(counter_of(term), term.weight);
    for (const PodTerm& term : c.preferred_anti_affinity)
        out.rather_without.emplace_back(counter_of(term), term.weight);
    for (const rules::HostPort& port : c.ports) out.ports.push_back(port_id(port));

    const auto ask = [&](CounterId counter) {
        if (counters_[counter].key != kHostnameKey) out.keys.push_back(counters_[counter].key);
    };
    std::for_each(out.affinity.begin(), out.affinity.end(), ask);
    std::for_each(out.none_of.begin(), out.none_of.end(), ask);
    std::for_each(out.together.begin(), out.together.end(), ask);
    for (const SpreadRule& rule : out.spread) ask(rule.counter);
    for (const SpreadRule& rule : out.rather_spread) ask(rule.counter);
    for (const auto& [counter, weight] : out.rather_with) ask(counter);
    for (const auto& [counter, weight] : out.rather_without) ask(counter);
    for (const CounterId counter : out.counts) {
        if (!counters_[counter].is_spread) ask(counter);
    }
    // Pods that spread are bound before those that do not, and so must be level among themselves.
    if (!out.spread.empty()) std::for_each(out.counts.begin(), out.counts.end(), ask);
    sort_unique(out.keys);
    out.counted_keys = out.keys;
    for (const CounterId counter : out.counts) {
        if (counters_[counter].key != kHostnameKey) out.counted_keys.push_back(counters_[counter].key);
    }
    sort_unique(out.counted_keys);
    return out;
}

std::uint32_t Topology::port_id(const rules::HostPort& port) const {
    const auto it = std::lower_bound(ports_.begin(), ports_.end(), port);
    CHECK(it != ports_.end() && *it == port);
    return static_cast<std::uint32_t>(it - ports_.begin());
}

}  // namespace joiner::plan
