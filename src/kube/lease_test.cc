#include "kube/lease.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "kube/testing/kube_bench.h"

namespace joiner::kube {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::KubeBench;

// One lease as an API server keeps it: writes need the newest resourceVersion.
class LeaseServer {
  public:
    explicit LeaseServer(KubeBench& bench) {
        bench.http.responder =
            [this](const io::HttpRequest& request) -> std::optional<Result<io::HttpResponse>> {
            ++requests;
            if (is_silent) return std::nullopt;
            if (is_down) return Result<io::HttpResponse>(fail(ErrorKind::kUnavailable, "timed out"));
            return answer(request);
        };
    }
    json spec() const { return lease ? lease->at("spec") : json(); }
    std::string holder() const { return lease ? spec().value("holderIdentity", "") : "(no lease)"; }
    // As another process writing behind our back.
    void overwrite(const std::function<void(json&)>& change) {
        change(*lease);
        (*lease)["metadata"]["resourceVersion"] = std::to_string(++version);
    }

    std::optional<json> lease;
    bool is_down = false;
    bool is_silent = false;
    int requests = 0;
    int conflicts = 0;
    std::vector<std::string> renew_times;

  private:
    Result<io::HttpResponse> answer(const io::HttpRequest& request) {
        if (request.method == "GET") return lease ? ok(*lease) : code(404);
        json body = json::parse(request.body);
        const bool is_create = request.method == "POST";
        EXPECT_EQ(request.target, std::string("/apis/coordination.k8s.io/v1/namespaces/kube-system/leases") +
                                      (is_create ? "" : "/karpenter-leader-election"));
        if (is_create ? lease.has_value() : !lease) return code(is_create ? 409 : 404);
        if (!is_create && body["metadata"].value("resourceVersion", "") !=
                              lease->at("metadata")["resourceVersion"].get<std::string>()) {
            ++conflicts;
            return code(409);
        }
        body["metadata"]["resourceVersion"] = std::to_string(++version);
        renew_times.push_back(body["spec"]["renewTime"]);
        lease = body;
        return ok(body);
    }
    static Result<io::HttpResponse> ok(const json& body) {
        return io::HttpResponse{.code = 200, .body = body.dump(), .content_type = "application/json"};
    }
    static Result<io::HttpResponse> code(int number) {
        return io::HttpResponse{.code = number, .body = "{}", .content_type = "application/json"};
    }
    std::uint64_t version = 100;
};

class LeaseTest : public ::testing::Test {
  protected:
    struct Candidate {
        Candidate(KubeBench& bench, const std::string& identity, std::uint64_t seed)
            : elector(
                  bench.loop, bench.client, LeaseOptions{.ns = "kube-system", .identity = identity},
                  Rng(seed), [this] { ++elected; }, [this] { ++lost; }) {}
        int elected = 0;
        int lost = 0;
        LeaderElector elector;
    };
    std::unique_ptr<Candidate> candidate(const std::string& identity) {
        return std::make_unique<Candidate>(bench, identity, ++seed);
    }
    // In small steps, seeing to it that there are never two leaders.
    void advance(Duration span) {
        for (Duration done{0}; done < span; done += milliseconds{100}) {
            bench.loop.advance(milliseconds{100});
            const bool both_lead = a && b && a->elector.is_leader() && b->elector.is_leader();
            ASSERT_FALSE(both_lead);
        }
    }

