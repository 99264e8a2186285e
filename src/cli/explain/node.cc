#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "api/names.h"
#include "cli/explain/subjects.h"
#include "cli/grouping.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/drift.h"
#include "plan/disrupt/kept_nodes.h"
#include "plan/disrupt/repack.h"
#include "plan/lifecycle/claim_step.h"
#include "rules/budget.h"
#include "rules/conditions.h"
#include "rules/node_cost.h"
#include "rules/taints.h"

namespace joiner::cli {
namespace {

using NodeJson = nlohmann::ordered_json;

constexpr std::size_t kMostReasonsShown = 8;
constexpr std::size_t kMostPodsShown = 4;

double node_dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

// What lets the node go, in one sentence.
std::string advice_against(const plan::Reason& reason, const std::string& node) {
    switch (reason.rule) {
        case plan::Rule::kPodDisruptionBudget:
            return fmt::format("let {} allow an eviction: more ready replicas, or a looser budget",
                               reason.object);
        case plan::Rule::kSeveralBudgets:
            return fmt::format("leave {} one PodDisruptionBudget; with several, none of its evictions passes",
                               reason.object);
        case plan::Rule::kPodAnnotated:
            return fmt::format("take {} off {}, or let it end", reason.detail, reason.object);
        case plan::Rule::kNodeAnnotated:
            return fmt::format("take {} off the node (kubectl annotate node {} {}-)", reason.detail, node,
                               reason.detail.substr(0, reason.detail.find('=')));
        case plan::Rule::kEmptyNodesOnly:
            return fmt::format("set consolidationPolicy WhenEmptyOrUnderutilized in {}", reason.object);
        case plan::Rule::kConsolidationOff:
            return fmt::format("set a consolidateAfter in {}", reason.object);
        case plan::Rule::kBudget:
        case plan::Rule::kBudgetUsedUp:
            return fmt::format("widen the budgets of {}, or wait until they open", reason.object);
        case plan::Rule::kPaused:
            return fmt::format("end the pause of {}", reason.object);
        case plan::Rule::kStaticPool:
            return fmt::format("lower spec.replicas of {}", reason.object);
        case plan::Rule::kPoolMissing:
            return fmt::format("make NodePool {} again, or delete the node yourself", reason.detail);
        case plan::Rule::kTypesUnknown:
        case plan::Rule::kTypeUnknown:
            return "name the machine's type and price (--instance-types FILE)";
        case plan::Rule::kNotUp:
            return "see what its conditions wait for (kubectl describe node)";
        default:
            const std::string change = plan::what_would_change(reason);
            return change.empty() ? std::string("wait") : "what would change it: " + change;
    }
}

class NodeExplainer {
  public:
    NodeExplainer(AskedWorld& world, const std::string& name, bool is_verbose)
        : world_(world), name_(name), is_verbose_(is_verbose) {
        has_claim_ = world.cluster().claim_of(world.cluster().find_node(name)->node) != nullptr;
        world.add_claims();
        state_ = world.cluster().find_node(name);
        claim_ = world.cluster().claim_of(state_->node);
        const model::PoolState* pool =
            world.cluster().find_pool(api::find_or_empty(state_->node.meta.labels, api::kNodePoolLabel));
        if (pool != nullptr) pool_ = &pool->pool;
        json_ = {{"kind", "Node"}, {"name", name}};
    }

    Answer explain() {
        say_what_it_is();
        say_what_fills_it();
        if (claim_ != nullptr) {
            say_why_bought();
            judge();
            say_its_end();
        } else {
            say_not_ours();
        }
        answer_.finish(std::move(json_));
        return std::move(answer_);
    }

  private:
    bool is_going() const {
        return state_->node.meta.deleted || (claim_ != nullptr && claim_->claim.meta.deleted) ||
               rules::has_taint(state_->node.taints, api::kDisruptedTaint, api::kNoSchedule);
    }

