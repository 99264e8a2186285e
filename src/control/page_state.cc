#include "control/page_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "api/names.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

using observe::Matter;
using observe::Verdict;

// About; what is needed beyond it is got all the same.
constexpr std::size_t kBytesOfNode = 640;

// Builds one JSON text by hand: with thousands of nodes a tree of values would take most of the time.
class JsonText {
  public:
    JsonText& open(char bracket) {
        separate();
        out_ += bracket;
        is_first_ = true;
        return *this;
    }
    JsonText& close(char bracket) {
        out_ += bracket;
        is_first_ = false;
        return *this;
    }
    JsonText& key(std::string_view name) {
        separate();
        out_ += '"';
        out_ += name;
        out_ += "\":";
        is_first_ = true;
        return *this;
    }
    JsonText& text(std::string_view value) {
        separate();
        out_ += '"';
        while (!value.empty()) {
            const auto at = std::ranges::find_if(value, needs_escape);
            const auto plain = static_cast<std::size_t>(at - value.begin());
            out_ += value.substr(0, plain);
            value.remove_prefix(plain);
            if (value.empty()) break;
            fmt::format_to(std::back_inserter(out_), "\\u{:04x}", static_cast<int>(value.front()));
            value.remove_prefix(1);
        }
        out_ += '"';
        return *this;
    }
    // Made by another of these: one value.
    JsonText& raw(std::string_view json) {
        separate();
        out_ += json;
        return *this;
    }
    void expect_bytes(std::size_t bytes) { out_.reserve(bytes); }
    JsonText& whole(std::int64_t value) {
        separate();
        fmt::format_to(std::back_inserter(out_), "{}", value);
        return *this;
    }
    // Dollars to a hundred-thousandth, cores to a thousandth.
    JsonText& number(double value) {
        separate();
        fmt::format_to(std::back_inserter(out_), "{:.8g}", std::isfinite(value) ? value : 0);
        return *this;
    }
    JsonText& money(const std::optional<rules::Money>& value) {
        return value ? number(static_cast<double>(value->nanos / 10'000) / 1e5) : null();
    }
    JsonText& time(WallTime at) { return at == kNoTime ? null() : text(format_rfc3339(at)); }
    JsonText& null() {
        separate();
        out_ += "null";
        return *this;
    }
    std::string take() { return std::move(out_); }

  private:
    static bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }
    void separate() {
        if (!is_first_) out_ += ',';
        is_first_ = false;
    }

    std::string out_;
    bool is_first_ = true;
};

std::string_view page_pool_of(const api::ObjectMeta& meta) {
    return api::find_or_empty(meta.labels, api::kNodePoolLabel);
}

// Claims that commands take away, and by which.
using LeavingClaims = std::map<std::string_view, const RunningCommand*>;

LeavingClaims leaving_claims(const RunningCommands& commands) {
    LeavingClaims out;
    for (const auto& [number, command] : commands) {
        for (const std::string& claim : command.leaving) out.emplace(claim, &command);
    }
    return out;
}

// A node with its claim, or either alone.
struct Place {
    const model::NodeState* node = nullptr;
    const model::ClaimState* claim = nullptr;
    std::optional<rules::Money> price = {};

