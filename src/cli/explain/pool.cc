#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "api/names.h"
#include "cli/explain/subjects.h"
#include "cli/grouping.h"
#include "control/shortages_text.h"
#include "control/stock_memory.h"
#include "plan/disrupt/drift.h"
#include "plan/disrupt/rollout.h"
#include "plan/lifecycle/claim_step.h"
#include "plan/provision/pool_reason.h"
#include "rules/budget.h"
#include "rules/conditions.h"
#include "rules/node_cost.h"
#include "rules/pace.h"

namespace joiner::cli {
namespace {

using PoolJson = nlohmann::ordered_json;

constexpr std::size_t kMostShortagesShown = 5;

double pool_dollars(rules::Money money) {
    return std::round(money.dollars() * 1e9) / 1e9;
}

std::string nodes_allowed(std::int64_t allowed) {
    return allowed == rules::kUnlimited ? "all" : std::to_string(allowed);
}

class PoolExplainer {
  public:
    PoolExplainer(AskedWorld& world, const std::string& name) : world_(world), name_(name) {
        world.add_claims();
        pool_ = &world.cluster().find_pool(name)->pool;
        json_ = {{"kind", "NodePool"}, {"name", name}};
        add_nodes();
    }

    Answer explain() {
        say_state();
        say_limits();
        say_budgets();
        say_rollout();
        say_offerings();
        say_overlays();
        conclude();
        answer_.finish(std::move(json_));
        return std::move(answer_);
    }

  private:
    void add_nodes() {
        for (const auto& [name, state] : world_.cluster().claims()) {
            if (api::find_or_empty(state.claim.meta.labels, api::kNodePoolLabel) != name_) continue;
            const model::NodeState* node = world_.cluster().node_of(state.claim);
            if (node == nullptr) {
                ++coming_;
                used_ += model::claimed_capacity(state.claim, world_.types_of(*pool_).get());
                continue;
            }
            ++nodes_;
            used_ += rules::as_capacity(node->node.capacity);
            going_ += state.claim.meta.deleted || node->node.meta.deleted ? 1 : 0;
            unready_ += plan::is_ready(node->node) ? 0 : 1;
            old_ += plan::is_of_old_template(state.claim, *pool_) ? 1 : 0;
            const api::Condition* drifted = api::find_condition(state.claim.conditions, "Drifted");
            if (drifted != nullptr && drifted->status == "True") ++drifted_[drifted->reason];
            const auto price = world_.price_of(node->node);
            if (price) {
                price_ += *price + rules::node_cost(*pool_).value_or(rules::Money{});
            } else {
                ++unpriced_;
            }
        }
    }

    void say_state() {
        AnswerSection& out = answer_.section("What it is");
        unused_ = world_.why_unused(*pool_);
        out.say(unused_.empty() ? std::string("something may be bought from it")
                                : fmt::format("nothing is bought from it: {}", unused_));
        for (const api::Condition& one : pool_->conditions) {
            if (one.status == "True" || one.type == "Ready") continue;
            out.say(fmt::format("condition {} is {}{}{}", one.type, one.status,
                                one.reason.empty() ? "" : ": " + one.reason,
                                one.message.empty() ? "" : " (" + one.message + ")"));
        }
        std::string nodes = count_of(nodes_, "node");
        if (unready_ > 0) nodes += fmt::format(", {} not ready", unready_);
        if (going_ > 0) nodes += fmt::format(", {} on their way out", going_);
        if (coming_ > 0) nodes += fmt::format(", {} more coming up", coming_);
        nodes += fmt::format("; {}", an_hour_and_month(price_));
        if (unpriced_ > 0) nodes += fmt::format(" without {} of unknown price", unpriced_);
        out.say(std::move(nodes));
        out.say(fmt::format(
            "weight {}; {}; consolidateAfter {}", pool_->weight, pool_->consolidation_policy,
            pool_->consolidate_after.value ? format_duration(*pool_->consolidate_after.value) : "Never"));
        for (const api::SelectorRequirement& one : pool_->node_template.requirements)
            out.detail(fmt::format("requires {} {} {}", one.key, one.op, some_of(one.values, 10)));
        for (const api::Taint& taint : pool_->node_template.taints)
            out.detail(fmt::format("taint {}={}:{}", taint.key, taint.value, taint.effect));
        json_["isReady"] = unused_.empty();
        if (!unused_.empty()) json_["why"] = unused_;
        json_["nodes"] = nodes_;
        json_["comingUp"] = coming_;
        json_["pricePerHour"] = pool_dollars(price_);
    }

