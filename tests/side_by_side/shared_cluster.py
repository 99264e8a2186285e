"""One control plane with both controllers on it, and the objects that the story needs."""

import time

import crds
import manifests
from cluster import ControlPlane
from cluster_state import (NODE_CLAIMS, NODE_POOLS, claim_problems, is_true, node_claims, nodes, over_capacity, pods,
                           taints)
from instance_types import write_instance_types
from joiner import Joiner
from owners import OURS, POOL, THEIRS, Owners, Writes, side_of_pool
from processes import wait_until
from suite import expect_none, wait_until_none
from upstream_karpenter import UpstreamKarpenter
from workload import DEPLOYMENTS, wait_all_ready

GROUP_OF_OURS, GROUP_OF_THEIRS = "karpenter.kwok.sh", "karpenter.example.com"
_GROUPS = {OURS: GROUP_OF_OURS, THEIRS: GROUP_OF_THEIRS}
_USERS = {OURS: "joiner", THEIRS: "karpenter"}
_OTHER = {OURS: THEIRS, THEIRS: OURS}
_LEASES = {"joiner-leader-election": OURS, "karpenter-leader-election": THEIRS}
_GATES = "--feature-gates=StaticCapacity=true,NodeRepair=true"


class SharedCluster:
    def __init__(self, joiner, karpenter, folder):
        self._joiner, self._karpenter, self._folder = joiner, karpenter, folder
        self._cluster = ControlPlane(audit=True, log_dir=folder / "controlplane")
        self._controllers = {}

    def __enter__(self):
        self._cluster.start()
        try:
            self._begin()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for controller in self._controllers.values():
            controller.stop()
        self._cluster.stop()

    def _begin(self):
        crds.install(self._cluster, crds.printed_by(self._joiner))
        crds.install(self._cluster, crds.in_folder(self._karpenter / "crds"))
        self._owners = Owners(self.api)
        for side, group in _GROUPS.items():
            self.api.post(f"/apis/{group}/v1alpha1/kwoknodeclasses",
                          manifests.node_class() | {"apiVersion": f"{group}/v1alpha1"})
            kubeconfig = self._folder / f"kubeconfig-{side}"
            self._cluster.write_kubeconfig(kubeconfig, _USERS[side])
            self._controllers[side] = self._make_controller(side, kubeconfig)
            self.start(side)

    def _make_controller(self, side, kubeconfig):
        log = self._folder / f"{_USERS[side]}.log"
        # Both have the same lease by default, so that one may take the other's place; here neither is to wait.
        if side == THEIRS:
            return UpstreamKarpenter(self._karpenter, kubeconfig, log,
                                     ["--leader-election-namespace=kube-system", _GATES])
        types = write_instance_types(self._folder / "instance-types.json")
        return Joiner(self._joiner, kubeconfig, log, types, leader_election=True,
                      flags=["--leader-election-name=joiner-leader-election", _GATES])

    @property
    def api(self):
        return self._cluster.api

    def start(self, side):
        self._controllers[side].start()
        self._controllers[side].wait_ready(60)

    def stop(self, side):
        self._controllers[side].terminate()

    def open_pool(self, name, machine, *, replicas=None, **template_spec):
        """A NodePool of the side that its name begins with, all of whose nodes are of one type."""
        reference = {"group": _GROUPS[side_of_pool(name)], "kind": "KWOKNodeClass", "name": "default"}
        pool = manifests.node_pool(name, requirements=[manifests.requirement(manifests.TYPE, machine)],
                                   nodeClassRef=reference, **template_spec)
        if replicas is not None:
            pool["spec"]["replicas"] = replicas
        self.api.post(NODE_POOLS, pool)
        wait_until(lambda: is_true(self.api.get(f"{NODE_POOLS}/{name}"), "Ready"), 60, f"NodePool {name} is ready")

    def change_pool(self, name, spec):
        self.api.patch(f"{NODE_POOLS}/{name}", {"spec": spec})

    def close_pool(self, name):
        self.api.delete(f"{NODE_POOLS}/{name}")

    def delay_registration(self, side, seconds):
        self.api.patch(f"/apis/{_GROUPS[side]}/v1alpha1/kwoknodeclasses/default",
                       {"spec": {"nodeRegistrationDelay": f"{seconds}s"}})

    def deploy(self, name, replicas, pool=None):
        more = {} if pool is None else {"nodeSelector": {POOL: pool}}
        self.api.post(DEPLOYMENTS, manifests.deployment(name, replicas, **more))

    def scale(self, name, replicas):
        self.api.patch(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": replicas}})

    def remove(self, name):
        self.api.delete(f"{DEPLOYMENTS}/{name}")

    def run_all(self, name, replicas, seconds=120):
        wait_all_ready(self.api, name, replicas, seconds)

    def pods_of(self, name):
        return [pod for pod in pods(self.api) if pod["metadata"]["labels"]["app"] == name
                and not pod["metadata"].get("deletionTimestamp")]

    def nodes_of(self, pool):
        return [node for node in nodes(self.api) if node["metadata"]["labels"].get(POOL) == pool]

    def claims_of(self, pool):
        return [claim for claim in node_claims(self.api) if claim["metadata"]["labels"].get(POOL) == pool]

    def delete_node(self, name):
        self.api.delete(f"/api/v1/nodes/{name}")

    def delete_claim(self, name):
        self.api.delete(f"{NODE_CLAIMS}/{name}")

    def set_taints(self, node, wanted):
        self.api.patch(f"/api/v1/nodes/{node}", {"spec": {"taints": wanted}})

    def has_node(self, name):
        return self.api.get_or_none(f"/api/v1/nodes/{name}") is not None

    def has_claim(self, name):
        return self.api.get_or_none(f"{NODE_CLAIMS}/{name}") is not None

    def wait_at_rest(self):
        """Every node has its claim, every claim its node, and nothing is marked or full."""
        wait_until_none(lambda: claim_problems(nodes(self.api), node_claims(self.api)), 60, "nodes and claims")
        wait_until_none(lambda: taints(nodes(self.api)), 30, "taints left")
        expect_none(over_capacity(nodes(self.api), pods(self.api)), "over capacity")

    def writes_of(self, side):
        classes = {group: whose for whose, group in _GROUPS.items()}
        return Writes(self._cluster, self._owners, _USERS[side], classes, _LEASES)

    def expect_no_trespass(self):
        time.sleep(1)  # The audit log is written behind the answers.
        # What is not known yet may be, once the watches have shown it.
        wait_until_none(self._trespasses, 5, "writes to what is the other's")

    def _trespasses(self):
        found = []
        for side, other in ((OURS, THEIRS), (THEIRS, OURS)):
            writes = self.writes_of(side)
            found += [f"{_USERS[side]}: {words}" for words in writes.changes[other]]
            found += [f"{_USERS[side]}: {words}, and whose that is this test does not know" for words in writes.unknown]
        # Karpenter has an Event for each condition of each claim, whose-ever it is.
        return found + [f"joiner, an Event: {words}" for words in self.writes_of(OURS).remarks[THEIRS]]

    def written_in_words(self):
        """A table: what each wrote, to its own and to the other's."""
        lines = []
        for side in (OURS, THEIRS):
            counted = self.writes_of(side).counted
            for resource in sorted({resource for resource, _ in counted}):
                own, others, neither = (counted[resource, whose] for whose in (side, _OTHER[side], None))
                lines.append(f"{_USERS[side]:9} {resource:18} own {own:4}, other's {others:4}, neither's {neither:4}")
        return lines

    def in_words(self):
        """Lines that help to understand a failure."""
        lines = [f"not its own: {words}" for words in self._trespasses()[:10]]
        for side, controller in self._controllers.items():
            lines += [f"{_USERS[side]}:", *controller.log().splitlines()[-15:]]
        waiting = [pod["metadata"]["name"] for pod in pods(self.api) if not pod["spec"].get("nodeName")]
        return lines + [f"unbound: {name}" for name in waiting]