    const api::ObjectMeta& meta() const { return node != nullptr ? node->node.meta : claim->claim.meta; }
    bool is_going() const {
        return (node != nullptr && node->node.meta.deleted) ||
               (claim != nullptr && claim->claim.meta.deleted);
    }
};

std::string_view state_of(const Place& place, const LeavingClaims& leaving) {
    const model::NodeState* node = place.node;
    const model::ClaimState* claim = place.claim;
    if (place.is_going()) return "draining";
    if (node == nullptr) {
        return rules::is_true(claim->claim.conditions, "Launched") ? "registering" : "launching";
    }
    if (claim != nullptr) {
        if (leaving.contains(claim->claim.meta.name)) return "leaving";
        if (!rules::is_true(claim->claim.conditions, "Registered")) return "registering";
        if (!rules::is_true(claim->claim.conditions, "Initialized")) return "starting";
    }
    if (!rules::is_true(node->node.conditions, "Ready")) return "not-ready";
    return node->node.unschedulable ? "cordoned" : "ready";
}

// The decision that keeps it: what it could be taken away for soonest comes first.
const observe::Decision* kept_by(const observe::DecisionLog& log, const api::Node& node) {
    constexpr Matter kInOrder[] = {Matter::kConsolidation, Matter::kEmptiness, Matter::kDrift,
                                   Matter::kExpiry, Matter::kRepair};
    const auto all = log.all_of(observe::Subject::node(node.meta));
    for (const Matter matter : kInOrder) {
        for (const observe::Decision* one : all) {
            if (one->matter == matter && one->verdict == Verdict::kKept && one->reasons != nullptr &&
                !one->reasons->empty())
                return one;
        }
    }
    return nullptr;
}

void put_reason(JsonText& out, const plan::Reason& reason) {
    out.open('{').key("rule").text(word_for(reason.rule)).key("sentence").text(in_words(reason));
    if (const std::string change = what_would_change(reason); !change.empty())
        out.key("whatWouldChange").text(change);
    if (reason.money) out.key("dollarsPerHour").money(reason.money);
    out.close('}');
}

void put_use(JsonText& out, const rules::Resources& used, const rules::Resources& allocatable) {
    out.key("cpu").open('{').key("requested").number(static_cast<double>(used.cpu_milli) / 1000);
    out.key("allocatable").number(static_cast<double>(allocatable.cpu_milli) / 1000).close('}');
    out.key("memory").open('{').key("requested").whole(used.memory_bytes);
    out.key("allocatable").whole(allocatable.memory_bytes).close('}');
}

// Thousandths of the node, of cores or memory, whichever is more.
int share_of(const model::PodState& pod, const rules::Resources& allocatable) {
    if (pod.shape == nullptr) return 0;
    const auto part = [](std::int64_t of, std::int64_t whole) {
        return whole <= 0 ? 0.0 : static_cast<double>(of) / static_cast<double>(whole);
    };
    const rules::Resources& asks = pod.shape->requests;
    const double most = std::max(part(asks.cpu_milli, allocatable.cpu_milli),
                                 part(asks.memory_bytes, allocatable.memory_bytes));
    return static_cast<int>(std::lround(1000 * std::clamp(most, 0.0, 1.0)));
}

// How many there are.
std::size_t put_pods_of(JsonText& out, const model::NodeState& node) {
    std::vector<int> shares;
    shares.reserve(node.pods.size());
    std::size_t pods = 0;
    for (const auto& [key, pod] : node.pods) {
        if (pod->is_terminal) continue;
        ++pods;
        shares.push_back(share_of(*pod, node.allocatable));
    }
    std::ranges::sort(shares, std::greater{});
    if (shares.size() > kMostShares) shares.resize(kMostShares);
    out.key("pods").whole(static_cast<std::int64_t>(pods)).key("shares").open('[');
    for (const int share : shares) out.whole(share);
    out.close(']');
    return pods;
}

// Words for reasons, which neighbours often share.
class ReasonTexts {
  public:
    const std::string& of(const plan::Reason& reason) {
        if (json_.empty() || reason != last_) {
            JsonText out;
            put_reason(out, reason);
            json_ = out.take();
            last_ = reason;
        }
        return json_;
    }

