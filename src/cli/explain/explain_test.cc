#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/explain/answer.h"
#include "cli/explain/asked_world.h"
#include "cli/explain/subjects.h"
#include "cli/testing/scenario.h"
#include "plan/explain/lone_pod.h"
#include "plan/explain/smallest_change.h"

namespace joiner::cli {
namespace {

using std::chrono::hours;

// Files of a test, gone with it.
class Folder {
  public:
    Folder() {
        std::string path = (fs::temp_directory_path() / "joiner-explain-XXXXXX").string();
        if (mkdtemp(path.data()) != nullptr) path_ = path;
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string write(const char* name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return (path_ / name).string();
    }

  private:
    fs::path path_;
};

struct Said {
    int code = 0;
    std::string out;
    std::string err;
};

Said explain(const ExplainOptions& options) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Said out;
    out.code = run_explain(options);
    std::fflush(stdout);
    std::fflush(stderr);
    out.out = testing::internal::GetCapturedStdout();
    out.err = testing::internal::GetCapturedStderr();
    return out;
}

class ExplainTest : public testing::Test {
  protected:
    ExplainOptions options(const std::string& kind, const std::string& name) {
        ExplainOptions out;
        out.kind = kind;
        out.name = name;
        Scenario scenario;
        scenario.types = "small 2 4Gi 0.10\nlarge 16 32Gi 0.70\n";
        out.instance_types = folder_.write("types.json", types_of(scenario));
        out.files = {folder_.write("world.yaml", world_)};
        return out;
    }
    Said said(const std::string& kind, const std::string& name) { return explain(options(kind, name)); }
    Json json(const std::string& kind, const std::string& name) {
        ExplainOptions asked = options(kind, name);
        asked.output = "json";
        return Json::parse(explain(asked).out);
    }

    Folder folder_;
    std::string world_;
};

std::string pool(const std::string& name, const std::string& spec = "", const std::string& nodes = "",
                 const std::string& meta = "") {
    return fmt::format(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {{name: {}{}}}\nspec:\n  {}\n  template:\n"
        "    spec:\n      nodeClassRef: {{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}}\n"
        "      requirements: []\n      {}\n---\n",
        name, meta, spec, nodes);
}

std::string pod(const std::string& name, const std::string& spec = "", const std::string& cpu = "1") {
    return fmt::format(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}, labels: {{app: {}}}}}\nspec:\n  {}\n"
        "  containers: [{{name: c, image: x, resources: {{requests: {{cpu: {}, memory: 1Gi}}}}}}]\n---\n",
        name, name, spec, cpu);
}

std::string node(const std::string& name, const std::string& more_meta = "") {
    return fmt::format(
        "apiVersion: v1\nkind: Node\nmetadata: {{name: {}, labels: {{kubernetes.io/hostname: {}, "
        "topology.kubernetes.io/zone: a, kubernetes.io/arch: amd64, kubernetes.io/os: linux, "
        "node.kubernetes.io/instance-type: small, karpenter.sh/capacity-type: on-demand, "
        "karpenter.sh/nodepool: default}}{}}}\nstatus: {{allocatable: {{cpu: \"2\", memory: 4Gi, pods: "
        "\"110\"}}, capacity: {{cpu: \"2\", memory: 4Gi, pods: \"110\"}}, conditions: [{{type: Ready, "
        "status: \"True\"}}]}}\n---\n",
        name, name, more_meta);
}

