#include "control/pool_keeper.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "act/object_writer.h"
#include "api/codec.h"
#include "api/names.h"
#include "model/first_api.h"
#include "rules/budget.h"
#include "rules/capacity_ratio.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

using Json = nlohmann::json;

constexpr Duration kEventGap = std::chrono::minutes{15};

const kube::Resource& resource_of(const api::NodePool& pool) {
    return pool.is_provisioner ? kube::kProvisioners : kube::kNodePools;
}

// What the pool's nodes add up to, where its status says something else.
void add_sums(const api::NodePool& pool, const PoolUse& use, Json& status) {
    api::ResourceMap resources = rules::to_resource_map(use.capacity);
    for (const char* always : {"cpu", "memory", "pods", "ephemeral-storage"})
        resources.try_emplace(always, Quantity{});
    resources["nodes"] = Quantity::of_units(use.nodes);
    if (resources == pool.status_resources && use.nodes == pool.status_nodes) return;
    status["resources"] = Json::parse(api::encode_resource_map(resources));
    for (const auto& [resource, amount] : pool.status_resources) {
        if (!resources.contains(resource)) status["resources"][resource] = nullptr;
    }
    status["nodes"] = use.nodes;
}

}  // namespace

void PoolKeeper::reconcile(bool with_sums) {
    const UseByPool uses = with_sums ? use_by_pool(services_.cluster) : UseByPool{};
    made_ = model::made_classes(services_.cluster);
    mixes_ = model::capacity_mixes({services_.cluster, [this](const api::NodePool& pool) {
                                        return services_.offers.instance_types(pool);
                                    }});
    for (const auto& [name, state] : services_.cluster.our_pools()) {
        const auto found = uses.find(name);
        const PoolUse use = found == uses.end() ? PoolUse{} : found->second;
        reconcile(state.pool, with_sums ? &use : nullptr);
        reconcile_claims_of(state.pool);
    }
    for (const auto& [name, kept] : services_.cluster.provisioners()) note_unused(kept.object);
}

// One that stands aside is no pool of ours, and its nodes, if it has any, are not its own.
void PoolKeeper::note_unused(const api::Provisioner& provisioner) {
    const api::NodePool& pool = provisioner.pool;
    const model::PoolState* of_name = services_.cluster.find_pool(provisioner.meta.name);
    const bool has_rival = of_name != nullptr && !of_name->pool.is_provisioner;
    const bool is_served = services_.cluster.is_served(pool.node_template.node_class);
    if (!has_rival && is_served) return;
    if (!patches_.may_send(kube::kProvisioners, pool.meta)) return;
    const WallTime now = services_.loop.now();
    rules::ConditionEditor edit(pool.conditions, rules::kPoolDependents, pool.meta.generation,
                                pool.meta.created);
    if (has_rival) {
        edit.set(
            "ValidationSucceeded", "False", "NameTaken",
            fmt::format("NodePool {0} has the same name and is used in place of this Provisioner: rename "
                        "one of them, or delete this one when all is moved to the NodePool",
                        pool.meta.name),
            now);
    } else if (!pool.spec_problem.empty()) {
        edit.set("ValidationSucceeded", "False", "ProvisionerValidationFailed", pool.spec_problem, now);
    } else {
        edit.set_true("ValidationSucceeded", now);
        edit.set("NodeClassReady", "False", "NodeClassNotServed",
                 fmt::format("nodes of kind {} are not made here: switch its provider on, or refer to a node "
                             "class of another kind in spec.providerRef",
                             pool.node_template.node_class.kind),
                 now);
    }
    const std::vector<api::Condition> wanted = edit.finish(now);
    if (wanted == pool.conditions) return;
    patch(pool, "status",
          act::dump({{"status", {{"conditions", Json::parse(api::encode_conditions(wanted))}}}}));
}

// What is drifted, and what may be consolidated, follows from the spec and from the hash, written after it.
void PoolKeeper::reconcile_claims_of(const api::NodePool& pool) {
    std::pair<std::int64_t, std::string> current{
        pool.meta.generation, api::find_or_empty(pool.meta.annotations, api::kNodePoolHashAnnotation)};
    const auto [it, is_new] = reconciled_.try_emplace(pool.meta.name, current);
    if (it->second == current) return;
    it->second = std::move(current);
    for (const auto& [name, state] : services_.cluster.our_claims()) {
        if (api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel) == pool.meta.name)
            services_.reconcile_claim(name);
    }
}

