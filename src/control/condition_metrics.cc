#include "control/condition_metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/names.h"
#include "rules/node_class_kinds.h"

namespace joiner::control {
namespace {

// All objects are gone through in so many seconds.
constexpr std::size_t kRound = 10;

std::string metric(std::string_view kind, std::string_view name) {
    return fmt::format("operator_{}_{}", kind, name);
}

// A label's key as a metric may have it.
std::string as_metric_label(std::string_view key) {
    std::string out(key);
    std::replace_if(out.begin(), out.end(), [](char c) { return c == '/' || c == '.' || c == '-'; }, '_');
    return out;
}

observe::Labels of_condition(observe::Labels labels, const api::Condition& condition) {
    labels["type"] = condition.type;
    labels["status"] = condition.status;
    labels["reason"] = condition.reason;
    return labels;
}

observe::Labels both(observe::Labels a, const observe::Labels& b) {
    a.insert(b.begin(), b.end());
    return a;
}

bool is_same_series(const api::Condition& a, const api::Condition& b) {
    return a.status == b.status && a.reason == b.reason;
}

}  // namespace

ConditionMetrics::ConditionMetrics(const model::Cluster& cluster, const cloud::Providers& providers,
                                   observe::Metrics& metrics)
    : cluster_(cluster), metrics_(metrics) {
    for (const cloud::NodeClassResource& each : providers.node_class_resources())
        class_labels_.push_back(
            rules::node_class_label(rules::NodeClassKind{std::string(each.group), std::string(each.kind)}));
}

void ConditionMetrics::start(WallTime now) {
    is_on_ = true;
    is_starting_ = true;
    for (const auto& [name, state] : cluster_.nodes()) node_changed(name, now);
    for (const auto& [name, state] : cluster_.our_claims()) claim_changed(name, now);
    look_at_few(now);
    is_starting_ = false;
}

void ConditionMetrics::node_changed(const std::string& name, WallTime now) {
    if (!is_on_) return;
    const model::NodeState* node = cluster_.find_node(name);
    if (node == nullptr || !cluster_.is_ours(*node)) return gone(nodes_, name, now);
    set(nodes_, node->node.meta, node->node.conditions, now);
}

void ConditionMetrics::claim_changed(const std::string& name, WallTime now) {
    if (!is_on_) return;
    const model::ClaimState* claim = cluster_.find_claim(name);
    if (claim == nullptr || !claim->is_ours) return gone(claims_, name, now);
    set(claims_, claim->claim.meta, claim->claim.conditions, now);
}

void ConditionMetrics::look(WallTime now) {
    if (!is_on_) return;
    look_at_few(now);
    second_ = (second_ + 1) % kRound;
    for (const Kind* kind : {&nodes_, &claims_, &pools_, &buffers_}) {
        std::size_t number = 0;
        for (const auto& [id, known] : kind->objects) {
            if (number++ % kRound == second_) tell_ages(*kind, known, now);
        }
    }
}

void ConditionMetrics::look_at_few(WallTime now) {
    ++pass_;
    for (const auto& [name, state] : cluster_.our_pools())
        set(pools_, state.pool.meta, state.pool.conditions, now);
    for (const auto& [name, kept] : cluster_.buffers())
        set(buffers_, kept.object.meta, kept.object.conditions, now);
    for (Kind* kind : {&pools_, &buffers_}) {
        for (auto it = kind->objects.begin(); it != kind->objects.end();) {
            const auto object = it++;
            if (object->second.seen != pass_) end(*kind, object, now);
        }
    }
}

observe::Labels ConditionMetrics::labels_of(const Kind& kind, const api::ObjectMeta& meta) const {
    observe::Labels out;
    if (&kind != &nodes_ && &kind != &claims_) return out;
    const auto add = [&](std::string_view key) {
        out[as_metric_label(key)] = std::string(api::find_or_empty(meta.labels, key));
    };
    add(api::kNodePoolLabel);
    if (&kind == &nodes_) add("karpenter.sh/initialized");
    for (const std::string& key : class_labels_) add(key);
    return out;
}

void ConditionMetrics::set(Kind& kind, const api::ObjectMeta& meta,
                           const std::vector<api::Condition>& conditions, WallTime now) {
    Known after{labels_of(kind, meta),
                {{"namespace", meta.ns}, {"name", meta.name}},
                conditions,
                meta.deleted,
                pass_};
    for (api::Condition& condition : after.conditions) condition.message.clear();
    const auto [it, is_new] = kind.objects.try_emplace({meta.ns, meta.name});
    Known& known = it->second;
    known.seen = pass_;
    if (!is_new && known.conditions == after.conditions && known.labels == after.labels &&
        known.deleted == after.deleted)
        return;
    for (const api::Condition& old : known.conditions) {
        const api::Condition* current = api::find_condition(after.conditions, old.type);
        if (current == nullptr || !is_same_series(old, *current) || known.labels != after.labels)
            drop(kind, known, old);
    }
    if (!is_new || !is_starting_) count_changes(kind, known, after);
    if (known.deleted && known.labels != after.labels)
        metrics_.drop(metric(kind.name, "termination_current_time_seconds"), both(known.labels, known.names));
    known = std::move(after);
    const observe::Labels labels = both(known.labels, known.names);
    for (const api::Condition& condition : known.conditions)
        metrics_.set(metric(kind.name, "status_condition_count"), of_condition(labels, condition), 1);
    tell_ages(kind, known, now);
}

void ConditionMetrics::tell_ages(const Kind& kind, const Known& known, WallTime now) {
    const observe::Labels labels = both(known.labels, known.names);
    for (const api::Condition& condition : known.conditions)
        metrics_.set(metric(kind.name, "status_condition_current_status_seconds"),
                     of_condition(labels, condition), to_seconds(now - condition.last_transition));
    if (known.deleted)
        metrics_.set(metric(kind.name, "termination_current_time_seconds"), labels,
                     to_seconds(now - *known.deleted));
}

void ConditionMetrics::count_changes(const Kind& kind, const Known& before, const Known& after) {
    for (const api::Condition& condition : after.conditions) {
        const api::Condition* old = api::find_condition(before.conditions, condition.type);
        if (old != nullptr && old->status == condition.status) continue;
        metrics_.count(metric(kind.name, "status_condition_transitions_total"),
                       of_condition(after.labels, condition));
        if (old == nullptr) continue;
        observe::Labels labels = after.labels;
        labels["type"] = condition.type;
        labels["status"] = old->status;
        labels["to_status"] = condition.status;
        metrics_.observe(metric(kind.name, "status_condition_transition_seconds"), labels,
                         to_seconds(condition.last_transition - old->last_transition));
    }
}

void ConditionMetrics::gone(Kind& kind, const std::string& name, WallTime now) {
    // Both kinds that are told of one by one have no namespace.
    if (const auto it = kind.objects.find({"", name}); it != kind.objects.end()) end(kind, it, now);
}

void ConditionMetrics::end(Kind& kind, Objects::iterator object, WallTime now) {
    const Known& known = object->second;
    for (const api::Condition& condition : known.conditions) drop(kind, known, condition);
    if (known.deleted) {
        metrics_.drop(metric(kind.name, "termination_current_time_seconds"), both(known.labels, known.names));
        metrics_.observe(metric(kind.name, "termination_duration_seconds"), known.labels,
                         to_seconds(now - *known.deleted));
    }
    kind.objects.erase(object);
}

void ConditionMetrics::drop(const Kind& kind, const Known& known, const api::Condition& condition) {
    const observe::Labels labels = of_condition(both(known.labels, known.names), condition);
    metrics_.drop(metric(kind.name, "status_condition_count"), labels);
    metrics_.drop(metric(kind.name, "status_condition_current_status_seconds"), labels);
}

}  // namespace joiner::control