    void say_what_it_is() {
        const api::Node& node = state_->node;
        AnswerSection& out = answer_.section("What it is");
        price_ = world_.price_of(node);
        if (price_ && pool_ != nullptr) *price_ += rules::node_cost(*pool_).value_or(rules::Money{});
        out.say(fmt::format("{}, {}", machine_of(node),
                            price_ ? an_hour_and_month(*price_) : "of unknown price"));
        std::string whose = pool_ == nullptr ? "of no NodePool that is there"
                                             : fmt::format("of NodePool {}", pool_->meta.name);
        if (claim_ != nullptr && has_claim_) whose += fmt::format(", NodeClaim {}", claim_->claim.meta.name);
        if (node.meta.created != kNoTime)
            whose += fmt::format("; {} old", about(world_.now() - node.meta.created));
        whose += plan::is_ready(node) ? "; ready" : "; not ready";
        if (node.unschedulable) whose += "; cordoned";
        out.say(std::move(whose));
        for (const api::Taint& taint : node.taints)
            out.detail(fmt::format("taint {}={}:{}", taint.key, taint.value, taint.effect));
        json_["instanceType"] = api::find_or_empty(node.meta.labels, api::kInstanceTypeLabel);
        json_["zone"] = api::find_or_empty(node.meta.labels, api::kZoneLabel);
        json_["capacityType"] = api::find_or_empty(node.meta.labels, api::kCapacityTypeLabel);
        json_["nodePool"] = api::find_or_empty(node.meta.labels, api::kNodePoolLabel);
        if (has_claim_) json_["nodeClaim"] = claim_->claim.meta.name;
        if (price_) json_["pricePerHour"] = node_dollars(*price_);
    }

