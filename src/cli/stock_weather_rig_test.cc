// Stock-outs on virtual time, drawn from seeds: what launches asked for in vain and what they paid, beside
// one that knows the stock. The whole controller.
#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "base/testing/seeds.h"
#include "cli/testing/rack_rig.h"
#include "rules/instance_type.h"

namespace joiner {
namespace {

constexpr int kHoursOfWeather = seeds(24);

// Six families in five sizes, three zones, spot and on demand: 180 offerings of prices of their own.
std::vector<rules::InstanceType> many_types(Rng& rng) {
    std::vector<rules::InstanceType> out;
    for (const rules::InstanceType& model : cloud::testing::rack_types()) {
        if (model.name != "rack-4") continue;
        for (int family = 0; family < 6; ++family) {
            const double of_family = 0.8 + 0.4 * rng.unit();
            for (const int cpu : {2, 4, 8, 16, 32}) {
                rules::InstanceType type = model;
                type.name = fmt::format("f{}-{}", family, cpu);
                type.capacity.cpu_milli = cpu * 1000;
                type.capacity.memory_bytes = cpu * (std::int64_t{4} << 30);
                type.requirements.replace(
                    rules::Requirement::in(std::string(api::kInstanceTypeLabel), {type.name}));
                for (rules::Offering& offering : type.offerings)
                    offering.price = rules::Money::from_dollars(offering.price.dollars() * of_family * cpu /
                                                                4 * (0.97 + 0.06 * rng.unit()));
                out.push_back(std::move(type));
            }
        }
    }
    return out;
}

class StockWeather : public RackRig, public testing::WithParamInterface<int> {
  protected:
    StockWeather() : rng_(static_cast<std::uint64_t>(GetParam())), types_(many_types(rng_)) {
        apply(kRackDefinition);
        apply(kRackClass);
        apply(rack_pool("on-demand, spot"));
        rack_.faults.slow = kRoundTrip;
        rack_.on_launch = [this](const RackMachine& machine) {
            world_.loop().after(seconds{2}, [this, machine] {
                if (rack_.find(machine.id) != nullptr) apply(joined(machine));
            });
        };
        rack_.on_asked = [this](const cloud::LaunchRequest& request) { judge(request); };
    }
    static constexpr Duration kRoundTrip = std::chrono::milliseconds{400};

    void begin() {
        start();
        provider_->set_types(types_);
    }
    std::string joined(const RackMachine& machine) const {
        const std::string cpu = machine.offering.type.substr(3);
        const std::string amounts =
            fmt::format("{{cpu: \"{}\", memory: {}Gi, pods: \"110\", ephemeral-storage: 100Gi}}", cpu,
                        std::stoi(cpu) * 4);
        return fmt::format(
            "{{apiVersion: v1, kind: Node, metadata: {{name: rack-{}, annotations: {{kwok.x-k8s.io/node: "
            "fake}}}}, "
            "spec: {{providerID: \"{}\", taints: [{{key: karpenter.sh/unregistered, effect: NoExecute}}]}}, "
            "status: {{capacity: {}, allocatable: {}}}}}",
            machine.id.substr(7), machine.id, amounts, amounts);
    }
    // Beside one that knows the stock.
    void judge(const cloud::LaunchRequest& request) {
        ++asked_[request.claim.meta.uid];
        const auto wanted = rules::make_requirements(request.claim.requirements);
        const rules::Resources requests = rules::as_request(request.claim.requests);
        std::map<std::pair<rules::Money, rules::OfferingKey>, bool> all;  // Whether it is there.
        for (const rules::InstanceType& type : types_) {
            if (!rules::intersects(*wanted, type.requirements) || !rules::fits(requests, type.allocatable()))
                continue;
            for (const rules::Offering& offering : type.offerings) {
                if (!rules::compatible(*wanted, offering.requirements, &provider_->labels().well_known))
                    continue;
                const rules::OfferingKey key = rules::key_of(type, offering);
                all[{offering.price, key}] = !rack_.sold_out.contains(key);
            }
        }
        const auto best = std::find_if(all.begin(), all.end(), [](const auto& each) { return each.second; });
        for (auto it = all.begin(); it != best; ++it) {
            ++without_memory_;
            outages_met_.insert({it->first.second, outage_[it->first.second]});
        }
        note_refusals(request);
        if (best == all.end()) return;
        for (const cloud::LaunchChoice& choice : request.choices) {
            if (rack_.sold_out.contains(choice.key())) continue;
            best_ += best->first.first.dollars();
            paid_ += choice.offering->price.dollars();
            ++had_;
            return;
        }
    }
    // Claims of one launch group ask by one call, as on EC2.
    void note_refusals(const cloud::LaunchRequest& request) {
        const WallTime now = world_.loop().now();
        const std::string group(
            api::find_or_empty(request.claim.meta.annotations, api::kLaunchGroupAnnotation));
        for (const cloud::LaunchChoice& choice : request.choices) {
            const rules::OfferingKey key = choice.key();
            if (!rack_.sold_out.contains(key)) return;
            const auto [last, is_first] = asked_at_.try_emplace({key, outage_[key]}, LastAsked{now, {}});
            const bool is_before_that_answer = now - last->second.at <= kRoundTrip;
            const bool is_same_call = !group.empty() && last->second.groups.contains(group);
            if (is_first) {
                ++firsts_;
            } else if (!is_before_that_answer) {
                ++again_;
            } else if (!is_same_call) {
                ++at_once_;
            }
            last->second.at = now;
            last->second.groups.insert(group);
        }
    }
    void set_stock(const rules::OfferingKey& key, bool is_out) {
        if (is_out && rack_.sold_out.insert(key).second) ++outage_[key];
        if (!is_out) rack_.sold_out.erase(key);
    }
    template <typename F>
    void for_each_offering(F f) {
        for (const rules::InstanceType& type : types_) {
            for (const rules::Offering& offering : type.offerings) f(rules::key_of(type, offering));
        }
    }
    int failed() const { return firsts_ + at_once_ + again_; }

