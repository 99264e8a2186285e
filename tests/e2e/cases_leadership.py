"""Only who leads may write: a leader that was stopped for longer than its lease, and then goes on."""

import os
import signal
import time

import crds
import manifests
from cluster import ControlPlane
from cluster_state import KWOK_NODE_CLASSES, NODE_POOLS, claim_problems, node_claims, nodes, over_capacity, pods
from instance_types import write_instance_types
from joiner import Joiner
from processes import wait_until
from suite import NO_CLUSTER, expect, expect_none, test, wait_until_none
from workload import DEPLOYMENTS, wait_all_ready

_LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/karpenter-leader-election"
_LEASE_SECONDS = 15
_PODS = 600
_MORE_PODS = 900


def _writes_since(cluster, user, moment):
    return [(write.verb, write.uri) for write in cluster.writes_of(user)
            if write.received >= moment and write.resource != "leases"]


@test(cluster=NO_CLUSTER)
def a_leader_frozen_for_three_leases_under_load_writes_nothing_when_it_goes_on(world):
    logs = world.directory / "frozen-leader"
    logs.mkdir(parents=True, exist_ok=True)
    types = write_instance_types(logs / "instance-types.json")
    with ControlPlane(audit=True, log_dir=logs) as cluster:
        crds.install(cluster, world.crd_manifests)
        replicas = {}
        try:
            for user in ("first", "second"):
                kubeconfig = logs / f"kubeconfig-{user}"
                cluster.write_kubeconfig(kubeconfig, user)
                replicas[user] = Joiner(world.joiner, kubeconfig, logs / f"joiner-{user}.log", types,
                                        leader_election=True)
                replicas[user].start()
                replicas[user].wait_ready()
                wait_until(lambda: cluster.api.get_or_none(_LEASE), 30, "the first process takes the lease")
            _freeze_the_first(cluster, replicas)
        finally:
            for replica in replicas.values():
                replica.stop()


def _freeze_the_first(cluster, replicas):
    api = cluster.api
    holder = api.get(_LEASE)["spec"]["holderIdentity"]
    api.post(KWOK_NODE_CLASSES, manifests.node_class())
    api.post(NODE_POOLS, manifests.node_pool(
        requirements=[manifests.requirement(manifests.TYPE, "c-16x-amd64-linux")]))
    api.post(DEPLOYMENTS, manifests.deployment("load", _PODS))
    # In the middle of its work, with writes in every queue.
    wait_until(lambda: len(node_claims(api)) >= 5, 60, "the first process launches")
    os.kill(replicas["first"].pid, signal.SIGSTOP)
    # What had left the process before is on its way into the log.
    time.sleep(2)
    api.patch(f"{DEPLOYMENTS}/load", {"spec": {"replicas": _MORE_PODS}})
    time.sleep(3 * _LEASE_SECONDS)
    wait_until(lambda: api.get(_LEASE)["spec"]["holderIdentity"] not in ("", holder), 60, "the lease changed hands")
    went_on = time.time()
    os.kill(replicas["first"].pid, signal.SIGCONT)
    wait_until(lambda: not replicas["first"].is_running, 30, "the first process ends")
    wait_all_ready(api, "load", _MORE_PODS, 300)
    time.sleep(5)  # The audit log is written behind the answers.
    expect(len(_writes_since(cluster, "first", 0)) > 10, "the log shows what the first wrote while it led")
    expect(_writes_since(cluster, "second", went_on - 3 * _LEASE_SECONDS), "and what the second wrote")
    expect_none(_writes_since(cluster, "first", went_on), "writes of a process that did not lead")
    expect_none(over_capacity(nodes(api), pods(api)), "over capacity")
    wait_until_none(lambda: claim_problems(nodes(api), node_claims(api)), 60, "nodes and claims")