    void say_what_fills_it() {
        AnswerSection& out = answer_.section("What fills it");
        std::size_t daemons = 0;
        std::vector<std::pair<std::int64_t, const model::PodState*>> pods;
        for (const auto& [key, pod] : state_->pods) {
            if (pod->is_terminal) continue;
            if (pod->is_daemon || pod->is_mirror) {
                ++daemons;
            } else {
                pods.emplace_back(-pod->shape->requests.cpu_milli, pod);
            }
        }
        std::stable_sort(pods.begin(), pods.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        const auto part = [](std::int64_t used, std::int64_t all) {
            return all <= 0 ? 0
                            : static_cast<std::int64_t>(100.0 * static_cast<double>(used) /
                                                        static_cast<double>(all));
        };
        out.say(fmt::format("{}, and {} of DaemonSets; cpu {} of {} ({} %), memory {} of {} ({} %)",
                            count_of(pods.size(), "pod"), daemons,
                            rules::amount_text("cpu", state_->used.cpu_milli),
                            rules::amount_text("cpu", state_->allocatable.cpu_milli),
                            part(state_->used.cpu_milli, state_->allocatable.cpu_milli),
                            rules::amount_text("memory", state_->used.memory_bytes),
                            rules::amount_text("memory", state_->allocatable.memory_bytes),
                            part(state_->used.memory_bytes, state_->allocatable.memory_bytes)));
        for (std::size_t i = 0; i < pods.size(); ++i) {
            const std::string text = fmt::format("{}: {}", pods[i].second->id.full_name(),
                                                 words_of(pods[i].second->shape->requests));
            i < kMostPodsShown ? out.say(text) : out.detail(text);
        }
        if (pods.size() > kMostPodsShown && !is_verbose_)
            out.say(fmt::format("and {}", count_of(pods.size() - kMostPodsShown, "smaller pod")));
        json_["pods"] = pods.size();
        json_["daemonPods"] = daemons;
    }

    // As far as the claim shows: the pods themselves are in the controller's log only.
    void say_why_bought() {
        AnswerSection& out = answer_.section("Why it was bought");
        const api::NodeClaim& claim = claim_->claim;
        if (!has_claim_) {
            out.say("its NodeClaim was not read, so nothing is known of it");
            return;
        }
        if (!claim.requests.empty())
            out.say(fmt::format("for pods and daemons that ask for {}",
                                words_of(rules::as_request(claim.requests))));
        for (const api::SelectorRequirement& one : claim.requirements) {
            if (one.key == api::kInstanceTypeLabel && one.op == "In") say_alternatives(out, one.values);
        }
        const auto note = [&](std::string_view key) {
            return api::find_or_empty(claim.meta.annotations, key);
        };
        if (!note(api::kPassedOverAnnotation).empty())
            out.say(fmt::format("NodePool {} weighs more, and had nothing for those pods then",
                                note(api::kPassedOverAnnotation)));
        if (!note(api::kPriceOverlayAnnotation).empty()) out.say("a NodeOverlay had set its price");
        if (out.lines.empty()) out.say("its NodeClaim does not say");
        out.detail("the pods by name are in the controller's log (matter purchase, docs/decision-log.md)");
    }

    void say_alternatives(AnswerSection& out, const std::vector<std::string>& listed) {
        const std::string_view its = api::find_or_empty(state_->node.meta.labels, api::kInstanceTypeLabel);
        std::string text = fmt::format("{} would have done", count_of(listed.size(), "type"));
        const rules::InstanceTypes types = pool_ == nullptr ? nullptr : world_.types_of(*pool_);
        const rules::Offering* cheapest = nullptr;
        std::string of_type;
        if (types != nullptr) {
            rules::Requirements wanted;
            for (const std::string_view key : {api::kCapacityTypeLabel}) {
                const std::string_view value = api::find_or_empty(state_->node.meta.labels, key);
                if (!value.empty())
                    wanted.add(rules::Requirement::in(std::string(key), {std::string(value)}));
            }
            for (const rules::InstanceType& type : *types) {
                if (type.name == its || std::find(listed.begin(), listed.end(), type.name) == listed.end())
                    continue;
                const rules::Offering* one = rules::cheapest_offering(
                    type, wanted, world_.inputs().well_known(pool_->node_template.node_class));
                if (one == nullptr || (cheapest != nullptr && one->price >= cheapest->price)) continue;
                cheapest = one;
                of_type = type.name;
            }
        }
        if (cheapest != nullptr)
            text += fmt::format("; the cheapest other one costs {} now: {} in {}", an_hour(cheapest->price),
                                of_type, cheapest->zone());
        out.say(std::move(text));
    }

    // --- why it stays

    struct WhatIf {
        std::size_t pods = 0;
        std::size_t elsewhere = 0;  // On nodes that are there.
        std::vector<std::string> bought;
        rules::Money cost;     // Of those, an hour.
        std::string no_place;  // Of the first pod that has none, and why.
    };

    // Were it gone: where its pods would go, with those that wait placed first.
    WhatIf what_if_gone() {
        const model::Snapshot before = model::make_snapshot(world_.cluster(), world_.inputs());
        const plan::Plan plan_before = world_.plan(before);
        model::SnapshotInputs inputs = world_.inputs();
        const model::ClaimNames leaving = {claim_->claim.meta.name};
        inputs.leaving = &leaving;
        const model::Snapshot after = model::make_snapshot(world_.cluster(), inputs);
        const plan::Plan plan_after = world_.plan(after);
        WhatIf out;
        const auto is_its = [&](model::PodIndex i) {
            return state_->pods.contains(after.pods[i].id.full_name()) && after.pods[i].exists();
        };
        for (const plan::Placement& one : plan_after.placements) out.elsewhere += is_its(one.pod) ? 1 : 0;
        for (const plan::Launch& launch : plan_after.launches) {
            const bool has_its = std::any_of(launch.pods.begin(), launch.pods.end(), is_its);
            if (has_its) out.bought.push_back(words_of(*launch.spec));
        }
        for (const plan::Wait& one : plan_after.waits) {
            if (is_its(one.pod) && out.no_place.empty())
                out.no_place = fmt::format("pod {}: {}", after.pods[one.pod].id.full_name(), one.reason);
        }
        for (model::PodIndex i = 0; i < after.pods.size(); ++i) out.pods += is_its(i) ? 1 : 0;
        out.cost = plan_after.price + plan_after.node_cost - plan_before.price - plan_before.node_cost;
        return out;
    }

    void judge() {
        AnswerSection& out = answer_.section(is_going() ? "Why it goes" : "What keeps it");
        if (is_going()) {
            say_going(out);
            return;
        }
        const plan::DisruptionFacts facts = world_.disruption_facts();
        const plan::CandidateFinder finder(facts, plan::DisruptionClass::kGraceful, world_.now());
        const plan::DisruptionGate gate = world_.gate();
        plan::Reasons reasons = plan::all_obstacles(world_.cluster(), finder, gate, *claim_);
        const bool is_up = !finder.is_out_of_play(*claim_);
        const plan::Candidate candidate = is_up ? finder.make(*claim_) : plan::Candidate{};
        const std::string_view why = candidate.pods.empty() ? plan::kEmpty : plan::kUnderutilized;
        if (is_up && pool_ != nullptr) {
            for (plan::Reason& one : gate.obstacles({candidate}, why)) {
                if (std::find(reasons.begin(), reasons.end(), one) == reasons.end())
                    reasons.push_back(std::move(one));
            }
            add_idle_time(finder, reasons);
        }
        const std::size_t said = reasons.size();
        WhatIf what_if;
        if (is_up) {
            what_if = what_if_gone();
            add_price(candidate, what_if, reasons);
        }
        NodeJson list = NodeJson::array();
        for (std::size_t i = 0; i < reasons.size(); ++i) {
            say_reason(out, reasons[i], i >= kMostReasonsShown, why);
            NodeJson one = {{"rule", plan::kept_rule(reasons[i].rule)},
                            {"object", plan::kept_object(reasons[i])},
                            {"message", plan::in_words(reasons[i])}};
            if (reasons[i].until != kNoTime) one["until"] = format_rfc3339(reasons[i].until);
            list.push_back(std::move(one));
        }
        json_["kept"] = std::move(list);
        if (reasons.size() > kMostReasonsShown)
            out.say(fmt::format("and {} more; -v shows them", reasons.size() - kMostReasonsShown));
        if (reasons.empty()) out.say("nothing; consolidation may take it");
        if (is_up) say_saving(what_if, said);
        conclude(reasons, what_if);
    }

    void say_going(AnswerSection& out) {
        answer_.title = fmt::format("Node {} is on its way out.", name_);
        const api::Condition* reason = api::find_condition(claim_->claim.conditions, "DisruptionReason");
        out.say(reason == nullptr ? std::string("somebody deleted it, or its NodeClaim does not say why")
                                  : fmt::format("{}: {}", reason->reason, reason->message));
        std::size_t left = 0;
        for (const auto& [key, pod] : state_->pods) left += pod->is_reschedulable() ? 1 : 0;
        out.say(fmt::format("{} have still to move", count_of(left, "pod")));
        answer_.to_do = left == 0
                            ? "nothing; it is nearly gone."
                            : "nothing; if it hangs, look for PodDisruptionBudgets that allow no eviction.";
        json_["kept"] = NodeJson::array();
    }

    void add_idle_time(const plan::CandidateFinder& finder, plan::Reasons& reasons) const {
        const auto at =
            plan::consolidatable_at(claim_->claim, *pool_, finder.last_pod_event(claim_->claim.meta.name));
        if (at && *at > world_.now()) reasons.push_back({.rule = plan::Rule::kIdleTime, .until = *at});
    }

    void add_price(const plan::Candidate& candidate, const WhatIf& what_if, plan::Reasons& reasons) const {
        if (!what_if.no_place.empty()) {
            reasons.push_back({.rule = plan::Rule::kNoPlace, .detail = what_if.no_place});
            return;
        }
        if (!price_ || candidate.pods.empty()) return;
        const plan::RepackOptions options;
        const double saved = (*price_ - what_if.cost).dollars() * options.payback_hours;
        const double spent = candidate.disruption_cost * options.eviction_dollars +
                             std::max(0.0, what_if.cost.dollars()) * options.overlap_hours;
        if (saved <= spent) reasons.push_back({.rule = plan::Rule::kNoBetterPlace});
    }

    void say_reason(AnswerSection& out, const plan::Reason& reason, bool is_only_verbose,
                    std::string_view why) const {
        std::string text = plan::in_words(reason);
        if (reason.rule == plan::Rule::kIdleTime)
            text += fmt::format("; until {}", format_rfc3339(reason.until));
        if (reason.rule == plan::Rule::kBudget || reason.rule == plan::Rule::kBudgetUsedUp) {
            const std::int64_t nodes = world_.gate().nodes(pool_->meta.name);
            const auto change = rules::next_budget_change(*pool_, why, nodes, world_.now());
            if (change)
                text += fmt::format(
                    "; from {} on they allow {}", format_rfc3339(change->at),
                    change->allowed == rules::kUnlimited ? "all" : std::to_string(change->allowed));
        }
        out.lines.push_back({std::move(text), 0, is_only_verbose});
    }

    void say_saving(const WhatIf& what_if, std::size_t obstacles) {
        AnswerSection& out = answer_.section("What its going would save");
        if (!what_if.no_place.empty()) {
            out.say("nothing: some of its pods have no other place");
            return;
        }
        if (!price_) {
            out.say("not known, because its price is not");
            return;
        }
        const rules::Money saves = *price_ - what_if.cost;
        if (saves.nanos > 0) {
            out.say(an_hour_and_month(saves));
        } else {
            out.say(saves.nanos == 0 ? std::string("nothing: what would follow costs as much")
                                     : fmt::format("nothing: what would follow costs {} more",
                                                   an_hour(what_if.cost - *price_)));
        }
        if (what_if.elsewhere > 0)
            out.say(fmt::format("nodes that are there have room for {}", count_of(what_if.elsewhere, "pod")));
        if (what_if.pods > what_if.elsewhere)
            out.say(fmt::format("{} would need a new node: {}",
                                count_of(what_if.pods - what_if.elsewhere, "pod"),
                                some_of(what_if.bought, 2)));
        if (what_if.pods == 0) out.say("no pod would have to move");
        if (obstacles > 0 && saves.nanos > 0) out.detail("this is what the reasons above cost together");
        json_["savesPerHour"] = node_dollars(saves);
    }

    void conclude(const plan::Reasons& reasons, const WhatIf& what_if) {
        const bool saves = price_ && what_if.no_place.empty() && *price_ > what_if.cost;
        if (reasons.empty()) {
            answer_.title = fmt::format("Node {} may go{}.", name_,
                                        saves ? ", which saves " + an_hour(*price_ - what_if.cost) : "");
            answer_.to_do = "nothing; a running controller takes it within its budgets.";
            return;
        }
        answer_.title = fmt::format(
            "Node {} stays: {}{}.", name_, plan::in_words(reasons.front()),
            reasons.size() == 1 ? "" : fmt::format(", and {}", count_of(reasons.size() - 1, "other reason")));
        const bool is_worth_it = reasons.front().rule == plan::Rule::kNoBetterPlace;
        if (is_worth_it) {
            answer_.to_do = "nothing; the node is worth its price.";
            return;
        }
        if (reasons.front().rule == plan::Rule::kIdleTime && reasons.size() == 1) {
            answer_.to_do = fmt::format("nothing; wait until {}.", format_rfc3339(reasons.front().until));
            return;
        }
        answer_.to_do = advice_against(reasons.front(), name_);
        if (reasons.size() > 1) answer_.to_do += "; then see to what else keeps it";
        answer_.to_do += saves || !price_ ? "." : "; but its going saves nothing.";
    }

    void say_not_ours() {
        answer_.title = fmt::format("Node {} is of no NodePool, and Joiner leaves it alone.", name_);
        answer_.to_do = "nothing; its pods move to nodes of a NodePool once it is drained (kubectl drain).";
        const std::string_view label = api::find_or_empty(state_->node.meta.labels, api::kNodePoolLabel);
        if (!label.empty())
            answer_.to_do =
                fmt::format("make NodePool {} again if it should be kept up; it was not read.", label);
    }

    // --- its end

    void say_its_end() {
        AnswerSection& out = answer_.section("When it ends");
        const api::NodeClaim& claim = claim_->claim;
        if (!has_claim_) {
            out.say("not known without its NodeClaim");
            return;
        }
        if (!claim.expire_after.value) {
            out.say("it never expires");
        } else {
            const WallTime at = claim.meta.created + *claim.expire_after.value;
            out.say(
                at <= world_.now()
                    ? fmt::format("it has expired at {}, and is replaced first", format_rfc3339(at))
                    : fmt::format("it expires at {}, in {}", format_rfc3339(at), about(at - world_.now())));
            json_["expiresAt"] = format_rfc3339(at);
        }
        say_drift(out);
    }

    void say_drift(AnswerSection& out) {
        const api::NodeClaim& claim = claim_->claim;
        const api::Condition* said = api::find_condition(claim.conditions, "Drifted");
        std::string reason = said != nullptr && said->status == "True" ? said->reason : std::string();
        if (reason.empty() && pool_ != nullptr) {
            const auto found =
                plan::drift_reason({claim, *pool_, world_.types_of(*pool_), std::nullopt}, world_.now());
            if (found) reason = *found;
        }
        if (reason.empty()) {
            out.say("it has not drifted");
            return;
        }
        json_["drift"] = reason;
        if (pool_ == nullptr) {
            out.say(fmt::format("it has drifted: {}", reason));
            return;
        }
        const plan::DisruptionGate gate = world_.gate();
        const std::int64_t left = gate.left(pool_->meta.name, plan::kDrifted);
        out.say(fmt::format(
            "it has drifted: {}; {}", reason,
            left == 0 ? "the budgets let no node go for that now" : "it is replaced when its turn comes"));
    }

    AskedWorld& world_;
    const std::string name_;
    const bool is_verbose_;
    const model::NodeState* state_ = nullptr;
    const model::ClaimState* claim_ = nullptr;
    const api::NodePool* pool_ = nullptr;
    bool has_claim_ = false;
    std::optional<rules::Money> price_;  // With what its pool's nodes cost besides.
    Answer answer_;
    NodeJson json_;
};

}  // namespace

Answer explain_node(AskedWorld& world, const std::string& name, bool is_verbose) {
    return NodeExplainer(world, name, is_verbose).explain();
}

}  // namespace joiner::cli
