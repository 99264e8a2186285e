#include "control/page_state.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "api/names.h"

namespace joiner::control {
namespace {

using Json = nlohmann::json;
using observe::Matter;
using observe::Subject;
using observe::Verdict;
using testing::ElementsAre;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();
constexpr double kDollars = 0.2;

// Sells "m4" (4 cores, 8 GiB) in zone a, on demand.
class OneType final : public cloud::Offers {
  public:
    OneType() {
        rules::InstanceType type;
        type.name = "m4";
        type.capacity.cpu_milli = 4000;
        type.capacity.memory_bytes = std::int64_t{8} << 30;
        rules::Offering offering;
        offering.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {"a"}));
        offering.requirements.add(
            rules::Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
        offering.price = rules::Money::from_dollars(kDollars);
        type.offerings.push_back(offering);
        types_ = std::make_shared<const std::vector<rules::InstanceType>>(std::vector{type});
    }
    cloud::InstanceTypes instance_types(const api::NodePool&) override { return types_; }
    std::string why_no_types(const api::NodePool&) override { return ""; }

  private:
    cloud::InstanceTypes types_;
};

const Savings::Cause kCause{"default", "underutilized"};

struct Bench {
    OneType offers;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    observe::DecisionLog decisions;
    RunningCommands commands;
    NodePrices prices{offers, cluster};
    observe::Metrics metrics;
    Savings savings{prices, cluster, metrics};
    PageBook book;

    Bench() {
        api::NodePool pool;
        pool.meta.name = "default";
        cluster.upsert(std::move(pool));
    }
    PageFacts facts() {
        prices.look();
        return {cluster, decisions, commands, prices, savings, book, kNow};
    }
    Json state() { return Json::parse(page_state(facts())); }
    Json node(const std::string& name) { return Json::parse(page_node(facts(), name).value()); }

