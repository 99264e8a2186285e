#include "plan/provision/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "api/names.h"
#include "base/check.h"
#include "plan/provision/alternatives.h"
#include "plan/provision/pool_reason.h"
#include "rules/new_node.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

using model::PoolIndex;
using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;

constexpr std::size_t kOfferingsOfAMask = 64;
// Of a node that takes any number of volumes; more than there are pods and volumes.
constexpr double kNoVolumeLimit = 1e9;

// Which of the offerings from `first` on allow every one of `wanted`: keys that some type's nodes have. A
// type that says nothing of a key makes nodes without it.
OfferingMask allowed_offerings(const InstanceType& type, std::size_t first, const Requirements& wanted,
                               OfferingMask among) {
    const std::size_t count = std::min(type.offerings.size() - first, kOfferingsOfAMask);
    for (const Requirement& requirement : wanted) {
        const Requirement* own = type.requirements.find(requirement.key());
        const bool type_suits = rules::suits(own, requirement);
        for (std::size_t bit = 0; bit < count; ++bit) {
            if ((among >> bit & 1) == 0) continue;
            const Requirement* offered = type.offerings[first + bit].requirements.find(requirement.key());
            const bool ok = offered != nullptr ? rules::suits(offered, requirement) : type_suits;
            if (!ok) among &= ~(OfferingMask{1} << bit);
        }
        if (among == 0) return 0;
    }
    return among;
}

// Why a label of a node still to be made does not suit; nullptr: it has none.
std::string why_unsuited(const Requirement* own, const Requirement& wanted) {
    if (wanted.key() == rules::kNodeNameField)
        return fmt::format("a node by its name, and a new node has another");
    if (wanted.key() == api::kHostnameLabel)
        return fmt::format("{}, and a new node has a name of its own", wanted.to_string());
    if (own != nullptr) return fmt::format("{}, against {}", wanted.to_string(), own->to_string());
    return fmt::format("{}, and the label {} is not defined", wanted.to_string(), wanted.key());
}

// Some offering would meet the requirements, were it to be had.
bool is_sold_out(const model::PoolView& pool, const Requirements& wanted) {
    return std::any_of(pool.types->begin(), pool.types->end(), [&](const InstanceType& type) {
        for (std::size_t first = 0; first < type.offerings.size(); first += kOfferingsOfAMask) {
            const std::size_t count = std::min(type.offerings.size() - first, kOfferingsOfAMask);
            const OfferingMask all =
                count == kOfferingsOfAMask ? ~OfferingMask{0} : (OfferingMask{1} << count) - 1;
            if (allowed_offerings(type, first, wanted, all) != 0) return true;
        }
        return false;
    });
}

bool is_defined_by_offerings(const InstanceType& type, std::string_view key) {
    return !type.offerings.empty() && type.offerings.front().requirements.has(key);
}

}  // namespace

Problem::Problem(const model::Snapshot& snapshot)
    : snapshot_(&snapshot), topology_(snapshot), daemons_(snapshot, topology_) {
    open_.emplace_back();
    open_ids_.emplace("", 0);
    find_dimensions();
    make_pools();
    count_volumes();
    find_standing_daemons();
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
    extended_end_ = dimension_names_.size();
    // Volumes are counted only where some node has a limit for them.
    std::set<std::string> drivers;
    for (const model::PodView& pod : snapshot_->pods) {
        for (const auto& [driver, count] : pod.shape->volumes) drivers.insert(driver);
        for (const auto& [driver, id] : pod.shape->shared_volumes) drivers.insert(driver);
    }
    if (drivers.empty()) return;
    std::set<std::string> limited;
    const auto note = [&](const model::VolumeLimits& limits) {
        for (const auto& [driver, limit] : limits) {
            if (drivers.contains(driver)) limited.insert(driver);
        }
    };
    for (const model::RoomView& room : snapshot_->rooms) note(room.volumes_left);
    for (const model::PoolView& pool : snapshot_->pools) {
        if (pool.types == nullptr) continue;
        for (const InstanceType& type : *pool.types) note(model::volume_limits_of_type(*snapshot_, type));
    }
    volume_drivers_.assign(limited.begin(), limited.end());
    for (const std::string& driver : volume_drivers_)
        dimension_names_.push_back(fmt::format("volumes of {}", driver));
}

