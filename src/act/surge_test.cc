#include "act/surge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::act {
namespace {

using std::chrono::seconds;

// A pod "old" that its ReplicaSet "web-h" has let go of, and the pod "new" that the set made in its stead.
struct Bench : ServicesBench<cloud::testing::NoProvider> {
    Surge surge{services};

    Bench() {
        api::Pod old = pod("old");
        old.meta.annotations[std::string(api::kSurgeAnnotation)] = "true";
        old.meta.annotations[std::string(api::kSurgingAnnotation)] =
            plan::surging_text({"web-h", "h", std::nullopt}, loop.now());
        cluster.upsert(old);
        show_new(true);
        http.responder = [](const io::HttpRequest& request) -> std::optional<io::HttpResponse> {
            if (request.target.find("/replicasets/web-h") == std::string::npos) return std::nullopt;
            return io::HttpResponse{200,
                                    R"({"metadata":{"name":"web-h","namespace":"ns"},"spec":{"replicas":1,)"
                                    R"("selector":{"matchLabels":{"pod-template-hash":"h"}}}})",
                                    "application/json", 0};
        };
    }
    static api::Pod pod(const std::string& name) {
        api::Pod out;
        out.meta.name = name;
        out.meta.ns = "ns";
        out.meta.uid = "uid-of-" + name;
        out.spec.node_name = "n";
        out.status.phase = "Running";
        out.status.conditions = {{"Ready", "True", "", "", kNoTime, 0}};
        return out;
    }
    void show_new(bool is_ready) {
        api::Pod made = pod("new");
        made.meta.labels = {{"pod-template-hash", "h"}};
        made.status.conditions[0].status = is_ready ? "True" : "False";
        cluster.upsert(made);
    }
    // Whether one of so many passes says so, a second apart.
    bool may_evict_within(int passes) {
        bool may = false;
        for (int i = 0; i < passes && !may; ++i) {
            may = surge.may_evict(*cluster.find_pod("ns/old"));
            loop.run_ready();
            loop.advance(seconds{1});
        }
        return may;
    }
};

TEST(Surge, a_pod_is_evicted_once_its_set_has_been_full_for_two_seconds) {
    Bench b;
    EXPECT_FALSE(b.may_evict_within(2));
    EXPECT_TRUE(b.may_evict_within(3));
}

TEST(Surge, a_set_that_loses_a_ready_pod_again_begins_its_two_seconds_anew) {
    Bench b;
    EXPECT_FALSE(b.may_evict_within(1));
    b.show_new(false);
    EXPECT_FALSE(b.may_evict_within(6));
    b.show_new(true);
    EXPECT_FALSE(b.may_evict_within(3)) << "it has been asked, and is full for the first time since";
    EXPECT_TRUE(b.may_evict_within(4));
}

}  // namespace
}  // namespace joiner::act
