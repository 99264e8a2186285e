#!/usr/bin/env python3
"""Writes the embedded catalogue of AWS instance types, data/aws-us-east-1.tsv.

    python3 -m venv VENV && VENV/bin/pip install --no-deps --require-hashes -r tools/catalogue/requirements.txt
    VENV/bin/python tools/catalogue/generate.py

A type is listed if its facts, a zone that offers it and a price are known. The output is the same for
the same versions of the sources (sources.py); to bring it up to date, raise those versions and run it again.
"""

import argparse

import sources
import table

ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
USAGE_LETTERS = {"on-demand": "o", "spot": "s", "capacity-block": "b"}


def architecture(info):
    names = [ARCHITECTURES[a] for a in info["ProcessorInfo"]["SupportedArchitectures"] if a in ARCHITECTURES]
    return names[0] if names else None


def gpu_text(info):
    devices = info.get("GpuInfo", {}).get("Gpus", [])
    assert len(devices) <= 1, f"{info['InstanceType']} has several kinds of GPU"
    return "".join(
        f"{gpu['Manufacturer']}:{gpu['Name']}:{gpu['Count']}:{gpu['MemoryInfo']['SizeInMiB']}" for gpu in devices
    )


def neuron_text(info):
    devices = info.get("NeuronInfo", {}).get("NeuronDevices", [])
    assert len(devices) <= 1, f"{info['InstanceType']} has several kinds of Neuron device"
    return "".join(f"{d['Name']}:{d['Count']}:{d['Count'] * d['CoreInfo']['Count']}" for d in devices)


def flags_text(info):
    network, processor = info["NetworkInfo"], info["ProcessorInfo"]
    present = {
        "b": info["BurstablePerformanceSupported"],
        "c": "cluster" not in info["PlacementGroupInfo"]["SupportedStrategies"],
        "e": network["EncryptionInTransitSupported"],
        "n": info["NitroEnclavesSupport"] == "supported",
        "o": not info["CurrentGeneration"],
        "v": "nested-virtualization" in processor.get("SupportedFeatures", []),
        "x": network["EnaSupport"] == "unsupported",
    }
    return "".join(letter for letter, is_present in present.items() if is_present)


def default_card(network):
    cards = {card["NetworkCardIndex"]: card for card in network["NetworkCards"]}
    return cards[network["DefaultNetworkCardIndex"]]


def describe(info):
    """The columns that EC2's own description answers."""
    network, store = info["NetworkInfo"], info.get("InstanceStorageInfo", {})
    enis = default_card(network)["MaximumNetworkInterfaces"]
    ipv4 = network["Ipv4AddressesPerInterface"]
    has_nvme = store.get("NvmeSupport", "unsupported") != "unsupported"
    ebs_is_default = info["EbsInfo"]["EbsOptimizedSupport"] == "default"
    return {
        "name": info["InstanceType"],
        "arch": architecture(info),
        "cpu": info["VCpuInfo"]["DefaultVCpus"],
        "memory_mib": info["MemoryInfo"]["SizeInMiB"],
        "usage": "".join(USAGE_LETTERS[usage] for usage in USAGE_LETTERS if usage in info["SupportedUsageClasses"]),
        "pods": enis * (ipv4 - 1) + 2,
        "enis": enis,
        "ipv4": ipv4,
        "cards": network["MaximumNetworkCards"] if network["MaximumNetworkCards"] > 1 else None,
        "efas": network.get("EfaInfo", {}).get("MaximumEfaInterfaces"),
        "ebs_mbps": info["EbsInfo"]["EbsOptimizedInfo"]["MaximumBandwidthInMbps"] if ebs_is_default else None,
        "ebs_volumes": info["EbsInfo"].get("MaximumEbsAttachments"),
        "gpu": gpu_text(info),
        "neuron": neuron_text(info),
        "store_gb": store.get("TotalSizeInGB"),
        "nvme_gb": store["TotalSizeInGB"] if has_nvme else None,
        "hypervisor": "metal" if info["BareMetal"] else info["Hypervisor"],
        "cpu_maker": info["ProcessorInfo"]["Manufacturer"],
        "clock_mhz": round(info["ProcessorInfo"].get("SustainedClockSpeedInGhz", 0) * 1000),
        "flags": flags_text(info),
    }


def zone_letters_to_ids(by_name, by_id):
    """A zone and a zone id that offer exactly the same types are the same place."""
    ids = {frozenset(types): zone_id for zone_id, types in by_id.items()}
    assert len(ids) == len(by_id), "two zone ids offer the same types, so zones cannot be told apart"
    return {zone.removeprefix(sources.REGION): ids[frozenset(types)] for zone, types in by_name.items()}


def main():
    parser = argparse.ArgumentParser(description="Writes the embedded catalogue of AWS instance types.")
    parser.add_argument("-o", "--output", default=table.CATALOGUE, help="where to write (default: %(default)s)")
    arguments = parser.parse_args()

    module = sources.PriceModule()
    prices, branches, bandwidth = module.prices(), module.branch_interfaces(), module.bandwidth()
    types_by_zone = sources.offerings("availability-zone")

    rows = []
    for name, info in sources.instance_types().items():
        zones = "".join(sorted(zone[-1] for zone, types in types_by_zone.items() if name in types))
        is_hvm = "hvm" in info["SupportedVirtualizationTypes"]
        if name not in prices.values or not zones or not is_hvm or architecture(info) is None:
            continue
        elsewhere = {
            "price": prices.values[name],
            "zones": zones,
            "branch_enis": branches.values.get(name),
            "network_mbps": bandwidth.get(name),
        }
        rows.append(describe(info) | elsewhere)

    head = [
        f"EC2 instance types of {sources.REGION}. Made by tools/catalogue/generate.py; change that, not this.",
        f"Facts and zones: moto {sources.package_version('moto')}. Prices ({prices.date}), network bandwidth and "
        f"trunking ({branches.date}): {sources.PRICE_MODULE.rpartition('/')[2]}.",
        "Columns; an empty cell means none, zero or not published. Names are as EC2 gives them; labels carry",
        "them in lower case with dashes for spaces.",
    ]
    zone_ids = zone_letters_to_ids(types_by_zone, sources.offerings("availability-zone-id"))
    table.write_table(arguments.output, head, zone_ids, rows)
    print(f"{len(rows)} types written to {arguments.output}")


if __name__ == "__main__":
    main()
