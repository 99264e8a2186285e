"""The catalogue file: its columns, how it is written and how it is read.

The first lines start with `#` and explain the file. `# zone ids:` is the one of them that carries data. Then comes a
line of column names, then one line a type, sorted by name; columns are separated by tabs. An empty cell
means none, zero or not published.
"""

import pathlib

CATALOGUE = pathlib.Path(__file__).parents[2] / "data" / "aws-us-east-1.tsv"

COLUMNS = {
    "name": "instance type; family and size stand before and after the dot",
    "arch": "amd64 or arm64",
    "cpu": "vCPUs",
    "memory_mib": "memory",
    "price": "on-demand price in micro-dollars per hour (Linux; shared tenancy, dedicated for bare metal)",
    "zones": "letters of the zones that offer it",
    "usage": "how it is sold: o on-demand, s spot, b capacity block",
    "pods": "pods that get an address: enis x (ipv4 - 1) + 2",
    "enis": "network interfaces on the default card",
    "ipv4": "IPv4 addresses an interface",
    "cards": "network cards, where more than one",
    "branch_enis": "pod interfaces a trunk carries; empty: no trunking",
    "efas": "EFA interfaces at most",
    "network_mbps": "baseline network bandwidth",
    "ebs_mbps": "maximum EBS bandwidth, where EBS optimisation is on by default",
    "ebs_volumes": "EBS volumes that may be attached, the root volume among them; what shares their slots is taken off",
    "gpu": "manufacturer:name:count:MiB per device; count 0 is a fraction of a device",
    "neuron": "name:devices:cores of all devices",
    "store_gb": "instance store of any kind, decimal gigabytes",
    "nvme_gb": "the part of it that is NVMe",
    "hypervisor": "nitro, xen, or metal for bare metal",
    "cpu_maker": "CPU manufacturer",
    "clock_mhz": "sustained clock speed",
    "flags": "b burstable, c no cluster placement, e encrypts in transit, n Nitro Enclaves, o older generation, "
    "v nested virtualisation, x no ENA",
}


def write_table(path, head, zone_ids, rows):
    lines = [f"# {line}" for line in head]
    lines += [f"# {column}: {meaning}" for column, meaning in COLUMNS.items()]
    lines += ["# zone ids: " + " ".join(f"{letter}={zone_id}" for letter, zone_id in sorted(zone_ids.items()))]
    lines += ["\t".join(COLUMNS)]
    for row in sorted(rows, key=lambda row: row["name"]):
        lines.append("\t".join(str(row[column] or "") for column in COLUMNS))
    with open(path, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


def read_table(path):
    """Returns the rows as dictionaries of text, in the order of the file."""
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
    columns = lines[0].split("\t")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:]]
