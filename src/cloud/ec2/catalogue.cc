#include "cloud/ec2/catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/check.h"
#include "embedded_catalogue.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::string_view kRegion = "us-east-1";
constexpr std::string_view kFile = "aws-us-east-1.tsv";

std::vector<std::string_view> split(std::string_view line, char separator) {
    std::vector<std::string_view> out;
    while (true) {
        const std::size_t at = line.find(separator);
        out.push_back(line.substr(0, at));
        if (at == std::string_view::npos) return out;
        line.remove_prefix(at + 1);
    }
}

std::int64_t as_number(std::string_view digits) {
    std::int64_t out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

// One line by the names of the header. An empty cell is nought.
class Row {
  public:
    Row(const std::vector<std::string_view>& header, std::string_view line)
        : header_(header), cells_(split(line, '\t')) {
        CHECK(cells_.size() == header_.size());
    }
    std::string_view text(std::string_view column) const {
        const auto it = std::find(header_.begin(), header_.end(), column);
        CHECK(it != header_.end());
        return cells_[static_cast<std::size_t>(it - header_.begin())];
    }
    std::int64_t number(std::string_view column) const { return as_number(text(column)); }
    int small_number(std::string_view column) const { return static_cast<int>(number(column)); }
    // Of a cell such as "NVIDIA:A100:8:40960"; none of an empty cell.
    std::vector<std::string_view> parts(std::string_view column) const {
        const std::string_view cell = text(column);
        return cell.empty() ? std::vector<std::string_view>{} : split(cell, ':');
    }

  private:
    const std::vector<std::string_view>& header_;
    std::vector<std::string_view> cells_;
};

void read_devices(const Row& row, InstanceTypeInfo& out) {
    if (const auto gpu = row.parts("gpu"); gpu.size() == 4)
        out.gpus.push_back({std::string(gpu[1]), std::string(gpu[0]), static_cast<int>(as_number(gpu[2])),
                            as_number(gpu[3])});
    if (const auto neuron = row.parts("neuron"); neuron.size() == 3) {
        const int devices = static_cast<int>(as_number(neuron[1]));
        const int cores = static_cast<int>(as_number(neuron[2]));
        out.neuron_devices.push_back({std::string(neuron[0]), devices, devices > 0 ? cores / devices : 0, 0});
    }
}

void read_network(const Row& row, InstanceTypeInfo& out) {
    const int interfaces = row.small_number("enis");
    out.max_interfaces = interfaces;
    out.ipv4_addresses = row.small_number("ipv4");
    // Of further cards the table says only that they are there.
    for (int index = 0; index < std::max(1, row.small_number("cards")); ++index) {
        NetworkCard& card = out.cards.emplace_back();
        card.index = index;
        card.max_interfaces = interfaces;
    }
    out.max_efa_interfaces = row.small_number("efas");
    out.has_efa = out.max_efa_interfaces > 0;
}

CatalogueType read_type(const Row& row) {
    CatalogueType out;
    InstanceTypeInfo& info = out.info;
    const std::string_view flags = row.text("flags");
    const auto flag = [&](char letter) { return flags.find(letter) != std::string_view::npos; };
    info.name = row.text("name");
    info.is_current_generation = !flag('o');
    info.is_bare_metal = row.text("hypervisor") == "metal";
    info.is_burstable = flag('b');
    info.hypervisor = info.is_bare_metal ? "" : std::string(row.text("hypervisor"));
    for (const char usage : row.text("usage"))
        info.usage_classes.emplace_back(usage == 'o'   ? "on-demand"
                                        : usage == 's' ? "spot"
                                                       : "capacity-block");
    info.placement_strategies = {"partition", "spread"};
    if (!flag('c')) info.placement_strategies.emplace_back("cluster");
    info.architectures = {row.text("arch") == "arm64" ? "arm64" : "x86_64"};
    info.processor_manufacturer = row.text("cpu_maker");
    info.clock_ghz = static_cast<double>(row.number("clock_mhz")) / 1000;
    if (flag('v')) info.processor_features = {"nested-virtualization"};
    info.vcpus = row.small_number("cpu");
    info.memory_mib = row.number("memory_mib");
    info.ena = flag('x') ? "unsupported" : "supported";
    info.encrypts_in_transit = flag('e');
    info.has_enclaves = flag('n');
    info.ebs_max_mbps = row.number("ebs_mbps");
    info.ebs_optimized = info.ebs_max_mbps > 0 ? "default" : "unsupported";
    info.max_ebs_attachments = row.small_number("ebs_volumes");
    info.local_disk_gb = row.number("store_gb");
    if (info.local_disk_gb > 0) info.local_disk_nvme = row.number("nvme_gb") > 0 ? "required" : "unsupported";
    read_network(row, info);
    read_devices(row, info);
    out.facts = {row.number("network_mbps"), row.small_number("branch_enis")};
    for (const char zone : row.text("zones")) out.zones.push_back(fmt::format("{}{}", kRegion, zone));
    out.price = static_cast<double>(row.number("price")) / 1e6;
    return out;
}

// Of "# zone ids: a=use1-az2 b=use1-az4".
void read_zone_ids(std::string_view line, Catalogue& out) {
    for (const std::string_view word : split(line, ' ')) {
        if (word.size() > 2 && word[1] == '=')
            out.zone_ids.emplace(fmt::format("{}{}", kRegion, word.front()), std::string(word.substr(2)));
    }
}

Catalogue read() {
    Catalogue out;
    out.region = kRegion;
    for (const auto& file : embedded::catalogue()) {
        if (file.name != kFile) continue;
        std::vector<std::string_view> header;
        for (const std::string_view line : split(file.text, '\n')) {
            if (line.starts_with("# zone ids:")) read_zone_ids(line, out);
            if (line.empty() || line.front() == '#') continue;
            if (header.empty()) {
                header = split(line, '\t');
            } else {
                out.types.push_back(read_type(Row(header, line)));
            }
        }
    }
    return out;
}

}  // namespace

const Catalogue& catalogue() {
    static const Catalogue kCatalogue = read();
    return kCatalogue;
}

}  // namespace joiner::cloud::ec2
