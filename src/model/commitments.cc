#include "model/commitments.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "api/names.h"
#include "model/reservations.h"

namespace joiner::model {
namespace {

using rules::Commitment;
using rules::InstanceType;
using rules::Money;
using rules::Offering;
using rules::Requirement;

// Commitments are for shared hardware.
constexpr std::string_view kTenancy = "karpenter.k8s.aws/instance-tenancy";
constexpr std::string_view kSharedTenancy = "default";
// What nodes of managed node groups say in place of the capacity type.
constexpr std::string_view kNodeGroupCapacity = "eks.amazonaws.com/capacityType";

bool is_on_demand(const Offering& offering) {
    return offering.capacity_type() == api::kOnDemand;
}

// In the zone; in any, where it is sold in this one no more. 0 where it is sold in none.
Money on_demand_price(const InstanceType& type, std::string_view zone) {
    Money out;
    for (const Offering& offering : type.offerings) {
        if (!is_on_demand(offering)) continue;
        if (offering.zone() == zone) return offering.price;
        if (out.nanos == 0 || offering.price < out) out = offering.price;
    }
    return out;
}

class MachineFinder {
  public:
    MachineFinder(const Cluster& cluster,
                  const std::function<rules::InstanceTypes(const api::NodePool&)>& types)
        : cluster_(cluster) {
        for (const auto& [name, state] : cluster.our_pools()) {
            rules::InstanceTypes own = types(state.pool);
            if (own == nullptr) continue;
            ByName& known = by_name_[own.get()];
            if (known.empty()) {
                for (const InstanceType& type : *own) known.emplace(type.name, &type);
                out_.held.push_back(own);
            }
            of_pool_.emplace(name, &known);
        }
    }

    void add(const api::NodeClaim& claim) {
        const NodeState* node = cluster_.node_of(claim);
        const auto value = [&](std::string_view key) {
            const std::string_view label =
                node == nullptr ? std::string_view{} : api::find_or_empty(node->node.meta.labels, key);
            return label.empty() ? settled_value(claim, key) : std::string(label);
        };
        if (value(api::kCapacityTypeLabel) != api::kOnDemand || value(kTenancy) == "dedicated") return;
        const std::string_view pool = api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
        const std::string zone = value(api::kZoneLabel);
        const std::string name = value(api::kInstanceTypeLabel);
        put(claim.meta.name, name.empty() ? cheapest_listed(claim, pool, zone) : find(pool, name), zone,
            value(api::kOSLabel));
    }

    void add(const api::Node& node) {
        const auto label = [&](std::string_view key) { return api::find_or_empty(node.meta.labels, key); };
        const std::string_view capacity_type = label(api::kCapacityTypeLabel);
        if (!capacity_type.empty() && capacity_type != api::kOnDemand) return;
        if (const std::string_view of_group = label(kNodeGroupCapacity);
            !of_group.empty() && of_group != "ON_DEMAND")
            return;
        put(node.meta.name, find(label(api::kNodePoolLabel), label(api::kInstanceTypeLabel)),
            std::string(label(api::kZoneLabel)), std::string(label(api::kOSLabel)));
    }

    OnDemandMachines take() { return std::move(out_); }

  private:
    using ByName = std::unordered_map<std::string_view, const InstanceType*>;

    const InstanceType* find(std::string_view pool, std::string_view name) const {
        if (const auto own = of_pool_.find(pool); own != of_pool_.end()) {
            const auto it = own->second->find(name);
            return it == own->second->end() ? nullptr : it->second;
        }
        for (const auto& [of, known] : of_pool_) {
            if (const auto it = known->find(name); it != known->end()) return it->second;
        }
        return nullptr;
    }

    const InstanceType* cheapest_listed(const api::NodeClaim& claim, std::string_view pool,
                                        std::string_view zone) const {
        const InstanceType* out = nullptr;
        for (const api::SelectorRequirement& requirement : claim.requirements) {
            if (requirement.key != api::kInstanceTypeLabel || requirement.op != "In") continue;
            for (const std::string& name : requirement.values) {
                const InstanceType* type = find(pool, name);
                if (type == nullptr) continue;
                if (out == nullptr || std::pair(on_demand_price(*type, zone), std::string_view(type->name)) <
                                          std::pair(on_demand_price(*out, zone), std::string_view(out->name)))
                    out = type;
            }
        }
        return out;
    }

    void put(const std::string& owner, const InstanceType* type, std::string zone, std::string os) {
        if (type == nullptr) return;
        const Money price = on_demand_price(*type, zone);
        out_.owners.push_back(owner);
        out_.machines.push_back({type, std::move(zone), os.empty() ? "linux" : std::move(os), price});
    }

