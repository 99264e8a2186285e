// What the loop pays each second while somebody looks on: the state of 5,000 nodes with 100,000 pods.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "api/names.h"
#include "control/page_state.h"

namespace joiner::control {
namespace {

constexpr int kNodes = 5000;
constexpr int kPodsOfNode = 20;
const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

class ManyTypes final : public cloud::Offers {
  public:
    ManyTypes() {
        std::vector<rules::InstanceType> types;
        for (int i = 0; i < 1000; ++i) {
            rules::InstanceType type;
            type.name = fmt::format("m{}.xlarge", i);
            type.capacity.cpu_milli = 4000 + i;
            type.capacity.memory_bytes = std::int64_t{16} << 30;
            for (const char* zone : {"us-east-1a", "us-east-1b", "us-east-1c"}) {
                rules::Offering offering;
                offering.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {zone}));
                offering.requirements.add(
                    rules::Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
                offering.price = rules::Money::from_dollars(0.2);
                type.offerings.push_back(offering);
            }
            types.push_back(std::move(type));
        }
        types_ = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    }
    cloud::InstanceTypes instance_types(const api::NodePool&) override { return types_; }
    std::string why_no_types(const api::NodePool&) override { return ""; }

  private:
    cloud::InstanceTypes types_;
};

struct World {
    ManyTypes offers;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    observe::DecisionLog decisions;
    RunningCommands commands;
    NodePrices prices{offers, cluster};
    Savings savings{prices, cluster};
    PageBook book;

    World() {
        api::NodePool pool;
        pool.meta.name = "default";
        cluster.upsert(std::move(pool));
        const plan::SharedReasons why = plan::share({{.rule = plan::Rule::kPodDisruptionBudget,
                                                      .object = "default/some-budget",
                                                      .detail = "default/web-1"}});
        for (int i = 0; i < kNodes; ++i) add_node(i, why);
        for (std::size_t i = 0; i < PageBook::kMostEntries; ++i)
            book.note({observe::Subject::claim(fmt::format("default-{}", i), ""), observe::Matter::kPurchase,
                       observe::Verdict::kBought, why, kNow});
    }
    void add_node(int i, const plan::SharedReasons& why) {
        api::Node node;
        node.meta.name = fmt::format("ip-10-0-{}-{}.us-east-1.compute.internal", i / 256, i % 256);
        node.meta.uid = node.meta.name;
        node.meta.created = kNow;
        node.provider_id = fmt::format("aws:///us-east-1a/i-{}", i);
        node.allocatable = {{"cpu", Quantity::parse("4").value()},
                            {"memory", Quantity::parse("16Gi").value()},
                            {"pods", Quantity::parse("110").value()}};
        node.meta.labels = {{std::string(api::kNodePoolLabel), "default"},
                            {std::string(api::kInstanceTypeLabel), fmt::format("m{}.xlarge", i % 1000)},
                            {std::string(api::kZoneLabel), "us-east-1b"},
                            {std::string(api::kCapacityTypeLabel), "on-demand"}};
        api::NodeClaim claim;
        claim.meta.name = fmt::format("default-{:05}", i);
        claim.meta.labels = node.meta.labels;
        claim.provider_id = node.provider_id;
        decisions.record({observe::Subject::node(node.meta), observe::Matter::kConsolidation,
                          observe::Verdict::kKept, why, kNow});
        for (int at = 0; at < kPodsOfNode; ++at) {
            api::Pod pod;
            pod.meta.name = fmt::format("web-{}-{}", i, at);
            pod.meta.ns = "default";
            pod.meta.uid = pod.meta.name;
            pod.spec.node_name = node.meta.name;
            pod.spec.containers.resize(1);
            pod.spec.containers[0].requests = {{"cpu", Quantity::parse("150m").value()},
                                               {"memory", Quantity::parse("512Mi").value()}};
            cluster.upsert(pod);
        }
        cluster.upsert(std::move(node));
        cluster.upsert(std::move(claim));
    }
    PageFacts facts() {
        prices.look();
        return {cluster, decisions, commands, prices, savings, book, kNow};
    }
};

void state_of_many_nodes(benchmark::State& bench) {
    World world;
    std::size_t bytes = 0;
    for (auto _ : bench) {
        const std::string text = page_state(world.facts());
        bytes = text.size();
        benchmark::DoNotOptimize(text.data());
    }
    bench.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(state_of_many_nodes)->Unit(benchmark::kMillisecond);

void money_of_many_nodes(benchmark::State& bench) {
    World world;
    for (auto _ : bench) benchmark::DoNotOptimize(sample_money(world.facts()).price);
}
BENCHMARK(money_of_many_nodes)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace joiner::control
