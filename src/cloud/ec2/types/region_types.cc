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
// So long the first answers are waited for.
constexpr Duration kPatience = seconds{30};

// What plans go by until EC2 has said otherwise. Zones are those of another account: of a region that the
// table is not of, none are known.
RegionFacts built_in_facts(const std::string& region) {
    RegionFacts out;
    for (const CatalogueType& type : catalogue().types) {
        out.types.push_back(type.info);
        out.on_demand[type.info.name] = rules::Money::from_dollars(type.price);
        if (region != catalogue().region) continue;
        for (const std::string& zone : type.zones) out.zones.insert({type.info.name, zone});
    }
    return out;
}

// The newest of each.
std::map<TypeInZone, rules::Money> latest(const std::vector<SpotPrice>& prices) {
    std::map<TypeInZone, rules::Money> out;
    std::map<TypeInZone, WallTime> since;
    for (const SpotPrice& each : prices) {
        const TypeInZone key = {each.type, each.zone};
        if (const auto newest = since.find(key); newest != since.end() && newest->second > each.since)
            continue;
        since[key] = each.since;
        out[key] = each.per_hour;
    }
    return out;
}

}  // namespace

struct RegionTypes::Reading {
    int left = 0;
    unsigned failed = 0;  // Parts, or-ed.
    bool has_changed = false;
};

std::shared_ptr<const RegionFacts> RegionTypes::facts() {
    if (!std::exchange(is_started_, true)) {
        next() = built_in_facts(region_);
        read(kAll);
        loop_.after(kPatience, [this, is_alive = is_alive_] {
            if (*is_alive && facts_ == nullptr) publish();
        });
    }
    return facts_;
}

RegionFacts& RegionTypes::next() {
    if (next_ == nullptr)
        next_ = facts_ == nullptr ? std::make_unique<RegionFacts>() : std::make_unique<RegionFacts>(*facts_);
    return *next_;
}

void RegionTypes::read(unsigned parts) {
    const auto reading = std::make_shared<Reading>();
    const bool has_price_list = !settings_.isolated_vpc && !region_.starts_with("us-gov-");
    if (!has_price_list) parts &= ~static_cast<unsigned>(kOnDemand);
    const auto is_alive = is_alive_;
    const auto step = [this, reading, is_alive](Part part, const auto& answer, auto take) {
        if (!*is_alive) return;
        if (answer) {
            take(*answer);
            reading->has_changed = true;
        } else {
            reading->failed |= part;
        }
        if (--reading->left == 0) finish(*reading);
    };
    for (const Part part : {kTypes, kZones, kSpot, kOnDemand, kOnDemand})
        reading->left += (parts & part) != 0;
    if (parts & kTypes) {
        ec2_.describe_instance_types([this, step](const aws::Answer<std::vector<InstanceTypeInfo>>& answer) {
            step(kTypes, answer, [&](std::vector<InstanceTypeInfo> types) {
                std::sort(types.begin(), types.end(),
                          [](const auto& a, const auto& b) { return a.name < b.name; });
                next().types = std::move(types);
            });
        });
    }
    if (parts & kZones) {
        ec2_.describe_instance_type_offerings(
            [this, step](const aws::Answer<std::vector<TypeInZone>>& answer) {
                step(kZones, answer,
                     [&](const std::vector<TypeInZone>& rows) { next().zones = {rows.begin(), rows.end()}; });
            });
    }
    if (parts & kSpot) {
        ec2_.describe_spot_prices(loop_.now(), [this,
                                                step](const aws::Answer<std::vector<SpotPrice>>& answer) {
            step(kSpot, answer, [&](const std::vector<SpotPrice>& prices) { next().spot = latest(prices); });
        });
    }
    if (parts & kOnDemand) {
        for (const PriceList list : {PriceList::kShared, PriceList::kBareMetal})
            pricing_.on_demand_prices(
                region_, list, [this, step](const aws::Answer<std::vector<OnDemandPrice>>& answer) {
                    step(kOnDemand, answer, [&](const std::vector<OnDemandPrice>& prices) {
                        for (const OnDemandPrice& each : prices) next().on_demand[each.type] = each.per_hour;
                    });
                });
    }
}

void RegionTypes::finish(const Reading& reading) {
    if (reading.has_changed || facts_ == nullptr) publish();
    Duration pause = kReadAgain;
    if (reading.failed != 0)
        pause = std::min(kLongestPause, kFirstPause * (1 << std::min(failures_++, 6)));
    else
        failures_ = 0;
    const unsigned next = reading.failed != 0 ? reading.failed : kAll;
    loop_.after(pause, [this, next, is_alive = is_alive_] {
        if (*is_alive) read(next);
    });
}

void RegionTypes::publish() {
    // Without zones nothing can be bought.
    if (next().zones.empty()) return;
    facts_ = std::exchange(next_, nullptr);
    on_change_();
}

}  // namespace joiner::cloud::ec2