// What each pod has for itself, and what several share once.
void Problem::count_volumes() {
    const std::size_t drivers = volume_drivers_.size();
    volumes_asked_.assign(drivers, 0);
    fewest_volumes_of_types_.assign(drivers, kNoVolumeLimit);
    if (drivers == 0) return;
    std::vector<std::set<std::string_view>> shared(drivers);
    for (const model::PodView& pod : snapshot_->pods) {
        for (const auto& [driver, count] : pod.shape->volumes) {
            if (const std::size_t d = dimension_of_volumes(driver); d < dimensions())
                volumes_asked_[d - extended_end_] += count;
        }
        for (const auto& [driver, id] : pod.shape->shared_volumes) {
            if (const std::size_t d = dimension_of_volumes(driver); d < dimensions())
                shared[d - extended_end_].insert(id);
        }
    }
    for (std::size_t i = 0; i < drivers; ++i) {
        volumes_asked_[i] += static_cast<double>(shared[i].size());
        for (const PoolOptions& pool : pools_) {
            for (std::size_t t = 0; t < pool.types.size(); ++t)
                fewest_volumes_of_types_[i] =
                    std::min(fewest_volumes_of_types_[i], pool.room[t * dimensions() + extended_end_ + i]);
        }
    }
}

std::size_t Problem::dimension_of_volumes(std::string_view driver) const {
    const auto at = std::lower_bound(volume_drivers_.begin(), volume_drivers_.end(), driver);
    if (at == volume_drivers_.end() || *at != driver) return dimensions();
    return extended_end_ + static_cast<std::size_t>(at - volume_drivers_.begin());
}

bool Problem::counts_shared_volumes(const rules::PodShape& shape) const {
    return std::any_of(shape.shared_volumes.begin(), shape.shared_volumes.end(),
                       [&](const auto& one) { return dimension_of_volumes(one.first) < dimensions(); });
}

bool Problem::may_lack_volumes(const rules::PodShape& shape) const {
    return std::any_of(shape.shared_volumes.begin(), shape.shared_volumes.end(), [&](const auto& one) {
        const std::size_t d = dimension_of_volumes(one.first);
        return d < dimensions() &&
               fewest_volumes_of_types_[d - extended_end_] < volumes_asked_[d - extended_end_];
    });
}

void Problem::set_volumes(const model::VolumeLimits& limits, std::vector<double>& room) const {
    std::fill(room.begin() + static_cast<std::ptrdiff_t>(extended_end_), room.end(), kNoVolumeLimit);
    for (const auto& [driver, limit] : limits) {
        if (const std::size_t d = dimension_of_volumes(driver); d < room.size()) room[d] = limit;
    }
}

std::vector<double> Problem::free_of(const model::RoomView& room) const {
    std::vector<double> out = dense(room.free);
    set_volumes(room.volumes_left, out);
    return out;
}

std::vector<double> Problem::request_of(const rules::PodShape& shape) const {
    std::vector<double> out = dense(shape.requests);
    for (const auto& [driver, count] : shape.volumes) {
        if (const std::size_t d = dimension_of_volumes(driver); d < out.size()) out[d] = count;
    }
    return out;
}

std::vector<double> Problem::dense(const rules::Resources& r) const {
    std::vector<double> out(dimensions(), 0);
    out[0] = static_cast<double>(r.cpu_milli);
    out[1] = static_cast<double>(r.memory_bytes);
    out[2] = static_cast<double>(r.pods);
    out[3] = static_cast<double>(r.ephemeral_bytes);
    for (std::size_t d = 4; d < extended_end_; ++d) out[d] = static_cast<double>(r.get(dimension_names_[d]));
    return out;
}

const InstanceType& Problem::type(PoolIndex pool, const TypeOption& option) const {
    return (*snapshot_->pools[pool].types)[option.type];
}

const Offering& Problem::offering(PoolIndex pool, const TypeOption& option, std::size_t bit) const {
    return type(pool, option).offerings[option.first + bit];
}

