// A catalogue of one on-demand type "t" in zone "a", at 0.20 $ an hour, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/names.h"
#include "rules/instance_type.h"

namespace joiner::plan::samples {

inline std::shared_ptr<const std::vector<rules::InstanceType>> one_type(std::int64_t cpu_milli = 4000,
                                                                        bool is_available = true) {
    rules::InstanceType type;
    type.name = "t";
    type.capacity.cpu_milli = cpu_milli;
    type.capacity.memory_bytes = std::int64_t{16} << 30;
    type.capacity.pods = 110;
    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
    rules::Offering offering;
    offering.requirements.add_labels({{std::string(api::kZoneLabel), "a"},
                                      {std::string(api::kCapacityTypeLabel), std::string(api::kOnDemand)}});
    offering.price = rules::Money::from_dollars(0.2);
    offering.available = is_available;
    type.requirements.add_labels({{std::string(api::kInstanceTypeLabel), "t"},
                                  {std::string(api::kArchLabel), "amd64"},
                                  {std::string(api::kOSLabel), "linux"},
                                  {std::string(api::kZoneLabel), "a"}});
    type.offerings.push_back(offering);
    return std::make_shared<const std::vector<rules::InstanceType>>(std::vector<rules::InstanceType>{type});
}

}  // namespace joiner::plan::samples
