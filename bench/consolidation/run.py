#!/usr/bin/env python3
"""Consolidation side by side on a real control plane with KWOK kubelets: a workload comes up, most of it is scaled away,
and the controller is left until it is quiet.

    bench/consolidation/run.py --joiner build/joiner [--upstream DIRECTORY] [--only equal|mixed] [--seed N] [--json FILE]

  equal   1,000 equal pods, of which 300 stay, on the 144 types of Karpenter's KWOK provider
  mixed   1,000 pods of 60 deployments, lognormal cpu and 0.5 to 8 GiB a core, of which 300 at random stay, on the AWS c, m
          and r types

On-demand, consolidateAfter 0s, budgets of 100 %. `first` and `quiet` are what the nodes cost an hour once all pods run and
once nothing has happened for a while, as parts of the bound that `joiner simulate` states for the same pods. An eviction is a
pod that the eviction API has marked; `twice` are evicted pods that had been made again after the scaling down.
"""

import argparse
import collections
import dataclasses
import http.client
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

_HERE = pathlib.Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
sys.path[:0] = [str(_ROOT / part) for part in ("tests/controlplane", "tests/e2e", "bench/repack", "bench/e2e")]

import cluster_state  # noqa: E402
import crds  # noqa: E402
import manifests  # noqa: E402
import worlds  # noqa: E402
from api_client import ApiError  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane  # noqa: E402
from instance_types import price_per_hour  # noqa: E402
from joiner import Joiner  # noqa: E402
from processes import exit_cleanly_when_terminated, wait_until  # noqa: E402
from upstream_karpenter import UpstreamKarpenter  # noqa: E402
from workload import DEPLOYMENTS  # noqa: E402

_PODS = "/api/v1/namespaces/default/pods"
_COLUMNS = ("workload", "contestant", "bound at first", "first", "to bound", "bound", "before", "quiet", "to bound ",
            "seconds", "evictions", "a $/h saved", "twice", "nodes", "over capacity")


@dataclasses.dataclass
class Workload:
    name: str
    types: list
    deployments: dict  # Name: (cpu, memory, pods at first, pods that stay).


def workload(name, seed):
    rng = random.Random(f"{seed} consolidation {name}")
    if name == "equal":
        return Workload(name, worlds.kwok_types(), {"equal": (1000, 1024 * worlds.MI, 1000, 300)})
    shapes = [worlds.mixed_shape(rng) for _ in range(60)]
    pods = [*range(60), *(rng.randrange(60) for _ in range(940))]
    first, stay = collections.Counter(pods), collections.Counter(rng.sample(pods, 300))
    return Workload(name, worlds.planner.aws_types(),
                    {f"mixed-{i}": (*shapes[i], first[i], stay[i]) for i in range(60)})


class Watcher:
    """Counts evictions and remembers when something last happened to a pod or a node."""

    def __init__(self, api):
        self._api = api
        self._stops = False
        self.scaled_at = None  # Pods made later were made again.
        self.evicted, self.twice = set(), set()
        self.changed_at = time.monotonic()
        for collection, handler in ((_PODS, self._pod), ("/api/v1/nodes", self._node)):
            threading.Thread(target=self._follow, args=(collection, handler), daemon=True).start()

    def stop(self):
        self._stops = True

    def _follow(self, collection, handler):
        known = {}
        while not self._stops:
            try:
                listed = self._api.get(collection)
                for kind, thing in self._api.watch(collection, listed["metadata"]["resourceVersion"], timeout_seconds=300):
                    if kind == "ERROR" or self._stops:
                        break
                    handler(kind, thing, known)
            except (ApiError, OSError, http.client.HTTPException, ValueError):
                time.sleep(0.2)

    def _pod(self, kind, pod, known):
        meta = pod["metadata"]
        state = (pod["spec"].get("nodeName"), bool(meta.get("deletionTimestamp")), kind == "DELETED")
        if known.get(meta["uid"]) != state:
            known[meta["uid"]] = state
            self.changed_at = time.monotonic()
        if cluster_state.condition(pod, "DisruptionTarget") and meta["uid"] not in self.evicted:
            self.evicted.add(meta["uid"])
            if self.scaled_at and meta["creationTimestamp"] > self.scaled_at:
                self.twice.add(meta["uid"])

    def _node(self, kind, node, known):
        meta = node["metadata"]
        state = (bool(meta.get("deletionTimestamp")), kind == "DELETED")
        if known.get(meta["uid"]) != state:
            known[meta["uid"]] = state
            self.changed_at = time.monotonic()


