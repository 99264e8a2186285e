#include "cloud/kwok/aws_catalogue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <string>

#include "api/names.h"
#include "base/check.h"
#include "cloud/kwok/type_labels.h"
#include "embedded_catalogue.h"

namespace joiner::cloud::kwok {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;
using rules::Requirements;

constexpr std::string_view kRegion = "us-east-1";

// One line of the catalogue by the names of its header.
class Row {
  public:
    Row(const std::vector<std::string_view>& header, std::string_view line) : header_(header) {
        while (true) {
            const std::size_t tab = line.find('\t');
            cells_.push_back(line.substr(0, tab));
            if (tab == std::string_view::npos) break;
            line.remove_prefix(tab + 1);
        }
        CHECK(cells_.size() == header_.size());
    }
    std::string_view text(std::string_view column) const {
        const auto it = std::find(header_.begin(), header_.end(), column);
        CHECK(it != header_.end());
        return cells_[static_cast<std::size_t>(it - header_.begin())];
    }
    std::int64_t number(std::string_view column) const { return as_number(text(column)); }
    static std::int64_t as_number(std::string_view digits) {
        std::int64_t out = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), out);
        return out;
    }

  private:
    const std::vector<std::string_view>& header_;
    std::vector<std::string_view> cells_;
};

// The kubelet's reserve as EKS images set it: cpu in bands, memory by the number of pods; and the eviction
// threshold.
rules::Resources aws_overhead(std::int64_t cpus, std::int64_t pods) {
    rules::Resources out;
    std::int64_t left = cpus * 1000;
    for (const auto& [width, per_mille_times_ten] :
         {std::pair<std::int64_t, std::int64_t>{1000, 600}, {1000, 100}, {2000, 50}}) {
        const std::int64_t part = std::min(left, width);
        out.cpu_milli += part * per_mille_times_ten / 10'000;
        left -= part;
    }
    out.cpu_milli += left * 25 / 10'000;
    out.memory_bytes = (11 * pods + 255 + 100) << 20;
    out.ephemeral_bytes = (std::int64_t{1} << 30) + (std::int64_t{2} << 30);
    return out;
}

// Of a cell such as "NVIDIA:A100:8:40960".
std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t colon = std::min(text.find(':'), text.size());
        out.emplace_back(text.substr(0, colon));
        text.remove_prefix(std::min(colon + 1, text.size()));
    }
    return out;
}