std::uint8_t Problem::cheapest(const TypeOption& option, OfferingMask mask) {
    for (const std::uint8_t bit : option.order) {
        if (mask >> bit & 1) return bit;
    }
    return std::numeric_limits<std::uint8_t>::max();
}

// `wanted`: what the pool asks of keys that types decide.
std::vector<TypeOption> Problem::options_of(const model::PoolView& pool, const Requirements& wanted,
                                            std::uint32_t t) const {
    const InstanceType& type = (*pool.types)[t];
    std::vector<TypeOption> out;
    for (std::size_t first = 0; first < type.offerings.size(); first += kOfferingsOfAMask) {
        const std::size_t count = std::min(type.offerings.size() - first, kOfferingsOfAMask);
        OfferingMask mask = 0;
        for (std::size_t bit = 0; bit < count; ++bit) {
            if (type.offerings[first + bit].available) mask |= OfferingMask{1} << bit;
        }
        mask = allowed_offerings(type, first, wanted, mask);
        std::map<DaemonList, OfferingMask> by_daemons;
        for (std::size_t bit = 0; bit < count && mask != 0; ++bit) {
            if ((mask >> bit & 1) == 0) continue;
            const bool has_daemons = !daemons_.empty();
            by_daemons[has_daemons ? daemons_.on(pool, type, type.offerings[first + bit]) : DaemonList{}] |=
                OfferingMask{1} << bit;
        }
        for (auto& [daemons, offerings] : by_daemons) {
            TypeOption& option = out.emplace_back();
            option.type = t;
            option.first = static_cast<std::uint32_t>(first);
            option.offerings = offerings;
            option.standing = daemons;
            option.daemons = daemons_.sum_of(daemons);
            for (std::size_t bit = 0; bit < count; ++bit) {
                if (offerings >> bit & 1) option.order.push_back(static_cast<std::uint8_t>(bit));
            }
            std::sort(option.order.begin(), option.order.end(), [&](std::uint8_t x, std::uint8_t y) {
                const Offering& a = type.offerings[first + x];
                const Offering& b = type.offerings[first + y];
                return std::tuple(a.cost(), a.zone(), a.capacity_type(), x) <
                       std::tuple(b.cost(), b.zone(), b.capacity_type(), y);
            });
        }
    }
    return out;
}

PoolOptions Problem::make_pool(const model::PoolView& pool) const {
    PoolOptions out;
    out.nothing_because = why_nothing_is_sold(pool);
    if (!out.nothing_because.empty()) return out;
    const Requirements by_type = requirements_on_types(pool);
    const std::size_t n = dimensions();
    for (std::uint32_t t = 0; t < pool.types->size(); ++t) {
        const InstanceType& type = (*pool.types)[t];
        for (TypeOption& option : options_of(pool, by_type, t)) {
            std::vector<double> room = dense(type.allocatable() - option.daemons);
            if (!volume_drivers_.empty()) set_volumes(model::volume_limits_of_type(*snapshot_, type), room);
            out.room.insert(out.room.end(), room.begin(), room.end());
            const bool is_beyond_limits =
                std::any_of(pool.remaining.begin(), pool.remaining.end(), [&](const auto& limit) {
                    const auto& [name, left] = limit;
                    return (name == "nodes" ? 1 : type.capacity.get(name)) > left;
                });
            if (is_beyond_limits) option.beyond_limits = std::exchange(option.offerings, 0);
            out.has_parts = out.has_parts || (!out.types.empty() && out.types.back().type == t);
            for (const auto& [name, left] : pool.remaining) {
                out.capacity.push_back(name == "nodes" ? 1.0 : static_cast<double>(type.capacity.get(name)));
            }
            out.types.push_back(std::move(option));
        }
    }
    CHECK(out.room.size() == out.types.size() * n);
    leave_out_too_small(out);
    const auto price_and_name = [&](std::uint32_t t) {
        const TypeOption& option = out.types[t];
        const InstanceType& type = (*pool.types)[option.type];
        return std::tuple(type.offerings[option.first + option.order.front()].cost(),
                          std::string_view(type.name), t);
    };
    out.by_price.resize(out.types.size());
    std::iota(out.by_price.begin(), out.by_price.end(), 0u);
    std::sort(out.by_price.begin(), out.by_price.end(),
              [&](std::uint32_t a, std::uint32_t b) { return price_and_name(a) < price_and_name(b); });
    if (out.types.empty())
        out.nothing_because = is_sold_out(pool, by_type)
                                  ? "every offering that meets its requirements is sold out"
                                  : why_no_type_is_left(pool, snapshot_->types_source);
    return out;
}

