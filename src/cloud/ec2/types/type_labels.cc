#include "cloud/ec2/types/type_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace joiner::cloud::ec2 {
namespace {

// As labels carry names: "RTX PRO 6000" is rtx-pro-6000.
std::string label_text(std::string_view name) {
    std::string out(name);
    for (char& c : out) {
        if (c == ' ') c = '-';
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

// "c7i-flex" is of category c and generation 7, "u-6tb1" of u and 1; a family of another form has neither.
void set_category(std::string_view family, TypeLabels& labels) {
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

void set_accelerators(const InstanceTypeInfo& info, TypeLabels& labels) {
    const bool has_gpu = info.gpus.size() == 1;
    const Accelerator gpu = has_gpu ? info.gpus.front() : Accelerator{};
    labels.set("instance-gpu-name", label_text(gpu.name));
    labels.set("instance-gpu-manufacturer", label_text(gpu.manufacturer));
    labels.set("instance-gpu-count", has_gpu ? std::to_string(gpu.count) : "");
    labels.set("instance-gpu-memory", has_gpu ? std::to_string(gpu.memory_mib) : "");

    Accelerator other;
    bool has_other = false;
    if (info.neuron_devices.size() == 1) {
        const NeuronDevice& device = info.neuron_devices.front();
        other = {device.name, "aws", device.count, device.memory_mib};
        has_other = true;
    } else if (info.inference_accelerators.size() == 1) {
        other = info.inference_accelerators.front();
        has_other = true;
    }
    labels.set("instance-accelerator-name", label_text(other.name));
    labels.set("instance-accelerator-manufacturer", label_text(other.manufacturer));
    labels.set("instance-accelerator-count", has_other ? std::to_string(other.count) : "");
}

}  // namespace

void TypeLabels::set(std::string_view name, std::string value) {
    if (value.empty()) return set_absent(name);
    out_.add(rules::Requirement::in(key(name), {std::move(value)}));
}

void TypeLabels::set_absent(std::string_view name) {
    out_.add(rules::Requirement::does_not_exist(key(name)));
}

std::string TypeLabels::key(std::string_view name) const {
    return fmt::format("{}/{}", domain_, name);
}

std::string family_of(std::string_view type) {
    return std::string(type.substr(0, type.find('.')));
}

std::string size_of(std::string_view type) {
    const std::size_t dot = type.find('.');
    return dot == std::string_view::npos ? "" : std::string(type.substr(dot + 1));
}

std::string_view arch_label(std::string_view architecture) {
    if (architecture == "x86_64") return "amd64";
    return architecture == "arm64" ? "arm64" : "";
}

std::string_view arch_of(const InstanceTypeInfo& info) {
    for (const std::string& architecture : info.architectures) {
        if (const std::string_view label = arch_label(architecture); !label.empty()) return label;
    }
    return {};
}

void add_type_labels(const InstanceTypeInfo& info, std::int64_t network_mbps, std::string_view domain,
                     rules::Requirements& out) {
    TypeLabels labels(domain, out);
    const std::string family = family_of(info.name);
    set_category(family, labels);
    labels.set("instance-family", family);
    labels.set("instance-size", size_of(info.name));
    labels.set_flag("instance-capability-flex", family.find("-flex") != std::string::npos);
    labels.set("instance-cpu", info.vcpus);
    labels.set("instance-cpu-manufacturer", label_text(info.processor_manufacturer));
    labels.set("instance-cpu-sustained-clock-speed-mhz", std::llround(info.clock_ghz * 1000));
    labels.set("instance-memory", info.memory_mib);
    const bool is_default = info.ebs_optimized == "default" && info.ebs_max_mbps > 0;
    labels.set("instance-ebs-bandwidth", is_default ? std::to_string(info.ebs_max_mbps) : "");
    labels.set("instance-network-bandwidth", network_mbps > 0 ? std::to_string(network_mbps) : "");
    const bool has_nvme =
        info.local_disk_gb > 0 && !info.local_disk_nvme.empty() && info.local_disk_nvme != "unsupported";
    labels.set("instance-local-nvme", has_nvme ? std::to_string(info.local_disk_gb) : "");
    labels.set("instance-hypervisor", info.is_bare_metal ? "" : info.hypervisor);
    labels.set_flag("instance-encryption-in-transit-supported", info.encrypts_in_transit);
    labels.set_flag("nitro-sandbox", info.has_enclaves);
    set_accelerators(info, labels);
}

}  // namespace joiner::cloud::ec2
