#!/usr/bin/env python3
"""How much memory the controller needs for a large cluster on EC2.

    tests/ec2/memory.py --joiner build/joiner [--nodes 5000] [--classes 3]

A real API server and moto; nodes, their claims and a pod on each are written down as if they had been there before.
Each class has its own pod density, so that its types are its own. Printed: the peak of resident memory, and
what is resident at the end. Exit code 77: moto or the control plane cannot be had here.
"""

import argparse
import concurrent.futures
import sys
import threading
import time

from moto_server import with_moto

with_moto()

import cluster_state  # noqa: E402
import crds  # noqa: E402
import manifests  # noqa: E402
from cloud import Cloud  # noqa: E402
from cluster import ControlPlane  # noqa: E402
from outcome import outcome_of  # noqa: E402
from processes import wait_until  # noqa: E402
from story import CLASSES, OnEc2, node_class, node_pool  # noqa: E402

_TYPES = ("m5.large", "c6i.xlarge", "r7g.2xlarge", "m6a.4xlarge")


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


class Writers:
    """One connection to the API server a thread."""

    def __init__(self, cluster):
        self._cluster, self._own = cluster, threading.local()

    def api(self):
        if not hasattr(self._own, "api"):
            self._own.api = self._cluster.new_client()
        return self._own.api

    def write(self, number, classes):
        pool = f"pool-{number % classes}"
        name, kind, zone = f"{pool}-{number:05}", _TYPES[number % len(_TYPES)], "us-east-1" + "abc"[number % 3]
        node_name, provider_id = f"ip-{number:05}.ec2.internal", f"aws:///{zone}/i-{number:017x}"
        labels = {"karpenter.sh/nodepool": pool, "karpenter.sh/capacity-type": "on-demand",
                  "karpenter.k8s.aws/ec2nodeclass": f"class-{number % classes}", "kubernetes.io/hostname": node_name,
                  "node.kubernetes.io/instance-type": kind, "topology.kubernetes.io/zone": zone,
                  "kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64" if "7g" in kind else "amd64"}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        true = [{"type": each, "status": "True", "reason": each, "message": "", "lastTransitionTime": now}
                for each in ("Launched", "Registered", "Initialized", "Ready")]
        capacity = {"cpu": "8", "memory": "32Gi", "pods": "58", "ephemeral-storage": "20Gi"}
        api, claims = self.api(), "/apis/karpenter.sh/v1/nodeclaims"
        claim = api.post(claims, {
            "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim",
            "metadata": {"name": name, "labels": labels, "finalizers": ["karpenter.sh/termination"]},
            "spec": {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass",
                                      "name": f"class-{number % classes}"},
                     "expireAfter": "Never",
                     "requirements": [manifests.requirement("node.kubernetes.io/instance-type", kind)]}})
        claim["status"] = {"providerID": provider_id, "nodeName": node_name, "conditions": true,
                           "capacity": capacity, "allocatable": capacity}
        api.put(f"{claims}/{name}/status", claim)
        api.post("/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": node_name, "finalizers": ["karpenter.sh/termination"],
                         "labels": labels | {"karpenter.sh/registered": "true", "karpenter.sh/initialized": "true"}},
            "spec": {"providerID": provider_id},
            "status": {"capacity": capacity, "allocatable": capacity,
                       "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "",
                                       "lastHeartbeatTime": now, "lastTransitionTime": now}],
                       "images": [{"names": [f"registry.example/image-{i}@sha256:{i:064x}"], "sizeBytes": 10 ** 8}
                                  for i in range(20)]}})
        api.post("/api/v1/namespaces/default/pods", {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"pod-{number}", "labels": {"app": "web"}},
            "spec": manifests.pod_spec() | {"nodeName": node_name}})


def measure(options, logs, stack):
    cluster = stack.enter_context(ControlPlane(api_server_only=True, log_dir=logs / "controlplane"))
    cloud = stack.enter_context(Cloud(logs / "moto.log", cluster.kubeconfig))
    cloud.set_up()
    crds.install(cluster, crds.printed_by(options.joiner))
    for number in range(options.classes):
        made, pool = node_class(), node_pool()
        made["metadata"]["name"] = f"class-{number}"
        made["spec"]["kubelet"] = {"maxPods": 58 + number}
        cluster.api.post(CLASSES, made)
        pool["metadata"]["name"] = f"pool-{number}"
        pool["spec"]["template"]["spec"]["nodeClassRef"]["name"] = f"class-{number}"
        pool["spec"]["template"]["spec"]["expireAfter"] = "Never"
        pool["spec"]["disruption"]["consolidateAfter"] = "Never"
        cluster.api.post("/apis/karpenter.sh/v1/nodepools", pool)
    writers = Writers(cluster)
    with concurrent.futures.ThreadPoolExecutor(6) as pool_of_threads:
        list(pool_of_threads.map(lambda number: writers.write(number, options.classes), range(options.nodes)))
    print(f"{options.nodes} nodes are written down", flush=True)
    joiner = OnEc2(options.joiner, cluster.kubeconfig, logs / "joiner.log", cloud.environment_of_controller())
    joiner.start()
    stack.callback(joiner.stop)
    joiner.wait_ready(120)
    wait_until(lambda: all(cluster_state.is_true(one, "Ready") for one in cluster.api.items(CLASSES)), 120,
               "the classes are Ready", interval=0.5)
    cluster.api.post("/api/v1/namespaces/default/pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one-more"}, "spec": manifests.pod_spec(cpu="7")})
    time.sleep(options.seconds)
    claims = len(cluster_state.node_claims(cluster.api))
    print(f"{claims} claims, {options.classes} classes: {joiner.peak_memory_kib / 1024:.0f} MiB at most, "
          f"{resident_mib(joiner.pid):.0f} MiB at the end")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=90, help="how long it runs with all of them")
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    return outcome_of(lambda logs, stack: measure(options, logs, stack), "memory", options.logs)


if __name__ == "__main__":
    sys.exit(main())
