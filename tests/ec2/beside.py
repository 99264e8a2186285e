#!/usr/bin/env python3
"""Joiner and Karpenter's own controller for AWS on the same pretend EC2, one after the other; then the one in the
place of the other.

    tests/ec2/beside.py --joiner build/joiner [--pods 300] [--minutes 3] [--logs FOLDER]

Each starts in a new cluster and a new account, with the same pool and pods: how long until all pods run, what the
machines cost an hour, the calls to AWS by kind, processor time and memory. Then Joiner takes over what Karpenter has
bought, and gives it back, some minutes each: no machine may be replaced, and none may be said to have drifted. Exit
code 77: a program cannot be had here.
"""

import argparse
import contextlib
import os
import pathlib
import subprocess
import sys
import time
import typing

from moto_server import with_moto

with_moto()

import cluster_state  # noqa: E402
import crds  # noqa: E402
from cloud import Cloud  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane  # noqa: E402
from faults import Purchases  # noqa: E402
from machines import Machines  # noqa: E402
from outcome import outcome_of  # noqa: E402
from owners import Owners  # noqa: E402
from prices import PriceList, price_of  # noqa: E402
from processes import wait_until  # noqa: E402
from proxy import KeptAnswers, Proxy  # noqa: E402
from story import OnEc2, Story, node_pool  # noqa: E402

_HERE = pathlib.Path(__file__).resolve().parent
JOINER, KARPENTER = "joiner", "karpenter"


class Karpenter(OnEc2):
    def command(self):
        return [self.binary]

    def environment(self):
        return super().environment() | {"KUBECONFIG": str(self.kubeconfig), "SYSTEM_NAMESPACE": "kube-system"}


class Measured(typing.NamedTuple):
    seconds: float
    machines: int
    dollars: float
    processor_seconds: float
    memory_mib: float
    calls: dict


