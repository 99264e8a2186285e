#include "act/binder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// A claim "c" whose node "n" is Ready, has two cores and its window closed, and pods planned for it.
struct Bench : kube::testing::KubeBench, Notices {
    kube::EventRecorder events{loop, client, {}};
    cloud::testing::NoProvider provider;
    OneProvider clouds{loop, provider};
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    std::vector<std::string> reconciled;
    std::vector<std::string> said;
    Services services{loop,   client,  events, clouds.all,
                      clouds, cluster, *this,  [this](const std::string& c) { reconciled.push_back(c); },
                      {}};
    PlannedBook book;
    Binder binder{services, book};
    api::Node node;
    api::NodeClaim claim;

    void pod_bound(std::string_view result) override { said.emplace_back(result); }

    Bench() {
        claim.meta.name = "c";
        claim.provider_id = "p://1";
        node.meta.name = "n";
        node.provider_id = "p://1";
        node.meta.labels = {{"zone", "a"}};
        node.conditions = {{"Ready", "True", "", "", kNoTime, 0}};
        node.taints = {{std::string(api::kBindingTaint), "", std::string(api::kNoSchedule), {}}};
        node.allocatable = {{"cpu", Quantity::of_units(2)}, {"pods", Quantity::of_units(10)}};
        refresh();
    }
    void refresh() {
        cluster.upsert(claim);
        cluster.upsert(node);
    }
    void show_pod(const std::string& name, const std::string& on = {},
                  std::function<void(api::Pod&)> edit = {}) {
        api::Pod pod;
        pod.meta.name = name;
        pod.meta.ns = "ns";
        pod.meta.uid = "uid-" + name;
        pod.spec.node_name = on;
        pod.spec.containers.resize(1);
        pod.spec.containers[0].requests["cpu"] = Quantity::of_units(1);
        if (edit) edit(pod);
        cluster.upsert(pod);
    }
    void plan_pod(const std::string& name, std::function<void(api::Pod&)> edit = {}) {
        show_pod(name, {}, std::move(edit));
        book.plan("uid-" + name, "ns/" + name, "c", cluster.find_pod("ns/" + name)->shape);
    }
    void bind() {
        binder.bind("c", book.pods_of("c"));
        loop.run_ready();
    }
    // The pods whose binding was asked for, in order.
    std::vector<std::string> asked() const {
        std::vector<std::string> out;
        for (const auto& call : http.calls) {
            const std::string& target = call.request.target;
            const std::string start = "/api/v1/namespaces/ns/pods/";
            if (target.starts_with(start) && target.ends_with("/binding"))
                out.push_back(target.substr(start.size(), target.rfind('/') - start.size()));
        }
        return out;
    }
    void answer(int code) {
        http.answer(http.last(), code, R"({"kind":"Status","message":"m"})");
        loop.run_ready();
    }
};

TEST(Binder, binds_what_was_planned_once) {
    Bench b;
    b.plan_pod("p");
    EXPECT_TRUE(b.binder.is_quiet("c"));
    b.bind();
    EXPECT_THAT(b.asked(), ElementsAre("p"));
    EXPECT_NE(b.http.last_call().request.body.find("uid-p"), std::string::npos);
    EXPECT_NE(b.http.last_call().request.body.find("\"n\""), std::string::npos);
    b.bind();
    EXPECT_EQ(b.asked().size(), 1u) << "it is on its way";
    EXPECT_FALSE(b.binder.is_quiet("c"));
    b.answer(201);
    EXPECT_THAT(b.said, ElementsAre("bound"));
    EXPECT_FALSE(b.binder.is_quiet("c")) << "answered, and not seen yet";
    b.bind();
    EXPECT_EQ(b.asked().size(), 1u);
    b.show_pod("p", "n");
    b.binder.saw_bound("uid-p");
    EXPECT_TRUE(b.binder.is_quiet("c"));
    EXPECT_FALSE(b.book.has("uid-p"));
    EXPECT_THAT(b.said, ElementsAre("bound")) << "told once";
    EXPECT_THAT(b.reconciled, ElementsAre("c"));
    EXPECT_EQ(b.binder.in_flight(), 0u);
}

