// A region whose calls would say what the built-in table says, spot at two fifths of the price. For tests and
// benchmarks.
#pragma once

#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/types/class_types.h"

namespace joiner::cloud::ec2::testing {

inline RegionFacts catalogue_region() {
    RegionFacts out;
    for (const CatalogueType& type : catalogue().types) {
        out.types.push_back(type.info);
        out.on_demand[type.info.name] = rules::Money::from_dollars(type.price);
        for (const std::string& zone : type.zones) {
            out.zones.insert({type.info.name, zone});
            out.spot[{type.info.name, zone}] = rules::Money::from_dollars(type.price * 0.4);
        }
    }
    return out;
}

}  // namespace joiner::cloud::ec2::testing
