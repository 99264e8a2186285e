#!/usr/bin/env python3
"""Compares the catalogue with an independent table, fact by fact.

    check.py REFERENCE.json    a JSON table {"instanceTypes": [{"name": ..., "vcpu": ..., ...}]}
    check.py --libcloud        only prices, with those that apache-libcloud ships

Prints, for each fact, how many types agree and the first few that do not; ends with 1 if any does not.
"""

import argparse
import collections
import json
import sys

import generate
import sources
import table

EXAMPLES = 6


def number(cell):
    return int(cell or 0)


def letters(cell, names):
    return sorted(name for letter, name in names.items() if letter in cell)


def gpu_record(cell):
    if not cell:
        return None
    manufacturer, name, count, memory = cell.split(":")
    return {"name": name, "manufacturer": manufacturer, "count": int(count), "memoryMiB": int(memory)}


def neuron_record(cell):
    if not cell:
        return None
    name, devices, cores = cell.split(":")
    return {"name": name, "count": int(devices), "neuronCores": int(cores)}


def only(record, keys):
    return {key: record[key] for key in keys if key in record} if record else None


# Fact -> (from our row, from the reference's record).
FACTS = {
    "architecture": (
        lambda r: r["arch"],
        lambda t: next((generate.ARCHITECTURES[a] for a in t["arch"] if a in generate.ARCHITECTURES), None),
    ),
    "vCPUs": (lambda r: number(r["cpu"]), lambda t: t["vcpu"]),
    "memory MiB": (lambda r: number(r["memory_mib"]), lambda t: t["memoryMiB"]),
    "price, micro-dollars": (
        lambda r: number(r["price"]),
        lambda t: round(t.get("onDemandPriceUSD", 0) * 1_000_000),
    ),
    "zones": (lambda r: r["zones"], lambda t: t.get("zones", "")),
    "usage": (
        lambda r: letters(r["usage"], {v: k for k, v in generate.USAGE_LETTERS.items()}),
        lambda t: sorted(t["usage"]),
    ),
    "spot": (lambda r: "s" in r["usage"], lambda t: t.get("spot", False)),
    "pods": (
        lambda r: number(r["pods"]),
        lambda t: t.get("defaultCardENIs", t["maxENIs"]) * (t["ipv4PerENI"] - 1) + 2,
    ),
    "interfaces, default card": (lambda r: number(r["enis"]), lambda t: t.get("defaultCardENIs", t["maxENIs"])),
    "IPv4 an interface": (lambda r: number(r["ipv4"]), lambda t: t["ipv4PerENI"]),
    "network cards": (lambda r: number(r["cards"] or "1"), lambda t: t.get("networkCards", 1)),
    "trunking": (lambda r: bool(r["branch_enis"]), lambda t: t.get("trunking", False)),
    "branch interfaces": (lambda r: number(r["branch_enis"]), lambda t: t.get("branchENIs", 0)),
    "EFA interfaces": (lambda r: number(r["efas"]), lambda t: t.get("efa", 0)),
    "network Mbps": (lambda r: number(r["network_mbps"]), lambda t: t.get("networkMbps", 0)),
    "EBS Mbps": (lambda r: number(r["ebs_mbps"]), lambda t: t.get("ebsMbps", 0)),
    "GPU": (
        lambda r: gpu_record(r["gpu"]),
        lambda t: only(t.get("gpu"), ("name", "manufacturer", "count", "memoryMiB")),
    ),
    "Neuron": (
        lambda r: neuron_record(r["neuron"]),
        lambda t: only(t.get("accelerator"), ("name", "count", "neuronCores")),
    ),
    "instance store GB": (lambda r: number(r["store_gb"]), lambda t: t.get("instanceStoreGB", 0)),
    "NVMe GB": (lambda r: number(r["nvme_gb"]), lambda t: t.get("localNvmeGB", 0)),
    "hypervisor": (
        lambda r: r["hypervisor"],
        lambda t: "metal" if t.get("bareMetal") else t.get("hypervisor"),
    ),
    "CPU manufacturer": (lambda r: r["cpu_maker"], lambda t: t["cpuManufacturer"]),
    "clock MHz": (lambda r: number(r["clock_mhz"]), lambda t: t.get("clockMHz", 0)),
    "burstable": (lambda r: "b" in r["flags"], lambda t: t.get("burstable", False)),
    "cluster placement": (
        lambda r: "c" not in r["flags"],
        lambda t: "cluster" in t.get("placementStrategies", ["cluster"]),
    ),
    "encryption in transit": (lambda r: "e" in r["flags"], lambda t: t.get("encryptionInTransit", False)),
    "Nitro Enclaves": (lambda r: "n" in r["flags"], lambda t: t.get("nitroEnclaves", False)),
    "older generation": (lambda r: "o" in r["flags"], lambda t: not t["currentGeneration"]),
    "nested virtualisation": (lambda r: "v" in r["flags"], lambda t: t.get("nestedVirtualization", False)),
    "no ENA": (lambda r: "x" in r["flags"], lambda t: t.get("enaSupport") == "unsupported"),
}


def report(fact, pairs):
    """`pairs`: (name, ours, theirs). Returns how many disagree."""
    different = [pair for pair in pairs if pair[1] != pair[2]]
    print(f"{fact:26} {len(pairs) - len(different):5} agree {len(different):5} differ")
    for name, ours, theirs in different[:EXAMPLES]:
        print(f"{'':26} {name}: ours {ours}, theirs {theirs}")
    return len(different)


def check_reference(rows, path):
    with open(path, encoding="utf-8") as file:
        theirs = {record["name"]: record for record in json.load(file)["instanceTypes"]}
    ours = {row["name"]: row for row in rows}
    both = sorted(ours.keys() & theirs.keys())
    print(f"{len(ours)} types here, {len(theirs)} there, {len(both)} in both")
    print("only here:", " ".join(sorted(ours.keys() - theirs.keys())) or "none")
    missing = [name for name in sorted(theirs.keys() - ours.keys()) if theirs[name].get("onDemandPriceUSD")]
    print("only there, with a price:", " ".join(missing) or "none")
    differences = sum(
        report(fact, [(name, our_fact(ours[name]), their_fact(theirs[name])) for name in both])
        for fact, (our_fact, their_fact) in FACTS.items()
    )
    return differences + len(missing)


def check_libcloud(rows):
    theirs = sources.libcloud_prices()
    pairs = [(row["name"], number(row["price"]), round(theirs[row["name"]] * 1_000_000)) for row in rows
             if row["name"] in theirs]
    print(f"{len(rows)} types here, {len(pairs)} of them priced there")
    differences = report("price, micro-dollars", pairs)
    ratios = collections.Counter(f"{theirs / ours:.2f}" for _, ours, theirs in pairs if ours != theirs)
    print("theirs / ours:", ", ".join(f"{ratio} ({count} types)" for ratio, count in ratios.most_common()))
    return differences


def main():
    parser = argparse.ArgumentParser(description="Compares the catalogue with an independent table.")
    parser.add_argument("reference", nargs="?", help="a JSON table with instanceTypes")
    parser.add_argument("--libcloud", action="store_true", help="compare prices with apache-libcloud's")
    parser.add_argument("--catalogue", default=table.CATALOGUE, help="default: %(default)s")
    arguments = parser.parse_args()
    if bool(arguments.reference) == arguments.libcloud:
        parser.error("give either a REFERENCE or --libcloud")

    rows = table.read_table(arguments.catalogue)
    differences = check_libcloud(rows) if arguments.libcloud else check_reference(rows, arguments.reference)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
