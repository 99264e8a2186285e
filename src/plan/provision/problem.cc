#include "plan/provision/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>
#include <unordered_map>

#include "api/names.h"
#include "base/check.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using model::PoolIndex;
using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;

constexpr std::size_t kMaxOfferings = 64;

// Which of the type's offerings allow every one of `wanted`, for the keys that offerings or the type define.
OfferingMask allowed_offerings(const InstanceType& type, const Requirements& wanted, OfferingMask among) {
    for (const Requirement& requirement : wanted) {
        const Requirement* own = type.requirements.find(requirement.key());
        const bool type_overlaps =
            own == nullptr || requirement.overlaps(*own) ||
            (own->is_empty() && (requirement.is_empty() || requirement.op() == rules::Operator::kNotIn));
        for (std::size_t bit = 0; bit < type.offerings.size() && bit < kMaxOfferings; ++bit) {
            if ((among >> bit & 1) == 0) continue;
            const Requirement* offered = type.offerings[bit].requirements.find(requirement.key());
            const bool ok = offered != nullptr ? requirement.overlaps(*offered) ||
                                                     (offered->is_empty() && requirement.is_empty())
                                               : type_overlaps;
            if (!ok) among &= ~(OfferingMask{1} << bit);
        }
        if (among == 0) return 0;
    }
    return among;
}

bool is_defined_by_offerings(const InstanceType& type, std::string_view key) {
    return !type.offerings.empty() && type.offerings.front().requirements.has(key);
}

}  // namespace

Problem::Problem(const model::Snapshot& snapshot) : snapshot_(&snapshot), topology_(snapshot) {
    open_.emplace_back();
    open_ids_.emplace("", 0);
    find_dimensions();
    make_pools();
    make_kinds();
    make_company();
}

void Problem::find_dimensions() {
    dimension_names_ = {"cpu", "memory", "pods", "ephemeral-storage"};
    std::set<std::string> extended;
    for (const model::PodView& pod : snapshot_->pods) {
        for (const auto& [name, amount] : pod.shape->requests.extended) extended.insert(name);
    }
    dimension_names_.insert(dimension_names_.end(), extended.begin(), extended.end());
}

std::vector<double> Problem::dense(const rules::Resources& r) const {
    std::vector<double> out(dimensions(), 0);
    out[0] = static_cast<double>(r.cpu_milli);
    out[1] = static_cast<double>(r.memory_bytes);
    out[2] = static_cast<double>(r.pods);
    out[3] = static_cast<double>(r.ephemeral_bytes);
    for (std::size_t d = 4; d < out.size(); ++d) out[d] = static_cast<double>(r.get(dimension_names_[d]));
    return out;
}

const InstanceType& Problem::type(PoolIndex pool, const TypeOption& option) const {
    return (*snapshot_->pools[pool].types)[option.type];
}

const Offering& Problem::offering(PoolIndex pool, const TypeOption& option, std::size_t bit) const {
    return type(pool, option).offerings[bit];
}

std::uint8_t Problem::cheapest(const TypeOption& option, OfferingMask mask) {
    for (const std::uint8_t bit : option.order) {
        if (mask >> bit & 1) return bit;
    }
    return std::numeric_limits<std::uint8_t>::max();
}

rules::Resources Problem::daemon_overhead(const model::PoolView& pool, const InstanceType& type) const {
    rules::Resources sum;
    for (const model::DaemonView& daemon : snapshot_->daemons) {
        if (rules::untolerated_taint(daemon.shape->tolerations, pool.taints) != nullptr) continue;
        const bool lands = std::any_of(
            daemon.shape->required.begin(), daemon.shape->required.end(), [&](const Requirements& wanted) {
                if (wanted.empty()) return true;
                Requirements node = pool.requirements;
                for (const Requirement& own : type.requirements) node.add(own);
                // Set at registration and initialisation, and so true of the node that the daemon will see.
                node.add(Requirement::in(std::string(api::kRegisteredLabel), {"true"}));
                node.add(Requirement::in(std::string(api::kInitializedLabel), {"true"}));
                return rules::compatible(node, wanted, &snapshot_->well_known);
            });
        if (lands) sum += daemon.shape->requests;
    }
    return sum;
}

