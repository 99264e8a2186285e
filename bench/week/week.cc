// A week of a cluster on virtual time: the unmodified controller with Karpenter's default disruption
// settings, deployments that follow the day, new versions in working hours, spot interruptions and
// stock-outs, all drawn from a seed. One row a day: what the nodes cost beside the lower bound for the pods
// of each hour, and how many pods consolidation moved for it.
//
//     week [SEED] [DAYS] [FEATURE-GATES]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <numbers>
#include <set>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/names.h"
#include "cloud/kwok/aws_catalogue.h"
#include "cloud/kwok/types_file.h"
#include "control/controller.h"
#include "control/feature_gates.h"
#include "control/moves.h"
#include "control/provider_list.h"
#include "model/make_snapshot.h"
#include "observe/metrics.h"
#include "plan/provision/provision.h"
#include "rules/conditions.h"
#include "sim/cluster.h"
#include "sim/in_process_http.h"
#include "sim/process_loop.h"
#include "sim/samples.h"

namespace joiner {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kDeployments = 30;
constexpr Duration kStep = seconds{1};
constexpr Duration kScaleEvery = minutes{10};
constexpr Duration kDay = hours{24};
// A pod that is made so soon after one of its deployment was moved stands in for it.
constexpr Duration kStandsIn = minutes{3};
constexpr double kInterruptionsPerNodeDay = 0.05;
constexpr double kVersionsPerDay = 0.5;
constexpr double kStockOutsPerDay = 4;

std::string pool() {
    return sim::node_class() +
           sim::node_pool({.capacity_types = "on-demand, spot",
                           .requirements = "{key: karpenter.kwok.sh/instance-family, operator: In, values: "
                                           "[c6g, m6g, r6g, c7g, m7g, r7g, c7i, m7i, r7i]}",
                           .template_spec = "expireAfter: 720h",
                           .disruption = ""});
}

struct Service {
    std::string name;
    double base = 1;   // Replicas on an average hour.
    double swing = 0;  // Of the daily curve, as a part of the base.
    double peak_hour = 14;
    int cpu_milli = 0;
    int memory_mib = 0;
    int replicas = 0;
    int version = 0;
};

std::string manifest(const Service& s) {
    return sim::deployment(s.name, s.replicas, fmt::format("{}m", s.cpu_milli),
                           {.memory = fmt::format("{}Mi", s.memory_mib), .grace_seconds = 10});
}

class Week {
  public:
    Week(std::uint64_t seed, control::FeatureGates gates)
        : rng_(seed), world_(options()), types_(cloud::kwok::aws_types()), gates_(gates) {
        for (int i = 0; i < kDeployments; ++i) services_.push_back(draw(i));
    }

