#include "cli/top/state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"
#include "cli/top/view.h"

namespace joiner::cli::top {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr WallTime kNow = WallTime{std::chrono::hours{500'000}};

Row row(std::string name, double price, std::int64_t cpu_asked, std::string pool = "general") {
    Row out;
    out.name = std::move(name);
    out.pool = std::move(pool);
    out.load = {.cpu_asked = cpu_asked,
                .cpu_allocatable = 4000,
                .memory_asked = 0,
                .memory_allocatable = 0,
                .use = {},
                .pods = cpu_asked / 100,
                .nodes = 1,
                .price = rules::Money::from_dollars(price),
                .idle = {},
                .unpriced = 0,
                .estimated = 0};
    return out;
}

std::vector<std::string> names(const std::vector<Row>& rows) {
    std::vector<std::string> out;
    for (const Row& one : rows) out.push_back(one.name);
    return out;
}

TEST(TopState, sorts_by_each_key_with_ties_by_price_then_name) {
    const std::vector<Row> rows = {row("d", 1, 100), row("a", 1, 300), row("c", 2, 300), row("b", 1, 300)};
    struct Case {
        SortBy by;
        bool is_reversed;
        std::vector<std::string> wanted;
    };
    const Case cases[] = {
        {SortBy::kCpu, false, {"c", "a", "b", "d"}},    {SortBy::kCpu, true, {"d", "c", "a", "b"}},
        {SortBy::kPrice, false, {"c", "a", "b", "d"}},  {SortBy::kPods, false, {"c", "a", "b", "d"}},
        {SortBy::kName, false, {"a", "b", "c", "d"}},   {SortBy::kName, true, {"d", "c", "b", "a"}},
        {SortBy::kMemory, false, {"c", "a", "b", "d"}},
    };
    for (const Case& one : cases) {
        std::vector<Row> sorted = rows;
        sort_rows(sorted, one.by, one.is_reversed);
        EXPECT_EQ(names(sorted), one.wanted) << sort_word(one.by) << one.is_reversed;
    }
}

TEST(TopState, what_needs_a_look_comes_first_by_state) {
    std::vector<Row> rows = {row("ready", 1, 1), row("gone", 1, 1), row("sick", 1, 1)};
    rows[1].stage = NodeStage::kGone;
    rows[2].stage = NodeStage::kNotReady;
    sort_rows(rows, SortBy::kStage, false);
    EXPECT_THAT(names(rows), ElementsAre("gone", "sick", "ready"));
}

TEST(TopState, pools_are_the_sums_of_their_nodes_and_not_of_those_that_are_gone) {
    std::vector<Row> nodes = {row("a", 1, 100), row("b", 2, 300), row("c", 4, 100, "")};
    nodes.push_back(row("d", 8, 100));
    nodes.back().stage = NodeStage::kGone;
    const std::vector<Row> pools = pool_rows(nodes);
    ASSERT_THAT(names(pools), ElementsAre("(none)", "general"));
    EXPECT_EQ(pools[1].load.nodes, 2);
    EXPECT_EQ(pools[1].load.cpu_asked, 400);
    EXPECT_EQ(pools[1].load.price.dollars(), 3);
}

TEST(TopState, a_node_that_goes_is_shown_as_gone_for_ten_seconds) {
    GoneNodes gone;
    Picture picture;
    const auto after = [&](int seconds, std::vector<Row> rows) {
        picture.now = kNow + std::chrono::seconds{seconds};
        picture.rows = std::move(rows);
        gone.add_to(picture);
        return names(picture.rows);
    };
    EXPECT_THAT(after(0, {row("a", 1, 1), row("b", 1, 1)}), ElementsAre("a", "b"));
    EXPECT_THAT(after(1, {row("a", 1, 1)}), ElementsAre("a", "b"));
    EXPECT_EQ(picture.rows.back().stage, NodeStage::kGone);
    EXPECT_EQ(picture.rows.back().load.price.nanos, 0);
    EXPECT_THAT(after(10, {row("a", 1, 1)}), ElementsAre("a", "b"));
    EXPECT_THAT(after(11, {row("a", 1, 1)}), ElementsAre("a"));
    // It is back before its time is over.
    EXPECT_THAT(after(12, {}), ElementsAre("a"));
    EXPECT_THAT(after(13, {row("a", 1, 1)}), ElementsAre("a"));
    EXPECT_EQ(picture.rows.back().stage, NodeStage::kReady);
}

TEST(TopState, reads_use_and_leaves_out_what_cannot_be_read) {
    const auto use = parse_use(R"({"kind":"NodeMetricsList","items":[
      {"metadata":{"name":"a"},"usage":{"cpu":"1500000001n","memory":"2Gi"}},
      {"metadata":{"name":"b"},"usage":{"cpu":"much","memory":"2Gi"}},
      {"metadata":{"name":"c"},"usage":{"cpu":"-1","memory":"2Gi"}},
      {"metadata":{"name":3},"usage":{"cpu":"1","memory":"2Gi"}},
      {"metadata":{"name":"d"}}, 7]})");
    ASSERT_TRUE(use) << use.error().message;
    ASSERT_EQ(use->size(), 1u);
    EXPECT_EQ(use->at("a").cpu_milli, 1501);
    EXPECT_EQ(use->at("a").memory_bytes, std::int64_t{2} << 30);
    EXPECT_FALSE(parse_use("<html>"));
    EXPECT_FALSE(parse_use(R"({"items":"none"})"));
    EXPECT_TRUE(parse_use(R"({"items":null})"));
}

constexpr const char* kNode = R"({"metadata":{"name":"n","creationTimestamp":"2026-01-01T00:00:00Z","labels":
  {"karpenter.sh/nodepool":"general","node.kubernetes.io/instance-type":"m5.large"%s}%s},
  "spec":{"providerID":"p://1"%s},"status":{"allocatable":{"cpu":"2","memory":"8Gi","pods":"10"},
  "conditions":[{"type":"Ready","status":"%s"}]}})";
