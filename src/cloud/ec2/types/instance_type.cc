#include "cloud/ec2/types/instance_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "api/names.h"
#include "cloud/ec2/ami_families.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr std::int64_t kMebibyte = std::int64_t{1} << 20;
constexpr std::int64_t kGibibyte = std::int64_t{1} << 30;
constexpr std::int64_t kPodsWithoutAddresses = 110;
constexpr std::string_view kEbsDriver = "ebs.csi.aws.com";

int efa_only_on(const std::vector<NetworkInterface>& interfaces, std::optional<int> card) {
    return static_cast<int>(std::count_if(
        interfaces.begin(), interfaces.end(),
        [&](const NetworkInterface& one) { return one.type == "efa-only" && (!card || one.card == *card); }));
}

std::int64_t memory_of(const InstanceTypeInfo& info, double overhead) {
    std::int64_t mebibytes = info.memory_mib;
    if (arch_of(info) == "arm64") mebibytes -= 64;
    const double bytes = static_cast<double>(mebibytes * kMebibyte);
    mebibytes -= static_cast<std::int64_t>(std::ceil(bytes * overhead / 1024 / 1024));
    return std::max<std::int64_t>(0, mebibytes) * kMebibyte;
}

std::int64_t size_of_volume(const BlockDeviceMapping& mapping) {
    return mapping.ebs && mapping.ebs->size ? mapping.ebs->size->units_down() : 0;
}

std::int64_t storage_of(const InstanceTypeInfo& info, const NodeShape& shape) {
    constexpr std::int64_t kOtherwise = 20 * kGibibyte;
    if (shape.uses_raid0 && info.local_disk_gb > 0) return info.local_disk_gb * 1'000'000'000;
    const std::vector<BlockDeviceMapping> volumes =
        shape.block_devices.empty() ? default_block_devices(shape.family) : shape.block_devices;
    if (volumes.empty()) return kOtherwise;
    const auto root = std::find_if(volumes.begin(), volumes.end(),
                                   [](const BlockDeviceMapping& one) { return one.is_root; });
    if (root != volumes.end() && size_of_volume(*root) > 0) return size_of_volume(*root);
    const auto or_otherwise = [](std::int64_t size) { return size > 0 ? size : kOtherwise; };
    if (shape.family == AmiFamily::kCustom) return or_otherwise(size_of_volume(volumes.back()));
    const auto find_in = [&](const std::vector<BlockDeviceMapping>& in) -> std::int64_t {
        for (const BlockDeviceMapping& one : in) {
            if (one.device_name == traits_of(shape.family).storage_device) return size_of_volume(one);
        }
        return 0;
    };
    if (const std::int64_t size = find_in(volumes); size > 0) return size;
    return or_otherwise(find_in(default_block_devices(shape.family)));
}

void add_devices(const InstanceTypeInfo& info, const NodeShape& shape, const TableFacts& facts,
                 rules::Resources& capacity) {
    const auto add = [&](std::string_view name, std::int64_t count) {
        if (count > 0) capacity.set(name, capacity.get(name) + count);
    };
    for (const Accelerator& gpu : info.gpus) {
        if (gpu.manufacturer == "NVIDIA") add("nvidia.com/gpu", gpu.count);
        if (gpu.manufacturer == "AMD") add("amd.com/gpu", gpu.count);
        if (gpu.manufacturer == "Habana") add("habana.ai/gaudi", gpu.count);
    }
    for (const NeuronDevice& device : info.neuron_devices) add("aws.amazon.com/neuron", device.count);
    if (!info.neuron_devices.empty()) {
        const NeuronDevice& first = info.neuron_devices.front();
        add("aws.amazon.com/neuroncore", std::int64_t{first.count} * first.cores);
    } else {
        for (const Accelerator& accelerator : info.inference_accelerators)
            add("aws.amazon.com/neuron", accelerator.count);
    }
    add("vpc.amazonaws.com/efa",
        shape.interfaces.empty() ? info.max_efa_interfaces : efa_only_on(shape.interfaces, std::nullopt));
    add("vpc.amazonaws.com/pod-eni", facts.branch_interfaces);
    if (traits_of(shape.family).is_windows)
        add("vpc.amazonaws.com/PrivateIPv4Address", info.ipv4_addresses - 1);
}