    Rng rng_;
    std::vector<rules::InstanceType> types_;
    std::map<rules::OfferingKey, int> outage_;  // The number of its last.
    std::map<std::string, int> asked_;          // By claim.
    // Offerings asked for in vain: by one that forgets all at once, and by one that asks once an outage.
    int without_memory_ = 0;
    std::set<std::pair<rules::OfferingKey, int>> outages_met_;
    // What was asked for in vain: the first to find an outage, those that asked before its answer was known,
    // and those that asked again later whether it is back.
    int firsts_ = 0, at_once_ = 0, again_ = 0;
    struct LastAsked {
        WallTime at = kNoTime;
        std::set<std::string> groups;
    };
    std::map<std::pair<rules::OfferingKey, int>, LastAsked> asked_at_;  // By outage.
    double best_ = 0, paid_ = 0;
    int had_ = 0;
};

TEST_P(StockWeather,
       with_nine_offerings_in_ten_out_a_launch_takes_one_round_trip_and_the_price_is_near_the_best) {
    begin();
    for_each_offering([&](const rules::OfferingKey& key) { set_stock(key, rng_.unit() < 0.9); });
    for (int i = 0; i < 10; ++i) {
        apply(deployment(fmt::format("web-{}", i), 1 + static_cast<int>(rng_.below(20)),
                         i % 2 == 0 ? "1500m" : "700m"));
        world_.run_for(seconds{20});
    }
    ASSERT_TRUE(until([&] { return running() > 0 && world_.pods_by_phase()["Pending"] == 0; }, minutes{5}));
    for (const auto& [claim, times] : asked_) EXPECT_EQ(times, 1) << "no round trip more";
    EXPECT_LE(paid_, 1.05 * best_);
    EXPECT_EQ(disorder_after(minutes{1}), "");
    fmt::print("seed {}: {} launches, paid {:.4f} of the best\n", GetParam(), had_, paid_ / best_);
}

// Each offering goes and comes by itself: spot is out a third of the time, an hour on average.
TEST_P(StockWeather, in_hours_and_days_few_launches_ask_for_what_is_out) {
    begin();
    constexpr double kStep = 300;  // Seconds.
    apply(deployment("web", 10, "1500m"));
    for (int step = 0; step < kHoursOfWeather * 12; ++step) {
        for_each_offering([&](const rules::OfferingKey& key) {
            const bool is_spot = key.capacity_type == api::kSpot;
            const bool is_out = rack_.sold_out.contains(key);
            const double hours = is_out ? 1 : is_spot ? 2 : 10;
            if (rng_.unit() < kStep / (3600 * hours)) set_stock(key, !is_out);
        });
        ASSERT_TRUE(world_.scale("Deployment", "default", "web", 5 + static_cast<int>(rng_.below(60))));
        world_.run_for(from_seconds(kStep));
    }
    fmt::print(
        "seed {}: {} launches, {} offerings asked for in vain ({} first, {} before that answer, {} again); "
        "{} "
        "without a memory, {} outages met; paid {:.4f} of the best\n",
        GetParam(), asked_.size(), failed(), firsts_, at_once_, again_, without_memory_, outages_met_.size(),
        paid_ / best_);
    EXPECT_LE(failed(), without_memory_);
    EXPECT_LE(failed(), static_cast<int>(3 * outages_met_.size()));
    EXPECT_LE(paid_, 1.05 * best_);
    EXPECT_EQ(disorder_after(minutes{5}), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, StockWeather, testing::Values(1, 2, 3));

}  // namespace
}  // namespace joiner
