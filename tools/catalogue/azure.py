#!/usr/bin/env python3
"""Writes the embedded catalogue of Azure's virtual machines, data/azure.tsv.

    python3 tools/catalogue/azure.py

Needs Go and no Python package. A type is listed if Karpenter's provider for Azure knows it and prices it, and
its name says what it holds. The output is the same for the same version of the module (sources.py).

What a name says, after Azure's "VM sizes naming conventions" and the pages of the series:
    Standard_ FAMILY CPUS [-CONSTRAINED] FEATURES [_ACCELERATOR] [_VERSION]
Features: a AMD, b block storage, d local disk, i isolated, l low memory, m much memory, p Arm, s premium storage,
t tiny memory. Memory follows from the family and the features; where a size breaks the rule of its series, it is
in MEMORY_GIB.
"""

import argparse
import pathlib
import re

import sources

OUTPUT = pathlib.Path(__file__).parents[2] / "data" / "azure.tsv"
BASE = "eastus"

# Regions that have availability zones 1, 2 and 3 (Azure's list of regions, 2026). Other regions have none.
ZONED = """
australiaeast austriaeast belgiumcentral brazilsouth canadacentral centralindia centralus chilecentral eastasia
eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest
koreacentral malaysiawest mexicocentral newzealandnorth northeurope norwayeast polandcentral qatarcentral
southafricanorth southcentralus southeastasia spaincentral swedencentral switzerlandnorth uaenorth uksouth
westeurope westus2 westus3
""".split()

# What Karpenter's provider buys nothing of: under two CPUs or 3.5 GiB, constrained and confidential sizes, and these.
NOT_BOUGHT = "E64i_v3 E64is_v3".split()
LEAST_CPU, LEAST_GIB = 2, 3.5

# The first sizes have numbers that count nothing: CPUs and GiB by number.
OLD_D = {1: (1, 3.5), 2: (2, 7), 3: (4, 14), 4: (8, 28), 5: (16, 56), 11: (2, 14), 12: (4, 28), 13: (8, 56),
         14: (16, 112), 15: (20, 140)}

# (pattern of family, features and version; CPUs) -> GiB, where a size breaks its series' rule.
MEMORY_GIB = [
    (r"Bls", {1: 0.5}),
    (r"Bs", {1: 1, 2: 4}),
    (r"Bms", {1: 2}),
    (r"Dpd?s_v5", {64: 208}),
    (r"E.*_v3", {64: 432}),
    (r"E(d|s|ds|is|ids|)_v4", {64: 504, 80: 504}),
    (r"Ei?a.*_v4", {96: 672}),
    (r"Epd?s_v5", {32: 208}),
    (r"Eid?s?_v5", {104: 672}),
    (r"Ei[ab].*_v5", {96: 672, 112: 672}),
    (r"E.*_v5", {96: 672}),
    (r"E(as|ads|ps|pds)_v6", {96: 672}),
    (r"Ei.*_v6", {192: 1832}),
    (r"ECi.*_v5", {96: 672, 128: 768}),
    (r"ECe.*_v5", {32: 256, 128: 768}),
    (r"EC.*_v5", {32: 192, 96: 672}),
    (r"ECa.*_v6", {96: 672}),
    (r"FX.*_v2", {96: 1832}),
]

# GiB for each CPU by family and features; the first that matches holds.
GIB_PER_CPU = [
    (r"Am_v2", 8),
    (r"A_v2", 2),
    (r"B.*t.*", 0.5),
    (r"B.*l.*", 2),
    (r"B.*", 4),
    (r"DCd?s_v3", 8),
    (r"DC.*", 4),
    (r"D.*l.*", 2),
    (r"D.*", 4),
    (r"E.*", 8),
    (r"FX.*", 21),
    (r"Fa.*l.*", 2),
    (r"Fi?a.*m.*", 8),
    (r"Fa.*", 4),
    (r"Fs?(_v2)?", 2),
    (r"L.*", 8),
]

# Machines with GPUs: maker, name as Azure's size names have it, and by CPUs the GPUs and GiB. Shares of a GPU
# count as one, as the device plugin reports them.
GPUS = {
    "NCs_v3": ("nvidia", "", {6: (1, 112), 12: (2, 224), 24: (4, 448)}),
    "NCrs_v3": ("nvidia", "", {24: (4, 448)}),
    "NCas_T4_v3": ("nvidia", "T4", {4: (1, 28), 8: (1, 56), 16: (1, 110), 64: (4, 440)}),
    "NCads_A10_v4": ("nvidia", "A10", {8: (1, 100), 16: (1, 200), 32: (2, 400)}),
    "NCads_A100_v4": ("nvidia", "A100", {24: (1, 220), 48: (2, 440), 96: (4, 880)}),
    "NCads_H100_v5": ("nvidia", "H100", {40: (1, 320)}),
    "NCadis_H100_v5": ("nvidia", "H100", {80: (2, 640)}),
    "NCCads_H100_v5": ("nvidia", "H100", {40: (1, 320)}),
    "NDrs_v2": ("nvidia", "", {40: (8, 672)}),
    "NDasr_v4": ("nvidia", "A100", {96: (8, 900)}),
    "NDamsr_A100_v4": ("nvidia", "A100", {96: (8, 1800)}),
    "NDisr_H100_v5": ("nvidia", "H100", {96: (8, 1900)}),
    "NDisr_H200_v5": ("nvidia", "H200", {96: (8, 1850)}),
    "NVs_v3": ("nvidia", "", {12: (1, 112), 24: (2, 224), 48: (4, 448)}),
    "NVads_A10_v5": ("nvidia", "A10", {6: (1, 55), 12: (1, 110), 18: (1, 220), 36: (1, 440), 72: (2, 880)}),
    "NVadms_A10_v5": ("nvidia", "A10", {36: (1, 880)}),
}