    void say_limits() {
        AnswerSection& out = answer_.section("Limits");
        PoolJson list = PoolJson::array();
        if (!pool_->limits || pool_->limits->empty()) out.say("none");
        if (pool_->limits) {
            const rules::Resources limits = rules::as_capacity(*pool_->limits);
            for (const auto& [name, quantity] : *pool_->limits) {
                const bool is_nodes = name == "nodes";
                const std::int64_t limit = is_nodes ? quantity.units_down() : limits.get(name);
                const std::int64_t used =
                    is_nodes ? static_cast<std::int64_t>(nodes_ + coming_) : used_.get(name);
                const auto percent =
                    limit <= 0 ? 100.0 : 100.0 * static_cast<double>(used) / static_cast<double>(limit);
                out.say(fmt::format("{}: {} of {} used ({:.0f} %)", name, rules::amount_text(name, used),
                                    rules::amount_text(name, limit), percent));
                if (used >= limit) full_.push_back(name);
                list.push_back({{"resource", name},
                                {"used", rules::amount_text(name, used)},
                                {"limit", rules::amount_text(name, limit)}});
            }
        }
        json_["limits"] = std::move(list);
    }

    void say_budgets() {
        AnswerSection& out = answer_.section("Budgets");
        const plan::DisruptionGate gate = world_.gate();
        const std::int64_t nodes = gate.nodes(name_);
        if (const Status read = rules::check_budgets(*pool_); !read)
            out.say(fmt::format("a budget cannot be read, so none may go: {}", read.error().message));
        if (const auto paused = gate.paused(name_)) {
            is_paused_ = true;
            out.say(plan::in_words(*paused));
        }
        // Reasons that are alike share a line.
        std::vector<std::pair<std::string, std::vector<std::string>>> lines;
        PoolJson list = PoolJson::array();
        for (const std::string_view reason : plan::kDisruptionReasons) {
            const std::int64_t allowed = gate.allowed(name_, reason);
            const std::int64_t under_way = gate.under_way(name_, reason);
            const auto change = rules::next_budget_change(*pool_, reason, nodes, world_.now());
            std::string text = fmt::format("{} of {} may go at once", nodes_allowed(allowed),
                                           count_of(static_cast<std::size_t>(nodes), "node"));
            if (under_way > 0) text += fmt::format(", {} are going or not ready", under_way);
            PoolJson one = {{"reason", reason}, {"underWay", under_way}};
            if (allowed != rules::kUnlimited) one["allowed"] = allowed;
            if (change) {
                text += fmt::format("; from {} on {}", format_rfc3339(change->at),
                                    nodes_allowed(change->allowed));
                one["changesAt"] = format_rfc3339(change->at);
                if (change->allowed != rules::kUnlimited) one["thenAllowed"] = change->allowed;
                if (allowed == 0 && (!opens_ || change->at < *opens_)) opens_ = change->at;
            }
            if (allowed == 0 && nodes > 0 && reason == plan::kUnderutilized) is_closed_ = true;
            if (allowed == 0 && reason == plan::kDrifted) holds_rollout_ = true;
            list.push_back(std::move(one));
            const auto there =
                std::find_if(lines.begin(), lines.end(), [&](const auto& l) { return l.first == text; });
            if (there == lines.end()) {
                lines.push_back({std::move(text), {std::string(reason)}});
            } else {
                there->second.emplace_back(reason);
            }
        }
        for (const auto& [text, reasons] : lines)
            out.say(lines.size() == 1 ? fmt::format("for every reason: {}", text)
                                      : fmt::format("{}: {}", some_of(reasons), text));
        const auto pace = rules::pod_moves_per_hour(*pool_);
        if (pace && *pace)
            out.say(fmt::format("{} pods may be moved in an hour ({})", **pace, api::kPodMovesAnnotation));
        json_["budgets"] = std::move(list);
    }

    void say_rollout() {
        AnswerSection& out = answer_.section("Rollout");
        const std::size_t drifted = [&] {
            std::size_t sum = 0;
            for (const auto& [reason, count] : drifted_) sum += count;
            return sum;
        }();
        json_["ofOldTemplate"] = old_;
        json_["ofNewTemplate"] = nodes_ - old_;
        if (old_ == 0 && drifted == 0) {
            out.say("every node is as the pool would make it now");
            return;
        }
        if (old_ > 0)
            out.say(fmt::format("{} of the old template, {} of the new one", count_of(old_, "node"),
                                nodes_ - old_));
        const plan::Rollout rollout(world_.cluster(), {});
        for (const auto& [reason, count] : drifted_)
            out.say(fmt::format("{} drifted as {}; {} at once at most, more as those do well",
                                count_of(count, "node"), reason, rollout.wave(*pool_, reason)));
        if (old_ > drifted)
            out.say(fmt::format("{} not marked Drifted yet; a running controller does that",
                                count_of(old_ - drifted, "node")));
    }

