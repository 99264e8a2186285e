#include "control/static_pools.h"

#include <fmt/format.h>

#include <algorithm>

#include "act/object_writer.h"
#include "observe/log.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

// As many claims are asked for at once; the rest follow a second later.
constexpr std::int64_t kMostLaunchesARound = 100;
constexpr Duration kEventGap = std::chrono::minutes{15};

}  // namespace

void StaticPools::reconcile() {
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const api::NodePool& pool = state.pool;
        if (pool.replicas && !pool.meta.deleted && pool.spec_problem.empty() &&
            rules::is_true(pool.conditions, "Ready"))
            reconcile(pool);
    }
}

plan::StaticPoolFacts StaticPools::facts_of(const api::NodePool& pool) {
    std::set<std::string>& creating = creating_[pool.meta.name];
    std::erase_if(creating, [this](const std::string& claim) {
        return services_.cluster.find_claim(claim) != nullptr || !provisioner_.is_creating(claim);
    });
    return {services_.cluster, pool, disruption_.ledger.leaving(),
            static_cast<std::int64_t>(creating.size())};
}

void StaticPools::reconcile(const api::NodePool& pool) {
    const plan::StaticPoolFacts facts = facts_of(pool);
    plan::StaticPoolPlan plan = plan::plan_static_pool(facts, services_.loop.now());
    const std::int64_t missing = plan.launches;
    if (missing > 0) {
        const auto reserved = plan::reservation_room(disruption_.ground.facts(), facts);
        plan.launches = std::min(missing, reserved.value_or(missing));
        if (plan.launches < missing)
            plan.shortage =
                fmt::format("{} of {} missing nodes are not launched: {} for them", missing - plan.launches,
                            missing, plan::obstacle_in_words(plan::kNoReservedCapacity, pool));
    }
    const std::string object = "NodePool " + pool.meta.name;
    if (!plan.shortage.empty()) {
        limit(pool, {.rule = plan::Rule::kStaticLimit, .object = object, .detail = plan.shortage});
    } else if (missing == 0) {
        decide(pool, observe::Matter::kSize, observe::Verdict::kAsWanted, {});
    }
    for (const std::string& claim : plan.remove) lifecycle_.delete_claim(claim, "underutilized");
    const model::PoolView view = model::make_pool_view(pool, {}, 0);
    if (plan.launches > 0) {
        if (const PoolDoubts::Doubt* doubt = provisioner_.doubt(pool.meta.name))
            return limit(pool, as_reason(*doubt, pool.meta.name));
        const auto hold = purchases_.hold(pool.meta.name, services_.loop.now(), true);
        if (!hold) return launch(view, std::min(plan.launches, kMostLaunchesARound));
        return limit(pool, {.rule = plan::Rule::kFailedLaunches,
                            .object = object,
                            .detail = hold->error,
                            .amounts = {{"failed", hold->failed}},
                            .until = hold->until});
    }
    if (plan.remove.empty() && disruption_.disruptor.may_start()) replace_drifted(facts, view);
}

// No list of types: the provider chooses, as for any claim that leaves it open.
std::shared_ptr<const plan::MachineSpec> StaticPools::spec_of(const model::PoolView& pool) const {
    auto spec = std::make_shared<plan::MachineSpec>();
    spec->requirements = pool.requirements;
    return spec;
}

void StaticPools::launch(const model::PoolView& pool, std::int64_t count) {
    const auto spec = spec_of(pool);
    observe::log_info("provisioner", "launching nodes of a static pool",
                      {{"NodePool", pool.name}, {"nodes", std::to_string(count)}});
    const plan::Reason why{
        .rule = plan::Rule::kStaticSize, .object = "NodePool " + pool.name, .amounts = {{"missing", count}}};
    if (const model::PoolState* state = services_.cluster.find_pool(pool.name))
        decide(state->pool, observe::Matter::kSize, observe::Verdict::kBought, {why});
    std::string claim;
    for (const std::string& group :
         provisioner_.launch_groups(std::vector(static_cast<std::size_t>(count), spec))) {
        claim = provisioner_.create(pool, *spec, {"provisioned", group}, [](const Status&) {});
        decide_on_claim(decisions_, claim, {why}, services_.loop.now());
        creating_[pool.name].insert(claim);
    }
    purchases_.note_bought(pool.name, claim, pool.name);
}

void StaticPools::launch_failed(const std::string& claim, const Error& error) {
    purchases_.note_failed(claim, error.message);
}

