"""Small worlds drawn from a seed, in which most of kube-scheduler's rules bite: what the judge tries plans on.

Everything is a plain Kubernetes object. The same seed gives the same world.
"""

import dataclasses
import random

import manifests
from instance_types import instance_type

ZONE, HOST, ARCH = "topology.kubernetes.io/zone", "kubernetes.io/hostname", "kubernetes.io/arch"
POOL, CPU_COUNT = "karpenter.sh/nodepool", "karpenter.kwok.sh/instance-cpu"
TIER, RACK = "example.com/tier", "node-restriction.kubernetes.io/rack"
DRIVER, GPU = "disks.example.com", "example.com/gpu"
ZONES = ("zone-a", "zone-b", "zone-c")
# The second has a label that namespace selectors look for; both stay from world to world.
NAMESPACES = {"default": {}, "east": {"side": "east"}}
DAEMON_PORT = 9100

PRIORITIES = {"urgent": (1000, "PreemptLowerPriority"), "patient": (-10, "PreemptLowerPriority"),
              "polite": (500, "Never")}



def _type(name, cpus, gibibytes, pods, price, zones=ZONES, **more):
    return instance_type(name, cpus, gibibytes, pods, price, zones=zones,
                         spot_zones=[zone for zone in zones if zone != "zone-c"], **more)


CATALOGUE = (
    _type("c1.small", 2, 4, 9, 0.10),
    _type("c1.medium", 4, 8, 14, 0.19),
    _type("c1.large", 8, 16, 30, 0.37, zones=ZONES[:2]),
    _type("m1.large", 8, 32, 30, 0.45),
    _type("m1.xlarge", 16, 64, 60, 0.88),
    _type("a1.medium", 4, 16, 14, 0.15, architecture="arm64"),
    _type("a1.xlarge", 16, 32, 60, 0.55, zones=ZONES[1:], architecture="arm64"),
    _type("g1.large", 8, 32, 30, 1.10, zones=ZONES[:1], **{GPU: "2"}),
)
TYPE_NAMED = {each["name"]: each for each in CATALOGUE}


@dataclasses.dataclass
class RandomWorld:
    seed: int
    pools: list
    nodes: list  # Those that are there, with a CSINode each where the driver runs.
    csi_nodes: list
    daemons: list
    running: list  # Pods with a node.
    volumes: list  # PersistentVolumes that are there.
    classes: list  # StorageClasses
    claims: list  # PersistentVolumeClaims, made anew with the pods of each trial.
    deployments: list
    pods: list  # Those that no controller makes.

    @property
    def volume_limit_of_type(self):
        """How many volumes a node of the type takes, as the nodes that are there say."""
        return {node["metadata"]["labels"][manifests.TYPE]: _limit(csi_node)
                for node, csi_node in zip(self.nodes, self.csi_nodes)}


def make_world(seed):
    return _Maker(seed).make()


def _limit(csi_node):
    return csi_node["spec"]["drivers"][0]["allocatable"]["count"]


