#include "control/coming_places.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/codec.h"

namespace joiner::control {
namespace {

using std::chrono::seconds;

constexpr Duration kStart = seconds{100};

// ReplicaSet ns/web, and pods of it that wait.
struct Bench {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    ComingPlaces places{cluster};

    explicit Bench(bool keeps_only_counts = true) {
        if (keeps_only_counts) cluster.keep_only_counts();
    }
    void set(int replicas, int generation = 1, std::string_view conditions = "[]",
             std::string_view meta = {}) {
        cluster.upsert_template(
            model::Kind::kReplicaSet,
            *api::decode_workload(fmt::format(
                R"({{"kind":"ReplicaSet","metadata":{{"namespace":"ns","name":"web","generation":{}{}}},
                     "spec":{{"replicas":{}}},"status":{{"conditions":{}}}}})",
                generation, meta, replicas, conditions)));
    }
    const model::PodState& pod(std::string_view name, std::string_view more = {},
                               std::string_view owner = "web") {
        cluster.upsert(*api::decode_pod(fmt::format(
            R"({{"metadata":{{"namespace":"ns","name":"{0}","uid":"{0}","labels":{{"app":"web"}},
                 "ownerReferences":[{{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"{2}",
                                      "uid":"u","controller":true}}]}},
                 "spec":{{"containers":[{{"name":"c","resources":{{"requests":{{"cpu":"1"}}}}}}]{1}}}}})",
            name, more, owner)));
        return *cluster.find_pod(fmt::format("ns/{}", name));
    }
    const model::PodState& comes(std::string_view name, Duration now = kStart) {
        const model::PodState& out = pod(name);
        places.note_arrival(out, now);
        return out;
    }
    std::int64_t to_come(bool moves = false) {
        const auto coming = places.begin_plan([&](const model::PodState&) { return moves; });
        return coming.empty() ? 0 : coming.front().count;
    }
    void keep(const std::string& claim, int count, bool is_open = false) {
        for (int i = 0; i < count; ++i) places.keep("ns/web", {claim, "pool"}, is_open);
    }
    std::string take(std::string_view name) { return places.take(comes(name)).claim; }
};