TEST(Binder, waits_for_a_node_that_is_ready_and_closed) {
    const struct {
        const char* name;
        std::size_t sent;
        std::function<void(Bench&)> edit;
    } cases[] = {
        {"ready and closed", 1, [](Bench&) {}},
        {"not ready", 0, [](Bench& b) { b.node.conditions[0].status = "False"; }},
        {"without a Ready condition", 0, [](Bench& b) { b.node.conditions.clear(); }},
        {"maybe not seen by controller-manager as it is now", 0,
         [](Bench& b) {
             b.node.taints.push_back({std::string(api::kUnreachableTaint), "", "NoSchedule", {}});
         }},
        {"open: the scheduler's turn", 0, [](Bench& b) { b.node.taints.clear(); }},
        {"a node that is going", 0, [](Bench& b) { b.node.meta.deleted = kNoTime; }},
        {"a claim that is going", 0, [](Bench& b) { b.claim.meta.deleted = kNoTime; }},
        {"no node", 0, [](Bench& b) { b.node.provider_id = "p://2"; }},
    };
    for (const auto& c : cases) {
        Bench b;
        c.edit(b);
        b.refresh();
        b.plan_pod("p");
        b.bind();
        EXPECT_EQ(b.asked().size(), c.sent) << c.name;
        EXPECT_TRUE(b.book.has("uid-p")) << c.name << ": the plan stands";
        EXPECT_THAT(b.said, IsEmpty()) << c.name;
    }
}

TEST(Binder, lets_go_of_a_pod_that_no_longer_belongs_there) {
    const struct {
        const char* name;
        bool bound;
        std::function<void(Bench&)> edit;
    } cases[] = {
        {"it still does", true, [](Bench& b) { b.plan_pod("p"); }},
        {"more than there is", false,
         [](Bench& b) {
             b.plan_pod("p",
                        [](api::Pod& p) { p.spec.containers[0].requests["cpu"] = Quantity::of_units(3); });
         }},
        {"another took the room", false,
         [](Bench& b) {
             b.show_pod("x", "n",
                        [](api::Pod& p) { p.spec.containers[0].requests["cpu"] = Quantity::of_milli(1500); });
             b.plan_pod("p");
         }},
        {"the node reports less than was promised", false,
         [](Bench& b) {
             b.node.allocatable["cpu"] = Quantity::of_milli(900);
             b.refresh();
             b.plan_pod("p");
         }},
        {"another label than it asks for", false,
         [](Bench& b) { b.plan_pod("p", [](api::Pod& p) { p.spec.node_selector = {{"zone", "b"}}; }); }},
        {"the label it asks for", true,
         [](Bench& b) { b.plan_pod("p", [](api::Pod& p) { p.spec.node_selector = {{"zone", "a"}}; }); }},
        {"a taint it does not tolerate", false,
         [](Bench& b) {
             b.node.taints.push_back({"k", "", "NoSchedule", {}});
             b.refresh();
             b.plan_pod("p");
         }},
        {"a taint that goes by itself", true,
         [](Bench& b) {
             b.node.taints.push_back({std::string(api::kNotReadyTaint), "", "NoSchedule", {}});
             b.refresh();
             b.plan_pod("p");
         }},
        {"on its way out", false,
         [](Bench& b) { b.plan_pod("p", [](api::Pod& p) { p.meta.deleted = kNoTime; }); }},
        {"of another scheduler", false,
         [](Bench& b) { b.plan_pod("p", [](api::Pod& p) { p.spec.scheduler_name = "mine"; }); }},
    };
    for (const auto& c : cases) {
        Bench b;
        c.edit(b);
        b.bind();
        EXPECT_EQ(b.asked().size(), c.bound ? 1u : 0u) << c.name;
        EXPECT_EQ(b.book.has("uid-p"), c.bound) << c.name;
        EXPECT_EQ(b.said, c.bound ? std::vector<std::string>{} : std::vector<std::string>{"left"}) << c.name;
        EXPECT_EQ(b.binder.is_quiet("c"), !c.bound) << c.name;
    }
}

TEST(Binder, counts_what_is_on_its_way_as_there) {
    Bench b;
    b.plan_pod("a");
    b.plan_pod("b");
    b.plan_pod("c");
    b.bind();
    EXPECT_THAT(b.asked(), ElementsAre("a", "b")) << "two cores, no more";
    EXPECT_FALSE(b.book.has("uid-c"));
    b.http.answer(1, 201, "{}");
    b.http.answer(2, 201, "{}");
    b.loop.run_ready();
    b.plan_pod("late");
    b.bind();
    EXPECT_EQ(b.asked().size(), 2u) << "answered and not seen, it still takes its room";
    b.show_pod("a", "n");
    b.binder.saw_bound("uid-a");
    b.plan_pod("later");
    b.bind();
    EXPECT_EQ(b.asked().size(), 2u) << "seen, it takes its room as a bound pod";
}