    // --- what it can buy

    bool may_have(std::string_view key, std::string_view value) const {
        const rules::Requirement* one = requirements_.find(key);
        return one == nullptr || one->allows(value);
    }

    void say_offerings() {
        AnswerSection& out = answer_.section("What it can buy");
        const rules::InstanceTypes types = world_.types_of(*pool_);
        if (auto made = rules::make_requirements(pool_->node_template.requirements))
            requirements_ = std::move(*made);
        requirements_.add_labels(pool_->node_template.labels);
        std::size_t offerings = 0;
        std::set<std::string_view> names;
        const rules::Offering* cheapest = nullptr;
        std::string_view of_type;
        if (types != nullptr) {
            for (const rules::InstanceType& type : *types) {
                if (!rules::intersects(type.requirements, requirements_)) continue;
                for (const rules::Offering& one : type.offerings) {
                    if (!one.available || !rules::intersects(one.requirements, requirements_)) continue;
                    ++offerings;
                    names.insert(type.name);
                    if (cheapest != nullptr && one.price >= cheapest->price) continue;
                    cheapest = &one;
                    of_type = type.name;
                }
            }
        }
        if (cheapest == nullptr) {
            sells_nothing_ = true;
            out.say(types == nullptr ? std::string("its types are not known") : why_nothing());
        } else {
            out.say(fmt::format("{} of {}; the cheapest: {} in {}, {}, {}", count_of(offerings, "offering"),
                                count_of(names.size(), "type"), of_type, cheapest->zone(),
                                cheapest->capacity_type(), an_hour(cheapest->price)));
        }
        json_["types"] = names.size();
        json_["offerings"] = offerings;
        say_shortages(out, names);
    }

    std::string why_nothing() const {
        const model::Snapshot snapshot = model::make_snapshot(world_.cluster(), world_.inputs());
        for (const model::PoolView& view : snapshot.pools) {
            if (view.name != name_) continue;
            if (std::string why = plan::why_nothing_is_sold(view); !why.empty()) return why;
            return plan::why_no_type_is_left(view, world_.inputs().types_source);
        }
        return "no offering of any type meets its requirements";
    }

    void say_shortages(AnswerSection& out, const std::set<std::string_view>& names) {
        PoolJson list = PoolJson::array();
        bool is_known = false;
        std::vector<std::string> lines;
        for (const Manifest& one : world_.manifests().objects) {
            if (one.document.kind != "ConfigMap" || one.document.name != control::StockMemory::kName)
                continue;
            const auto object = nlohmann::json::parse(one.document.json, nullptr, false);
            const auto data = object.is_object() ? object.find("data") : object.end();
            if (!object.is_object() || data == object.end() || !data->is_object() ||
                !data->contains("shortages") || !(*data)["shortages"].is_string())
                continue;
            is_known = true;
            for (const auto& of_class : control::read_shortages((*data)["shortages"].get<std::string>())) {
                if (of_class.node_class != pool_->node_template.node_class) continue;
                for (const auto& [key, shortage] : of_class.offerings) {
                    if (shortage.until <= world_.now() || !may_have(api::kInstanceTypeLabel, key.type) ||
                        !may_have(api::kZoneLabel, key.zone) ||
                        !may_have(api::kCapacityTypeLabel, key.capacity_type))
                        continue;
                    if (!names.empty() && !names.contains(key.type)) continue;
                    lines.push_back(fmt::format("out until {}: {} in {}, {}", format_rfc3339(shortage.until),
                                                key.type, key.zone, key.capacity_type));
                    list.push_back({{"instanceType", key.type},
                                    {"zone", key.zone},
                                    {"capacityType", key.capacity_type},
                                    {"until", format_rfc3339(shortage.until)}});
                }
            }
        }
        std::sort(lines.begin(), lines.end());
        for (std::size_t i = 0; i < lines.size(); ++i)
            i < kMostShortagesShown ? out.say(lines[i]) : out.detail(lines[i]);
        if (lines.size() > kMostShortagesShown)
            out.say(fmt::format("and {} more are out; -v shows them", lines.size() - kMostShortagesShown));
        if (lines.empty())
            out.say(is_known ? "nothing of it is known to be sold out"
                             : fmt::format("what is sold out is not known: ConfigMap {} was not read",
                                           control::StockMemory::kName));
        json_["soldOut"] = std::move(list);
    }

