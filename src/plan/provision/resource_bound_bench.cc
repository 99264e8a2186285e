#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "plan/provision/resource_bound.h"

namespace joiner::plan {
namespace {

// Families of sizes at nearly one price a unit, as providers sell them.
ResourceColumns market(std::size_t machines) {
    Rng rng(1);
    ResourceColumns out;
    out.dimensions = 4;
    for (std::size_t j = 0; j < machines; ++j) {
        const double cpus = static_cast<double>(1u << rng.below(7));
        const double ratio = static_cast<double>(2u << rng.below(3));
        out.capacities.insert(out.capacities.end(),
                              {cpus * 1000 - 100, cpus * ratio * (1u << 30), cpus * 15, 1});
        out.prices.push_back(1e9 * cpus * (0.02 + 0.004 * ratio) * (1 + 0.1 * rng.unit()));
    }
    return out;
}

std::vector<double> demand(Rng& rng) {
    const double cpus = 100 + 1000 * rng.unit();
    return {cpus * 1000, cpus * (2 + 4 * rng.unit()) * (1u << 30), cpus * 3, 20};
}

void first_solve(benchmark::State& state) {
    const ResourceColumns columns = market(static_cast<std::size_t>(state.range(0)));
    Rng rng(2);
    for (auto _ : state) {
        ResourceProgram program(columns);
        benchmark::DoNotOptimize(program.solve(demand(rng).data()));
    }
}
BENCHMARK(first_solve)->Arg(80)->Arg(800);

// As the passes ask: one demand after another, each much like the last.
void next_solve(benchmark::State& state) {
    const ResourceColumns columns = market(static_cast<std::size_t>(state.range(0)));
    ResourceProgram program(columns);
    Rng rng(2);
    std::vector<double> asked = demand(rng);
    for (auto _ : state) {
        for (double& amount : asked) amount *= 0.98 + 0.04 * rng.unit();
        benchmark::DoNotOptimize(program.solve(asked.data()));
    }
}
BENCHMARK(next_solve)->Arg(80)->Arg(800);

}  // namespace
}  // namespace joiner::plan
