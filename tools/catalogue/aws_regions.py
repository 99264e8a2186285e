#!/usr/bin/env python3
"""Writes how prices of EC2 in other regions stand to those of us-east-1, data/aws-regions.tsv.

    python3 -m venv VENV && VENV/bin/pip install --no-deps --require-hashes -r tools/catalogue/requirements.txt
    VENV/bin/python tools/catalogue/aws_regions.py

apache-libcloud has prices of EC2's regions as of March 2025. Only types are looked at whose us-east-1 price there
is to the micro-dollar that of our table: where AWS has changed a price since, the other regions' are old as well. Now
and then a price there is 6 or 10 % too high, as of another tenancy, and never too low: so of each family the least of
its types' ratios is taken, and of each region the median of its families'.
"""

import argparse
import pathlib
import statistics

import sources
import table

OUTPUT = pathlib.Path(__file__).parents[2] / "data" / "aws-regions.tsv"
TAKEN = "2025-03-02"
LEAST_FAMILIES = 10


def main():
    parser = argparse.ArgumentParser(description="Writes how prices of EC2 in other regions stand to us-east-1.")
    parser.add_argument("-o", "--output", default=OUTPUT, help="where to write (default: %(default)s)")
    arguments = parser.parse_args()

    ours = {row["name"]: int(row["price"]) for row in table.read_table(table.CATALOGUE)}
    theirs = sources.libcloud_regions()
    agreeing = [n for n in ours if round(theirs.get(n, {}).get(sources.REGION, 0) * 1_000_000) == ours[n]]
    ratios = {}
    for name in agreeing:
        base = theirs[name][sources.REGION]
        for region, price in theirs[name].items():
            ratios.setdefault(region, {}).setdefault(name.split(".")[0], []).append(price / base)

    lines = [
        "# EC2: what a region's prices are over those of us-east-1. Made by tools/catalogue/aws_regions.py; change that.",
        f"# Prices of {TAKEN} (Linux, on demand): apache-libcloud {sources.package_version('apache-libcloud')}; "
        f"{len(agreeing)} types whose price in us-east-1 is still the same.",
        "# region; the median of its families, for those that are not named; the families",
        f"# dated: {TAKEN}",
        "region\tmedian\tfamilies",
    ]
    for region, families in sorted(ratios.items()):
        if region == sources.REGION or len(families) < LEAST_FAMILIES:
            continue
        by_family = {family: min(values) for family, values in families.items()}
        median = statistics.median(by_family.values())
        other = " ".join(f"{f}:{v:.4f}" for f, v in sorted(by_family.items()))
        lines.append(f"{region}\t{median:.4f}\t{other}")
    with open(arguments.output, "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{len(lines) - 5} regions written to {arguments.output}, from {len(agreeing)} of {len(ours)} types")


if __name__ == "__main__":
    main()