constexpr const char* kClaim =
    R"({"metadata":{"name":"general-1","labels":{"karpenter.sh/nodepool":"general"}%s},
  "spec":{"nodeClassRef":{"group":"g","kind":"K","name":"k"}},"status":{%s"conditions":[%s]}})";

std::string filled(const char* text, std::vector<std::string> parts) {
    std::string out = text;
    for (const std::string& part : parts) out.replace(out.find("%s"), 2, part);
    return out;
}

TEST(TopState, says_in_which_stage_of_its_life_a_node_is) {
    const std::string registered = R"({"type":"Registered","status":"True"})";
    const std::string up = registered + R"(,{"type":"Initialized","status":"True"})";
    const std::string with_id = R"("providerID":"p://1",)";
    const std::string deleted = R"(,"deletionTimestamp":"2026-01-02T00:00:00Z")";
    struct Case {
        std::string claim;
        std::string node;
        NodeStage wanted;
    };
    const Case cases[] = {
        {filled(kClaim, {"", "", ""}), "", NodeStage::kLaunching},
        {filled(kClaim, {"", with_id, ""}), "", NodeStage::kRegistering},
        {filled(kClaim, {deleted, with_id, ""}), "", NodeStage::kDraining},
        {filled(kClaim, {"", with_id, ""}), filled(kNode, {"", "", "", "True"}), NodeStage::kRegistering},
        {filled(kClaim, {"", with_id, registered}), filled(kNode, {"", "", "", "True"}),
         NodeStage::kStarting},
        {filled(kClaim, {"", with_id, up}), filled(kNode, {"", "", "", "True"}), NodeStage::kReady},
        {filled(kClaim, {"", with_id, up}), filled(kNode, {"", "", "", "Unknown"}), NodeStage::kNotReady},
        {filled(kClaim, {"", with_id, up}), filled(kNode, {"", "", R"(,"unschedulable":true)", "True"}),
         NodeStage::kCordoned},
        {filled(kClaim, {"", with_id, up}),
         filled(kNode,
                {"", "", R"(,"taints":[{"key":"karpenter.sh/disrupted","effect":"NoSchedule"}])", "True"}),
         NodeStage::kLeaving},
        {filled(kClaim, {deleted, with_id, up}), filled(kNode, {"", "", "", "True"}), NodeStage::kDraining},
        {"", filled(kNode, {"", "", "", "True"}), NodeStage::kReady},
    };
    for (const Case& one : cases) {
        model::Cluster cluster(rules::PreferencePolicy::kRespect);
        if (!one.claim.empty()) cluster.upsert(api::decode_node_claim(one.claim).value());
        if (!one.node.empty()) cluster.upsert(api::decode_node(one.node).value());
        const Picture picture = make_picture({.cluster = cluster, .facts = {}, .use = nullptr, .now = kNow});
        ASSERT_EQ(picture.rows.size(), 1u);
        EXPECT_EQ(stage_word(picture.rows[0].stage), stage_word(one.wanted));
        EXPECT_EQ(picture.rows[0].pool, "general");
        EXPECT_EQ(picture.sum.nodes, one.node.empty() ? 0 : 1);
    }
}