// As labels carry names: "RTX PRO 6000" is rtx-pro-6000.
std::string label_text(std::string_view name) {
    std::string out(name);
    for (char& c : out) c = c == ' ' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

// The labels of one type that its provider defines. Each type says something of every key: a key without a
// fact must not be there.
class ProviderLabels {
  public:
    ProviderLabels(std::string_view domain, Requirements& out) : domain_(domain), out_(out) {}

    void set(std::string_view name, std::string value) {
        if (value.empty()) return set_absent(name);
        out_.add(one_value(key(name), std::move(value)));
    }
    void set_flag(std::string_view name, bool value) { set(name, std::string(value ? "true" : "false")); }
    void set(std::string_view name, std::int64_t value) { set(name, std::to_string(value)); }
    // A number that is not published has an empty cell.
    void set_known(std::string_view name, std::string_view cell) { set(name, std::string(cell)); }
    void set_absent(std::string_view name) { out_.add(Requirement::does_not_exist(key(name))); }
    std::string key(std::string_view name) const { return fmt::format("{}/{}", domain_, name); }

  private:
    std::string_view domain_;
    Requirements& out_;
};

// "c7i-flex" is of category c and generation 7, "u-6tb1" of u and 1; a family of another form has neither.
void set_category(std::string_view family, ProviderLabels& labels) {
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t at = 0;
    while (at < family.size() && is_letter(family[at])) ++at;
    const std::string_view category = family.substr(0, at);
    if (at < family.size() && family[at] == '-') {
        std::size_t end = at + 1;
        while (end < family.size() && is_digit(family[end])) ++end;
        if (end > at + 1 && family.substr(end).starts_with("tb")) at = end + 2;
    }
    const std::size_t start = at;
    while (at < family.size() && is_digit(family[at])) ++at;
    const bool is_known = !category.empty() && at > start;
    labels.set("instance-category", is_known ? std::string(category) : "");
    labels.set("instance-generation", is_known ? std::string(family.substr(start, at - start)) : "");
}

void set_devices(const Row& row, ProviderLabels& labels, rules::Resources& capacity) {
    const std::vector<std::string> gpu = parts_of(row.text("gpu"));
    labels.set("instance-gpu-manufacturer", gpu.empty() ? "" : label_text(gpu[0]));
    labels.set("instance-gpu-name", gpu.empty() ? "" : label_text(gpu[1]));
    labels.set("instance-gpu-count", gpu.empty() ? "" : gpu[2]);
    labels.set("instance-gpu-memory", gpu.empty() ? "" : gpu[3]);
    if (const std::int64_t count = gpu.empty() ? 0 : Row::as_number(gpu[2]); count > 0) {
        if (gpu[0] == "NVIDIA") capacity.set("nvidia.com/gpu", count);
        if (gpu[0] == "AMD") capacity.set("amd.com/gpu", count);
        if (gpu[0] == "Habana") capacity.set("habana.ai/gaudi", count);
    }
    const std::vector<std::string> neuron = parts_of(row.text("neuron"));
    labels.set("instance-accelerator-manufacturer", neuron.empty() ? "" : "aws");
    labels.set("instance-accelerator-name", neuron.empty() ? "" : label_text(neuron[0]));
    labels.set("instance-accelerator-count", neuron.empty() ? "" : neuron[1]);
    if (!neuron.empty()) {
        capacity.set("aws.amazon.com/neuron", Row::as_number(neuron[1]));
        capacity.set("aws.amazon.com/neuroncore", Row::as_number(neuron[2]));
    }
    if (const std::int64_t count = row.number("efas"); count > 0)
        capacity.set("vpc.amazonaws.com/efa", count);
    if (const std::int64_t count = row.number("branch_enis"); count > 0)
        capacity.set("vpc.amazonaws.com/pod-eni", count);
}

void set_facts(const Row& row, const std::string& family, ProviderLabels& labels) {
    const std::string_view name = row.text("name");
    const std::string_view hypervisor = row.text("hypervisor");
    const std::string_view flags = row.text("flags");
    set_category(family, labels);
    labels.set("instance-family", family);
    labels.set("instance-size", size_of(name, ""));
    labels.set_flag("instance-capability-flex", family.find("-flex") != std::string::npos);
    labels.set_known("instance-cpu", row.text("cpu"));
    labels.set("instance-cpu-manufacturer", label_text(row.text("cpu_maker")));
    labels.set("instance-cpu-sustained-clock-speed-mhz", row.number("clock_mhz"));
    labels.set_known("instance-memory", row.text("memory_mib"));
    labels.set_known("instance-ebs-bandwidth", row.text("ebs_mbps"));
    labels.set_known("instance-network-bandwidth", row.text("network_mbps"));
    labels.set_known("instance-local-nvme", row.text("nvme_gb"));
    // Bare metal has none.
    labels.set("instance-hypervisor", hypervisor == "metal" ? "" : std::string(hypervisor));
    labels.set_flag("instance-encryption-in-transit-supported", flags.find('e') != std::string_view::npos);
    // The prices are those of shared tenancy.
    labels.set("instance-tenancy", std::string("default"));
    labels.set_flag("nitro-sandbox", flags.find('n') != std::string_view::npos);
    for (const char* const reservation :
         {"capacity-reservation-id", "capacity-reservation-type", "capacity-reservation-interruptible"})
        labels.set_absent(reservation);
}

// Beside the root volume.
void set_volume_limits(const Row& row, InstanceType& type) {
    const std::int64_t volumes = row.number("ebs_volumes");
    if (volumes > 0) type.volume_limits.emplace_back("ebs.csi.aws.com", static_cast<int>(volumes) - 1);
}

using ZoneIds = std::map<char, std::string, std::less<>>;

void add_offerings(const Row& row, const ZoneIds& zone_ids, InstanceType& type) {
    const double price = static_cast<double>(row.number("price")) / 1e6;
    const std::string_view usage = row.text("usage");
    std::vector<std::string> ids;
    for (const char zone : row.text("zones")) {
        const auto id = zone_ids.find(zone);
        const auto add = [&](std::string_view capacity_type, double asked) {
            Offering made = make_offering(fmt::format("{}{}", kRegion, zone), capacity_type, asked);
            if (id != zone_ids.end()) made.requirements.add(one_value(api::kZoneIdLabel, id->second));
            type.offerings.push_back(std::move(made));
        };
        if (usage.find('o') != std::string_view::npos) add(api::kOnDemand, price);
        if (usage.find('s') != std::string_view::npos) add(api::kSpot, price * 0.7);
        if (id != zone_ids.end()) ids.push_back(id->second);
    }
    if (!ids.empty()) type.requirements.add(Requirement::in(std::string(api::kZoneIdLabel), std::move(ids)));
}

InstanceType aws_type(const Row& row, const ZoneIds& zone_ids, AwsLabels dialect) {
    InstanceType type;
    type.name = row.text("name");
    const std::int64_t cpus = row.number("cpu");
    const bool is_arm = row.text("arch") == "arm64";
    // What the hypervisor keeps: upstream's default estimate of 7.5 %, and 64 MiB on arm64.
    std::int64_t mebibytes = row.number("memory_mib") - (is_arm ? 64 : 0);
    mebibytes -= (mebibytes * 75 + 999) / 1000;
    type.capacity.cpu_milli = cpus * 1000;
    type.capacity.memory_bytes = mebibytes << 20;
    type.capacity.pods = row.number("pods") > 0 ? row.number("pods") : 110;
    type.capacity.ephemeral_bytes = std::int64_t{20} << 30;
    type.overhead = aws_overhead(cpus, type.capacity.pods);
    add_offerings(row, zone_ids, type);
    add_type_labels(type, row.text("arch"), {"linux"});
    type.requirements.add(one_value(api::kRegionLabel, std::string(kRegion)));
    const bool is_auto = dialect == AwsLabels::kEksAuto;
    ProviderLabels labels(is_auto ? "eks.amazonaws.com" : "karpenter.k8s.aws", type.requirements);
    set_facts(row, family_of(type.name), labels);
    set_devices(row, labels, type.capacity);
    if (is_auto) labels.set("compute-type", std::string("auto"));
    set_volume_limits(row, type);
    return type;
}

// "# zone ids: a=use1-az2 b=use1-az4"
ZoneIds read_zone_ids(std::string_view line) {
    ZoneIds out;
    for (std::size_t equals = line.find('='); equals != std::string_view::npos;
         equals = line.find('=', equals + 1)) {
        const std::size_t end = std::min(line.find(' ', equals), line.size());
        out.emplace(line[equals - 1], line.substr(equals + 1, end - equals - 1));
    }
    return out;
}

}  // namespace

std::vector<InstanceType> aws_types(AwsLabels labels) {
    std::vector<InstanceType> out;
    for (const auto& file : embedded::catalogue()) {
        std::vector<std::string_view> header;
        ZoneIds zone_ids;
        std::string_view rest = file.text;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            const std::string_view line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (line.starts_with("# zone ids:")) zone_ids = read_zone_ids(line);
            if (line.empty() || line.front() == '#') continue;
            if (header.empty()) {
                for (std::string_view names = line;;) {
                    const std::size_t tab = names.find('\t');
                    header.push_back(names.substr(0, tab));
                    if (tab == std::string_view::npos) break;
                    names.remove_prefix(tab + 1);
                }
                continue;
            }
            InstanceType type = aws_type(Row(header, line), zone_ids, labels);
            if (!type.offerings.empty()) out.push_back(std::move(type));
        }
    }
    return out;
}

}  // namespace joiner::cloud::kwok
