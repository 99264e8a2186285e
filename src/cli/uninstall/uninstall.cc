// `joiner uninstall`: takes the nodes away, or leaves them to themselves, before the controller goes.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "cli/cluster_calls.h"
#include "cli/commands.h"
#include "cli/grouping.h"
#include "cli/kube_config.h"
#include "cli/lease_holders.h"
#include "cli/uninstall/orphaning.h"

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr int kMostPasses = 5;  // Over the lists, where someone else writes to the objects meanwhile.
constexpr Duration kLookAgain = std::chrono::seconds{2};
// A leader renews every two seconds, and has lost its lease after 15.
constexpr Duration kLongerThanALease = std::chrono::seconds{20};
constexpr const char* kNodes = "/api/v1/nodes";
constexpr const char* kClaims = "/apis/karpenter.sh/v1/nodeclaims";
constexpr const char* kLeases = "/apis/coordination.k8s.io/v1/leases";
constexpr std::array kPoolPaths = {"/apis/karpenter.sh/v1/nodepools",
                                   "/apis/karpenter.sh/v1alpha5/provisioners"};
constexpr std::array kClassPaths = {
    "/apis/karpenter.k8s.aws/v1/ec2nodeclasses", "/apis/karpenter.k8s.aws/v1alpha1/awsnodetemplates",
    "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", "/apis/karpenter.sh/v1/nodepools",
    "/apis/karpenter.sh/v1alpha5/provisioners"};

class Uninstall {
  public:
    Uninstall(kube::Config config, const UninstallOptions& options)
        : options_(options), calls_(std::move(config), ClusterCalls::Writes::kAllowed) {}

    Status run() {
        TRY(const std::string leases, calls_.get(kLeases));
        const auto holders = lease_holders(leases, calls_.now());
        if (!holders) return invalid("what the API server says of leases cannot be read");
        for (const LeaseHolder& one : *holders) {
            if (!one.is_joiner)
                return invalid(fmt::format(
                    "{} holds the lease {}: another controller runs on these NodePools, and its nodes would "
                    "go, too; scale it to 0 first if that is meant",
                    one.holder, one.lease));
        }
        if (options_.orphan) {
            TRY_STATUS(check_nobody_runs(leases));
            return orphan();
        }
        if (holders->empty())
            return invalid(
                "no controller holds a lease, and without one nobody drains nodes and ends machines; start "
                "it, or leave the nodes to themselves with --orphan");
        return drain();
    }

  private:
    // A kind that is not installed has no objects.
    Result<std::string> list(const std::string& path) {
        auto out = calls_.get(path);
        if (!out && out.error().kind == ErrorKind::kNotFound) return std::string(R"({"items":[]})");
        return out;
    }

    Result<std::vector<std::string>> names(const std::string& path) {
        TRY(const std::string body, list(path));
        const json read = json::parse(body, nullptr, false);
        if (!read.is_object() || !read.contains("items"))
            return invalid("the API server's list cannot be read: it is no list");
        std::vector<std::string> out;
        for (const json& item : read["items"])
            out.push_back(item.at("metadata").at("name").get<std::string>());
        return out;
    }

    // It would end every machine whose NodeClaim goes. Clocks may differ, so what counts is whether a lease
    // is renewed while we look.
    Status check_nobody_runs(const std::string& before) {
        fmt::print("looking for {} whether a controller runs\n",
                   count_of(static_cast<std::size_t>(to_seconds(kLongerThanALease)), "second"));
        std::fflush(stdout);
        calls_.wait(kLongerThanALease);
        TRY(const std::string after, calls_.get(kLeases));
        const auto active = active_holders(before, after);
        if (!active) return invalid("what the API server says of leases cannot be read");
        if (!active->holders.empty())
            return invalid(
                fmt::format("{} holds the lease {}: it would end the machines whose NodeClaims go; scale the "
                            "controller to "
                            "0 and ask again",
                            active->holders.front().holder, active->holders.front().lease));
        if (!active->has_any && !options_.controller_is_stopped)
            return invalid(
                "no controller has had a lease here, so nothing tells whether one runs (with "
                "--disable-leader-election, say), and it would end the machines whose NodeClaims go; stop "
                "it, "
                "and say --controller-is-stopped");
        return {};
    }