TEST(Binder, a_conflict_is_final) {
    Bench b;
    b.plan_pod("p");
    b.bind();
    b.answer(409);
    EXPECT_THAT(b.said, ElementsAre("conflict"));
    EXPECT_FALSE(b.binder.is_quiet("c")) << "it has a node, and the watch will say which";
    b.loop.advance(seconds{60});
    b.bind();
    EXPECT_EQ(b.asked().size(), 1u);
    b.show_pod("p", "elsewhere");
    b.binder.saw_bound("uid-p");
    EXPECT_TRUE(b.binder.is_quiet("c"));
    EXPECT_THAT(b.said, ElementsAre("conflict"));

    Bench seen;
    seen.plan_pod("p");
    seen.bind();
    seen.show_pod("p", "elsewhere");
    seen.answer(409);
    EXPECT_TRUE(seen.binder.is_quiet("c")) << "the watch was first";
    EXPECT_FALSE(seen.book.has("uid-p"));
}

TEST(Binder, tries_again_while_the_server_is_away) {
    Bench b;
    int answered = 0;
    b.plan_pod("p");
    b.http.responder = [&](const io::HttpRequest& request) -> std::optional<Result<io::HttpResponse>> {
        if (!request.target.ends_with("/binding")) return std::nullopt;
        return ++answered < 3 ? Result<io::HttpResponse>(fail(ErrorKind::kUnavailable, "timed out"))
                              : Result<io::HttpResponse>(io::HttpResponse{409, "{}", "application/json", 0});
    };
    b.bind();
    b.loop.advance(seconds{60});
    EXPECT_EQ(b.asked().size(), 3u);
    EXPECT_THAT(b.said, ElementsAre("bound")) << "after a lost answer the conflict is our own binding";
}

TEST(Binder, no_answer_is_not_no) {
    const struct {
        const char* name;
        int code;
        const char* pod;  // What the server says of it in the end.
        const char* said;
        bool quiet;
    } cases[] = {
        {"it has no node", 200, R"({"metadata":{"name":"p","uid":"uid-p"},"spec":{}})", "failed", true},
        {"it was bound after all", 200, R"({"metadata":{"name":"p","uid":"uid-p"},"spec":{"nodeName":"n"}})",
         "bound", false},
        {"another has its name", 200, R"({"metadata":{"name":"p","uid":"other"},"spec":{}})", "gone", true},
        {"it is gone", 404, "{}", "gone", true},
    };
    for (const auto& c : cases) {
        Bench b;
        b.plan_pod("p");
        b.http.responder = [&](const io::HttpRequest& request) -> std::optional<Result<io::HttpResponse>> {
            if (request.target.ends_with("/binding"))
                return Result<io::HttpResponse>(fail(ErrorKind::kUnavailable, "timed out"));
            if (request.method != "GET") return std::nullopt;
            return Result<io::HttpResponse>(io::HttpResponse{c.code, c.pod, "application/json", 0});
        };
        b.bind();
        b.loop.advance(seconds{600});
        EXPECT_THAT(b.said, ElementsAre(c.said)) << c.name;
        EXPECT_LE(b.asked().size(), 8u) << c.name;
        EXPECT_EQ(b.binder.is_quiet("c"), c.quiet) << c.name;
        EXPECT_EQ(b.book.has("uid-p"), !c.quiet) << c.name;
    }
}

TEST(Binder, a_pod_gone_meanwhile_is_let_go) {
    Bench b;
    b.plan_pod("p");
    b.bind();
    b.answer(404);
    EXPECT_THAT(b.said, ElementsAre("gone"));
    EXPECT_TRUE(b.binder.is_quiet("c"));
    EXPECT_FALSE(b.book.has("uid-p"));

    Bench forbidden;
    forbidden.plan_pod("p");
    forbidden.bind();
    forbidden.answer(403);
    EXPECT_THAT(forbidden.said, ElementsAre("failed"));
    EXPECT_TRUE(forbidden.binder.is_quiet("c"));
}

TEST(Binder, the_watch_is_as_good_as_an_answer) {
    Bench b;
    b.plan_pod("p");
    b.bind();
    b.show_pod("p", "n");
    b.binder.saw_bound("uid-p");
    EXPECT_THAT(b.said, ElementsAre("bound"));
    EXPECT_TRUE(b.binder.is_quiet("c"));
    b.answer(201);
    EXPECT_THAT(b.said, ElementsAre("bound")) << "the late answer says nothing new";
    b.binder.saw_bound("never-sent");
}

TEST(Binder, each_claim_is_quiet_by_itself) {
    Bench b;
    b.plan_pod("p");
    b.plan_pod("q");
    b.bind();
    EXPECT_TRUE(b.binder.is_quiet("other"));
    b.binder.saw_bound("uid-p");
    EXPECT_FALSE(b.binder.is_quiet("c"));
    b.binder.saw_bound("uid-q");
    EXPECT_TRUE(b.binder.is_quiet("c"));
}

}  // namespace
}  // namespace joiner::act
