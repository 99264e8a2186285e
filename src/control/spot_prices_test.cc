#include "control/spot_prices.h"

#include <gtest/gtest.h>

#include "api/names.h"
#include "cloud/testing/rack.h"
#include "io/testing/manual_loop.h"

namespace joiner::control {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct PricedRack final : cloud::Offers {
    cloud::InstanceTypes instance_types(const api::NodePool&) override { return types; }
    std::string why_no_types(const api::NodePool&) override { return {}; }
    cloud::InstanceTypes types =
        std::make_shared<const std::vector<rules::InstanceType>>(cloud::testing::rack_types());
};

struct Counter {
    io::testing::ManualLoop loop;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    PricedRack own;
    SpotPrices prices;
    api::NodePool pool;

    explicit Counter(bool is_heeded = true) : prices(own, loop, cluster, is_heeded) {
        pool.meta.name = "default";
    }
    static api::NodeClaim claim(const std::string& name, const std::string& zone,
                                std::string_view capacity_type = api::kSpot) {
        api::NodeClaim out;
        out.meta.name = name;
        out.meta.uid = "uid of " + name;
        out.meta.labels = {{std::string(api::kInstanceTypeLabel), "rack-4"},
                           {std::string(api::kZoneLabel), zone},
                           {std::string(api::kCapacityTypeLabel), std::string(capacity_type)}};
        out.node_class = {"rack.test", "RackNodeClass", "default"};
        out.provider_id = "rack://" + name;
        return out;
    }
    void pass(Duration time) {
        for (Duration gone{0}; gone < time; gone += minutes{1}) {
            prices.look();
            loop.advance(minutes{1});
        }
        prices.look();
    }
    double cost_of(const std::string& type, std::string_view zone, std::string_view capacity_type) {
        for (const rules::InstanceType& each : *prices.instance_types(pool)) {
            for (const rules::Offering& offering : each.offerings) {
                if (each.name == type && offering.zone() == zone && offering.capacity_type() == capacity_type)
                    return offering.interruption_cost.dollars();
            }
        }
        return -1;
    }
};

TEST(SpotPrices, are_the_clouds_own_while_nothing_was_taken_back) {
    Counter c;
    c.cluster.upsert(Counter::claim("one", "rack-a"));
    c.pass(hours{30});
    EXPECT_EQ(c.prices.instance_types(c.pool), c.own.types);
    EXPECT_NEAR(c.prices.rates().seen().begin()->second.hours, 30, 5);
}

TEST(SpotPrices, what_was_taken_back_costs_more_beside_its_price) {
    Counter c;
    c.pass(minutes{1});
    c.prices.note_taken_back(Counter::claim("one", "rack-a"));
    c.prices.note_taken_back(Counter::claim("one", "rack-a"));  // Said again.
    EXPECT_EQ(c.prices.instance_types(c.pool), c.own.types);    // Prices follow in time.
    c.pass(minutes{1});
    // A hundredth of an interruption an hour: ten minutes of 0.04 $, and 0.02 $ for each of four cores.
    EXPECT_NEAR(c.cost_of("rack-4", "rack-a", "spot"), 0.01 * (0.04 / 6 + 0.08), 1e-6);
    EXPECT_EQ(c.cost_of("rack-4", "rack-b", "spot"), 0);
    EXPECT_EQ(c.cost_of("rack-16", "rack-a", "spot"), 0);
    EXPECT_EQ(c.cost_of("rack-4", "rack-a", "on-demand"), 0);
    const auto types = c.prices.instance_types(c.pool);
    for (std::size_t i = 0; i < types->size(); ++i) {
        for (std::size_t j = 0; j < (*types)[i].offerings.size(); ++j)
            EXPECT_EQ((*types)[i].offerings[j].price, (*c.own.types)[i].offerings[j].price);
    }
    EXPECT_EQ(c.prices.instance_types(c.pool), types);  // The same until something changes.
    c.own.types = std::make_shared<const std::vector<rules::InstanceType>>(cloud::testing::rack_types());
    EXPECT_NE(c.prices.instance_types(c.pool), types);
}

TEST(SpotPrices, do_not_move_with_every_interruption) {
    Counter c;
    c.pass(minutes{1});
    std::set<cloud::InstanceTypes> seen;
    for (int i = 0; i < 60; ++i) {
        c.prices.note_taken_back(Counter::claim("one of " + std::to_string(i), "rack-a"));
        c.loop.advance(seconds{1});
        c.prices.look();
        seen.insert(c.prices.instance_types(c.pool));
    }
    EXPECT_LE(seen.size(), 2u);
}

TEST(SpotPrices, on_demand_teaches_nothing_of_spot) {
    Counter c;
    c.prices.note_taken_back(Counter::claim("one", "rack-a", api::kOnDemand));
    c.pass(minutes{2});
    EXPECT_TRUE(c.prices.rates().seen().empty());
    EXPECT_EQ(c.prices.changes(), 0u);
}

TEST(SpotPrices, are_as_they_were_in_the_end) {
    Counter c;
    c.prices.note_taken_back(Counter::claim("one", "rack-a"));
    c.pass(minutes{1});
    EXPECT_GT(c.cost_of("rack-4", "rack-a", "spot"), 0);
    c.pass(hours{24 * 30});
    EXPECT_EQ(c.prices.instance_types(c.pool), c.own.types);
}

TEST(SpotPrices, may_be_left_out_of_account) {
    Counter c(false);
    c.prices.note_taken_back(Counter::claim("one", "rack-a"));
    c.pass(minutes{2});
    EXPECT_GT(c.prices.rates().excess({"rack-4", "rack-a", "spot", ""}), 0);
    EXPECT_EQ(c.prices.instance_types(c.pool), c.own.types);
}

TEST(SpotPrices, what_another_process_has_learned_holds_from_the_beginning) {
    Counter before;
    before.prices.note_taken_back(Counter::claim("one", "rack-a"));
    Counter c;
    c.prices.remember(before.prices.rates().written());
    EXPECT_GT(c.cost_of("rack-4", "rack-a", "spot"), 0);
}

}  // namespace
}  // namespace joiner::control
