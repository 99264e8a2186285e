#include "plan/disrupt/drift.h"

#include <algorithm>
#include <tuple>

#include "api/names.h"
#include "rules/conditions.h"

namespace joiner::plan {
namespace {

constexpr std::string_view kTypeNotFound = "InstanceTypeNotFound";

bool has_pool_drifted(const api::NodeClaim& claim, const api::NodePool& pool) {
    const auto of = [](const api::ObjectMeta& meta, std::string_view key) {
        return api::find_or_empty(meta.annotations, key);
    };
    const std::string_view ours = of(pool.meta, api::kNodePoolHashAnnotation);
    const std::string_view its = of(claim.meta, api::kNodePoolHashAnnotation);
    const std::string_view version = of(pool.meta, api::kNodePoolHashVersionAnnotation);
    if (ours.empty() || its.empty() || version.empty()) return false;
    return version == of(claim.meta, api::kNodePoolHashVersionAnnotation) && ours != its;
}

bool have_requirements_drifted(const api::NodeClaim& claim, const api::NodePool& pool) {
    const auto wanted = rules::make_requirements(pool.node_template.requirements);
    if (!wanted) return false;
    rules::Requirements labels;
    labels.add_labels(claim.meta.labels);
    return !rules::compatible(labels, *wanted, nullptr);
}

// A node on a reservation that has ended goes on as an on-demand one.
bool is_offered(const rules::Offering& offering, const api::StringMap& labels) {
    const std::string_view its = api::find_or_empty(labels, api::kCapacityTypeLabel);
    return offering.zone() == api::find_or_empty(labels, api::kZoneLabel) &&
           (offering.capacity_type() == its ||
            (its == api::kReserved && offering.capacity_type() == api::kOnDemand));
}

bool is_type_gone(const api::NodeClaim& claim, const std::vector<rules::InstanceType>& types) {
    const std::string_view name = api::find_or_empty(claim.meta.labels, api::kInstanceTypeLabel);
    const auto type = std::find_if(types.begin(), types.end(),
                                   [&](const rules::InstanceType& each) { return each.name == name; });
    return type == types.end() ||
           std::none_of(type->offerings.begin(), type->offerings.end(), [&](const rules::Offering& offering) {
               return is_offered(offering, claim.meta.labels);
           });
}

}  // namespace

std::optional<std::string> drift_reason(const DriftQuestion& question, WallTime now) {
    const auto& [claim, pool, types, provider_reason] = question;
    if (has_pool_drifted(claim, pool)) return "NodePoolDrifted";
    if (have_requirements_drifted(claim, pool)) return "RequirementsDrifted";
    if (types != nullptr && now - claim.meta.created >= kCatalogueGrace && is_type_gone(claim, *types))
        return std::string(kTypeNotFound);
    const api::Condition* said = api::find_condition(claim.conditions, "Drifted");
    if (types == nullptr && said != nullptr && said->reason == kTypeNotFound) return std::nullopt;
    return provider_reason;
}

bool is_of_old_template(const api::NodeClaim& claim, const api::NodePool& pool) {
    return has_pool_drifted(claim, pool) || have_requirements_drifted(claim, pool);
}

std::optional<api::StringMap> restamped_hash(const api::NodeClaim& claim, const api::NodePool& pool) {
    const std::string_view version =
        api::find_or_empty(pool.meta.annotations, api::kNodePoolHashVersionAnnotation);
    const std::string_view hash = api::find_or_empty(pool.meta.annotations, api::kNodePoolHashAnnotation);
    if (version != api::kNodePoolHashVersion || hash.empty() ||
        api::find_or_empty(claim.meta.annotations, api::kNodePoolHashVersionAnnotation) == version)
        return std::nullopt;
    api::StringMap out = {{std::string(api::kNodePoolHashVersionAnnotation), std::string(version)}};
    if (!rules::is_true(claim.conditions, "Drifted"))
        out.emplace(api::kNodePoolHashAnnotation, std::string(hash));
    return out;
}

DriftPlan plan_drift(const DisruptionFacts& facts, WallTime now) {
    DriftPlan out;
    const CandidateFinder finder(facts, DisruptionClass::kEventual, now);
    struct Drifted {
        bool has_pods;
        WallTime since;
        Candidate candidate;
    };
    std::vector<Drifted> drifted;
    for (const auto& [name, state] : facts.cluster.our_claims()) {
        const api::Condition* condition = api::find_condition(state.claim.conditions, "Drifted");
        if (condition == nullptr || condition->status != "True" || finder.is_out_of_play(state)) continue;
        if (Reasons reasons = finder.obstacles(state); !reasons.empty()) {
            out.blocked.push_back(
                {name, facts.cluster.node_of(state.claim)->node.meta.name, std::move(reasons)});
            continue;
        }
        Candidate candidate = finder.make(state);
        // Static pools replace their nodes themselves.
        if (facts.cluster.find_pool(candidate.pool)->pool.replicas) continue;
        drifted.push_back({!candidate.pods.empty(), condition->last_transition, std::move(candidate)});
    }
    std::stable_sort(drifted.begin(), drifted.end(), [](const Drifted& a, const Drifted& b) {
        return std::tie(a.has_pods, a.since) < std::tie(b.has_pods, b.since);
    });
    for (Drifted& each : drifted) out.candidates.push_back(std::move(each.candidate));
    return out;
}

}  // namespace joiner::plan