std::vector<api::Condition> PoolKeeper::wanted_conditions(const api::NodePool& pool) const {
    const WallTime now = services_.loop.now();
    rules::ConditionEditor edit(pool.conditions, rules::kPoolDependents, pool.meta.generation,
                                pool.meta.created);
    const std::string problems =
        rules::validate_node_pool(pool, services_.providers.of(pool.node_template.node_class).labels());
    if (problems.empty()) {
        edit.set_true("ValidationSucceeded", now);
    } else {
        edit.set("ValidationSucceeded", "False", "NodePoolValidationFailed", problems, now);
    }
    const auto node_class = services_.cluster.find_node_class(pool.node_template.node_class);
    const std::string not_made = model::made_class_problem(services_.cluster, made_, pool);
    if (!not_made.empty()) {
        edit.set("NodeClassReady", "False", "NodeClassNotMade", not_made, now);
    } else if (node_class == nullptr) {
        edit.set("NodeClassReady", "False", "NodeClassNotFound",
                 fmt::format("{} {} does not exist", pool.node_template.node_class.kind,
                             pool.node_template.node_class.name),
                 now);
    } else if (node_class->meta.deleted) {
        edit.set("NodeClassReady", "False", "NodeClassTerminating", "the node class is being deleted", now);
    } else {
        const api::Condition* ready = api::find_condition(node_class->conditions, "Ready");
        if (ready == nullptr || ready->status == "Unknown") {
            edit.set("NodeClassReady", "Unknown", "NodeClassReadinessUnknown",
                     "the node class has not said whether it is ready", now);
        } else if (ready->status == "True") {
            edit.set_true("NodeClassReady", now);
        } else {
            edit.set("NodeClassReady", "False", ready->reason, ready->message, now);
        }
    }
    // Said of pools that want them only: it adds nothing where all is well.
    const bool has_types = node_class == nullptr || services_.offers.instance_types(pool) != nullptr;
    if (has_types) {
        edit.remove("InstanceTypesFound");
    } else {
        edit.set("InstanceTypesFound", "False", "InstanceTypesNotFound", services_.offers.why_no_types(pool),
                 now);
    }
    if (const auto sold_out = sold_out_.find(pool.meta.name); sold_out != sold_out_.end()) {
        edit.set("OfferingsAvailable", "False", "SoldOut", sold_out->second, now);
    } else {
        edit.remove("OfferingsAvailable");
    }
    set_registration_health(pool, edit);
    set_ratio(pool, edit);
    return edit.finish(now);
}

void PoolKeeper::note_registered(const std::string& pool) {
    if (Registrations* known = registrations_of(pool)) known->health.note(true);
}

void PoolKeeper::note_sold_out(const std::string& pool, std::string message) {
    if (message.empty())
        sold_out_.erase(pool);
    else
        sold_out_.insert_or_assign(pool, std::move(message));
}

void PoolKeeper::note_given_up(const std::string& pool, const std::string& reason,
                               const std::string& message) {
    Registrations* known = registrations_of(pool);
    if (known == nullptr) return;
    known->health.note(false);
    known->failure = reason;
    known->message = message;
}

PoolKeeper::Registrations* PoolKeeper::registrations_of(const std::string& name) {
    const model::PoolState* state = services_.cluster.find_pool(name);
    if (state == nullptr) return nullptr;
    const api::NodePool& pool = state->pool;
    const auto [it, is_new] = registrations_.try_emplace(name);
    Registrations& known = it->second;
    const std::int64_t of_class = class_generation(pool);
    if (is_new || known.generation != pool.meta.generation || known.class_generation != of_class) {
        known = {pool.meta.generation, of_class, {}, {}, {}};
        // After a restart the condition is all that is known of those before.
        const api::Condition* there = api::find_condition(pool.conditions, "NodeRegistrationHealthy");
        if (there != nullptr && there->status != "Unknown" &&
            there->observed_generation == pool.meta.generation &&
            pool.node_class_observed_generation == of_class)
            known.health = rules::RegistrationHealth::from(there->status == "True");
    }
    return &known;
}

std::int64_t PoolKeeper::class_generation(const api::NodePool& pool) const {
    const auto node_class = services_.cluster.find_node_class(pool.node_template.node_class);
    return node_class == nullptr ? 0 : node_class->meta.generation;
}

