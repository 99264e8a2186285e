#include "act/surge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "act/object_writer.h"
#include "api/codec.h"
#include "api/names.h"

namespace joiner::act {

using Json = nlohmann::json;

namespace {

constexpr Duration kOwnerIsFresh = std::chrono::seconds{2};
constexpr Duration kRetry = std::chrono::seconds{1};
// Until the watch shows what was written.
constexpr Duration kWatchPatience = std::chrono::seconds{5};
// A namespace with more Services is not looked through.
constexpr int kMostServices = 1'000;
constexpr std::string_view kReason = "SurgeBeforeEvict";

// nullopt: the answer cannot be read, or there is more of it.
std::optional<bool> some_select_on_hash(const std::string& list) {
    const Json document = Json::parse(list, nullptr, false);
    if (!document.is_object() || !document.contains("items") || !document["items"].is_array())
        return std::nullopt;
    if (const auto meta = document.find("metadata");
        meta != document.end() && meta->is_object() && !meta->value("continue", "").empty())
        return std::nullopt;
    const Json::json_pointer selector("/spec/selector");
    return std::any_of(document["items"].begin(), document["items"].end(), [&](const Json& service) {
        return service.contains(selector) && service[selector].is_object() &&
               service[selector].contains(api::kPodTemplateHashLabel);
    });
}

// Trying again is no use; where we may not do this, pods are evicted as ever.
bool is_final(const Error& error) {
    return error.kind == ErrorKind::kForbidden || error.kind == ErrorKind::kInvalid;
}

std::string owner_key(const model::PodState& pod) {
    return pod.id.ns() + "/" + pod.surge->replica_set;
}

}  // namespace

bool Surge::may_evict(const model::PodState& pod) {
    const WallTime now = services_.loop.now();
    State& state = states_[pod.id.uid()];
    if (state.in_flight || (!pod.surge->released && now < state.not_before)) return false;
    const Owner& owner = owners_[owner_key(pod)];
    const bool is_fresh = now - owner.seen_at < kOwnerIsFresh;
    const plan::SurgeStep step =
        plan::next_surge_step({services_.cluster, pod, state.service_selects_on_hash,
                               is_fresh ? owner.seen : std::optional<plan::SurgeOwner>{}, owner.full_since},
                              now);
    using Kind = plan::SurgeStep::Kind;
    switch (step.kind) {
        case Kind::kEvict:
            if (!step.remark.empty())
                services_.events.record({target_of(pod), true, std::string(kReason), step.remark});
            return true;
        case Kind::kAskServices:
            ask_services(pod);
            return false;
        case Kind::kRelease:
            release(pod);
            return false;
        case Kind::kAskOwner:
            ask_owner(pod);
            return false;
        case Kind::kWait:
            return false;
    }
    return true;
}

Surge::State* Surge::answered(const std::string& uid) {
    const auto it = states_.find(uid);
    if (it == states_.end()) return nullptr;
    it->second.in_flight = false;
    return &it->second;
}

void Surge::ask_services(const model::PodState& pod) {
    states_[pod.id.uid()].in_flight = true;
    kube::Request request{"GET", kube::path_of(kube::kServices, pod.id.ns())};
    request.query = "limit=" + std::to_string(kMostServices);
    services_.client.send(std::move(request), [this, uid = pod.id.uid(),
                                               node = pod.node_name](const Result<std::string>& answer) {
        State* state = answered(uid);
        if (state == nullptr) return;
        if (answer) {
            state->service_selects_on_hash = some_select_on_hash(*answer).value_or(true);
        } else if (is_final(answer.error())) {
            state->service_selects_on_hash = true;
            services_.notices.failed("list Services", answer.error());
        } else {
            state->not_before = services_.loop.now() + kRetry;
            services_.notices.failed("list Services", answer.error());
        }
        services_.reconcile_node(node);
    });
}

void Surge::ask_owner(const model::PodState& pod) {
    const std::string key = owner_key(pod);
    Owner& asked = owners_[key];
    if (asked.in_flight || services_.loop.now() < asked.not_before) return;
    asked.in_flight = true;
    services_.client.get(
        kube::kReplicaSets, pod.id.ns(), pod.surge->replica_set,
        [this, key, ns = pod.id.ns(), node = pod.node_name](const Result<std::string>& answer) {
            Owner& owner = owners_[key];
            owner.in_flight = false;
            owner.not_before = services_.loop.now() + kRetry;
            if (answer) {
                if (const auto set = api::decode_workload(*answer)) {
                    saw_owner(owner,
                              {true, set->replicas, plan::ready_pods(services_.cluster, ns, set->selector)});
                } else {
                    services_.notices.failed("read ReplicaSet " + key, set.error());
                }
            } else if (answer.error().kind == ErrorKind::kNotFound) {
                saw_owner(owner, {});
            } else {
                services_.notices.failed("get ReplicaSet " + key, answer.error());
            }
            services_.reconcile_node(node);
        });
}

void Surge::saw_owner(Owner& owner, plan::SurgeOwner seen) {
    const WallTime now = services_.loop.now();
    owner.seen = seen;
    owner.seen_at = now;
    if (!seen.is_full()) {
        owner.full_since.reset();
    } else if (!owner.full_since) {
        owner.full_since = now;
    }
}

void Surge::release(const model::PodState& pod) {
    const WallTime now = services_.loop.now();
    states_[pod.id.uid()].in_flight = true;
    const Json body = {{"metadata",
                        {{"uid", pod.id.uid()},
                         {"labels", {{api::kPodTemplateHashLabel, nullptr}}},
                         {"annotations", {{api::kSurgingAnnotation, plan::surging_text(*pod.surge, now)}}}}}};
    services_.client.patch(
        kube::kPods, pod.id.ns(), pod.id.name(), "", kube::PatchType::kMerge, dump(body),
        [this, uid = pod.id.uid(), node = pod.node_name, target = target_of(pod),
         set = pod.surge->replica_set](const Result<std::string>& answer) {
            State* state = answered(uid);
            if (state == nullptr) return;
            state->not_before = services_.loop.now() + (answer ? kWatchPatience : kRetry);
            if (answer) {
                services_.events.record({target, false, std::string(kReason),
                                         "ReplicaSet " + set + " is to replace it before it is evicted"});
            } else if (answer.error().kind != ErrorKind::kNotFound &&
                       answer.error().kind != ErrorKind::kConflict) {
                services_.notices.failed("release pod " + target.ns + "/" + target.name, answer.error());
                if (is_final(answer.error())) state->service_selects_on_hash = true;
            }
            services_.reconcile_node(node);
        });
}

void Surge::forget_gone() {
    if (states_.empty() && owners_.empty()) return;
    std::set<std::string_view> there;
    std::set<std::string> owners;
    for (const auto& [key, pod] : services_.cluster.pods()) {
        if (pod.surge == nullptr) continue;
        there.insert(pod.id.uid());
        owners.insert(owner_key(pod));
    }
    std::erase_if(states_,
                  [&](const auto& item) { return !item.second.in_flight && !there.contains(item.first); });
    std::erase_if(owners_,
                  [&](const auto& item) { return !item.second.in_flight && !owners.contains(item.first); });
}

}  // namespace joiner::act
