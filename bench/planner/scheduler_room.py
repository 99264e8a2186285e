#!/usr/bin/env python3
"""What room pays where kube-scheduler places the pods (--pod-binding=scheduler): it spreads them, so a plan that fills every
machine leaves some waiting, and more machines are bought for those.

    bench/planner/scheduler_room.py --joiner build/joiner [--seed N] [--only WORKLOAD]

Plans the workloads of make.py on types of which a part is kept free, places the pods one by one, in a random order, as the
scheduler scores by default (least allocated, balanced, replicas apart by host), plans what does not fit, and so on until all
have a place. Prices are to the bound without room.
"""

import argparse
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import make  # noqa: E402

ROOMS = (0, 0.005, 0.01, 0.02, 0.03, 0.05)
WORKLOADS = ("services-2000", "services-5000")
SUFFIXES = {"": 1, "m": 1e-3, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}


def amount(text):
    digits = text.rstrip("KMGim")
    return float(digits) * SUFFIXES[text[len(digits):]]


def usable(entry):
    resources = entry["resources"]
    return (amount(resources["cpu"]) - make.KWOK_OVERHEAD_CPU / 1000,
            amount(resources["memory"]) - make.KWOK_OVERHEAD_MEMORY, int(resources["pods"]))


def shrunk(types, room):
    out = []
    for entry in types:
        cpu, memory, _ = usable(entry)
        resources = dict(entry["resources"],
                         cpu=f"{math.floor(cpu * (1 - room) * 1000) + make.KWOK_OVERHEAD_CPU}m",
                         memory=str(math.floor(memory * (1 - room)) + make.KWOK_OVERHEAD_MEMORY))
        out.append(dict(entry, resources=resources))
    return out


class Node:
    def __init__(self, capacity):
        self.cpu, self.memory, self.pods = capacity
        self.used_cpu = self.used_memory = 0.0
        self.of = {}

    def fits(self, pod):
        return (self.used_cpu + pod["cpu"] <= self.cpu + 1e-9 and self.used_memory + pod["memory"] <= self.memory
                and sum(self.of.values()) < self.pods)

    def score(self, pod):
        cpu = (self.used_cpu + pod["cpu"]) / self.cpu
        memory = (self.used_memory + pod["memory"]) / self.memory
        return 100 * (1 - (cpu + memory) / 2) + 100 * (1 - abs(cpu - memory) / 2)

    def add(self, pod):
        self.used_cpu += pod["cpu"]
        self.used_memory += pod["memory"]
        self.of[pod["app"]] = self.of.get(pod["app"], 0) + 1


def place(nodes, pods):
    """Those that found no place."""
    left = []
    for pod in pods:
        fitting = [node for node in nodes if node.fits(pod)]
        if not fitting:
            left.append(pod)
            continue
        counts = [node.of.get(pod["app"], 0) for node in fitting]
        most, least = max(counts), min(counts)

        def score(at):
            apart = 100 * (most + least - counts[at]) / most if most else 100
            return fitting[at].score(pod) + 2 * apart

        fitting[max(range(len(fitting)), key=score)].add(pod)
    return left


def pods_of(objects):
    for each in objects:
        if each["kind"] != "Deployment":
            continue
        requests = each["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
        for _ in range(each["spec"]["replicas"]):
            yield {"app": each["metadata"]["name"], "cpu": amount(requests["cpu"]), "memory": amount(requests["memory"])}


def plan(joiner, folder, objects, types, left):
    replicas = {}
    for pod in left:
        replicas[pod["app"]] = replicas.get(pod["app"], 0) + 1
    items = []
    for each in objects:
        if each["kind"] == "Deployment":
            count = replicas.get(each["metadata"]["name"], 0)
            if count:
                items.append(dict(each, spec=dict(each["spec"], replicas=count)))
        else:
            items.append(each)
    (folder / "pods.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    (folder / "types.json").write_text(json.dumps(types))
    command = [joiner, "simulate", "-f", folder / "pods.json", "--instance-types", folder / "types.json", "-o", "json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def run(joiner, folder, objects, types, room, seed):
    """(price planned at first, price in the end, nodes planned at first, nodes in the end, bound)"""
    capacity = {entry["name"]: usable(entry) for entry in types}
    small = shrunk(types, room)
    left = list(pods_of(objects))
    random.Random(seed).shuffle(left)
    nodes, price, first = [], 0.0, None
    while left:
        result = plan(joiner, folder, objects, small, left)
        if result["unschedulable"]:
            sys.exit(f"{len(result['unschedulable'])} pods are too large for types with {room:.1%} of room")
        price += result["pricePerHour"]
        nodes += [Node(capacity[claim["instanceType"]]) for claim in result["nodeClaims"]]
        first = first or (price, len(nodes), result["lowerBoundPerHour"])
        left = place(nodes, left)
    return first[0], price, first[1], len(nodes), first[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a workload's name")
    options = parser.parse_args()
    print("| workload | room | planned, to the bound | in the end | nodes planned | in the end |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        types = make.aws_types()
        for name, _, objects in make.workloads(options.seed):
            if name not in (options.only or WORKLOADS):
                continue
            bound = None
            for room in ROOMS:
                planned, price, nodes_first, nodes, own = run(options.joiner, folder, objects, types, room, options.seed)
                bound = bound or own
                print(f"| {name} | {room:.1%} | {planned / bound:.4f} | {price / bound:.4f} | {nodes_first} | {nodes} |",
                      flush=True)


if __name__ == "__main__":
    main()