class Run:
    def __init__(self, options, directory, work):
        self.options, self.directory, self.work = options, directory, work
        self.prices = price_per_hour(work.types)
        self.types_file = directory / f"types-{work.name}.json"
        self.types_file.write_text(json.dumps(work.types))

    def bound(self, at):
        objects = [worlds.pool()]
        for name, (cpu, memory, *counts) in self.work.deployments.items():
            objects += [worlds.pod(f"{name}-{i}", cpu, memory) for i in range(counts[at])]
        manifest = self.directory / "bound.json"
        manifest.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        command = [self.options.joiner, "simulate", "-f", manifest, "--instance-types", self.types_file, "-o", "json"]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["lowerBoundPerHour"]

    def controller(self, contestant, cluster):
        log = self.directory / f"{contestant}-{self.work.name}.log"
        if contestant == "joiner":
            crds.install(cluster, crds.printed_by(self.options.joiner))
            return Joiner(self.options.joiner, cluster.kubeconfig, log, self.types_file)
        crds.install(cluster, crds.in_folder(pathlib.Path(self.options.upstream) / "crds"))
        return UpstreamKarpenter(self.options.upstream, cluster.kubeconfig, log,
                                 ["--disable-leader-election=true", f"--instance-types-file-path={self.types_file}"])

    def scale(self, cluster, at):
        for name, (*_, first, stay) in self.work.deployments.items():
            cluster.api.patch(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": (first, stay)[at]}})

    def all_run(self, cluster, at):
        """Every pod of every deployment is ready, and there are no more."""
        wanted = sum(one[2 + at] for one in self.work.deployments.values())
        pods = cluster_state.pods(cluster.api)
        return len(pods) == wanted and all(cluster_state.is_true(pod, "Ready") for pod in pods)

    def measure(self, contestant):
        row = {"workload": self.work.name, "contestant": contestant}
        with ControlPlane(scheduler_qps=5000) as cluster:
            controller = self.controller(contestant, cluster)
            controller.start()
            try:
                controller.wait_ready(60)
                self._measure(cluster, row)
            finally:
                controller.stop()
        return row

    def _price(self, cluster):
        return cluster_state.price_per_hour(cluster_state.nodes(cluster.api), self.prices)

    def _measure(self, cluster, row):
        cluster.api.post(cluster_state.KWOK_NODE_CLASSES, manifests.node_class())
        cluster.api.post(cluster_state.NODE_POOLS, worlds.pool())
        wait_until(lambda: cluster_state.is_true(cluster.api.get(f"{cluster_state.NODE_POOLS}/default"), "Ready"), 60,
                   "the NodePool is ready")
        for name, (cpu, memory, first, _) in self.work.deployments.items():
            cluster.api.post(DEPLOYMENTS, manifests.deployment(name, first, cpu=f"{cpu}m", memory=str(memory)))
        wait_until(lambda: self.all_run(cluster, 0), 300, "all pods run", interval=0.5)
        first = self._price(cluster)
        watcher = Watcher(cluster.api)
        self._until_still(watcher, 25)
        before = self._price(cluster)
        evicted_before = len(watcher.evicted)

        watcher.scaled_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        began = time.monotonic()
        self.scale(cluster, 1)
        still_since = self._until_still(watcher, self.options.quiet_seconds)
        wait_until(lambda: self.all_run(cluster, 1), 60, "all pods run again", interval=0.5)
        watcher.stop()
        quiet = self._price(cluster)
        evictions = len(watcher.evicted) - evicted_before
        bounds = self.bound(0), self.bound(1)
        nodes = cluster_state.nodes(cluster.api)
        row.update({
            "bound at first": f"{bounds[0]:.2f}", "first": f"{first:.2f}", "to bound": f"{first / bounds[0]:.3f}",
            "bound": f"{bounds[1]:.2f}", "before": f"{before:.2f}", "quiet": f"{quiet:.2f}",
            "to bound ": f"{quiet / bounds[1]:.3f}", "seconds": f"{still_since - began:.0f}", "evictions": evictions,
            "a $/h saved": f"{evictions / max(before - quiet, 1e-9):.1f}", "twice": len(watcher.twice), "nodes": len(nodes),
            "over capacity": len(cluster_state.over_capacity(nodes, cluster_state.pods(cluster.api))),
        })

    @staticmethod
    def _until_still(watcher, seconds, limit=900):
        """The time of the last change, once nothing has changed for so long."""
        deadline = time.monotonic() + limit
        while time.monotonic() - watcher.changed_at < seconds and time.monotonic() < deadline:
            time.sleep(0.5)
        return watcher.changed_at


def table(rows):
    """One line for each workload and contestant: medians where there are several runs."""
    groups = collections.OrderedDict()
    for row in rows:
        groups.setdefault((row["workload"], row["contestant"]), []).append(row)
    lines = ["| " + " | ".join(column.strip() for column in _COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    for group in groups.values():
        cells = []
        for column in _COLUMNS:
            values = [row.get(column, "–") for row in group]
            try:
                cells.append(f"{statistics.median(float(value) for value in values):g}")
            except ValueError:
                cells.append(str(values[0]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True, help="also states the bounds")
    parser.add_argument("--upstream", help="the directory that bench/e2e/build_upstream.sh prints")
    parser.add_argument("--without-joiner", action="store_true", help="measure only upstream")
    parser.add_argument("--only", action="append", choices=("equal", "mixed"))
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quiet-seconds", type=float, default=60, help="without a change, after which it is over")
    parser.add_argument("--json", help="write the rows to this file")
    parser.add_argument("--keep-logs", help="write the controllers' logs to this folder")
    options = parser.parse_args()
    options.joiner = str(pathlib.Path(options.joiner).resolve())
    exit_cleanly_when_terminated()

    contestants = [] if options.without_joiner else ["joiner"]
    contestants += ["upstream"] if options.upstream else []
    rows = []
    with tempfile.TemporaryDirectory(prefix="joiner-bench-") as temporary:
        directory = pathlib.Path(options.keep_logs or temporary)
        directory.mkdir(parents=True, exist_ok=True)
        try:
            for name in options.only or ("equal", "mixed"):
                for index in range(options.repeat):
                    run = Run(options, directory, workload(name, options.seed + index))
                    for contestant in contestants:
                        rows.append(run.measure(contestant))
                        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        except CannotBuild as reason:
            print(reason)
            return CANNOT_BUILD
    print(table(rows))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"cores": os.cpu_count(), "rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
