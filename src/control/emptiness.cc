#include "control/emptiness.h"

#include <algorithm>

#include "control/disruption_counts.h"

namespace joiner::control {
namespace {

constexpr Duration kSoon = std::chrono::milliseconds{500};

}  // namespace

void Emptiness::note_pod_event() {
    reconcile_in(kSoon);
}

void Emptiness::reconcile() {
    reconcile_in(Duration{0});
}

void Emptiness::reconcile_in(Duration delay) {
    const Duration at = services_.loop.monotonic() + delay;
    if (!may_act_() || (timer_ != 0 && due_at_ <= at)) return;
    // One node may have an hour to wait, and another is due in a second.
    if (timer_ != 0) services_.loop.cancel(timer_);
    due_at_ = at;
    timer_ = services_.loop.after(delay, [this] {
        timer_ = 0;
        if (may_act_()) remove_empty();
    });
}

void Emptiness::remove_empty() {
    // While pods are being planned, what looks empty may be about to be used.
    if (!provisioner_.is_idle() || !facts_are_fresh_()) return reconcile_in(kSoon);
    const WallTime now = services_.loop.now();
    plan::DisruptionGate gate = disruption_.ledger.gate();
    plan::EmptyPlan plan = plan::plan_empty(disruption_.ground.facts(), gate, now);
    // What goes already may not be known to go yet.
    std::erase_if(plan.claims, [&](const std::string& claim) { return lifecycle_.is_deleting(claim); });
    disruption_.notes.report(gate);
    decide(plan);
    if (!plan.claims.empty())
        count_decision(metrics_, services_.cluster, {"delete", plan::kEmpty, "empty"}, plan.claims);
    for (const std::string& claim : plan.claims) lifecycle_.delete_claim(claim, "empty");
    for (const std::string& claim : plan.unsaid) services_.reconcile_claim(claim);
    if (plan.look_again_at) reconcile_in(std::max<Duration>(kSoon, *plan.look_again_at - now));
}

void Emptiness::decide(const plan::EmptyPlan& plan) {
    const WallTime now = services_.loop.now();
    nodes_.keep(plan.kept, observe::Matter::kEmptiness, now);
    const plan::SharedReasons why = plan::share({{.rule = plan::Rule::kEmptyNode}});
    for (const std::string& claim : plan.claims) {
        nodes_.record(claim, observe::Matter::kEmptiness, observe::Verdict::kLeaves, why, now);
    }
    disruption_.savings.promise_empty(plan.claims);
}

}  // namespace joiner::control