PoolOptions Problem::make_pool(const model::PoolView& pool) const {
    PoolOptions out;
    if (!pool.types || pool.types->empty()) {
        out.nothing_because = "the provider has no instance types";
        return out;
    }
    const std::size_t n = dimensions();
    bool some_are_sold_out = false;
    for (std::size_t t = 0; t < pool.types->size(); ++t) {
        const InstanceType& type = (*pool.types)[t];
        OfferingMask mask = 0;
        for (std::size_t bit = 0; bit < type.offerings.size() && bit < kMaxOfferings; ++bit) {
            if (type.offerings[bit].available) mask |= OfferingMask{1} << bit;
        }
        mask = allowed_offerings(type, pool.requirements, mask);
        if (mask == 0) {
            some_are_sold_out |= allowed_offerings(type, pool.requirements, ~OfferingMask{0}) != 0;
            continue;
        }
        TypeOption option;
        option.type = static_cast<std::uint32_t>(t);
        option.offerings = mask;
        for (std::size_t bit = 0; bit < type.offerings.size() && bit < kMaxOfferings; ++bit) {
            if (mask >> bit & 1) option.order.push_back(static_cast<std::uint8_t>(bit));
        }
        std::sort(option.order.begin(), option.order.end(), [&](std::uint8_t a, std::uint8_t b) {
            const Offering& x = type.offerings[a];
            const Offering& y = type.offerings[b];
            return std::tuple(x.price, x.zone(), x.capacity_type(), a) <
                   std::tuple(y.price, y.zone(), y.capacity_type(), b);
        });
        if (!snapshot_->daemons.empty()) option.daemons = daemon_overhead(pool, type);
        const std::vector<double> room = dense(type.allocatable() - option.daemons);
        out.room.insert(out.room.end(), room.begin(), room.end());
        for (const auto& [name, left] : pool.remaining) {
            out.capacity.push_back(name == "nodes" ? 1.0 : static_cast<double>(type.capacity.get(name)));
        }
        out.types.push_back(std::move(option));
    }
    CHECK(out.room.size() == out.types.size() * n);
    const auto price_and_name = [&](std::uint32_t t) {
        const InstanceType& type = (*pool.types)[out.types[t].type];
        return std::pair(type.offerings[out.types[t].order.front()].price, std::string_view(type.name));
    };
    out.by_price.resize(out.types.size());
    std::iota(out.by_price.begin(), out.by_price.end(), 0u);
    std::sort(out.by_price.begin(), out.by_price.end(),
              [&](std::uint32_t a, std::uint32_t b) { return price_and_name(a) < price_and_name(b); });
    if (out.types.empty())
        out.nothing_because = some_are_sold_out ? "every offering that meets its requirements is sold out"
                                                : "no instance type meets its requirements";
    return out;
}

void Problem::make_pools() {
    for (const model::PoolView& pool : snapshot_->pools) pools_.push_back(make_pool(pool));
}

void Problem::make_kinds() {
    std::map<std::pair<const rules::PodShape*, Topology::ProfileId>, std::uint32_t> kind_of;
    std::unordered_map<std::string_view, std::uint32_t> group_of;
    for (model::PodIndex i = 0; i < snapshot_->pods.size(); ++i) {
        const model::PodView& pod = snapshot_->pods[i];
        const rules::PodShape* shape = pod.shape.get();
        if (!shape->problem.empty()) {
            rejected_.emplace_back(i, shape->problem);
            continue;
        }
        const Topology::ProfileId profile = topology_.profile_of(pod.labels.get());
        auto [it, is_new] = kind_of.try_emplace({shape, profile}, static_cast<std::uint32_t>(kinds_.size()));
        if (is_new) {
            auto [group, is_new_group] =
                group_of.try_emplace(shape->constraint_key, static_cast<std::uint32_t>(groups_.size()));
            if (is_new_group) {
                Group& made = groups_.emplace_back();
                made.shape = shape;
                for (const Requirements& one : shape->preferred) made.alternatives.push_back(&one);
                for (const Requirements& one : shape->required) made.alternatives.push_back(&one);
                make_group_matches(made);
            }
            PodKind& kind = kinds_.emplace_back();
            kind.group = group->second;
            kind.request = dense(shape->requests);
            kind.shape = shape;
            kind.rules = topology_.rules_of(*shape, profile);
        }
        kinds_[it->second].pods.push_back(i);
    }
}

