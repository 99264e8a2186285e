// How much CPU the pretend world takes: a scale-up of pods and nodes, all controllers at work.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "sim/cluster.h"

namespace joiner::sim {
namespace {

void scale_up(benchmark::State& state) {
    const auto pods = static_cast<int>(state.range(0));
    const auto nodes = static_cast<int>(state.range(1));
    for (auto _ : state) {
        Cluster cluster;
        const std::string deployment =
            fmt::format(R"({{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web"}},"spec":{{
            "replicas":{},"selector":{{"matchLabels":{{"app":"web"}}}},"template":{{"metadata":{{"labels":{{"app":"web"}}}},"spec":{{
            "containers":[{{"name":"main","image":"pause","resources":{{"requests":{{"cpu":"500m","memory":"256Mi"}}}}}}]}}}}}}}})",
                        pods);
        if (!cluster.apply(deployment)) state.SkipWithError("apply");
        cluster.run_for(std::chrono::seconds{10});
        for (int i = 0; i < nodes; ++i) {
            const std::string node = fmt::format(
                R"({{"apiVersion":"v1","kind":"Node","metadata":{{"name":"n{}","annotations":{{"kwok.x-k8s.io/node":"fake"}}}},
                "status":{{"capacity":{{"cpu":"4","memory":"8Gi","pods":"20"}},"allocatable":{{"cpu":"4","memory":"8Gi","pods":"20"}}}}}})",
                i);
            if (!cluster.apply(node)) state.SkipWithError("apply");
            cluster.run_for(std::chrono::milliseconds{10});
        }
        const std::size_t wanted =
            std::min(static_cast<std::size_t>(pods), static_cast<std::size_t>(nodes) * 8);
        for (int second = 0; second < 120 && cluster.pods_by_phase()["Running"] < wanted; ++second)
            cluster.run_for(std::chrono::seconds{1});
        state.counters["running"] = static_cast<double>(cluster.pods_by_phase()["Running"]);
        state.counters["events"] = static_cast<double>(cluster.count("events"));
        state.counters["steps"] = static_cast<double>(cluster.time().steps());
    }
}
BENCHMARK(scale_up)->Args({500, 100})->Args({5000, 1000})->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace joiner::sim
