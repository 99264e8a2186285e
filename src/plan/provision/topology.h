// What pods ask of one another, in small integers. A counter counts the pods one selector selects, by the
// domains of one topology key; the rules of a pod say which counters it is counted by, and which must be
// zero, above zero or level before it may stand somewhere. Built from a Snapshot, immutable then; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/snapshot.h"

namespace joiner::plan {

using KeyId = std::uint32_t;
inline constexpr KeyId kHostnameKey = 0;  // Each node is a domain of its own.
using CounterId = std::uint32_t;
using SelectorId = std::uint32_t;

// Which nodes a spread looks at; 0 looks at all that have the key.
using FilterId = std::uint32_t;
struct NodeFilter {
    const std::vector<rules::Requirements>* affinity = nullptr;  // Any one of them; nullptr: not asked.
    std::vector<KeyId> keys;  // Nodes have them all, beside the one that is spread over.
    const std::vector<api::Toleration>* tolerations = nullptr;  // nullptr: taints don't matter.
};

struct Counter {
    SelectorId selector = 0;
    KeyId key = 0;
    // Counts those whose anti-affinity names the selector, in place of those it selects.
    bool of_holders = false;
    bool is_spread = false;  // Passes over pods that are being deleted.
    FilterId filter = 0;
};

struct SpreadRule {
    CounterId counter = 0;
    KeyId key = 0;
    int max_skew = 1;
    int self = 0;         // 1 where the pod is counted itself.
    int min_domains = 0;  // Fewer domains than these: the smallest count is taken as 0.
};

struct PodRules {
    std::vector<CounterId> counts;  // It is counted by; sorted.
    std::vector<CounterId> affinity;
    bool starts_affinity = false;     // Its affinity selects itself, so the first pod may go anywhere.
    std::vector<CounterId> none_of;   // Must be zero where it goes; sorted.
    std::vector<CounterId> together;  // Those it counts must all be where it goes.
    std::vector<SpreadRule> spread;
    // Preferences, heaviest first.
    std::vector<std::pair<CounterId, int>> rather_with;
    std::vector<std::pair<CounterId, int>> rather_without;
    std::vector<SpreadRule> rather_spread;
    std::vector<std::uint32_t> ports;  // Ids of host ports.
    // Keys other than hostname whose value must be known where the pod goes, and those that only spreads of
    // others count it by.
    std::vector<KeyId> keys;
    std::vector<KeyId> counted_keys;

    bool empty() const {
        return counts.empty() && affinity.empty() && none_of.empty() && together.empty() && spread.empty() &&
               rather_with.empty() && rather_without.empty() && rather_spread.empty() && ports.empty();
    }
};

class Topology {
  public:
    // Selectors a pod with these labels is selected by; interned, 0 is none.
    using ProfileId = std::uint32_t;

    explicit Topology(const model::Snapshot& snapshot);

    ProfileId profile_of(const rules::PodLabels* labels) const;
    PodRules rules_of(const rules::PodShape& shape, ProfileId profile) const;
    // Of pods that stand: what counts them, `shape` may be nullptr.
    std::vector<CounterId> counts_of(const rules::PodShape* shape, ProfileId profile) const;

    const std::vector<std::string>& keys() const { return keys_; }
    const std::vector<Counter>& counters() const { return counters_; }
    const std::vector<NodeFilter>& filters() const { return filters_; }
    std::uint32_t port_id(const rules::HostPort& port) const;
    bool ports_clash(std::uint32_t a, std::uint32_t b) const { return ports_[a].clashes(ports_[b]); }
    const rules::HostPort& port(std::uint32_t id) const { return ports_[id]; }

  private:
    struct Selector {
        std::vector<const rules::PodSelector*> all;  // A pod is selected by every one of them.
        std::vector<CounterId> counters;             // Of the selected, not of holders.
        std::vector<CounterId> holders;
    };

    void read_pending(const rules::PodShape& shape);
    void read_holders(const rules::PodShape& shape);
    void read_together(const rules::PodShape& shape);
    SelectorId together_id(const rules::TogetherTerm& term);
    CounterId together_counter(const rules::TogetherTerm& term) const;
    KeyId key_id(const std::string& key);
    KeyId find_key(const std::string& key) const { return key_ids_.at(key); }
    SelectorId selector_id(const std::vector<const rules::PodSelector*>& all);
    SelectorId find_selector(const std::vector<const rules::PodSelector*>& all) const;
    CounterId add_counter(const Counter& counter);
    CounterId find_counter(const Counter& counter) const;
    FilterId filter_id(const rules::PodShape& shape, const rules::SpreadTerm& term);
    FilterId find_filter(const rules::PodShape& shape, const rules::SpreadTerm& term) const;
    void index_selectors();
    bool selects(SelectorId selector, const rules::PodLabels& labels) const;

    using CounterKey = std::tuple<SelectorId, KeyId, bool, bool, FilterId>;

    const model::Snapshot& snapshot_;
    std::vector<std::string> keys_;
    std::map<std::string, KeyId> key_ids_;
    std::vector<Selector> selectors_;
    std::map<std::string, SelectorId> selector_ids_;
    std::vector<Counter> counters_;
    std::map<CounterKey, CounterId> counter_ids_;
    std::vector<NodeFilter> filters_;
    std::map<std::string, FilterId> filter_ids_;
    std::vector<rules::HostPort> ports_;
    // Selectors that ask for one label's value, by that label; the others.
    std::unordered_map<std::string, std::vector<SelectorId>> by_label_;
    std::vector<SelectorId> unindexed_;
    // A memo.
    mutable std::vector<std::vector<SelectorId>> profiles_;
    mutable std::map<std::vector<SelectorId>, ProfileId> profile_ids_;
    mutable std::unordered_map<const rules::PodLabels*, ProfileId> known_profiles_;
};

}  // namespace joiner::plan
