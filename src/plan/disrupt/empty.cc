#include "plan/disrupt/empty.h"

#include <algorithm>

#include "api/names.h"
#include "model/capacity_mix.h"

namespace joiner::plan {
namespace {

// Between the Consolidatable condition and the node's end, for those who wait to see it.
constexpr Duration kSaidFor = std::chrono::seconds{3};
constexpr Duration kSaidSoon = std::chrono::seconds{1};
// From then on a node that will be due is not worth moving pods beside.
constexpr Duration kAtHand = std::chrono::seconds{10};

// A Provisioner's ttlSecondsAfterEmpty is kept to the second.
bool is_said_first(const api::NodePool& pool) {
    return !pool.is_provisioner;
}

bool is_said_for_long(const api::Condition* said, WallTime now) {
    return said != nullptr && said->status == "True" && now - said->last_transition >= kSaidFor;
}

// Spot goes first: what is on demand may go once there is less spot beside it.
std::vector<const model::ClaimState*> in_order_of_end(const DisruptionFacts& facts,
                                                      const model::CapacityMixes& mixes) {
    std::vector<const model::ClaimState*> out;
    for (const auto& [name, state] : facts.cluster.our_claims()) out.push_back(&state);
    if (mixes.empty()) return out;
    std::stable_partition(out.begin(), out.end(), [&](const model::ClaimState* state) {
        return model::counts_as_spot(facts.cluster, state->claim);
    });
    return out;
}

}  // namespace

EmptyPlan plan_empty(const DisruptionFacts& facts, DisruptionGate& gate, WallTime now) {
    EmptyPlan plan;
    const CandidateFinder finder(facts, DisruptionClass::kGraceful, now);
    model::CapacityMixes mixes =
        model::capacity_mixes({facts.cluster, facts.types, nullptr, &facts.in_commands});
    for (const model::ClaimState* const each : in_order_of_end(facts, mixes)) {
        const model::ClaimState& state = *each;
        const std::string& name = state.claim.meta.name;
        if (finder.is_out_of_play(state) || !is_empty(*facts.cluster.node_of(state.claim))) continue;
        const auto keep = [&](Reasons reasons) {
            plan.kept.push_back(
                {name, facts.cluster.node_of(state.claim)->node.meta.name, std::move(reasons)});
        };
        if (facts.headroom != nullptr && facts.headroom->contains(name)) {
            keep({{.rule = Rule::kHeadroom}});
            continue;
        }
        if (Reasons obstacles = finder.obstacles(state); !obstacles.empty()) {
            keep(std::move(obstacles));
            continue;
        }
        const std::string pool_name(api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel));
        const api::NodePool& pool = facts.cluster.find_pool(pool_name)->pool;
        if (pool.consolidation_policy != "WhenEmpty") {
            if (auto barred = consolidation_barred(facts.cluster.node_of(state.claim)->node)) {
                keep({std::move(*barred)});
                continue;
            }
        }
        const auto at = consolidatable_at(state.claim, pool, finder.last_pod_event(name));
        if (!at) {
            keep({{.rule = pool.replicas ? Rule::kStaticPool : Rule::kConsolidationOff,
                   .object = "NodePool " + pool_name}});
            continue;
        }
        const Candidate candidate = finder.make(state);
        const auto mix = mixes.find(pool_name);
        rules::CapacityMix without;
        if (mix != mixes.end()) {
            without = mix->second;
            model::count_capacity(without, candidate.is_spot, -candidate.milli_cores);
            if (without.missing() > mix->second.missing()) {
                keep({{.rule = Rule::kRatio, .object = "NodePool " + pool_name}});
                continue;
            }
        }
        const auto look_again = [&](WallTime when, Rule because) {
            plan.look_again_at = std::min(plan.look_again_at.value_or(when), when);
            keep({{.rule = because, .until = because == Rule::kIdleTime ? when : kNoTime}});
        };
        const api::Condition* said = api::find_condition(state.claim.conditions, "Consolidatable");
        plan.is_any_at_hand |= *at - now <= kAtHand && gate.left(pool_name, kEmpty) > 0;
        if (*at > now) {
            look_again(*at, Rule::kIdleTime);
        } else if (!is_said_first(pool) || is_said_for_long(said, now)) {
            if (gate.admit({candidate}, kEmpty)) {
                plan.claims.push_back(name);
                if (mix != mixes.end()) mix->second = without;
            } else {
                keep(gate.obstacles({candidate}, kEmpty));
            }
        } else if (said == nullptr || said->status != "True") {
            plan.unsaid.push_back(name);
            look_again(now + kSaidSoon, Rule::kSaidFirst);
        } else {
            look_again(said->last_transition + kSaidFor, Rule::kSaidFirst);
        }
    }
    return plan;
}

}  // namespace joiner::plan