  private:
    plan::Reason last_;
    std::string json_;
};

// How many pods are there.
std::size_t put_place(JsonText& out, const PageFacts& facts, const Place& place, const LeavingClaims& leaving,
                      ReasonTexts& texts) {
    std::size_t pods = 0;
    const api::StringMap& labels = place.meta().labels;
    const std::string claim = place.claim == nullptr ? "" : place.claim->claim.meta.name;
    out.open('{').key("name").text(place.meta().name);
    out.key("claim").text(claim);
    out.key("pool").text(page_pool_of(place.meta()));
    out.key("type").text(api::find_or_empty(labels, api::kInstanceTypeLabel));
    out.key("zone").text(api::find_or_empty(labels, api::kZoneLabel));
    out.key("capacityType").text(api::find_or_empty(labels, api::kCapacityTypeLabel));
    out.key("pricePerHour").money(place.price);
    out.key("createdAt").time(place.meta().created);
    out.key("state").text(state_of(place, leaving));
    if (place.node != nullptr) {
        put_use(out, place.node->used, place.node->allocatable);
        pods = put_pods_of(out, *place.node);
        const observe::Decision* kept = kept_by(facts.decisions, place.node->node);
        out.key("kept");
        if (kept == nullptr) {
            out.null();
        } else {
            out.raw(texts.of(kept->reasons->front()));
        }
    } else {
        put_use(out, {}, rules::as_capacity(place.claim->claim.allocatable));
        out.key("pods").whole(0).key("shares").open('[').close(']').key("kept").null();
    }
    const auto command = leaving.find(claim);
    out.key("underWay");
    if (command == leaving.end()) {
        out.null();
    } else {
        out.text(command->second->reason);
    }
    out.close('}');
    return pods;
}

// Nodes by name, then claims that have none yet.
std::vector<Place> all_places(const PageFacts& facts) {
    std::vector<Place> out;
    for (const auto& [name, state] : facts.cluster.nodes())
        out.push_back(
            {&state, facts.cluster.claim_of(state.node), facts.prices.price_of(state.node.meta.labels)});
    for (const auto& [name, state] : facts.cluster.claims()) {
        if (facts.cluster.node_of(state.claim) == nullptr)
            out.push_back({nullptr, &state, facts.prices.price_of(state.claim.meta.labels)});
    }
    return out;
}

std::size_t pods_on(const Place& place) {
    if (place.node == nullptr) return 0;
    return static_cast<std::size_t>(
        std::ranges::count_if(place.node->pods, [](const auto& item) { return !item.second->is_terminal; }));
}

struct PoolSum {
    std::int64_t nodes = 0;
    rules::Money price;
    rules::Resources used;
    rules::Resources allocatable;
};

void put_pools(JsonText& out, const PageFacts& facts, const std::vector<Place>& places) {
    std::map<std::string_view, PoolSum> sums;
    for (const auto& [name, state] : facts.cluster.pools()) sums[name];
    for (const Place& place : places) {
        if (place.node == nullptr) continue;
        PoolSum& sum = sums[page_pool_of(place.meta())];
        ++sum.nodes;
        sum.price += place.price.value_or(rules::Money{});
        sum.used += place.node->used;
        sum.allocatable += place.node->allocatable;
    }
    out.key("pools").open('[');
    for (const auto& [name, sum] : sums) {
        out.open('{').key("name").text(name).key("nodes").whole(sum.nodes);
        out.key("pricePerHour").money(sum.price);
        put_use(out, sum.used, sum.allocatable);
        out.close('}');
    }
    out.close(']');
}

// Pods that wait alike: of one maker, for the same reasons.
struct WaitingGroup {
    const model::PodState* first = nullptr;
    const observe::Decision* decision = nullptr;
    WallTime since = kNoTime;
    std::int64_t count = 0;
};

std::string_view waiting_verdict(const WaitingGroup& group) {
    if (group.first->has_gates) return "gated";
    return group.decision == nullptr ? "unplanned" : word_for(group.decision->verdict);
}

void put_waiting(JsonText& out, const PageFacts& facts) {
    std::map<std::tuple<std::string_view, std::string_view, const void*>, WaitingGroup> groups;
    std::int64_t pods = 0;
    std::int64_t cut_off = 0;
    for (const model::PodKey& key : facts.cluster.unbound_pods()) {
        const model::PodState* pod = facts.cluster.find_pod(key);
        if (pod == nullptr || !pod->is_active() || pod->is_daemon || pod->is_mirror) continue;
        ++pods;
        const observe::Decision* decision =
            facts.decisions.last(observe::Subject::pod(pod->id), Matter::kPlacement);
        if (decision != nullptr && decision->subject.id.uid() != pod->id.uid()) decision = nullptr;
        const std::string_view maker =
            pod->selecting_owner.empty() ? std::string_view(pod->id.name()) : pod->selecting_owner;
        const std::tuple<std::string_view, std::string_view, const void*> like{
            pod->id.ns(), maker, decision == nullptr ? nullptr : decision->reasons.get()};
        if (groups.size() >= kMostWaitingGroups && !groups.contains(like)) {
            ++cut_off;
            continue;
        }
        WaitingGroup& group = groups[like];
        if (group.first == nullptr) {
            group.first = pod;
            group.decision = decision;
            group.since = pod->created;
        }
        group.since = std::min(group.since, pod->created);
        ++group.count;
    }
    std::vector<const WaitingGroup*> in_order;
    for (const auto& [like, group] : groups) in_order.push_back(&group);
    std::ranges::stable_sort(in_order, {}, [](const WaitingGroup* one) { return one->since; });
    out.key("waiting").open('[');
    for (const WaitingGroup* group : in_order) {
        out.open('{').key("pod").text(group->first->id.full_name()).key("count").whole(group->count);
        out.key("owner").text(group->first->selecting_owner);
        out.key("since").time(group->since).key("verdict").text(waiting_verdict(*group));
        out.key("why");
        const bool has_why = group->decision != nullptr && group->decision->reasons != nullptr;
        if (group->first->has_gates) {
            out.text("its scheduling gates are not lifted");
        } else if (!has_why) {
            out.text("it has not been planned yet");
        } else {
            out.text(in_words(*group->decision->reasons));
        }
        out.key("reasons").open('[');
        std::string change;
        if (has_why) {
            for (const plan::Reason& reason : *group->decision->reasons) {
                put_reason(out, reason);
                const std::string one = what_would_change(reason);
                if (change.empty()) change = one;
            }
        }
        out.close(']').key("whatWouldChange");
        if (change.empty()) {
            out.null();
        } else {
            out.text(change);
        }
        out.close('}');
    }
    out.close(']').key("waitingPods").whole(pods).key("waitingCutOff").whole(cut_off);
}

std::string_view word_for_phase(RunningCommand::Phase phase) {
    constexpr std::string_view kWords[] = {"marking", "waiting-for-replacement", "closing", "draining"};
    return kWords[static_cast<std::size_t>(phase)];
}

void put_under_way(JsonText& out, const PageFacts& facts) {
    out.key("underWay").open('[');
    for (const auto& [number, command] : facts.commands) {
        out.open('{').key("nodes").open('[');
        for (const std::string& name : command.leaving) {
            const model::ClaimState* claim = facts.cluster.find_claim(name);
            const model::NodeState* node = claim == nullptr ? nullptr : facts.cluster.node_of(claim->claim);
            out.text(node == nullptr ? name : node->node.meta.name);
        }
        out.close(']').key("replacements").open('[');
        for (const std::string& name : command.created) out.text(name);
        out.close(']').key("reason").text(command.reason).key("phase").text(word_for_phase(command.phase));
        out.key("savesPerHour").money(command.saves).key("since").time(command.began).close('}');
    }
    out.close(']');
}

void put_sample(JsonText& out, const MoneySample& sample) {
    out.open('[').whole(
        std::chrono::duration_cast<std::chrono::seconds>(sample.at.time_since_epoch()).count());
    out.money(sample.price).money(sample.bound).money(sample.promised).money(sample.realised).close(']');
}

void put_entry(JsonText& out, const HistoryEntry& entry) {
    out.open('{').key("number").whole(static_cast<std::int64_t>(entry.number)).key("at").time(entry.at);
    out.key("kind").text(word_for(entry.kind)).key("name").text(entry.name);
    out.key("verdict").text(entry.verdict).key("why").text(entry.why);
    if (entry.dollars_per_hour) out.key("dollarsPerHour").money(entry.dollars_per_hour);
    out.close('}');
}

// The newest of the past, no more than so many.
void put_past(JsonText& out, const PageBook& book, std::size_t samples, std::size_t entries) {
    const auto skip = [](std::size_t there, std::size_t most) {
        return static_cast<std::ptrdiff_t>(there - std::min(there, most));
    };
    if (samples > 0) {
        out.key("money").open('[');
        const auto& all = book.samples();
        for (auto it = all.begin() + skip(all.size(), samples); it != all.end(); ++it) put_sample(out, *it);
        out.close(']').key("moneyCutOff").whole(static_cast<std::int64_t>(book.samples_cut_off()));
    }
    if (entries > 0) {
        out.key("history").open('[');
        const auto& all = book.history();
        for (auto it = all.begin() + skip(all.size(), entries); it != all.end(); ++it) put_entry(out, *it);
        out.close(']').key("historyCutOff").whole(static_cast<std::int64_t>(book.history_cut_off()));
    }
}

MoneySample sum_money(const PageFacts& facts, const std::vector<Place>& places) {
    MoneySample out{.at = facts.now,
                    .promised = facts.savings.totals().promised,
                    .realised = facts.savings.totals().realised};
    std::vector<plan::SoldMachine> sold = facts.prices.sold();
    const bool is_something_sold = !sold.empty();
    rules::Resources asked;
    rules::Money of_others;
    for (const auto& [node, claim, price] : places) {
        if (node == nullptr || !price) continue;
        out.price += *price;
        if (claim == nullptr || !claim->is_ours) {
            of_others += *price;
            continue;
        }
        asked += node->used - node->daemon_used;
        // It is there, whatever is sold today.
        sold.push_back({node->allocatable.cpu_milli, node->allocatable.memory_bytes, *price});
    }
    if (is_something_sold)
        out.bound = of_others + plan::price_floor(asked.cpu_milli, asked.memory_bytes, std::move(sold));
    return out;
}

void put_now(JsonText& out, const PageFacts& facts, const std::vector<Place>& places, std::int64_t pods) {
    const MoneySample money = sum_money(facts, places);
    std::vector<std::string_view> unpriced;
    for (const Place& place : places) {
        if (place.node != nullptr && !place.price) unpriced.push_back(place.meta().name);
    }
    out.key("now").open('{').key("nodes").whole(static_cast<std::int64_t>(facts.cluster.nodes().size()));
    out.key("pods").whole(pods).key("pricePerHour").money(money.price).key("boundPerHour").money(money.bound);
    out.key("promisedPerHour").money(money.promised).key("realisedPerHour").money(money.realised);
    out.key("unpricedNodes").open('[');
    for (std::size_t i = 0; i < std::min(unpriced.size(), kMostUnpriced); ++i) out.text(unpriced[i]);
    out.close(']').key("unpricedNodesCount").whole(static_cast<std::int64_t>(unpriced.size())).close('}');
}

void put_decisions(JsonText& out, const observe::DecisionLog& log, const observe::Subject& subject) {
    for (const observe::Decision* one : log.all_of(subject)) {
        out.open('{').key("matter").text(word_for(one->matter)).key("verdict").text(word_for(one->verdict));
        out.key("at").time(one->at).key("reasons").open('[');
        if (one->reasons != nullptr) {
            for (const plan::Reason& reason : *one->reasons) put_reason(out, reason);
        }
        out.close(']').close('}');
    }
}

void put_pod_list(JsonText& out, const model::NodeState& node) {
    std::vector<const model::PodState*> pods;
    for (const auto& [key, pod] : node.pods) {
        if (!pod->is_terminal) pods.push_back(pod);
    }
    std::ranges::stable_sort(pods, std::greater{},
                             [&](const model::PodState* pod) { return share_of(*pod, node.allocatable); });
    const std::size_t shown = std::min(pods.size(), kMostPodsOfNode);
    out.key("podsCutOff").whole(static_cast<std::int64_t>(pods.size() - shown)).key("pods").open('[');
    for (std::size_t i = 0; i < shown; ++i) {
        const model::PodState& pod = *pods[i];
        const rules::Resources asks = pod.shape == nullptr ? rules::Resources{} : pod.shape->requests;
        out.open('{').key("pod").text(pod.id.full_name()).key("owner").text(pod.selecting_owner);
        out.key("cpu").number(static_cast<double>(asks.cpu_milli) / 1000);
        out.key("memory").whole(asks.memory_bytes).key("share").whole(share_of(pod, node.allocatable));
        out.key("ready").whole(pod.is_ready ? 1 : 0).key("daemon").whole(pod.is_daemon ? 1 : 0);
        out.key("createdAt").time(pod.created).close('}');
    }
    out.close(']');
}

}  // namespace