    const Cluster& cluster_;
    std::map<const void*, ByName> by_name_;
    std::map<std::string_view, const ByName*> of_pool_;
    OnDemandMachines out_;
};

// The types that the part has, at their price there, counting what they take of the commitment.
std::vector<InstanceType> paid_types(const PoolView& pool, const Commitment& commitment, std::int64_t left) {
    std::vector<InstanceType> out;
    for (const InstanceType& type : *pool.types) {
        std::vector<Offering> offerings;
        std::int64_t units = 0;
        for (const Offering& offering : type.offerings) {
            if (!offering.available || !is_on_demand(offering)) continue;
            const std::int64_t its =
                rules::units_taken(commitment, type, offering.zone(), commitment.os, offering.price);
            if (its <= 0 || its > left || !rules::intersects(pool.requirements, offering.requirements))
                continue;
            units = std::max(units, its);
            offerings.push_back(offering);
            offerings.back().price.nanos = std::max<std::int64_t>(1, offering.price.nanos / kPaidForAlready);
        }
        if (offerings.empty() || !rules::intersects(pool.requirements, type.requirements)) continue;
        InstanceType& paid = out.emplace_back(type);
        paid.offerings = std::move(offerings);
        paid.capacity.set(kCommitmentResource, units);
    }
    return out;
}

// What the part's machines could count against the limits at most, moved to it from what the rest may buy.
void share_most(PoolView& rest, PoolView& part, std::int64_t left) {
    part.remaining.clear();
    for (auto& [name, there] : rest.remaining) {
        double most = 0;
        for (const InstanceType& type : *part.types) {
            const auto each = static_cast<double>(name == "nodes" ? 1 : type.capacity.get(name));
            most = std::max(most, each * static_cast<double>(left / type.capacity.get(kCommitmentResource)));
        }
        const auto bound = static_cast<double>(std::max<std::int64_t>(0, there));
        const auto share = static_cast<std::int64_t>(std::min(most, bound));
        part.remaining.emplace_back(name, there < 0 ? there : share);
        there -= share;
    }
    part.remaining.emplace_back(kCommitmentResource, left);
}

}  // namespace

OnDemandMachines on_demand_machines(const Cluster& cluster,
                                    const std::function<rules::InstanceTypes(const api::NodePool&)>& types,
                                    const std::set<std::string, std::less<>>* without) {
    MachineFinder finder(cluster, types);
    for (const auto& [name, state] : cluster.claims()) {
        if (!state.claim.meta.deleted && (without == nullptr || !without->contains(name)))
            finder.add(state.claim);
    }
    for (const auto& [name, state] : cluster.nodes()) {
        if (!state.node.meta.deleted && cluster.claim_of(state.node) == nullptr) finder.add(state.node);
    }
    return finder.take();
}

std::vector<PoolView> split_by_commitment(PoolView view, const rules::Commitments& commitments,
                                          const std::vector<std::int64_t>& left) {
    std::vector<PoolView> parts;
    for (std::size_t i = 0; i < commitments.size() && view.types != nullptr; ++i) {
        const Commitment& commitment = commitments[i];
        if (left[i] <= 0) continue;
        PoolView part = view;
        part.requirements.add(
            Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(api::kOnDemand)}));
        part.requirements.add(Requirement::in(std::string(api::kOSLabel), {commitment.os}));
        if (!commitment.zone.empty())
            part.requirements.add(Requirement::in(std::string(api::kZoneLabel), {commitment.zone}));
        if (view.well_known.contains(kTenancy))
            part.requirements.add(Requirement::in(std::string(kTenancy), {std::string(kSharedTenancy)}));
        const bool is_none = std::any_of(part.requirements.begin(), part.requirements.end(),
                                         [](const Requirement& one) { return one.is_empty(); });
        if (is_none) continue;
        part.types = std::make_shared<const std::vector<InstanceType>>(paid_types(part, commitment, left[i]));
        if (part.types->empty()) continue;
        part.is_reservation = true;
        part.commitment = commitment.name;
        part.types_at_list_price = view.types;
        if (view.remaining_without_reservations.empty()) view.remaining_without_reservations = view.remaining;
        share_most(view, part, left[i]);
        parts.push_back(std::move(part));
    }
    std::vector<PoolView> out;
    out.push_back(std::move(view));
    std::move(parts.begin(), parts.end(), std::back_inserter(out));
    return out;
}

Money list_price(const PoolView& part, std::string_view type, std::string_view zone) {
    for (const InstanceType& one : *part.types_at_list_price) {
        if (one.name == type) return on_demand_price(one, zone);
    }
    return {};
}

Money most_saved(const std::vector<PoolView>& pools) {
    std::map<std::string_view, double> by_commitment;
    for (const PoolView& part : pools) {
        if (part.commitment.empty()) continue;
        std::unordered_map<std::string_view, Money> paid;
        for (const InstanceType& type : *part.types) paid.emplace(type.name, Money{});
        for (const InstanceType& type : *part.types_at_list_price) {
            const auto it = paid.find(type.name);
            if (it == paid.end()) continue;
            for (const Offering& offering : type.offerings) {
                if (is_on_demand(offering)) it->second = std::max(it->second, offering.price);
            }
        }
        double a_unit = 0;
        for (const InstanceType& type : *part.types) {
            a_unit = std::max(a_unit, static_cast<double>(paid.at(type.name).nanos) /
                                          static_cast<double>(type.capacity.get(kCommitmentResource)));
        }
        double& most = by_commitment[part.commitment];
        for (const auto& [name, left] : part.remaining) {
            if (name == kCommitmentResource) most = std::max(most, a_unit * static_cast<double>(left));
        }
    }
    Money out;
    for (const auto& [name, most] : by_commitment)
        out += Money{static_cast<std::int64_t>(std::min(std::ceil(most), 9e18))};
    return out;
}

}  // namespace joiner::model