class _Maker:
    def __init__(self, seed):
        self.random = random.Random(f"world {seed}")
        self.world = RandomWorld(seed, *([] for _ in range(10)))

    def chance(self, share):
        return self.random.random() < share

    def make(self):
        self._make_pools()
        self._make_classes()
        self._make_nodes()
        self._make_daemons()
        self._make_workloads()
        return self.world

    # -- what nodes may be bought

    def _make_pools(self):
        self._is_tainted = self.chance(0.4)
        self._has_tiers = self.chance(0.4)
        count = self.random.choice((1, 2, 2))
        for i in range(count):
            requirements, more = [], {}
            kinds = self.random.choice((["on-demand"], ["spot", "on-demand"], ["spot", "on-demand"]))
            requirements.append(_requirement(manifests.CAPACITY_TYPE, "In", *kinds))
            if self.chance(0.6):
                requirements.append(_requirement(ARCH, "In", *self.random.choice((["amd64"], ["amd64", "arm64"]))))
            if self.chance(0.25):
                requirements.append(_requirement(CPU_COUNT, *self.random.choice((("Gt", "3"), ("Lt", "16")))))
            if self.chance(0.2):
                requirements.append(_requirement(ZONE, "In", *self.random.sample(ZONES, 2)))
            if self._has_tiers and self.chance(0.7):
                requirements.append(_requirement(TIER, "In", *self.random.choice((["gold"], ["gold", "silver"]))))
            if self._is_tainted and (i == 1 or count == 1 and self.chance(0.5)):
                more["taints"] = [{"key": "example.com/team", "value": "red",
                                   "effect": self.random.choice(("NoSchedule", "NoExecute"))}]
            pool = manifests.node_pool(f"pool-{i}", **more)
            template = pool["spec"]["template"]
            template["spec"]["requirements"] = requirements
            if self.chance(0.4):
                template["metadata"] = {"labels": {"example.com/line": f"line-{i}"}}
            if self.chance(0.5):
                pool["spec"]["weight"] = self.random.choice((1, 10, 50))
            if self.chance(0.45):
                pool["spec"]["limits"] = self.random.choice((
                    {"cpu": str(self.random.choice((4, 8, 16, 24)))}, {"nodes": str(self.random.choice((2, 3, 5)))},
                    {"memory": f"{self.random.choice((16, 32, 64))}Gi"}, {"cpu": "20", "nodes": "4"}))
            self.world.pools.append(pool)

    # -- what is there

    def _make_nodes(self):
        # A zone that no pool sells in counts for spread all the same.
        for i in range(self.random.choice((0, 1, 2, 3, 4))):
            entry = self.random.choice(CATALOGUE)
            zone = self.random.choice(ZONES + (("zone-d",) if self.chance(0.15) else ()))
            name = f"old-{i}"
            labels = {HOST: name, "kubernetes.io/os": "linux", ARCH: entry["architecture"], ZONE: zone,
                      manifests.TYPE: entry["name"], manifests.CAPACITY_TYPE: "on-demand",
                      CPU_COUNT: entry["resources"]["cpu"]}
            if self.chance(0.5):
                labels[TIER] = self.random.choice(("gold", "silver", "7"))
            if self.chance(0.4):
                labels[RACK] = self.random.choice(("r1", "r2"))
            node = {"apiVersion": "v1", "kind": "Node",
                    "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
                    "spec": {}, "status": {"capacity": entry["resources"], "allocatable": entry["resources"]}}
            if self.chance(0.2):
                node["spec"]["taints"] = [{"key": "example.com/team", "value": "red", "effect": "NoSchedule"}]
            elif self.chance(0.1):
                node["spec"]["unschedulable"] = True
            self.world.nodes.append(node)
            # Nodes of one type say the same, or a plan could not know what a new one will say.
            limit = 1 + sum(map(ord, entry["name"])) % 3
            self.world.csi_nodes.append(csi_node(name, limit))
            for j in range(self.random.choice((0, 1, 2, 3))):
                app = f"app-{self.random.randrange(6)}"
                spec = manifests.pod_spec(cpu=self.random.choice(("200m", "500m", "1")), memory="512Mi",
                                          nodeName=name)
                if self.chance(0.15):
                    spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
                        _term(f"app-{self.random.randrange(6)}", self.random.choice((ZONE, HOST)))]}}
                if self.chance(0.15):
                    spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
                self.world.running.append(self._pod(f"running-{i}-{j}", app, spec))

    def _make_daemons(self):
        for i in range(self.random.choice((0, 1, 2, 3))):
            spec = manifests.pod_spec(cpu=self.random.choice(("100m", "300m", "700m")), memory="128Mi")
            if self.chance(0.4):
                spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": DAEMON_PORT + i}]
            if self.chance(0.4):
                spec["tolerations"] = [{"operator": "Exists"}]
            kind = self.random.randrange(5)
            if kind == 0:
                spec["nodeSelector"] = self.random.choice((
                    {ARCH: "arm64"}, {manifests.CAPACITY_TYPE: "spot"}, {ZONE: "zone-b"}, {POOL: "pool-0"}))
            elif kind == 1:
                spec["affinity"] = {"nodeAffinity": _required(self.random.choice((
                    [[_requirement(CPU_COUNT, "Gt", "5")]],
                    [[_requirement(ZONE, "NotIn", "zone-a")]],
                    [[_requirement(ARCH, "In", "arm64")], [_requirement(CPU_COUNT, "Lt", "3")]],
                    [[_requirement("example.com/line", "Exists")]])))}
            labels = {"app": f"daemon-{i}"}
            self.world.daemons.append({
                "apiVersion": "apps/v1", "kind": "DaemonSet",
                "metadata": {"name": f"daemon-{i}", "namespace": "default"},
                "spec": {"selector": {"matchLabels": labels},
                         "template": {"metadata": {"labels": labels}, "spec": spec}}})

    def _make_classes(self):
        def storage_class(name, **more):
            return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
                    "provisioner": DRIVER, "volumeBindingMode": "WaitForFirstConsumer", **more}

        self.world.classes.append(storage_class("late"))
        self.world.classes.append(storage_class("late-in-b-and-c", allowedTopologies=[
            {"matchLabelExpressions": [{"key": ZONE, "values": ["zone-b", "zone-c"]}]}]))

    # -- what wants to run

    def _make_workloads(self):
        budget = self.random.randint(20, 60)
        number = 0
        while budget > 0:
            replicas = min(budget, self.random.choice((1, 1, 2, 3, 4, 6, 9, 12)))
            budget -= replicas
            self._make_app(number, replicas)
            number += 1

    def _make_app(self, number, replicas):
        name = f"app-{number}"
        self._namespace = self.random.choice(("default", "default", "east"))
        size = {"cpu": f"{self.random.choice((100, 300, 500, 900, 1500, 2500))}m",
                "memory": f"{self.random.choice((128, 512, 1024, 3000, 6000))}Mi"}
        spec = manifests.pod_spec(**size)
        if self.chance(0.02):
            spec["containers"][0]["resources"]["requests"]["cpu"] = "40"  # larger than any node
        rules = [self._spread, self._spread, self._pod_affinity, self._pod_anti_affinity, self._pod_anti_affinity,
                 self._node_affinity, self._node_affinity, self._selector, self._port, self._gpu, self._soft]
        for rule in self.random.sample(rules, self.random.choice((0, 1, 1, 2, 2, 3))):
            rule(spec, name)
        if self._is_tainted and self.chance(0.5):
            spec.setdefault("tolerations", []).append(self.random.choice((
                {"key": "example.com/team", "operator": "Equal", "value": "red"},
                {"key": "example.com/team", "operator": "Exists"},
                {"key": "example.com/team", "operator": "Equal", "value": "red", "effect": "NoSchedule"})))
        if self.chance(0.3):
            spec["priorityClassName"] = self.random.choice(sorted(PRIORITIES))
        if self.chance(0.2):
            self._volumes(spec, name, replicas)
        elif self.chance(0.5):
            labels = {"app": name, "group": f"group-{number % 3}"}
            self.world.deployments.append({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": name, "namespace": self._namespace},
                "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                         "template": {"metadata": {"labels": labels}, "spec": spec}}})
        else:
            for i in range(replicas):
                self.world.pods.append(self._pod(f"{name}-{i}", name, spec, group=f"group-{number % 3}",
                                                 track=self.random.choice(("stable", "canary"))))

    def _pod(self, name, app, spec, **labels):
        namespace = getattr(self, "_namespace", "default")
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": namespace, "labels": {"app": app, **labels}},
                "spec": _copy(spec)}

    def _spread(self, spec, app):
        key = self.random.choice((ZONE, ZONE, ZONE, HOST, HOST, manifests.CAPACITY_TYPE))
        constraint = {"maxSkew": self.random.choice((1, 1, 2)), "topologyKey": key,
                      "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": app}}}
        if self.chance(0.2):
            constraint["labelSelector"] = {"matchExpressions": [
                {"key": "app", "operator": "In", "values": [app, f"app-{self.random.randrange(6)}"]}]}
        if key != HOST and self.chance(0.3):
            constraint["minDomains"] = self.random.choice((2, 3))
        if self.chance(0.3):
            constraint["nodeAffinityPolicy"] = self.random.choice(("Honor", "Ignore"))
        if self.chance(0.3):
            constraint["nodeTaintsPolicy"] = self.random.choice(("Honor", "Ignore"))
        if self.chance(0.25):
            constraint["matchLabelKeys"] = [self.random.choice(("pod-template-hash", "track"))]
        there = spec.setdefault("topologySpreadConstraints", [])
        if all(each["topologyKey"] != key for each in there):
            there.append(constraint)

    def _soft(self, spec, app):
        """Preferences, which must cost no pod its place."""
        if self.chance(0.5):
            there = spec.setdefault("topologySpreadConstraints", [])
            if all(each["topologyKey"] != ZONE for each in there):
                there.append({"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "ScheduleAnyway",
                              "labelSelector": {"matchLabels": {"app": app}}})
        else:
            spec.setdefault("affinity", {}).setdefault("podAntiAffinity", {})[
                "preferredDuringSchedulingIgnoredDuringExecution"] = [
                    {"weight": 50, "podAffinityTerm": _term(app, HOST)}]

    def _other_term(self, app, key):
        term = _term(self.random.choice((app, app, f"app-{self.random.randrange(6)}")), key)
        if self.chance(0.25):
            term = _term(None, key)
            term["labelSelector"] = {"matchLabels": {"group": f"group-{self.random.randrange(3)}"}}
        if self.chance(0.3):
            term["namespaceSelector"] = self.random.choice(({}, {"matchLabels": {"side": "east"}}))
        elif self.chance(0.15):
            term["namespaces"] = sorted(NAMESPACES)
        return term

    def _pod_affinity(self, spec, app):
        term = self._other_term(app, self.random.choice((ZONE, ZONE, HOST)))
        _required_pods(spec, "podAffinity").append(term)

    def _pod_anti_affinity(self, spec, app):
        term = self._other_term(app, self.random.choice((ZONE, HOST, HOST, HOST)))
        if self.chance(0.15):
            term["mismatchLabelKeys"] = ["track"]
            term.setdefault("labelSelector", {})
        _required_pods(spec, "podAntiAffinity").append(term)

    def _node_affinity(self, spec, app):
        choose = self.random.choice
        def expression():
            return choose((
                lambda: _requirement(ZONE, choose(("In", "NotIn")), *self.random.sample(ZONES, choose((1, 2)))),
                lambda: _requirement(manifests.CAPACITY_TYPE, choose(("In", "NotIn")), choose(("spot", "on-demand"))),
                lambda: _requirement(ARCH, choose(("In", "NotIn")), choose(("amd64", "arm64"))),
                lambda: _requirement(CPU_COUNT, choose(("Gt", "Lt")), choose(("3", "7", "15"))),
                lambda: _requirement(TIER, choose(("Exists", "DoesNotExist"))),
                lambda: _requirement(TIER, choose(("In", "NotIn")), choose(("gold", "silver"))),
                lambda: _requirement("example.com/line", choose(("In", "NotIn")), choose(("line-0", "line-1"))),
                lambda: _requirement(RACK, choose(("In", "NotIn", "Exists", "DoesNotExist")), "r1"),
                lambda: _requirement(POOL, choose(("In", "NotIn")), choose(("pool-0", "pool-1"))),
                lambda: _requirement(HOST, choose(("In", "NotIn")), "old-0"),
                lambda: _requirement(manifests.TYPE, choose(("In", "NotIn")), choose(CATALOGUE)["name"]),
            ))()
        terms = [[expression() for _ in range(choose((1, 1, 2)))] for _ in range(choose((1, 2, 3)))]
        spec.setdefault("affinity", {})["nodeAffinity"] = _required(terms)

    def _selector(self, spec, app):
        spec["nodeSelector"] = self.random.choice((
            {ZONE: "zone-b"}, {ARCH: "arm64"}, {manifests.CAPACITY_TYPE: "spot"}, {TIER: "gold"},
            {POOL: "pool-0"}, {"karpenter.kwok.sh/instance-family": "m1"}, {RACK: "r1"}))

    def _port(self, spec, app):
        port = self.random.choice((8080, 8080, DAEMON_PORT))
        spec["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": port}]
        if self.chance(0.3):
            spec["containers"][0]["ports"][0]["hostIP"] = "127.0.0.1"

    def _gpu(self, spec, app):
        if self.chance(0.3):
            resources = spec["containers"][0]["resources"]
            resources["requests"][GPU] = resources.setdefault("limits", {})[GPU] = "1"

    def _volumes(self, spec, app, replicas):
        kind = self.random.choice(("bound", "late", "late", "shared", "one pod at a time"))
        shared = kind in ("shared", "one pod at a time")
        for i in range(replicas):
            name = f"{app}-data" if shared else f"{app}-data-{i}"
            pod_spec = _copy(spec)
            pod_spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]
            self.world.pods.append(self._pod(f"{app}-{i}", app, pod_spec))
            if shared and i:
                continue
            mode = "ReadWriteOncePod" if kind == "one pod at a time" else "ReadWriteOnce"
            claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                     "metadata": {"name": name, "namespace": self._namespace},
                     "spec": {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}},
                              "storageClassName": self.random.choice(("late", "late-in-b-and-c"))}}
            if kind == "bound" or kind == "shared" and self.chance(0.4):
                claim["spec"]["volumeName"] = f"volume-{name}"
                self.world.volumes.append(volume(claim, self.random.choice(ZONES), claim["spec"]["volumeName"]))
            self.world.claims.append(claim)