std::string running(const std::string& name, const std::string& on, const std::string& cpu = "1") {
    return pod(name, "nodeName: " + on, cpu);
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// --- a pod

TEST_F(ExplainTest, a_pod_hears_of_each_pool_the_rule_the_smallest_change_and_what_to_do) {
    world_ = pool("default", "limits: {cpu: \"1\"}") +
             pool("gpu", "weight: 5", "taints: [{key: gpu, value: \"yes\", effect: NoSchedule}]") +
             node("n-1") + running("old", "n-1", "1500m") + pod("web");
    const Said answer = said("pod", "web");
    EXPECT_EQ(answer.code, 0) << answer.err;
    EXPECT_EQ(answer.out,
              R"(Pod default/web waits: no node has room, and no NodePool has a machine for it.

What it asks for
  cpu 1, memory 1Gi

NodePools
  NodePool gpu: its taint gpu=yes:NoSchedule is not tolerated
    what would do: a toleration of gpu=yes:NoSchedule on the pod
    then: small in a, on-demand, 0.1000 $ an hour
    or: NodePool gpu without its taint gpu=yes:NoSchedule
  NodePool default: its limits leave no room for another node: 0 of cpu, and the nearest type,
    small, counts 2
    what would do: a limit of 4 of cpu on NodePool default, not 1
    then: small in a, on-demand, 0.1000 $ an hour

Nodes that are there
  none of 1 can hold it; the nearest is n-1: cpu: 1 asked, 500m free

The plan
  it gets no node; no other pod waits

To do: add a toleration of gpu=yes:NoSchedule to the pod; then NodePool gpu has small in a,
  on-demand, 0.1000 $ an hour for it.
)");
    const Json out = json("pod", "default/web");
    EXPECT_EQ(out["state"], "waits");
    EXPECT_EQ(out["nodePools"][0]["excludedBy"]["rule"], "taint");
    EXPECT_EQ(out["nodePools"][0]["changes"][0][0]["change"], "tolerate");
    EXPECT_EQ(out["nodePools"][1]["changes"][0][0]["to"], "4");
    EXPECT_EQ(out["nodes"]["nearest"]["name"], "n-1");
}

TEST_F(ExplainTest, a_pod_hears_of_the_node_that_is_planned_for_it_and_who_shares_it) {
    world_ = pool("default");
    for (int i = 0; i < 8; ++i) world_ += pod(fmt::format("web-{}", i), "", "1800m");
    const Json out = json("pod", "web-3");
    EXPECT_EQ(out["plan"]["machine"]["instanceType"], "large");
    EXPECT_EQ(out["plan"]["sharedWith"].size(), 7u);
    EXPECT_EQ(out["plan"]["cheapestAlone"]["instanceType"], "small");
    const std::string text = said("pod", "web-3").out;
    EXPECT_NE(text.find("a new node of NodePool default: large in a"), std::string::npos) << text;
    EXPECT_NE(text.find("not taken: small in a"), std::string::npos) << text;
}

TEST_F(ExplainTest, a_pod_that_is_not_planned_says_why) {
    world_ = pool("default") + node("n-1") + pod("gated", "schedulingGates: [{name: wait}]") +
             running("there", "n-1") + pod("room") + pod("no-pools", "nodeSelector: {x: y}");
    world_ +=
        "apiVersion: v1\nkind: Pod\nmetadata: {name: done}\nspec: {containers: [{name: c, image: x}]}\n"
        "status: {phase: Succeeded}\n";
    EXPECT_EQ(json("pod", "gated")["state"], "gated");
    EXPECT_EQ(json("pod", "done")["state"], "finished");
    EXPECT_EQ(json("pod", "there")["state"], "bound");
    EXPECT_EQ(json("pod", "there")["machine"]["pricePerHour"], 0.1);
    EXPECT_EQ(json("pod", "room")["plan"]["node"], "n-1");
    world_ = pod("web");
    const Json alone = json("pod", "web");
    EXPECT_EQ(alone["whatToDo"], "make a NodePool; there is none (kubectl get nodepools).");
}

TEST_F(ExplainTest, a_pod_hears_that_a_pool_which_is_not_ready_cannot_be_bought_from) {
    world_ = pool("default") + "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n---\n" + pod("web");
    world_.replace(
        world_.find("---\n"), 4,
        "status: {conditions: [{type: Ready, status: \"False\", reason: NodeClassNotReady, message: "
        "\"no such class\"}]}\n---\n");
    const Json out = json("pod", "web");
    EXPECT_EQ(out["nodePools"][0]["excludedBy"]["message"],
              "it is not ready (NodeClassNotReady): no such class");
    EXPECT_EQ(out["whatToDo"], "see to NodePool default first (joiner explain nodepool default).");
}

// --- a node

TEST_F(ExplainTest, a_node_hears_of_all_that_keeps_it_and_what_its_going_would_save) {
    world_ =
        pool("default", "disruption: {budgets: [{nodes: \"0\"}]}") +
        node("n-1", ", annotations: {karpenter.sh/do-not-disrupt: \"true\"}") + node("n-2") +
        running("web", "n-1") +
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 1, "
        "selector: {matchLabels: {app: web}}}\n";
    const Json out = json("node", "n-1");
    std::vector<std::string> rules;
    for (const Json& one : out["kept"]) rules.push_back(one["rule"]);
    EXPECT_EQ(rules, (std::vector<std::string>{"DoNotDisrupt", "PodDisruptionBudget", "Budget"}));
    EXPECT_EQ(out["savesPerHour"], 0.1);
    EXPECT_EQ(out["whatToDo"],
              "take karpenter.sh/do-not-disrupt=true off the node (kubectl annotate node n-1 "
              "karpenter.sh/do-not-disrupt-); then see to what else keeps it.");
}

TEST_F(ExplainTest, a_node_that_is_worth_its_price_hears_so_and_one_that_is_not_may_go) {
    world_ = pool("default") + node("n-1") + running("web", "n-1");
    EXPECT_EQ(json("node", "n-1")["kept"][0]["rule"], "Price");
    EXPECT_EQ(json("node", "n-1")["whatToDo"], "nothing; the node is worth its price.");
    world_ = pool("default") + node("n-1") + node("n-2") + running("web", "n-1", "500m") +
             running("other", "n-2", "500m");
    EXPECT_EQ(json("node", "n-1")["kept"].size(), 0u);
    EXPECT_EQ(json("node", "n-1")["message"], "Node n-1 may go, which saves 0.1000 $ an hour.");
}

TEST_F(ExplainTest, a_node_says_when_it_expires_what_drift_it_has_and_what_else_it_could_have_been) {
    world_ = pool("default", "", "taints: []",
                  ", annotations: {karpenter.sh/nodepool-hash: \"2\", "
                  "karpenter.sh/nodepool-hash-version: v3}") +
             node("n-1");
    world_.replace(world_.find("status: {allocatable"), 0, "spec: {providerID: i-1}\n");
    const WallTime made = std::chrono::system_clock::now() - hours{2};
    world_ += fmt::format(
        "apiVersion: karpenter.sh/v1\nkind: NodeClaim\nmetadata: {{name: c-1, creationTimestamp: \"{}\", "
        "labels: "
        "{{karpenter.sh/nodepool: default, node.kubernetes.io/instance-type: small, "
        "topology.kubernetes.io/zone: a, karpenter.sh/capacity-type: on-demand}}, annotations: "
        "{{karpenter.sh/nodepool-hash: \"1\", karpenter.sh/nodepool-hash-version: v3}}}}\nspec:\n"
        "  expireAfter: 240h\n  nodeClassRef: {{group: karpenter.kwok.sh, kind: KWOKNodeClass, name: "
        "default}}\n"
        "  requirements: [{{key: node.kubernetes.io/instance-type, operator: In, values: [small, large]}}]\n"
        "  resources: {{requests: {{cpu: 1500m}}}}\nstatus:\n  providerID: i-1\n  nodeName: n-1\n  "
        "conditions: "
        "[{{type: Initialized, status: \"True\", reason: Initialized, lastTransitionTime: \"{}\"}}]\n",
        format_rfc3339(made), format_rfc3339(made));
    const Json out = json("node", "n-1");
    EXPECT_EQ(out["nodeClaim"], "c-1") << out.dump(2);
    EXPECT_EQ(out["expiresAt"], format_rfc3339(made + hours{240}));
    EXPECT_EQ(out["drift"], "NodePoolDrifted");
    const std::string text = said("nodeclaim", "c-1").out;
    EXPECT_NE(
        text.find("2 types would have done; the cheapest other one costs 0.7000 $ an hour now: large in a"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("for pods and daemons that ask for cpu 1500m"), std::string::npos) << text;
}

// --- a NodePool

TEST_F(ExplainTest, a_pool_says_how_it_stands_its_budgets_and_when_they_change) {
    world_ =
        pool("default",
             "limits: {cpu: \"20\", nodes: \"3\"}\n  disruption: {budgets: [{nodes: \"1\"}, {nodes: \"0\", "
             "reasons: [Drifted]}]}") +
        node("n-1") + node("n-2") + running("web", "n-1");
    const Json out = json("nodepool", "default");
    EXPECT_EQ(out["nodes"], 2);
    EXPECT_EQ(out["pricePerHour"], 0.2);
    EXPECT_EQ(out["limits"][0], (Json{{"resource", "cpu"}, {"used", "4"}, {"limit", "20"}}));
    EXPECT_EQ(out["limits"][1], (Json{{"resource", "nodes"}, {"used", "2"}, {"limit", "3"}}));
    for (const Json& one : out["budgets"]) EXPECT_EQ(one["allowed"], one["reason"] == "Drifted" ? 0 : 1);
    world_ =
        pool("default", "disruption: {budgets: [{nodes: \"0\", schedule: \"0 0 1 1 *\", duration: 23h}]}") +
        node("n-1");
    const Json scheduled = json("nodepool", "default");
    for (const Json& one : scheduled["budgets"]) EXPECT_TRUE(one.contains("changesAt"));
}

TEST_F(ExplainTest, a_pool_says_what_is_sold_out_and_which_overlays_touch_it) {
    const WallTime until = std::chrono::system_clock::now() + hours{1};
    world_ =
        pool("default") +
        fmt::format(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: joiner-shortages, namespace: x}}\n"
            "data:\n  shortages: |\n    class karpenter.kwok.sh KWOKNodeClass default generation 1 "
            "annotations -\n    small a on-demand - until {} noted {} times 1\n---\n",
            format_rfc3339(until), format_rfc3339(until - hours{2})) +
        "apiVersion: karpenter.sh/v1alpha1\nkind: NodeOverlay\nmetadata: {name: dear}\nspec: {requirements: "
        "[{key: node.kubernetes.io/instance-type, operator: In, values: [large]}], price: \"9\"}\n---\n"
        "apiVersion: karpenter.sh/v1alpha1\nkind: NodeOverlay\nmetadata: {name: other}\nspec: {requirements: "
        "[{key: node.kubernetes.io/instance-type, operator: In, values: [huge]}], price: \"9\"}\n";
    const Json out = json("nodepool", "default");
    ASSERT_EQ(out["soldOut"].size(), 1u) << out.dump(2);
    EXPECT_EQ(out["soldOut"][0]["until"], format_rfc3339(until));
    EXPECT_EQ(out["overlays"], Json::array({"dear"}));
}

