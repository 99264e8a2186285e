#include "sim/preemption.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "api/codec.h"
#include "rules/selector.h"

namespace joiner::sim {
namespace {

std::int32_t priority_of(const SchedulerPodPtr& pod) {
    return pod->pod.spec.priority;
}

// The important ones first: by priority, then those that are there for longer.
bool is_more_important(const SchedulerPodPtr& a, const SchedulerPodPtr& b) {
    const auto rank = [](const SchedulerPodPtr& pod) {
        return std::tuple(-priority_of(pod), text_at(pod->object->json, {"status", "startTime"}), pod->key);
    };
    return rank(a) < rank(b);
}

// A budget, and how many more of its pods may go.
struct Budget {
    std::string ns;
    std::optional<api::LabelSelector> selector;
    std::int64_t allowed = 0;
};

std::vector<Budget> budgets_of(Verbs& verbs) {
    std::vector<Budget> out;
    for (const ObjectPtr& object : verbs.store().list(verbs.type("poddisruptionbudgets.policy"))) {
        const auto decoded = api::decode_pod_disruption_budget(object->text());
        if (!decoded) continue;
        out.push_back(
            {decoded->meta.ns, decoded->selector, int_at(object->json, {"status", "disruptionsAllowed"})});
    }
    return out;
}

// How many of the pods no budget lets go.
int broken_budgets(std::vector<Budget> budgets, const std::vector<SchedulerPodPtr>& victims) {
    int out = 0;
    for (const SchedulerPodPtr& victim : victims) {
        bool is_broken = false;
        for (Budget& budget : budgets) {
            if (budget.ns != victim->pod.meta.ns || !rules::matches(budget.selector, victim->pod.meta.labels))
                continue;
            if (--budget.allowed < 0) is_broken = true;
        }
        out += is_broken ? 1 : 0;
    }
    return out;
}

// The pods of the node that would have to go; nothing where even all of lower priority would not do.
std::optional<std::vector<SchedulerPodPtr>> victims_on(SchedulerState& state, const SchedulerPod& pod,
                                                       const std::string& node) {
    std::vector<SchedulerPodPtr> lower;
    for (const auto& [key, other] : state.nodes().at(node).pods) {
        if (priority_of(other) < pod.pod.spec.priority) lower.push_back(other);
    }
    if (lower.empty()) return std::nullopt;
    std::sort(lower.begin(), lower.end(), is_more_important);
    for (const SchedulerPodPtr& other : lower) state.remove_pod(other->key);
    const bool would_do = state.may_be_on(pod, node);
    std::vector<SchedulerPodPtr> victims;
    for (const SchedulerPodPtr& other : lower) {
        state.place(other, node);
        if (!would_do || state.may_be_on(pod, node)) continue;
        state.remove_pod(other->key);
        victims.push_back(other);
    }
    for (const SchedulerPodPtr& victim : victims) state.place(victim, node);
    if (!would_do) return std::nullopt;
    return victims;
}

}  // namespace

std::optional<Preemption> find_preemption(SchedulerState& state, Verbs& verbs, const SchedulerPod& pod) {
    std::optional<std::vector<Budget>> budgets;  // Most pods find nobody who is less urgent.
    std::optional<Preemption> best;
    // Budgets broken, the highest priority that goes, the sum of all, how many go; the lesser is the better.
    std::tuple<int, std::int64_t, std::int64_t, std::size_t> best_rank;
    for (const auto& [name, node] : state.nodes()) {
        if (!node.object) continue;
        auto victims = victims_on(state, pod, name);
        if (!victims) continue;
        if (!budgets) budgets = budgets_of(verbs);
        std::int64_t highest = std::numeric_limits<std::int64_t>::min();
        std::int64_t sum = 0;
        for (const SchedulerPodPtr& victim : *victims) {
            highest = std::max<std::int64_t>(highest, priority_of(victim));
            // So that many pods of negative priority are not better than few.
            sum += std::int64_t{priority_of(victim)} + std::numeric_limits<std::int32_t>::max();
        }
        const std::tuple rank(broken_budgets(*budgets, *victims), highest, sum, victims->size());
        if (best && rank >= best_rank) continue;
        best = Preemption{name, std::move(*victims)};
        best_rank = rank;
    }
    return best;
}

}  // namespace joiner::sim
