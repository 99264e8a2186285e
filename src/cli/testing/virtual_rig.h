// The whole unmodified controller in the pretend world, on virtual time, for tests: start it, kill it, move
// time, look at what became of the cluster. One fixture a test; the test's own thread is the loop's.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/names.h"
#include "cloud/kwok/types_file.h"
#include "control/controller.h"
#include "observe/metrics.h"
#include "observe/testing/undescribed_series.h"
#include "rules/resources.h"
#include "rules/taints.h"
#include "sim/cluster.h"
#include "sim/in_process_http.h"
#include "sim/process_loop.h"
#include "sim/samples.h"

namespace joiner {

using std::chrono::minutes;
using std::chrono::seconds;

using sim::deployment;
using sim::disruption_budget;
using sim::node_class;
using sim::node_pool;
using sim::of_types;

inline const std::string kPool = node_class() + node_pool();

// One controller process: it may be killed, and another started in its place.
struct Process {
    Process(sim::Cluster& world, control::Options options,
            const std::vector<control::ProviderMaker>& more_providers, std::uint64_t seed, Duration latency)
        : loop(world.loop()),
          http(loop, world.api(),
               {.latency = latency,
                .faults = &world.faults(),
                .heard =
                    [this](std::string_view method, std::string_view target) {
                        if (method != "GET" && target.find("/leases") == std::string_view::npos) ++writes;
                    }}),
          controller(loop, http, world.config(), std::move(options), kwok_and(more_providers), metrics,
                     Rng(seed)) {
        controller.start([this] { loop.kill(); });
    }

    static std::vector<control::ProviderMaker> kwok_and(const std::vector<control::ProviderMaker>& more) {
        auto all = control::provider_list(cloud::kwok::builtin_types());
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    std::size_t writes = 0;  // That reached the API server, those of the lease aside.
    sim::ProcessLoop loop;
    sim::InProcessHttp http;
    observe::Metrics metrics;
    control::Controller controller;
};

class VirtualRig : public testing::Test {
  protected:
    explicit VirtualRig(sim::ClusterOptions options = {}) : world_(std::move(options)) {}

    void start(control::Options options = alone()) {
        processes_.push_back(
            std::make_unique<Process>(world_, std::move(options), more_providers_, ++seed_, latency_));
    }
    void kill() { processes_.back()->loop.kill(); }
    // Whatever a test was about, the metrics are those that are described.
    void TearDown() override {
        for (const auto& process : processes_)
            EXPECT_THAT(observe::undescribed_series(process->metrics.text()), testing::IsEmpty());
    }

    static control::Options alone() {
        control::Options out;
        out.leader_election = false;
        return out;
    }

    void apply(std::string_view manifest) {
        const Status applied = world_.apply(manifest);
        ASSERT_TRUE(applied) << applied.error().message;
    }

    std::size_t running() { return world_.pods_by_phase()["Running"]; }
    // Looking at everything after each step would take longer than the steps.
    bool until(const std::function<bool()>& is_done, Duration limit) {
        constexpr Duration kSlice = std::chrono::milliseconds{100};
        for (Duration waited{0}; waited < limit; waited += kSlice) {
            if (is_done()) return true;
            world_.run_for(kSlice);
        }
        return is_done();
    }
    bool runs(std::size_t pods, Duration limit) {
        return until([&] { return running() == pods; }, limit);
    }

    std::vector<api::Node> nodes() const {
        std::vector<api::Node> out;
        for (const std::string& text : world_.list("nodes")) out.push_back(*api::decode_node(text));
        return out;
    }
    std::vector<api::NodeClaim> claims() const {
        std::vector<api::NodeClaim> out;
        for (const std::string& text : world_.list("nodeclaims"))
            out.push_back(*api::decode_node_claim(text));
        return out;
    }

    // The node says so from now on.
    void set_condition(const std::string& node, const std::string& type, const std::string& status = "True") {
        auto conditions = nlohmann::json::array();
        const auto before = nlohmann::json::parse(*world_.get("nodes", "", node));
        for (const auto& one : before["status"]["conditions"]) {
            if (one["type"] != type) conditions.push_back(one);
        }
        const std::string now = format_rfc3339(world_.loop().now());
        conditions.push_back({{"type", type},
                              {"status", status},
                              {"reason", "Test"},
                              {"message", ""},
                              {"lastHeartbeatTime", now},
                              {"lastTransitionTime", now}});
        ASSERT_TRUE(world_.patch("nodes", "", node,
                                 nlohmann::json{{"status", {{"conditions", conditions}}}}.dump(), "status"));
    }

