#!/usr/bin/env python3
"""A cluster that Karpenter's own controller runs: planned for, taken over, made cheaper, and given back.

    tests/side_by_side/takeover.py --joiner build/joiner [--logs FOLDER]

One real control plane. Karpenter's KWOK controller buys nodes, most pods go away again, and `joiner plan` says under
rights to read alone what the rest could cost. Then Joiner takes Karpenter's place, and later Karpenter Joiner's: no
node is replaced and no pod restarted either way. In between Joiner consolidates, and the money is compared with what
the plan promised. One line a step. Exit code 77: the programs cannot be built here.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
_PROJECT = _HERE.parents[1]
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE.parent / "e2e"), str(_PROJECT / "bench" / "e2e")]

import crds  # noqa: E402
import manifests  # noqa: E402
from cluster import CANNOT_BUILD, SERVICE_ACCOUNT, CannotBuild, ControlPlane  # noqa: E402
from cluster_state import (KWOK_NODE_CLASSES, NODE_CLAIMS, NODE_POOLS, is_true, node_claims, nodes, pods,  # noqa: E402
                           price_per_hour)
from instance_types import generic_instance_types, price_per_hour as prices_of, write_instance_types  # noqa: E402
from joiner import Joiner  # noqa: E402
from processes import exit_cleanly_when_terminated, wait_until  # noqa: E402
from upstream_karpenter import UpstreamKarpenter  # noqa: E402
from workload import DEPLOYMENTS, wait_all_ready  # noqa: E402

_DEPLOYMENTS = {"web": "500m", "api": "1", "batch": "2"}
_MANY, _FEW = 60, 15
# Both controllers look at everything within this time.
_SECONDS_OF_PEACE = 45
# So much more than the plan promised the cluster may cost once Joiner has come to rest.
_LEEWAY = 1.02


def karpenter_program():
    built = subprocess.run([_PROJECT / "bench" / "e2e" / "build_upstream.sh"], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(last_line)
    built.check_returncode()
    return pathlib.Path(last_line)


class Takeover:
    def __init__(self, joiner, karpenter, folder, cluster):
        self.joiner, self.folder, self.cluster, self.api = joiner, folder, cluster, cluster.api
        self.types = write_instance_types(folder / "instance-types.json")
        self.prices = prices_of(generic_instance_types())
        for user in ("joiner", "karpenter"):
            cluster.write_kubeconfig(folder / f"kubeconfig-{user}", user)
        election = "--leader-election-namespace=kube-system"
        self.theirs = UpstreamKarpenter(karpenter, folder / "kubeconfig-karpenter", folder / "karpenter.log", [election])
        self.ours = Joiner(joiner, folder / "kubeconfig-joiner", folder / "joiner.log", self.types, leader_election=True)
        self.controllers = (self.ours, self.theirs)

    def steps(self):
        return (self.karpenter_runs_the_cluster, self.the_plan_is_made_with_rights_to_read_alone, self.joiner_takes_over,
                self.the_promise_is_kept, self.karpenter_takes_over_again)

    def price(self):
        return price_per_hour(nodes(self.api), self.prices)

    def start(self, controller):
        controller.start()
        controller.wait_ready(60)

    def karpenter_runs_the_cluster(self):
        crds.install(self.cluster, crds.printed_by(self.joiner))
        self.start(self.theirs)
        self.api.post(KWOK_NODE_CLASSES, manifests.node_class())
        self.api.post(NODE_POOLS, manifests.node_pool(consolidate_after="1h"))
        wait_until(lambda: is_true(self.api.get(f"{NODE_POOLS}/default"), "Ready"), 60, "the NodePool is ready")
        for name, cpu in _DEPLOYMENTS.items():
            self.api.post(DEPLOYMENTS, manifests.deployment(name, _MANY, cpu=cpu))
            wait_all_ready(self.api, name, _MANY, 180)
        for name in _DEPLOYMENTS:
            self.api.patch(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": _FEW}})
        wait_until(lambda: len(pods(self.api)) == _FEW * len(_DEPLOYMENTS), 120, "most pods are gone")
        return f"{len(nodes(self.api))} nodes, {len(pods(self.api))} pods, {self.price():.4f} $ an hour"

    def the_plan_is_made_with_rights_to_read_alone(self):
        role = re.search(r"```yaml\n(.*?kind: ClusterRole\n.*?)```", (_PROJECT / "docs" / "plan.md").read_text(), re.S)[1]
        self.cluster.kubectl("apply", "-f", "-", stdin=role)
        self.api.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "joiner-plan"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": SERVICE_ACCOUNT}]})
        reader = self.folder / "kubeconfig-reader"
        self.cluster.write_kubeconfig(reader, SERVICE_ACCOUNT)
        began = time.monotonic()
        done = subprocess.run([self.joiner, "plan", f"--kubeconfig={reader}", f"--instance-types={self.types}", "-o", "json"],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        seconds = time.monotonic() - began
        (self.folder / "plan.json").write_text(done.stdout)
        self.plan = plan = json.loads(done.stdout)
        assert not plan["now"]["unpricedNodes"], plan["now"]
        assert abs(plan["now"]["pricePerHour"] - self.price()) < 1e-3, (plan["now"], self.price())
        after = plan["now"]["nodes"] - len(plan["removals"]) + len(plan["launches"])
        assert plan["after"]["nodes"] == after, plan["after"]
        assert plan["lowerBoundPerHour"] <= plan["after"]["pricePerHour"] < plan["now"]["pricePerHour"], plan["after"]
        assert {one["pod"] for one in plan["moves"]} <= {f"default/{pod['metadata']['name']}" for pod in pods(self.api)}
        time.sleep(2)  # The audit log is written behind the answers.
        asked = {use.verb for use, _ in self.cluster.uses_of_service_account()}
        assert asked == {"list"}, f"it did more than read: {asked}"
        return (f"now {plan['now']['pricePerHour']:.4f} $ an hour, after {plan['after']['pricePerHour']:.4f}, no less than "
                f"{plan['lowerBoundPerHour']:.4f}; {seconds:.1f} s, {len(asked)} kind of request; not read: "
                f"{', '.join(plan['notRead']) or 'nothing'}")

    def identities(self):
        return ({one["metadata"]["uid"] for one in nodes(self.api)}, {one["metadata"]["uid"] for one in node_claims(self.api)},
                {one["metadata"]["uid"]: one["status"].get("containerStatuses", [{}])[0].get("restartCount", 0)
                 for one in pods(self.api)})

    def _hand_over(self, before, after):
        there = self.identities()
        before.terminate()
        self.start(after)
        for _ in range(_SECONDS_OF_PEACE):
            time.sleep(1)
            assert self.identities() == there, "a node, a claim or a pod is another one"
        drifted = [claim["metadata"]["name"] for claim in node_claims(self.api) if is_true(claim, "Drifted")]
        assert not drifted, f"drifted: {drifted}"
        # It does lead, and does not merely stand by.
        self.api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": _FEW + 60}})
        wait_all_ready(self.api, "web", _FEW + 60, 120)
        self.api.patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": _FEW}})
        wait_until(lambda: len(pods(self.api)) == _FEW * len(_DEPLOYMENTS), 120, "the further pods are gone")
        return f"{len(there[0])} nodes and {len(there[2])} pods are the same after {_SECONDS_OF_PEACE} s"

    def joiner_takes_over(self):
        return self._hand_over(self.theirs, self.ours)

    def the_promise_is_kept(self):
        self.api.patch(f"{NODE_POOLS}/default", {"spec": {"disruption": {"consolidateAfter": "0s"}}})
        lowest, since = self.price(), time.monotonic()
        end = time.monotonic() + 300
        while time.monotonic() < end and time.monotonic() - since < 60:
            time.sleep(1)
            if self.price() < lowest - 1e-9:
                lowest, since = self.price(), time.monotonic()
        for name in _DEPLOYMENTS:
            wait_all_ready(self.api, name, _FEW, 60)
        promised = self.plan["after"]["pricePerHour"]
        self.api.patch(f"{NODE_POOLS}/default", {"spec": {"disruption": {"consolidateAfter": "1h"}}})
        assert self.price() <= promised * _LEEWAY, f"{self.price():.4f} $ an hour, promised were {promised:.4f}"
        return f"{self.price():.4f} $ an hour, promised were {promised:.4f}"

    def karpenter_takes_over_again(self):
        return self._hand_over(self.ours, self.theirs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--logs", help="keep all logs in this folder")
    arguments = parser.parse_args()
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-takeover-") as temporary:
        folder = pathlib.Path(arguments.logs or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            karpenter = karpenter_program()
            with ControlPlane(log_dir=folder / "controlplane", audit_service_account=True) as cluster:
                story = Takeover(str(pathlib.Path(arguments.joiner).resolve()), karpenter, folder, cluster)
                try:
                    for step in story.steps():
                        began = time.monotonic()
                        try:
                            said = step()
                        except Exception as failure:
                            print(f"FAIL  {step.__name__} ({time.monotonic() - began:.1f} s): {type(failure).__name__}: {failure}")
                            return 1
                        print(f"ok    {step.__name__} ({time.monotonic() - began:.1f} s): {said}", flush=True)
                finally:
                    for controller in story.controllers:
                        controller.stop()
        except CannotBuild as reason:
            print(f"takeover: skipped, {reason}")
            return CANNOT_BUILD
    print("takeover: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
