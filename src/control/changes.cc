#include "control/changes.h"

#include <fmt/format.h>

#include "observe/log.h"

namespace joiner::control {

Changes::Changes(Parts& parts, std::function<void()> on_synced) : parts_(parts) {
    FeedListener& listener = parts_.feed_listener;
    listener.pod_changed = [this](const model::PodState* before, const model::PodState* after) {
        pod_changed(before, after);
    };
    listener.node_changed = [this](const std::string& name) { node_changed(name); };
    listener.claim_changed = [this](const std::string& name) { claim_changed(name); };
    listener.volumes_changed = [this](const std::string& node) {
        const model::NodeState* state = parts_.cluster.find_node(node);
        if (state != nullptr && state->node.meta.deleted) parts_.dirty.mark_node(node);
    };
    listener.pools_changed = [this] { parts_.dirty.mark_pools(); };
    listener.class_changed = [this](const api::NodeClassReference& reference) {
        parts_.class_keeper.mark(reference);
        parts_.dirty.mark_pools();
    };
    listener.headroom_changed = [this] { parts_.dirty.mark_headroom(); };
    listener.unreadable = [](std::string_view what, const Error& error) {
        observe::log_error("watch", fmt::format("could not read {}", what), {{"error", error.message}});
    };
    listener.synced = std::move(on_synced);
    hear_providers();
}

void Changes::hear_providers() {
    parts_.reports.on_offers = [this] {
        parts_.cluster.note_offers_changed();
        parts_.dirty.mark_pools();
    };
    parts_.reports.on_class = [this](const api::NodeClassReference& reference) {
        parts_.class_keeper.mark(reference);
        parts_.dirty.wake();
    };
    parts_.reports.on_event = [this](const cloud::InstanceEvent& event) {
        if (parts_.is_acting) parts_.cloud_events.note(event);
    };
    parts_.reports.on_remark = [](const std::string& sentence) { observe::log_info("cloud", sentence); };
    const auto own = [](const api::StringMap& labels) {
        return observe::Labels(labels.begin(), labels.end());
    };
    parts_.reports.on_count = [this, own](std::string_view metric, const api::StringMap& labels, double by) {
        parts_.metrics.count(metric, own(labels), by);
    };
    parts_.reports.on_value = [this, own](std::string_view metric, const api::StringMap& labels,
                                          double value) {
        parts_.metrics.observe(metric, own(labels), value);
    };
}

void Changes::node_changed(const std::string& name) {
    parts_.dirty.mark_node(name);
    parts_.condition_metrics.node_changed(name, parts_.loop.now());
    if (parts_.repairs_by_force() && parts_.is_acting && !parts_.is_settling_in && parts_.watches.are_fresh())
        parts_.legacy_repairer.node_changed(name);
    parts_.repairer.node_changed(name);
    if (const model::NodeState* node = parts_.cluster.find_node(name)) {
        if (const model::ClaimState* claim = parts_.cluster.claim_of(node->node))
            parts_.dirty.mark_claim(claim->claim.meta.name);
    } else {
        parts_.dirty.note_gone_node(name);
        // A claim that waited for its node to go.
        for (const auto& [claim, state] : parts_.cluster.claims()) {
            if (state.claim.meta.deleted) parts_.dirty.mark_claim(claim);
        }
    }
}

void Changes::claim_changed(const std::string& name) {
    parts_.dirty.mark_claim(name);
    parts_.condition_metrics.claim_changed(name, parts_.loop.now());
    if (const model::ClaimState* claim = parts_.cluster.find_claim(name)) {
        if (const model::NodeState* node = parts_.cluster.node_of(claim->claim))
            parts_.dirty.mark_node(node->node.meta.name);
    }
}

void Changes::pod_changed(const model::PodState* before, const model::PodState* after) {
    const std::string node_before = before == nullptr ? std::string{} : before->node_name;
    const std::string node_after = after == nullptr ? std::string{} : after->node_name;
    const bool is_gone = before != nullptr && (after == nullptr || after->id.uid() != before->id.uid());
    if (is_gone) {
        parts_.ledger.moves().forget_pod(before->id.uid());
        parts_.decisions.note_gone(observe::SubjectKind::kPod, before->id.ns(), before->id.name());
    }
    if (is_gone || (before != nullptr && !node_after.empty())) parts_.binder.saw_bound(before->id.uid());
    parts_.provisioner.pod_changed(before, after);
    parts_.pod_metrics.pod_changed(before, after, parts_.loop.now());
    for (const std::string* node : {&node_before, &node_after}) {
        if (node->empty()) continue;
        const model::NodeState* state = parts_.cluster.find_node(*node);
        if (state == nullptr) continue;
        if (state->node.meta.deleted) parts_.dirty.mark_node(*node);
        note_pod_event(*state, before, after);
    }
}

// A pod came to the node, ended or is on its way out: the node's idle time begins again.
void Changes::note_pod_event(const model::NodeState& node, const model::PodState* before,
                             const model::PodState* after) {
    const bool is_daemon = (after != nullptr ? after : before)->is_daemon;
    const bool was_active = before != nullptr && !before->node_name.empty() && before->is_active();
    const bool is_active = after != nullptr && !after->node_name.empty() && after->is_active();
    if (is_daemon || was_active == is_active || !parts_.is_acting) return;
    if (is_active) parts_.disruptor.note_bound(*after);
    if (const model::ClaimState* claim = parts_.cluster.claim_of(node.node)) {
        const WallTime now = parts_.loop.now();
        parts_.last_pod_event[claim->claim.meta.name] = now;
        if (is_active) parts_.ledger.moves().note_bound(*after, now);
        parts_.standing_matters.review(claim->claim.meta.name);
    }
    parts_.consolidation.note_pod_event();
    parts_.emptiness.note_pod_event();
}

}  // namespace joiner::control
