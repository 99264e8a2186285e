#include "control/offering_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::control {
namespace {

using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

struct SellingProvider final : cloud::testing::NoProvider {
    bool shows_offerings() const override { return is_shown; }
    Result<cloud::InstanceTypes> instance_types(const api::NodePool&, const api::NodeClass*) override {
        return types;
    }
    bool is_shown = true;
    cloud::InstanceTypes types;
};

struct Bench : act::ServicesBench<SellingProvider> {
    observe::Metrics metrics;
    OfferingMetrics offerings{services, metrics};

    Bench() {
        api::NodePool pool;
        pool.meta.name = "default";
        cluster.upsert(std::move(pool));
    }
    static rules::InstanceType type(const std::string& name, bool is_available, double price) {
        rules::InstanceType out;
        out.name = name;
        out.capacity.cpu_milli = 2000;
        out.capacity.memory_bytes = 1024;
        rules::Offering offering;
        offering.requirements.add(rules::Requirement::in(std::string(api::kZoneLabel), {"z"}));
        offering.requirements.add(rules::Requirement::in(std::string(api::kCapacityTypeLabel), {"spot"}));
        offering.price = rules::Money::from_dollars(price);
        offering.available = is_available;
        out.offerings.push_back(std::move(offering));
        return out;
    }
    void sell(std::vector<rules::InstanceType> types) {
        provider.types = std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
    }
};

constexpr const char* kPriceOfA =
    "karpenter_cloudprovider_instance_type_offering_price_estimate{capacity_type=\"spot\",instance_type="
    "\"a\","
    "zone=\"z\"} ";
constexpr const char* kStockOfA =
    "karpenter_cloudprovider_instance_type_offering_available{capacity_type=\"spot\",instance_type=\"a\","
    "zone=\"z\"} ";

TEST(OfferingMetrics, show_types_and_offerings_and_what_becomes_of_them) {
    Bench b;
    b.sell({Bench::type("a", true, 0.5), Bench::type("b", true, 0.25)});
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(),
                HasSubstr("karpenter_cloudprovider_instance_type_cpu_cores{instance_type=\"a\"} 2"));
    EXPECT_THAT(b.metrics.text(),
                HasSubstr("karpenter_cloudprovider_instance_type_memory_bytes{instance_type=\"b\"} 1024"));
    EXPECT_THAT(b.metrics.text(), HasSubstr(std::string(kPriceOfA) + "0.5"));
    EXPECT_THAT(b.metrics.text(), HasSubstr(std::string(kStockOfA) + "1"));
    b.sell({Bench::type("a", false, 0.75)});
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(), HasSubstr(std::string(kPriceOfA) + "0.5")) << "once a minute";
    b.loop.advance(minutes{1});
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(), HasSubstr(std::string(kPriceOfA) + "0.75"));
    EXPECT_THAT(b.metrics.text(), HasSubstr(std::string(kStockOfA) + "0"));
    EXPECT_THAT(b.metrics.text(), Not(HasSubstr("instance_type=\"b\"")));
}

TEST(OfferingMetrics, are_shown_some_at_a_time) {
    Bench b;
    std::vector<rules::InstanceType> types;
    for (int i = 1000; i < 1600; ++i) types.push_back(Bench::type("t" + std::to_string(i), true, 1));
    b.sell(types);
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(), HasSubstr("\"t1000\""));
    EXPECT_THAT(b.metrics.text(), Not(HasSubstr("\"t1599\"")));
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(), HasSubstr("\"t1599\""));
}

TEST(OfferingMetrics, are_those_of_providers_that_want_it) {
    Bench b;
    b.provider.is_shown = false;
    b.sell({Bench::type("a", true, 0.5)});
    b.offerings.look();
    EXPECT_THAT(b.metrics.text(), Not(HasSubstr("instance_type")));
}

}  // namespace
}  // namespace joiner::control
