#include "plan/disrupt/home_pool.h"

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "rules/daemon.h"
#include "rules/taints.h"

namespace joiner::plan {
namespace {

// What a node of the pool that the launch becomes is known to say of itself.
rules::Requirements labels_of_machine(const model::PoolView& pool, const rules::InstanceType& type,
                                      const MachineSpec& spec) {
    rules::Requirements out = pool.requirements;
    out.add_all(type.requirements);
    for (const auto& [key, value] :
         {std::pair(api::kZoneLabel, spec.zone), std::pair(api::kCapacityTypeLabel, spec.capacity_type)})
        out.add(rules::Requirement::in(std::string(key), {value}));
    return out;
}

const rules::InstanceType* type_named(const model::PoolView& pool, const std::string& name) {
    if (pool.types == nullptr) return nullptr;
    const auto it = std::find_if(pool.types->begin(), pool.types->end(),
                                 [&](const rules::InstanceType& type) { return type.name == name; });
    return it == pool.types->end() ? nullptr : &*it;
}

bool is_sold_at(const rules::InstanceType& type, const MachineSpec& spec) {
    return std::any_of(type.offerings.begin(), type.offerings.end(), [&](const rules::Offering& one) {
        return one.available && one.zone() == spec.zone && one.capacity_type() == spec.capacity_type &&
               one.price == spec.price;
    });
}

}  // namespace

HomePools::HomePools(const model::Snapshot& snapshot, std::function<std::string(model::PodIndex)> from,
                     std::function<bool(std::string_view)> may_take)
    : snapshot_(snapshot), from_(std::move(from)), may_take_(std::move(may_take)) {
    for (model::PoolIndex i = 0; i < snapshot.pools.size(); ++i) pools_.emplace(snapshot.pools[i].name, i);
    const auto add = [&](const rules::PodConstraints& asked) {
        for (const auto* terms : {&asked.affinity, &asked.anti_affinity, &asked.preferred_affinity,
                                  &asked.preferred_anti_affinity}) {
            for (const rules::PodTerm& term : *terms) topology_keys_.insert(term.topology_key);
        }
        for (const rules::SpreadTerm& term : asked.spread) topology_keys_.insert(term.topology_key);
        for (const rules::TogetherTerm& term : asked.together) topology_keys_.insert(term.topology_key);
    };
    for (const model::PodView& pod : snapshot.pods) add(pod.shape->constraints);
    for (const model::StandingPods& one : snapshot.standing) {
        if (one.shape != nullptr) add(one.shape->constraints);
    }
}

model::PoolIndex HomePools::of(const Launch& launch) const {
    std::map<std::string, std::size_t> count;
    for (const model::PodIndex pod : launch.pods) ++count[from_(pod)];
    const auto most = std::max_element(count.begin(), count.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    const model::PoolIndex own = launch.spec->pool;
    if (most == count.end()) return own;
    const auto home = pools_.find(most->first);
    if (home == pools_.end() || home->second == own || !may_take_(most->first) ||
        !may_take_(snapshot_.pools[own].name) || !could_be_of(snapshot_.pools[home->second], launch))
        return own;
    return home->second;
}

bool HomePools::could_be_of(const model::PoolView& other, const Launch& launch) const {
    const MachineSpec& spec = *launch.spec;
    const model::PoolView& own = snapshot_.pools[spec.pool];
    const rules::InstanceType* type = type_named(own, spec.types.front());
    const rules::InstanceType* its = type_named(other, spec.types.front());
    if (type == nullptr || its == nullptr || !is_sold_at(*its, spec) || own.node_cost != other.node_cost ||
        its->capacity != type->capacity || its->overhead != type->overhead)
        return false;
    const rules::Requirements before = labels_of_machine(own, *type, spec);
    const rules::Requirements after = labels_of_machine(other, *its, spec);
    const bool contradicts = std::any_of(
        after.begin(), after.end(), [](const auto& one) { return one.is_empty() && !one.allows_absence(); });
    if (contradicts) return false;
    for (const std::string_view key : topology_keys_) {
        const rules::Requirement* a = before.find(key);
        const rules::Requirement* b = after.find(key);
        if ((a == nullptr) != (b == nullptr) || (a != nullptr && !(*a == *b))) return false;
    }
    const bool same_daemons =
        std::all_of(snapshot_.daemons.begin(), snapshot_.daemons.end(), [&](const model::DaemonView& daemon) {
            return rules::daemon_lands(*daemon.shape, before, own.taints, &own.well_known) ==
                   rules::daemon_lands(*daemon.shape, after, other.taints, &other.well_known);
        });
    return same_daemons && std::all_of(launch.pods.begin(), launch.pods.end(), [&](model::PodIndex pod) {
               const rules::PodShape& shape = *snapshot_.pods[pod].shape;
               return rules::untolerated_taint(shape.tolerations, other.taints) == nullptr &&
                      std::any_of(shape.required.begin(), shape.required.end(), [&](const auto& wanted) {
                          return rules::compatible(after, wanted, &other.well_known);
                      });
           });
}

}  // namespace joiner::plan