namespace {

// What of a kind's rules plays on one node.
struct Manners {
    std::vector<CounterId> none_of;
    std::vector<CounterId> counts;
    std::vector<std::uint32_t> ports;

    bool empty() const { return none_of.empty() && counts.empty() && ports.empty(); }
    friend auto operator<=>(const Manners&, const Manners&) = default;
};

}  // namespace

// Caps and crowds hold on new nodes without looking at any order, but for one thing: pods that hostname
// spread asks nothing of come after those it binds.
void Problem::make_company() {
    const std::vector<Counter>& counters = topology_.counters();
    const auto on_node = [&](CounterId c) { return counters[c].key == kHostnameKey; };
    std::vector<bool> is_unwanted(counters.size(), false);
    std::vector<bool> is_counted(counters.size(), false);
    for (const PodKind& kind : kinds_) {
        for (const CounterId c : kind.rules.none_of) is_unwanted[c] = true;
        for (const CounterId c : kind.rules.counts) is_counted[c] = true;
    }
    std::map<std::tuple<int, CounterId, std::uint32_t>, CapId> cap_ids;
    const auto cap = [&](int sort, std::uint32_t id, std::uint32_t most) {
        const auto [it, is_new] = cap_ids.try_emplace({sort, id, most}, static_cast<CapId>(caps_.size()));
        if (is_new) caps_.push_back(most);
        return it->second;
    };
    enum { kApart, kRatherApart, kSpread, kPorts };
    // Spread's caps first, so that every kind it binds can be counted by all of them.
    std::vector<std::pair<CounterId, CapId>> spread_caps;
    for (const PodKind& kind : kinds_) {
        for (const auto* spreads : {&kind.rules.spread, &kind.rules.rather_spread}) {
            for (const SpreadRule& rule : *spreads) {
                if (rule.key != kHostnameKey) continue;
                const std::pair made{rule.counter,
                                     cap(kSpread, rule.counter, static_cast<std::uint32_t>(rule.max_skew))};
                if (std::find(spread_caps.begin(), spread_caps.end(), made) == spread_caps.end())
                    spread_caps.push_back(made);
            }
        }
    }
    std::map<Manners, CrowdId> crowd_ids;
    std::map<std::vector<std::uint32_t>, std::uint32_t> port_sets;
    std::vector<const Manners*> crowds{nullptr};
    for (PodKind& kind : kinds_) {
        const PodRules& rules = kind.rules;
        if (rules.empty()) continue;
        const auto is_counted_by = [&](CounterId c) {
            return std::binary_search(rules.counts.begin(), rules.counts.end(), c);
        };
        for (const CounterId c : rules.none_of) {
            if (on_node(c) && !counters[c].of_holders && is_counted_by(c))
                kind.caps.push_back(cap(kApart, c, 1));
        }
        kind.firm_caps = kind.caps;
        for (const auto& [c, weight] : rules.rather_without) {
            if (on_node(c) && is_counted_by(c)) kind.caps.push_back(cap(kRatherApart, c, 1));
        }
        const auto on_hosts = [](const SpreadRule& rule) { return rule.key == kHostnameKey; };
        if (std::any_of(rules.spread.begin(), rules.spread.end(), on_hosts) ||
            std::any_of(rules.rather_spread.begin(), rules.rather_spread.end(), on_hosts)) {
            for (const auto& [counter, id] : spread_caps) {
                if (is_counted_by(counter)) kind.caps.push_back(id);
            }
        }
        Manners manners;
        for (const CounterId c : rules.none_of) {
            if (on_node(c) && is_counted[c]) manners.none_of.push_back(c);
        }
        for (const CounterId c : rules.counts) {
            if (on_node(c) && is_unwanted[c]) manners.counts.push_back(c);
        }
        manners.ports = rules.ports;
        if (!manners.ports.empty()) {
            const auto [it, is_new] =
                port_sets.try_emplace(manners.ports, static_cast<std::uint32_t>(port_sets.size()));
            kind.caps.push_back(cap(kPorts, it->second, 1));
            kind.firm_caps.push_back(kind.caps.back());
        }
        std::sort(kind.caps.begin(), kind.caps.end());
        kind.caps.erase(std::unique(kind.caps.begin(), kind.caps.end()), kind.caps.end());
        if (manners.empty()) continue;
        const auto [it, is_new] =
            crowd_ids.try_emplace(std::move(manners), static_cast<CrowdId>(crowds.size()));
        if (is_new) crowds.push_back(&it->first);
        kind.crowd = it->second;
    }
    crowds_ = crowds.size();
    hostile_.assign(crowds_ * crowds_, false);
    const auto set_hostile = [&](CrowdId a, CrowdId b) {
        hostile_[a * crowds_ + b] = true;
        hostile_[b * crowds_ + a] = true;
    };
    std::map<CounterId, std::vector<CrowdId>> counted_by;
    std::map<std::uint32_t, std::vector<CrowdId>> users_of;
    for (CrowdId b = 1; b < crowds_; ++b) {
        for (const CounterId c : crowds[b]->counts) counted_by[c].push_back(b);
        for (const std::uint32_t port : crowds[b]->ports) users_of[port].push_back(b);
    }
    for (CrowdId a = 1; a < crowds_; ++a) {
        for (const CounterId c : crowds[a]->none_of) {
            for (const CrowdId b : counted_by[c]) set_hostile(a, b);
        }
        for (const std::uint32_t port : crowds[a]->ports) {
            for (const auto& [other, users] : users_of) {
                if (!topology_.ports_clash(port, other)) continue;
                for (const CrowdId b : users) set_hostile(a, b);
            }
        }
    }
}

