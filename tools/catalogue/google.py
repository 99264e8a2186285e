#!/usr/bin/env python3
"""Writes the embedded catalogue of Google Cloud's machine types, data/google.tsv.

    python3 -m venv VENV && VENV/bin/pip install --no-deps --require-hashes -r tools/catalogue/requirements.txt
    VENV/bin/python tools/catalogue/google.py

Google sells these families by the core and by the GiB, at rates of the family and the region: apache-libcloud has
them, on demand and preemptible. What a name says, after Google's machine type pages: SERIES-SHAPE-CORES; the shape
says how much memory a core has. Machines with a share of a core show two cores and are billed for their share.
"""

import argparse
import pathlib

import sources

OUTPUT = pathlib.Path(__file__).parents[2] / "data" / "google.tsv"
BASE = "us-central1"
TAKEN = "2025-03-02"  # The `updated` of libcloud 3.9.1's table.

# Letters of the zones, where they are not a, b and c.
ZONES = {"us-central1": "abcf", "europe-west1": "bcd"}

# GiB a core by shape, and the numbers of cores.
FAMILIES = {
    "c2": ({"standard": 4}, [4, 8, 16, 30, 60]),
    "e2": ({"standard": 4, "highmem": 8, "highcpu": 1}, [2, 4, 8, 16, 32]),
    "n1": ({"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}, [1, 2, 4, 8, 16, 32, 64, 96]),
    "n2": ({"standard": 4, "highmem": 8, "highcpu": 1}, [2, 4, 8, 16, 32, 48, 64, 80, 96, 128]),
    "n2d": ({"standard": 4, "highmem": 8, "highcpu": 1}, [2, 4, 8, 16, 32, 48, 64, 80, 96, 128, 224]),
}
# Sizes that a shape does not come in.
MISSING = {"e2-highmem-32", "n1-highcpu-1", "n1-highmem-1", "n2-highcpu-128", "n2d-highmem-128", "n2d-highmem-224"}
MEMORY = {"n2-highmem-128": 864}
# Cores that are billed of the two that are seen, and GiB.
SHARED = {"e2-micro": (0.25, 1), "e2-small": (0.5, 2), "e2-medium": (1, 4)}

COLUMNS = {
    "name": "machine type",
    "arch": "amd64 or arm64",
    "cpu": "vCPUs",
    "memory_mib": "memory",
}


def machine_types():
    """Name, family, cores that are seen, cores that are billed, GiB."""
    for family, (shapes, sizes) in FAMILIES.items():
        for shape, per_core in shapes.items():
            for cores in sizes:
                name = f"{family}-{shape}-{cores}"
                if name not in MISSING:
                    yield name, family, cores, cores, MEMORY.get(name, cores * per_core)
    for name, (billed, memory) in SHARED.items():
        yield name, "e2", 2, billed, memory


def main():
    parser = argparse.ArgumentParser(description="Writes the embedded catalogue of Google Cloud's machine types.")
    parser.add_argument("-o", "--output", default=OUTPUT, help="where to write (default: %(default)s)")
    arguments = parser.parse_args()

    rates = sources.libcloud_google()
    regions = [BASE] + sorted({region for family in FAMILIES for region in rates[family]["on_demand"]["cpu"]} - {BASE})

    def cell(family, billed, memory, region):
        """ON-DEMAND:SPOT, each left out where it is not known."""
        prices = []
        for kind in ("on_demand", "preemptible"):
            core, gib = (rates[family][kind][part].get(region) for part in ("cpu", "ram"))
            if not core or not gib:
                break
            prices.append(str(round((billed * core + memory * gib) * 1_000_000)))
        return ":".join(prices)

    rows = [[name, "amd64", str(cores), str(round(memory * 1024)),
             *(cell(family, billed, memory, region) for region in regions)]
            for name, family, cores, billed, memory in sorted(machine_types())]
    head = [
        "Google Cloud's machine types. Made by tools/catalogue/google.py; change that, not this.",
        f"List prices of {TAKEN} by the rates of apache-libcloud {sources.package_version('apache-libcloud')}, in micro-dollars per hour,",
        "ON-DEMAND:SPOT; a column a region, the first one the base. Empty: not known.",
        "Facts: Google's rules for names of machine types.",
    ]
    lines = [f"# {line}" for line in head]
    lines += [f"# {column}: {meaning}" for column, meaning in COLUMNS.items()]
    lines += [f"# dated: {TAKEN}"]
    lines += ["# zones: " + " ".join(f"{region}={ZONES.get(region, 'abc')}" for region in regions)]
    lines += ["\t".join([*COLUMNS, *regions])]
    lines += ["\t".join(row) for row in rows]
    with open(arguments.output, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{len(rows)} types in {len(regions)} regions written to {arguments.output}")


if __name__ == "__main__":
    main()
