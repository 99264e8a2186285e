// `joiner demo`: the unmodified controller against the embedded cluster, on virtual time, where minutes pass
// in a second, or on real time with a port for kubectl.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "api/names.h"
#include "cli/commands.h"
#include "cloud/kwok/aws_catalogue.h"
#include "control/controller.h"
#include "io/real_loop.h"
#include "model/cluster.h"
#include "observe/metrics.h"
#include "sim/cluster.h"
#include "sim/http_front.h"
#include "sim/samples.h"

namespace joiner::cli {
namespace {

constexpr Duration kStep = std::chrono::milliseconds{500};
constexpr Duration kPatience = std::chrono::minutes{10};
// Consolidation looks well within this time whether something is to be gained.
constexpr Duration kSettled = std::chrono::seconds{90};

constexpr std::string_view kFamilies =
    "{key: karpenter.kwok.sh/instance-family, operator: In, values: [c6g, m6g, r6g, c7g, m7g, r7g, c7i, m7i, "
    "r7i]}";

std::string provisioner() {
    return fmt::format(R"(---
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata: {{name: default}}
spec:
  consolidation: {{enabled: true}}
  providerRef: {{apiVersion: karpenter.kwok.sh/v1alpha1, kind: KWOKNodeClass, name: default}}
  requirements:
  - {{key: kubernetes.io/arch, operator: Exists}}
  - {}
)",
                       kFamilies);
}

std::string pool(const std::string& api) {
    if (api == "v1alpha5") return sim::node_class() + provisioner();
    return sim::node_class() +
           sim::node_pool({.requirements = kFamilies,
                           .disruption = "consolidationPolicy: WhenEmptyOrUnderutilized, consolidateAfter: "
                                         "10s, budgets: [{nodes: \"100%\"}]"});
}

struct Sample {
    const char* name;
    int replicas;
    const char* cpu;
    const char* memory;
};
constexpr Sample kBatch{"batch", 100, "2", "4Gi"};
constexpr Sample kSamples[] = {
    {"web", 60, "500m", "512Mi"}, {"api", 40, "1", "2Gi"}, {"cache", 20, "500m", "6Gi"}, kBatch};

std::string deployment(const Sample& sample) {
    return sim::deployment(sample.name, sample.replicas, sample.cpu,
                           {.memory = sample.memory, .grace_seconds = 5});
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

// What is done, what is waited for, and what is said when it has come.
struct Scene {
    std::string title;
    std::function<Status()> act;
    std::function<bool(const Picture&)> is_over;
    std::string end;
    bool shows_nodes = false;
    std::function<std::string()> report = {};  // What is said besides, when it is over.
};

class Demo {
  public:
    Demo(io::Loop& loop, sim::Cluster& world, const control::FeatureGates& gates, std::string api)
        : loop_(loop),
          world_(world),
          api_(std::move(api)),
          controller_(loop, world.http(), world.config(), options(gates),
                      control::provider_list(cloud::kwok::aws_types()), metrics_, Rng(1)),
          start_(loop.now()) {}

    Result<int> serve_page() { return controller_.serve_page({.port = 0, .without_token = true}); }

    Status begin() {
        TRY_STATUS(world_.apply(pool(api_)));
        controller_.start([] {});
        fmt::print("\n{:>8}  {:>7} {:>7} {:>7}  {:>6} {:>6}  {:>10}\n", "TIME", "WAITING", "BOUND", "READY",
                   "CLAIMS", "NODES", "$ AN HOUR");
        scenes_.push_back({"four deployments of different shapes are created", [this] { return deploy(); },
                           [](const Picture& p) { return p.ready == all_pods(); }, "all pods are ready",
                           true});
        return {};
    }

    void add_scale_down() {
        scenes_.push_back(
            {"the batch work is done: its pods go, and the others are packed onto fewer machines",
             [this] {
                 price_before_ = last_.price;
                 nodes_before_ = last_.nodes;
                 return world_.scale("Deployment", "default", "batch", 0);
             },
             [this](const Picture& p) {
                 return p.ready == all_pods() - kBatch.replicas && p.claims == p.nodes &&
                        loop_.now() - changed_ >= kSettled;
             },
             "every pod runs, and nothing is to be gained by another move", true,
             [this] { return saved(); }});
        scenes_.push_back({"everything is scaled to nothing",
                           [this]() -> Status {
                               for (const Sample& sample : kSamples)
                                   TRY_STATUS(world_.scale("Deployment", "default", sample.name, 0));
                               return {};
                           },
                           [](const Picture& p) { return p.nodes == 0 && p.claims == 0; },
                           "no node is left"});
    }

    // Looks once, a step of time after the last look.
    Status look_again() {
        const Picture now = look(controller_.cluster());
        if (now != last_) {
            print(now);
            changed_ = loop_.now();
        }
        last_ = now;
        if (scenes_.empty()) return {};
        Scene& scene = scenes_.front();
        if (!std::exchange(has_begun_, true)) {
            say(scene.title);
            scene_began_ = loop_.now();
            return scene.act();
        }
        if (scene.is_over(now)) {
            say(scene.end);
            if (scene.report) say(scene.report());
            if (scene.shows_nodes) show_nodes();
            scenes_.pop_front();
            has_begun_ = false;
        } else if (loop_.now() - scene_began_ > kPatience) {
            return fail(ErrorKind::kInternal, "the demo did not come to: " + scene.end);
        }
        return {};
    }

    bool is_over() const { return scenes_.empty(); }
    Duration lasted() const { return loop_.now() - start_; }

  private:
    static control::Options options(const control::FeatureGates& gates) {
        control::Options out;
        out.gates = gates;
        out.leader_election = false;
        return out;
    }

    static std::size_t all_pods() {
        std::size_t pods = 0;
        for (const Sample& sample : kSamples) pods += static_cast<std::size_t>(sample.replicas);
        return pods;
    }

    Status deploy() {
        for (const Sample& sample : kSamples) TRY_STATUS(world_.apply(deployment(sample)));
        return {};
    }

    void say(const std::string& what) {
        fmt::print("          -- {}\n", what);
        std::fflush(stdout);
    }

    void print(const Picture& p) {
        fmt::print("{:>7.1f}s  {:>7} {:>7} {:>7}  {:>6} {:>6}  {:>10.4f}\n", to_seconds(lasted()), p.waiting,
                   p.bound, p.ready, p.claims, p.nodes, p.price);
        std::fflush(stdout);
    }

    std::string saved() const {
        return fmt::format("${:.2f} an hour on {} nodes became ${:.2f} on {}: {:.0f} % is saved",
                           price_before_, nodes_before_, last_.price, last_.nodes,
                           100 * (1 - last_.price / price_before_));
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

    io::Loop& loop_;
    sim::Cluster& world_;
    std::string api_;
    observe::Metrics metrics_;
    control::Controller controller_;
    WallTime start_;
    std::deque<Scene> scenes_;
    bool has_begun_ = false;
    WallTime scene_began_ = kNoTime;
    WallTime changed_ = kNoTime;  // When a picture last differed from the one before.
    double price_before_ = 0;     // An hour, while the batch work was there.
    std::size_t nodes_before_ = 0;
    Picture last_;
};

Status play(const control::FeatureGates& gates, const std::string& api) {
    sim::Cluster world;
    Demo demo(world.loop(), world, gates, api);
    fmt::print(
        "API server, scheduler, kubelets and cloud are in this process; the controller is the real one.\n"
        "Time is virtual.\n");
    TRY_STATUS(demo.begin());
    demo.add_scale_down();
    while (!demo.is_over()) {
        world.run_for(kStep);
        TRY_STATUS(demo.look_again());
    }
    fmt::print("\nAll of this was {:.0f} seconds of the cluster's time.\n", to_seconds(demo.lasted()));
    return {};
}

Status serve(int port, const control::FeatureGates& gates, const std::string& api) {
    io::RealLoop loop;
    sim::Cluster world(loop, {});
    TRY(const auto front, sim::HttpFront::listen(loop, world.api(), port));
    Demo demo(loop, world, gates, api);
    TRY(const int page_port, demo.serve_page());
    fmt::print(
        "API server, scheduler, kubelets and cloud are in this process; the controller is the real one.\n"
        "They stay until you press Ctrl-C. Meanwhile, in another terminal:\n\n"
        "    kubectl --server {0} get nodes,nodeclaims,pods -o wide\n"
        "    kubectl --server {0} scale deployment web --replicas 200\n\n"
        "See it in a browser: http://localhost:{1}/page\n",
        front->url(), page_port);
    TRY_STATUS(demo.begin());
    Status outcome;
    std::function<void()> tick = [&] {
        outcome = demo.look_again();
        if (!outcome) return loop.stop();
        loop.after(kStep, tick);
    };
    loop.after(kStep, tick);
    for (const int signal : {SIGTERM, SIGINT}) loop.on_signal(signal, [&] { loop.stop(); });
    loop.run();
    front->stop();
    return outcome;
}

}  // namespace

int run_demo(const DemoOptions& options) {
    const auto gates = control::parse_feature_gates(options.feature_gates);
    if (!gates) {
        fmt::print(stderr, "joiner: --feature-gates: {}\n", gates.error().message);
        return 2;
    }
    const Status status =
        options.serve ? serve(options.port, *gates, options.api) : play(*gates, options.api);
    if (status) return 0;
    fmt::print(stderr, "joiner: {}\n", status.error().message);
    return 1;
}

}  // namespace joiner::cli