TEST(TopState, idle_dollars_are_the_part_of_the_price_that_nobody_asked_for) {
    model::Cluster cluster(rules::PreferencePolicy::kRespect);
    cluster.upsert(api::decode_node(filled(kNode, {"", "", "", "True"})).value());
    const auto pod = [&](const char* name, const char* cpu, const char* memory) {
        cluster.upsert(api::decode_pod(filled(R"({"metadata":{"namespace":"s","name":"%s","uid":"%s"},
          "spec":{"nodeName":"n","containers":[{"name":"c","image":"i","resources":{"requests":{"cpu":"%s","memory":"%s"}}}]},
          "status":{"phase":"Running"}})",
                                              {name, name, cpu, memory}))
                           .value());
    };
    pod("big", "1", "4Gi");
    FactsByName facts;
    facts["n"].price = rules::Money::from_dollars(0.2);
    Picture picture = make_picture({.cluster = cluster, .facts = facts, .use = nullptr, .now = kNow});
    EXPECT_DOUBLE_EQ(picture.rows[0].load.idle.dollars(), 0.1);
    EXPECT_EQ(picture.rows[0].load.pods, 1);
    pod("small", "1", "4Gi");
    picture = make_picture({.cluster = cluster, .facts = facts, .use = nullptr, .now = kNow});
    EXPECT_EQ(picture.sum.idle.nanos, 0);
    EXPECT_THAT(pods_of(cluster, "none"), IsEmpty());
    const std::vector<PodRow> pods = pods_of(cluster, "n");
    ASSERT_EQ(pods.size(), 2u);
    EXPECT_EQ(pods[0].name, "s/big");
}

// --- keys

Picture three() {
    Picture out;
    out.now = kNow;
    out.rows = {row("a", 3, 100), row("b", 2, 200), row("c", 1, 300, "spot")};
    return out;
}

struct Keyboard {
    Picture picture = three();
    View view;
    Shown shown;
    std::size_t page = 2;

    void look() {
        std::vector<PodRow> pods;
        if (!view.opened.empty()) {
            pods.resize(1);
            pods[0].name = "pod of " + view.opened;
        }
        shown = find_shown(picture, view, std::move(pods));
        settle(view, shown, page);
    }
    void type(std::vector<std::string> keys) {
        look();
        for (const std::string& key : keys) {
            press(view, key, shown, page);
            look();
        }
    }
    std::string selected() const { return shown.size() == 0 ? "" : shown.name(view.index); }
};

