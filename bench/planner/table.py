#!/usr/bin/env python3
"""Runs the workloads of make.py through `joiner simulate` and through Karpenter's scheduler, and prints a table."""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = ("workload", "pods", "first ms", "50 ms", "total ms", "price/h", "price/bound", "nodes", "waiting",
           "peer s", "peer price", "peer nodes", "instr/pod")
# Workloads that are planned by each preference policy; the bound of Ignore's plan is everyone's.
POLICIES = {"upstream-preferences-4000": ("Respect", "Priced", "Ignore"),
            "preferences-5000": ("Respect", "Priced", "Ignore")}
# The first plan must not cost ten times the pods more than this.
GROWTH = ("diverse-10000", "diverse-100000", 12)
# The first plan alone: what a pod costs the pass that makes it.
FIRST_PASSES = ("joiner::plan::cheapest_draft*", "joiner::plan::fill_fleets*", "joiner::plan::ShareGreedy::run*",
                "joiner::plan::Patterns::run*")
# Beyond this many pods neither the other scheduler nor the instruction counter ends in time.
PEER_MOST, COUNT_MOST = 10_000, 20_000


def plan(joiner, manifest, types, *more):
    command = [joiner, "simulate", "-f", manifest, "--instance-types", types, "-o", "json", *more]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def pod_count(result):
    return (sum(len(claim["pods"]) for claim in result["nodeClaims"]) + len(result["existing"])
            + len(result["unschedulable"]))


def instructions(joiner, manifest, types):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                   *(f"--toggle-collect={name}" for name in FIRST_PASSES), joiner, "simulate", "-f", manifest, "--instance-types", types,
                   "-o", "json", "--planning-budget", "0"]
        run = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", run.stderr)
    return int(found.group(1)) if found else None


def peer_plan(peer, manifest, types, policy, timeout):
    command = [peer, "-f", manifest, "-instance-types", types, "-preference-policy", policy]
    try:
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout).stdout)
    except (subprocess.SubprocessError, json.JSONDecodeError):
        return None


def find_peer():
    build = subprocess.run([HERE / "build_peer.sh"], capture_output=True, text=True)
    lines = build.stdout.splitlines()
    if build.returncode != 0 or not lines:
        print(f"no peer: {(build.stdout or build.stderr).strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return pathlib.Path(lines[-1]) / "peer"


def row(options, peer, name, policy, manifest, types):
    policy_flag = ("--preference-policy", policy)
    result = plan(options.joiner, manifest, types, *policy_flag)
    pods = pod_count(result)
    bound = result["lowerBoundPerHour"]
    at_once = plan(options.joiner, manifest, types, "--planning-budget", "0.05", *policy_flag)
    out = {
        "workload": f"{name} {policy}" if name in POLICIES else name, "pods": pods,
        "first ms": f"{result['firstPlanSeconds'] * 1e3:.1f}",
        "50 ms": f"{at_once['pricePerHour'] / bound - 1:.2%}" if bound else "-",
        "total ms": f"{result['seconds'] * 1e3:.0f}", "price/h": f"{result['pricePerHour']:.2f}",
        "price/bound": f"{1 + result['gap']:.4f}",
        "nodes": result["nodes"], "waiting": len(result["unschedulable"]),
    }
    # The other scheduler knows no Priced.
    if peer and pods <= options.peer_most and policy != "Priced":
        other = peer_plan(peer, manifest, types, policy, options.peer_timeout)
        out["peer s"] = f"{other['seconds']:.2f}" if other else f"> {options.peer_timeout}"
        if other and result["pricePerHour"]:
            out["peer price"] = f"{other['pricePerHour'] / result['pricePerHour']:.2f}x"
            out["peer nodes"] = other["nodes"]
    if options.instructions and policy == "Respect" and pods <= COUNT_MOST and shutil.which("valgrind"):
        counted = instructions(options.joiner, manifest, types)
        out["instr/pod"] = f"{counted / pods:.0f}" if counted else "-"
    return out


def print_row(cells):
    print("  ".join(f"{str(cells.get(column, '-')):>{28 if column == 'workload' else 10}}" for column in COLUMNS),
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--peer-timeout", type=int, default=120, help="seconds")
    parser.add_argument("--peer-most", type=int, default=PEER_MOST, help="pods; larger workloads go without")
    parser.add_argument("--no-peer", dest="peer", action="store_false")
    parser.add_argument("--no-instructions", dest="instructions", action="store_false")
    options = parser.parse_args()
    peer = find_peer() if options.peer else None
    with tempfile.TemporaryDirectory() as folder:
        make = [sys.executable, HERE / "make.py", folder, "--seed", str(options.seed)]
        for name in options.only:
            make += ["--only", name]
        listed = subprocess.run(make, check=True, capture_output=True, text=True).stdout.splitlines()
        print_row({column: column for column in COLUMNS})
        first_plans = {}
        for name, types in (line.split() for line in listed):
            for policy in POLICIES.get(name, ("Respect",)):
                cells = row(options, peer, name, policy, f"{folder}/{name}.json", f"{folder}/{types}")
                first_plans[name] = float(cells["first ms"])
                print_row(cells)
        small, large, most = GROWTH
        if small in first_plans and large in first_plans:
            print(f"from {small} to {large} the first plan takes {first_plans[large] / first_plans[small]:.1f} "
                  f"times as long; at most {most} is asked for")


if __name__ == "__main__":
    main()
