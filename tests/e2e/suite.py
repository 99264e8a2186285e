"""What the test files share: how a test is declared, and the world that it gets."""

import dataclasses
import json
import pathlib
import random
import subprocess
import typing

import crds
import manifests
from api_client import ApiError
from cluster import SERVICE_ACCOUNT, ControlPlane
from cluster_state import (KWOK_NODE_CLASSES, NODE_CLAIMS, NODE_POOLS, PROVISIONERS, claim_problems, is_true, node_claims,
                           nodes, over_capacity, pods, taints)
from instance_types import write_instance_types
from joiner import Joiner
from processes import wait_until
from workload import DEPLOYMENTS, wait_all_ready

NO_CLUSTER, API_SERVER, WHOLE_CLUSTER = "no cluster", "API server", "whole cluster"

# Above this, a new control plane is there sooner than the old one is empty.
_FEW_PODS = 200

TESTS = []

_ROLE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "rbac.yaml"


@dataclasses.dataclass(frozen=True)
class Test:
    function: typing.Callable
    cluster: str
    needs_joiner: bool
    needs_crds: bool
    runs_last: bool

    @property
    def name(self):
        return self.function.__name__

    @property
    def group(self):
        """Tests of one group may find what an earlier one left in the API server's storage, never in use."""
        return (self.function.__module__, self.cluster, self.needs_crds)


class Skipped(Exception):
    pass


def test(cluster=WHOLE_CLUSTER, needs_joiner=True, needs_crds=True, runs_last=False):
    """Declares a test; its name, a sentence, is the name of the function. What runs last is about all others."""
    def declare(function):
        TESTS.append(Test(function, cluster, needs_joiner, needs_crds and cluster != NO_CLUSTER, runs_last))
        return function

    return declare


def expect(is_so, message):
    if not is_so:
        raise AssertionError(message)


def expect_none(problems, what):
    if problems:
        shown = "; ".join(map(str, problems[:5]))
        raise AssertionError(f"{what}: {len(problems)}: {shown}")