std::int64_t reserved_cpu(std::int64_t cores) {
    // Tens of thousandths of each band: 6 % of the first core, 1 % of the second, ½ % of the next two, ¼ % of
    // the rest.
    struct Band {
        std::int64_t milli;
        std::int64_t rate;
    };
    std::int64_t left = cores * 1000;
    std::int64_t out = 0;
    for (const Band& band : {Band{1000, 600}, Band{1000, 100}, Band{2000, 50}}) {
        const std::int64_t part = std::min(left, band.milli);
        out += part * band.rate / 10'000;
        left -= part;
    }
    return out + left * 25 / 10'000;
}

void override_by(const api::StringMap& amounts, rules::Resources& out) {
    for (const auto& [name, text] : amounts) {
        const auto quantity = Quantity::parse(text);
        if (!quantity) continue;
        if (name == "cpu") out.cpu_milli = quantity->milli_up();
        if (name == "memory") out.memory_bytes = quantity->units_up();
        if (name == "ephemeral-storage") out.ephemeral_bytes = quantity->units_up();
    }
}

// Of "5%" or "200Mi"; all of it is written as nothing.
std::int64_t threshold(const std::string& text, std::int64_t capacity) {
    if (!text.ends_with('%')) {
        const auto quantity = Quantity::parse(text);
        return quantity ? quantity->units_up() : 0;
    }
    double percent = 0;
    std::from_chars(text.data(), text.data() + text.size() - 1, percent);
    if (percent >= 100) return 0;
    return static_cast<std::int64_t>(std::ceil(static_cast<double>(capacity) / 100 * percent));
}

rules::Resources overhead_of(const InstanceTypeInfo& info, const NodeShape& shape,
                             const rules::Resources& capacity) {
    const std::int64_t by_addresses = pods_by_addresses(info, 0, 0);
    const std::int64_t pods =
        traits_of(shape.family).reserves_by_addresses && by_addresses > 0 ? by_addresses : capacity.pods;
    rules::Resources kube;
    kube.cpu_milli = reserved_cpu(info.vcpus);
    kube.memory_bytes = (11 * pods + 255) * kMebibyte;
    kube.ephemeral_bytes = kGibibyte;
    override_by(shape.kubelet.kube_reserved, kube);
    rules::Resources system;
    override_by(shape.kubelet.system_reserved, system);
    rules::Resources eviction;
    const auto hard = [&](const char* signal, std::int64_t of, std::int64_t otherwise) {
        const auto it = shape.kubelet.eviction_hard.find(signal);
        return it == shape.kubelet.eviction_hard.end() ? otherwise : threshold(it->second, of);
    };
    eviction.memory_bytes = hard("memory.available", capacity.memory_bytes, 100 * kMebibyte);
    eviction.ephemeral_bytes =
        hard("nodefs.available", capacity.ephemeral_bytes,
             static_cast<std::int64_t>(std::ceil(static_cast<double>(capacity.ephemeral_bytes) / 100 * 10)));
    return kube + system + eviction;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string why_interfaces_do_not_fit(const InstanceTypeInfo& info,
                                      const std::vector<NetworkInterface>& interfaces) {
    if (interfaces.empty()) return {};
    if (info.ena == "unsupported") return "it has no ENA";
    for (const NetworkInterface& one : interfaces) {
        const auto card = std::find_if(info.cards.begin(), info.cards.end(),
                                       [&](const NetworkCard& has) { return has.index == one.card; });
        if (card == info.cards.end()) return fmt::format("it has no network card {}", one.card);
        if (one.device >= card->max_interfaces)
            return fmt::format("its network card {} takes {} interfaces", one.card, card->max_interfaces);
    }
    if (efa_only_on(interfaces, std::nullopt) > info.max_efa_interfaces)
        return fmt::format("it takes {} EFA interfaces", info.max_efa_interfaces);
    return {};
}

}  // namespace

NodeShape shape_of(const Ec2NodeClass& node_class, KubeletSettings kubelet, const Settings& settings) {
    NodeShape out;
    out.memory_overhead = settings.vm_memory_overhead;
    out.reserved_interfaces = settings.reserved_enis;
    out.family = node_class.family;
    out.kubelet = std::move(kubelet);
    out.block_devices = node_class.block_devices;
    out.uses_raid0 = node_class.uses_raid0();
    out.interfaces = node_class.interfaces;
    return out;
}

