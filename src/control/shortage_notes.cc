#include "control/shortage_notes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "model/make_snapshot.h"

namespace joiner::control {
namespace {

constexpr Duration kBetweenStockLooks = std::chrono::minutes{1};
constexpr std::size_t kMostStockGauges = 1'000;
constexpr std::size_t kMostNamed = 5;

bool sells(const rules::InstanceType& type, const rules::OfferingKey& key, const rules::Requirements& wanted,
           const rules::WellKnownLabels& well_known) {
    return rules::intersects(wanted, type.requirements) &&
           std::any_of(type.offerings.begin(), type.offerings.end(), [&](const rules::Offering& offering) {
               return rules::key_of(type, offering) == key &&
                      rules::compatible(wanted, offering.requirements, &well_known);
           });
}

}  // namespace

void ShortageNotes::look() {
    const WallTime now = services_.loop.now();
    if (now < look_after_) return;
    const std::vector<ShortagesOfClass> remembered = shortages_.remembered();
    if (remembered.empty() && !has_said_) return;
    look_after_ = now + kBetweenStockLooks;
    has_said_ = !remembered.empty();
    show(remembered);
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const auto of = std::find_if(remembered.begin(), remembered.end(), [&](const ShortagesOfClass& each) {
            return each.node_class == state.pool.node_template.node_class;
        });
        say_of_pool_(name, of == remembered.end() ? std::string() : message_for(state.pool, *of));
    }
}

void ShortageNotes::show(const std::vector<ShortagesOfClass>& remembered) {
    std::size_t shown = 0;
    for (const ShortagesOfClass& of : remembered) {
        for (const auto& [key, shortage] : of.offerings) {
            if (++shown > kMostStockGauges) break;
            gauges_.set("joiner_offering_sold_out",
                        {{"nodeclass", of.node_class.name},
                         {"instance_type", key.type},
                         {"zone", key.zone},
                         {"capacity_type", key.capacity_type}},
                        shortage.until > services_.loop.now() ? 1 : 0);
        }
    }
    gauges_.end_pass();
}

std::string ShortageNotes::message_for(const api::NodePool& pool, const ShortagesOfClass& of) const {
    const cloud::InstanceTypes types = services_.offers.all_types(pool);
    if (types == nullptr) return {};
    std::unordered_map<std::string_view, const rules::InstanceType*> by_name;
    for (const rules::InstanceType& type : *types) by_name.emplace(type.name, &type);
    const rules::Requirements wanted = model::make_pool_view(pool, {}, 0).requirements;
    const rules::WellKnownLabels& well_known = services_.providers.of(of.node_class).labels().well_known;
    std::vector<std::string> left_alone;
    for (const auto& [key, shortage] : of.offerings) {
        const auto type = by_name.find(key.type);
        if (shortage.until <= services_.loop.now() || type == by_name.end() ||
            !sells(*type->second, key, wanted, well_known))
            continue;
        left_alone.push_back(
            fmt::format("{} until {}", rules::to_string(key), format_rfc3339(shortage.until)));
    }
    if (left_alone.empty()) return {};
    const std::size_t more = left_alone.size() - std::min(left_alone.size(), kMostNamed);
    left_alone.resize(left_alone.size() - more);
    return fmt::format("launches found sold out, and leave alone: {}{}", fmt::join(left_alone, ", "),
                       more == 0 ? std::string() : fmt::format(" and {} more", more));
}

}  // namespace joiner::control