    Status drain() {
        for (const char* path : kPoolPaths) {
            TRY(const auto found, names(path));
            for (const std::string& name : found) {
                TRY_STATUS(remove(fmt::format("{}/{}", path, name)));
                fmt::print("deleted {} {}\n",
                           std::string_view(path).substr(std::string_view(path).rfind('/') + 1), name);
            }
        }
        TRY(auto left, names(kClaims));
        // Those of pools go with them; those that stand alone go here.
        for (const std::string& name : left) TRY_STATUS(remove(fmt::format("{}/{}", kClaims, name)));
        const WallTime end = calls_.now() + options_.timeout;
        std::size_t told = 0;
        while (!left.empty()) {
            if (left.size() != told) fmt::print("{} to drain\n", count_of(left.size(), "node"));
            std::fflush(stdout);
            told = left.size();
            if (calls_.now() >= end)
                return invalid(fmt::format(
                    "not all nodes are drained in time: {}; joiner explain node NAME says what keeps one, "
                    "and the same command goes on with it",
                    some_of(left)));
            calls_.wait(kLookAgain);
            TRY(left, names(kClaims));
        }
        fmt::print("no node is left; remove the controller now, then its definitions\n");
        return {};
    }

    Status orphan() {
        std::set<std::string> nodes;
        for (int pass = 0; pass < kMostPasses; ++pass) {
            bool is_done = true;
            TRY(const std::string of_nodes, list(kNodes));
            TRY(const auto going, nodes_on_their_way_out(of_nodes));
            if (!going.empty())
                return invalid(fmt::format(
                    "{} being drained: {}; start the controller again until they are gone, since without it "
                    "they and their pods would be gone at once",
                    going.size() == 1 ? "a node is" : "nodes are", some_of(going)));
            TRY(const auto node_steps, orphan_nodes(of_nodes));
            TRY_STATUS(carry_out(node_steps, is_done));
            for (const OrphanStep& step : node_steps) nodes.insert(step.path);
            // Claims own the nodes that could not be written.
            if (!is_done) continue;
            TRY(const std::string of_claims, list(kClaims));
            TRY(const auto claim_steps, orphan_claims(of_claims));
            TRY_STATUS(carry_out(claim_steps, is_done));
            for (const char* path : kClassPaths) {
                TRY(const std::string objects, list(path));
                TRY(const auto steps, release_objects(objects, path));
                TRY_STATUS(carry_out(steps, is_done));
            }
            if (!is_done) continue;
            fmt::print(
                "{} left to {}; no pod was touched. Remove the controller now, then its definitions. A "
                "controller that is installed again for this cluster removes machines without a NodeClaim\n",
                count_of(nodes.size(), "node"), nodes.size() == 1 ? "itself" : "themselves");
            return {};
        }
        return invalid("others write to the same objects all the time; ask again");
    }

    // What has changed since it was read is looked at again in the next pass.
    Status carry_out(const std::vector<OrphanStep>& steps, bool& is_done) {
        for (const OrphanStep& step : steps) {
            if (!step.patch.empty()) {
                const auto patched = calls_.patch(step.path, kube::PatchType::kJson, step.patch);
                const bool is_gone = !patched && patched.error().kind == ErrorKind::kNotFound;
                const bool has_changed = !patched && (patched.error().kind == ErrorKind::kConflict ||
                                                      patched.error().kind == ErrorKind::kInvalid);
                if (has_changed) is_done = false;
                if (is_gone || has_changed) continue;
                if (!patched) return tl::unexpected<Error>(patched.error());
            }
            if (step.is_deletion) TRY_STATUS(remove(step.path));
        }
        return {};
    }

    Status remove(const std::string& path) {
        const auto removed = calls_.remove(path);
        if (!removed && removed.error().kind != ErrorKind::kNotFound)
            return tl::unexpected<Error>(removed.error());
        return {};
    }

    const UninstallOptions& options_;
    ClusterCalls calls_;
};

}  // namespace

int run_uninstall(const UninstallOptions& options) {
    if (options.drain == options.orphan)
        return refuse(
            "say what becomes of the nodes: --drain ends them and their machines, --orphan leaves them and "
            "their pods as they are");
    auto config = load_config(options.kubeconfig, options.context);
    if (!config) return refuse(config.error().message);
    const Status done = Uninstall(std::move(*config), options).run();
    return done ? 0 : refuse(done.error().message);
}

}  // namespace joiner::cli