    static Quantity quantity(std::string_view text) { return Quantity::parse(text).value(); }
    static api::Condition condition(const std::string& type) {
        api::Condition out;
        out.type = type;
        out.status = "True";
        return out;
    }
    static api::Node a_node(const std::string& name) {
        api::Node node;
        node.meta.name = name;
        node.meta.uid = "uid-" + name;
        node.meta.created = kNow - std::chrono::hours{1};
        node.provider_id = "id-" + name;
        node.allocatable = {{"cpu", quantity("4")}, {"memory", quantity("8Gi")}, {"pods", quantity("10")}};
        node.conditions = {condition("Ready")};
        node.meta.labels = {{std::string(api::kNodePoolLabel), "default"},
                            {std::string(api::kInstanceTypeLabel), "m4"},
                            {std::string(api::kZoneLabel), "a"},
                            {std::string(api::kCapacityTypeLabel), "on-demand"}};
        return node;
    }
    static api::NodeClaim a_claim(const std::string& name, const std::string& node,
                                  const std::vector<std::string>& conditions) {
        api::NodeClaim claim;
        claim.meta.name = name;
        claim.meta.labels = {{std::string(api::kNodePoolLabel), "default"}};
        if (!node.empty()) claim.provider_id = "id-" + node;
        for (const std::string& one : conditions) claim.conditions.push_back(condition(one));
        return claim;
    }
    void add_up(const std::string& node) {
        cluster.upsert(a_node(node));
        cluster.upsert(a_claim("claim-" + node, node, {"Launched", "Registered", "Initialized"}));
    }
    void add_pod(const std::string& name, const std::string& node, const char* cpu,
                 const std::string& owner = "") {
        api::Pod pod;
        pod.meta.name = name;
        pod.meta.ns = "ns";
        pod.meta.uid = "uid-" + name;
        pod.meta.created = kNow - std::chrono::minutes{1};
        pod.spec.node_name = node;
        pod.spec.containers.resize(1);
        pod.spec.containers[0].requests = {{"cpu", quantity(cpu)}, {"memory", quantity("1Gi")}};
        if (!owner.empty()) pod.meta.owners.push_back({"apps/v1", "ReplicaSet", owner, "u", true, false});
        cluster.upsert(pod);
    }
};

TEST(PageState, a_node_has_its_price_its_use_and_what_keeps_it) {
    Bench b;
    b.add_up("n");
    b.add_pod("small", "n", "500m");
    b.add_pod("large", "n", "2");
    b.decisions.record(
        {Subject::node(Bench::a_node("n").meta), Matter::kConsolidation, Verdict::kKept,
         plan::share({{.rule = plan::Rule::kNoBetterPlace, .money = rules::Money::from_dollars(kDollars)}}),
         kNow});
    const Json state = b.state();
    ASSERT_EQ(state["nodes"].size(), 1u);
    const Json& node = state["nodes"][0];
    EXPECT_EQ(node["name"], "n");
    EXPECT_EQ(node["claim"], "claim-n");
    EXPECT_EQ(node["pool"], "default");
    EXPECT_EQ(node["type"], "m4");
    EXPECT_EQ(node["zone"], "a");
    EXPECT_EQ(node["capacityType"], "on-demand");
    EXPECT_EQ(node["pricePerHour"], kDollars);
    EXPECT_EQ(node["state"], "ready");
    EXPECT_EQ(node["cpu"], Json({{"requested", 2.5}, {"allocatable", 4}}));
    EXPECT_EQ(node["memory"]["requested"], std::int64_t{2} << 30);
    EXPECT_EQ(node["pods"], 2);
    EXPECT_THAT(node["shares"].get<std::vector<int>>(), ElementsAre(500, 125))
        << "cores or memory, whichever is more";
    EXPECT_EQ(node["kept"]["rule"], "no-better-place");
    EXPECT_EQ(state["now"]["pricePerHour"], kDollars);
    EXPECT_EQ(state["now"]["pods"], 2);
    EXPECT_NEAR(state["now"]["boundPerHour"].get<double>(), kDollars * 2.5 / 4, 1e-4);
    EXPECT_EQ(state["pools"][0]["nodes"], 1);
    EXPECT_EQ(state["at"], "2027-03-10T12:00:00Z");
}

TEST(PageState, states_of_nodes) {
    struct Case {
        const char* state;
        void (*make)(Bench&);
    };
    const Case cases[] = {
        {"launching", [](Bench& b) { b.cluster.upsert(Bench::a_claim("c", "", {})); }},
        {"registering", [](Bench& b) { b.cluster.upsert(Bench::a_claim("c", "", {"Launched"})); }},
        {"registering",
         [](Bench& b) {
             b.cluster.upsert(Bench::a_node("n"));
             b.cluster.upsert(Bench::a_claim("c", "n", {"Launched"}));
         }},
        {"starting",
         [](Bench& b) {
             b.cluster.upsert(Bench::a_node("n"));
             b.cluster.upsert(Bench::a_claim("c", "n", {"Launched", "Registered"}));
         }},
        {"ready", [](Bench& b) { b.add_up("n"); }},
        {"ready", [](Bench& b) { b.cluster.upsert(Bench::a_node("foreign")); }},
        {"not-ready",
         [](Bench& b) {
             api::Node node = Bench::a_node("n");
             node.conditions[0].status = "Unknown";
             b.cluster.upsert(std::move(node));
         }},
        {"cordoned",
         [](Bench& b) {
             api::Node node = Bench::a_node("n");
             node.unschedulable = true;
             b.cluster.upsert(std::move(node));
         }},
        {"leaving",
         [](Bench& b) {
             b.add_up("n");
             b.commands[1].leaving = {"claim-n"};
         }},
        {"draining",
         [](Bench& b) {
             b.add_up("n");
             api::NodeClaim claim = Bench::a_claim("claim-n", "n", {"Launched", "Registered", "Initialized"});
             claim.meta.deleted = kNow;
             b.cluster.upsert(std::move(claim));
             b.commands[1].leaving = {"claim-n"};
         }},
    };
    for (const Case& c : cases) {
        Bench b;
        c.make(b);
        const Json state = b.state();
        ASSERT_EQ(state["nodes"].size(), 1u) << c.state;
        EXPECT_EQ(state["nodes"][0]["state"], c.state);
    }
}

TEST(PageState, pods_that_wait_alike_are_one_group) {
    Bench b;
    const plan::SharedReasons why = plan::share({{.rule = plan::Rule::kNoNodePool}});
    for (const char* name : {"web-1", "web-2", "web-3"}) b.add_pod(name, "", "1", "web");
    b.add_pod("alone", "", "1");
    for (const char* name : {"web-1", "web-2"}) {
        b.decisions.record({Subject::pod({"ns", name, "uid-" + std::string(name)}), Matter::kPlacement,
                            Verdict::kWaits, why, kNow});
    }
    // Of a pod that had the name before.
    b.decisions.record(
        {Subject::pod({"ns", "alone", "another"}), Matter::kPlacement, Verdict::kWaits, why, kNow});
    const Json state = b.state();
    EXPECT_EQ(state["waitingPods"], 4);
    std::map<std::string, std::pair<int, std::string>> groups;
    for (const Json& one : state["waiting"])
        groups[one["pod"]] = {one["count"].get<int>(), one["verdict"].get<std::string>()};
    EXPECT_EQ(groups["ns/web-1"], std::pair(2, std::string("waits")));
    EXPECT_EQ(groups["ns/web-3"], std::pair(1, std::string("unplanned")));
    EXPECT_EQ(groups["ns/alone"], std::pair(1, std::string("unplanned")));
    for (const Json& one : state["waiting"]) {
        if (one["pod"] == "ns/web-1") {
            EXPECT_EQ(one["why"], plan::in_words(*why));
            EXPECT_EQ(one["whatWouldChange"], plan::what_would_change(why->front()));
        }
    }
}

TEST(PageState, groups_beyond_the_bound_are_counted) {
    Bench b;
    for (std::size_t i = 0; i < kMostWaitingGroups + 7; ++i) b.add_pod("p" + std::to_string(i), "", "1");
    const Json state = b.state();
    EXPECT_EQ(state["waiting"].size(), kMostWaitingGroups);
    EXPECT_EQ(state["waitingCutOff"], 7);
    EXPECT_EQ(state["waitingPods"], kMostWaitingGroups + 7);
}

TEST(PageState, what_nobody_prices_is_named) {
    Bench b;
    api::Node foreign = Bench::a_node("foreign");
    foreign.meta.labels = {{"eks-node-viewer/instance-price", "0.5"}};
    b.cluster.upsert(foreign);
    foreign.meta.name = "dark";
    foreign.provider_id = "id-dark";
    foreign.meta.labels = {{"eks-node-viewer/instance-price", "much"}};
    b.cluster.upsert(foreign);
    const Json state = b.state();
    EXPECT_EQ(state["now"]["unpricedNodes"], Json({"dark"}));
    EXPECT_EQ(state["now"]["pricePerHour"], 0.5);
    EXPECT_EQ(state["now"]["boundPerHour"], 0.5) << "nodes of others stay";
    for (const Json& node : state["nodes"]) EXPECT_EQ(node["pricePerHour"].is_null(), node["name"] == "dark");
}

TEST(PageState, what_is_under_way_says_what_it_saves) {
    Bench b;
    b.add_up("n");
    RunningCommand& command = b.commands[1];
    command.leaving = {"claim-n"};
    command.created = {"claim-new"};
    command.reason = "Underutilized";
    command.began = kNow;
    command.saves = rules::Money::from_dollars(0.125);
    const Json state = b.state();
    ASSERT_EQ(state["underWay"].size(), 1u);
    EXPECT_EQ(state["underWay"][0], Json({{"nodes", {"n"}},
                                          {"replacements", {"claim-new"}},
                                          {"reason", "Underutilized"},
                                          {"phase", "marking"},
                                          {"savesPerHour", 0.125},
                                          {"since", "2027-03-10T12:00:00Z"}}));
    EXPECT_EQ(state["nodes"][0]["underWay"], "Underutilized");
}

TEST(PageState, the_past_is_short_in_the_state_and_whole_beside_it) {
    Bench b;
    for (int i = 0; i < 200; ++i) {
        b.book.add({.at = kNow + i * PageBook::kBetweenSamples, .price = rules::Money::from_dollars(i)});
        b.book.note({Subject::claim("c" + std::to_string(i), ""), Matter::kPurchase, Verdict::kBought,
                     nullptr, kNow});
    }
    const Json state = b.state();
    EXPECT_EQ(state["money"].size(), kRecentSamples);
    EXPECT_EQ(state["money"].back()[1], 199);
    EXPECT_TRUE(state["money"].back()[2].is_null());
    EXPECT_EQ(state["history"].size(), kRecentEntries);
    EXPECT_EQ(state["history"].back()["name"], "c199");
    EXPECT_EQ(Json::parse(page_history(b.facts()))["history"].size(), 200u);
    EXPECT_EQ(Json::parse(page_money(b.facts()))["money"].size(), 200u);
}

TEST(PageState, a_node_opens_to_its_pods_and_its_decisions) {
    Bench b;
    b.add_up("n");
    b.add_pod("small", "n", "500m");
    b.add_pod("large", "n", "2");
    b.decisions.record({Subject::node(Bench::a_node("n").meta), Matter::kDrift, Verdict::kKept,
                        plan::share({{.rule = plan::Rule::kNoBetterPlace}}), kNow});
    const Json node = b.node("n");
    EXPECT_EQ(node["node"]["name"], "n");
    ASSERT_EQ(node["pods"].size(), 2u);
    EXPECT_EQ(node["pods"][0]["pod"], "ns/large") << "the largest first";
    EXPECT_EQ(node["pods"][0]["cpu"], 2);
    EXPECT_EQ(node["decisions"][0]["matter"], "drift");
    EXPECT_FALSE(page_node(b.facts(), "nobody"));
    b.cluster.upsert(Bench::a_claim("coming", "", {}));
    EXPECT_EQ(b.node("coming")["node"]["state"], "launching");
}

TEST(PageState, names_are_written_as_json_wants_them) {
    Bench b;
    api::Node node = Bench::a_node("quote\"back\\slash\nline");
    b.cluster.upsert(std::move(node));
    EXPECT_EQ(b.state()["nodes"][0]["name"], "quote\"back\\slash\nline");
}

TEST(Savings, promises_are_kept_or_taken_back) {
    Bench b;
    b.add_up("n");
    b.add_up("new");
    const auto dollars = [](double d) { return rules::Money::from_dollars(d); };
    b.savings.promise(kCause, dollars(0.5));
    b.savings.promise(kCause, dollars(1));
    b.savings.give_up(dollars(1));
    EXPECT_EQ(b.savings.totals(), (Savings::Totals{dollars(0.5), {}}));
    b.savings.realise(kCause, dollars(0.9), {"claim-new", "unknown"});
    EXPECT_EQ(b.savings.totals(), (Savings::Totals{dollars(0.5), dollars(0.9 - kDollars)}));
    for (int i = 0; i < 2; ++i) b.savings.promise_empty({"claim-n"});
    EXPECT_EQ(b.savings.totals().promised, dollars(0.5 + kDollars)) << "once";
    for (int i = 0; i < 2; ++i) b.savings.note_gone("claim-n");
    EXPECT_EQ(b.savings.totals().realised, dollars(0.9));
    const std::string text = b.metrics.text();
    using testing::HasSubstr;
    EXPECT_THAT(text, HasSubstr("joiner_savings_promised_per_hour_total{nodepool=\"default\",reason="
                                "\"underutilized\"} 1.5\n"))
        << "what is given up stays promised: it only grows";
    EXPECT_THAT(text, HasSubstr("joiner_savings_realised_per_hour_total{nodepool=\"default\",reason="
                                "\"underutilized\"}"));
    b.savings.realise({"dear", "drifted"}, dollars(-1), {});
    EXPECT_THAT(b.metrics.text(), HasSubstr("joiner_savings_realised_per_hour_total{nodepool=\"dear\","
                                            "reason=\"drifted\"} 0\n"));
}

}  // namespace
}  // namespace joiner::control
