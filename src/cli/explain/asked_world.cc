#include "cli/explain/asked_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/names.h"
#include "cli/explain/answer.h"
#include "cli/missing_claims.h"
#include "rules/node_pool_rules.h"

namespace joiner::cli {
namespace {

constexpr double kPlanSeconds = 0.5;
constexpr std::uint64_t kEffortForOne = 1'000'000;

}  // namespace

Result<std::unique_ptr<AskedWorld>> AskedWorld::make(ClusterRead read, const std::string& instance_types,
                                                     std::string asked_pod, WallTime now) {
    TRY(PoolTypes types, PoolTypes::load(instance_types));
    std::unique_ptr<AskedWorld> out(new AskedWorld(std::move(types), now));
    out->manifests_ = std::move(read.manifests);
    for (const NotRead& one : read.not_read) out->not_read_.push_back(in_words(one));
    out->world_.asked_pod = std::move(asked_pod);
    TRY_STATUS(fill_world(out->manifests_, now, out->world_));
    out->warnings_ = out->world_.warnings;
    out->overlaid_ = model::overlaid_types(out->world_.cluster,
                                           [&](const api::NodePool& pool) { return out->types_.of(pool); });
    out->labels_ = out->types_.labels();
    AskedWorld* const self = out.get();
    out->inputs_.types = [self](const api::NodePool& pool) { return self->types_of(pool); };
    out->inputs_.well_known = [self](const auto&) { return self->labels_.well_known; };
    out->inputs_.types_source = out->types_.source();
    out->inputs_.is_usable = [self](const api::NodePool& pool) { return self->why_unused(pool).empty(); };
    out->inputs_.now = now;
    return out;
}

void AskedWorld::add_claims() {
    add_missing_claims(world_.cluster);
}

std::string AskedWorld::why_unused(const api::NodePool& pool) const {
    if (pool.meta.deleted) return "it is being deleted";
    if (!pool.spec_problem.empty()) return pool.spec_problem;
    if (std::string problems = rules::validate_node_pool(pool, labels_); !problems.empty()) return problems;
    if (pool.replicas)
        return fmt::format("it is static, keeps its {} nodes and buys none for pods", *pool.replicas);
    const api::Condition* ready = api::find_condition(pool.conditions, "Ready");
    if (ready == nullptr || ready->status == "True") return {};
    std::string out =
        fmt::format("it is not ready ({})", ready->reason.empty() ? ready->status : ready->reason);
    if (!ready->message.empty()) out += ": " + ready->message;
    return out;
}

rules::InstanceTypes AskedWorld::types_of(const api::NodePool& pool) const {
    const auto there = overlaid_.by_pool.find(pool.meta.name);
    return there == overlaid_.by_pool.end() ? nullptr : there->second;
}

std::optional<rules::Money> AskedWorld::price_of(const api::Node& node) {
    const auto label = [&](std::string_view key) { return api::find_or_empty(node.meta.labels, key); };
    const model::PoolState* pool = cluster().find_pool(label(api::kNodePoolLabel));
    rules::InstanceTypes types = pool == nullptr ? nullptr : types_of(pool->pool);
    if (types == nullptr) types = types_.of({});
    const std::string_view capacity_type =
        label(api::kCapacityTypeLabel).empty() ? api::kOnDemand : label(api::kCapacityTypeLabel);
    for (const rules::InstanceType& type : *types) {
        if (type.name != label(api::kInstanceTypeLabel)) continue;
        for (const rules::Offering& offering : type.offerings) {
            if (offering.zone() == label(api::kZoneLabel) && offering.capacity_type() == capacity_type)
                return offering.price;
        }
    }
    return std::nullopt;
}

plan::Plan AskedWorld::plan(const model::Snapshot& snapshot) const {
    plan::ProvisionOptions options;
    const auto start = std::chrono::steady_clock::now();
    options.clock = [start] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    options.budget_seconds = kPlanSeconds;
    return plan::plan_provisioning(snapshot, options);
}

plan::ProvisionOptions AskedWorld::options_for_one() const {
    plan::ProvisionOptions out;
    out.effort = kEffortForOne;
    return out;
}

plan::DisruptionFacts AskedWorld::disruption_facts() const {
    return {cluster(), no_pods_, no_claims_, no_events_, inputs_.types, nullptr, nullptr};
}

plan::DisruptionGate AskedWorld::gate() const {
    return plan::DisruptionGate({cluster(), no_claims_, nothing_held_, nothing_moved_}, now_);
}

std::string words_of(const plan::MachineSpec& spec) {
    std::string out = spec.types.empty() ? "a machine of the provider's choice" : spec.types.front();
    if (!spec.zone.empty()) out += " in " + spec.zone;
    if (!spec.capacity_type.empty()) out += ", " + spec.capacity_type;
    return fmt::format("{}, {}", out, an_hour(spec.price));
}

std::string machine_of(const api::Node& node) {
    const auto label = [&](std::string_view key) { return api::find_or_empty(node.meta.labels, key); };
    const std::string_view type = label(api::kInstanceTypeLabel);
    std::string out = type.empty() ? "a machine of unknown type" : std::string(type);
    if (!label(api::kZoneLabel).empty()) out += fmt::format(" in {}", label(api::kZoneLabel));
    if (!label(api::kCapacityTypeLabel).empty()) out += fmt::format(", {}", label(api::kCapacityTypeLabel));
    return out;
}

}  // namespace joiner::cli