const NetworkCard* default_card(const InstanceTypeInfo& info) {
    const auto it = std::find_if(info.cards.begin(), info.cards.end(),
                                 [&](const NetworkCard& card) { return card.index == info.default_card; });
    return it == info.cards.end() ? nullptr : &*it;
}

std::int64_t pods_of(const InstanceTypeInfo& info, const NodeShape& shape) {
    const FamilyTraits& traits = traits_of(shape.family);
    std::int64_t out = kPodsWithoutAddresses;
    if (shape.kubelet.max_pods) {
        out = *shape.kubelet.max_pods;
    } else if (traits.limits_pods_to_addresses) {
        const std::int64_t by_addresses =
            pods_by_addresses(info, shape.reserved_interfaces, efa_only_on(shape.interfaces, 0));
        if (by_addresses > 0) out = by_addresses;
    }
    if (traits.takes_pods_per_core && shape.kubelet.pods_per_core.value_or(0) > 0)
        out = std::min(out, std::int64_t{*shape.kubelet.pods_per_core} * info.vcpus);
    return out;
}

std::int64_t pods_by_addresses(const InstanceTypeInfo& info, int reserved_interfaces,
                               int efa_only_interfaces) {
    const NetworkCard* card = default_card(info);
    const int all = card == nullptr ? info.max_interfaces : card->max_interfaces;
    const std::int64_t usable = std::max(0, all - reserved_interfaces - efa_only_interfaces);
    return usable == 0 ? 0 : usable * (info.ipv4_addresses - 1) + 2;
}

rules::InstanceType make_instance_type(const InstanceTypeInfo& info, const TableFacts& facts,
                                       const NodeShape& shape, std::optional<std::int64_t> seen_memory) {
    const FamilyTraits& traits = traits_of(shape.family);
    rules::InstanceType type;
    type.name = info.name;
    type.capacity.cpu_milli = std::int64_t{info.vcpus} * 1000;
    type.capacity.memory_bytes = seen_memory.value_or(memory_of(info, shape.memory_overhead));
    type.capacity.ephemeral_bytes = storage_of(info, shape);
    type.capacity.pods = pods_of(info, shape);
    add_devices(info, shape, facts, type.capacity);
    type.overhead = overhead_of(info, shape, type.capacity);

    const auto add = [&](std::string_view key, std::string value) {
        type.requirements.add(rules::Requirement::in(std::string(key), {std::move(value)}));
    };
    add(api::kInstanceTypeLabel, info.name);
    add(api::kArchLabel, std::string(arch_of(info)));
    add(api::kOSLabel, traits.is_windows ? "windows" : "linux");
    if (traits.is_windows) add(api::kWindowsBuildLabel, std::string(traits.windows_build));
    if (!shape.region.empty()) add(api::kRegionLabel, shape.region);
    add_type_labels(info, facts.network_mbps, shape.label_domain, type.requirements);
    // One slot is the root volume's.
    if (info.max_ebs_attachments > 0)
        type.volume_limits.emplace_back(std::string(kEbsDriver), info.max_ebs_attachments - 1);
    return type;
}

std::string why_incompatible(const InstanceTypeInfo& info, const Ec2NodeClass& node_class,
                             std::string_view placement_strategy) {
    if (node_class.family == AmiFamily::kAl2023 && family_of(info.name) == "a1")
        return "images of AL2023 do not run on it";
    if (traits_of(node_class.family).is_windows && arch_of(info) != "amd64")
        return "Windows does not run on it";
    if (std::string why = why_interfaces_do_not_fit(info, node_class.interfaces); !why.empty()) return why;
    if (node_class.nested_virtualization == "enabled" &&
        !has(info.processor_features, "nested-virtualization"))
        return "it has no nested virtualisation";
    if (node_class.enclaves == true && !info.has_enclaves) return "it has no Nitro Enclaves";
    if (!placement_strategy.empty() && !has(info.placement_strategies, placement_strategy))
        return fmt::format("it cannot be in a placement group of strategy {}", placement_strategy);
    if (node_class.connection_tracking && info.hypervisor != "nitro")
        return "connection tracking wants a Nitro system";
    return {};
}

}  // namespace joiner::cloud::ec2
