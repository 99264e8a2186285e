// What EC2 says of one instance type (DescribeInstanceTypes), as it says it: no rule of ours is applied here.
// What an answer leaves out is zero, false or empty. Value types; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace joiner::cloud::ec2 {

struct NetworkCard {
    int index = 0;
    int max_interfaces = 0;
    double baseline_gbps = 0;
    double peak_gbps = 0;
    std::string performance;  // "Up to 12.5 Gigabit".

    friend bool operator==(const NetworkCard&, const NetworkCard&) = default;
};

// A GPU, an inference accelerator, an FPGA or a media accelerator.
struct Accelerator {
    std::string name;
    std::string manufacturer;
    int count = 0;                // 0: a part of one.
    std::int64_t memory_mib = 0;  // Of one.

    friend bool operator==(const Accelerator&, const Accelerator&) = default;
};

struct NeuronDevice {
    std::string name;
    int count = 0;
    int cores = 0;                // Of one.
    std::int64_t memory_mib = 0;  // Of one.

    friend bool operator==(const NeuronDevice&, const NeuronDevice&) = default;
};

struct LocalDisk {
    std::int64_t size_gb = 0;
    int count = 0;
    std::string kind;  // "ssd" or "hdd".

    friend bool operator==(const LocalDisk&, const LocalDisk&) = default;
};

struct InstanceTypeInfo {
    std::string name;
    bool is_current_generation = false;
    bool is_bare_metal = false;
    bool is_burstable = false;
    std::string hypervisor;                         // "nitro", "xen", or empty.
    std::vector<std::string> usage_classes;         // "on-demand", "spot", "capacity-block".
    std::vector<std::string> placement_strategies;  // "cluster", "partition", "spread".

    // Processor and memory.
    std::vector<std::string> architectures;       // "x86_64", "arm64", "i386".
    std::string processor_manufacturer;           // "Intel", "AMD", "AWS".
    double clock_ghz = 0;                         // 0: not said.
    std::vector<std::string> processor_features;  // "amd-sev-snp", "nested-virtualization".
    int vcpus = 0;
    int cores = 0;
    std::int64_t memory_mib = 0;

    // Network. Addresses are of one interface.
    int max_interfaces = 0;
    int ipv4_addresses = 0;
    int ipv6_addresses = 0;
    bool has_ipv6 = false;
    int default_card = 0;
    std::vector<NetworkCard> cards;
    std::string network_performance;
    std::string ena;  // "unsupported", "supported" or "required".
    bool has_efa = false;
    int max_efa_interfaces = 0;
    bool encrypts_in_transit = false;

    // Volumes.
    std::string ebs_optimized;  // "unsupported", "supported" or "default".
    std::int64_t ebs_baseline_mbps = 0;
    std::int64_t ebs_max_mbps = 0;
    int max_ebs_attachments = 0;       // 0: not said.
    std::string ebs_attachment_limit;  // "shared" (with network interfaces and local disks) or "dedicated".

    // Local disks.
    std::int64_t local_disk_gb = 0;  // Of all of them together.
    std::string local_disk_nvme;     // "unsupported", "supported" or "required"; empty: no disks.
    std::vector<LocalDisk> local_disks;

    std::vector<Accelerator> gpus;
    std::vector<Accelerator> inference_accelerators;
    std::vector<Accelerator> fpgas;
    std::vector<Accelerator> media_accelerators;
    std::vector<NeuronDevice> neuron_devices;

    bool has_enclaves = false;

    friend bool operator==(const InstanceTypeInfo&, const InstanceTypeInfo&) = default;
};

// That a type is to be had in a zone (DescribeInstanceTypeOfferings by availability zone).
struct TypeInZone {
    std::string type;
    std::string zone;

    friend auto operator<=>(const TypeInZone&, const TypeInZone&) = default;
};

}  // namespace joiner::cloud::ec2
