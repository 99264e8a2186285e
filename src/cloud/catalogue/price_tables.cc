#include "cloud/catalogue/price_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/check.h"
#include "embedded_catalogue.h"

namespace joiner::cloud::catalogue {
namespace {

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t at = text.find(separator);
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

std::int64_t whole_number(std::string_view digits) {
    std::int64_t out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

double decimal(std::string_view digits) {
    return std::strtod(std::string(digits).c_str(), nullptr);
}

std::string_view embedded_file(std::string_view name) {
    for (const auto& file : embedded::catalogue()) {
        if (file.name == name) return file.text;
    }
    CHECK(false);
    return {};
}

// What stands after "# dated: " and the like; empty where no line begins so.
std::string_view remark(std::string_view text, std::string_view start) {
    for (const std::string_view line : parts_of(text, '\n')) {
        if (line.starts_with(start)) return line.substr(start.size());
        if (!line.starts_with('#')) break;
    }
    return {};
}

void read_gpu(std::string_view cell, MachineRow& out) {
    if (cell.empty()) return;
    const std::vector<std::string_view> parts = parts_of(cell, ':');
    CHECK(parts.size() == 3);
    out.gpu_maker = parts[0];
    out.gpu_name = parts[1];
    out.gpu_count = whole_number(parts[2]);
}

MachineTable read_machines(std::string_view text, bool is_google) {
    MachineTable out;
    out.dated = remark(text, "# dated: ");
    std::vector<std::string_view> header;
    const std::size_t own_columns = is_google ? 4 : 9;
    for (const std::string_view line : parts_of(text, '\n')) {
        if (line.empty() || line.starts_with('#')) continue;
        std::vector<std::string_view> cells = parts_of(line, '\t');
        if (header.empty()) {
            header = cells;
            CHECK(header.size() > own_columns);
            out.regions.assign(header.begin() + static_cast<std::ptrdiff_t>(own_columns), header.end());
            continue;
        }
        CHECK(cells.size() == header.size());
        MachineRow& row = out.rows.emplace_back();
        row.name = cells[0];
        row.arch = cells[1];
        row.cpu = whole_number(cells[2]);
        row.memory_mib = whole_number(cells[3]);
        if (!is_google) {
            read_gpu(cells[6], row);
            row.family = cells[4];
            row.series = cells[5];
            row.data_disks = static_cast<int>(whole_number(cells[7]));
            row.flags = cells[8];
        }
        for (std::size_t i = own_columns; i < cells.size(); ++i) {
            const std::size_t colon = cells[i].find(':');
            row.prices.push_back(whole_number(cells[i].substr(0, colon)));
            row.spot.push_back(colon == std::string_view::npos ? 0
                                                               : whole_number(cells[i].substr(colon + 1)));
        }
    }
    // The file is sorted as bytes are, so find() may search by halves.
    CHECK(std::is_sorted(out.rows.begin(), out.rows.end(),
                         [](const MachineRow& a, const MachineRow& b) { return a.name < b.name; }));
    return out;
}

MachineTable read_azure() {
    const std::string_view text = embedded_file("azure.tsv");
    MachineTable out = read_machines(text, false);
    for (const std::string& region : out.regions) out.zones[region];
    for (const std::string_view region : parts_of(remark(text, "# zoned: "), ' ')) {
        const auto it = out.zones.find(region);
        if (it == out.zones.end()) continue;
        for (int zone = 1; zone <= 3; ++zone) it->second.push_back(fmt::format("{}-{}", region, zone));
    }
    return out;
}

MachineTable read_google() {
    const std::string_view text = embedded_file("google.tsv");
    MachineTable out = read_machines(text, true);
    for (const std::string_view word : parts_of(remark(text, "# zones: "), ' ')) {
        const std::vector<std::string_view> parts = parts_of(word, '=');
        CHECK(parts.size() == 2);
        for (const char letter : parts[1])
            out.zones[std::string(parts[0])].push_back(fmt::format("{}-{}", parts[0], letter));
    }
    return out;
}

AwsRegions read_aws_regions() {
    const std::string_view text = embedded_file("aws-regions.tsv");
    AwsRegions out;
    out.dated = remark(text, "# dated: ");
    bool is_header = true;
    for (const std::string_view line : parts_of(text, '\n')) {
        if (line.empty() || line.starts_with('#')) continue;
        if (std::exchange(is_header, false)) continue;
        const std::vector<std::string_view> cells = parts_of(line, '\t');
        CHECK(cells.size() == 3);
        RegionFactors& factors = out.regions[std::string(cells[0])];
        factors.median = decimal(cells[1]);
        for (const std::string_view word : parts_of(cells[2], ' ')) {
            const std::size_t colon = word.find(':');
            CHECK(colon != std::string_view::npos);
            factors.families[std::string(word.substr(0, colon))] = decimal(word.substr(colon + 1));
        }
    }
    return out;
}

std::string read_aws_dated() {
    const std::string_view text = embedded_file("aws-us-east-1.tsv");
    constexpr std::string_view kStart = "Prices (";
    const std::size_t at = text.find(kStart);
    CHECK(at != std::string_view::npos);
    return std::string(text.substr(at + kStart.size(), 10));
}

}  // namespace

int MachineTable::region_index(std::string_view region) const {
    const auto it = std::find(regions.begin(), regions.end(), region);
    return it == regions.end() ? -1 : static_cast<int>(it - regions.begin());
}

const MachineRow* MachineTable::find(std::string_view name) const {
    const auto it = std::lower_bound(
        rows.begin(), rows.end(), name,
        [](const MachineRow& row, std::string_view wanted) { return std::string_view(row.name) < wanted; });
    return it != rows.end() && it->name == name ? &*it : nullptr;
}

const MachineTable& azure_table() {
    static const MachineTable kTable = read_azure();
    return kTable;
}

const MachineTable& google_table() {
    static const MachineTable kTable = read_google();
    return kTable;
}

const AwsRegions& aws_regions() {
    static const AwsRegions kRegions = read_aws_regions();
    return kRegions;
}

const std::string& aws_prices_dated() {
    static const std::string kDated = read_aws_dated();
    return kDated;
}

}  // namespace joiner::cloud::catalogue