# How many data disks a size takes, by CPUs, up to v5; larger ones take as many as the last.
DATA_DISKS = [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32)]

NAME = re.compile(r"Standard_([A-Z]+)(\d+)(?:-(\d+))?([a-z]*)((?:_cc)?)((?:_[A-Z]+\d+)?)((?:_v\d+)?)$")

COLUMNS = {
    "name": "size, as node.kubernetes.io/instance-type has it",
    "arch": "amd64 or arm64",
    "cpu": "vCPUs that the machine has; of a constrained size those that are left",
    "memory_mib": "memory",
    "family": "karpenter.azure.com/sku-family: the first letter",
    "series": "karpenter.azure.com/sku-series",
    "gpu": "maker:name:count",
    "disks": "data disks that may be attached, where the series has a rule for it",
    "flags": "a accelerated networking, p premium storage, x not bought: priced where it is there",
}


def first_match(pairs, text):
    return next((value for pattern, value in pairs if re.fullmatch(pattern, text)), None)


def facts(name):
    """The columns that the name answers; None where no rule says what it holds."""
    match = NAME.match(name)
    if not match:
        return None
    family, number, constrained, features, confidential, accelerator, version = match.groups()
    series = family + features + confidential + accelerator + version
    cpu, gpu, generation = int(number), "", int(version[2:] or 1)
    if series in GPUS:
        maker, gpu_name, sizes = GPUS[series]
        if cpu not in sizes:
            return None
        count, memory = sizes[cpu]
        gpu = f"{maker}:{gpu_name}:{count}"
    elif family.startswith(("N", "M", "G", "H", "P")):
        return None
    elif family in ("D", "DS") and generation <= 2:
        cpu, memory = OLD_D[cpu]
    else:
        rule = series.replace("_cc", "")
        exceptions = [sizes[cpu] for pattern, sizes in MEMORY_GIB if re.fullmatch(pattern, rule) and cpu in sizes]
        per_cpu = first_match(GIB_PER_CPU, rule)
        if per_cpu is None:
            return None
        memory = exceptions[0] if exceptions else cpu * per_cpu
    is_old = family in ("A", "D", "DS", "F", "L") and generation <= 1 or family == "A"
    is_burstable_v1 = family == "B" and generation == 1
    flags = ""
    if not is_old and not (is_burstable_v1 and cpu < 12):
        flags += "a"
    if "s" in features or family == "DS":
        flags += "p"
    is_small = cpu < LEAST_CPU or memory < LEAST_GIB
    if is_small or constrained or family in ("DC", "EC") or name.removeprefix("Standard_") in NOT_BOUGHT:
        flags += "x"
    disks = ""
    if 3 <= generation <= 5 and family in ("D", "E"):
        disks = max(count for least, count in DATA_DISKS if cpu >= least)
    return {
        "name": name,
        "arch": "arm64" if "p" in features else "amd64",
        "cpu": int(constrained or cpu),
        "memory_mib": int(memory * 1024),
        "family": family[0],
        "series": series,
        "gpu": gpu,
        "disks": disks,
        "flags": flags,
    }


def main():
    parser = argparse.ArgumentParser(description="Writes the embedded catalogue of Azure's virtual machines.")
    parser.add_argument("-o", "--output", default=OUTPUT, help="where to write (default: %(default)s)")
    arguments = parser.parse_args()

    module = sources.AzureModule()
    prices, known = module.prices(), module.known_types()
    regions = [BASE] + sorted(prices.values.keys() - {BASE})
    rows = []
    for name in sorted(known):
        row = facts(name)
        by_region = {r: prices.values[r][name] for r in regions if prices.values[r].get(name, 0) > 0}
        if row and by_region:
            rows.append(row | by_region)

    head = [
        "Azure's virtual machines. Made by tools/catalogue/azure.py; change that, not this.",
        f"Prices of {prices.date}, in micro-dollars per hour (Linux, pay as you go), from "
        f"{sources.AZURE_MODULE.rpartition('/')[2]}; a column a region, the first one the base.",
        "Facts: Azure's rules for names of sizes. Empty: not sold there, none, or not said.",
    ]
    lines = [f"# {line}" for line in head]
    lines += [f"# {column}: {meaning}" for column, meaning in COLUMNS.items()]
    lines += [f"# dated: {prices.date}"]
    lines += ["# zoned: " + " ".join(r for r in ZONED if r in regions)]
    lines += ["\t".join([*COLUMNS, *regions])]
    lines += ["\t".join(str(row.get(column, "")) for column in [*COLUMNS, *regions]) for row in rows]
    with open(arguments.output, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{len(rows)} of {len(known)} types written to {arguments.output}")


if __name__ == "__main__":
    main()