// --- what is wrong with the question

TEST_F(ExplainTest, what_is_not_there_is_answered_with_the_nearest_names_and_code_2) {
    world_ = pool("default") + node("ip-1") + node("ip-2") + pod("web-1") + pod("web-2") + pod("worker");
    const auto refusal = [&](const std::string& kind, const std::string& name) {
        const Said answer = said(kind, name);
        EXPECT_EQ(answer.code, 2);
        EXPECT_EQ(answer.out, "");
        return answer.err;
    };
    EXPECT_EQ(refusal("pod", "web"),
              "joiner: there is no pod default/web; did you mean default/web-1 or "
              "default/web-2?\n");
    EXPECT_EQ(refusal("pod", "wrker"),
              "joiner: there is no pod default/wrker; did you mean default/worker?\n");
    EXPECT_EQ(refusal("node", "ip-3"), "joiner: there is no node ip-3; did you mean ip-1 or ip-2?\n");
    EXPECT_EQ(refusal("node", "zzzzzzzz"),
              "joiner: there is no node zzzzzzzz, and none with a name like it\n");
    EXPECT_EQ(refusal("nodepool", "defualt"),
              "joiner: there is no NodePool defualt; did you mean default?\n");
    EXPECT_EQ(refusal("nodeclaim", "x"), "joiner: there is no NodeClaim x; there are no NodeClaims at all\n");
    EXPECT_EQ(refusal("deployment", "web"),
              "joiner: \"deployment\" cannot be explained; pod, node, nodepool and nodeclaim can\n");
    world_ = "kind: [";
    EXPECT_NE(refusal("pod", "web").find("world.yaml"), std::string::npos);
}

