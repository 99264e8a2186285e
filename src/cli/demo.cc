// `joiner demo`: the unmodified controller against the embedded cluster, on virtual time. Minutes pass in a
// second.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "api/names.h"
#include "cli/commands.h"
#include "cloud/kwok/types_file.h"
#include "control/controller.h"
#include "model/cluster.h"
#include "observe/metrics.h"
#include "sim/cluster.h"

namespace joiner::cli {
namespace {

constexpr Duration kStep = std::chrono::milliseconds{500};
constexpr Duration kPatience = std::chrono::minutes{10};

constexpr std::string_view kPool = R"(
apiVersion: karpenter.kwok.sh/v1alpha1
kind: KWOKNodeClass
metadata: {name: default}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.kwok.sh, kind: KWOKNodeClass, name: default}
      requirements:
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
        - {key: karpenter.kwok.sh/instance-family, operator: In, values: [c6g, m6g, r6g, c7g, m7g, r7g, c7i, m7i, r7i]}
  disruption:
    consolidationPolicy: WhenEmpty
    consolidateAfter: 10s
    budgets: [{nodes: "50%"}]
)";

struct Sample {
    const char* name;
    int replicas;
    const char* cpu;
    const char* memory;
};
constexpr Sample kSamples[] = {{"web", 60, "500m", "512Mi"},
                               {"api", 40, "1", "2Gi"},
                               {"cache", 20, "500m", "6Gi"},
                               {"batch", 100, "2", "4Gi"}};

std::string deployment(const Sample& sample) {
    return fmt::format(R"(
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}}}
spec:
  replicas: {1}
  selector: {{matchLabels: {{app: {0}}}}}
  template:
    metadata: {{labels: {{app: {0}}}}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - {{name: app, image: sample, resources: {{requests: {{cpu: "{2}", memory: {3}}}}}}}
)",
                       sample.name, sample.replicas, sample.cpu, sample.memory);
}

// What a person wants to see of one moment.
struct Picture {
    std::size_t waiting = 0;
    std::size_t bound = 0;
    std::size_t ready = 0;
    std::size_t nodes = 0;
    std::size_t claims = 0;
    double price = 0;

    friend bool operator==(const Picture&, const Picture&) = default;
};

Picture look(const model::Cluster& cluster) {
    Picture out;
    for (const auto& [key, pod] : cluster.pods()) {
        if (!pod.is_active()) continue;
        if (pod.node_name.empty()) {
            ++out.waiting;
        } else {
            ++out.bound;
        }
        if (pod.is_ready) ++out.ready;
    }
    out.claims = cluster.claims().size();
    out.nodes = cluster.nodes().size();
    for (const auto& [name, state] : cluster.nodes()) {
        const std::string_view price =
            api::find_or_empty(state.node.meta.labels, "eks-node-viewer/instance-price");
        if (!price.empty()) out.price += std::strtod(std::string(price).c_str(), nullptr);
    }
    return out;
}

class Demo {
  public:
    Demo()
        : controller_(world_.loop(), world_.http(), world_.config(), options(), cloud::kwok::aws_types(),
                      metrics_, Rng(1)),
          start_(world_.loop().now()) {}

    Status run() {
        TRY_STATUS(world_.apply(kPool));
        controller_.start([] {});
        world_.run_for(std::chrono::seconds{2});
        fmt::print(
            "An embedded cluster: API server, scheduler, kubelets and cloud in this process; the controller "
            "is\n"
            "the real one. Time is virtual.\n\n{:>8}  {:>7} {:>7} {:>7}  {:>6} {:>6}  {:>10}\n",
            "TIME", "WAITING", "BOUND", "READY", "CLAIMS", "NODES", "$ AN HOUR");
        say("four deployments of different shapes are created");
        std::size_t pods = 0;
        for (const Sample& sample : kSamples) {
            TRY_STATUS(world_.apply(deployment(sample)));
            pods += static_cast<std::size_t>(sample.replicas);
        }
        TRY_STATUS(watch("all pods are ready", [&](const Picture& p) { return p.ready == pods; }));
        show_nodes();
        say("the batch work is done");
        TRY_STATUS(world_.scale("Deployment", "default", "batch", 0));
        TRY_STATUS(watch("the empty nodes are gone",
                         [this](const Picture& p) { return p.waiting == 0 && no_empty_node(); }));
        say("everything is scaled to nothing");
        for (const Sample& sample : kSamples)
            TRY_STATUS(world_.scale("Deployment", "default", sample.name, 0));
        TRY_STATUS(watch("no node is left", [](const Picture& p) { return p.nodes == 0 && p.claims == 0; }));
        fmt::print("\nAll of this was {:.0f} seconds of the cluster's time.\n",
                   to_seconds(world_.loop().now() - start_));
        return {};
    }

  private:
    static control::Options options() {
        control::Options out;
        out.leader_election = false;
        return out;
    }

    void say(const std::string& what) { fmt::print("          -- {}\n", what); }

    void print(const Picture& p) {
        fmt::print("{:>7.1f}s  {:>7} {:>7} {:>7}  {:>6} {:>6}  {:>10.4f}\n",
                   to_seconds(world_.loop().now() - start_), p.waiting, p.bound, p.ready, p.claims, p.nodes,
                   p.price);
        std::fflush(stdout);
    }

    template <typename F>
    Status watch(const std::string& what, F is_done) {
        Picture last;
        for (Duration waited{0}; waited < kPatience; waited += kStep) {
            world_.run_for(kStep);
            const Picture now = look(controller_.cluster());
            if (now != last) print(now);
            last = now;
            if (is_done(now)) {
                say(what);
                return {};
            }
        }
        return fail(ErrorKind::kInternal, "the demo did not come to: " + what);
    }

    bool no_empty_node() const {
        for (const auto& [name, state] : controller_.cluster().nodes()) {
            if (state.pods.empty() || state.node.meta.deleted) return false;
        }
        return true;
    }

    void show_nodes() {
        fmt::print("\n          {:<44} {:<14} {:>5} {:>7}\n", "NODE", "TYPE", "PODS", "CPU");
        for (const auto& [name, state] : controller_.cluster().nodes()) {
            const double use =
                static_cast<double>(state.used.cpu_milli) / static_cast<double>(state.allocatable.cpu_milli);
            fmt::print("          {:<44} {:<14} {:>5} {:>6.0f}%\n", name,
                       api::find_or_empty(state.node.meta.labels, api::kInstanceTypeLabel), state.pods.size(),
                       use * 100);
        }
        fmt::print("\n");
    }

    sim::Cluster world_;
    observe::Metrics metrics_;
    control::Controller controller_;
    WallTime start_;
};

}  // namespace

int run_demo() {
    Demo demo;
    const Status status = demo.run();
    if (status) return 0;
    fmt::print(stderr, "joiner: {}\n", status.error().message);
    return 1;
}

}  // namespace joiner::cli