class World:
    """A cluster and an account, with one controller at a time."""

    def __init__(self, options, programs, logs, stack):
        self._stack = stack
        self.cluster = stack.enter_context(ControlPlane(log_dir=logs / "controlplane"))
        self.cloud = stack.enter_context(Cloud(logs / "moto.log", self.cluster.kubeconfig))
        self.cloud.set_up()
        purchases = Purchases()
        self.proxy = stack.enter_context(Proxy(self.cloud.url, [PriceList(), KeptAnswers(), purchases]))
        crds.install(self.cluster, crds.printed_by(options.joiner))
        environment = self.cloud.environment_of_controller()
        environment["AWS_ENDPOINT_URL"] = self.proxy.url
        self.controllers = {
            name: kind(programs[name], self.cluster.kubeconfig, logs / f"{name}.log", environment)
            for name, kind in ((JOINER, OnEc2), (KARPENTER, Karpenter))}
        self.machines = stack.enter_context(Machines(self.cloud, self.cluster.api))
        self.story = Story(self.cluster, self.cloud, None, purchases,
                           stack.enter_context(Owners(self.cluster.api)), options.pods)

    def start(self, name):
        controller = self.story.joiner = self.controllers[name]
        controller.start()
        self._stack.callback(controller.stop)
        controller.wait_ready(120)

    def measure(self, name, pods):
        self.start(name)
        controller = self.controllers[name]
        self.story.class_turns_ready()
        pool = node_pool()
        pool["spec"]["disruption"]["consolidateAfter"] = "Never"  # What was bought stays.
        self.cluster.api.post(cluster_state.NODE_POOLS, pool)
        wait_until(lambda: cluster_state.is_true(self.cluster.api.get(f"{cluster_state.NODE_POOLS}/default"), "Ready"),
                   60, "the pool is ready", interval=0.1)
        began = time.monotonic()
        self.story.deploy("web", pods)
        self.story.all_run(300)
        seconds = time.monotonic() - began
        self.story.agrees()
        instances = self.cloud.instances()
        return Measured(seconds, len(instances), price_of(instances), _processor_seconds(controller.pid),
                        controller.peak_memory_kib / 1024, self.proxy.counts())

    def changes_hands(self, to, minutes):
        """The other is stopped, this one takes over: it says nothing of drift and replaces nothing, and buys more when
        more is asked for."""
        self.story.joiner.terminate()
        before = {one["InstanceId"] for one in self.cloud.instances()}
        claims = {claim["metadata"]["uid"]: claim["status"]["providerID"] for claim in self.story.claims()}
        templates = {one["LaunchTemplateName"] for one in self.cloud.launch_templates()}
        self.start(to)
        # Each claim is looked at anew when it changes.
        for claim in self.story.claims():
            self.cluster.api.patch(f"{cluster_state.NODE_CLAIMS}/{claim['metadata']['name']}",
                                   {"metadata": {"annotations": {"example.com/seen-by": to}}})
        ends = time.monotonic() + 60 * minutes
        while time.monotonic() < ends:
            self.expect_all_kept(to, before, claims)
            time.sleep(2)
        added = {one["LaunchTemplateName"] for one in self.cloud.launch_templates()} - templates
        self.story.say(f"{to} has had {len(before)} machines for {minutes:g} minutes: none replaced, none drifted; "
                       f"{len(added)} launch templates more")
        self.story.deploy(f"more-for-{to}", self.story.pods // 5)
        self.story.all_run(300)
        self.story.agrees()
        self.expect_all_kept(to, before, claims)
        now, ever = len(self.cloud.instances()), len(self.cloud.ever_bought())
        assert now == ever, f"{ever - now} machines were bought and ended"
        self.story.say(f"{to} has bought {now - len(before)} machines for more pods, each for a claim")

    def expect_all_kept(self, name, before, claims):
        now = {claim["metadata"]["uid"]: claim for claim in self.story.claims()}
        assert claims.keys() <= now.keys(), f"{name} replaced claims: {sorted(claims.keys() - now.keys())}"
        lost = before - {one["InstanceId"] for one in self.cloud.instances()}
        assert not lost, f"{name} ended machines: {sorted(lost)}"
        for claim in now.values():
            drifted = cluster_state.condition(claim, "Drifted")
            assert drifted.get("status") != "True", f"{name}: {claim['metadata']['name']} has drifted: {drifted}"
        bad = [node["metadata"]["name"] for node in cluster_state.nodes(self.cluster.api)
               if any(taint["key"] == "karpenter.sh/disrupted" for taint in node["spec"].get("taints", []))]
        assert not bad, f"{name} is to end nodes: {bad}"


def _processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def print_table(rows):
    def line(what, of, form="{}"):
        print(f"{what:44}" + "".join(f"{form.format(of(row)):>12}" for row in rows.values()))

    print(f"{'':44}" + "".join(f"{name:>12}" for name in rows))
    line("seconds until all pods run", lambda row: row.seconds, "{:.1f}")
    line("machines", lambda row: row.machines)
    line("dollars an hour", lambda row: row.dollars, "{:.3f}")
    line("processor seconds", lambda row: row.processor_seconds, "{:.1f}")
    line("peak memory, MiB", lambda row: row.memory_mib, "{:.0f}")
    line("calls to AWS", lambda row: sum(row.calls.values()))
    for key in sorted({key for row in rows.values() for key in row.calls}):
        line(f"  {key}", lambda row, key=key: row.calls[key])


def karpenter_program():
    built = subprocess.run([_HERE / "build_upstream.sh"], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(last_line)
    built.check_returncode()
    return pathlib.Path(last_line) / "karpenter"


def compare(options, logs):
    programs = {JOINER: options.joiner, KARPENTER: karpenter_program()}
    rows = {}
    for name in (JOINER, KARPENTER):
        with contextlib.ExitStack() as stack:
            folder = logs / f"with-{name}"
            folder.mkdir(parents=True, exist_ok=True)
            world = World(options, programs, folder, stack)
            rows[name] = world.measure(name, options.pods)
            world.story.say(f"{options.pods} pods run by {name}")
            if name == KARPENTER:
                print_table(rows)
                world.changes_hands(JOINER, options.minutes)
                world.changes_hands(KARPENTER, options.minutes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--pods", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=3, help="that each has the other's machines")
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    return outcome_of(lambda logs, _: compare(options, logs), "beside Karpenter on EC2", options.logs)


if __name__ == "__main__":
    sys.exit(main())
