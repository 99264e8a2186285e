#include "control/metered_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/names.h"
#include "cloud/testing/no_provider.h"
#include "io/testing/manual_loop.h"

namespace joiner::control {
namespace {

using testing::HasSubstr;
using testing::Not;

// Answers everything with the same error, or well.
struct OneAnswer final : cloud::testing::NoProvider {
    std::optional<ErrorKind> error;

    void create(const cloud::LaunchRequest&, cloud::LaunchDone done) override {
        if (!error) return done({cloud::Instance{}});
        done({fail(*error, "no")});
    }
    void list(std::function<void(Result<std::vector<cloud::Instance>>)> done) override {
        if (!error) return done(std::vector<cloud::Instance>{});
        done(fail(*error, "no"));
    }
};

struct Bench {
    io::testing::ManualLoop loop;
    OneAnswer own;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    observe::Metrics metrics;
    MeteredProvider metered{own, loop, cluster, metrics};

    void create() {
        cloud::LaunchRequest request;
        request.claim.meta.labels[std::string(api::kNodePoolLabel)] = "blue";
        metered.create(request, [](const cloud::LaunchAnswer&) {});
    }
};

TEST(MeteredProvider, s7_1_errors_are_counted_by_kind_and_pool) {
    const struct {
        ErrorKind kind;
        const char* label;
    } cases[] = {{ErrorKind::kExhausted, "InsufficientCapacityError"},
                 {ErrorKind::kNotFound, "NodeClaimNotFoundError"},
                 {ErrorKind::kNotReady, "NodeClassNotReadyError"},
                 {ErrorKind::kInvalid, "CreateError"},
                 {ErrorKind::kUnavailable, "unknown"}};
    for (const auto& c : cases) {
        Bench b;
        b.own.error = c.kind;
        b.create();
        EXPECT_THAT(
            b.metrics.text(),
            HasSubstr(std::string("karpenter_cloudprovider_errors_total{controller=\"nodeclaim.lifecycle\","
                                  "error=\"") +
                      c.label + "\",method=\"Create\",nodepool=\"blue\",provider=\"none\"} 1"));
    }
    Bench b;
    b.own.error = ErrorKind::kUnavailable;
    b.metered.list([](const Result<std::vector<cloud::Instance>>&) {});
    EXPECT_THAT(b.metrics.text(), HasSubstr("method=\"List\",nodepool=\"\""));
}

TEST(MeteredProvider, s7_1_every_answer_is_timed_and_a_good_one_is_no_error) {
    Bench b;
    b.create();
    EXPECT_THAT(b.metrics.text(),
                HasSubstr("karpenter_cloudprovider_duration_seconds_count{controller="
                          "\"nodeclaim.lifecycle\",method=\"Create\",provider=\"none\"} 1"));
    EXPECT_THAT(b.metrics.text(), Not(HasSubstr("cloudprovider_errors_total")));
}

}  // namespace
}  // namespace joiner::control
