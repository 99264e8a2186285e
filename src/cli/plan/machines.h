// Where `joiner plan` meets the catalogues of clouds: whose machine a node is, and what is sold where it
// stands. All that depends on which clouds have a catalogue is here. One owner, one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/core.h"
#include "api/karpenter.h"
#include "base/result.h"
#include "cli/pool_types.h"
#include "model/snapshot.h"
#include "rules/node_pool_rules.h"
#include "rules/overlay.h"

namespace joiner::cli {

// What a node says of its machine; what it does not say is empty.
struct MachineFacts {
    std::string cloud;   // "aws", "gcp" or "azure".
    std::string region;  // "us-east-1"
    std::string zone;
    std::string type;           // "m5.large"
    std::string capacity_type;  // "on-demand" or "spot"; on demand where the node does not say.
    std::string arch;
    std::string os;
};
MachineFacts machine_facts(const api::Node& node);

// Its cores are a share of a core, paid by credits or lent by others: t3.small, e2-micro, Standard_B2s. Such
// machines stand for nothing but their like.
bool is_burstable(const std::string& cloud, std::string_view type);

using Zones = std::set<std::string, std::less<>>;

// Where the nodes of NodePools are: what may be bought for a pool is sold there.
class PoolPlaces {
  public:
    // A node that does not say its cloud, region and zone says nothing here.
    void add(const api::Node& node);

    struct Place {
        std::string region;  // Empty: no node says.
        Zones zones;
    };
    // Of the pool's own nodes; of a pool without any, of all nodes. Where they are in several regions, the
    // one of the most, then by name.
    Place of(std::string_view pool) const;

  private:
    using ByRegion =
        std::map<std::string, std::pair<std::size_t, Zones>, std::less<>>;  // With how many nodes.

    std::map<std::string, ByRegion, std::less<>> by_pool_;
    ByRegion of_all_;
};

// Types for sale in the zones that are asked for.
struct ForSale {
    rules::InstanceTypes types;  // Never nullptr; empty: no catalogue knows of any.
    std::string remark;          // What is to be said of their prices; empty: nothing.
};

class Machines {
  public:
    // `types_file` empty: the built-in catalogues.
    static Result<Machines> load(const std::string& types_file);

    ForSale for_sale(const std::string& cloud, const std::string& region, const Zones& zones);
    // What a NodePool may buy where its nodes stand.
    ForSale for_pool(const api::NodePool& pool, const PoolPlaces& places);

    // Of all types that were given out.
    rules::RestrictedLabels labels() const;
    model::TypesSource source() const;

  private:
    bool has_file_ = false;
    rules::InstanceTypes types_;          // Of the file.
    std::optional<PoolTypes> own_types_;  // Of NodePools whose class says more than its cloud.
    std::map<std::tuple<std::string, std::string, Zones>, ForSale> given_;  // By cloud, region, zones.
};

// What a machine costs whose type is not for sale: by its table, or by cores and memory.
struct SeenPrice {
    rules::Money price;
    bool is_estimate = true;
};
SeenPrice seen_price(const std::string& cloud, const std::string& region, const std::string& type,
                     const rules::Resources& capacity, std::string_view capacity_type);

// Dollars an hour for a core and a GiB of memory of a machine of no cloud, as one of AWS's families m and r
// costs in us-east-1. Devices count for nothing.
inline constexpr double kDollarsPerCore = 0.033;
inline constexpr double kDollarsPerGiB = 0.00375;
// Of that, and of other estimates, on spot.
inline constexpr double kSpotShareOfPrice = 0.7;

}  // namespace joiner::cli
