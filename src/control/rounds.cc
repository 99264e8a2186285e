#include "control/rounds.h"

#include <algorithm>
#include <utility>

#include "plan/lifecycle/reboot.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

constexpr Duration kTick = std::chrono::seconds{1};
constexpr int kTicksPerSweep = 10;
// Bindings that a process killed just before us had sent may still land, and must be seen before its nodes
// are filled on.
constexpr Duration kInheritedSettle = std::chrono::seconds{3};

bool is_initialized(const model::ClaimState& state) {
    return rules::is_true(state.claim.conditions, "Initialized");
}

}  // namespace

Rounds::Rounds(Parts& parts) : parts_(parts) {
    parts_.dirty.on_mark = [this] { soon(); };
}

void Rounds::begin() {
    mark_everything();
    parts_.condition_metrics.start(parts_.loop.now());
    parts_.class_keeper.mark_all();
    parts_.dirty.mark_pools();
    parts_.dirty.mark_headroom();
    const bool inherits_closed_nodes = std::ranges::any_of(
        parts_.cluster.our_claims(), [](const auto& item) { return !is_initialized(item.second); });
    if (inherits_closed_nodes) {
        settle_in();
    } else {
        parts_.provisioner.start();
    }
    parts_.collector.start();
    tick();
    soon();
}

void Rounds::settle_in() {
    parts_.is_settling_in = true;
    parts_.loop.after(kInheritedSettle, [this] {
        parts_.is_settling_in = false;
        parts_.provisioner.start();
        mark_everything();
        soon();
    });
}

void Rounds::mark_everything() {
    for (const auto& [name, state] : parts_.cluster.our_claims()) parts_.dirty.mark_claim(name);
    for (const auto& [name, state] : parts_.cluster.nodes()) parts_.dirty.mark_node(name);
}

void Rounds::soon() {
    if (!parts_.is_acting || is_posted_) return;
    is_posted_ = true;
    parts_.loop.post([this] {
        is_posted_ = false;
        if (parts_.is_acting) run();
    });
}

void Rounds::run() {
    heed_outages();
    if (parts_.dirty.take_pools()) reconcile_pools();
    if (parts_.dirty.take_headroom()) {
        parts_.provisioner.headroom_changed();
        parts_.buffer_keeper.reconcile();
    }
    const std::set<std::string> claims = parts_.dirty.take_claims();
    const std::set<std::string> nodes = parts_.dirty.take_nodes();
    if (!claims.empty()) parts_.class_keeper.note_claims();
    parts_.class_keeper.reconcile();
    for (const std::string& name : claims) reconcile_claim(name);
    for (const std::string& name : nodes) parts_.lifecycle.step_node(name);
    for (const std::string& name : parts_.dirty.take_gone_nodes()) {
        parts_.lifecycle.forget_node(name);
        if (parts_.cluster.find_node(name) == nullptr)
            parts_.decisions.note_gone(observe::SubjectKind::kNode, "", name);
    }
    parts_.disruptor.step();
}

void Rounds::heed_outages() {
    if (const auto lasted = parts_.watches.look_for_outage()) {
        parts_.binding_windows.note_outage(*lasted, parts_.loop.now());
        mark_everything();
    }
    parts_.binding_windows.keep_all_closed(parts_.is_settling_in || parts_.watches.is_outage());
}

void Rounds::reconcile_pools() {
    forget_gone_pools();
    parts_.pool_keeper.reconcile(false);
    parts_.first_api_keeper.reconcile();
    parts_.overlay_keeper.reconcile(parts_.overlaid.problems());
    parts_.provisioner.world_changed();
}

void Rounds::reconcile_claim(const std::string& name) {
    parts_.provisioner.claim_changed(name);
    const model::ClaimState* claim = parts_.cluster.find_claim(name);
    if (claim == nullptr) return forget_claim(name);
    if (!claim->is_ours) return;
    parts_.standing_matters.review(name);
    if (parts_.options.pod_binding == act::PodBinding::kAuto) parts_.bindings.reconcile(name);
    parts_.lifecycle.step_claim(name);
    parts_.node_herald.claim_changed(name);
}

void Rounds::forget_claim(const std::string& name) {
    parts_.lifecycle.forget_claim(name);
    parts_.node_herald.forget(name);
    if (!parts_.provisioner.is_creating(name))
        parts_.decisions.note_gone(observe::SubjectKind::kNodeClaim, "", name);
    parts_.last_pod_event.erase(name);
    parts_.binding_windows.forget(name);
}

void Rounds::forget_gone_pools() {
    std::set<std::string> pools;
    for (const auto& [name, state] : parts_.cluster.pools()) pools.insert(name);
    for (const std::string& name : std::exchange(pools_, std::move(pools))) {
        if (!pools_.contains(name)) parts_.decisions.note_gone(observe::SubjectKind::kNodePool, "", name);
    }
}

// What waits for time to pass is reconciled each second while it is under way, the rest each ten.
void Rounds::tick() {
    if (!parts_.is_acting) return;
    const bool is_sweep = ++ticks_ % kTicksPerSweep == 0;
    for (const auto& [name, state] : parts_.cluster.our_claims()) {
        const bool is_settled =
            !state.claim.meta.deleted && is_initialized(state) && !plan::is_rebooting(state.claim);
        if (is_sweep || !is_settled) parts_.dirty.mark_claim(name);
    }
    for (const auto& [name, state] : parts_.cluster.nodes()) {
        if (state.node.meta.deleted) parts_.dirty.mark_node(name);
    }
    if (is_sweep) sweep();
    parts_.buffer_keeper.reconcile();
    parts_.cloud_events.reconcile();
    parts_.hedges.look();
    parts_.condition_metrics.look(parts_.loop.now());
    parts_.offering_metrics.look();
    parts_.spot_prices.look();
    parts_.stock_memory.reconcile();
    parts_.shortage_notes.look();
    parts_.interruption_notes.look();
    if (parts_.watches.are_fresh() && parts_.coming.give_up_stalled(parts_.loop.monotonic()))
        parts_.provisioner.trigger();
    if (!parts_.is_settling_in && parts_.watches.are_fresh()) tick_disruption();
    soon();
    parts_.loop.after(kTick, [this] { tick(); });
}

void Rounds::sweep() {
    parts_.dirty.mark_pools();
    parts_.pool_keeper.reconcile(true);
    parts_.lifecycle.sweep();
    parts_.metrics.set("cluster_state_node_count", {}, static_cast<double>(parts_.cluster.nodes().size()));
    parts_.pool_metrics.look(parts_.ledger.gate(), parts_.ledger.held_pools());
    parts_.cluster_metrics.look();
    parts_.pod_metrics.look(parts_.loop.now());
    parts_.emptiness.reconcile();
}

void Rounds::tick_disruption() {
    const FeatureGates& gates = parts_.options.gates;
    parts_.disruptor.reconcile();
    parts_.repairer.reconcile();
    parts_.replacer.reconcile();
    parts_.pool_returns.reconcile();
    parts_.consolidation.reconcile();
    parts_.lifecycle.reconcile_surges();
    if (gates.static_capacity) parts_.static_pools.reconcile();
    if (parts_.repairs_by_force()) parts_.legacy_repairer.reconcile();
    if (gates.pod_deletion_cost_management) parts_.deletion_costs.reconcile();
}

}  // namespace joiner::control
