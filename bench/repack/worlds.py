"""Clusters for the benchmark of consolidation: deployments that the planner packed, of whose pods some are left. The same
seed gives the same cluster."""

import math
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "planner"))
import make as planner  # noqa: E402

MI = planner.MI
TYPE = "node.kubernetes.io/instance-type"


def mixed_shape(rng):
    """Lognormal cpu, 0.5 to 8 GiB a core."""
    cpu = min(16_000, max(50, 10 * round(math.exp(rng.gauss(math.log(400), 1.0)) / 10)))
    return cpu, max(64, round(cpu * 2 ** rng.uniform(-1, 3) * 1.024)) * MI


def workload(name, seed):
    """Types file (None: the 144 types of Karpenter's KWOK provider), pods as (name, cpu, memory), and how many stay."""
    rng = random.Random(f"{seed} {name}")
    if name == "equal-1000":
        return kwok_types(), [(f"equal-{i}", 1000, 1024 * MI) for i in range(1000)], 300
    pods, stay = {"mixed-1000": (1000, 300), "nodes-1000": (24_000, 10_000), "nodes-5000": (82_000, 50_000)}[name]
    shapes = [mixed_shape(rng) for _ in range(60)]
    types = planner.aws_types()
    # Nodes of ten pods or so.
    if name.startswith("nodes"):
        types = [one for one in types if milli(one["resources"]["cpu"]) < 16_200]
    return types, [(f"mixed-{i}", *rng.choice(shapes)) for i in range(pods)], stay


def kwok_types():
    """144 types by formula: three families, twelve sizes, two architectures, two systems."""
    out = []
    for cpus in (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256):
        for factor, family in ((2, "c"), (4, "s"), (8, "m")):
            for system in ("linux", "windows"):
                for arch in ("amd64", "arm64"):
                    memory = cpus * factor
                    price = 0.025 * cpus + 0.001 * memory * 1.073741824
                    offers = [planner.offering(f"test-zone-{z}", kind, round(price * part, 9))
                              for z in "abcd" for kind, part in (("spot", 0.7), ("on-demand", 1.0))]
                    out.append({
                        "name": f"{family}-{cpus}x-{arch}-{system}", "architecture": arch, "operatingSystems": [system],
                        "resources": {"cpu": str(cpus), "memory": f"{memory}Gi", "pods": str(min(1024, cpus * 16)),
                                      "ephemeral-storage": "20Gi"},
                        "offerings": offers,
                    })
    return out


def pool():
    """On-demand, and free to take away as many nodes at once as pays."""
    out = planner.node_pool(planner.requirement(planner.CAPACITY_TYPE, "on-demand"),
                            planner.requirement("kubernetes.io/os", "linux"))
    out["spec"]["disruption"] = {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "0s",
                                 "budgets": [{"nodes": "100%"}]}
    return out


def pod(name, cpu, memory, node=None):
    made = planner.pod(name, {"app": name.split("-")[0]}, cpu, memory, **({"nodeName": node} if node else {}))
    if node:
        made["status"]["phase"] = "Running"
    return made


def node(name, type_entry, zone):
    labels = {
        "karpenter.sh/nodepool": "default", "karpenter.sh/registered": "true", "karpenter.sh/initialized": "true",
        "kubernetes.io/arch": type_entry["architecture"], "kubernetes.io/os": type_entry["operatingSystems"][0],
        planner.ZONE: zone, planner.CAPACITY_TYPE: "on-demand", planner.HOSTNAME: name, TYPE: type_entry["name"],
    }
    allocatable = dict(type_entry["resources"])
    allocatable["cpu"] = f"{milli(allocatable['cpu']) - planner.KWOK_OVERHEAD_CPU}m"
    allocatable["memory"] = str(amount(allocatable["memory"]) - planner.KWOK_OVERHEAD_MEMORY)
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
            "spec": {"providerID": f"kwok://{name}"},
            "status": {"capacity": type_entry["resources"], "allocatable": allocatable,
                       "conditions": [{"type": "Ready", "status": "True"}]}}


def milli(quantity):
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000


def amount(quantity):
    return int(quantity[:-2]) << 30 if quantity.endswith("Gi") else int(quantity)
