// The built-in tables of machines of AWS, Azure and Google Cloud: what they hold, what labels their nodes
// carry, what they cost, and of when those prices are. `plan` and `simulate` go by them where nobody has been
// asked. Each table is read when it is first asked for. Thread-safe; everything that is handed out is
// immutable. Money is US dollars an hour. Sources and limits: docs/catalogues.md.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "cloud/catalogue/node_place.h"
#include "rules/instance_type.h"
#include "rules/money.h"
#include "rules/overlay.h"

namespace joiner::cloud::catalogue {

enum class PriceSource {
    kTable,      // Of this type in this region, as published.
    kReckoned,   // Of this type, carried over from another region, or a share of the on-demand price.
    kEstimated,  // The type is not in the table: by cores, memory and GPUs.
};

struct Price {
    rules::Money per_hour;
    PriceSource source = PriceSource::kTable;
    // A clause that says where it comes from: "Azure retail prices of 2026-06-18",
    // "Standard_X2 is not in the table: estimated by its cores and memory".
    std::string words;
};

class Catalogue {
  public:
    // What can be bought in the region, by name; the same pointer for the same question. `zones` are those
    // that the table does not know, such as seen in the cluster; where it knows some, it goes by its own and
    // adds these. A region that no table has is priced as the cloud's base region (see note()).
    rules::InstanceTypes types_of(Cloud cloud, const std::string& region,
                                  const std::vector<std::string>& zones = {}) const;

    // What a node of this type costs. None for a type that the table does not have.
    std::optional<Price> price_of(Cloud cloud, const std::string& type, const std::string& region,
                                  std::string_view capacity_type) const;
    // The same by the node's labels; of an unknown type the estimate by its capacity. None where the node is
    // of none of these clouds, or says neither its type nor its capacity.
    std::optional<Price> price_of(const api::Node& node) const;

    // What a machine of that size costs on demand in the cloud's base region: dollars by core and GiB as a
    // least-squares fit over the table's machines for general use says, and a GPU at the median of what the
    // table's GPUs cost beyond.
    rules::Money estimated_price(Cloud cloud, std::int64_t cpu_milli, std::int64_t memory_bytes,
                                 std::int64_t gpus = 0) const;

    // "Azure retail prices of 2026-06-18".
    std::string dated(Cloud cloud) const;
    // The region that stands for one that is not known or not said.
    static std::string_view base_region(Cloud cloud);
    bool knows_region(Cloud cloud, const std::string& region) const;
    // A sentence to warn of where the region's prices are not its own; empty otherwise.
    std::string note(Cloud cloud, const std::string& region) const;

  private:
    mutable std::mutex mutex_;
    mutable std::map<std::string, rules::InstanceTypes> types_;  // By cloud, region and zones.
};

// The one catalogue of the process.
const Catalogue& built_in();

}  // namespace joiner::cloud::catalogue
