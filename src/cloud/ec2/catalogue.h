// The built-in table of EC2's types, data/aws-us-east-1.tsv: what DescribeInstanceTypes says of them, what no
// call says, zones and prices. It is what plans without an account go by, and what stands where a call fails.
// Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/ec2/calls/instance_type_info.h"
#include "cloud/ec2/types/instance_type.h"

namespace joiner::cloud::ec2 {

struct CatalogueType {
    InstanceTypeInfo info;
    TableFacts facts;
    std::vector<std::string> zones;  // "us-east-1a".
    double price = 0;                // Dollars an hour, on demand.
};

struct Catalogue {
    std::string region;
    std::vector<CatalogueType> types;
    std::map<std::string, std::string> zone_ids;  // By zone. Those of one account; another's differ.
};

// Read once, at the first call.
const Catalogue& catalogue();

}  // namespace joiner::cloud::ec2
