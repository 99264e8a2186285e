// The types, zones and prices of the region, read from EC2 when they are first asked for and twice a day from
// then on. A part that cannot be read is asked for again, alone, and stays as it was until then; what was
// never read, half a minute after the start, is taken from the built-in table. Borrows the calls. Loop
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/settings.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

struct RegionFacts {
    std::vector<InstanceTypeInfo> types;  // By name.
    std::set<TypeInZone> zones;
    std::map<std::string, rules::Money> on_demand;  // By type.
    std::map<TypeInZone, rules::Money> spot;        // Empty: not known, and on-demand prices stand for it.
};

class RegionTypes {
  public:
    // `on_change`: facts() has changed.
    RegionTypes(io::Loop& loop, Ec2& ec2, Pricing& pricing, std::string region, const Settings& settings,
                std::function<void()> on_change)
        : loop_(loop),
          ec2_(ec2),
          pricing_(pricing),
          region_(std::move(region)),
          settings_(settings),
          on_change_(std::move(on_change)) {}
    ~RegionTypes() { *is_alive_ = false; }
    RegionTypes(const RegionTypes&) = delete;
    RegionTypes& operator=(const RegionTypes&) = delete;

    // nullptr: not known yet. The same pointer until something has changed.
    std::shared_ptr<const RegionFacts> facts();

  private:
    enum Part : unsigned { kTypes = 1, kZones = 2, kSpot = 4, kOnDemand = 8, kAll = 15 };
    struct Reading;
    // What is published next.
    RegionFacts& next();
    // `parts`: of Part, or-ed.
    void read(unsigned parts);
    void finish(const Reading& reading);
    void publish();

    io::Loop& loop_;
    Ec2& ec2_;
    Pricing& pricing_;
    const std::string region_;
    const Settings& settings_;
    const std::function<void()> on_change_;
    // As they were read last, or as the table has them.
    std::shared_ptr<const RegionFacts> facts_;
    std::unique_ptr<RegionFacts> next_;  // nullptr: nothing has been read since.
    bool is_started_ = false;
    int failures_ = 0;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace joiner::cloud::ec2
