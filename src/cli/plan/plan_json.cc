// One object; scripts hold on to its keys, so there may come more, and none goes (docs/plan.md).
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/plan/cluster_plan.h"

namespace joiner::cli {
namespace {

using Json = nlohmann::ordered_json;

// Rounded to what the money is kept in, so that 0.077 prints as 0.077.
double plan_dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

Json nodes_json(const NodesAndPrice& one) {
    return {{"nodes", one.nodes}, {"pricePerHour", plan_dollars(one.price)}};
}

Json kept_json(const plan::KeptNode& node) {
    Json reasons = Json::array();
    for (const plan::Keeper& one : node.reasons) {
        Json reason = {{"rule", plan::kept_rule(one.reason.rule)},
                       {"object", plan::kept_object(one.reason)},
                       {"message", plan::in_words(one.reason)},
                       {"costsPerHour", plan_dollars(one.cost)}};
        if (std::string change = plan::what_would_change(one.reason); !change.empty())
            reason["change"] = std::move(change);
        reasons.push_back(std::move(reason));
    }
    return {{"node", node.node},
            {"nodePool", node.pool},
            {"pricePerHour", plan_dollars(node.price)},
            {"reasons", std::move(reasons)}};
}

}  // namespace

std::string plan_json(const ClusterPlan& plan) {
    Json out;
    out["now"] = nodes_json(plan.now);
    out["now"]["unpricedNodes"] = plan.unpriced;
    out["after"] = nodes_json(plan.after);
    out["lowerBoundPerHour"] = plan_dollars(plan.lower_bound);
    out["seconds"] = plan.seconds;
    out["pods"] = plan.pods;
    out["pools"] = Json::array();
    for (const PoolMoney& pool : plan.pools)
        out["pools"].push_back({{"name", pool.name},
                                {"isNodePool", !pool.is_stand_in},
                                {"now", nodes_json(pool.now)},
                                {"after", nodes_json(pool.after)},
                                {"lowerBoundPerHour", plan_dollars(pool.lower_bound)}});
    out["removals"] = Json::array();
    for (const PlannedRemoval& one : plan.removals)
        out["removals"].push_back({{"node", one.node},
                                   {"reason", one.reason},
                                   {"savesPerHour", plan_dollars(one.saving)},
                                   {"nodePool", one.pool},
                                   {"pricePerHour", plan_dollars(one.price)},
                                   {"pods", one.pods}});
    out["launches"] = Json::array();
    for (const PlannedLaunch& one : plan.launches)
        out["launches"].push_back({{"name", one.name},
                                   {"nodePool", one.pool},
                                   {"instanceType", one.type},
                                   {"zone", one.zone},
                                   {"capacityType", one.capacity_type},
                                   {"price", plan_dollars(one.price)},
                                   {"pods", one.pods},
                                   {"alternatives", one.alternatives},
                                   {"forPodsThatWait", one.is_for_waiting}});
    out["moves"] = Json::array();
    for (const PlannedMove& one : plan.moves)
        out["moves"].push_back({{"pod", one.pod}, {"from", one.from}, {"to", one.to}});
    out["existing"] = Json::object();
    for (const auto& [pod, node] : plan.placements) out["existing"][pod] = node;
    out["kept"] = Json::array();
    for (const plan::KeptNode& node : plan.kept) out["kept"].push_back(kept_json(node));
    out["liftingSavesPerHour"] = plan_dollars(plan.lifting_saves);
    out["unschedulable"] = Json::object();
    for (const auto& [pod, reason] : plan.unschedulable) out["unschedulable"][pod] = reason;
    out["notRead"] = Json::array();
    for (const NotRead& one : plan.not_read) out["notRead"].push_back(in_words(one));
    out["warnings"] = plan.warnings;
    return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace joiner::cli
