#!/usr/bin/env python3
"""How long from creating a Deployment to all of its pods bound, and Ready, on a real control plane.

    bench/e2e/run.py --joiner build/joiner [--pods 500,2000,5000] [--upstream DIRECTORY] [--repeat N]

Contestants, each on a control plane of its own, one after the other on this machine:
  floor             no autoscaler; nodes that just hold the pods are there already. What is left is what
                    Kubernetes itself needs.
  joiner auto       Joiner binds the pods that it planned for.
  joiner scheduler  Joiner launches the nodes and leaves the binding to kube-scheduler.
  upstream          Karpenter's own KWOK controller, as build_upstream.sh makes it.
Prints a Markdown table and writes everything measured as JSON.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parents[1] / "tests" / "controlplane"), str(_HERE.parents[1] / "tests" / "e2e")]

import cluster_state  # noqa: E402
import crds  # noqa: E402
import manifests  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane  # noqa: E402
from instance_types import generic_instance_types, price_per_hour, write_instance_types  # noqa: E402
from joiner import Joiner  # noqa: E402
from processes import exit_cleanly_when_terminated, wait_until  # noqa: E402
from upstream_karpenter import UpstreamKarpenter  # noqa: E402
from workload import DEPLOYMENTS, UnboundPoll, wait_all_ready  # noqa: E402

_PODS_PER_FLOOR_NODE = 50
_LIMIT_SECONDS = 600


@dataclasses.dataclass
class Measurement:
    contestant: str
    pods: int
    seconds: float | None = None       # None: not all Ready within the limit.
    seconds_to_bound: float | None = None
    peak_memory_mib: float | None = None
    nodes: int = 0
    price_per_hour: float | None = None
    bound_elsewhere: int | None = None  # Pods that run on a node which the controller did not bind them to.
    over_capacity: int = 0
    taints_left: int = 0
    load_before: float = 0.0            # The machine's load average: of others, who take from every figure here.
    problem: str = ""


class Bench:
    def __init__(self, arguments, directory):
        self._arguments = arguments
        self._directory = directory
        self._types = generic_instance_types()
        self._types_file = write_instance_types(directory / "instance-types.json", self._types)

    def contestants(self):
        """(name, function of (cluster, pods) that measures it)"""
        contestants = [("floor", self.floor)]
        if self._arguments.joiner:
            contestants += [(f"joiner {binding}", self._joiner(binding)) for binding in ("auto", "scheduler")]
        if self._arguments.upstream:
            contestants.append(("upstream", self._upstream))
        return contestants

    def measure(self, name, function, pods):
        measured = Measurement(name, pods, load_before=os.getloadavg()[0])
        with ControlPlane(scheduler_qps=self._arguments.scheduler_qps,
                          node_ready_seconds=self._arguments.node_ready_seconds) as cluster:
            try:
                function(cluster, measured)
            except (TimeoutError, RuntimeError) as problem:
                measured.problem = str(problem).splitlines()[0]
        return measured

    def floor(self, cluster, measured):
        for index in range(-(-measured.pods // _PODS_PER_FLOOR_NODE)):
            cluster.api.post("/api/v1/nodes", manifests.kwok_node(
                f"floor-{index}", cpu=_PODS_PER_FLOOR_NODE, memory=f"{_PODS_PER_FLOOR_NODE}Gi",
                pods=_PODS_PER_FLOOR_NODE))
        wait_until(lambda: all(cluster_state.is_true(node, "Ready") and not node["spec"].get("taints")
                               for node in cluster_state.nodes(cluster.api)), 120, "floor nodes are open")
        self._time_deployment(cluster, measured)
        self._look_at_nodes(cluster, measured)

    def _joiner(self, binding):
        def run(cluster, measured):
            crds.install(cluster, crds.printed_by(self._arguments.joiner))
            log = self._directory / f"joiner-{binding}-{measured.pods}.log"
            controller = Joiner(self._arguments.joiner, cluster.kubeconfig, log, self._types_file,
                                flags=[f"--pod-binding={binding}"])
            self._with_controller(cluster, controller, measured)

        return run

    def _upstream(self, cluster, measured):
        crds.install(cluster, crds.in_folder(pathlib.Path(self._arguments.upstream) / "crds"))
        controller = UpstreamKarpenter(self._arguments.upstream, cluster.kubeconfig,
                                       self._directory / f"upstream-{measured.pods}.log",
                                       ["--disable-leader-election=true"])
        self._with_controller(cluster, controller, measured)

    def _with_controller(self, cluster, controller, measured):
        controller.start()
        try:
            controller.wait_ready(60)
            cluster.api.post(cluster_state.KWOK_NODE_CLASSES, manifests.node_class())
            cluster.api.post(cluster_state.NODE_POOLS, manifests.node_pool())
            wait_until(lambda: cluster_state.is_true(cluster.api.get(f"{cluster_state.NODE_POOLS}/default"), "Ready"),
                       60, "the NodePool is ready")
            self._time_deployment(cluster, measured)
            measured.peak_memory_mib = controller.peak_memory_kib / 1024
            bound = controller.metric("joiner_pods_bound_total", result="bound")
            measured.bound_elsewhere = None if bound is None else measured.pods - int(bound)
            self._look_at_nodes(cluster, measured)
            prices = price_per_hour(self._types)
            measured.price_per_hour = cluster_state.price_per_hour(cluster_state.nodes(cluster.api), prices)
        finally:
            measured.peak_memory_mib = controller.peak_memory_kib / 1024
            controller.stop()

    def _time_deployment(self, cluster, measured):
        poll = UnboundPoll(cluster.api)
        began = time.monotonic()
        cluster.api.post(DEPLOYMENTS, manifests.deployment("load", measured.pods))
        measured.seconds = wait_all_ready(cluster.api, "load", measured.pods, _LIMIT_SECONDS) - began
        bound_at = poll.finish()
        measured.seconds_to_bound = None if bound_at is None else bound_at - began

    def _look_at_nodes(self, cluster, measured):
        try:  # Taints may outlive the last pod's readiness by a moment; they are not to stay.
            wait_until(lambda: not cluster_state.taints(cluster_state.nodes(cluster.api)), 10, "no taints", 0.25)
        except TimeoutError:
            pass
        nodes = cluster_state.nodes(cluster.api)
        measured.nodes = len(nodes)
        measured.taints_left = len(cluster_state.taints(nodes))
        measured.over_capacity = len(cluster_state.over_capacity(nodes, cluster_state.pods(cluster.api)))


def rows(measurements):
    """One row for each contestant and number of pods: medians, and the worst of what should be zero."""
    groups = {}
    for each in measurements:
        groups.setdefault((each.pods, each.contestant), []).append(each)

    def median(group, field):
        values = [getattr(each, field) for each in group if getattr(each, field) is not None]
        return statistics.median(values) if values else None

    table = []
    for (pods, contestant), group in groups.items():
        seconds = median(group, "seconds")
        floor = median(groups.get((pods, "floor"), []), "seconds")
        table.append({
            "contestant": contestant, "pods": pods, "runs": len(group), "seconds": seconds,
            "secondsToBound": median(group, "seconds_to_bound"),
            "ratioToFloor": seconds / floor if seconds and floor else None,
            "peakMemoryMiB": median(group, "peak_memory_mib"), "nodes": median(group, "nodes"),
            "pricePerHour": median(group, "price_per_hour"),
            "boundElsewhere": max((each.bound_elsewhere for each in group if each.bound_elsewhere is not None),
                                  default=None),
            "overCapacityNodes": max(each.over_capacity for each in group),
            "taintsLeft": max(each.taints_left for each in group),
            "problems": sorted({each.problem for each in group if each.problem}),
        })
    return table


def markdown(table):
    def cell(value, digits):
        return "–" if value is None else f"{value:,.{digits}f}"

    lines = ["| pods | contestant | seconds to bound | to Ready | to the floor | peak memory, MiB | nodes | price an hour "
             "| pods bound elsewhere | nodes over capacity | taints left |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for row in table:
        problems = "".join(f" ({problem})" for problem in row["problems"])
        lines.append(
            f"| {row['pods']:,} | {row['contestant']}{problems} | {cell(row['secondsToBound'], 1)} "
            f"| {cell(row['seconds'], 1)} "
            f"| {cell(row['ratioToFloor'], 2)} | {cell(row['peakMemoryMiB'], 0)} | {cell(row['nodes'], 0)} "
            f"| {cell(row['pricePerHour'], 2)} | {cell(row['boundElsewhere'], 0)} "
            f"| {row['overCapacityNodes']} | {row['taintsLeft']} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", help="the program; without it only the floor is measured")
    parser.add_argument("--upstream", help="the directory that build_upstream.sh prints")
    parser.add_argument("--pods", default="500,2000,5000")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--scheduler-qps", type=int, default=5000, help="kube-scheduler's own default is 50")
    parser.add_argument("--node-ready-seconds", type=float, default=0.0,
                        help="how long a node takes to turn Ready; real ones take many seconds")
    parser.add_argument("--json", help="write everything measured to this file")
    parser.add_argument("--keep-logs", help="write the controllers' logs to this folder")
    arguments = parser.parse_args()
    exit_cleanly_when_terminated()

    measurements = []
    with tempfile.TemporaryDirectory(prefix="joiner-bench-") as temporary:
        directory = pathlib.Path(arguments.keep_logs or temporary)
        directory.mkdir(parents=True, exist_ok=True)
        bench = Bench(arguments, directory)
        try:
            for pods in map(int, arguments.pods.split(",")):
                for _ in range(arguments.repeat):
                    for name, function in bench.contestants():
                        measured = bench.measure(name, function, pods)
                        measurements.append(measured)
                        outcome = measured.problem or f"{measured.seconds:.2f} s"
                        print(f"{pods} pods, {name}: {outcome}", file=sys.stderr, flush=True)
        except CannotBuild as reason:
            print(reason)
            return CANNOT_BUILD

    table = rows(measurements)
    print(markdown(table))
    if arguments.json:
        conditions = {"schedulerQps": arguments.scheduler_qps, "nodeReadySeconds": arguments.node_ready_seconds,
                      "cores": os.cpu_count()}
        pathlib.Path(arguments.json).write_text(json.dumps(
            {"conditions": conditions, "rows": table,
             "measurements": [dataclasses.asdict(each) for each in measurements]}, indent=1))
    return 1 if any(row["problems"] for row in table) else 0


if __name__ == "__main__":
    sys.exit(main())
