// One object; scripts hold on to its keys, so there may come more, and none goes.
#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/simulation.h"

namespace joiner::cli {
namespace {

using Json = nlohmann::ordered_json;

long peak_rss_kb() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

// Rounded to what the money is kept in, so that 0.077 prints as 0.077.
double dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

Json launches_json(const model::Snapshot& snapshot, const std::vector<plan::Launch>& launches) {
    Json out = Json::array();
    for (const plan::Launch& launch : launches) {
        Json pods = Json::array();
        for (const model::PodIndex pod : launch.pods) pods.push_back(snapshot.pods[pod].id.full_name());
        out.push_back({{"nodePool", snapshot.pools[launch.spec->pool].name},
                       {"instanceType", launch.spec->types.front()},
                       {"zone", launch.spec->zone},
                       {"capacityType", launch.spec->capacity_type},
                       {"price", dollars(launch.spec->price)},
                       {"pods", std::move(pods)},
                       {"alternatives", launch.spec->types.size() - 1}});
    }
    return out;
}

Json removals_json(const Simulation& s) {
    const model::Snapshot& snapshot = s.repack_question.snapshot;
    Json out = Json::array();
    for (const plan::RepackStep& step : s.removals) {
        Json moves = Json::object();
        for (const plan::Placement& one : step.placements)
            moves[snapshot.pods[one.pod].id.full_name()] = snapshot.rooms[one.room].name;
        out.push_back({{"nodes", step.nodes},
                       {"reason", step.reason},
                       {"savesPerHour", dollars(step.saving)},
                       {"evictions", step.evictions},
                       {"why", step.why},
                       {"moves", std::move(moves)},
                       {"nodeClaims", launches_json(snapshot, step.launches)}});
    }
    return out;
}

}  // namespace

void print_json(const Simulation& s, const std::vector<std::string>& warnings) {
    Json out;
    out["seconds"] = s.seconds;
    out["firstPlanSeconds"] = s.first_plan_seconds;
    out["nodes"] = s.plan.launches.size();
    out["pricePerHour"] = dollars(s.plan.price);
    if (s.plan.node_cost.nanos != 0) out["nodeCostPerHour"] = dollars(s.plan.node_cost);
    out["lowerBoundPerHour"] = dollars(s.plan.lower_bound);
    const auto gap = gap_of(s.plan);
    out["gap"] = gap ? Json(*gap) : Json(nullptr);
    const PodCounts pods = count_pods(s);
    out["pods"] = {{"all", pods.all},
                   {"onNewNodes", pods.on_new_nodes},
                   {"onExistingNodes", pods.on_existing_nodes},
                   {"waiting", pods.waiting}};
    if (const auto notes = commitment_notes(s); !notes.empty()) {
        for (const CommitmentNote& note : notes)
            out["commitments"].push_back(
                {{"name", note.commitment}, {"nodes", note.nodes}, {"savesPerHour", dollars(note.saving)}});
    }
    out["warnings"] = warnings;
    out["maxRssKB"] = peak_rss_kb();
    out["passes"] = Json::array();
    out["passes"].push_back({{"name", "snapshot"}, {"seconds", s.snapshot_seconds}});
    for (const plan::PassReport& pass : s.plan.passes)
        out["passes"].push_back(
            {{"name", pass.name}, {"seconds", pass.seconds}, {"pricePerHour", dollars(pass.price)}});
    const auto name_of = [&](model::PodIndex pod) { return s.snapshot.pods[pod].id.full_name(); };
    out["unschedulable"] = Json::object();
    for (const plan::Wait& wait : s.plan.waits) out["unschedulable"][name_of(wait.pod)] = wait.reason;
    out["nodeClaims"] = launches_json(s.snapshot, s.plan.launches);
    out["existing"] = Json::object();
    for (const plan::Placement& placement : s.plan.placements) {
        out["existing"][name_of(placement.pod)] = s.snapshot.rooms[placement.room].name;
    }
    if (s.has_removals) {
        out["repackSeconds"] = s.repack_seconds;
        out["repackQuestionSeconds"] = s.repack_question_seconds;
        out["repackLongestSliceSeconds"] = s.longest_slice_seconds;
        out["removals"] = removals_json(s);
        const RemovalSum sum = sum_of_removals(s);
        out["disruption"] = {{"nowPerHour", dollars(sum.now)},
                             {"afterPerHour", dollars(sum.after)},
                             {"lowerBoundPerHour", dollars(s.bound_anew)},
                             {"nodes", sum.nodes},
                             {"moves", sum.moves},
                             {"unpricedNodes", s.unpriced_nodes}};
    }
    std::puts(out.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace joiner::cli
