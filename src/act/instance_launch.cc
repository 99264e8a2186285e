#include "act/instance_launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "act/claim_status_patch.h"
#include "api/codec.h"
#include "api/names.h"
#include "base/cut.h"
#include "rules/conditions.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr Duration kAskInstanceAgain = std::chrono::seconds{5};
// A cloud that is asked a moment after it made an instance may not know it yet.
constexpr Duration kKnownBy = std::chrono::minutes{1};
// Of one claim, with fewer choices each time: then it is given up, and planned anew with what was learnt.
constexpr int kMostFalls = 20;

// Of a claim that may become nothing but what was sold out and is tried by as many launches as may.
constexpr std::string_view kOthersTry =
    "all that the claim may become was sold out, and others try first whether it is back";
constexpr int kTryAfterOthers = 1;  // Seconds.

// How long a claim's launch is not asked for again.
Duration patience_after(const Error& error) {
    constexpr Duration kNotAllowed = std::chrono::minutes{1};
    constexpr int kLongestWait = 300;  // Seconds; what a cloud asks for beyond it is not believed.
    if (error.kind == ErrorKind::kForbidden) return kNotAllowed;
    return std::chrono::seconds{std::clamp(error.retry_after_seconds, 0, kLongestWait)};
}

// Of a claim that is given up.
struct Ending {
    std::string event;   // The Event's reason.
    std::string reason;  // As the metrics name it.
};
Ending ending_of(ErrorKind kind) {
    if (kind == ErrorKind::kExhausted) return {"InsufficientCapacityError", "insufficient_capacity"};
    if (kind == ErrorKind::kNotReady) return {"NodeClassNotReady", "nodeclass_not_ready"};
    return {"LaunchFailed", "launch_refused"};
}

Json parse(const std::string& text) {
    return Json::parse(text);
}

}  // namespace

void InstanceLaunch::launch(const Claim& claim) {
    const std::string name = claim.meta.name;
    writer_.begin(claim_key(name));
    ensured_.insert(name);
    if (claim.provider_id.empty()) return buy(claim, kMostFalls);
    services_.providers.of(claim.node_class)
        .get(claim.provider_id, [this, name, uid = claim.meta.uid](Result<cloud::Instance> instance) {
            launched(name, uid, instance);
        });
}

// Asks for all that the claim may become; where the cloud has none of what it tried, for what is left then.
void InstanceLaunch::buy(const Claim& claim, int falls_left) {
    auto request = launch_request(claim);
    if (!request) return refuse(claim, request.error());
    auto asked = std::make_shared<const cloud::LaunchRequest>(std::move(*request));
    services_.offers.note_asked(*asked);
    services_.providers.of(claim.node_class)
        .create(*asked, [this, asked, falls_left](cloud::LaunchAnswer answer) {
            const api::ObjectMeta& meta = asked->claim.meta;
            services_.offers.note_launch(asked->claim, *asked, answer);
            const model::ClaimState* state = services_.cluster.find_claim(meta.name);
            const bool is_there = state != nullptr && state->claim.meta.uid == meta.uid;
            const bool is_sold_out =
                !answer.instance && answer.instance.error().kind == ErrorKind::kExhausted;
            if (is_there && is_sold_out && !state->claim.meta.deleted && falls_left > 0) {
                const auto rest = launch_request(state->claim);
                if (rest && rest->choices != asked->choices) return buy(state->claim, falls_left - 1);
            }
            launched(meta.name, meta.uid, answer.instance);
        });
}

Result<cloud::LaunchRequest> InstanceLaunch::launch_request(const Claim& claim) {
    const api::NodeClassReference& reference = claim.node_class;
    cloud::LaunchRequest out{
        claim, services_.cluster.find_node_class(reference), {}, nullptr, services_.loop.now()};
    if (out.node_class == nullptr) {
        return fail(ErrorKind::kNotReady,
                    fmt::format("{} {} does not exist", reference.kind, reference.name));
    }
    const model::PoolState* pool =
        services_.cluster.find_pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
    // A claim of its own, or of another class than its pool's is by now, takes what its class offers.
    api::NodePool nobodys;
    nobodys.node_template.node_class = reference;
    const bool is_of_pool = pool != nullptr && pool->pool.node_template.node_class == reference;
    out.types = services_.offers.all_types(is_of_pool ? pool->pool : nobodys);
    if (out.types == nullptr) {
        return fail(ErrorKind::kUnavailable,
                    fmt::format("{} {}: {}", reference.kind, reference.name,
                                services_.offers.why_no_types(is_of_pool ? pool->pool : nobodys)));
    }
    ToBeHad to_be_had = chooser_.choices(
        claim, out.types, services_.providers.of(reference).labels().well_known,
        [&](const rules::OfferingKey& key) { return services_.offers.stock(reference, key); });
    out.choices = std::move(to_be_had.choices);
    out.leaves_some_out = to_be_had.leaves_some_out;
    if (out.choices.empty() && out.leaves_some_out)
        return tl::unexpected<Error>(Error{ErrorKind::kThrottled, std::string(kOthersTry), kTryAfterOthers});
    if (out.choices.empty())
        return fail(ErrorKind::kExhausted, "no instance type with an available offering meets the claim");
    return out;
}

// Not asked of the cloud. Later, as if it had answered.
void InstanceLaunch::refuse(const Claim& claim, const Error& error) {
    services_.loop.post([this, name = claim.meta.name, uid = claim.meta.uid, error] {
        launched(name, uid, tl::unexpected<Error>(error));
    });
}