    // All messages of Events with this reason, a line each.
    std::string said(std::string_view reason) const {
        std::string out;
        for (const std::string& text : world_.list("events")) {
            const auto event = nlohmann::json::parse(text);
            if (event.value("reason", "") == reason) out += event.value("message", "") + "\n";
        }
        return out;
    }

    // What the decision log of the newest process has, as its lines say it; empty: nothing.
    std::string decided(observe::SubjectKind kind, const std::string& ns, const std::string& name,
                        observe::Matter matter) const {
        const observe::Decision* last =
            processes_.back()->controller.decisions().last({kind, {ns, name, ""}}, matter);
        return last == nullptr ? std::string{} : in_words(*last);
    }
    std::string decided_of_node(const std::string& name, observe::Matter matter) const {
        return decided(observe::SubjectKind::kNode, "", name, matter);
    }
    std::string decided_of_claim(const std::string& name, observe::Matter matter) const {
        return decided(observe::SubjectKind::kNodeClaim, "", name, matter);
    }
    std::string decided_of_pool(const std::string& name, observe::Matter matter) const {
        return decided(observe::SubjectKind::kNodePool, "", name, matter);
    }
    std::string placed(const std::string& pod) const {
        return decided(observe::SubjectKind::kPod, "default", pod, observe::Matter::kPlacement);
    }
    std::string some_pod_of(std::string_view app) const {
        for (const std::string& text : world_.list("pods", "default")) {
            const api::Pod pod = *api::decode_pod(text);
            if (api::find_or_empty(pod.meta.labels, "app") == app) return pod.meta.name;
        }
        return {};
    }

    // A cluster at rest: what must hold whatever happened on the way.
    std::string disorder() const {
        std::map<std::string, rules::Resources> used;
        for (const std::string& text : world_.list("pods")) {
            const api::Pod pod = *api::decode_pod(text);
            if (!pod.spec.node_name.empty() && pod.status.phase != "Succeeded" &&
                pod.status.phase != "Failed")
                used[pod.spec.node_name] += rules::pod_requests(pod.spec, pod.status);
        }
        std::map<std::string, int> instances;
        for (const api::Node& node : nodes()) {
            if (!rules::fits(used[node.meta.name], rules::as_capacity(node.allocatable)))
                return node.meta.name + " is over capacity";
            for (const api::Taint& taint : node.taints) {
                if (taint.key == api::kBindingTaint || taint.key == api::kUnregisteredTaint)
                    return fmt::format("{} has kept the taint {}", node.meta.name, taint.key);
            }
            ++instances[node.provider_id];
        }
        for (const api::NodeClaim& claim : claims()) {
            if (instances[claim.provider_id]-- != 1)
                return fmt::format("claim {} has no node of its own", claim.meta.name);
        }
        for (const auto& [id, count] : instances) {
            if (count > 0) return fmt::format("instance {} has no claim", id);
        }
        return {};
    }
    // Windows may still be held after faults.
    std::string disorder_after(Duration limit) {
        (void)until([&] { return disorder().empty(); }, limit);
        return disorder();
    }

    sim::Cluster world_;
    std::vector<control::ProviderMaker> more_providers_;  // Beside KWOK's, of what is started from now on.
    std::uint64_t seed_ = 0;
    Duration latency_ = std::chrono::milliseconds{1};
    std::vector<std::unique_ptr<Process>> processes_;
};

// Every kind of fault of the network and of the API server.
inline sim::ClusterOptions faulty(std::uint64_t seed) {
    sim::ClusterOptions out;
    out.faults = {.seed = seed,
                  .lose_request = 0.03,
                  .lose_answer = 0.03,
                  .delay = 0.05,
                  .throttle = 0.02,
                  .server_error = 0.03,
                  .cut_watch = 0.3,
                  .expire_watch = 0.1};
    return out;
}

}  // namespace joiner
