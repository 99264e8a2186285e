"""Holds plans against the real kube-scheduler.

A random world is put on a real control plane, `joiner simulate` plans for what the API server then says, the nodes it
names are made, and kube-scheduler is asked three times, with its own filters and nothing else:

  pinned   each pod may go only where the plan has it: every planned pod must be bound there.
  free     the planned pods may go anywhere; the scheduler is greedy, so what stays out here alone is only counted.
  live     a joiner controller makes its own nodes for the same world: what it has a place for must be bound.

In each of them the pods that were told to wait come last and may go anywhere. None may find a place; what does in
`free` is told as missed, for there the others stand elsewhere.
"""

import collections
import dataclasses
import json
import subprocess
import time

import crds
import manifests
import random_world
from api_client import ApiError
from cluster import ControlPlane
from cluster_state import KWOK_NODE_CLASSES, NODE_CLAIMS, NODE_POOLS, condition, is_true
from instance_types import write_instance_types
from joiner import Joiner
from planned_nodes import daemon_belongs, planned_node
from processes import PATIENCE, wait_until
from scheduler_pins import ANYWHERE, Pins, group_of, is_daemon
from storage_driver import StorageDriver
from watched_pods import WatchedPods

_NODES, _CSI_NODES = "/api/v1/nodes", "/apis/storage.k8s.io/v1/csinodes"
_VOLUMES, _CLASSES = "/api/v1/persistentvolumes", "/apis/storage.k8s.io/v1/storageclasses"
_PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"
_IN_NAMESPACES = {
    "Pod": "/api/v1/namespaces/{}/pods", "PersistentVolumeClaim": "/api/v1/namespaces/{}/persistentvolumeclaims",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments", "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
}
_CLUSTER_WIDE = {"Node": _NODES, "CSINode": _CSI_NODES, "PersistentVolume": _VOLUMES, "StorageClass": _CLASSES,
                 "PriorityClass": _PRIORITIES, "Namespace": "/api/v1/namespaces", "NodePool": NODE_POOLS,
                 "KWOKNodeClass": KWOK_NODE_CLASSES}
_API_VERSIONS = {"CSINode": "storage.k8s.io/v1", "StorageClass": "storage.k8s.io/v1",
                 "PriorityClass": "scheduling.k8s.io/v1", "NodePool": "karpenter.sh/v1",
                 "KWOKNodeClass": "karpenter.kwok.sh/v1alpha1", "Deployment": "apps/v1", "ReplicaSet": "apps/v1",
                 "DaemonSet": "apps/v1"}
_TRIAL = {"in-trial": "yes"}  # The label of pods that a trial makes anew.


@dataclasses.dataclass
class Verdict:
    seed: int
    pods: int = 0
    planned: int = 0
    waiting: int = 0
    nodes: int = 0
    seconds: float = 0.0
    faults: list = dataclasses.field(default_factory=list)
    # Planned pods that the scheduler left out by going its own way.
    greedy: list = dataclasses.field(default_factory=list)
    # Pods told to wait that had a place once the scheduler had put the others elsewhere.
    missed: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return (f"world {self.seed}: {self.pods} pods, {self.planned} planned, {self.waiting} waiting, "
                f"{self.nodes} new nodes, {len(self.greedy)} left out by greed, {len(self.missed)} kinds missed, "
                f"{len(self.faults)} faults, "
                f"{self.seconds:.1f} s")