void InstanceLaunch::launched(const std::string& name, const std::string& uid,
                              const Result<cloud::Instance>& instance) {
    const model::ClaimState* state = services_.cluster.find_claim(name);
    if (state == nullptr || state->claim.meta.uid != uid) return writer_.failed(claim_key(name));
    if (!instance) return launch_failed(state->claim, instance.error());
    if (is_another_instance(state->claim, *instance)) return writer_.failed(claim_key(name));
    record_launch(state->claim, *instance);
}

// What is recorded stays: the other one is double, and is collected as such.
bool InstanceLaunch::is_another_instance(const Claim& claim, const cloud::Instance& instance) {
    if (claim.provider_id.empty() || claim.provider_id == instance.provider_id) return false;
    services_.notices.failed(
        "match the instance of NodeClaim " + claim.meta.name,
        {ErrorKind::kConflict, "the cloud named " + instance.provider_id + " where " + claim.provider_id +
                                   " is recorded; the other is removed"});
    return true;
}

// Launched before our time: its node may never come.
void InstanceLaunch::ensure_instance(const Claim& claim) {
    const std::string name = claim.meta.name;
    ensured_.insert(name);
    services_.providers.of(claim.node_class)
        .get(claim.provider_id, [this, name, uid = claim.meta.uid](const Result<cloud::Instance>& instance) {
            const model::ClaimState* state = services_.cluster.find_claim(name);
            if (state == nullptr || state->claim.meta.uid != uid || state->claim.meta.deleted) return;
            const Claim& now_there = state->claim;
            if (instance && !is_another_instance(now_there, *instance)) return;
            const api::Condition* launched = api::find_condition(now_there.conditions, "Launched");
            if (!instance && instance.error().kind == ErrorKind::kNotFound && launched != nullptr &&
                services_.loop.now() - launched->last_transition >= kKnownBy) {
                writer_.note_gone(now_there.provider_id);
                return writer_.delete_claim(name, "garbage_collected");
            }
            if (!instance && instance.error().kind != ErrorKind::kNotFound)
                services_.notices.failed("look for the instance of NodeClaim " + name, instance.error());
            services_.loop.after(kAskInstanceAgain, [this, name] {
                ensured_.erase(name);
                services_.reconcile_claim(name);
            });
        });
}

void InstanceLaunch::record_launch(const Claim& claim, const cloud::Instance& instance) {
    const WallTime now = services_.loop.now();
    api::StringMap labels = instance.labels;
    for (const auto& [key, value] : claim.meta.labels) labels[key] = value;
    api::StringMap annotations = claim.meta.annotations;
    for (const auto& [key, value] : instance.annotations) annotations[key] = value;
    ClaimStatusPatch patch(claim);
    patch.conditions.set_true("Launched", now);
    patch.status["providerID"] = instance.provider_id;
    if (!instance.image_id.empty()) patch.status["imageID"] = instance.image_id;
    patch.status["capacity"] = parse(api::encode_resource_map(rules::to_resource_map(instance.capacity)));
    patch.status["allocatable"] =
        parse(api::encode_resource_map(rules::to_resource_map(instance.allocatable)));
    patch.status["conditions"] = parse(api::encode_conditions(patch.conditions.finish(now)));
    // Labels first: once the status says Launched, nobody would write them any more.
    const std::string name = claim.meta.name;
    const std::string body = dump({{"metadata",
                                    {{"labels", parse(api::encode_string_map(labels))},
                                     {"annotations", parse(api::encode_string_map(annotations))}}}});
    services_.client.patch(
        kube::kNodeClaims, "", name, "", kube::PatchType::kMerge, body,
        [this, name, status = dump({{"status", std::move(patch.status)}})](Result<std::string> result) {
            if (!result) {
                writer_.settle(claim_key(name), result, "patch NodeClaim " + name);
                return services_.reconcile_claim(name);
            }
            services_.client.patch(kube::kNodeClaims, "", name, "status", kube::PatchType::kMerge, status,
                                   [this, name](Result<std::string> answer) {
                                       writer_.settle(claim_key(name), answer, "patch NodeClaim " + name);
                                       services_.reconcile_claim(name);
                                   });
        });
}

void InstanceLaunch::launch_failed(const Claim& claim, const Error& error) {
    const std::string name = claim.meta.name;
    const WallTime now = services_.loop.now();
    writer_.failed(claim_key(name), patience_after(error));
    services_.notices.launch_failed(claim, error);
    if (cloud::gives_claim_up(error.kind)) {
        const Ending ending = ending_of(error.kind);
        services_.events.record({target_of(claim), true, ending.event, error.message});
        return writer_.delete_claim(name, ending.reason);
    }
    const api::Condition* there = api::find_condition(claim.conditions, "Launched");
    const std::string message = cut_with_dots(error.message, kMaxMessageBytes);
    if (there != nullptr && there->message == message) return;
    ClaimStatusPatch patch(claim);
    patch.conditions.set("Launched", "Unknown", "LaunchFailed", message, now);
    patch.status["conditions"] = parse(api::encode_conditions(patch.conditions.finish(now)));
    services_.client.patch(kube::kNodeClaims, "", name, "status", kube::PatchType::kMerge,
                           dump({{"status", std::move(patch.status)}}), [](const Result<std::string>&) {});
}

}  // namespace joiner::act
