#include "sim/scheduler.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/preemption.h"

namespace joiner::sim {
namespace {

constexpr int kPodsATurn = 100;

std::string fit_message(std::size_t nodes, const std::map<std::string, int>& reasons) {
    std::vector<std::string> texts;
    for (const auto& [reason, count] : reasons) texts.push_back(fmt::format("{} {}", count, reason));
    std::sort(texts.begin(), texts.end());
    return fmt::format("0/{} nodes are available: {}.", nodes, fmt::join(texts, ", "));
}

}  // namespace

Scheduler::Scheduler(World& world, SchedulerOptions options)
    : world_(world),
      options_(std::move(options)),
      pods_type_(world.verbs.type("pods")),
      state_(world.verbs),
      tokens_(options_.qps, options_.burst),
      nodes_(world.verbs, world.verbs.type("nodes"),
             [this](EventType type, const ObjectPtr& node, const ObjectPtr&) { on_node(type, node); }),
      pods_(world.verbs, pods_type_,
            [this](EventType type, const ObjectPtr& pod, const ObjectPtr&) { hear_of_pod(type, pod); }),
      claims_(world.verbs, world.verbs.type("persistentvolumeclaims"),
              [this](EventType, const ObjectPtr& claim, const ObjectPtr&) { on_claim(claim); }) {}

Scheduler::~Scheduler() {
    *is_alive_ = false;
    world_.loop().cancel(backoff_timer_);
    world_.loop().cancel(token_timer_);
}

// --- what comes in

void Scheduler::hear_of_pod(EventType type, const ObjectPtr& pod) {
    if (options_.pods_late_by == Duration{0}) return on_pod(type, pod);
    world_.loop().after(options_.pods_late_by, [this, alive = is_alive_, type, pod] {
        if (*alive) on_pod(type, pod);
    });
}

void Scheduler::on_pod(EventType type, const ObjectPtr& object) {
    const Json& json = object->json;
    const std::string key = key_of(json);
    const std::string& node = text_at(json, {"spec", "nodeName"});
    if (!node.empty() || type == EventType::kDeleted) {
        assumed_.erase(uid_of(json));
    } else if (assumed_.contains(uid_of(json))) {
        return;  // From before the binding.
    }
    if (type == EventType::kDeleted || is_pod_finished(json)) {
        forget(key);
        if (state_.remove_pod(key)) something_helps();
        return;
    }
    if (!node.empty()) {
        forget(key);
        if (SchedulerPodPtr pod = make_scheduler_pod(object)) state_.place(pod, node);
        return;
    }
    const bool is_ours = text_at(json, {"spec", "schedulerName"}) == options_.name;
    if (!is_ours || is_deleting(json) || !array_at(json, {"spec", "schedulingGates"}).empty())
        return forget(key);
    const auto known = pending_.find(key);
    if (known != pending_.end() && uid_of(known->second.pod->object->json) == uid_of(json)) {
        const bool same_spec = known->second.pod->object->json["spec"] == json["spec"];
        if (SchedulerPodPtr pod = make_scheduler_pod(object)) known->second.pod = std::move(pod);
        if (!same_spec && known->second.place == Pending::Place::kUnschedulable) activate(key, known->second);
        return;
    }
    forget(key);
    SchedulerPodPtr pod = make_scheduler_pod(object);
    if (!pod) return;
    Pending& pending = pending_[key];
    pending.pod = std::move(pod);
    pending.arrival = next_arrival_++;
    activate(key, pending);
}

void Scheduler::on_node(EventType type, const ObjectPtr& object) {
    if (type == EventType::kDeleted) {
        state_.remove_node(name_of(object->json));
        known_failures_.clear();
    } else if (state_.set_node(object)) {
        something_helps();
    }
}

void Scheduler::on_claim(const ObjectPtr& claim) {
    for (auto& [key, pending] : pending_) {
        const bool same_ns = pending.pod->pod.meta.ns == namespace_of(claim->json);
        if (!same_ns || pending.pod->pod.spec.volumes.empty()) continue;
        if (pending.place == Pending::Place::kVolumes && !has_unbound_claims(*pending.pod))
            activate(key, pending);
        if (pending.place == Pending::Place::kUnschedulable) activate(key, pending);
    }
    known_failures_.clear();
}

void Scheduler::forget(const std::string& key) {
    const auto found = pending_.find(key);
    if (found == pending_.end()) return;
    active_.erase(rank_of(key, found->second));
    backing_off_.erase({found->second.not_before, key});
    state_.forget_nomination(key);
    if (!found->second.chosen_node.empty()) state_.remove_pod(key);
    pending_.erase(found);
}

Scheduler::Rank Scheduler::rank_of(const std::string& key, const Pending& pending) {
    return {-pending.pod->pod.spec.priority, pending.arrival, key};
}

void Scheduler::activate(const std::string& key, Pending& pending) {
    pending.place = Pending::Place::kActive;
    active_.insert(rank_of(key, pending));
    wake();
}

void Scheduler::back_off(const std::string& key, Pending& pending) {
    pending.place = Pending::Place::kBackoff;
    backing_off_.emplace(pending.not_before, key);
    set_backoff_timer();
}

// The cluster has changed so that pods without a place may have one: those whose back-off is over are tried
// at once.
void Scheduler::something_helps() {
    known_failures_.clear();
    const Duration now = world_.loop().monotonic();
    for (auto& [key, pending] : pending_) {
        if (pending.place != Pending::Place::kUnschedulable) continue;
        if (pending.not_before <= now) {
            activate(key, pending);
        } else {
            back_off(key, pending);
        }
    }
}

void Scheduler::set_backoff_timer() {
    if (backoff_timer_ != 0 || backing_off_.empty()) return;
    backoff_timer_ = world_.loop().after(backing_off_.begin()->first - world_.loop().monotonic(), [this] {
        backoff_timer_ = 0;
        const Duration now = world_.loop().monotonic();
        while (!backing_off_.empty() && backing_off_.begin()->first <= now) {
            const std::string key = backing_off_.begin()->second;
            backing_off_.erase(backing_off_.begin());
            activate(key, pending_.at(key));
        }
        set_backoff_timer();
    });
}

// --- the cycle

void Scheduler::wake() {
    if (is_posted_ || token_timer_ != 0) return;
    is_posted_ = true;
    world_.loop().post([this, alive = is_alive_] {
        if (!*alive) return;
        is_posted_ = false;
        run();
    });
}

void Scheduler::run() {
    for (int turn = 0; turn < kPodsATurn && !active_.empty(); ++turn) {
        const Duration now = world_.loop().monotonic();
        if (!tokens_.try_take(now)) {
            token_timer_ = world_.loop().after(tokens_.wait(now), [this] {
                token_timer_ = 0;
                run();
            });
            return;
        }
        const std::string key = std::get<2>(*active_.begin());
        active_.erase(active_.begin());
        schedule(key);
    }
    if (!active_.empty()) wake();
}

void Scheduler::schedule(const std::string& key) {
    Pending& pending = pending_.at(key);
    ++pending.attempts;
    const Duration backoff =
        std::min(options_.max_backoff, options_.first_backoff * (1 << std::min(pending.attempts - 1, 10)));
    pending.not_before = world_.loop().monotonic() + backoff;
    if (!pending.chosen_node.empty()) return bind(key, pending.chosen_node);
    if (state_.node_count() == 0) return refuse(key, "no nodes available to schedule pods", true);
    const std::string shape = pending.pod->shape;
    if (const auto known = known_failures_.find(shape); known != known_failures_.end())
        return refuse(key, known->second, false);
    const SchedulerState::Choice choice = state_.choose(*pending.pod);
    if (!choice.problem.empty())
        return refuse(key, fmt::format("0/{} nodes are available: {}.", state_.node_count(), choice.problem),
                      false);
    if (choice.node.empty()) {
        const std::string message = fit_message(state_.node_count(), choice.reasons);
        const bool is_helped = preempt(pending.pod);
        if (!is_helped && !pending.pod->has_pod_terms()) known_failures_[shape] = message;
        return refuse(key, message, false);
    }
    if (!choice.claims_to_bind.empty()) return wait_for_claims(key, choice);
    bind(key, choice.node);
}

bool Scheduler::preempt(const SchedulerPodPtr& pod) {
    if (text_at(pod->object->json, {"spec", "preemptionPolicy"}) == "Never") return false;
    // What was asked to go takes its time.
    const std::string* nominated = state_.nominated_node(pod->key);
    if (nominated != nullptr && is_emptying(*nominated, *pod)) return true;
    state_.forget_nomination(pod->key);
    const auto found = find_preemption(state_, world_.verbs, *pod);
    if (!found) return false;
    state_.nominate(pod, found->node);
    for (const SchedulerPodPtr& victim : found->victims) {
        const auto [ns, name] = split_key(victim->key);
        const ObjectPtr there = world_.store().get(pods_type_, ns, name);
        if (!there || is_deleting(there->json)) continue;
        const std::string message =
            fmt::format("{}: preempting to accommodate a higher priority pod", options_.name);
        Json status = object_at(there->json, {"status"});
        set_condition(status["conditions"],
                      {{"type", "DisruptionTarget"},
                       {"status", "True"},
                       {"reason", "PreemptionByScheduler"},
                       {"message", message}},
                      world_.now_text());
        put_status(world_, pods_type_, there->json, std::move(status));
        world_.events.record(
            there->json, false, "Preempted",
            fmt::format("Preempted by pod {} on node {}", uid_of(pod->object->json), found->node),
            options_.name);
        DeleteOptions only_this;
        only_this.uid = uid_of(there->json);
        (void)world_.verbs.remove(pods_type_, ns, name, only_this);
    }
    return true;
}

bool Scheduler::is_emptying(const std::string& node, const SchedulerPod& pod) const {
    const auto found = state_.nodes().find(node);
    if (found == state_.nodes().end()) return false;
    return std::any_of(found->second.pods.begin(), found->second.pods.end(), [&](const auto& each) {
        const auto [ns, name] = split_key(each.first);
        const ObjectPtr there = world_.store().get(pods_type_, ns, name);
        return there && is_deleting(there->json) && each.second->pod.spec.priority < pod.pod.spec.priority;
    });
}

// `node` by value: it may be the one that is cleared here.
void Scheduler::bind(const std::string& key, std::string node) {
    Pending& pending = pending_.at(key);
    const SchedulerPodPtr pod = pending.pod;
    const Json& json = pod->object->json;
    const Json binding = {{"metadata", {{"name", name_of(json)}, {"uid", uid_of(json)}}},
                          {"target", {{"kind", "Node"}, {"name", node}}}};
    const auto bound = world_.verbs.bind(namespace_of(json), name_of(json), binding);
    if (!bound) {
        ++lost_races_;
        if (!pending.chosen_node.empty()) state_.remove_pod(key);
        pending.chosen_node.clear();
        return back_off(key, pending);
    }
    world_.events.record(json, false, "Scheduled", fmt::format("Successfully assigned {} to {}", key, node),
                         options_.name);
    pending.chosen_node.clear();
    forget(key);
    state_.place(pod, node);
    assumed_.insert(uid_of(json));
}

bool Scheduler::has_unbound_claims(const SchedulerPod& pod) const {
    return std::any_of(
        pod.pod.spec.volumes.begin(), pod.pod.spec.volumes.end(), [&](const api::Volume& volume) {
            const std::string name =
                volume.ephemeral ? pod.pod.meta.name + "-" + volume.name : volume.claim_name;
            if (name.empty()) return false;
            const ObjectPtr claim =
                world_.store().get(world_.verbs.type("persistentvolumeclaims"), pod.pod.meta.ns, name);
            return !claim || text_at(claim->json, {"status", "phase"}) != "Bound";
        });
}

// The node is named on the claims, and the pod keeps its place there until they are bound.
void Scheduler::wait_for_claims(const std::string& key, const SchedulerState::Choice& choice) {
    Pending& pending = pending_.at(key);
    pending.place = Pending::Place::kVolumes;
    pending.chosen_node = choice.node;
    state_.place(pending.pod, choice.node);
    const Json annotation = {
        {"metadata", {{"annotations", {{"volume.kubernetes.io/selected-node", choice.node}}}}}};
    const std::string ns = pending.pod->pod.meta.ns;
    for (const std::string& claim : choice.claims_to_bind) {
        (void)world_.verbs.patch(world_.verbs.type("persistentvolumeclaims"), ns, claim, "",
                                 PatchKind::kMerge, annotation);
    }
}

void Scheduler::refuse(const std::string& key, const std::string& message, bool retries_anyway) {
    Pending& pending = pending_.at(key);
    const auto [ns, name] = split_key(key);
    if (const ObjectPtr pod = world_.store().get(pods_type_, ns, name);
        pod && uid_of(pod->json) == uid_of(pending.pod->object->json)) {
        Json status = object_at(pod->json, {"status"});
        set_condition(status["conditions"],
                      {{"type", "PodScheduled"},
                       {"status", "False"},
                       {"reason", "Unschedulable"},
                       {"message", message},
                       {"lastProbeTime", nullptr},
                       {"observedGeneration", int_at(pod->json, {"metadata", "generation"})}},
                      world_.now_text());
        if (const std::string* nominated = state_.nominated_node(key); nominated != nullptr) {
            status["nominatedNodeName"] = *nominated;
        } else {
            status.erase("nominatedNodeName");
        }
        put_status(world_, pods_type_, pod->json, std::move(status));
        world_.events.record(pod->json, true, "FailedScheduling", message, options_.name);
    }
    if (retries_anyway) return back_off(key, pending);
    pending.place = Pending::Place::kUnschedulable;
}

}  // namespace joiner::sim
