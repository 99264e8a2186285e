// Consolidation by the whole controller in the pretend world: it deletes and replaces, moves no pod twice,
// takes back what fails, and may be killed after any of its writes.
#include <gmock/gmock.h>

#include <set>

#include "cli/testing/virtual_rig.h"

namespace joiner {
namespace {

const std::vector<std::string> kApps = {"a", "b", "c", "d", "e", "f"};
constexpr std::string_view kSmall = sim::kFourCpus;
constexpr std::string_view kBoth = "c-4x-amd64-linux, c-16x-amd64-linux";

class Consolidating : public VirtualRig {
  protected:
    Consolidating() = default;
    explicit Consolidating(sim::ClusterOptions options) : VirtualRig(std::move(options)) {}
    static std::string pool(std::string_view types) {
        return node_class() +
               node_pool({.requirements =
                              of_types(types) + ", {key: kubernetes.io/os, operator: In, values: [linux]}",
                          .disruption =
                              "consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: 0s, "
                              "budgets: [{nodes: \"100%\"}]"});
    }
    void annotate_pool(const std::string& key, const std::string& value) {
        ASSERT_TRUE(
            world_.patch("NodePool", "", "default",
                         fmt::format(R"({{"metadata":{{"annotations":{{"{}":"{}"}}}}}})", key, value)));
    }
    void set_budget(const std::string& nodes) {
        ASSERT_TRUE(world_.patch(
            "NodePool", "", "default",
            fmt::format(R"({{"spec":{{"disruption":{{"budgets":[{{"nodes":"{}"}}]}}}}}})", nodes)));
    }
    // Six nodes of four cpus with a pod or so on each, where two would do.
    void leave_holes() {
        apply(pool(kSmall));
        set_budget("0");
        start();
        for (const std::string& name : kApps) {
            apply(deployment(name, 3, "1"));
            world_.run_for(seconds{3});
        }
        ASSERT_TRUE(runs(18, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        for (const std::string& name : kApps) ASSERT_TRUE(world_.scale("Deployment", "default", name, 1));
        ASSERT_TRUE(runs(6, minutes{1}));
        ASSERT_EQ(nodes().size(), 6u);
        world_.run_for(seconds{10});
    }
    bool is_packed() { return nodes().size() == 2 && running() == 6; }
    // One large node with a pod or two.
    void leave_one_too_large() {
        apply(pool("c-16x-amd64-linux"));
        set_budget("0");
        start();
        apply(deployment("web", 14, "1"));
        ASSERT_TRUE(runs(14, minutes{1}));
        ASSERT_EQ(disorder_after(minutes{1}), "");
        ASSERT_EQ(nodes().size(), 1u);
        ASSERT_TRUE(world_.scale("Deployment", "default", "web", 2));
        ASSERT_TRUE(runs(2, minutes{1}));
        apply(pool(kBoth));
        set_budget("0");
        world_.run_for(seconds{10});
    }
    bool is_on(const std::string& type) const {
        const std::vector<api::Node> all = nodes();
        return !all.empty() && std::all_of(all.begin(), all.end(), [&](const api::Node& node) {
            return api::find_or_empty(node.meta.labels, api::kInstanceTypeLabel) == type;
        });
    }
    bool any_mark() const {
        for (const api::Node& node : nodes()) {
            if (rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule)) return true;
        }
        for (const api::NodeClaim& claim : claims()) {
            if (api::find_condition(claim.conditions, "DisruptionReason") != nullptr) return true;
        }
        return false;
    }
    std::set<std::string> pod_uids() const {
        std::set<std::string> out;
        for (const std::string& text : world_.list("pods")) out.insert(api::decode_pod(text)->meta.uid);
        return out;
    }
    std::string metrics() const { return processes_.back()->metrics.text(); }
};

TEST_F(Consolidating, s5_8_pods_of_nodes_half_full_share_fewer) {
    leave_holes();
    set_budget("100%");
    EXPECT_TRUE(until([&] { return is_packed(); }, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_TRUE(metrics().find("voluntary_disruption_decisions_total{") != std::string::npos);
    EXPECT_THAT(said("DisruptionTerminating"), testing::HasSubstr("Underutilized"));
    EXPECT_FALSE(any_mark());
}

// Where one stayed open, the scheduler would put there what is moved.
TEST_F(Consolidating, s5_8_empty_nodes_go_before_pods_are_moved) {
    leave_holes();
    ASSERT_TRUE(
        world_.patch("NodePool", "", "default", R"({"spec":{"disruption":{"consolidateAfter":"8s"}}})"));
    set_budget("100%");
    ASSERT_TRUE(world_.scale("Deployment", "default", "f", 0));
    const auto are_moved = [&] {
        return said("DisruptionTerminating").find("Underutilized") != std::string::npos;
    };
    ASSERT_TRUE(until(are_moved, minutes{2}));
    EXPECT_EQ(nodes().size(), 5u);
    EXPECT_TRUE(until([&] { return nodes().size() == 2 && running() == 5; }, minutes{2}));
}

TEST_F(Consolidating, nothing_moves_while_a_workload_is_still_being_scaled_away) {
    apply(pool(kSmall));
    start();
    for (int i = 0; i < 20; ++i) apply(deployment(fmt::format("app-{}", i), 7, "500m"));
    ASSERT_TRUE(runs(140, minutes{2}));
    const std::size_t before = nodes().size();
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(world_.scale("Deployment", "default", fmt::format("app-{}", i), 1));
        world_.run_for(seconds{2});
    }
    EXPECT_THAT(said("DisruptionTerminating"), testing::Not(testing::HasSubstr("Underutilized")));
    EXPECT_TRUE(until([&] { return nodes().size() <= before / 5 && running() == 20; }, minutes{2}));
    EXPECT_THAT(said("DisruptionTerminating"), testing::HasSubstr("Underutilized"));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

class LateReplicas : public Consolidating {
  protected:
    LateReplicas() : Consolidating(options()) {}
    static sim::ClusterOptions options() {
        sim::ClusterOptions out;
        out.world.pods_missed_late_by = seconds{6};
        return out;
    }
};

TEST_F(LateReplicas, have_the_places_that_were_kept_for_them) {
    leave_holes();
    const auto plans = [&] {
        const std::string all = metrics();
        const std::size_t at = all.find("scheduler_scheduling_duration_seconds_count{");
        return all.substr(at, all.find('\n', at) - at);
    };
    const std::string before = plans();
    set_budget("100%");
    EXPECT_TRUE(until([&] { return is_packed(); }, minutes{2}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_EQ(plans(), before) << "they were planned anew";
}

TEST_F(Consolidating, s5_11_a_node_too_large_becomes_a_smaller_one_which_is_up_first) {
    leave_one_too_large();
    set_budget("100%");
    bool was_ever_without = false;
    EXPECT_TRUE(until(
        [&] {
            const std::vector<api::Node> all = nodes();
            const bool old_goes =
                std::any_of(all.begin(), all.end(), [](const api::Node& n) { return !!n.meta.deleted; });
            const bool new_is_up = std::any_of(all.begin(), all.end(), [](const api::Node& n) {
                return !n.meta.deleted && api::find_or_empty(n.meta.labels, api::kInitializedLabel) == "true";
            });
            was_ever_without |= old_goes && !new_is_up;
            return is_on(std::string(kSmall)) && running() == 2;
        },
        minutes{2}));
    EXPECT_FALSE(was_ever_without);
    EXPECT_EQ(disorder_after(minutes{1}), "");
    EXPECT_FALSE(any_mark());
}

TEST_F(Consolidating, s5_14_a_replacement_that_does_not_come_up_leaves_all_as_it_was) {
    leave_one_too_large();
    apply(node_class("default", "nodeRegistrationDelay: 24h"));
    const std::set<std::string> pods = pod_uids();
    set_budget("100%");
    ASSERT_TRUE(until([&] { return any_mark() && claims().size() == 2; }, minutes{2}));
    EXPECT_TRUE(until([&] { return !any_mark(); }, minutes{11}));
    EXPECT_EQ(running(), 2u);
    EXPECT_EQ(pod_uids(), pods);
    world_.run_for(minutes{35});
    EXPECT_TRUE(metrics().find(R"(joiner_disruption_held{nodepool="default"} 1)") != std::string::npos);
    EXPECT_EQ(pod_uids(), pods);
    EXPECT_EQ(nodes().size(), 1u);
}

TEST_F(Consolidating, pods_that_were_moved_rest_until_that_has_paid_for_itself) {
    leave_one_too_large();
    apply(pool("c-8x-amd64-linux, c-16x-amd64-linux"));
    ASSERT_TRUE(until([&] { return is_on("c-8x-amd64-linux") && running() == 2; }, minutes{2}));
    const std::set<std::string> pods = pod_uids();
    apply(pool("c-4x-amd64-linux, c-8x-amd64-linux, c-16x-amd64-linux"));
    world_.run_for(minutes{10});
    EXPECT_EQ(pod_uids(), pods);
    EXPECT_THAT(said("Unconsolidatable"), testing::HasSubstr("rest until that has paid for itself, at "));
    EXPECT_TRUE(until([&] { return is_on(std::string(kSmall)) && running() == 2; }, minutes{20}));
}

// Eight deployments of odd sizes, of which a part is left.
class Resting : public Consolidating {
  protected:
    void shrink(control::Options options) {
        apply(pool(kBoth));
        start(std::move(options));
        Rng rng(7);
        std::size_t wanted = 0;
        for (int i = 0; i < 8; ++i) {
            apply(deployment(fmt::format("app-{}", i), 6, fmt::format("{}m", 200 + rng.below(1800))));
            wanted += 6;
        }
        ASSERT_TRUE(runs(wanted, minutes{1}));
        world_.run_for(minutes{1});
        for (int i = 0; i < 8; ++i) {
            const int left = 1 + static_cast<int>(rng.below(4));
            ASSERT_TRUE(world_.scale("Deployment", "default", fmt::format("app-{}", i), left));
        }
        world_.run_for(minutes{3});
        ASSERT_EQ(disorder_after(minutes{1}), "");
    }
};

TEST_F(Resting, nobody_is_moved_twice) {
    shrink(alone());
    const std::set<std::string> pods = pod_uids();
    world_.run_for(std::chrono::hours{6});
    EXPECT_EQ(pod_uids(), pods) << "somebody was moved for nothing";
}

// The scheduler puts pods elsewhere than they were planned to go, and what does not fit then needs a node.
TEST_F(Resting, where_the_scheduler_binds_a_plan_that_fails_is_not_tried_for_ever) {
    control::Options options = alone();
    options.pod_binding = act::PodBinding::kScheduler;
    shrink(options);
    world_.run_for(std::chrono::hours{1});
    const std::set<std::string> pods = pod_uids();
    world_.run_for(std::chrono::hours{6});
    const auto moved = std::count_if(pods.begin(), pods.end(),
                                     [there = pod_uids()](const auto& uid) { return !there.contains(uid); });
    EXPECT_LE(moved, static_cast<std::ptrdiff_t>(pods.size())) << "in six hours";
}

// More steps than are held against the facts in one piece: the others follow, of the same search.
TEST_F(Consolidating, none_of_many_steps_is_lost) {
    constexpr std::size_t kMany = 103;
    apply(pool("m-64x-amd64-linux"));
    start();
    apply(deployment("web", kMany, "33"));
    ASSERT_TRUE(runs(kMany, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    ASSERT_EQ(nodes().size(), kMany);
    apply(pool("c-48x-amd64-linux, m-64x-amd64-linux"));
    ASSERT_TRUE(until([&] { return claims().size() > kMany; }, minutes{1}));
    world_.run_for(seconds{3});
    EXPECT_EQ(claims().size(), 2 * kMany);
    EXPECT_TRUE(until([&] { return is_on("c-48x-amd64-linux") && running() == kMany; }, minutes{3}));
}

TEST_F(Consolidating, s5_2_pods_that_must_not_be_disrupted_keep_their_nodes) {
    leave_holes();
    for (const std::string& text : world_.list("pods")) {
        ASSERT_TRUE(world_.patch("pods", "default", api::decode_pod(text)->meta.name,
                                 R"({"metadata":{"annotations":{"karpenter.sh/do-not-disrupt":"true"}}})"));
    }
    const std::size_t before = nodes().size();
    set_budget("100%");
    world_.run_for(minutes{10});
    EXPECT_LE(nodes().size(), before);
    EXPECT_EQ(running(), 6u);
    EXPECT_THAT(said("DisruptionBlocked"), testing::HasSubstr("do-not-disrupt"));
}

TEST_F(Consolidating, s5_8_a_pool_of_the_policy_when_empty_is_left_alone_and_says_so) {
    leave_holes();
    ASSERT_TRUE(world_.patch("NodePool", "", "default",
                             R"({"spec":{"disruption":{"consolidationPolicy":"WhenEmpty"}}})"));
    const std::set<std::string> pods = pod_uids();
    set_budget("100%");
    world_.run_for(minutes{10});
    EXPECT_EQ(pod_uids(), pods);
    EXPECT_THAT(said("Unconsolidatable"), testing::HasSubstr("empty nodes only"));
}

TEST_F(Consolidating, a_pause_holds_it_until_it_ends) {
    leave_holes();
    annotate_pool("joiner.sh/disruption-paused", "true");
    set_budget("100%");
    const std::set<std::string> pods = pod_uids();
    world_.run_for(minutes{10});
    EXPECT_EQ(pod_uids(), pods);
    EXPECT_THAT(said("DisruptionBlocked"), testing::HasSubstr("disruption is paused"));
    annotate_pool("joiner.sh/disruption-paused", format_rfc3339(world_.loop().now() + minutes{20}));
    world_.run_for(minutes{19});
    EXPECT_EQ(pod_uids(), pods);
    EXPECT_TRUE(until([&] { return is_packed(); }, minutes{3}));
}

TEST_F(Consolidating, pods_are_moved_at_the_pools_pace) {
    leave_holes();
    annotate_pool("joiner.sh/pod-moves-per-hour", "2");
    const std::set<std::string> pods = pod_uids();
    const auto moved = [&] {
        std::size_t out = 0;
        for (const std::string& uid : pod_uids()) out += pods.contains(uid) ? 0 : 1;
        return out;
    };
    set_budget("100%");
    world_.run_for(minutes{50});
    EXPECT_GE(moved(), 1u);
    EXPECT_LE(moved(), 2u);
    EXPECT_TRUE(until([&] { return is_packed(); }, std::chrono::hours{4}));
}

TEST_F(Consolidating, s5_3_budgets_set_the_number_of_nodes_that_leave_at_once) {
    leave_holes();
    set_budget("1");
    std::size_t most = 0;
    EXPECT_TRUE(until(
        [&] {
            std::size_t leaving = 0;
            for (const api::Node& node : nodes())
                leaving += rules::has_taint(node.taints, api::kDisruptedTaint, api::kNoSchedule) ? 1 : 0;
            most = std::max(most, leaving);
            return is_packed();
        },
        minutes{40}));  // Where some were moved first, they rest for 22.
    EXPECT_EQ(most, 1u);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

// Four large nodes with a pod each would best become one small one, in one step of four.
TEST_F(Consolidating, a_step_that_no_budget_lets_go_at_once_is_made_in_parts) {
    apply(pool("c-16x-amd64-linux"));
    set_budget("0");
    start();
    for (const char* name : {"a", "b", "c", "d"}) {
        apply(deployment(name, 16, "900m"));
        world_.run_for(seconds{3});
    }
    ASSERT_TRUE(runs(64, minutes{1}));
    ASSERT_EQ(disorder_after(minutes{1}), "");
    ASSERT_EQ(nodes().size(), 4u);
    for (const char* name : {"a", "b", "c", "d"}) ASSERT_TRUE(world_.scale("Deployment", "default", name, 1));
    apply(pool(kBoth));
    set_budget("2");
    std::size_t most = 0;
    EXPECT_TRUE(until(
        [&] {
            std::size_t going = 0;
            for (const api::NodeClaim& claim : claims()) going += claim.meta.deleted.has_value();
            most = std::max(most, going);
            return nodes().size() == 1 && running() == 4;
        },
        minutes{30}));
    EXPECT_LE(most, 2u);
}

TEST_F(Consolidating, s5_14_pods_that_come_during_a_step_take_neither_the_leaving_node_nor_the_room_kept) {
    leave_one_too_large();
    apply(node_class("default", "nodeRegistrationDelay: 20s"));
    set_budget("100%");
    ASSERT_TRUE(until([&] { return any_mark() && claims().size() == 2; }, minutes{2}));
    const std::string leaving = nodes().front().meta.name;
    apply(deployment("late", 3, "1"));
    bool has_landed_there = false;
    EXPECT_TRUE(until(
        [&] {
            for (const std::string& text : world_.list("pods")) {
                const api::Pod pod = *api::decode_pod(text);
                has_landed_there |= pod.meta.name.starts_with("late") && pod.spec.node_name == leaving;
            }
            return !world_.get("nodes", "", leaving) && running() == 5;
        },
        minutes{5}));
    EXPECT_FALSE(has_landed_there);
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

// Kills the process when the answer to its n-th write after `arm` comes, so that the server has done it and
// the process never hears of it. Events are not counted: nothing goes by them.
class MortalHttp final : public io::HttpClient {
  public:
    MortalHttp(io::HttpClient& below, sim::ProcessLoop& loop) : below_(below), loop_(loop) {}

    void arm(int writes) { left_ = writes; }
    bool has_struck() const { return has_struck_; }
    int writes() const { return writes_; }

    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) override {
        const bool counts =
            left_ > 0 && request.method != "GET" && request.target.find("/events") == std::string::npos;
        if (counts) ++writes_;
        if (!counts || --left_ > 0) return below_.send(std::move(request), std::move(done));
        return below_.send(std::move(request), [this](const io::HttpResult&) {
            has_struck_ = true;
            loop_.kill();
        });
    }
    io::RequestId stream(io::HttpRequest request, io::StreamHandlers handlers) override {
        return below_.stream(std::move(request), std::move(handlers));
    }
    void cancel(io::RequestId id) override { below_.cancel(id); }

  private:
    io::HttpClient& below_;
    sim::ProcessLoop& loop_;
    int left_ = 0;
    int writes_ = 0;
    bool has_struck_ = false;
};

class KilledAfterWrite : public Consolidating, public testing::WithParamInterface<int> {
  protected:
    struct Mortal {
        Mortal(sim::Cluster& world, std::uint64_t seed)
            : loop(world.loop()),
              below(loop, world.api(), {.faults = &world.faults()}),
              http(below, loop),
              controller(loop, http, world.config(), alone(),
                         control::provider_list(cloud::kwok::builtin_types()), metrics, Rng(seed)) {
            controller.start([this] { loop.kill(); });
        }
        sim::ProcessLoop loop;
        sim::InProcessHttp below;
        MortalHttp http;
        observe::Metrics metrics;
        control::Controller controller;
    };
    // What happens when the process dies after that many writes of consolidation, and another comes.
    void die_and_go_on() {
        kill();
        Mortal mortal(world_, 100);
        world_.run_for(seconds{8});
        mortal.http.arm(GetParam());
        set_budget("100%");
        (void)until([&] { return mortal.http.has_struck(); }, seconds{40});
        writes_ = mortal.http.writes();
        mortal.loop.kill();
        world_.run_for(seconds{2});
        start();
    }
    // So many there were, or died before there were more.
    int writes_ = 0;
};

TEST_P(KilledAfterWrite, s5_1_of_a_replacement_nothing_is_lost_and_no_mark_stays) {
    leave_one_too_large();
    die_and_go_on();
    EXPECT_TRUE(until([&] { return is_on(std::string(kSmall)) && running() == 2; }, minutes{15}));
    EXPECT_TRUE(until([&] { return !any_mark() && nodes().size() == 1; }, minutes{12}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}

TEST_P(KilledAfterWrite, s5_1_of_several_deletions_nothing_is_lost_and_no_mark_stays) {
    leave_holes();
    die_and_go_on();
    EXPECT_TRUE(until([&] { return is_packed(); }, minutes{15}));
    EXPECT_TRUE(until([&] { return !any_mark(); }, minutes{1}));
    EXPECT_EQ(disorder_after(minutes{1}), "");
}
constexpr int kMostWrites = 50;
INSTANTIATE_TEST_SUITE_P(Writes, KilledAfterWrite, testing::Range(1, kMostWrites + 1));

class NotKilled : public KilledAfterWrite {};

// There are no more writes than the tests above die after.
TEST_P(NotKilled, a_consolidation_ends_within_the_writes_counted) {
    leave_one_too_large();
    die_and_go_on();
    EXPECT_GT(writes_, 10);
    EXPECT_LE(writes_, kMostWrites);
}
TEST_P(NotKilled, several_deletions_end_within_the_writes_counted) {
    leave_holes();
    die_and_go_on();
    EXPECT_GT(writes_, 10);
    EXPECT_LE(writes_, kMostWrites);
}
INSTANTIATE_TEST_SUITE_P(Never, NotKilled, testing::Values(1'000'000));

}  // namespace
}  // namespace joiner
