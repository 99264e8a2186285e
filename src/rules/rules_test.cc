// Tables over the small rules: resources, taints, selectors, cron, budgets.
#include <gtest/gtest.h>

#include "rules/budget.h"
#include "rules/cron.h"
#include "rules/resources.h"
#include "rules/selector.h"
#include "rules/taints.h"

namespace joiner::rules {
namespace {

using namespace std::chrono_literals;

api::ResourceMap amounts(std::initializer_list<std::pair<const char*, const char*>> items) {
    api::ResourceMap out;
    for (const auto& [name, text] : items) out[name] = Quantity::parse(text).value();
    return out;
}

TEST(PodRequests, follow_the_scheduler) {
    api::PodSpec spec;
    spec.containers = {{"a", amounts({{"cpu", "1"}, {"memory", "1Gi"}}), {}, {}, false, false},
                       {"b", amounts({{"cpu", "500m"}, {"nvidia.com/gpu", "1"}}), {}, {}, false, false}};
    EXPECT_EQ(pod_requests(spec, {}).cpu_milli, 1500);
    EXPECT_EQ(pod_requests(spec, {}).pods, 1);
    EXPECT_EQ(pod_requests(spec, {}).get("nvidia.com/gpu"), 1);

    spec.init_containers = {{"big", amounts({{"cpu", "3"}}), {}, {}, false, false}};
    EXPECT_EQ(pod_requests(spec, {}).cpu_milli, 3000) << "the largest init step counts";
    spec.init_containers.insert(spec.init_containers.begin(),
                                {"sidecar", amounts({{"cpu", "200m"}}), {}, {}, true, false});
    EXPECT_EQ(pod_requests(spec, {}).cpu_milli, 3200) << "a sidecar started before it runs beside it";
    spec.init_containers.pop_back();
    EXPECT_EQ(pod_requests(spec, {}).cpu_milli, 1700) << "a sidecar runs beside the containers";

    spec.overhead = amounts({{"cpu", "100m"}});
    spec.pod_requests = amounts({{"cpu", "2"}});
    EXPECT_EQ(pod_requests(spec, {}).cpu_milli, 2100)
        << "the pod's own request replaces the sum; overhead adds";
    EXPECT_EQ(pod_requests(spec, {}).memory_bytes, 1 << 30);
}

TEST(PodRequests, of_a_resize_under_way_are_the_most_it_may_take) {
    enum class Who { kContainer, kSidecar, kInit, kPod };
    const struct {
        const char* name;
        Who who;
        const char* reason;  // Of the condition PodResizePending; empty: there is none.
        const char* spec;
        const char* allocated;
        const char* actuated;
        std::int64_t milli;
    } cases[] = {
        {"grown, and not agreed to yet", Who::kContainer, "Deferred", "2", "1", "1", 2000},
        {"shrunk, and not agreed to yet", Who::kContainer, "", "1", "2", "2", 2000},
        {"shrunk and agreed to, but it runs as before", Who::kContainer, "", "1", "1", "3", 3000},
        {"agreed to more than runs", Who::kContainer, "", "1", "4", "3", 4000},
        {"refused for good", Who::kContainer, "Infeasible", "6", "500m", "1", 1000},
        {"a sidecar that runs as before", Who::kSidecar, "", "1", "1", "3", 3000},
        {"a sidecar that is refused", Who::kSidecar, "Infeasible", "6", "1", "500m", 1000},
        {"an init container is never resized", Who::kInit, "", "1", "2", "3", 1000},
        {"the pod runs as before", Who::kPod, "", "1", "1", "3", 3000},
        {"the pod is refused", Who::kPod, "Infeasible", "6", "1", "2", 2000},
    };
    for (const auto& c : cases) {
        api::PodSpec spec;
        api::PodStatus status;
        const api::HeldRequests held{amounts({{"cpu", c.allocated}}), amounts({{"cpu", c.actuated}})};
        const api::ResourceMap wanted = amounts({{"cpu", c.spec}});
        const api::Container container{"a",  c.who == Who::kPod ? api::ResourceMap{} : wanted, {}, {}, false,
                                       false};
        if (c.who == Who::kSidecar || c.who == Who::kInit) {
            spec.init_containers = {container};
            spec.init_containers.front().restart_always = c.who == Who::kSidecar;
        } else {
            spec.containers = {container};
        }
        if (c.who == Who::kPod) {
            spec.pod_requests = wanted;
            status.held_by_pod = held;
        } else {
            status.held["a"] = held;
        }
        if (*c.reason != '\0') status.conditions = {{"PodResizePending", "True", c.reason, "", kNoTime, 0}};
        EXPECT_EQ(pod_requests(spec, status).cpu_milli, c.milli) << c.name;
    }
}

TEST(Resources, an_overcommitted_resource_rules_out_only_those_who_ask_for_it) {
    Resources free;
    free.cpu_milli = -100;
    free.memory_bytes = 1000;
    free.pods = 1;
    Resources memory_only;
    memory_only.memory_bytes = 500;
    memory_only.pods = 1;
    EXPECT_TRUE(fits(memory_only, free));
    Resources cpu = memory_only;
    cpu.cpu_milli = 1;
    EXPECT_FALSE(fits(cpu, free));
    EXPECT_EQ(shortage(cpu, free), "cpu: 1m asked, 0 free");
    Resources gpu = memory_only;
    gpu.set("nvidia.com/gpu", 1);
    EXPECT_EQ(shortage(gpu, free), "nvidia.com/gpu: 1 asked, 0 free");
}

TEST(Taints, tolerations_that_compare) {
    const struct {
        const char* op;
        const char* bound;
        const char* there;
        bool tolerated;
    } cases[] = {
        {"Gt", "900", "950", true},   {"Gt", "950", "950", false},
        {"Gt", "-5", "-4", true},     {"Lt", "900", "950", false},
        {"Lt", "951", "950", true},   {"Lt", "1", "0", true},
        {"Gt", "900", "fast", false}, {"Gt", "900", "", false},
        {"Lt", "900", "07", false},   {"Gt", "slow", "950", false},
        {"Lt", "+900", "1", false},   {"Lt", "1", "-0", false},
        {"Gt", "0", "9.5", false},    {"Lt", "9223372036854775808", "1", false},
    };
    for (const auto& c : cases) {
        EXPECT_EQ(tolerates({"sla", c.op, c.bound, ""}, {"sla", c.there, "NoSchedule", {}}), c.tolerated)
            << c.there << " " << c.op << " " << c.bound;
    }
    EXPECT_FALSE(tolerates({"other", "Gt", "900", ""}, {"sla", "950", "NoSchedule", {}}));
    EXPECT_FALSE(tolerates({"sla", "Gt", "900", "NoExecute"}, {"sla", "950", "NoSchedule", {}}));
}

TEST(Taints, a_toleration_nobody_understands_says_so) {
    EXPECT_EQ(toleration_problem({"k", "Exists", "", ""}), "");
    EXPECT_EQ(toleration_problem({"k", "Equal", "v", ""}), "");
    EXPECT_EQ(toleration_problem({"k", "Gt", "-3", ""}), "");
    EXPECT_EQ(toleration_problem({"k", "Lt", "03", ""}),
              "its toleration of k has the operator Lt, which needs a whole number, not \"03\"");
    EXPECT_EQ(toleration_problem({"k", "In", "a", ""}),
              "its toleration of k has the operator In, which nobody knows: use Equal, Exists, Gt or Lt");
}

TEST(Taints, tolerations) {
    const api::Taint taint{"k", "v", "NoSchedule", {}};
    EXPECT_TRUE(tolerates({"k", "Equal", "v", "NoSchedule"}, taint));
    EXPECT_TRUE(tolerates({"k", "Equal", "v", ""}, taint));
    EXPECT_TRUE(tolerates({"k", "Exists", "", ""}, taint));
    EXPECT_TRUE(tolerates({"", "Exists", "", ""}, taint));
    EXPECT_FALSE(tolerates({"k", "Equal", "w", ""}, taint));
    EXPECT_FALSE(tolerates({"k", "Equal", "v", "NoExecute"}, taint));
    EXPECT_FALSE(tolerates({"other", "Exists", "", ""}, taint));
    EXPECT_FALSE(tolerates({"", "Equal", "v", ""}, taint)) << "the API server refuses it";
    EXPECT_EQ(untolerated_taint({}, {{"p", "", "PreferNoSchedule", {}}}), nullptr);
    EXPECT_NE(untolerated_taint({}, {taint}), nullptr);
}

TEST(Selector, texts_and_matches) {
    const api::StringMap labels = {{"app", "web"}, {"tier", "a"}};
    const std::pair<const char*, bool> cases[] = {
        {"", true},
        {"app=web", true},
        {"app==web,tier=a", true},
        {"app!=web", false},
        {"app", true},
        {"!app", false},
        {"!beta", true},
        {"tier in (a,b)", true},
        {"tier notin (a)", false},
        {"app = web , tier in ( b )", false},
        {"x notin (a)", true},
    };
    for (const auto& [text, expected] : cases) {
        const auto selector = parse_selector(text);
        ASSERT_TRUE(selector) << text;
        EXPECT_EQ(matches(*selector, labels), expected) << text;
    }
    for (const char* text : {"=", "a b", "a in", "a in (b", "a in b)", "!", "a=b c=d", "(a)", "a>1"}) {
        EXPECT_FALSE(parse_selector(text)) << text;
    }
    EXPECT_FALSE(matches(std::optional<api::LabelSelector>{}, labels))
        << "an absent selector matches nothing";
}

TEST(Cron, s5_3_next_hits) {
    const WallTime t = *parse_rfc3339("2026-11-23T19:05:07Z");  // A Monday.
    const std::pair<const char*, const char*> cases[] = {
        {"* * * * *", "2026-11-23T19:06:00Z"},
        {"0 9 * * mon-fri", "2026-11-24T09:00:00Z"},
        {"@daily", "2026-11-24T00:00:00Z"},
        {"*/15 * * * *", "2026-11-23T19:15:00Z"},
        {"0 0 29 2 *", "2028-02-29T00:00:00Z"},
        {"0 0 1 1 *", "2027-01-01T00:00:00Z"},
        {"0 0 13 * 5", "2026-11-27T00:00:00Z"},
        {"5 19 23 11 *", "2027-11-23T19:05:00Z"},
        {"10-40/15 3,5 * * *", "2026-11-24T03:10:00Z"},
        // Days of the month and of the week: either where both are restricted, and a step restricts.
        {"0 0 */2 * 1", "2026-11-25T00:00:00Z"},
        {"0 0 */2 * sun", "2026-11-25T00:00:00Z"},
        {"0 0 1 * */3", "2026-11-25T00:00:00Z"},
        {"0 0 */1 * sun", "2026-11-29T00:00:00Z"},
        {"0 0 ? * sun", "2026-11-29T00:00:00Z"},
        {"0 0 1,* * sun", "2026-11-29T00:00:00Z"},
        {"0 0 1 * *", "2026-12-01T00:00:00Z"},
        {"5/20 * * * *", "2026-11-23T19:25:00Z"},
        {"1,,2 * * * *", "2026-11-23T20:01:00Z"},
        {",7, * * * *", "2026-11-23T19:07:00Z"},
        {"0 0 * feb-Mar SAT", "2027-02-06T00:00:00Z"},
    };
    for (const auto& [text, expected] : cases) {
        const auto cron = Cron::parse(text);
        ASSERT_TRUE(cron) << text;
        EXPECT_EQ(format_rfc3339(*cron->next(t)), expected) << text;
    }
    EXPECT_FALSE(Cron::parse("0 0 31 2 *")->next(t)) << "no such day ever comes";
    for (const char* text :
         {"", "* * * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "a * * * *", "@never",
          "* * * * 7", "* * * * 8", "@every 1h", "0 0 * * fri-mon", ", * * * *"}) {
        EXPECT_FALSE(Cron::parse(text)) << text;
    }
}

TEST(Budget, s5_3_the_tightest_active_one_counts) {
    const WallTime night = *parse_rfc3339("2026-11-23T02:30:00Z");
    api::NodePool pool;
    EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night), 2) << "10% by default, rounded up";
    pool.budgets.clear();
    EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night), kUnlimited);
    pool.budgets = {{"5", false, {}, "", {}}, {"0", true, {"Drifted"}, "", {}}};
    EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night), 5);
    EXPECT_EQ(allowed_disruptions(pool, "Drifted", 15, night), 0);
    pool.budgets = {{"0", false, {}, "0 2 * * *", Duration{1h}}};
    EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night), 0);
    EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night + 1h), kUnlimited);
    EXPECT_TRUE(check_budgets(pool));
    for (const char* nodes : {"-1", "200%", "1.5", "", "%"}) {
        pool.budgets = {{nodes, false, {}, "", {}}};
        EXPECT_EQ(allowed_disruptions(pool, "Empty", 15, night), 0) << nodes;
        EXPECT_FALSE(check_budgets(pool)) << nodes;
    }
}