// A node that its own daemons do not fit on is not bought, unless no type of the pool holds them.
void Problem::leave_out_too_small(PoolOptions& pool) const {
    constexpr std::size_t kOfEveryNode = 4;  // Not what only some nodes have.
    const auto is_too_small = [&](std::size_t t) {
        const double* const room = &pool.room[t * dimensions()];
        return std::any_of(room, room + kOfEveryNode, [](double amount) { return amount < 0; });
    };
    std::vector<std::size_t> small;
    for (std::size_t t = 0; t < pool.types.size(); ++t) {
        if (is_too_small(t)) small.push_back(t);
    }
    if (small.size() == pool.types.size()) return;
    for (const std::size_t t : small) pool.types[t].offerings = pool.types[t].beyond_limits = 0;
}

void Problem::make_pools() {
    for (const model::PoolView& pool : snapshot_->pools) pools_.push_back(make_pool(pool));
}

void Problem::find_standing_daemons() {
    std::set<DaemonIndex> standing;
    for (const PoolOptions& pool : pools_) {
        for (const TypeOption& option : pool.types) {
            if (option.offerings == 0) continue;
            standing.insert(option.standing.begin(), option.standing.end());
        }
    }
    standing_daemons_.assign(standing.begin(), standing.end());
    is_met_by_daemons_.assign(topology_.counters().size(), false);
    for (CounterId c = 0; c < is_met_by_daemons_.size(); ++c) {
        is_met_by_daemons_[c] =
            std::any_of(standing_daemons_.begin(), standing_daemons_.end(),
                        [&](DaemonIndex daemon) { return daemons_.is_counted_by(daemon, c); });
    }
}

std::string Problem::value_on(PoolIndex pool, const TypeOption& option, std::uint8_t bit, KeyId key) const {
    const std::string& name = topology_.keys()[key];
    for (const Requirements* source :
         {&offering(pool, option, bit).requirements, &type(pool, option).requirements,
          &snapshot_->pools[pool].requirements}) {
        const Requirement* own = source->find(name);
        if (own != nullptr) return own->is_single() ? own->values().front() : std::string();
    }
    return {};
}

const std::set<std::string>& Problem::domains_of(DaemonIndex daemon, KeyId key) {
    const auto [it, is_new] = daemon_domains_.try_emplace({daemon, key});
    if (!is_new) return it->second;
    for (PoolIndex pool = 0; pool < pools_.size(); ++pool) {
        for (const TypeOption& option : pools_[pool].types) {
            if (!std::binary_search(option.standing.begin(), option.standing.end(), daemon)) continue;
            for (const std::uint8_t bit : option.order) it->second.insert(value_on(pool, option, bit, key));
        }
    }
    return it->second;
}

// Machines on which the wrong daemons stand are left out, and those in whose domain they may stand.
void Problem::heed_daemons(const Group& group, PoolIndex pool, Match& match) {
    if (!match.possible || group.daemons.empty()) return;
    bool had_some = false;
    bool has_some = false;
    for (std::size_t t = 0; t < match.masks.size(); ++t) {
        const TypeOption& option = pools_[pool].types[t];
        had_some |= match.masks[t] != 0;
        if (!group.daemons.allow(option.standing)) match.masks[t] = 0;
        for (const auto& [daemon, key] : group.daemons.unwanted_around) {
            const std::set<std::string>& domains = domains_of(daemon, key);
            for (const std::uint8_t bit : option.order) {
                const std::string value = value_on(pool, option, bit, key);
                if (value.empty() || domains.contains(value) || domains.contains(""))
                    match.masks[t] &= ~(OfferingMask{1} << bit);
            }
        }
        has_some |= match.masks[t] != 0;
    }
    if (has_some || !had_some) return;
    match = {};
    match.rule = Rule::kDaemons;
    match.detail = group.daemons_forbid;
}

