#include "model/capacity_mix.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "api/names.h"

namespace joiner::model {
namespace {

using testing::ElementsAre;

// "on-demand cpu=4000", "spot nodes=2".
std::vector<std::string> ratio_parts(std::vector<std::pair<std::string, std::int64_t>> limits,
                                     const rules::CapacityMix& mix) {
    PoolView view;
    view.name = "default";
    view.remaining = std::move(limits);
    std::vector<std::string> out;
    for (const PoolView& part : split_by_ratio(view, mix)) {
        std::string line = part.requirements.find(api::kCapacityTypeLabel)->any_value();
        EXPECT_EQ(part.is_spot_part, line == api::kSpot);
        EXPECT_EQ(part.mix, mix);
        for (const auto& [name, left] : part.remaining) line += fmt::format(" {}={}", name, left);
        out.push_back(std::move(line));
    }
    return out;
}

TEST(CapacityMix, is_two_parts_of_the_pool_that_share_its_limits) {
    EXPECT_THAT(ratio_parts({}, {{0, 20}, 0, 0}), ElementsAre("on-demand", "spot"));
    EXPECT_THAT(ratio_parts({{"cpu", 100'000}}, {{0, 20}, 0, 0}),
                ElementsAre("on-demand cpu=20000", "spot cpu=80000"));
    EXPECT_THAT(ratio_parts({{"cpu", 100'000}}, {{50'000, 20}, 0, 0}),
                ElementsAre("on-demand cpu=60000", "spot cpu=40000"));
    EXPECT_THAT(ratio_parts({{"cpu", 10'000}}, {{50'000, 20}, 0, 0}),
                ElementsAre("on-demand cpu=10000", "spot cpu=0"));
    EXPECT_THAT(ratio_parts({{"cpu", 100'000}, {"nodes", 10}}, {{0, 20}, 0, 0}),
                ElementsAre("on-demand cpu=20000 nodes=2", "spot cpu=80000 nodes=8"));
    EXPECT_THAT(ratio_parts({{"nodes", 10}}, {{0, 20}, 0, 0}),
                ElementsAre("on-demand nodes=2", "spot nodes=8"));
    // Over its limits it buys nothing.
    EXPECT_THAT(ratio_parts({{"cpu", -5}}, {{0, 20}, 0, 0}), ElementsAre("on-demand cpu=-5", "spot cpu=-5"));
}

struct MixWorld {
    Cluster cluster{rules::PreferencePolicy::kRespect};

    MixWorld() {
        api::NodePool pool;
        pool.meta.name = "default";
        pool.meta.annotations[std::string(api::kOnDemandPercentAnnotation)] = "20";
        cluster.upsert(pool);
    }
    api::NodeClaim claim(const std::string& name, const std::string& capacity_type, const char* cores) {
        api::NodeClaim out;
        out.meta.name = name;
        out.meta.labels = {{std::string(api::kNodePoolLabel), "default"},
                           {std::string(api::kCapacityTypeLabel), capacity_type}};
        if (cores != nullptr) out.capacity["cpu"] = *Quantity::parse(cores);
        return out;
    }
    static rules::InstanceTypes types() {
        std::vector<rules::InstanceType> out(2);
        out[0].name = "small";
        out[0].capacity.cpu_milli = 2000;
        out[1].name = "large";
        out[1].capacity.cpu_milli = 8000;
        return std::make_shared<const std::vector<rules::InstanceType>>(std::move(out));
    }
    // "on demand/spot", in cores.
    std::string cores(const ClaimNames* without = nullptr, const ClaimNames* in_doubt = nullptr) const {
        const CapacityMixes out =
            capacity_mixes({cluster, [](const api::NodePool&) { return types(); }, without, in_doubt});
        const rules::CapacityMix& mix = out.at("default");
        return fmt::format("{}/{}", mix.on_demand / 1000, mix.spot / 1000);
    }
};

TEST(CapacityMix, counts_what_is_there_and_what_is_coming) {
    MixWorld w;
    w.cluster.upsert(w.claim("a", "on-demand", "4"));
    w.cluster.upsert(w.claim("b", "spot", "16"));
    w.cluster.upsert(w.claim("c", "reserved", "8"));
    EXPECT_EQ(w.cores(), "12/16");
    api::NodeClaim gone = w.claim("d", "on-demand", "32");
    gone.meta.deleted = kNoTime;
    w.cluster.upsert(gone);
    EXPECT_EQ(w.cores(), "12/16");
    // In flight: the least on demand, the most of spot, and spot where that is open.
    for (const char* type : {"on-demand", "spot", ""}) {
        api::NodeClaim coming = w.claim(std::string("e") + type, type, nullptr);
        coming.requirements = {{std::string(api::kInstanceTypeLabel), "In", {"small", "large"}, {}}};
        w.cluster.upsert(coming);
    }
    EXPECT_EQ(w.cores(), "14/32");
    const ClaimNames some = {"a", "b"};
    EXPECT_EQ(w.cores(&some), "10/16");
    EXPECT_EQ(w.cores(nullptr, &some), "10/32");
}

}  // namespace
}  // namespace joiner::model
