#!/usr/bin/env python3
"""Consolidation by `joiner simulate --disruption`: the planner packs the pods of a workload, some of them stay, the steps
are carried out, round after round, until there are none. One row a workload: what the nodes cost before and after, as a
part of the bound of the pods that stay, and how many pods were moved for it."""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

import worlds

COLUMNS = ("workload", "nodes", "pods", "before", "after", "nodes then", "moved", "twice", "steps", "largest", "rounds", "seconds",
           "question ms", "slice ms")
WORKLOADS = ("equal-1000", "mixed-1000", "nodes-1000", "nodes-5000")


class Cluster:
    """Nodes by name as (type, zone, price), and pods by name as [cpu, memory, node, moves]."""

    def __init__(self, options, folder, types):
        self.options, self.folder = options, folder
        self.entries = {entry["name"]: entry for entry in types}
        self.nodes, self.pods, self.made = {}, {}, 0
        (folder / "types.json").write_text(json.dumps(types))

    def ask(self, objects, *more):
        manifest = self.folder / "manifest.json"
        manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        command = [self.options.joiner, "simulate", "-f", manifest, "--instance-types", self.folder / "types.json", "-o",
                   "json", *more]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def add_node(self, claim):
        name = f"node-{self.made:05}"
        self.made += 1
        self.nodes[name] = (claim["instanceType"], claim["zone"], claim["price"])
        return name

    def fill(self, pods):
        result = self.ask([worlds.pool()] + [worlds.pod(*one) for one in pods])
        amounts = {name: (cpu, memory) for name, cpu, memory in pods}
        for claim in result["nodeClaims"]:
            node = self.add_node(claim)
            for pod in claim["pods"]:
                name = pod.split("/")[1]
                self.pods[name] = [*amounts[name], node, 0]

    def shrink(self, rng, count):
        self.pods = dict(sorted(rng.sample(sorted(self.pods.items()), count)))

    def price(self):
        return sum(price for _, _, price in self.nodes.values())

    def bound(self):
        return self.ask([worlds.pool()] + [worlds.pod(name, *one[:2]) for name, one in self.pods.items()],
                        "--planning-budget", "0.1")["lowerBoundPerHour"]

    def round(self):
        """Carries out one round of steps."""
        objects = [worlds.pool()]
        objects += [worlds.node(name, self.entries[one[0]], one[1]) for name, one in sorted(self.nodes.items())]
        objects += [worlds.pod(name, *one[:3]) for name, one in self.pods.items()]
        result = self.ask(objects, "--disruption")
        for step in result["removals"]:
            before = self.price()
            for claim in step["nodeClaims"]:
                node = self.add_node(claim)
                for pod in claim["pods"]:
                    self.move(pod, node, step)
            for pod, node in step["moves"].items():
                self.move(pod, node, step)
            for node in step["nodes"]:
                del self.nodes[node]
            assert abs(before - self.price() - step["savesPerHour"]) < 1e-6, step["why"]
        assert all(one[2] in self.nodes for one in self.pods.values()), "a pod lost its node"
        largest = max((len(step["nodes"]) for step in result["removals"]), default=0)
        return len(result["removals"]), largest, [
            result[f"repack{part}Seconds"] for part in ("", "Question", "LongestSlice")]

    def move(self, pod, node, step):
        one = self.pods[pod.split("/")[1]]
        assert one[2] in step["nodes"], "a pod moves off a node that stays"
        one[2] = node
        one[3] += 1


def row(options, name):
    types, pods, stay = worlds.workload(name, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        cluster = Cluster(options, pathlib.Path(folder), types)
        cluster.fill(pods)
        cluster.shrink(random.Random(f"{options.seed} {name} stay"), stay)
        bound, before, nodes = cluster.bound(), cluster.price(), len(cluster.nodes)
        rounds, steps, largest, times = 0, 0, 0, []
        while rounds < options.rounds:
            done, nodes_at_once, took = cluster.round()
            times.append(took)
            largest = max(largest, nodes_at_once)
            if done == 0:
                break
            rounds, steps = rounds + 1, steps + done
        moves = [one[3] for one in cluster.pods.values()]
        return {
            "workload": name, "nodes": nodes, "pods": stay, "before": f"{before / bound:.3f}",
            "after": f"{cluster.price() / bound:.3f}", "nodes then": len(cluster.nodes),
            "moved": sum(1 for one in moves if one), "twice": sum(1 for one in moves if one > 1), "steps": steps,
            "largest": largest, "rounds": rounds, "seconds": f"{times[0][0]:.2f}",
            "question ms": f"{max(one[1] for one in times) * 1e3:.0f}",
            "slice ms": f"{max(one[2] for one in times) * 1e3:.0f}",
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()
    print("  ".join(f"{column:>11}" for column in COLUMNS), flush=True)
    for name in options.only or WORKLOADS:
        cells = row(options, name)
        print("  ".join(f"{str(cells[column]):>11}" for column in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
