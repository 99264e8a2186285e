#include "plan/disrupt/step_check.h"

#include <algorithm>
#include <set>

#include "plan/disrupt/gate.h"
#include "plan/provision/held_ratio.h"

namespace joiner::plan {
namespace {

std::int64_t left_to_buy(const model::PoolView& pool, std::string_view resource) {
    for (const auto& [name, amount] : pool.remaining) {
        if (name == resource) return amount;
    }
    return std::numeric_limits<std::int64_t>::max();
}

bool sells_as_before(const model::PoolView& before, const model::PoolView& now) {
    if (before.pool.meta.generation != now.pool.meta.generation || before.types != now.types ||
        before.node_cost != now.node_cost)
        return false;
    return std::all_of(before.remaining.begin(), before.remaining.end(),
                       [&](const auto& one) { return left_to_buy(now, one.first) >= one.second; });
}

rules::Money price_of(const std::vector<Launch>& launches, const model::Snapshot& snapshot) {
    rules::Money sum;
    for (const Launch& launch : launches) sum += launch.spec->price + cost_besides(snapshot, *launch.spec);
    return sum;
}

}  // namespace

std::optional<std::vector<Candidate>> still_leaving(const RepackQuestion& question, const RepackStep& step,
                                                    const CandidateFinder& finder,
                                                    const model::Cluster& cluster, WallTime now) {
    std::vector<Candidate> out;
    for (const std::string& node : step.nodes) {
        const auto planned = std::lower_bound(
            question.candidates.begin(), question.candidates.end(), node,
            [](const Candidate& candidate, const std::string& name) { return candidate.node < name; });
        const model::ClaimState* state = cluster.find_claim(planned->claim);
        if (state == nullptr || finder.is_out_of_play(*state) || finder.has_obstacle(*state))
            return std::nullopt;
        const model::PoolState* pool = cluster.find_pool(planned->pool);
        const auto at = consolidatable_at(state->claim, pool->pool, finder.last_pod_event(planned->claim));
        if (!at || *at > now) return std::nullopt;
        Candidate candidate = finder.make(*state);
        if (candidate.node != node || candidate.pods != planned->pods) return std::nullopt;
        const auto v = static_cast<std::size_t>(planned - question.candidates.begin());
        for (const model::PodIndex index : question.pods[v]) {
            const model::PodView& pod = question.snapshot.pods[index];
            const model::PodState* there = cluster.find_pod(pod.id.full_name());
            if (there == nullptr || there->shape != pod.shape) return std::nullopt;
        }
        out.push_back(std::move(candidate));
    }
    return out;
}

StepCheck::StepCheck(const RepackQuestion& question, const model::Snapshot& now) : question_(question) {
    for (const model::RoomView& room : now.rooms) rooms_.emplace(room.name, &room);
    for (const model::PoolView& pool : now.pools) pools_.emplace(pool.name, &pool);
}

const model::RoomView* StepCheck::room_now(model::RoomIndex planned) const {
    const model::RoomView& before = question_.snapshot.rooms[planned];
    const auto it = rooms_.find(before.name);
    if (it == rooms_.end()) return nullptr;
    const model::RoomView& now = *it->second;
    const bool is_same = !now.is_claim && now.is_open && now.is_initialized && now.taints == before.taints &&
                         now.labels == before.labels;
    return is_same ? &now : nullptr;
}

bool StepCheck::is_as_planned(const RepackStep& step) const {
    // Whether a ratio bears the step depends on what else has come and gone.
    if (!step.is_independent || keeps_ratio(question_.snapshot)) return false;
    std::map<model::RoomIndex, rules::Resources> wanted;
    for (const Placement& one : step.placements)
        wanted[one.room] += question_.snapshot.pods[one.pod].shape->requests;
    for (auto& [room, amount] : wanted) {
        const model::RoomView* now = room_now(room);
        if (now == nullptr) return false;
        if (const auto taken = taken_.find(room); taken != taken_.end()) amount += taken->second;
        if (!rules::fits(amount, now->free)) return false;
    }
    return std::all_of(step.launches.begin(), step.launches.end(), [&](const Launch& launch) {
        const model::PoolView& before = question_.snapshot.pools[launch.spec->pool];
        const auto now = pools_.find(before.name);
        return now != pools_.end() && sells_as_before(before, *now->second);
    });
}

void StepCheck::take(const RepackStep& step) {
    for (const Placement& one : step.placements)
        taken_[one.room] += question_.snapshot.pods[one.pod].shape->requests;
}

DisruptionCommand to_command(const RepackStep& step, std::vector<Candidate> leaving) {
    return {kUnderutilized, std::move(leaving), step.launches, step.placements, step.payback, step.saving};
}

Result<DisruptionCommand> plan_step_again(const RepackQuestion& question, const RepackStep& step,
                                          const model::Snapshot& snapshot, std::vector<Candidate> leaving,
                                          const ProvisionOptions& options) {
    TRY(auto command, plan_replacement(snapshot, std::move(leaving), kUnderutilized, options));
    if (price_of(command.launches, snapshot) > price_of(step.launches, question.snapshot))
        return fail(ErrorKind::kUnavailable, "what replaces the node would cost more than was planned");
    // Stand-ins were chosen to cost less than what leaves.
    std::set<std::string_view> known;
    for (const Launch& launch : step.launches)
        known.insert(launch.spec->types.begin(), launch.spec->types.end());
    for (Launch& launch : command.launches) {
        auto spec = std::make_shared<MachineSpec>(*launch.spec);
        std::erase_if(spec->types, [&](const std::string& type) { return !known.contains(type); });
        if (spec->types.empty())
            return fail(ErrorKind::kUnavailable, "what replaces the node would be of another type");
        launch.spec = std::move(spec);
    }
    command.rest = step.payback;
    command.saving =
        step.saving + price_of(step.launches, question.snapshot) - price_of(command.launches, snapshot);
    return command;
}

}  // namespace joiner::plan