void PoolKeeper::set_registration_health(const api::NodePool& pool, rules::ConditionEditor& edit) const {
    constexpr std::string_view kType = "NodeRegistrationHealthy";
    const WallTime now = services_.loop.now();
    const auto known = registrations_.find(pool.meta.name);
    const std::int64_t of_class = class_generation(pool);
    const bool is_current = known != registrations_.end() &&
                            known->second.generation == pool.meta.generation &&
                            known->second.class_generation == of_class;
    const bool has_new_class = of_class != 0 && pool.node_class_observed_generation != 0 &&
                               pool.node_class_observed_generation != of_class;
    const std::optional<bool> verdict = is_current ? known->second.health.verdict() : std::optional<bool>{};
    const api::Condition* there = api::find_condition(pool.conditions, kType);
    if (verdict == true) {
        edit.set_true(kType, now);
    } else if (verdict == false) {
        edit.set(kType, "False", known->second.failure,
                 "nodes of the pool do not come up: " + known->second.message, now);
    } else if (there == nullptr || there->observed_generation != pool.meta.generation || has_new_class) {
        edit.set(kType, "Unknown", "AwaitingReconciliation", "no node has registered yet", now);
    }
}

void PoolKeeper::set_ratio(const api::NodePool& pool, rules::ConditionEditor& edit) const {
    constexpr std::string_view kType = "CapacityRatioHeld";
    const WallTime now = services_.loop.now();
    const rules::RatioWish wish = rules::ratio_wish(pool);
    if (!wish.problem.empty()) return edit.set(kType, "False", wish.reason, wish.problem, now);
    const auto mix = mixes_.find(pool.meta.name);
    if (!wish.ratio || mix == mixes_.end()) return edit.remove(kType);
    const std::int64_t missing = mix->second.missing();
    if (missing == 0) return edit.set_true(kType, now);
    const auto cores = [](std::int64_t milli) { return static_cast<double>(milli) / 1000; };
    const std::int64_t total = mix->second.on_demand + mix->second.spot;
    edit.set(
        kType, "False", "TooLittleOnDemand",
        fmt::format("{:g} of {:g} cores are on demand, {:g} fewer than the ratio asks for; what is bought "
                    "next is on demand as far as it is sold",
                    cores(mix->second.on_demand), cores(total), cores(missing)),
        now);
}

void PoolKeeper::reconcile(const api::NodePool& pool, const PoolUse* use) {
    // It stops disruption, and not the launches of the pool.
    if (const Status budgets = rules::check_budgets(pool); !budgets) {
        services_.events.record(
            {act::target_of(pool), true, "InvalidBudget", budgets.error().message, kEventGap});
    }
    if (!patches_.may_send(resource_of(pool), pool.meta)) return;
    const std::string hash = rules::node_pool_hash(pool);
    if (api::find_or_empty(pool.meta.annotations, api::kNodePoolHashAnnotation) != hash ||
        api::find_or_empty(pool.meta.annotations, api::kNodePoolHashVersionAnnotation) !=
            api::kNodePoolHashVersion) {
        return patch(pool, "",
                     act::dump({{"metadata",
                                 {{"annotations",
                                   {{api::kNodePoolHashAnnotation, hash},
                                    {api::kNodePoolHashVersionAnnotation, api::kNodePoolHashVersion}}}}}}));
    }
    Json status = Json::object();
    const std::vector<api::Condition> wanted = wanted_conditions(pool);
    decide_on_readiness(pool, wanted);
    const std::int64_t of_class = class_generation(pool);
    if (of_class != 0 && of_class != pool.node_class_observed_generation)
        status["nodeClassObservedGeneration"] = of_class;
    if (wanted != pool.conditions) status["conditions"] = Json::parse(api::encode_conditions(wanted));
    if (use != nullptr) add_sums(pool, *use, status);
    if (!status.empty()) patch(pool, "status", act::dump({{"status", std::move(status)}}));
}

void PoolKeeper::decide_on_readiness(const api::NodePool& pool,
                                     const std::vector<api::Condition>& conditions) {
    plan::Reasons reasons;
    for (const api::Condition& one : conditions) {
        if (one.status == "True" || one.type == "Ready" || one.reason == "AwaitingReconciliation") continue;
        reasons.push_back({.rule = plan::Rule::kCondition,
                           .object = one.type,
                           .detail = one.reason + (one.message.empty() ? "" : ": " + one.message)});
    }
    const bool is_ready = rules::is_true(conditions, "Ready");
    decisions_.record({observe::Subject::pool(pool.meta), observe::Matter::kReadiness,
                       is_ready ? observe::Verdict::kReady : observe::Verdict::kNotReady,
                       plan::share(std::move(reasons)), services_.loop.now()});
}

void PoolKeeper::patch(const api::NodePool& pool, std::string_view subresource, std::string body) {
    // What came in between was passed over.
    patches_.send(resource_of(pool), pool.meta, subresource, std::move(body), [this](bool is_changed) {
        if (is_changed) reconcile_again_();
    });
}

}  // namespace joiner::control