class Judge:
    def __init__(self, joiner, crd_manifests, directory):
        self._joiner = joiner
        self._crd_manifests = crd_manifests
        self._directory = directory
        self._types_file = write_instance_types(directory / "judge-types.json", random_world.CATALOGUE)

    def __enter__(self):
        self._pins = Pins()
        self._watched_pods = None
        self._cluster = ControlPlane(log_dir=self._directory / "judge",
                                     scheduler_configuration=self._pins.scheduler_configuration())
        try:
            self._cluster.start()
            self._api = self._cluster.api
            crds.install(self._cluster, self._crd_manifests)
            self._make_what_stays()
            self._watched_pods = WatchedPods(self._api)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._watched_pods is not None:
            self._watched_pods.stop()
        self._cluster.stop()
        self._pins.stop()

    def judge(self, seed):
        began = time.monotonic()
        self._world = random_world.make_world(seed)
        self._verdict = Verdict(seed)
        self._clear()
        with StorageDriver(self._api, self._world.volume_limit_of_type):
            self._set_up()
            plan = self._plan()
            self._make_planned_nodes(plan)
            self._try_pinned()
            if not self._verdict.faults:
                self._try_free()
            self._remove_planned_nodes()
            self._try_live()
        self._verdict.seconds = time.monotonic() - began
        return self._verdict

    # -- the world

    def _make_what_stays(self):
        for namespace, labels in random_world.NAMESPACES.items():
            if namespace != "default":
                self._api.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                                      "metadata": {"name": namespace, "labels": labels}})
        for name, (value, policy) in random_world.PRIORITIES.items():
            self._api.post(_PRIORITIES, {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                                         "metadata": {"name": name}, "value": value, "preemptionPolicy": policy})
        self._api.post(KWOK_NODE_CLASSES, manifests.node_class())

    def _clear(self):
        self._pins.set({})
        for kind in ("Deployment", "DaemonSet", "ReplicaSet"):
            self._delete_all_of(kind)
        wait_until(lambda: not self._empty_namespaces(), 60, "the pods of the last world are gone", interval=0.2)
        for collection in (NODE_CLAIMS, NODE_POOLS, _NODES, _CSI_NODES, _VOLUMES, _CLASSES):
            self._remove(collection)

    def _empty_namespaces(self):
        for kind in ("Pod", "PersistentVolumeClaim"):
            self._delete_all_of(kind)
        for namespace in random_world.NAMESPACES:
            self._remove(_IN_NAMESPACES["PersistentVolumeClaim"].format(namespace))
        return self._items("ReplicaSet") or self._items("Pod") or self._items("PersistentVolumeClaim")

    def _set_up(self):
        world, api = self._world, self._api
        for each in world.classes:
            api.post(_CLASSES, each)
        for pool in world.pools:
            api.post(NODE_POOLS, pool)
        for node, each in zip(world.nodes, world.csi_nodes):
            # First, for the storage driver says the limit of a node that has said none.
            api.post(_CSI_NODES, each)
            api.post(_NODES, node)
        self._wait_nodes_open()
        for pod in world.running:
            self._post("Pod", pod)
        for daemon in world.daemons:
            self._post("DaemonSet", daemon)
        wait_until(lambda: sum(pod["status"].get("phase") == "Running" for pod in self._pods()
                               if not is_daemon(pod)) == len(world.running), 20, "the pods that are there run")
        self._wait_daemons()
        for deployment in world.deployments:
            deployment["spec"]["template"]["metadata"]["labels"].update(_TRIAL)
            self._post("Deployment", deployment)
        for pod in world.pods:
            pod["metadata"]["labels"].update(_TRIAL)
        self._expected_pods = len(world.pods) + sum(each["spec"]["replicas"] for each in world.deployments)
        self._begin_trial({})
        self._verdict.pods = self._expected_pods

    def _wait_nodes_open(self):
        """Ready, and without the taints that Kubernetes puts on a node until it is."""
        def is_open(node):
            return is_true(node, "Ready") and not any(
                taint["key"].startswith("node.kubernetes.io/not-ready") for taint in node["spec"].get("taints", []))

        wait_until(lambda: all(map(is_open, self._api.items(_NODES))), 20, "the nodes are open", interval=0.2)

    def _wait_daemons(self):
        """Until each DaemonSet has its pods; returns those that find no room."""
        nodes = self._api.items(_NODES)

        def there():
            return {(pod["metadata"]["labels"]["app"], _node_wanted_by(pod)): pod
                    for pod in filter(is_daemon, self._pods())}

        def are_all_there():
            found = there()
            return all((daemon["metadata"]["name"], node["metadata"]["name"]) in found
                       for node in nodes for daemon in self._world.daemons if daemon_belongs(daemon, node))

        def unbound():
            return [pod for pod in there().values() if not pod["spec"].get("nodeName")]

        wait_until(are_all_there, 20, "the daemons are there")
        wait_until(lambda: all(condition(pod, "PodScheduled") for pod in there().values()), 20,
                   "the scheduler has tried each daemon")
        deadline = time.monotonic() + 2
        while unbound() and time.monotonic() < deadline:
            time.sleep(0.02)
        return unbound()

    # -- the plan

    def _simulate(self, when):
        """The plan for what the API server holds now; both stay in files, to look at when the scheduler disagrees."""
        items = {kind: self._api.items(collection) for kind, collection in _CLUSTER_WIDE.items()}
        items |= {kind: self._items(kind) for kind in _IN_NAMESPACES}
        listed = [{"apiVersion": _API_VERSIONS.get(kind, "v1"), "kind": kind, **item}
                  for kind, each in items.items() for item in each]
        world_file = self._directory / f"judge-{self._world.seed}-{when}.json"
        world_file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": listed}, indent=1))
        command = [self._joiner, "simulate", "-f", world_file, "--instance-types", self._types_file, "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"world {self._world.seed}: simulate ended with {done.returncode}: {done.stderr}")
        world_file.with_suffix(".plan.json").write_text(done.stdout)
        return json.loads(done.stdout)

    def _plan(self):
        plan = self._simulate("before")
        self._pod_named = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod
                           for pod in self._trial_pods()}
        self._places = collections.defaultdict(list)
        waits = {name: reason for name, reason in plan["unschedulable"].items() if name in self._pod_named}
        self._told_to_wait = set(waits)
        self._reasons = {group_of(self._pod_named[name]): reason for name, reason in waits.items()}
        for name, node in plan["existing"].items():
            if name in self._pod_named:
                self._places[group_of(self._pod_named[name])].append(node)
        for number, claim in enumerate(plan["nodeClaims"]):
            for name in claim["pods"]:
                self._places[group_of(self._pod_named[name])].append(f"new-{number}")
        self._verdict.planned = sum(map(len, self._places.values()))
        self._verdict.waiting = len(waits)
        self._verdict.nodes = len(plan["nodeClaims"])
        if self._verdict.planned + self._verdict.waiting != self._expected_pods:
            self._fault(f"the plan speaks of {self._verdict.planned} + {self._verdict.waiting} of "
                        f"{self._expected_pods} pods")
        return plan

    def _make_planned_nodes(self, plan):
        pools = {pool["metadata"]["name"]: pool for pool in self._world.pools}
        limits = self._world.volume_limit_of_type
        for number, claim in enumerate(plan["nodeClaims"]):
            name, pods = f"new-{number}", [self._pod_named[pod] for pod in claim["pods"]]
            if claim["instanceType"] in limits:
                self._api.post(_CSI_NODES, random_world.csi_node(name, limits[claim["instanceType"]]))
            self._api.post(_NODES, planned_node(name, claim, pools[claim["nodePool"]], pods))
        self._wait_nodes_open()
        for pod in self._wait_daemons():
            node = _node_wanted_by(pod)
            if node.startswith("new-"):
                self._fault(f"{_name(pod)} finds no room on {node}: {_why_unbound(pod)}")

    def _remove_planned_nodes(self):
        self._pins.set({})
        for each in self._api.items(_CSI_NODES):
            if each["metadata"]["name"].startswith("new-"):
                self._api.delete(f"{_CSI_NODES}/{each['metadata']['name']}")
        for node in self._api.items(_NODES):
            name = node["metadata"]["name"]
            if name.startswith("new-"):
                self._api.delete(f"{_NODES}/{name}")
        for pod in self._pods():
            node = _node_wanted_by(pod) if is_daemon(pod) else pod["spec"].get("nodeName", "")
            if node.startswith("new-"):
                self._delete(pod)

    # -- the trials

    def _try_pinned(self):
        self._begin_trial({group: [{place} for place in places] for group, places in self._places.items()})
        for pod in self._settle():
            self._fault(f"planned on {self._planned_place(pod)}, refused: {_name(pod)}: {_why_unbound(pod)}")
        if not self._verdict.faults:
            self._try_once_more_in_place()
        self._faults(self._let_others_go("where all others are as planned"))

    def _try_once_more_in_place(self):
        """A plan must hold when urgent pods come first: a pod with a hard spread that is made again, with all others in
        their places, must find its own free. Where the spread counts pods that are just as urgent, that is chance."""
        tried = set()
        for pod in self._bound():
            where = (group_of(pod), pod["spec"]["nodeName"])
            hard = [each["labelSelector"] for each in pod["spec"].get("topologySpreadConstraints", [])
                    if each["whenUnsatisfiable"] == "DoNotSchedule"]
            if where in tried or not hard or self._counts_equals(pod, hard):
                continue
            tried.add(where)
            self._make_again([pod])
            refused = self._wait_tried()
            if refused:
                self._fault(f"{group_of(pod)} could go to {where[1]} before the others did, and is refused there now: "
                            f"{_why_unbound(refused[0])}")
                return

    def _counts_equals(self, pod, selectors):
        return any(group_of(other) != group_of(pod) and other["spec"]["priority"] == pod["spec"]["priority"] and
                   any(random_world.selects(each, other["metadata"]["labels"]) for each in selectors)
                   for other in self._bound())

    def _try_free(self):
        self._begin_trial({group: [ANYWHERE] * len(places) for group, places in self._places.items()})
        self._verdict.greedy = [f"{_name(pod)}: {_why_unbound(pod)}" for pod in self._settle()]
        # By another placing of the others, too: a plan is not held to be the best there is, but it is told.
        self._verdict.missed = self._let_others_go("where the scheduler put the others")

    def _try_live(self):
        """The scheduler fills the nodes that are there, joiner makes others. Where that leaves planned pods out, joiner
        must agree that there is no place for them any more."""
        self._begin_trial({group: [ANYWHERE] * len(places) for group, places in self._places.items()})
        log = self._directory / f"judge-joiner-{self._world.seed}.log"
        joiner = Joiner(self._joiner, self._cluster.kubeconfig, log, self._types_file)
        joiner.start()
        try:
            joiner.wait_ready()
            if not self._wait_planned_bound():
                self._note_left_out_live()
            if self._verdict.waiting:
                self._wait_windows_open()
                self._wait_daemons()
                self._faults(self._let_others_go("where joiner put the others"))
        finally:
            joiner.stop()

    def _wait_planned_bound(self):
        """Gives up when nothing more was bound for a while."""
        bound, since = 0, time.monotonic()
        while bound < self._verdict.planned and time.monotonic() < since + PATIENCE * 5:
            time.sleep(0.05)
            if len(self._bound()) != bound:
                bound, since = len(self._bound()), time.monotonic()
        return bound >= self._verdict.planned

    def _note_left_out_live(self):
        waits = self._simulate("after")["unschedulable"]
        for pod in filter(self._pins.has_place, self._unbound()):
            if _name(pod) in waits:
                self._verdict.greedy.append(f"live: {_name(pod)}: {_why_unbound(pod)}")
            else:
                self._fault(f"live: joiner has a place for {_name(pod)} and does not bind it: {_why_unbound(pod)}")

    def _wait_windows_open(self):
        def are_open():
            return not any(taint["key"].startswith(("joiner.sh/", "karpenter.sh/"))
                           for node in self._api.items(_NODES) for taint in node["spec"].get("taints", []))

        wait_until(are_open, 15, "the nodes' windows are open", interval=0.3)

    def _let_others_go(self, where):
        """What is found of the pods that were told to wait, tried with everything else in its place. Where planned
        pods were left out too, only more pods, the urgent ones first, are proof against the plan."""
        if not self._verdict.waiting:
            return []
        before = self._bound()
        self._pins.let_others_go()
        self._settle()
        after = self._bound()
        if not self._is_more_than_planned(after):
            return []
        found = []
        for group, count in sorted((_groups_of(after) - _groups_of(before)).items()):
            nodes = sorted(pod["spec"]["nodeName"] for pod in after if group_of(pod) == group)
            found.append(f"told to wait ({self._reasons.get(group)}), and {count} of {group} bound {where}, "
                         f"which is on {', '.join(nodes)}")
        return found

    def _faults(self, found):
        for each in found:
            self._fault(each)

    def _is_more_than_planned(self, pods):
        bound, planned = collections.Counter(), collections.Counter()
        for pod in pods:
            bound[pod["spec"]["priority"]] += 1
        for name, pod in self._pod_named.items():
            if name not in self._told_to_wait:
                planned[pod["spec"]["priority"]] += 1
        priorities = sorted(bound | planned, reverse=True)
        return [bound[each] for each in priorities] > [planned[each] for each in priorities]

    def _begin_trial(self, places):
        """All pods of the workload anew, unbound, with volumes still to be bound."""
        leaving = self._trial_pods()
        self._pins.set(places, leaving)
        for namespace in random_world.NAMESPACES:
            self._api.delete(_IN_NAMESPACES["Pod"].format(namespace), labelSelector="in-trial=yes",
                             gracePeriodSeconds=0)
        wait_until(lambda: not self._remove_claims_and_volumes(), 20, "the claims and volumes are gone")
        for each in self._world.volumes:
            self._api.post(_VOLUMES, each)
        for claim in self._world.claims:
            self._post("PersistentVolumeClaim", claim)
        self._wait_volumes_bound()
        for pod in self._world.pods:
            self._post("Pod", pod)
        self._wait_all_new({pod["metadata"]["uid"] for pod in leaving})

    def _remove_claims_and_volumes(self):
        """Returns what is left: Kubernetes' own finalizers may have come back meanwhile."""
        for namespace in random_world.NAMESPACES:
            self._remove(_IN_NAMESPACES["PersistentVolumeClaim"].format(namespace))
        self._remove(_VOLUMES)
        return self._items("PersistentVolumeClaim") + self._api.items(_VOLUMES)

    def _wait_volumes_bound(self):
        """Those that are there already; a pod whose volume is not bound yet would be refused for that."""
        def are_bound():
            return all(each["status"].get("phase") == "Bound" for each in self._items("PersistentVolumeClaim")
                       if each["spec"].get("volumeName"))

        if self._world.volumes:
            wait_until(are_bound, 20, "the volumes are bound", interval=0.1)

    def _wait_all_new(self, gone):
        made_by_us = {_name(pod): pod for pod in self._world.pods}

        def are_all_new():
            pods = self._trial_pods()
            if len(pods) == self._expected_pods and gone.isdisjoint(pod["metadata"]["uid"] for pod in pods):
                return True
            # KWOK deletes by name what it saw leave, and may so delete the pod that was made in its place.
            for name in made_by_us.keys() - set(map(_name, pods)):
                self._post_if_missing(made_by_us[name])
            return False

        try:
            wait_until(are_all_new, 30, "the pods are made anew", interval=0.1)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; there are {sorted(map(_name, self._trial_pods()))}") from error

    def _settle(self):
        """Returns the pods that may go somewhere and find no place, once each was tried with all others in theirs."""
        left = self._wait_tried()
        while left:
            bound = len(self._bound())
            self._make_again(left)
            left = self._wait_tried()
            if len(self._bound()) == bound:
                break
        return left

    def _wait_tried(self):
        left = []

        def is_each_tried():
            left[:] = [pod for pod in self._unbound() if self._pins.has_place(pod)]
            return all(condition(pod, "PodScheduled").get("reason") == "Unschedulable" for pod in left)

        wait_until(is_each_tried, 15, "the scheduler has tried each pod")
        # It hears of new pods and of room that has come free by two ways, and tries again once it has heard of both.
        deadline = time.monotonic() + 1.5
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            is_each_tried()
        return left

    def _make_again(self, pods):
        """With those of their groups that wait: one of them may get the place, and was not tried for it yet."""
        groups, uids = set(map(group_of, pods)), {pod["metadata"]["uid"] for pod in pods}
        pods = pods + [pod for pod in self._unbound()
                       if group_of(pod) in groups and pod["metadata"]["uid"] not in uids]
        made_by_us = {_name(pod): pod for pod in self._world.pods}
        self._pins.give_back(pods)
        for pod in pods:
            self._delete(pod)
            if _name(pod) in made_by_us:
                self._post_if_missing(made_by_us[_name(pod)])
        self._wait_all_new({pod["metadata"]["uid"] for pod in pods})

    # -- words

    def _fault(self, sentence):
        self._verdict.faults.append(sentence)

    def _planned_place(self, pod):
        return ", ".join(sorted(set(self._places[group_of(pod)])))

    # -- the API

    def _items(self, kind, **query):
        everywhere = self._api.items(_IN_NAMESPACES[kind].replace("/namespaces/{}", ""), **query)
        return [item for item in everywhere if item["metadata"]["namespace"] in random_world.NAMESPACES]

    def _pods(self):
        return [pod for pod in self._watched_pods.items() if pod["metadata"]["namespace"] in random_world.NAMESPACES]

    def _trial_pods(self):
        return [pod for pod in self._pods() if _TRIAL.items() <= pod["metadata"]["labels"].items()]

    def _bound(self):
        return [pod for pod in self._trial_pods() if pod["spec"].get("nodeName")]

    def _unbound(self):
        return [pod for pod in self._trial_pods() if not pod["spec"].get("nodeName")]

    def _post(self, kind, thing):
        self._api.post(_IN_NAMESPACES[kind].format(thing["metadata"]["namespace"]), thing)

    def _post_if_missing(self, pod):
        try:
            self._post("Pod", pod)
        except ApiError as error:
            if error.code != 409:
                raise

    def _delete(self, pod):
        path = f"{_IN_NAMESPACES['Pod'].format(pod['metadata']['namespace'])}/{pod['metadata']['name']}"
        try:
            self._api.delete(path, gracePeriodSeconds=0)
        except ApiError as error:
            if error.code != 404:
                raise

    def _delete_all_of(self, kind):
        for namespace in random_world.NAMESPACES:
            self._api.delete(_IN_NAMESPACES[kind].format(namespace), gracePeriodSeconds=0)

    def _remove(self, collection):
        """All of them, whoever would still have a say in it."""
        for item in self._api.items(collection):
            path = f"{collection}/{item['metadata']['name']}"
            try:
                if item["metadata"].get("finalizers"):
                    self._api.patch(path, {"metadata": {"finalizers": None}})
                self._api.delete(path)
            except ApiError as error:
                if error.code != 404:
                    raise


def _groups_of(pods):
    return collections.Counter(map(group_of, pods))


def _name(pod):
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"


def _why_unbound(pod):
    return condition(pod, "PodScheduled").get("message", "the scheduler has not said why") if pod else "unknown"


def _node_wanted_by(daemon_pod):
    """The DaemonSet controller names the node as a matchFields term."""
    terms = daemon_pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return terms["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