void Problem::make_kinds() {
    std::map<std::pair<const rules::PodShape*, Topology::ProfileId>, std::uint32_t> kind_of;
    std::map<std::pair<DaemonRules, std::string_view>, std::uint32_t> group_of;
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
            PodRules rules = topology_.rules_of(*shape, profile);
            DaemonRules of_daemons = daemons_.rules_of(rules, standing_daemons_);
            auto [group, is_new_group] = group_of.try_emplace({std::move(of_daemons), shape->constraint_key},
                                                              static_cast<std::uint32_t>(groups_.size()));
            if (is_new_group) {
                Group& made = groups_.emplace_back();
                made.shape = shape;
                made.daemons = group->first.first;
                made.daemons_forbid = daemons_.why_not(rules, made.daemons, standing_daemons_);
                for (const Requirements& one : shape->preferred) made.alternatives.push_back(&one);
                for (const Requirements& one : shape->required) made.alternatives.push_back(&one);
                make_group_matches(made);
            }
            PodKind& kind = kinds_.emplace_back();
            kind.group = group->second;
            kind.request = request_of(*shape);
            kind.shape = shape;
            kind.rules = std::move(rules);
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
    const bool is_free = kind.rules.empty() && !counts_shared_volumes(*kind.shape);
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

void Problem::take_out(const std::vector<bool>& pods) {
    for (PodKind& kind : kinds_) std::erase_if(kind.pods, [&](model::PodIndex pod) { return pods[pod]; });
}

void Problem::put_back(const std::vector<model::PodIndex>& pods, const std::vector<std::uint32_t>& kind_of) {
    for (const model::PodIndex pod : pods) kinds_[kind_of[pod]].pods.push_back(pod);
    if (pods.empty()) return;
    for (PodKind& kind : kinds_) std::sort(kind.pods.begin(), kind.pods.end());
}

bool Problem::counts_for_no_more(PoolIndex pool, std::size_t option, std::size_t other) const {
    const std::size_t limits = snapshot_->pools[pool].remaining.size();
    const std::vector<double>& capacity = pools_[pool].capacity;
    for (std::size_t i = 0; i < limits; ++i) {
        if (capacity[option * limits + i] > capacity[other * limits + i]) return false;
    }
    return true;
}

double Problem::surcharge(PoolIndex pool, std::size_t option) const {
    if (scarcity_ <= 0) return 0;
    const auto& limits = snapshot_->pools[pool].remaining;
    double part = 0;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        const double each = pools_[pool].capacity[option * limits.size() + i];
        if (each > 0) part = std::max(part, each / std::max(1.0, static_cast<double>(limits[i].second)));
    }
    return std::floor(scarcity_ * part);
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
        out.rule = Rule::kNoOffering;
        out.detail = wanted.to_string();
    }
    return out;
}