TEST(TopView, each_key_does_what_the_help_says) {
    struct Case {
        std::vector<std::string> keys;
        std::vector<std::string> wanted;  // Names on the list.
        std::string selected;
    };
    // Idle dollars are all nought, so price orders the list at first.
    const Case cases[] = {
        {{}, {"a", "b", "c"}, "a"},
        {{"Down"}, {"a", "b", "c"}, "b"},
        {{"Down", "Down", "Down", "Down"}, {"a", "b", "c"}, "c"},
        {{"End", "Up"}, {"a", "b", "c"}, "b"},
        {{"PageDown"}, {"a", "b", "c"}, "c"},
        {{"PageDown", "PageUp"}, {"a", "b", "c"}, "a"},
        {{"End", "Home"}, {"a", "b", "c"}, "a"},
        {{"P"}, {"c", "b", "a"}, "c"},
        {{"Down", "P", "I"}, {"a", "b", "c"}, "b"},
        {{"Home", "P"}, {"c", "b", "a"}, "a"},  // The selection stays with its node.
        {{"N", ">"}, {"c", "b", "a"}, "c"},
        {{"P", "<"}, {"a", "b", "c"}, "a"},
        {{"N", "<"}, {"a", "b", "c"}, "a"},
        {{"p"}, {"general", "spot"}, "general"},
        {{"p", "p"}, {"a", "b", "c"}, "a"},
        {{"p", "Down", "Enter"}, {"c"}, "c"},
        {{"p", "Down", "Enter", "Esc"}, {"a", "b", "c"}, "a"},
        {{"Down", "Enter"}, {"pod of b"}, "pod of b"},
        {{"Down", "Enter", "Esc"}, {"a", "b", "c"}, "b"},
        {{"/", "S", "p", "o", "t", "Enter"}, {"c"}, "c"},
        {{"/", "x", "Enter"}, {}, ""},
        {{"/", "x", "Backspace", "b", "Enter"}, {"b"}, "b"},
        {{"/", "b", "Esc"}, {"a", "b", "c"}, "a"},
        {{"/", "q"}, {}, ""},  // Typed, and not the end.
        {{"F5", "Nonsense", "z"}, {"a", "b", "c"}, "a"},
    };
    for (const Case& one : cases) {
        Keyboard keyboard;
        keyboard.type(one.keys);
        std::vector<std::string> found;
        for (std::size_t i = 0; i < keyboard.shown.size(); ++i) found.push_back(keyboard.shown.name(i));
        EXPECT_EQ(found, one.wanted) << ::testing::PrintToString(one.keys);
        EXPECT_EQ(keyboard.selected(), one.selected) << ::testing::PrintToString(one.keys);
        EXPECT_FALSE(keyboard.view.wants_to_quit);
    }
    Keyboard keyboard;
    keyboard.type({"?"});
    EXPECT_TRUE(keyboard.view.shows_help);
    keyboard.type({"Esc"});
    EXPECT_FALSE(keyboard.view.shows_help);
    keyboard.type({"q"});
    EXPECT_TRUE(keyboard.view.wants_to_quit);
}

TEST(TopView, the_selected_line_stays_on_the_screen) {
    Keyboard keyboard;
    keyboard.type({"End"});
    EXPECT_EQ(keyboard.view.top, 1u);
    keyboard.picture.rows.erase(keyboard.picture.rows.begin());
    keyboard.look();
    EXPECT_EQ(keyboard.selected(), "c");
    EXPECT_EQ(keyboard.view.top, 0u);
    keyboard.picture.rows.pop_back();
    keyboard.look();
    EXPECT_EQ(keyboard.selected(), "b");
    keyboard.picture.rows.clear();
    keyboard.look();
    EXPECT_EQ(keyboard.view.index, 0u);
    keyboard.type({"Down", "Enter", "PageDown"});
    EXPECT_TRUE(keyboard.view.opened.empty());
}

}  // namespace
}  // namespace joiner::cli::top
