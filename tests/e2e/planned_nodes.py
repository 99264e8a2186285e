"""Nodes as a plan says: what `joiner simulate -o json` lists as nodeClaims, made into Node objects."""

import manifests
from cluster_state import quantity
from random_world import ARCH, CPU_COUNT, HOST, POOL, TYPE_NAMED, ZONE

# What the KWOK provider says a node keeps for itself.
_KEPT_CPU_MILLI, _KEPT_MEMORY_MI = 100, 10
# What an empty DaemonSet pod tolerates: the controller adds these.
_DAEMONS_TOLERATE = ("node.kubernetes.io/",)


def planned_node(name, claim, pool, pods):
    """The claim's node; `pods` are those meant for it, which may ask for one of several labels of the pool."""
    entry = TYPE_NAMED[claim["instanceType"]]
    template = pool["spec"]["template"]
    family, size = entry["name"].split(".")
    labels = {
        **template.get("metadata", {}).get("labels", {}),
        POOL: pool["metadata"]["name"], "karpenter.kwok.sh/kwoknodeclass": "default",
        "karpenter.sh/registered": "true", "karpenter.sh/initialized": "true",
        manifests.TYPE: entry["name"], "karpenter.kwok.sh/instance-family": family,
        "karpenter.kwok.sh/instance-size": size, CPU_COUNT: entry["resources"]["cpu"],
        "karpenter.kwok.sh/instance-memory": entry["resources"]["memory"],
        ARCH: entry["architecture"], "kubernetes.io/os": "linux", HOST: name,
        ZONE: claim["zone"], manifests.CAPACITY_TYPE: claim["capacityType"],
    }
    for requirement in template["spec"]["requirements"]:
        if requirement["key"] not in labels:
            labels[requirement["key"]] = _value_for(requirement, labels, pods)
    capacity = dict(entry["resources"])
    allocatable = {**capacity, "cpu": f"{int(1000 * quantity(capacity['cpu'])) - _KEPT_CPU_MILLI}m",
                   "memory": f"{int(quantity(capacity['memory']) / 2**20) - _KEPT_MEMORY_MI}Mi"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"taints": template["spec"].get("taints", [])},
            "status": {"capacity": capacity, "allocatable": allocatable}}


def _value_for(requirement, labels, pods):
    """Of the values that the pool leaves open, the first that all pods of the node accept."""
    values = sorted(requirement["values"])
    return next((value for value in values
                 if all(accepts_labels(pod["spec"], labels | {requirement["key"]: value}) for pod in pods)), values[0])


def accepts_labels(spec, labels):
    """Whether a pod's selector and required node affinity accept a node of these labels."""
    if any(labels.get(key) != value for key, value in spec.get("nodeSelector", {}).items()):
        return False
    required = spec.get("affinity", {}).get("nodeAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(
        term.get("matchExpressions") and all(_is_met(each, labels) for each in term["matchExpressions"])
        for term in required["nodeSelectorTerms"])


def daemon_belongs(daemon, node):
    """Whether the DaemonSet controller makes a pod for the node."""
    spec = daemon["spec"]["template"]["spec"]
    tolerations = spec.get("tolerations", [])

    def is_tolerated(taint):
        return taint["effect"] == "PreferNoSchedule" or taint["key"].startswith(_DAEMONS_TOLERATE) or any(
            each.get("key", taint["key"]) == taint["key"] and
            each.get("effect") in (None, "", taint["effect"]) and
            (each.get("operator") == "Exists" or each.get("value", "") == taint.get("value", ""))
            for each in tolerations)

    return accepts_labels(spec, node["metadata"]["labels"]) and all(
        map(is_tolerated, node["spec"].get("taints", [])))


def _is_met(expression, labels):
    operator, values = expression["operator"], expression.get("values", [])
    value = labels.get(expression["key"])
    if operator == "NotIn":
        return value not in values
    if operator == "DoesNotExist":
        return value is None
    if value is None:
        return False
    if operator in ("Gt", "Lt"):
        return value.isdigit() and (int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0]))
    return operator == "Exists" or value in values