TEST_F(ExplainTest, what_may_not_be_read_of_a_cluster_is_said_at_the_end_of_every_answer) {
    world_ = pool("default") + pod("web");
    const ExplainOptions asked = options("pod", "web");
    ClusterFlags flags;
    flags.files = asked.files;
    ClusterRead read = *read_cluster(flags);
    read.not_read = {
        {"PersistentVolume", "forbidden", "pods with volumes may be planned into the wrong zone"}};
    const std::string note = in_words(read.not_read.front());
    testing::internal::CaptureStdout();
    EXPECT_EQ(explain_cluster(std::move(read), asked, WallTime{hours{500'000}}), 0);
    std::fflush(stdout);
    const std::string text = testing::internal::GetCapturedStdout();
    ASSERT_NE(text.find("Note: PersistentVolume"), std::string::npos) << text;
    EXPECT_GT(text.find("Note: "), text.find("To do: "));
}

TEST_F(ExplainTest, an_answer_of_many_pools_fits_a_screen_and_says_what_it_leaves_out) {
    for (int i = 0; i < 30; ++i)
        world_ += pool(fmt::format("pool-{:02}", i), "",
                       fmt::format("taints: [{{key: team, value: t{}, effect: NoSchedule}}]", i));
    world_ += pod("web");
    const std::string text = said("pod", "web").out;
    EXPECT_LE(lines_in(text), kAnswerLines + 1) << text;
    EXPECT_NE(text.find("-v shows them"), std::string::npos);
    ExplainOptions all = options("pod", "web");
    all.is_verbose = true;
    EXPECT_NE(explain(all).out.find("pool-29"), std::string::npos);
}

TEST(AnswerTest, fits_a_screen_of_100_columns_whatever_others_have_written) {
    Answer answer;
    answer.title = "A pod \x1b[31mwaits" + std::string(500, 'x');
    for (int s = 0; s < 4; ++s) {
        AnswerSection section{fmt::format("Section {}", s), {}};
        for (int i = 0; i < 30; ++i)
            section.say(
                "many words of somebody\xe2\x80\x99s message that go on and on, over the end of the line, "
                "and on "
                "and on");
        answer.sections.push_back(section);
    }
    answer.to_do = "nothing.";
    const std::string text = as_text(answer, false);
    EXPECT_LE(lines_in(text), kAnswerLines + 1);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_TRUE(
        std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 32 && c < 127); }));
    EXPECT_NE(text.find("lines more; -v shows them"), std::string::npos);
    EXPECT_GT(lines_in(as_text(answer, true)), 120u);
    EXPECT_EQ(text.substr(text.rfind("To do")), "To do: nothing.\n");
}

// --- the smallest change, in the worlds of all scenarios

Result<std::unique_ptr<AskedWorld>> asked_world(const ExplainOptions& options, const std::string& asked_pod,
                                                WallTime now) {
    ClusterFlags flags;
    flags.files = options.files;
    TRY(ClusterRead read, read_cluster(flags));
    return AskedWorld::make(std::move(read), options.instance_types, asked_pod, now);
}

// From new, with what the change makes of pod and pool: the pod alone, on a new node of that pool alone.
bool is_planned(const ExplainOptions& options, const std::string& pod_name, const std::string& pool_name,
                const std::vector<plan::Change>& changes) {
    auto world = asked_world(options, pod_name, std::chrono::system_clock::now());
    if (!world || !(*world)->pod()) return false;
    api::Pod pod = *(*world)->pod();
    pod.spec.scheduler_name = "default-scheduler";
    api::NodePool pool = (*world)->cluster().find_pool(pool_name)->pool;
    plan::carry_out(changes, pod, pool);
    (*world)->cluster().upsert(pod);
    (*world)->cluster().upsert(pool);
    model::Snapshot snapshot = model::make_snapshot((*world)->cluster(), (*world)->inputs());
    std::erase_if(snapshot.pods, [&](const auto& one) { return one.id.full_name() != pod_name; });
    std::erase_if(snapshot.pools, [&](const auto& one) { return one.name != pool_name; });
    for (model::RoomView& room : snapshot.rooms) room.free = {};
    return plan::plan_provisioning(snapshot, {}).launches.size() == 1;
}

TEST(ExplainScenarios, the_smallest_change_carried_out_has_its_effect_and_no_smaller_one_has) {
    std::size_t worlds = 0;
    std::size_t changes_seen = 0;
    std::set<plan::ChangeKind> kinds;
    for (const fs::path& file : scenario_files(JOINER_SOURCE_DIR)) {
        SCOPED_TRACE(file.stem().string());
        const Scenario scenario = read_scenario(file);
        // Preferences have a policy there that explain does not ask for.
        if (scenario.options.contains("catalogue") || scenario.options.contains("preferences")) continue;
        const Folder folder;
        ExplainOptions options;
        options.instance_types = folder.write("types.json", types_of(scenario));
        options.files = {folder.write("world.yaml", scenario.world)};
        const WallTime now = std::chrono::system_clock::now();
        auto first = asked_world(options, "", now);
        if (!first) continue;
        const plan::Plan plan = (*first)->plan(model::make_snapshot((*first)->cluster(), (*first)->inputs()));
        const model::Snapshot snapshot = model::make_snapshot((*first)->cluster(), (*first)->inputs());
        std::set<std::string> reasons;
        bool has_counted = false;
        for (const plan::Wait& wait : plan.waits) {
            if (!snapshot.pods[wait.pod].exists() || !reasons.insert(wait.reason).second ||
                reasons.size() > 2)
                continue;
            const std::string name = snapshot.pods[wait.pod].id.full_name();
            auto world = asked_world(options, name, now);
            ASSERT_TRUE(world && (*world)->pod()) << name;
            api::Pod pod = *(*world)->pod();
            pod.spec.scheduler_name = "default-scheduler";
            plan::LonePod lone((*world)->cluster(), (*world)->inputs(), (*world)->options_for_one(), pod);
            for (const model::PoolView& view : snapshot.pools) {
                const api::NodePool pool = (*world)->cluster().find_pool(view.name)->pool;
                if (lone.ask(pool).machine != nullptr) continue;
                const auto works = [&](const api::Pod& p, const api::NodePool& n) {
                    return lone.ask(p, n).machine != nullptr;
                };
                const auto shape = lone.shape();
                const plan::SmallestChange found = plan::find_smallest_change(pod, pool, *shape, works);
                for (const std::vector<plan::Change>& one : found.found) {
                    EXPECT_TRUE(is_planned(options, name, view.name, one))
                        << name << ": " << plan::in_words(one.front(), view.name);
                    for (const plan::Change& change : one) kinds.insert(change.kind);
                    ++changes_seen;
                    has_counted = true;
                }
                if (!found.found.empty() && found.found.front().size() == 1) continue;
                for (const plan::Change& one : plan::possible_changes(pod, pool, *shape))
                    EXPECT_FALSE(is_planned(options, name, view.name, {one}))
                        << plan::in_words(one, view.name);
            }
        }
        worlds += has_counted ? 1 : 0;
    }
    RecordProperty("worlds", static_cast<int>(worlds));
    RecordProperty("changes", static_cast<int>(changes_seen));
    EXPECT_GE(worlds, 30u);
    EXPECT_GE(changes_seen, 60u);
    EXPECT_GE(kinds.size(), 10u);
}

}  // namespace
}  // namespace joiner::cli