std::uint32_t Problem::class_of(std::uint32_t k, const Pins& pins) {
    const PodKind& kind = kinds_[k];
    const std::uint32_t group = part_of(kind.group, pins);
    const auto [known, is_new_part] = class_of_part_.try_emplace({k, group}, 0);
    if (!is_new_part) return known->second;
    const bool is_free = kind.rules.empty() && kind.shape->volumes.empty();
    const auto [it, is_new] =
        class_ids_.try_emplace({group, kind.request, kind.caps, kind.firm_caps, kind.crowd, is_free},
                               static_cast<std::uint32_t>(classes_.size()));
    if (is_new)
        classes_.push_back(
            {group, kind.request, kind.shape, {}, kind.caps, kind.firm_caps, kind.crowd, is_free});
    return known->second = it->second;
}

void Problem::drop_pods() {
    for (PodClass& pod_class : classes_) pod_class.pods.clear();
}

bool Problem::some_machine_holds(const PodClass& pod_class) const {
    const std::size_t n = dimensions();
    const Group& group = groups_[pod_class.group];
    for (const auto& row : group.matches) {
        for (model::PoolIndex pool = 0; pool < pools_.size(); ++pool) {
            if (!row[pool].possible) continue;
            const PoolOptions& options = pools_[pool];
            // Large types come late more often than not.
            for (std::size_t t = options.types.size(); t-- > 0;) {
                if (row[pool].masks[t] == 0) continue;
                bool holds = true;
                for (std::size_t d = 0; d < n && holds; ++d)
                    holds = pod_class.request[d] <= 0 || pod_class.request[d] <= options.room[t * n + d];
                if (holds) return true;
            }
        }
    }
    return false;
}

