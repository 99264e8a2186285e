#include "plan/provision/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
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

Problem::Problem(const model::Snapshot& snapshot) : snapshot_(&snapshot) {
    open_.emplace_back();
    open_ids_.emplace("", 0);
    find_dimensions();
    make_pools();
    make_classes();
    make_matches();
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
    for (std::size_t t = 0; t < pool.types->size(); ++t) {
        const InstanceType& type = (*pool.types)[t];
        OfferingMask mask = 0;
        for (std::size_t bit = 0; bit < type.offerings.size() && bit < kMaxOfferings; ++bit) {
            if (type.offerings[bit].available) mask |= OfferingMask{1} << bit;
        }
        mask = allowed_offerings(type, pool.requirements, mask);
        if (mask == 0) continue;
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
    if (out.types.empty()) out.nothing_because = "no instance type meets its requirements";
    return out;
}

void Problem::make_pools() {
    for (const model::PoolView& pool : snapshot_->pools) pools_.push_back(make_pool(pool));
}

void Problem::make_classes() {
    std::unordered_map<const rules::PodShape*, std::uint32_t> class_of;
    std::unordered_map<std::string_view, std::uint32_t> group_of;
    for (model::PodIndex i = 0; i < snapshot_->pods.size(); ++i) {
        const rules::PodShape* shape = snapshot_->pods[i].shape.get();
        if (!shape->problem.empty()) {
            rejected_.emplace_back(i, shape->problem);
            continue;
        }
        auto [it, is_new] = class_of.try_emplace(shape, static_cast<std::uint32_t>(classes_.size()));
        if (is_new) {
            auto [group, is_new_group] =
                group_of.try_emplace(shape->constraint_key, static_cast<std::uint32_t>(groups_.size()));
            if (is_new_group) {
                Group& made = groups_.emplace_back();
                made.shape = shape;
                for (const Requirements& one : shape->preferred) made.alternatives.push_back(&one);
                for (const Requirements& one : shape->required) made.alternatives.push_back(&one);
            }
            classes_.push_back({group->second, dense(shape->requests), shape, {}, {}, 0});
        }
        classes_[it->second].pods.push_back(i);
    }
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

void Problem::make_matches() {
    for (Group& group : groups_) {
        for (const Requirements* wanted : group.alternatives) {
            std::vector<Match>& row = group.matches.emplace_back();
            for (PoolIndex pool = 0; pool < pools_.size(); ++pool)
                row.push_back(match(*group.shape, *wanted, pool));
        }
    }
}

}  // namespace joiner::plan
