#include "control/hedges.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/launch_request.h"
#include "act/launcher.h"
#include "act/object_writer.h"
#include "api/names.h"
#include "base/hash.h"
#include "model/hedge.h"
#include "observe/log.h"

namespace joiner::control {
namespace {

constexpr const char* kHedgesMetric = "joiner_hedged_launches_total";
constexpr std::string_view kSlowReason = "hedged";  // Why a claim goes, as the metrics name it.

std::string_view pool_name_of(const api::NodeClaim& claim) {
    return api::find_or_empty(claim.meta.labels, api::kNodePoolLabel);
}

// Always the same for a claim, so that it is not made twice.
std::string hedge_name(const api::NodeClaim& claim) {
    Rng rng(fnv1a(claim.meta.uid, kFnvOffset));
    return act::make_claim_name(std::string(pool_name_of(claim)), rng);
}

// The requirement that the label is none of the value, together with what is asked of it.
void leave_out(std::string_view key, std::string_view value, std::vector<api::SelectorRequirement>& out) {
    for (api::SelectorRequirement& each : out) {
        if (each.key != key || each.op != "In") continue;
        std::erase(each.values, value);
        return;
    }
    out.push_back({std::string(key), "NotIn", {std::string(value)}, {}});
}

bool asks_for_many_values(const api::NodeClaim& claim) {
    return std::any_of(claim.requirements.begin(), claim.requirements.end(),
                       [](const auto& one) { return one.min_values.has_value(); });
}

}  // namespace

void Hedges::look() {
    std::set<std::string> still_there;
    std::vector<const api::NodeClaim*> slow;
    for (const auto& [name, state] : services_.cluster.our_claims()) {
        const api::NodeClaim& claim = state.claim;
        if (asked_.contains(claim.meta.uid)) still_there.insert(claim.meta.uid);
        if (claim.meta.deleted) continue;
        if (const model::ClaimState* hedged = model::hedged_by(services_.cluster, claim)) {
            settle(claim, hedged->claim);
        } else if (is_slow(claim) && is_urgent(name)) {
            slow.push_back(&claim);
        }
    }
    asked_ = std::move(still_there);
    for (const api::NodeClaim* claim : slow) ask(*claim);
}

// Where both have a machine, the first one's was asked for by the plan.
void Hedges::settle(const api::NodeClaim& hedge, const api::NodeClaim& hedged) {
    const bool is_answered = !hedged.provider_id.empty();
    if (!is_answered && hedge.provider_id.empty()) return;
    const api::NodeClaim& loser = is_answered ? hedge : hedged;
    if (lifecycle_.is_deleting(loser.meta.name)) return;
    metrics_.count(kHedgesMetric, {{"result", is_answered ? "not_needed" : "won"}});
    observe::log_info("hedges", "removing the slower of two claims for the same pods",
                      {{"NodeClaim", loser.meta.name}, {"stays", (is_answered ? hedged : hedge).meta.name}});
    lifecycle_.delete_claim(loser.meta.name, std::string(kSlowReason));
}

// An error is an answer.
bool Hedges::is_slow(const api::NodeClaim& claim) const {
    if (!options_.hedge_priority || !claim.provider_id.empty() || asked_.contains(claim.meta.uid) ||
        services_.loop.now() - claim.meta.created < options_.hedge_after || pool_name_of(claim).empty() ||
        claim.meta.annotations.contains(std::string(model::kHedgedByAnnotation)) ||
        claim.meta.annotations.contains(std::string(model::kHedgeOfAnnotation)))
        return false;
    const api::Condition* launched = api::find_condition(claim.conditions, "Launched");
    return launched == nullptr || launched->reason != "LaunchFailed";
}

bool Hedges::is_urgent(const std::string& claim) const {
    const auto pods = provisioner_.planned().pods_of(claim);
    return std::any_of(pods.begin(), pods.end(), [&](const model::PodKey& key) {
        const model::PodState* pod = services_.cluster.find_pod(key);
        return pod != nullptr && pod->priority >= *options_.hedge_priority;
    });
}

std::optional<api::NodeClaim> Hedges::hedge_of(const api::NodeClaim& claim) const {
    const model::PoolState* pool = services_.cluster.find_pool(pool_name_of(claim));
    // A static pool would have one node too many.
    if (pool == nullptr || pool->pool.replicas || pool->pool.node_template.node_class != claim.node_class ||
        asks_for_many_values(claim))
        return std::nullopt;
    const cloud::InstanceTypes types = services_.offers.all_types(pool->pool);
    if (types == nullptr) return std::nullopt;
    const auto choices = [&](const api::NodeClaim& of) {
        return act::launch_choices(
            of, *types, services_.providers.of(of.node_class).labels().well_known,
            [&](const rules::OfferingKey& key) { return services_.offers.stock(of.node_class, key); });
    };
    const std::vector<cloud::LaunchChoice> first = choices(claim);
    if (first.empty()) return std::nullopt;
    const rules::OfferingKey key = first.front().key();
    api::NodeClaim out;
    out.meta.name = hedge_name(claim);
    out.meta.finalizers = claim.meta.finalizers;
    out.meta.owners = claim.meta.owners;
    out.meta.labels = claim.meta.labels;
    out.meta.annotations = claim.meta.annotations;
    out.meta.annotations.erase(std::string(api::kLaunchGroupAnnotation));
    out.meta.annotations[std::string(model::kHedgeOfAnnotation)] = claim.meta.name;
    out.taints = claim.taints;
    out.startup_taints = claim.startup_taints;
    out.requests = claim.requests;
    out.node_class = claim.node_class;
    out.termination_grace_period = claim.termination_grace_period;
    out.expire_after = claim.expire_after;
    // Another zone of the same type is the next best more often than another type.
    for (const auto& [label, value] : {std::pair(api::kZoneLabel, std::string_view(key.zone)),
                                       std::pair(api::kInstanceTypeLabel, std::string_view(key.type))}) {
        out.requirements = claim.requirements;
        leave_out(label, value, out.requirements);
        const std::vector<cloud::LaunchChoice> left = choices(out);
        if (!left.empty() && is_within_limits(pool->pool.meta.name, left)) return out;
    }
    return std::nullopt;
}

bool Hedges::is_within_limits(const std::string& pool,
                              const std::vector<cloud::LaunchChoice>& choices) const {
    const model::Snapshot now = provisioner_.make_snapshot(KeptPlaces::For::kProvisioning);
    bool is_bought_from = false;
    for (const model::PoolView& view : now.pools) {
        if (view.pool.meta.name != pool || view.is_reservation) continue;
        is_bought_from = true;
        for (const auto& [name, left] : view.remaining) {
            std::int64_t most = 1;
            if (name != "nodes") {
                most = 0;
                for (const cloud::LaunchChoice& choice : choices)
                    most = std::max(most, choice.type->capacity.get(name));
            }
            if (most > left) return false;
        }
    }
    return is_bought_from;
}

// Written on the claim first: what comes to nothing then is not asked for again.
void Hedges::ask(const api::NodeClaim& claim) {
    asked_.insert(claim.meta.uid);
    std::optional<api::NodeClaim> hedge = hedge_of(claim);
    if (!hedge) return metrics_.count(kHedgesMetric, {{"result", "impossible"}});
    const std::string body = act::dump(
        {{"metadata", {{"annotations", {{std::string(model::kHedgedByAnnotation), hedge->meta.name}}}}}});
    services_.client.patch(
        kube::kNodeClaims, "", claim.meta.name, "", kube::PatchType::kMerge, body,
        [this, hedge = std::move(*hedge), uid = claim.meta.uid](const Result<std::string>& written) {
            if (!written) {
                asked_.erase(uid);
                return;
            }
            const std::string hedged(api::find_or_empty(hedge.meta.annotations, model::kHedgeOfAnnotation));
            metrics_.count(kHedgesMetric, {{"result", "asked"}});
            observe::log_info("hedges", "asking for a machine a second time: the launch is slow",
                              {{"NodeClaim", hedged}, {"hedge", hedge.meta.name}});
            act::create_claim(services_, hedge, kSlowReason, [this, hedge](const Status& made) {
                if (!made) services_.notices.failed("create NodeClaim " + hedge.meta.name, made.error());
            });
        });
}

}  // namespace joiner::control