    int run(int days) {
        if (const Status status = begin(); !status) {
            fmt::print(stderr, "week: {}\n", status.error().message);
            return 1;
        }
        fmt::print(
            "| day | pods | nodes | $ an hour | bound | ratio | launched | removed | pods moved | again "
            "within a day | before it had paid | not running |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
        for (int day = 0; day < days; ++day) {
            day_ = {};
            for (int second = 0; second < 24 * 3600; ++second) step(day * 24 * 3600 + second);
            print(fmt::format("{}", day + 1), day_);
            sum_ += day_;
        }
        print("all", sum_);
        return 0;
    }

  private:
    struct Tally {
        double cost = 0, bound = 0, hours = 0;
        double pods = 0, nodes = 0;
        std::size_t launched = 0, removed = 0, moved = 0, again = 0, unpaid = 0;
        double pod_seconds_waiting = 0, pod_seconds = 0;

        Tally& operator+=(const Tally& o) {
            cost += o.cost, bound += o.bound, hours += o.hours, pods += o.pods, nodes += o.nodes;
            launched += o.launched, removed += o.removed, moved += o.moved;
            again += o.again, unpaid += o.unpaid;
            pod_seconds_waiting += o.pod_seconds_waiting, pod_seconds += o.pod_seconds;
            return *this;
        }
    };

    static sim::ClusterOptions options() {
        sim::ClusterOptions out;
        out.world.records_events = false;
        out.kubelet.node_ready_delay = seconds{30};
        out.kubelet.pod_start_delay = seconds{5};
        out.kubelet.pod_stop_delay = seconds{2};
        return out;
    }

    control::Options controller_options() const {
        control::Options out;
        out.gates = gates_;
        out.leader_election = false;
        return out;
    }

    double normal() {
        return std::sqrt(-2 * std::log(1 - rng_.unit())) * std::cos(2 * std::numbers::pi * rng_.unit());
    }

    Service draw(int number) {
        Service out;
        out.name = fmt::format("svc-{:02}", number);
        out.base = std::clamp(std::exp(2.2 + 0.9 * normal()), 1.0, 80.0);
        out.swing = 0.6 * rng_.unit();
        out.peak_hour = 12 + 6 * rng_.unit();
        out.cpu_milli = static_cast<int>(std::clamp(500 * std::exp(0.8 * normal()), 50.0, 8000.0));
        const double gib_per_core = 0.5 * std::pow(16, rng_.unit());
        out.memory_mib = std::max(64, static_cast<int>(out.cpu_milli * gib_per_core * 1.024));
        out.replicas = wanted_replicas(out, 0);
        return out;
    }

    static int wanted_replicas(const Service& s, int second) {
        const double hour = second / 3600.0;
        const bool is_weekend = second / (24 * 3600) % 7 >= 5;
        const double day = std::cos((hour - s.peak_hour) * std::numbers::pi / 12);
        return std::max(1,
                        static_cast<int>(std::lround(s.base * (1 + s.swing * day) * (is_weekend ? 0.7 : 1))));
    }

    Status begin() {
        TRY_STATUS(world_.apply(pool()));
        controller_ = std::make_unique<control::Controller>(
            world_.loop(), world_.http(), world_.config(), controller_options(),
            control::provider_list(types_), metrics_, Rng(rng_.next()));
        controller_->start([] {});
        for (const Service& s : services_) TRY_STATUS(world_.apply(manifest(s)));
        return {};
    }

    void step(int second) {
        if (second % static_cast<int>(kScaleEvery / seconds{1}) == 0) follow_the_day(second);
        happen(second);
        world_.run_for(kStep);
        look();
        if (second % 3600 == 1800) add_bound();
    }

    bool comes(double per_day) { return rng_.unit() < per_day / (24 * 3600); }

    void follow_the_day(int second) {
        for (Service& s : services_) {
            const int wanted = wanted_replicas(s, second);
            if (wanted == s.replicas) continue;
            s.replicas = wanted;
            (void)world_.scale("Deployment", "default", s.name, wanted);
        }
    }

    void happen(int second) {
        const int hour = second / 3600 % 24;
        for (Service& s : services_) {
            if (hour < 9 || hour >= 18 || !comes(kVersionsPerDay * 24 / 9)) continue;
            (void)world_.patch(
                "Deployment", "default", s.name,
                fmt::format(
                    R"({{"spec":{{"template":{{"metadata":{{"annotations":{{"version":"{}"}}}}}}}}}})",
                    ++s.version));
        }
        if (comes(kStockOutsPerDay)) stock_out(second);
        if (second == stock_back_at_) set_sold_out("");
        std::vector<std::string> interrupted;
        for (const auto& [name, state] : controller_->cluster().claims()) {
            if (state.claim.meta.deleted ||
                api::find_or_empty(state.claim.meta.labels, api::kCapacityTypeLabel) != api::kSpot)
                continue;
            if (comes(kInterruptionsPerNodeDay)) interrupted.push_back(name);
        }
        for (const std::string& name : interrupted) (void)world_.remove("nodeclaims", "", name);
    }

    // The types in use now are gone from one zone, or as spot from all.
    void stock_out(int second) {
        std::set<std::string> used;
        for (const auto& [name, state] : controller_->cluster().claims())
            used.emplace(api::find_or_empty(state.claim.meta.labels, api::kInstanceTypeLabel));
        std::string entries;
        for (const std::string& type : used) {
            if (rng_.below(2) == 0) entries += type + "/*/spot,";
        }
        stock_back_at_ = second + 3600 * (1 + static_cast<int>(rng_.below(4)));
        set_sold_out(entries);
    }
    void set_sold_out(const std::string& entries) {
        (void)world_.patch("kwoknodeclasses", "", "default",
                           fmt::format(R"({{"metadata":{{"annotations":{{"{}":"{}"}}}}}})",
                                       api::kSoldOutAnnotation, entries));
    }

    void look() {
        const model::Cluster& cluster = controller_->cluster();
        const WallTime now = world_.loop().now();
        for (const auto& [name, state] : cluster.nodes())
            day_.cost += price(state.node) * to_seconds(kStep) / 3600;
        for (const auto& [name, state] : cluster.claims()) {
            if (seen_claims_.insert(name).second) ++day_.launched;
            if (!state.claim.meta.deleted || !going_.insert(name).second) continue;
            ++day_.removed;
            const api::Condition* why = api::find_condition(state.claim.conditions, "DisruptionReason");
            if (why != nullptr && why->status == "True") note_moves(cluster, state.claim, now);
        }
        for (const auto& [key, pod] : cluster.pods()) {
            if (!pod.is_active()) continue;
            day_.pod_seconds += to_seconds(kStep);
            if (!pod.is_ready) day_.pod_seconds_waiting += to_seconds(kStep);
            if (!seen_pods_.insert(pod.id.uid()).second) continue;
            // In place of one that was moved?
            auto& owed = owed_[service_of(pod.id.name())];
            std::erase_if(owed, [&](WallTime since) { return now - since > kStandsIn; });
            if (owed.empty()) continue;
            moved_at_[pod.id.uid()] = now;
            owed.erase(owed.begin());
        }
    }

    void note_moves(const model::Cluster& cluster, const api::NodeClaim& claim, WallTime now) {
        const model::NodeState* node = cluster.node_of(claim);
        if (node == nullptr) return;
        for (const auto& [key, pod] : node->pods) {
            if (!pod->is_reschedulable() || pod->deleted) continue;
            ++day_.moved;
            const auto before = moved_at_.find(pod->id.uid());
            if (before != moved_at_.end() && now - before->second < kDay) ++day_.again;
            if (controller_->moves().rests_until(pod->id.uid()) > now) ++day_.unpaid;
            owed_[service_of(pod->id.name())].push_back(now);
        }
    }

    static std::string service_of(const std::string& pod) { return pod.substr(0, 6); }

    static double price(const api::Node& node) {
        return std::strtod(
            std::string(api::find_or_empty(node.meta.labels, "eks-node-viewer/instance-price")).c_str(),
            nullptr);
    }

    // What the pods of this moment would cost at the least, on nodes of their own.
    void add_bound() {
        model::Cluster cluster(rules::PreferencePolicy::kRespect);
        cluster.upsert(api::decode_node_pool(world_.get("nodepools", "", "default").value()).value());
        std::size_t pods = 0;
        for (const std::string& text : world_.list("pods")) {
            api::Pod pod = api::decode_pod(text).value();
            if (pod.meta.deleted || pod.status.phase == "Succeeded" || pod.status.phase == "Failed") continue;
            pod.spec.node_name.clear();
            pod.status = {};
            cluster.upsert(pod);
            ++pods;
        }
        model::SnapshotInputs inputs;
        const auto types = std::make_shared<const std::vector<rules::InstanceType>>(types_);
        inputs.types = [types](const api::NodePool&) { return types; };
        inputs.is_usable = [](const api::NodePool&) { return true; };
        inputs.well_known = [this](const api::NodeClassReference&) {
            return cloud::kwok::labels_of(types_).well_known;
        };
        plan::ProvisionOptions planning;
        planning.effort = 1'000'000;
        const plan::Plan plan = plan::plan_provisioning(model::make_snapshot(cluster, inputs), planning);
        day_.bound += plan.lower_bound.dollars();
        day_.hours += 1;
        day_.pods += static_cast<double>(pods);
        day_.nodes += static_cast<double>(controller_->cluster().nodes().size());
    }

    static void print(const std::string& day, const Tally& t) {
        fmt::print(
            "| {} | {:.0f} | {:.1f} | {:.3f} | {:.3f} | {:.3f} | {} | {} | {} | {} | {} | {:.2f} % |\n", day,
            t.pods / t.hours, t.nodes / t.hours, t.cost / t.hours, t.bound / t.hours, t.cost / t.bound,
            t.launched, t.removed, t.moved, t.again, t.unpaid, 100 * t.pod_seconds_waiting / t.pod_seconds);
        std::fflush(stdout);
    }

    Rng rng_;
    sim::Cluster world_;
    std::vector<rules::InstanceType> types_;
    control::FeatureGates gates_;
    observe::Metrics metrics_;
    std::unique_ptr<control::Controller> controller_;
    std::vector<Service> services_;
    int stock_back_at_ = -1;
    std::set<std::string> seen_claims_;
    std::set<std::string> going_;
    std::set<std::string> seen_pods_;
    std::map<std::string, WallTime> moved_at_;  // By pod uid.
    std::map<std::string, std::vector<WallTime>>
        owed_;  // Pods of a service that were moved, not seen again yet.
    Tally day_;
    Tally sum_;
};

}  // namespace
}  // namespace joiner

int main(int argc, char** argv) {
    const auto seed = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
    const int days = argc > 2 ? std::atoi(argv[2]) : 7;
    const auto gates = joiner::control::parse_feature_gates(argc > 3 ? argv[3] : "");
    if (!gates) {
        fmt::print(stderr, "week: {}\n", gates.error().message);
        return 2;
    }
    return joiner::Week(seed, *gates).run(days);
}