TEST(ComingPlaces, what_a_set_wants_and_has_not_got_is_to_come) {
    struct {
        const char* name;
        std::function<void(Bench&)> make;
        std::int64_t to_come;
    } cases[] = {
        {"two of five are there", [](Bench& b) { b.set(5), b.comes("a"), b.comes("b"); }, 3},
        {"all are there", [](Bench& b) { b.set(1), b.comes("a"); }, 0},
        {"more are there than it wants", [](Bench& b) { b.set(1), b.comes("a"), b.comes("b"); }, 0},
        {"nobody has told of the set", [](Bench& b) { b.comes("a"); }, 0},
        {"none of its pods has come", [](Bench& b) { b.set(5); }, 0},
        {"it wants none any more", [](Bench& b) { b.set(5), b.comes("a"), b.set(0, 2); }, 0},
        {"it cannot make them",
         [](Bench& b) { b.set(5, 1, R"([{"type":"ReplicaFailure","status":"True"}])"), b.comes("a"); }, 0},
        {"it could not, and can",
         [](Bench& b) { b.set(5, 1, R"([{"type":"ReplicaFailure","status":"False"}])"), b.comes("a"); }, 4},
        {"each has a volume",
         [](Bench& b) {
             b.set(5);
             b.places.note_arrival(
                 b.pod("a", R"(,"volumes":[{"name":"v","persistentVolumeClaim":{"claimName":"c"}}])"),
                 kStart);
         },
         0},
        {"each was gated",
         [](Bench& b) {
             b.set(5);
             b.places.note_gated(b.pod("a", R"(,"schedulingGates":[{"name":"queue"}])"));
             b.comes("a");
         },
         0},
        {"the set is going",
         [](Bench& b) {
             b.set(5, 1, "[]", R"(,"deletionTimestamp":"2027-03-10T12:00:00Z")");
             b.comes("a");
         },
         0},
        {"one has gone again",
         [](Bench& b) {
             b.set(5), b.comes("a"), b.comes("b"), b.cluster.remove(model::Kind::kPod, "ns", "b");
         },
         4},
        {"very many", [](Bench& b) { b.set(1'000'000), b.comes("a"); }, 10'000},
    };
    for (const auto& c : cases) {
        for (const bool keeps_only_counts : {true, false}) {
            Bench b(keeps_only_counts);
            c.make(b);
            EXPECT_EQ(b.to_come(), c.to_come) << c.name << ", only counts: " << keeps_only_counts;
        }
    }
}

TEST(ComingPlaces, pods_on_the_move_have_places_already) {
    Bench b;
    b.set(5);
    b.comes("a");
    EXPECT_EQ(b.to_come(true), 0);
    EXPECT_EQ(b.to_come(false), 4);
}

TEST(ComingPlaces, a_batch_counts_on_a_set_once) {
    Bench b;
    b.set(5);
    EXPECT_FALSE(b.places.is_counted(b.comes("a")));
    b.places.count(b.comes("a"));
    EXPECT_TRUE(b.places.is_counted(b.comes("b")));
    (void)b.to_come();
    EXPECT_FALSE(b.places.is_counted(b.comes("c"))) << "the batch is planned";
}

TEST(ComingPlaces, a_place_is_given_once_to_a_pod_that_looks_as_expected) {
    Bench b;
    b.set(5);
    b.comes("a");
    (void)b.to_come();
    b.keep("open", 1, true);
    b.keep("one", 1);
    b.keep("two", 2);
    const model::PodState& large = b.pod("large", R"(,"overhead":{"cpu":"1"})");
    b.places.note_arrival(large, kStart);
    EXPECT_EQ(b.places.take(large).claim, "");
    EXPECT_EQ(b.places.take(b.pod("other", "", "db")).claim, "");
    EXPECT_EQ(b.places.reserved()["one"].cpu_milli, 1000);
    EXPECT_EQ(b.places.reserved()["two"].cpu_milli, 2000);
    EXPECT_FALSE(b.places.reserved().contains("open"));
    EXPECT_EQ(b.take("b"), "one");
    EXPECT_FALSE(b.places.keeps_closed("one"));
    EXPECT_EQ(b.take("c"), "two");
    EXPECT_TRUE(b.places.keeps_closed("two"));
    EXPECT_FALSE(b.places.keeps_closed("open"));
    EXPECT_EQ(b.places.claims(), (model::ClaimNames{"open", "two"}));
    b.places.note_open("two");
    EXPECT_EQ(b.take("d"), "");
    EXPECT_EQ(b.places.claims(), (model::ClaimNames{"open", "two"})) << "still needed";
    EXPECT_TRUE(b.places.drop_claim("two"));
    EXPECT_FALSE(b.places.drop_claim("two"));
    (void)b.to_come();
    EXPECT_TRUE(b.places.claims().empty()) << "the next plan deals anew";
}

TEST(ComingPlaces, a_set_that_stalls_is_believed_again_when_its_spec_changes) {
    Bench b;
    b.set(5);
    b.comes("a");
    EXPECT_EQ(b.to_come(), 4);
    b.keep("one", 4);
    EXPECT_FALSE(b.places.give_up_stalled(kStart + seconds{9}));
    EXPECT_TRUE(b.places.give_up_stalled(kStart + seconds{10}));
    EXPECT_TRUE(b.places.claims().empty());
    b.comes("b", kStart + seconds{11});
    EXPECT_EQ(b.to_come(), 0);
    EXPECT_FALSE(b.places.give_up_stalled(kStart + seconds{30}));
    b.set(6, 2);
    b.comes("c", kStart + seconds{40});
    EXPECT_EQ(b.to_come(), 3);
}

TEST(ComingPlaces, a_set_whose_pods_have_all_come_has_not_stalled) {
    Bench b;
    b.set(2);
    b.comes("a");
    (void)b.to_come();
    b.keep("one", 1);
    EXPECT_EQ(b.take("b"), "one");
    (void)b.places.give_up_stalled(kStart + seconds{20});
    b.cluster.remove(model::Kind::kPod, "ns", "a");
    b.cluster.remove(model::Kind::kPod, "ns", "b");
    b.comes("c", kStart + seconds{21});
    EXPECT_EQ(b.to_come(), 1);
}

}  // namespace
}  // namespace joiner::control