TEST(Budget, the_next_change_is_when_a_schedule_opens_or_closes_and_the_number_becomes_another) {
    const auto at = [](const char* text) { return *parse_rfc3339(text); };
    const WallTime night = at("2026-11-23T02:30:00Z");
    struct Case {
        const char* name;
        std::vector<api::Budget> budgets;
        const char* when;  // Empty: never.
        std::int64_t allowed;
    };
    const Case cases[] = {
        {"no schedule", {{"0", false, {}, "", {}}}, "", 0},
        {"closed until three",
         {{"0", false, {}, "0 2 * * *", Duration{1h}}},
         "2026-11-23T03:00:00Z",
         kUnlimited},
        {"closes at six", {{"0", false, {}, "0 6 * * *", Duration{1h}}}, "2026-11-23T06:00:00Z", 0},
        {"another reason's", {{"0", true, {"Drifted"}, "0 6 * * *", Duration{1h}}}, "", 0},
        {"a tighter one all the time",
         {{"1", false, {}, "", {}}, {"2", false, {}, "0 6 * * *", Duration{1h}}},
         "",
         0},
        {"windows that touch",
         {{"0", false, {}, "0 0-4 * * *", Duration{1h}}},
         "2026-11-23T05:00:00Z",
         kUnlimited},
        {"windows that overlap all day", {{"0", false, {}, "* * * * *", Duration{1h}}}, "", 0},
        {"a long window",
         {{"0", false, {}, "0 9 1 11 *", Duration{720h}}},
         "2026-12-01T09:00:00Z",
         kUnlimited},
        {"what cannot be read", {{"0", false, {}, "nonsense", Duration{1h}}}, "", 0},
    };
    for (const Case& one : cases) {
        api::NodePool pool;
        pool.budgets = one.budgets;
        const auto change = next_budget_change(pool, "Empty", 10, night);
        ASSERT_EQ(change.has_value(), *one.when != 0) << one.name;
        if (!change) continue;
        EXPECT_EQ(format_rfc3339(change->at), one.when) << one.name;
        EXPECT_EQ(change->allowed, one.allowed) << one.name;
        EXPECT_EQ(allowed_disruptions(pool, "Empty", 10, change->at), one.allowed) << one.name;
    }
}

}  // namespace
}  // namespace joiner::rules
