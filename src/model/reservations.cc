#include "model/reservations.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "api/names.h"

namespace joiner::model {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;

bool is_reserved(const Offering& offering) {
    return offering.capacity_type() == api::kReserved;
}

// `nodes` of the type, moved from what the rest may buy to what the part may.
void share_limits(PoolView& rest, PoolView& part, const InstanceType& type, std::int64_t& nodes) {
    for (const auto& [name, left] : rest.remaining) {
        const std::int64_t each = name == "nodes" ? 1 : type.capacity.get(name);
        if (each > 0) nodes = std::clamp<std::int64_t>(left / each, 0, nodes);
    }
    part.remaining.clear();
    for (auto& [name, left] : rest.remaining) {
        if (name == "nodes") {
            left -= nodes;
            continue;
        }
        const std::int64_t share = nodes * type.capacity.get(name);
        part.remaining.emplace_back(name, share);
        left -= share;
    }
    part.remaining.emplace_back("nodes", nodes);
}

}  // namespace

std::string settled_value(const api::NodeClaim& claim, std::string_view key) {
    if (const std::string_view label = api::find_or_empty(claim.meta.labels, key); !label.empty())
        return std::string(label);
    for (const api::SelectorRequirement& requirement : claim.requirements) {
        if (requirement.key == key && requirement.op == "In" && requirement.values.size() == 1)
            return requirement.values.front();
    }
    return {};
}

void note_reserved(const api::NodeClaim& claim, ReservationsUsed& used) {
    if (settled_value(claim, api::kCapacityTypeLabel) != api::kReserved) return;
    ++used[{settled_value(claim, api::kInstanceTypeLabel), settled_value(claim, api::kZoneLabel)}];
}

ReservationsUsed reservations_used(const Cluster& cluster, const ClaimNames* gives_back) {
    ReservationsUsed out;
    for (const auto& [name, state] : cluster.claims()) {
        if (gives_back == nullptr || !gives_back->contains(name)) note_reserved(state.claim, out);
    }
    return out;
}

std::int64_t reservation_left(const InstanceType& type, const Offering& offering,
                              const ReservationsUsed& used) {
    const auto it = used.find({type.name, std::string(offering.zone())});
    const std::int64_t taken = it == used.end() ? 0 : it->second;
    return offering.reservation_capacity - taken;
}

bool holds_reservation(const api::NodeClaim& claim, const InstanceType& type, const Offering& offering) {
    ReservationsUsed its;
    note_reserved(claim, its);
    return its.contains({type.name, std::string(offering.zone())});
}

std::vector<PoolView> split_by_reservation(PoolView view, const ReservationsUsed& used) {
    std::vector<PoolView> out;
    const bool has_some = view.types != nullptr &&
                          std::any_of(view.types->begin(), view.types->end(), [](const InstanceType& type) {
                              return std::any_of(type.offerings.begin(), type.offerings.end(), is_reserved);
                          });
    if (!has_some) {
        out.push_back(std::move(view));
        return out;
    }
    view.remaining_without_reservations = view.remaining;
    std::vector<InstanceType> others;
    std::vector<PoolView> parts;
    for (const InstanceType& type : *view.types) {
        InstanceType open = type;
        std::erase_if(open.offerings, is_reserved);
        for (const Offering& offering : type.offerings) {
            if (!is_reserved(offering) || !offering.available) continue;
            std::int64_t nodes = reservation_left(type, offering, used);
            if (nodes <= 0 || !rules::intersects(view.requirements, offering.requirements)) continue;
            PoolView part = view;
            part.is_reservation = true;
            share_limits(view, part, type, nodes);
            if (nodes <= 0) continue;
            InstanceType only = type;
            only.offerings = {offering};
            part.types = std::make_shared<const std::vector<InstanceType>>(std::vector<InstanceType>{only});
            part.requirements.add_all(offering.requirements);
            parts.push_back(std::move(part));
        }
        if (!open.offerings.empty()) others.push_back(std::move(open));
    }
    view.types = std::make_shared<const std::vector<InstanceType>>(std::move(others));
    out.push_back(std::move(view));
    std::move(parts.begin(), parts.end(), std::back_inserter(out));
    return out;
}

}  // namespace joiner::model
