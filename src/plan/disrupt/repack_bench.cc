// What holds the loop in one piece when consolidation looks at a large cluster: which nodes may go, the
// question, the making of the search, and the check of what was planned. Ten pods a node.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "api/names.h"
#include "base/rng.h"
#include "plan/disrupt/consolidatable.h"
#include "plan/disrupt/repack.h"
#include "plan/disrupt/step_check.h"
#include "plan/disrupt/testing/up_node.h"

namespace joiner::plan {
namespace {

constexpr int kTypes = 600;
constexpr int kPodsOfNode = 10;

std::string type_name(int number) {
    return fmt::format("m{}.{}xlarge", number / 12, number % 12);
}

rules::InstanceType a_type(int number) {
    rules::InstanceType out;
    out.name = type_name(number);
    const int cpus = 4 + number % 12;
    out.requirements.add_labels({{std::string(api::kInstanceTypeLabel), out.name},
                                 {std::string(api::kArchLabel), "amd64"},
                                 {"kubernetes.io/os", "linux"},
                                 {std::string(api::kZoneLabel), "a"},
                                 {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}});
    out.capacity.cpu_milli = cpus * 1000;
    out.capacity.memory_bytes = std::int64_t{cpus} << 32;
    out.capacity.pods = 110;
    rules::Offering offering;
    offering.requirements.add_labels({{std::string(api::kZoneLabel), "a"},
                                      {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}});
    offering.price = rules::Money::from_dollars(0.04 * cpus + 0.0001 * (number / 12));
    out.offerings.push_back(std::move(offering));
    return out;
}

struct World {
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    model::PlannedPods planned;
    model::ClaimNames none;
    std::map<std::string, WallTime, std::less<>> events;
    std::map<std::string, std::string, std::less<>> held;
    std::map<std::string, std::int64_t, std::less<>> moved;
    std::shared_ptr<const std::vector<rules::InstanceType>> types;
    WallTime now = WallTime{} + std::chrono::hours{500'000};

    explicit World(int nodes) {
        std::vector<rules::InstanceType> all;
        for (int i = 0; i < kTypes; ++i) all.push_back(a_type(i));
        types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(all));
        api::NodePool pool;
        pool.meta.name = "default";
        pool.consolidate_after.value = Duration{0};
        pool.consolidation_policy = "WhenEmptyOrUnderutilized";
        pool.budgets.emplace_back().nodes = "100%";
        cluster.upsert(pool);
        Rng rng(1);
        for (int i = 0; i < nodes; ++i) add_node(i, rng);
    }

    void add_node(int number, Rng& rng) {
        const std::string name =
            fmt::format("ip-10-{}-{}-{}.ec2.internal", number >> 16, number >> 8 & 255, number & 255);
        const int type = static_cast<int>(rng.below(kTypes));
        const rules::InstanceType& machine = (*types)[static_cast<std::size_t>(type)];
        auto [claim, node] =
            samples::up_node(fmt::format("default-{:05}", number), name, now - std::chrono::hours{5});
        node.meta.labels[std::string(api::kInstanceTypeLabel)] = machine.name;
        node.meta.labels[std::string(api::kNodePoolLabel)] = "default";
        node.meta.labels[std::string(api::kHostnameLabel)] = name;
        node.meta.labels[std::string(api::kArchLabel)] = "amd64";
        node.meta.labels["kubernetes.io/os"] = "linux";
        node.meta.labels[std::string(api::kInitializedLabel)] = "true";
        node.meta.labels[std::string(api::kRegisteredLabel)] = "true";
        node.allocatable = {{"cpu", quantity(fmt::format("{}m", machine.capacity.cpu_milli))},
                            {"memory", quantity(fmt::format("{}", machine.capacity.memory_bytes))},
                            {"pods", quantity("110")}};
        node.capacity = node.allocatable;
        cluster.upsert(claim);
        cluster.upsert(node);
        for (int i = 0; i < kPodsOfNode; ++i) {
            const auto app = rng.below(300);
            api::Pod pod = samples::pod_on(name, fmt::format("app-{}-6b7f9c-{:05}-{}", app, number, i));
            pod.meta.uid = fmt::format("7a0c7b5e-63a1-4a3f-9d37-{:010}{}", number, i);
            pod.meta.labels = {{"app", fmt::format("app-{}", app)}};
            pod.spec.containers.resize(1);
            pod.spec.containers[0].requests = {{"cpu", quantity(fmt::format("{}m", 100 + app))},
                                               {"memory", quantity(fmt::format("{}Mi", 200 + 2 * app))}};
            cluster.upsert(pod);
        }
    }
    static Quantity quantity(const std::string& text) { return Quantity::parse(text).value(); }

    DisruptionFacts facts() const {
        return {cluster, planned, none, events, [this](const api::NodePool&) { return types; }};
    }
    Consolidatable consolidatable() const {
        const DisruptionFacts f = facts();
        DisruptionGate gate({cluster, none, held, moved}, now);
        return find_consolidatable(f, gate, now);
    }
    model::SnapshotInputs inputs() const {
        model::SnapshotInputs out;
        out.types = [this](const api::NodePool&) { return types; };
        out.is_usable = [](const api::NodePool&) { return true; };
        return out;
    }
    RepackQuestion question() const {
        return make_repack_question(cluster, inputs(), consolidatable().candidates);
    }
};

void which_nodes_may_go(benchmark::State& state) {
    const World world(static_cast<int>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(world.consolidatable());
}

void question(benchmark::State& state) {
    const World world(static_cast<int>(state.range(0)));
    const std::vector<Candidate> candidates = world.consolidatable().candidates;
    for (auto _ : state)
        benchmark::DoNotOptimize(make_repack_question(world.cluster, world.inputs(), candidates));
}

void search_is_made(benchmark::State& state) {
    const World world(static_cast<int>(state.range(0)));
    const RepackQuestion question = world.question();
    for (auto _ : state) {
        Repack repack(question, {});
        benchmark::DoNotOptimize(repack.run_slice(1));
    }
}

void check_of_steps_is_made(benchmark::State& state) {
    const World world(static_cast<int>(state.range(0)));
    const RepackQuestion question = world.question();
    for (auto _ : state) {
        const model::Snapshot now = model::make_snapshot(world.cluster, world.inputs());
        benchmark::DoNotOptimize(StepCheck(question, now));
    }
}

void mark(benchmark::State& state) {
    const World world(static_cast<int>(state.range(0)));
    const DisruptionGate gate({world.cluster, world.none, world.held, world.moved}, world.now);
    for (auto _ : state) benchmark::DoNotOptimize(consolidation_mark(world.cluster, gate));
}

BENCHMARK(which_nodes_may_go)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(question)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(search_is_made)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(check_of_steps_is_made)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);
BENCHMARK(mark)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace joiner::plan