bool Problem::is_on_offerings(model::PoolIndex pool, KeyId key) const {
    const PoolOptions& options = pools_[pool];
    return !options.types.empty() &&
           is_defined_by_offerings(type(pool, options.types.front()), topology_.keys()[key]);
}

const Match& Problem::pin_match(model::PoolIndex pool, KeyId key, const std::string& value) {
    const auto [it, is_new] = pin_matches_.try_emplace({pool, key, value});
    if (is_new) {
        Requirements wanted;
        wanted.add(Requirement::in(topology_.keys()[key], {value}));
        // Taints are for the pods to meet.
        rules::PodShape anyone;
        anyone.tolerations.push_back({"", "Exists", "", ""});
        it->second = match(anyone, wanted, pool);
    }
    return it->second;
}

Match Problem::narrow(const Match& base, const rules::PodShape& shape, const Requirements& wanted,
                      const Pins& pins, PoolIndex pool) {
    if (!base.possible) return base;
    const bool by_masks = std::all_of(pins.begin(), pins.end(),
                                      [&](const auto& pin) { return is_on_offerings(pool, pin.first); });
    if (!by_masks) return match(shape, wanted, pool);
    Match out = base;
    bool any = false;
    for (const auto& [key, value] : pins) {
        const Match& pin = pin_match(pool, key, value);
        if (!pin.possible) return pin;
        for (std::size_t t = 0; t < out.masks.size(); ++t) out.masks[t] &= pin.masks[t];
    }
    for (const OfferingMask mask : out.masks) any |= mask != 0;
    if (!any) {
        out = {};
        out.reason = fmt::format("no available offering of its types has {}", wanted.to_string());
    }
    return out;
}

std::uint32_t Problem::part_of(std::uint32_t g, const Pins& pins) {
    if (pins.empty()) return g;
    const auto [it, is_new] = parts_.try_emplace({g, pins}, static_cast<std::uint32_t>(groups_.size()));
    if (!is_new) return it->second;
    Group part;
    part.shape = groups_[g].shape;
    for (std::size_t a = 0; a < groups_[g].alternatives.size(); ++a) {
        Requirements wanted = *groups_[g].alternatives[a];
        for (const auto& [key, value] : pins) wanted.add(Requirement::in(topology_.keys()[key], {value}));
        owned_.push_back(std::move(wanted));
        part.alternatives.push_back(&owned_.back());
        std::vector<Match>& row = part.matches.emplace_back();
        for (PoolIndex pool = 0; pool < pools_.size(); ++pool)
            row.push_back(narrow(groups_[g].matches[a][pool], *part.shape, owned_.back(), pins, pool));
    }
    groups_.push_back(std::move(part));
    return it->second;
}

const std::vector<std::string>& Problem::values_of(PoolIndex pool, KeyId key_id) {
    const auto [it, is_new] = values_.try_emplace({pool, key_id});
    if (!is_new) return it->second;
    const std::string& key = topology_.keys()[key_id];
    const Requirement* of_pool = snapshot_->pools[pool].requirements.find(key);
    std::map<std::string, rules::Money> cheapest;
    const auto add = [&](const Requirement& requirement, rules::Money price) {
        if (requirement.is_complement()) return;
        for (const std::string& value : requirement.values()) {
            if (of_pool != nullptr && !of_pool->allows(value)) continue;
            const auto [known, is_new_value] = cheapest.try_emplace(value, price);
            if (!is_new_value) known->second = std::min(known->second, price);
        }
    };
    for (const TypeOption& option : pools_[pool].types) {
        const InstanceType& one = type(pool, option);
        for (const std::uint8_t bit : option.order) {
            const Offering& offered = one.offerings[bit];
            const Requirement* defined = offered.requirements.find(key);
            if (defined == nullptr) defined = one.requirements.find(key);
            if (defined == nullptr) defined = of_pool;
            if (defined != nullptr) add(*defined, offered.price);
        }
    }
    std::vector<std::pair<rules::Money, std::string>> order;
    for (const auto& [value, price] : cheapest) order.emplace_back(price, value);
    std::sort(order.begin(), order.end());
    for (auto& [price, value] : order) it->second.push_back(std::move(value));
    return it->second;
}

