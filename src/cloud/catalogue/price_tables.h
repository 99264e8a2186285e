// The tables behind the catalogue, as they are written in data/: azure.tsv, google.tsv and aws-regions.tsv.
// Read once each, at the first call. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace joiner::cloud::catalogue {

struct MachineRow {
    std::string name;
    std::string arch;
    std::int64_t cpu = 0;
    std::int64_t memory_mib = 0;
    // Azure's alone.
    std::string gpu_maker;  // "nvidia"
    std::string gpu_name;
    std::int64_t gpu_count = 0;
    std::string family;
    std::string series;
    int data_disks = 0;  // 0: not known.
    std::string flags;
    // By the table's regions, micro-dollars an hour; 0: not sold there.
    std::vector<std::int64_t> prices;
    std::vector<std::int64_t> spot;  // 0: not known.
};

struct MachineTable {
    std::string dated;                 // "2026-06-18".
    std::vector<std::string> regions;  // The base first.
    // By region, for all regions: "eastus-1"; of a region without zones none.
    std::map<std::string, std::vector<std::string>, std::less<>> zones;
    std::vector<MachineRow> rows;  // By name.

    int region_index(std::string_view region) const;  // -1: not in the table.
    const MachineRow* find(std::string_view name) const;
};

const MachineTable& azure_table();
const MachineTable& google_table();

// What a region's prices are over those of us-east-1.
struct RegionFactors {
    double median = 1;
    std::map<std::string, double, std::less<>> families;
};
struct AwsRegions {
    std::string dated;
    std::map<std::string, RegionFactors, std::less<>> regions;  // Without us-east-1.
};
const AwsRegions& aws_regions();
// Of when the prices of us-east-1 are.
const std::string& aws_prices_dated();

}  // namespace joiner::cloud::catalogue