std::uint32_t Problem::part_of(std::uint32_t g, const Pins& pins) {
    if (pins.empty()) return g;
    const auto [it, is_new] = parts_.try_emplace({g, pins}, static_cast<std::uint32_t>(groups_.size()));
    if (!is_new) return it->second;
    Group part;
    part.shape = groups_[g].shape;
    part.daemons = groups_[g].daemons;
    part.daemons_forbid = groups_[g].daemons_forbid;
    for (std::size_t a = 0; a < groups_[g].alternatives.size(); ++a) {
        if (groups_[g].alternatives[a] == nullptr) continue;
        Requirements wanted = *groups_[g].alternatives[a];
        for (const auto& [key, value] : pins) wanted.add(Requirement::in(topology_.keys()[key], {value}));
        owned_.push_back(std::move(wanted));
        part.alternatives.push_back(&owned_.back());
        std::vector<Match>& row = part.matches.emplace_back();
        for (PoolIndex pool = 0; pool < pools_.size(); ++pool) {
            row.push_back(narrow(groups_[g].matches[a][pool], *part.shape, owned_.back(), pins, pool));
            heed_daemons(part, pool, row.back());
        }
    }
    add_any_of_required(part);
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
        if (option.offerings == 0) continue;
        const InstanceType& one = type(pool, option);
        for (const std::uint8_t bit : option.order) {
            const Offering& offered = offering(pool, option, bit);
            const Requirement* defined = offered.requirements.find(key);
            if (defined == nullptr) defined = one.requirements.find(key);
            if (defined == nullptr) defined = of_pool;
            if (defined != nullptr) add(*defined, offered.cost());
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

Problem::KeyUse Problem::use_of_key(PoolIndex pool, const std::string& key) {
    const auto [it, is_new] = key_uses_.try_emplace({pool, key});
    if (!is_new) return it->second;
    KeyUse& out = it->second;
    bool on_offerings = false;
    for (const TypeOption& option : pools_[pool].types) {
        const InstanceType& one = type(pool, option);
        on_offerings |= is_defined_by_offerings(one, key);
        const Requirement* own = one.requirements.find(key);
        out.on_types |= own != nullptr;
        out.several_on_one_type |= own != nullptr && !own->is_single() && !own->is_empty();
    }
    out.on_types |= on_offerings;
    out.several_on_one_type &= !on_offerings;
    return out;
}

Match Problem::match(const rules::PodShape& shape, const Requirements& wanted, PoolIndex pool_index) {
    const model::PoolView& pool = snapshot_->pools[pool_index];
    const PoolOptions& options = pools_[pool_index];
    Match out;
    if (!options.nothing_because.empty()) {
        out.rule = Rule::kNothingSold;
        out.detail = options.nothing_because;
        return out;
    }
    if (const api::Taint* taint = rules::untolerated_taint(shape.tolerations, pool.taints)) {
        out.rule = Rule::kTaint;
        out.detail = fmt::format("{}{}{}:{}", taint->key, taint->value.empty() ? "" : "=", taint->value,
                                 taint->effect);
        return out;
    }
    // Keys that types or offerings define decide the masks; what only the pool defines is checked here, and
    // stays open for the next pod of the same node to agree with.
    const Requirements node = rules::labels_of_new_node(pool.requirements);
    Requirements by_type;
    Requirements by_pool;
    for (const Requirement& requirement : wanted) {
        const KeyUse use = use_of_key(pool_index, requirement.key());
        const Requirement* own = node.find(requirement.key());
        const bool is_left_to_types = own == nullptr && use.on_types;
        if (!is_left_to_types && !rules::suits(own, requirement)) {
            out.rule = Rule::kRequirement;
            out.detail = why_unsuited(own, requirement);
            return out;
        }
        if (use.on_types) by_type.add(requirement);
        if ((!use.on_types || use.several_on_one_type) &&
            rules::is_for_the_claim(requirement, pool.requirements, pool.well_known))
            by_pool.add(requirement);
    }
    out.open = by_pool.empty() ? 0 : intern_open(std::move(by_pool));
    out.masks.reserve(options.types.size());
    bool any = false;
    bool any_beyond = false;
    std::vector<OfferingMask> beyond;
    for (const TypeOption& option : options.types) {
        const OfferingMask among = option.offerings | option.beyond_limits;
        const OfferingMask mask =
            by_type.empty() ? among
                            : allowed_offerings(type(pool_index, option), option.first, by_type, among);
        any |= mask != 0;
        any_beyond |= (mask & option.beyond_limits) != 0;
        out.masks.push_back(mask & option.offerings);
        beyond.push_back(mask & option.beyond_limits);
    }
    if (any_beyond) out.beyond_limits = std::move(beyond);
    if (!any) {
        out.rule = Rule::kNoOffering;
        out.detail = by_type.to_string();
        return out;
    }
    out.possible = true;
    return out;
}

void Problem::make_group_matches(Group& group) {
    for (const Requirements* wanted : group.alternatives) {
        std::vector<Match>& row = group.matches.emplace_back();
        for (PoolIndex pool = 0; pool < pools_.size(); ++pool) {
            row.push_back(match(*group.shape, *wanted, pool));
            heed_daemons(group, pool, row.back());
        }
    }
    add_any_of_required(group);
}

}  // namespace joiner::plan