    void say_overlays() {
        AnswerSection& out = answer_.section("NodeOverlays");
        PoolJson list = PoolJson::array();
        for (const auto& [name, kept] : world_.cluster().overlays()) {
            const auto problem =
                std::find_if(world_.overlay_problems().begin(), world_.overlay_problems().end(),
                             [&](const rules::OverlayProblem& one) { return one.overlay == name; });
            if (problem != world_.overlay_problems().end()) {
                out.say(fmt::format("NodeOverlay {} is not applied: {}", name, problem->problem));
                continue;
            }
            rules::OverlaidPool alone{requirements_, world_.types_without_overlays(*pool_)};
            alone.labels.add(rules::Requirement::in(std::string(api::kNodePoolLabel), {name_}));
            std::vector<rules::OverlaidPool> pools = {std::move(alone)};
            (void)rules::apply_overlays({kept.object}, pools);
            std::size_t prices = 0;
            std::size_t capacities = 0;
            for (const rules::InstanceType& type : *pools.front().types) {
                if (!rules::intersects(type.requirements, requirements_)) continue;
                prices += type.has_overlaid_price ? 1 : 0;
                capacities += type.has_overlaid_capacity ? 1 : 0;
            }
            if (prices == 0 && capacities == 0) continue;
            std::string text = fmt::format("NodeOverlay {}", name);
            if (prices > 0) text += fmt::format(" sets the price of {}", count_of(prices, "type"));
            if (capacities > 0)
                text += fmt::format("{} the capacity of {}", prices > 0 ? " and" : " adds to",
                                    count_of(capacities, "type"));
            out.say(std::move(text));
            list.push_back(name);
        }
        if (out.lines.empty()) out.say("none touches it");
        json_["overlays"] = std::move(list);
    }

    void conclude() {
        const std::string nodes = fmt::format("{}, {}", count_of(nodes_, "node"), an_hour(price_));
        if (!unused_.empty()) {
            answer_.title = fmt::format("NodePool {} buys nothing: {}.", name_, unused_);
            answer_.to_do = pool_->replicas
                                ? "nothing; a static pool keeps its spec.replicas nodes."
                                : "mend what is said above (kubectl describe nodepool " + name_ + ").";
        } else if (sells_nothing_) {
            answer_.title = fmt::format("NodePool {} buys nothing: no machine is left for it.", name_);
            answer_.to_do = "loosen its requirements, or name other types (--instance-types FILE).";
        } else if (!full_.empty()) {
            answer_.title = fmt::format("NodePool {} is full: its limit of {} is used up ({}).", name_,
                                        some_of(full_), nodes);
            answer_.to_do = fmt::format(
                "raise spec.limits.{} if pods wait for it (joiner explain pod NS/NAME).", full_.front());
        } else if (is_paused_) {
            answer_.title =
                fmt::format("NodePool {} buys, and lets no node go by choice ({}).", name_, nodes);
            answer_.to_do = "end its pause when its nodes may go again.";
        } else if (is_closed_) {
            answer_.title =
                fmt::format("NodePool {} buys; its budgets let no node go now ({}).", name_, nodes);
            answer_.to_do = opens_ ? fmt::format("nothing; wait until {}.", format_rfc3339(*opens_))
                                   : "allow some in spec.disruption.budgets; no schedule opens them.";
        } else if (holds_rollout_ && (old_ > 0 || !drifted_.empty())) {
            answer_.title = fmt::format("NodePool {} buys; its budgets keep drifted nodes as they are ({}).",
                                        name_, nodes);
            answer_.to_do =
                "allow some for Drifted in spec.disruption.budgets, or wait for a schedule that does.";
        } else {
            answer_.title = fmt::format("NodePool {} is well: {}.", name_, nodes);
            answer_.to_do =
                old_ > 0 ? "nothing; nodes of the old template are replaced by and by." : "nothing.";
        }
    }

    AskedWorld& world_;
    const std::string name_;
    const api::NodePool* pool_ = nullptr;
    std::size_t nodes_ = 0;
    std::size_t coming_ = 0;
    std::size_t going_ = 0;
    std::size_t unready_ = 0;
    std::size_t old_ = 0;
    std::size_t unpriced_ = 0;
    std::map<std::string, std::size_t> drifted_;  // By reason.
    rules::Money price_;
    rules::Resources used_;
    rules::Requirements requirements_;
    std::string unused_;
    std::vector<std::string> full_;
    bool is_paused_ = false;
    bool is_closed_ = false;
    bool holds_rollout_ = false;  // The budgets let no drifted node go.
    bool sells_nothing_ = false;
    std::optional<WallTime> opens_;
    Answer answer_;
    PoolJson json_;
};

}  // namespace

Answer explain_pool(AskedWorld& world, const std::string& name) {
    return PoolExplainer(world, name).explain();
}

}  // namespace joiner::cli