OpenId Problem::intern_open(Requirements requirements) const {
    const auto [it, is_new] =
        open_ids_.try_emplace(requirements.to_string(), static_cast<OpenId>(open_.size()));
    if (is_new) open_.push_back(std::move(requirements));
    return it->second;
}

OpenId Problem::merge(OpenId a, OpenId b) const {
    if (a == b || b == 0) return a;
    if (a == 0) return b;
    if (a > b) std::swap(a, b);
    const auto [it, is_new] = merged_.try_emplace({a, b}, kOpenConflict);
    if (!is_new) return it->second;
    if (!rules::intersects(open_[a], open_[b])) return kOpenConflict;
    Requirements both = open_[a];
    both.add_all(open_[b]);
    return it->second = intern_open(std::move(both));
}

Match Problem::match(const rules::PodShape& shape, const Requirements& wanted, PoolIndex pool_index) {
    const model::PoolView& pool = snapshot_->pools[pool_index];
    const PoolOptions& options = pools_[pool_index];
    Match out;
    if (!options.nothing_because.empty()) {
        out.reason = options.nothing_because;
        return out;
    }
    if (const api::Taint* taint = rules::untolerated_taint(shape.tolerations, pool.taints)) {
        out.reason = fmt::format("its taint {}{}{}:{} is not tolerated", taint->key,
                                 taint->value.empty() ? "" : "=", taint->value, taint->effect);
        return out;
    }
    // Keys that types or offerings define decide the masks; what only the pool defines is checked here, and
    // stays open for the next pod of the same node to agree with.
    Requirements by_type;
    Requirements by_pool;
    for (const Requirement& requirement : wanted) {
        const InstanceType& first = type(pool_index, options.types.front());
        const bool on_offerings = is_defined_by_offerings(first, requirement.key());
        const bool on_types = first.requirements.has(requirement.key());
        if (on_offerings || on_types) by_type.add(requirement);
        const bool several_on_one_type =
            !on_offerings &&
            std::any_of(options.types.begin(), options.types.end(), [&](const TypeOption& option) {
                const Requirement* own = type(pool_index, option).requirements.find(requirement.key());
                return own != nullptr && !own->is_single() && !own->is_empty();
            });
        if (!(on_offerings || on_types) || several_on_one_type) by_pool.add(requirement);
    }
    // The allowance for well-known labels that are still undefined is the caller's last resort.
    if (const auto reason = rules::incompatibility(pool.requirements, wanted, &snapshot_->well_known)) {
        bool defined_by_types = true;
        for (const Requirement& requirement : wanted) {
            const bool positive =
                requirement.op() == rules::Operator::kIn || requirement.op() == rules::Operator::kExists;
            if (positive && !pool.requirements.has(requirement.key()) && !by_type.has(requirement.key()) &&
                !snapshot_->well_known.contains(requirement.key())) {
                defined_by_types = false;
            }
        }
        if (!defined_by_types || !rules::intersects(pool.requirements, wanted)) {
            out.reason = "it asks for " + *reason;
            return out;
        }
    }
    out.open = by_pool.empty() ? 0 : intern_open(std::move(by_pool));
    out.masks.reserve(options.types.size());
    bool any = false;
    for (const TypeOption& option : options.types) {
        const OfferingMask mask =
            by_type.empty() ? option.offerings
                            : allowed_offerings(type(pool_index, option), by_type, option.offerings);
        any |= mask != 0;
        out.masks.push_back(mask);
    }
    if (!any) {
        out.reason = fmt::format("no available offering of its types has {}", by_type.to_string());
        return out;
    }
    out.possible = true;
    return out;
}

void Problem::make_group_matches(Group& group) {
    for (const Requirements* wanted : group.alternatives) {
        std::vector<Match>& row = group.matches.emplace_back();
        for (PoolIndex pool = 0; pool < pools_.size(); ++pool)
            row.push_back(match(*group.shape, *wanted, pool));
    }
}

}  // namespace joiner::plan
