#!/usr/bin/env python3
"""Writes instance types in the JSON form that Karpenter's KWOK provider and `--instance-types` read.

    kwok_types.py --set kwok               the 144 made-up types of the KWOK provider
    kwok_types.py --set aws                the embedded AWS catalogue, on-demand and spot in every zone
    kwok_types.py --set kwok --check FILE  compare with such a file instead of writing one

The layout is that of Go's encoder, so such files can be compared as text too.
"""

import argparse
import json
import math
import pathlib
import sys

import table

ZONE = "topology.kubernetes.io/zone"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
SPOT_SHARE_OF_ON_DEMAND = 0.7
EPHEMERAL_STORAGE = "20Gi"

KWOK_CPUS = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256)
KWOK_FAMILIES = {"c": 2, "s": 4, "m": 8}  # GiB of memory for each CPU
KWOK_ZONES = ("test-zone-a", "test-zone-b", "test-zone-c", "test-zone-d")
GIB = 2**30

AWS_REGION = "us-east-1"
GPU_RESOURCES = {"NVIDIA": "nvidia.com/gpu", "AMD": "amd.com/gpu", "Habana": "habana.ai/gaudi"}


def quantity(mebibytes):
    """The canonical text of a quantity: the largest binary unit that leaves a whole number."""
    for unit in ("Mi", "Gi", "Ti", "Pi"):
        if mebibytes % 1024:
            return f"{mebibytes}{unit}"
        mebibytes //= 1024
    return f"{mebibytes}Ei"


def requirement(key, value):
    return {"key": key, "operator": "In", "values": [value]}


def offering(price, capacity_type, zone):
    return {
        "Price": price,
        "Available": True,
        "Requirements": [requirement(CAPACITY_TYPE, capacity_type), requirement(ZONE, zone)],
    }


def offerings(price, zones, capacity_types):
    prices = {"spot": price * SPOT_SHARE_OF_ON_DEMAND, "on-demand": price}
    return [offering(prices[kind], kind, zone) for zone in zones for kind in capacity_types]


def kwok_type(cpu, family, architecture, system):
    memory_gib = cpu * KWOK_FAMILIES[family]
    price = 0.025 * cpu + 0.001 * (memory_gib * GIB) / 1e9
    return {
        "name": f"{family}-{cpu}x-{architecture}-{system}",
        "offerings": offerings(price, KWOK_ZONES, ("spot", "on-demand")),
        "architecture": architecture,
        "operatingSystems": [system],
        "resources": {
            "cpu": str(cpu),
            "ephemeral-storage": EPHEMERAL_STORAGE,
            "memory": quantity(memory_gib * 1024),
            "pods": str(min(16 * cpu, 1024)),
        },
    }


def kwok_types():
    return [
        kwok_type(cpu, family, architecture, system)
        for cpu in KWOK_CPUS
        for family in KWOK_FAMILIES
        for system in ("linux", "windows")
        for architecture in ("amd64", "arm64")
    ]


def aws_devices(row):
    """The extended resources of a row."""
    devices = {}
    if row["gpu"]:
        manufacturer, _, count, _ = row["gpu"].split(":")
        devices[GPU_RESOURCES[manufacturer]] = count
    if row["neuron"]:
        _, count, cores = row["neuron"].split(":")
        devices |= {"aws.amazon.com/neuron": count, "aws.amazon.com/neuroncore": cores}
    return {resource: count for resource, count in devices.items() if count != "0"}


def aws_type(row):
    capacity_types = [name for letter, name in (("s", "spot"), ("o", "on-demand")) if letter in row["usage"]]
    resources = {
        "cpu": row["cpu"],
        "ephemeral-storage": EPHEMERAL_STORAGE,
        "memory": quantity(int(row["memory_mib"])),
        "pods": row["pods"],
    }
    return {
        "name": row["name"],
        "offerings": offerings(
            int(row["price"]) / 1_000_000, [AWS_REGION + letter for letter in row["zones"]], capacity_types
        ),
        "architecture": row["arch"],
        "operatingSystems": ["linux"],
        "resources": dict(sorted((resources | aws_devices(row)).items())),
    }


def aws_types():
    return [aws_type(row) for row in table.read_table(table.CATALOGUE)]


def available_prices(instance_type):
    """(capacity type, zone) -> price of each available offering."""
    prices = {}
    for item in instance_type["offerings"]:
        place = {r["key"]: r["values"][0] for r in item["Requirements"]}
        if item["Available"]:
            prices[place[CAPACITY_TYPE], place[ZONE]] = item["Price"]
    return prices


def same_prices(ours, theirs):
    # The last bit of a sum may differ: machines with a fused multiply-add round once less.
    return ours.keys() == theirs.keys() and all(
        math.isclose(price, theirs[place], rel_tol=1e-14) for place, price in ours.items()
    )


def check(types, path):
    """Says how `types` differ from those in the file; returns whether they do not."""
    text = pathlib.Path(path).read_text(encoding="utf-8")
    ours = {t["name"]: t for t in types}
    theirs = {t["name"]: t for t in json.loads(text)}
    only = {"only here": ours.keys() - theirs.keys(), "only there": theirs.keys() - ours.keys()}
    for place, names in only.items():
        print(f"{place}: {' '.join(sorted(names)) or 'none'}")
    different = []
    for name in sorted(ours.keys() & theirs.keys()):
        for fact in ("architecture", "operatingSystems", "resources"):
            if ours[name][fact] != theirs[name][fact]:
                different.append(f"{name}: {fact} {ours[name][fact]}, there {theirs[name][fact]}")
        our_prices, their_prices = available_prices(ours[name]), available_prices(theirs[name])
        if not same_prices(our_prices, their_prices):
            different.append(f"{name}: prices {our_prices}, there {their_prices}")
    print(f"{len(ours)} types here, {len(theirs)} there, {len(different)} differences", *different, sep="\n")
    lines = zip(written(types).splitlines(), text.splitlines(), strict=False)
    print(f"{sum(our_line != their_line for our_line, their_line in lines)} lines of text differ")
    return not different and not any(only.values())


def written(types):
    return json.dumps(types, indent=4)


def main():
    parser = argparse.ArgumentParser(description="Writes instance types in the form of Karpenter's KWOK provider.")
    parser.add_argument("--set", choices=("kwok", "aws"), required=True, help="which types")
    parser.add_argument("-o", "--output", help="where to write (default: standard output)")
    parser.add_argument("--check", metavar="FILE", help="compare with FILE; ends with 1 if they differ")
    arguments = parser.parse_args()

    types = kwok_types() if arguments.set == "kwok" else aws_types()
    if arguments.check:
        sys.exit(0 if check(types, arguments.check) else 1)
    if arguments.output:
        pathlib.Path(arguments.output).write_text(written(types) + "\n", encoding="utf-8")
    else:
        print(written(types))


if __name__ == "__main__":
    main()