void StaticPools::replace_drifted(const plan::StaticPoolFacts& facts, const model::PoolView& pool) {
    const plan::StaticDrift drift =
        plan::plan_static_drift(disruption_.ground.facts(), facts, services_.loop.now());
    const bool may_go = drift.obstacle.empty() || terminate_first_.drift;
    if (!may_go || !drift.in_vain.empty()) keep_drifted(facts.pool, drift);
    if (!may_go || drift.candidates.empty()) return;
    const plan::Candidate& candidate = drift.candidates.front();
    plan::DisruptionGate gate = disruption_.ledger.gate();
    if (gate.admit({candidate}, plan::kDrifted)) {
        if (drift.obstacle.empty()) {
            begin(pool, candidate, plan::kDrifted, {});
        } else {
            terminate_first(candidate, plan::kDrifted, {}, drift.obstacle);
        }
    }
    disruption_.notes.report(gate);
}

std::string StaticPools::replace(const plan::Candidate& candidate, std::string_view reason,
                                 std::optional<Duration> drain_bound) {
    const api::NodePool& pool = services_.cluster.find_pool(candidate.pool)->pool;
    const plan::StaticPoolFacts facts = facts_of(pool);
    const plan::DisruptionFacts disruption = disruption_.ground.facts();
    const std::optional<std::string_view> obstacle = plan::replacement_obstacle(disruption, facts);
    if (!obstacle) return {};
    if (!obstacle->empty()) {
        const model::ClaimState* claim = services_.cluster.find_claim(candidate.claim);
        const bool may_refill = rules::is_true(pool.conditions, "Ready") && !pool.meta.deleted;
        if (!terminate_first_.repair || !may_refill || claim == nullptr ||
            !plan::makes_room(claim->claim, *obstacle, disruption, facts))
            return plan::obstacle_in_words(*obstacle, pool) + " for a replacement";
        terminate_first(candidate, reason, drain_bound, *obstacle);
        return {};
    }
    begin(model::make_pool_view(pool, {}, 0), candidate, reason, drain_bound);
    return {};
}

// Its pods find room as pods of any node that goes; all there is to say is what to launch.
void StaticPools::begin(const model::PoolView& pool, const plan::Candidate& candidate,
                        std::string_view reason, std::optional<Duration> drain_bound) {
    model::Snapshot question;
    question.pools.push_back(pool);
    plan::DisruptionCommand command;
    command.reason = reason;
    command.leaving = {candidate};
    command.launches = {{spec_of(pool), {}}};
    command.drain_bound = drain_bound;
    disruption_.disruptor.start(question, command);
}

void StaticPools::terminate_first(const plan::Candidate& candidate, std::string_view reason,
                                  std::optional<Duration> drain_bound, std::string_view obstacle) {
    plan::DisruptionCommand command;
    command.reason = reason;
    command.leaving = {candidate};
    command.drain_bound = drain_bound;
    command.terminates_first_for = obstacle;
    disruption_.disruptor.start({}, command);
}

void StaticPools::keep_drifted(const api::NodePool& pool, const plan::StaticDrift& drift) {
    const plan::Reason why{.rule = plan::Rule::kStaticLimit,
                           .object = "NodePool " + pool.meta.name,
                           .detail = "drifted nodes are not replaced: " +
                                     plan::obstacle_in_words(drift.obstacle, pool) + " for one more"};
    const auto keep = [&](const std::vector<plan::Candidate>& candidates) {
        for (const plan::Candidate& candidate : candidates)
            disruption_.notes.keep({candidate.claim, candidate.node, {why}}, observe::Matter::kDrift);
    };
    keep(drift.in_vain);
    if (terminate_first_.drift && !drift.candidates.empty()) return;
    say(pool, "DisruptionBlocked", why.detail);
    decide(pool, observe::Matter::kDrift, observe::Verdict::kClosed, {why});
    keep(drift.candidates);
}

void StaticPools::limit(const api::NodePool& pool, plan::Reason why) {
    say(pool, "StaticCapacityLimited", in_words(why));
    decide(pool, observe::Matter::kSize, observe::Verdict::kLimited, {std::move(why)});
}

void StaticPools::decide(const api::NodePool& pool, observe::Matter matter, observe::Verdict verdict,
                         plan::Reasons reasons) {
    decisions_.record({observe::Subject::pool(pool.meta), matter, verdict, plan::share(std::move(reasons)),
                       services_.loop.now()});
}

void StaticPools::say(const api::NodePool& pool, const std::string& reason, const std::string& message) {
    services_.events.record(
        {act::target_of(pool), reason == "StaticCapacityLimited", reason, message, kEventGap});
}

}  // namespace joiner::control
