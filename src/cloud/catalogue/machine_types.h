// Makes the instance types of a region out of the tables: capacity, what the cloud's node images keep for
// themselves, the labels that its nodes carry, and an offering by zone and capacity type. Pure; any thread.
// Rules and their sources: docs/catalogues.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/catalogue/price_tables.h"
#include "rules/instance_type.h"

namespace joiner::cloud::catalogue {

// Spot is taken as this share of the on-demand price, where the table has no spot price. AWS's is
// that of the catalogue that simulate has always used; of the others the least discount that Google states
// (60 to 91 %).
inline constexpr double kAwsSpotShare = 0.7;
inline constexpr double kOtherSpotShare = 0.4;

// Dollars an hour on demand of a machine in a region of the table, and whether that is its own price there:
// else it is carried over from the base region, or from the first that has one.
struct TablePrice {
    double dollars = 0;
    bool is_own = true;
    std::optional<double> spot = {};  // Of the same region, where the table has it.
};
TablePrice price_in(const MachineTable& table, const MachineRow& row, std::string_view region);
// Of Google's custom machines, "n2-custom-8-20480": cores and MiB at the rates that two machines of the
// family tell, and 5 % more but of E2. Extended memory counts as any other. None where the name or the family
// is not known.
std::optional<TablePrice> custom_price(std::string_view name, std::string_view region);
// Azure sells no spot of its burstable machines.
bool has_spot(const MachineRow& row);

// Types that are sold in the region, by name; of a region that is not in the table all that the base sells.
std::vector<rules::InstanceType> azure_types(const std::string& region,
                                             const std::vector<std::string>& zones);
std::vector<rules::InstanceType> google_types(const std::string& region,
                                              const std::vector<std::string>& zones);
// `zones` of a region other than us-east-1, not empty.
std::vector<rules::InstanceType> aws_types(const std::string& region, const std::vector<std::string>& zones);

// What a type of AWS costs in the region over us-east-1. `is_own`: its family has a figure there.
struct AwsFactor {
    double factor = 1;
    bool is_own = true;
    bool is_known_region = true;
};
AwsFactor aws_factor(std::string_view type, std::string_view region);

}  // namespace joiner::cloud::catalogue
