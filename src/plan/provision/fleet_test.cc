#include "plan/provision/fleet.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "api/names.h"
#include "base/rng.h"

namespace joiner::plan {
namespace {

using rules::Requirement;

rules::InstanceType a_type(const std::string& name, int cpus, int gib, double price) {
    rules::InstanceType type;
    type.name = name;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = std::int64_t{gib} << 30;
    type.capacity.pods = 500;
    type.requirements.add(Requirement::in(std::string(api::kInstanceTypeLabel), {name}));
    type.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a"}));
    rules::Offering offering;
    offering.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a"}));
    offering.requirements.add(Requirement::in(std::string(api::kCapacityTypeLabel), {"on-demand"}));
    offering.price = rules::Money::from_dollars(price);
    type.offerings.push_back(offering);
    return type;
}

// Keeps all that a Market refers to.
class Shop {
  public:
    explicit Shop(std::vector<rules::InstanceType> types) {
        model::PoolView& pool = snapshot_.pools.emplace_back();
        pool.name = "default";
        pool.types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    }
    void pods(int count, int milli, int mib) {
        api::Pod pod;
        pod.meta.ns = "ns";
        api::Container& container = pod.spec.containers.emplace_back();
        container.requests["cpu"] = Quantity::of_milli(milli);
        container.requests["memory"] = Quantity::of_units(std::int64_t{mib} << 20);
        const auto shape = std::make_shared<const rules::PodShape>(
            rules::make_pod_shape(pod, rules::PreferencePolicy::kRespect));
        const auto labels = std::make_shared<const rules::PodLabels>(rules::PodLabels{"ns", {}});
        for (int i = 0; i < count; ++i) {
            const std::string name = fmt::format("p{}", snapshot_.pods.size());
            snapshot_.pods.push_back({{"ns", name, name}, shape, kNoTime, labels});
        }
    }
    const Market& open() {
        problem_ = std::make_unique<Problem>(snapshot_);
        std::vector<std::uint32_t> counts;
        for (std::uint32_t k = 0; k < problem_->kinds().size(); ++k) {
            const std::uint32_t c = problem_->class_of(k, {});
            if (counts.size() <= c) counts.resize(c + 1, 0);
            counts[c] += static_cast<std::uint32_t>(problem_->kinds()[k].pods.size());
        }
        market_ = std::make_unique<Market>(*problem_, make_tiers(*problem_), counts, std::vector<Bin>{});
        return *market_;
    }

  private:
    model::Snapshot snapshot_;
    std::unique_ptr<Problem> problem_;
    std::unique_ptr<Market> market_;
};

std::size_t placed(const Draft& draft) {
    std::size_t out = 0;
    for (const DraftNode& node : draft.nodes) {
        for (const Take& take : node.take) out += take.count;
    }
    return out;
}

TEST(Fleet, leaves_next_to_nothing_of_either_resource) {
    // Neither type alone has the proportions that are asked for.
    Shop shop({a_type("lean", 16, 32, 1.0), a_type("fat", 16, 128, 1.6)});
    Rng rng(1);
    for (int i = 0; i < 150; ++i) {
        const int milli = 50 + 10 * static_cast<int>(rng.below(200));
        shop.pods(1 + static_cast<int>(rng.below(30)), milli,
                  milli * std::array{1, 2, 3, 5, 8, 12, 16}[rng.below(7)]);
    }
    const Market& market = shop.open();
    const std::vector<Draft> fleets = fill_fleets(market, {}, 1'000'000);
    ASSERT_FALSE(fleets.empty());
    const Draft& draft = fleets.front();
    std::vector<std::uint32_t> counts(market.lots().size(), 0);
    std::vector<double> used(market.dimensions(), 0);
    std::vector<double> room(market.dimensions(), 0);
    std::set<OfferIndex> offers;
    for (const DraftNode& node : draft.nodes) {
        offers.insert(node.offer);
        std::vector<double> own(market.dimensions(), 0);
        for (const Take& take : node.take) {
            counts[take.lot] += take.count;
            for (std::size_t d = 0; d < own.size(); ++d) own[d] += take.count * market.request(take.lot)[d];
        }
        for (std::size_t d = 0; d < own.size(); ++d) {
            EXPECT_LE(own[d], market.room(node.offer)[d]);
            used[d] += own[d];
            room[d] += market.room(node.offer)[d];
        }
    }
    for (std::size_t lot = 0; lot < counts.size(); ++lot) EXPECT_LE(counts[lot], market.lots()[lot].count);
    EXPECT_EQ(offers.size(), 2u);
    for (std::size_t d = 0; d < 2; ++d) EXPECT_GT(used[d], 0.98 * room[d]) << d;
}

TEST(Fleet, tries_larger_machines_where_the_small_hold_little_of_what_is_asked_for) {
    Shop shop({a_type("small", 1, 4, 0.9), a_type("large", 16, 64, 16)});
    shop.pods(40, 4000, 16000);
    shop.pods(40, 100, 400);
    const Market& market = shop.open();
    const std::vector<Draft> fleets = fill_fleets(market, {}, 1'000'000);
    std::size_t most = 0;
    for (const Draft& draft : fleets) most = std::max(most, placed(draft));
    EXPECT_GE(fleets.size(), 2u);
    EXPECT_GE(most, 40u);
    EXPECT_TRUE(fill_fleets(market, {}, 10).empty()) << "not within so few looks";
}

TEST(Fleet, nobody_is_bought_for_who_has_a_place) {
    Shop shop({a_type("large", 16, 64, 16)});
    shop.pods(40, 4000, 16000);
    const Market& market = shop.open();
    const std::vector<Draft> fleets = fill_fleets(market, {{0, {{0, 20}}}}, 1'000'000);
    ASSERT_EQ(fleets.size(), 1u);
    EXPECT_EQ(placed(fleets.front()), 40u);
    EXPECT_EQ(fleets.front().nodes.size(), 6u);
}

}  // namespace
}  // namespace joiner::plan
