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

// Those of the object's gauges.
observe::Labels of_object(const observe::Labels& labels, const std::pair<std::string, std::string>& name) {
    observe::Labels out = labels;
    out.insert({{"namespace", name.first}, {"name", name.second}});
    return out;
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
            if (number++ % kRound == second_) tell_ages(*kind, id, known, now);
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
    Known after{labels_.share(labels_of(kind, meta)), {}, meta.deleted, pass_};
    after.conditions.reserve(conditions.size());
    for (const api::Condition& each : conditions)
        after.conditions.push_back(
            {words_.share({each.type, each.status, each.reason}), each.last_transition});
    const auto [it, is_new] = kind.objects.try_emplace({meta.ns, meta.name});
    Known& known = it->second;
    known.seen = pass_;
    const bool has_same_labels = known.labels == after.labels;
    if (!is_new && known.conditions == after.conditions && has_same_labels && known.deleted == after.deleted)
        return;
    if (!is_new) {
        const observe::Labels before = of_object(*known.labels, it->first);
        for (const Shown& old : known.conditions) {
            const Shown* current = find(after.conditions, old.words->type);
            if (current == nullptr || current->words != old.words || !has_same_labels)
                drop(kind, before, *old.words);
        }
        if (known.deleted && !has_same_labels)
            metrics_.drop(metric(kind.name, "termination_current_time_seconds"), before);
    }
    if (!is_new || !is_starting_) count_changes(kind, known, after);
    known = std::move(after);
    const observe::Labels labels = of_object(*known.labels, it->first);
    for (const Shown& condition : known.conditions)
        metrics_.set(metric(kind.name, "status_condition_count"), of_condition(labels, *condition.words), 1);
    tell_ages(kind, it->first, known, now);
}

void ConditionMetrics::tell_ages(const Kind& kind, const Name& name, const Known& known, WallTime now) {
    const observe::Labels labels = of_object(*known.labels, name);
    for (const Shown& condition : known.conditions)
        metrics_.set(metric(kind.name, "status_condition_current_status_seconds"),
                     of_condition(labels, *condition.words), to_seconds(now - condition.since));
    if (known.deleted)
        metrics_.set(metric(kind.name, "termination_current_time_seconds"), labels,
                     to_seconds(now - *known.deleted));
}

void ConditionMetrics::count_changes(const Kind& kind, const Known& before, const Known& after) {
    for (const Shown& condition : after.conditions) {
        const Words& words = *condition.words;
        const Shown* old = find(before.conditions, words.type);
        if (old != nullptr && old->words->status == words.status) continue;
        metrics_.count(metric(kind.name, "status_condition_transitions_total"),
                       of_condition(*after.labels, words));
        if (old == nullptr) continue;
        observe::Labels labels = *after.labels;
        labels["type"] = words.type;
        labels["status"] = old->words->status;
        labels["to_status"] = words.status;
        metrics_.observe(metric(kind.name, "status_condition_transition_seconds"), labels,
                         to_seconds(condition.since - old->since));
    }
}

const ConditionMetrics::Shown* ConditionMetrics::find(const std::vector<Shown>& conditions,
                                                      std::string_view type) {
    const auto it = std::find_if(conditions.begin(), conditions.end(),
                                 [&](const Shown& each) { return each.words->type == type; });
    return it == conditions.end() ? nullptr : &*it;
}

observe::Labels ConditionMetrics::of_condition(observe::Labels labels, const Words& condition) {
    labels["type"] = condition.type;
    labels["status"] = condition.status;
    labels["reason"] = condition.reason;
    return labels;
}

void ConditionMetrics::gone(Kind& kind, const std::string& name, WallTime now) {
    // Both kinds that are told of one by one have no namespace.
    if (const auto it = kind.objects.find({"", name}); it != kind.objects.end()) end(kind, it, now);
}

void ConditionMetrics::end(Kind& kind, Objects::iterator object, WallTime now) {
    const Known& known = object->second;
    const observe::Labels labels = of_object(*known.labels, object->first);
    for (const Shown& condition : known.conditions) drop(kind, labels, *condition.words);
    if (known.deleted) {
        metrics_.drop(metric(kind.name, "termination_current_time_seconds"), labels);
        metrics_.observe(metric(kind.name, "termination_duration_seconds"), *known.labels,
                         to_seconds(now - *known.deleted));
    }
    kind.objects.erase(object);
}

void ConditionMetrics::drop(const Kind& kind, const observe::Labels& labels, const Words& condition) {
    const observe::Labels of_it = of_condition(labels, condition);
    metrics_.drop(metric(kind.name, "status_condition_count"), of_it);
    metrics_.drop(metric(kind.name, "status_condition_current_status_seconds"), of_it);
}

}  // namespace joiner::control