    KubeBench bench;
    LeaseServer server{bench};
    std::uint64_t seed = 0;
    std::unique_ptr<Candidate> a = candidate("a");
    std::unique_ptr<Candidate> b = candidate("b");
};

TEST_F(LeaseTest, the_first_to_come_makes_the_lease_and_leads) {
    a->elector.start();
    bench.loop.run_ready();
    EXPECT_TRUE(a->elector.is_leader());
    EXPECT_EQ(a->elected, 1);
    EXPECT_EQ(server.holder(), "a");
    EXPECT_EQ(server.spec()["leaseDurationSeconds"], 15);
    EXPECT_EQ(server.spec()["leaseTransitions"], 0);
    EXPECT_EQ(server.spec()["acquireTime"], format_rfc3339_micro(bench.loop.now()));
    EXPECT_EQ(server.lease->at("metadata")["name"], "karpenter-leader-election");
}

TEST_F(LeaseTest, of_two_one_leads_for_as_long_as_it_renews) {
    a->elector.start();
    b->elector.start();
    advance(minutes{3});
    EXPECT_EQ(a->elected + b->elected, 1);
    EXPECT_EQ(a->lost + b->lost, 0);
    EXPECT_EQ(server.spec()["leaseTransitions"], 0);
    // Every two seconds.
    EXPECT_GE(server.renew_times.size(), 85u);
    EXPECT_LE(server.renew_times.size(), 92u);
}

TEST_F(LeaseTest, acquire_time_stays_and_renew_time_moves) {
    a->elector.start();
    bench.loop.run_ready();
    const json acquired = server.spec()["acquireTime"];
    advance(seconds{20});
    EXPECT_EQ(server.spec()["acquireTime"], acquired);
    EXPECT_NE(server.spec()["renewTime"], acquired);
}

TEST_F(LeaseTest, when_the_leader_dies_the_standby_takes_over_after_the_lease_has_run_out) {
    a->elector.start();
    bench.loop.run_ready();
    b->elector.start();
    advance(seconds{30});
    a.reset();
    const Duration died = bench.loop.monotonic();
    while (!b->elector.is_leader() && bench.loop.monotonic() - died < minutes{1}) advance(milliseconds{100});
    const Duration took = bench.loop.monotonic() - died;
    EXPECT_GE(took, seconds{11});  // The last renewal was at most 2 s ago, seen at most 4.4 s later.
    EXPECT_LE(took, seconds{24});
    EXPECT_EQ(server.holder(), "b");
    EXPECT_EQ(server.spec()["leaseTransitions"], 1);
}

TEST_F(LeaseTest, the_clock_of_the_holder_is_not_trusted) {
    a->elector.start();
    bench.loop.run_ready();
    a.reset();
    // A record from another machine, whose clock is a year behind.
    server.overwrite([](json& lease) { lease["spec"]["renewTime"] = "2020-01-01T00:00:00.000000Z"; });
    b->elector.start();
    advance(seconds{14});
    EXPECT_EQ(b->elected, 0);
    advance(seconds{6});
    EXPECT_EQ(b->elected, 1);
}

TEST_F(LeaseTest, a_leader_that_cannot_renew_is_lost_at_the_deadline_and_once) {
    a->elector.start();
    bench.loop.run_ready();
    advance(seconds{4});
    const Duration last_renewal = bench.loop.monotonic();
    server.is_down = true;
    advance(milliseconds{7500});
    EXPECT_TRUE(a->elector.is_leader());
    EXPECT_EQ(a->lost, 0);
    while (a->lost == 0 && bench.loop.monotonic() - last_renewal < minutes{1}) advance(milliseconds{100});
    EXPECT_LE(bench.loop.monotonic() - last_renewal, seconds{10});
    EXPECT_FALSE(a->elector.is_leader());
    advance(minutes{1});
    EXPECT_EQ(a->lost, 1);
    const int before = server.requests;
    advance(minutes{1});
    EXPECT_EQ(server.requests, before);
}

TEST_F(LeaseTest, an_outage_shorter_than_the_deadline_is_survived) {
    a->elector.start();
    bench.loop.run_ready();
    server.is_down = true;
    advance(seconds{7});
    server.is_down = false;
    advance(minutes{1});
    EXPECT_EQ(a->lost, 0);
    EXPECT_TRUE(a->elector.is_leader());
}

TEST_F(LeaseTest, a_process_that_was_stopped_for_long_does_not_believe_itself_leader) {
    a->elector.start();
    bench.loop.run_ready();
    ASSERT_TRUE(a->elector.is_leader());
    bench.loop.jump(seconds{10});
    EXPECT_FALSE(a->elector.is_leader());
    bench.loop.run_ready();
    EXPECT_EQ(a->lost, 1);
}

TEST_F(LeaseTest, a_leader_whose_lease_was_taken_is_lost_at_once) {
    a->elector.start();
    bench.loop.run_ready();
    server.overwrite([](json& lease) { lease["spec"]["holderIdentity"] = "c"; });
    advance(seconds{5});
    EXPECT_EQ(a->lost, 1);
    EXPECT_EQ(server.holder(), "c");
}

TEST_F(LeaseTest, a_conflict_from_someone_who_did_not_take_it_is_read_and_renewed) {
    a->elector.start();
    bench.loop.run_ready();
    server.overwrite([](json& lease) { lease["metadata"]["labels"]["x"] = "y"; });
    advance(seconds{9});
    EXPECT_EQ(a->lost, 0);
    EXPECT_TRUE(a->elector.is_leader());
    EXPECT_EQ(server.conflicts, 1);
    EXPECT_EQ(server.lease->at("metadata")["labels"]["x"], "y");
}

TEST_F(LeaseTest, a_lease_that_is_deleted_is_made_again_by_its_holder) {
    a->elector.start();
    bench.loop.run_ready();
    server.lease.reset();
    advance(seconds{9});
    EXPECT_EQ(server.holder(), "a");
    EXPECT_TRUE(a->elector.is_leader());
}

TEST_F(LeaseTest, release_hands_over_at_once) {
    a->elector.start();
    bench.loop.run_ready();
    b->elector.start();
    advance(seconds{10});
    bool released = false;
    a->elector.release([&] { released = true; });
    EXPECT_FALSE(a->elector.is_leader());
    bench.loop.run_ready();
    EXPECT_TRUE(released);
    EXPECT_EQ(server.holder(), "");
    EXPECT_EQ(server.spec()["leaseDurationSeconds"], 1);
    advance(milliseconds{4500});
    EXPECT_TRUE(b->elector.is_leader());
    EXPECT_EQ(server.spec()["leaseTransitions"], 1);
    EXPECT_EQ(a->lost, 0);
    advance(minutes{1});
    EXPECT_EQ(a->elected, 1);
}

TEST_F(LeaseTest, release_in_the_middle_of_a_renewal_waits_for_it) {
    a->elector.start();
    bench.loop.run_ready();
    server.is_silent = true;
    advance(milliseconds{2100});
    server.is_silent = false;
    const auto open = bench.http.open_calls();
    ASSERT_EQ(open.size(), 1u);
    bool released = false;
    a->elector.release([&] { released = true; });
    bench.loop.run_ready();
    EXPECT_FALSE(released);
    bench.http.answer(open[0], 200, server.lease->dump());
    bench.loop.run_ready();
    EXPECT_TRUE(released);
    EXPECT_EQ(server.holder(), "");
}

TEST_F(LeaseTest, a_candidate_that_gives_up_while_winning_gives_the_lease_back) {
    server.is_silent = true;
    a->elector.start();
    bool released = false;
    a->elector.release([&] { released = true; });
    server.is_silent = false;
    bench.http.answer(bench.http.last(), 404, "{}");
    bench.loop.run_ready();
    EXPECT_TRUE(released);
    EXPECT_EQ(server.holder(), "(no lease)");
    EXPECT_EQ(a->elected, 0);
}

TEST_F(LeaseTest, a_standby_releases_without_touching_the_lease) {
    a->elector.start();
    bench.loop.run_ready();
    b->elector.start();
    bench.loop.run_ready();
    bool released = false;
    b->elector.release([&] { released = true; });
    bench.loop.run_ready();
    EXPECT_TRUE(released);
    EXPECT_EQ(server.holder(), "a");
}

TEST_F(LeaseTest, the_deadline_counts_from_when_a_renewal_was_sent_and_not_from_its_answer) {
    server.is_silent = true;
    a->elector.start();
    bench.http.answer(bench.http.last(), 404, "{}");
    bench.loop.advance(seconds{3});
    json written = json::parse(bench.http.last_call().request.body);
    written["metadata"]["resourceVersion"] = "1";
    bench.http.answer(bench.http.last(), 201, written.dump());
    EXPECT_TRUE(a->elector.is_leader());
    bench.loop.advance(milliseconds{6999});
    EXPECT_TRUE(a->elector.is_leader());
    bench.loop.advance(milliseconds{1});
    EXPECT_FALSE(a->elector.is_leader());
    EXPECT_EQ(a->lost, 1);
}

TEST_F(LeaseTest, a_lease_whose_answer_came_after_its_deadline_is_not_led_upon) {
    server.is_silent = true;
    a->elector.start();
    bench.http.answer(bench.http.last(), 404, "{}");
    bench.loop.advance(seconds{11});
    bench.http.answer(bench.http.last(), 201, bench.http.last_call().request.body);
    EXPECT_EQ(a->elected, 0);
    server.is_silent = false;
    advance(seconds{6});
    EXPECT_EQ(a->elected, 1);
    EXPECT_EQ(a->lost, 0);
}

TEST_F(LeaseTest, a_lost_answer_to_a_won_lease_is_found_out_by_reading) {
    server.is_silent = true;
    a->elector.start();
    bench.http.answer(bench.http.last(), 404, "{}");
    server.is_silent = false;
    // The server takes the write, and the answer is lost.
    const json written = json::parse(bench.http.last_call().request.body);
    server.lease = written;
    (*server.lease)["metadata"]["resourceVersion"] = "50";
    bench.http.fail_request(bench.http.last(), ErrorKind::kUnavailable, "timed out");
    EXPECT_FALSE(a->elector.is_leader());
    advance(seconds{6});
    EXPECT_TRUE(a->elector.is_leader());
    EXPECT_EQ(server.spec()["acquireTime"], written["spec"]["acquireTime"]);
}

}  // namespace
}  // namespace joiner::kube
