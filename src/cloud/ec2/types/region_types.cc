#include "cloud/ec2/types/region_types.h"

#include <algorithm>
#include <utility>

#include "cloud/ec2/catalogue.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr Duration kReadAgain = hours{12};
constexpr Duration kFirstPause = seconds{5};
constexpr Duration kLongestPause = seconds{300};

// Prices to begin with: the built-in ones, whatever region they are of.
std::map<std::string, rules::Money> built_in_prices() {
    std::map<std::string, rules::Money> out;
    for (const CatalogueType& type : catalogue().types)
        out[type.info.name] = rules::Money::from_dollars(type.price);
    return out;
}

}  // namespace

struct RegionTypes::Reading {
    RegionFacts facts;
    int left = 0;
    std::optional<Error> error;
};

std::shared_ptr<const RegionFacts> RegionTypes::facts() {
    if (!std::exchange(is_started_, true)) {
        on_demand_ = built_in_prices();
        read();
    }
    return facts_;
}

void RegionTypes::read() {
    const auto reading = std::make_shared<Reading>();
    reading->left = 3;
    const auto is_alive = is_alive_;
    const auto step = [this, reading, is_alive](const auto& answer, auto take) {
        if (!*is_alive) return;
        if (answer)
            take(*answer);
        else
            reading->error = answer.error();
        if (--reading->left == 0) read_prices(reading);
    };
    ec2_.describe_instance_types([step, reading](const aws::Answer<std::vector<InstanceTypeInfo>>& answer) {
        step(answer, [&](const std::vector<InstanceTypeInfo>& types) { reading->facts.types = types; });
    });
    ec2_.describe_instance_type_offerings(
        [step, reading](const aws::Answer<std::vector<TypeInZone>>& answer) {
            step(answer, [&](const std::vector<TypeInZone>& rows) {
                reading->facts.zones = std::set<TypeInZone>(rows.begin(), rows.end());
            });
        });
    ec2_.describe_spot_prices(loop_.now(), [step,
                                            reading](const aws::Answer<std::vector<SpotPrice>>& answer) {
        step(answer, [&](const std::vector<SpotPrice>& prices) {
            std::map<TypeInZone, WallTime> since;
            for (const SpotPrice& each : prices) {
                const TypeInZone key = {each.type, each.zone};
                if (const auto newest = since.find(key); newest != since.end() && newest->second > each.since)
                    continue;
                since[key] = each.since;
                reading->facts.spot[key] = each.per_hour;
            }
        });
    });
}

// Types are known without prices too, by those of before.
void RegionTypes::read_prices(const std::shared_ptr<Reading>& reading) {
    if (settings_.isolated_vpc || region_.starts_with("us-gov-")) return finish(reading);
    reading->left = 2;
    for (const PriceList list : {PriceList::kShared, PriceList::kBareMetal})
        pricing_.on_demand_prices(
            region_, list,
            [this, reading, is_alive = is_alive_](const aws::Answer<std::vector<OnDemandPrice>>& prices) {
                if (!*is_alive) return;
                if (prices) {
                    for (const OnDemandPrice& each : *prices) on_demand_[each.type] = each.per_hour;
                }
                if (--reading->left == 0) finish(reading);
            });
}

void RegionTypes::finish(const std::shared_ptr<Reading>& reading) {
    problem_ = reading->error;
    Duration pause = kReadAgain;
    if (problem_) {
        pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
    } else {
        failures_ = 0;
        std::sort(reading->facts.types.begin(), reading->facts.types.end(),
                  [](const InstanceTypeInfo& a, const InstanceTypeInfo& b) { return a.name < b.name; });
        reading->facts.on_demand = on_demand_;
        facts_ = std::make_shared<const RegionFacts>(std::move(reading->facts));
        on_change_();
    }
    loop_.after(pause, [this, is_alive = is_alive_] {
        if (*is_alive) read();
    });
}

}  // namespace joiner::cloud::ec2
