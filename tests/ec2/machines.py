"""The part of a machine that was bought: it reads its user data and joins the cluster, as a kubelet would.

KWOK plays the nodes from then on. A terminated machine falls silent; its node is the controller's to delete.
"""

import base64
import email
import re
import time
import tomllib

import yaml
from background import Background

_NODES = "/api/v1/nodes"
_GIB = 2 ** 30


class Machines(Background):
    """Joins each running instance once, `seconds` after it is seen first."""

    def __init__(self, cloud, api, seconds=2.0):
        super().__init__(0.5)
        self._cloud, self._api, self._seconds = cloud, api, seconds
        self._seen, self._joined = {}, set()
        self._facts = {}
        self.problems = []

    def turn(self):
        for instance in self._cloud.instances("running"):
            name, now = instance["InstanceId"], time.monotonic()
            seen = self._seen.setdefault(name, now)
            if name not in self._joined and now - seen >= self._seconds:
                self._join(instance)
                self._joined.add(name)
        self._take_away_strangers()

    def spoilt(self, trouble):
        self.problems.append(str(trouble))

    def _join(self, instance):
        labels, max_pods, taints = kubelet_of(base64.b64decode(self._cloud.user_data(instance["InstanceId"])).decode())
        zone, kind = instance["Placement"]["AvailabilityZone"], instance["InstanceType"]
        facts = self._facts_of(kind)
        arch = "arm64" if "arm64" in facts["ProcessorInfo"]["SupportedArchitectures"] else "amd64"
        labels |= {"kubernetes.io/hostname": instance["PrivateDnsName"], "kubernetes.io/arch": arch,
                   "kubernetes.io/os": "linux", "node.kubernetes.io/instance-type": kind,
                   "topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": zone[:-1]}
        capacity = {"cpu": str(facts["VCpuInfo"]["DefaultVCpus"]), "pods": str(max_pods),
                    "memory": str(int(facts["MemoryInfo"]["SizeInMiB"] * 2 ** 20 * 0.93)),
                    "ephemeral-storage": str(20 * _GIB)}
        reserved_cpu = 0.1
        allocatable = capacity | {"cpu": f"{int((float(capacity['cpu']) - reserved_cpu) * 1000)}m",
                                  "memory": str(int(int(capacity["memory"]) * 0.9)),
                                  "ephemeral-storage": str(17 * _GIB)}
        self._api.post(_NODES, {
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": instance["PrivateDnsName"], "labels": labels,
                         "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"providerID": f"aws:///{zone}/{instance['InstanceId']}",
                     "taints": taints},
            "status": {"capacity": capacity, "allocatable": allocatable}})

    def _take_away_strangers(self):
        """As the cloud's own node controller: a node that joined while its machine was ended, and that nobody has
        registered."""
        strangers = [node for node in self._api.items(_NODES)
                     if any(taint["key"] == "karpenter.sh/unregistered" for taint in node["spec"].get("taints", []))]
        if not strangers:
            return
        there = {instance["InstanceId"] for instance in self._cloud.instances("running")}
        for node in strangers:
            if node["spec"]["providerID"].rsplit("/", 1)[-1] not in there:
                self._api.delete(f"{_NODES}/{node['metadata']['name']}")

    def _facts_of(self, kind):
        if kind not in self._facts:
            self._facts[kind] = self._cloud.ec2.describe_instance_types(InstanceTypes=[kind])["InstanceTypes"][0]
        return self._facts[kind]


def kubelet_of(user_data):
    """Labels, most pods and taints, as the machine's own reader finds them: nodeadm's, or Bottlerocket's."""
    if user_data.startswith("MIME-Version"):
        kubelet = node_config(user_data)["spec"]["kubelet"]
        return labels_of(kubelet["flags"]), kubelet["config"]["maxPods"], kubelet["config"].get("registerWithTaints", [])
    kubernetes = tomllib.loads(user_data)["settings"]["kubernetes"]
    taints = [{"key": key, "value": one.split(":")[0], "effect": one.split(":")[1]}
              for key, ones in kubernetes.get("node-taints", {}).items() for one in ones]
    return dict(kubernetes.get("node-labels", {})), kubernetes["max-pods"], taints


def node_config(user_data):
    """The last NodeConfig of a MIME text, which is the one that counts."""
    parts = [part for part in email.message_from_string(user_data).walk()
             if part.get_content_type() == "application/node.eks.aws"]
    return yaml.safe_load(parts[-1].get_payload())


def labels_of(flags):
    for flag in flags:
        found = re.fullmatch(r'--node-labels="?([^"]*)"?', flag)
        if found:
            return dict(pair.split("=", 1) for pair in found.group(1).split(",") if pair)
    return {}