def csi_node(name, limit):
    return {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": name},
            "spec": {"drivers": [{"name": DRIVER, "nodeID": name, "topologyKeys": [ZONE],
                                  "allocatable": {"count": limit}}]}}


def volume(claim, zone, name):
    """A PersistentVolume of that zone, kept for the claim."""
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
            "spec": {"capacity": {"storage": "1Gi"}, "accessModes": claim["spec"]["accessModes"],
                     "storageClassName": claim["spec"]["storageClassName"],
                     "persistentVolumeReclaimPolicy": "Retain",
                     "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1",
                                  **{field: claim["metadata"][field] for field in ("name", "namespace", "uid")
                                     if field in claim["metadata"]}},
                     "csi": {"driver": DRIVER, "volumeHandle": name},
                     "nodeAffinity": {"required": {"nodeSelectorTerms": [
                         {"matchExpressions": [_requirement(ZONE, "In", zone)]}]}}}}


def _copy(thing):
    if isinstance(thing, dict):
        return {key: _copy(value) for key, value in thing.items()}
    return [_copy(each) for each in thing] if isinstance(thing, list) else thing


def selects(selector, labels):
    """For the selectors that spreads of these worlds have."""
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))


def _requirement(key, operator, *values):
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    return {"key": key, "operator": operator, "values": list(values)}


def _required(terms):
    return {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}}


def _required_pods(spec, kind):
    affinity = spec.setdefault("affinity", {}).setdefault(kind, {})
    return affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", [])


def _term(app, key):
    return {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