class World:
    """One control plane, handed from test to test of a group and cleaned in between."""

    def __init__(self, directory, joiner, crd_manifests, seed, random_worlds):
        self.directory = directory
        self.joiner = joiner
        self.seed = seed
        self.random_worlds = random_worlds
        self.random = None
        self.cluster = None
        self.crd_manifests = crd_manifests
        self._types_file = write_instance_types(directory / "instance-types.json")
        self._group = None
        self._joiners = []
        self._test_name = ""
        self.is_whole_run = False
        # What the service account of deploy/rbac.yaml did, and what it was refused, in all clusters so far.
        self.uses, self.refusals = set(), set()
        self.role_rules = []

    @property
    def api(self):
        return self.cluster.api

    def enter(self, test):
        """Makes ready for a test: a control plane of the right kind, with nothing in it."""
        self.random = random.Random(f"{self.seed} {test.name}")
        self._test_name = test.name
        self.stop_joiners()
        if test.cluster == NO_CLUSTER:
            self.leave()
        elif test.group == self._group and len(pods(self.api)) <= _FEW_PODS:
            self._remove_everything()
        else:
            self.leave()
            self._start_cluster(test)

    def _start_cluster(self, test):
        cluster = ControlPlane(api_server_only=test.cluster == API_SERVER, log_dir=self.directory / test.name,
                               audit_service_account=True)
        cluster.start()
        self.cluster = cluster
        if test.needs_crds:
            crds.install(self.cluster, self.crd_manifests)
        self._set_up_service_account()
        self._group = test.group

    def _set_up_service_account(self):
        """Joiner does all it does as the manifests for a cluster let it."""
        self.cluster.kubectl("apply", "-f", str(_ROLE))
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        self.role_rules = [rule for path in (f"{rbac}/clusterroles/joiner", f"{rbac}/namespaces/joiner/roles/joiner")
                           for rule in self.api.get(path)["rules"]]
        self.kubeconfig = self.directory / "kubeconfig-of-service-account"
        self.cluster.write_kubeconfig(self.kubeconfig, SERVICE_ACCOUNT)

    def leave(self):
        """Stops everything; the next test starts with a new control plane."""
        self.stop_joiners()
        if self.cluster is not None:
            for use, was_allowed in self.cluster.uses_of_service_account():
                (self.uses if was_allowed else self.refusals).add(use)
            self.cluster.stop()
        self.cluster = None
        self._group = None

    def stop_joiners(self):
        for joiner in self._joiners:
            joiner.stop()
        self._joiners.clear()

    def start_joiner(self, *flags, leader_election=False, environment=None):
        """There may be several at once."""
        log = self.directory / f"{self._test_name}-{len(self._joiners)}.log"
        joiner = Joiner(self.joiner, self.kubeconfig, log, self._types_file, leader_election=leader_election,
                        namespace="joiner", environment=environment, flags=flags)
        self._joiners.append(joiner)
        joiner.start()
        joiner.wait_ready()
        return joiner

    def joiners_in_words(self):
        """Lines that help to understand a failure: what each process counted and logged last."""
        lines = []
        for joiner in self._joiners:
            counted = [f"{name}{labels}={value:g}" for name, labels, value in joiner.metrics()
                       if name.startswith("joiner_")] if joiner.is_running else ["not running"]
            lines += [f"{joiner.log_file}: {', '.join(counted)}", *joiner.log().splitlines()[-20:]]
        return lines + self._waiting_in_words()

    def _waiting_in_words(self):
        try:
            events = {}
            for event in self.api.items("/api/v1/namespaces/default/events"):
                events.setdefault(event["involvedObject"].get("name"), []).append(
                    f"{event['reason']}: {event.get('message', '')}")
            waiting = [pod["metadata"]["name"] for pod in pods(self.api) if not pod["spec"].get("nodeName")]
            return [f"unbound {name}: {' | '.join(events.get(name, [])[-3:])}" for name in waiting[:5]]
        except (ApiError, OSError, AttributeError):
            return []  # no API server, or one that a test has stopped

    def planned_nodes(self, *objects):
        """How many nodes the planner buys for these objects alone."""
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        command = [self.joiner, "simulate", "-f", "-", "--instance-types", self._types_file, "-o", "json"]
        done = subprocess.run(command, input=listed, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["nodes"]

    def open_pools(self, *pools):
        """Makes the NodeClass and the NodePools and waits until Joiner calls them ready."""
        self.api.post(KWOK_NODE_CLASSES, manifests.node_class())
        for pool in pools:
            self.api.post(NODE_POOLS, pool)
        for pool in pools:
            name = pool["metadata"]["name"]
            wait_until(lambda: is_true(self.api.get(f"{NODE_POOLS}/{name}"), "Ready"), 30,
                       f"NodePool {name} is ready")

    def deploy(self, name, replicas, **pod):
        self.api.post(DEPLOYMENTS, manifests.deployment(name, replicas, **pod))

    def scale(self, name, replicas):
        self.api.patch(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": replicas}})

    def run_all(self, name, replicas, seconds=120):
        wait_all_ready(self.api, name, replicas, seconds)

    def expect_in_order(self, taint_seconds=20):
        """What holds of a cluster at rest in which every pod runs."""
        expect_none(over_capacity(nodes(self.api), pods(self.api)), "over capacity")
        wait_until_none(lambda: taints(nodes(self.api)), taint_seconds, "taints left")
        wait_until_none(lambda: claim_problems(nodes(self.api), node_claims(self.api)), 30, "nodes and claims")

    def wait_no_nodes(self, seconds):
        wait_until(lambda: not nodes(self.api) and not node_claims(self.api), seconds, "all nodes and claims are gone",
                   interval=0.2)

    def _remove_everything(self):
        """Joiner is stopped, so nobody else takes finalizers off."""
        api = self.api
        if self._group[1] == WHOLE_CLUSTER:
            for collection in ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", DEPLOYMENTS):
                api.delete(collection)
            wait_until(lambda: not self._remaining_pods(), 120, "the pods of the last test are gone", interval=0.5)
        if self._group[2]:
            for collection in (NODE_POOLS, PROVISIONERS, NODE_CLAIMS, KWOK_NODE_CLASSES):
                self._remove_items(collection)
        self._remove_items("/api/v1/nodes")
        api.delete("/api/v1/namespaces/default/events")
        api.delete("/apis/coordination.k8s.io/v1/namespaces/joiner/leases")

    def _remaining_pods(self):
        self.api.delete("/apis/apps/v1/namespaces/default/replicasets")
        self.api.delete("/api/v1/namespaces/default/pods", gracePeriodSeconds=0)
        return pods(self.api)

    def _remove_items(self, collection):
        for item in self.api.items(collection):
            path = f"{collection}/{item['metadata']['name']}"
            try:
                if item["metadata"].get("finalizers"):
                    self.api.patch(path, {"metadata": {"finalizers": None}})
                self.api.delete(path)
            except ApiError as error:
                if error.code != 404:
                    raise


def wait_until_none(problems, seconds, what):
    """Waits until problems() is empty, and names what is left of them when it does not get so."""
    last = []

    def is_empty():
        last[:] = problems()
        return not last

    try:
        wait_until(is_empty, seconds, what, interval=0.2)
    except TimeoutError:
        expect_none(last, what)