MoneySample sample_money(const PageFacts& facts) {
    return sum_money(facts, all_places(facts));
}

std::string page_state(const PageFacts& facts) {
    const LeavingClaims leaving = leaving_claims(facts.commands);
    JsonText out;
    const std::vector<Place> places = all_places(facts);
    const std::size_t shown = std::min(places.size(), kMostPageNodes);
    out.expect_bytes((shown + kMostWaitingGroups) * kBytesOfNode);
    out.open('{').key("at").time(facts.now).key("version").text(JOINER_VERSION);
    put_pools(out, facts, places);
    ReasonTexts texts;
    std::size_t pods = 0;
    out.key("nodes").open('[');
    for (std::size_t i = 0; i < shown; ++i) pods += put_place(out, facts, places[i], leaving, texts);
    out.close(']').key("nodesCutOff").whole(static_cast<std::int64_t>(places.size() - shown));
    for (std::size_t i = shown; i < places.size(); ++i) pods += pods_on(places[i]);
    put_now(out, facts, places, static_cast<std::int64_t>(pods));
    put_waiting(out, facts);
    put_under_way(out, facts);
    put_past(out, facts.book, kRecentSamples, kRecentEntries);
    return out.close('}').take();
}

std::optional<std::string> page_node(const PageFacts& facts, std::string_view name) {
    Place place{facts.cluster.find_node(name), facts.cluster.find_claim(name)};
    if (place.node != nullptr) place.claim = facts.cluster.claim_of(place.node->node);
    if (place.node == nullptr && place.claim == nullptr) return std::nullopt;
    JsonText out;
    out.open('{').key("at").time(facts.now).key("node");
    place.price = facts.prices.price_of(place.meta().labels);
    ReasonTexts texts;
    put_place(out, facts, place, leaving_claims(facts.commands), texts);
    out.key("decisions").open('[');
    if (place.claim != nullptr)
        put_decisions(out, facts.decisions, observe::Subject::claim(place.claim->claim.meta));
    if (place.node != nullptr)
        put_decisions(out, facts.decisions, observe::Subject::node(place.node->node.meta));
    out.close(']');
    if (place.node != nullptr) {
        put_pod_list(out, *place.node);
    } else {
        out.key("podsCutOff").whole(0).key("pods").open('[').close(']');
    }
    return out.close('}').take();
}

std::string page_history(const PageFacts& facts) {
    JsonText out;
    out.open('{').key("at").time(facts.now);
    put_past(out, facts.book, 0, PageBook::kMostEntries);
    return out.close('}').take();
}

std::string page_money(const PageFacts& facts) {
    JsonText out;
    out.open('{').key("at").time(facts.now);
    put_past(out, facts.book, PageBook::kMostSamples, 0);
    return out.close('}').take();
}

}  // namespace joiner::control
