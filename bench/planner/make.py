#!/usr/bin/env python3
"""Writes the input files of the planner's benchmark: a types file in the form of Karpenter's KWOK provider and one
manifest a workload. The same seed gives the same files."""

import argparse
import json
import math
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2]
MI = 1 << 20
ZONE = "topology.kubernetes.io/zone"
CAPACITY_TYPE = "karpenter.sh/capacity-type"
HOSTNAME = "kubernetes.io/hostname"
# What the KWOK provider takes off every type of a file.
KWOK_OVERHEAD_CPU, KWOK_OVERHEAD_MEMORY = 100, 10 * MI


def requirement(key, *values):
    return {"key": key, "operator": "In", "values": list(values)}


def offering(zone, capacity_type, price):
    return {
        "Price": price,
        "Available": True,
        "Requirements": [requirement(CAPACITY_TYPE, capacity_type), requirement(ZONE, zone)],
    }


# ---- types ----


def reserved_cpu(cpus):
    left, out = cpus * 1000, 0
    for width, share in ((1000, 600), (1000, 100), (2000, 50)):
        part = min(left, width)
        out += part * share // 10_000
        left -= part
    return out + left * 25 // 10_000


def catalogue():
    """The embedded catalogue's c, m and r types as (name, arch, cpu milli, memory bytes, pods, zones, usage, price);
    cpu and memory are what pods may use."""
    header = None
    for path in sorted((ROOT / "data").glob("*.tsv")):
        for line in path.read_text().splitlines():
            if not line or line.startswith("#"):
                continue
            cells = line.split("\t")
            if header is None:
                header = cells
                continue
            row = dict(zip(header, cells))
            if row["name"][0] not in "cmr" or row["name"].startswith("mac") or row["gpu"] or row["neuron"]:
                continue
            cpus, pods = int(row["cpu"]), int(row["pods"] or 110)
            memory = int(row["memory_mib"]) - (64 if row["arch"] == "arm64" else 0)
            memory -= (memory * 75 + 999) // 1000
            memory -= 11 * pods + 355
            yield (row["name"], row["arch"], cpus * 1000 - reserved_cpu(cpus), memory * MI, pods, row["zones"],
                   row["usage"], int(row["price"]) / 1e6)


def type_entry(name, arch, cpu, memory, pods, offerings):
    return {
        "name": name,
        "architecture": arch,
        "operatingSystems": ["linux"],
        "resources": {
            "cpu": f"{cpu + KWOK_OVERHEAD_CPU}m",
            "memory": str(memory + KWOK_OVERHEAD_MEMORY),
            "pods": str(pods),
            "ephemeral-storage": "20Gi",
        },
        "offerings": offerings,
    }


def aws_types():
    return [
        type_entry(name, arch, cpu, memory, pods, [offering(f"us-east-1{z}", "on-demand", price) for z in zones])
        for name, arch, cpu, memory, pods, zones, usage, price in catalogue()
        if "o" in usage
    ]


def spot_types(rng):
    out = []
    for name, arch, cpu, memory, pods, zones, usage, price in catalogue():
        if "s" not in usage:
            continue
        own = rng.uniform(0.3, 0.6)
        offers = [
            offering(f"us-east-1{z}", "spot", round(price * own * rng.uniform(0.8, 1.25), 6)) for z in zones
        ]
        out.append(type_entry(name, arch, cpu, memory, pods, offers))
    return out


def many_types(count):
    """The types of upstream's scheduling benchmark: one core, two GiB and ten pods more each."""
    out = []
    for i in range(1, count + 1):
        cpu, memory = i * 1000, i * 2 * 1024 * MI
        price = 0.025 * i + 0.001 * memory / 1e9
        offers = [offering(f"test-zone-{z}", "spot", price * 0.7) for z in (1, 2)]
        offers += [offering(f"test-zone-{z}", "on-demand", price) for z in (1, 2, 3)]
        out.append(type_entry(f"fake-it-{i - 1}", "amd64", cpu - KWOK_OVERHEAD_CPU,
                              memory - KWOK_OVERHEAD_MEMORY, i * 10, offers))
    return out


# ---- objects ----


def node_pool(*requirements):
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "default"},
        "spec": {
            "template": {
                "spec": {
                    "nodeClassRef": {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"},
                    "requirements": list(requirements),
                }
            }
        },
    }


def pod_template(labels, cpu, memory, **spec):
    requests = {"cpu": f"{cpu}m", "memory": str(memory)}
    return {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "main", "image": "app", "resources": {"requests": requests}}], **spec},
    }


def deployment(name, replicas, cpu, memory, **spec):
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": pod_template(labels, cpu, memory, **spec),
        },
    }


def daemon_set(name, cpu, memory):
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod_template(labels, cpu, memory)},
    }


def pod(name, labels, cpu, memory, **spec):
    template = pod_template(labels, cpu, memory, **spec)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "labels": labels},
        "spec": template["spec"],
        "status": {"phase": "Pending"},
    }


def spread(labels, key):
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": labels}}


def affinity(kind, labels, key):
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": key}
    return {"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


# ---- workloads ----


def shape(rng):
    """Requests as services write them: lognormal cpu, a memory of 0.5 to 16 GiB a core."""
    cpu = min(16_000, max(50, 10 * round(math.exp(rng.gauss(math.log(400), 1.0)) / 10)))
    ratio = 2 ** rng.uniform(-1, 4)
    memory = max(64, 64 * round(cpu * ratio * 1.024 / 64))
    return cpu, memory * MI


def services(rng, pods, replicas_median=12, **spec):
    left, index = pods, 0
    while left > 0:
        replicas = min(left, max(1, round(math.exp(rng.gauss(math.log(replicas_median), 1.1)))))
        name = f"service-{index}"
        own = dict(spec)
        if own.pop("zone_spread", False):
            own["topologySpreadConstraints"] = [spread({"app": name}, ZONE)]
        yield deployment(name, replicas, *shape(rng), **own)
        left -= replicas
        index += 1


def distinct(rng, pods):
    for i in range(pods):
        cpu, memory = shape(rng)
        yield pod(f"pod-{i}", {"app": f"pod-{i}"}, cpu + rng.randrange(50), memory + rng.randrange(64) * MI)


def diverse(rng, pods):
    """Upstream's mix, a fifth each: plain, zone spread, hostname spread, zone self-affinity, hostname anti-affinity."""
    letters = "abcdefg"
    for i in range(pods):
        cpu = rng.choice((100, 250, 500, 1000, 1500))
        memory = rng.choice((100, 256, 512, 1024, 2048, 4096)) * MI
        kind = i * 5 // pods
        labels = {"my-label": rng.choice(letters)}
        spec = {}
        if kind == 1:
            spec["topologySpreadConstraints"] = [spread({"my-label": rng.choice(letters)}, ZONE)]
        elif kind == 2:
            spec["topologySpreadConstraints"] = [spread({"my-label": rng.choice(letters)}, HOSTNAME)]
        elif kind == 3:
            labels = {"my-affinity": rng.choice(letters)}
            spec = affinity("podAffinity", labels, ZONE)
        elif kind == 4:
            labels = {"app": "nginx"}
            spec = affinity("podAntiAffinity", labels, HOSTNAME)
        yield pod(f"pod-{i}", labels, cpu, memory, **spec)


def preferences(rng, pods):
    """Services half of which would rather stand in a zone, on an architecture, or apart from each other."""
    for index, item in enumerate(services(rng, pods)):
        labels = item["spec"]["selector"]["matchLabels"]
        spec = item["spec"]["template"]["spec"]
        wish = index % 6
        if wish in (0, 1):
            key, values = ((ZONE, ["us-east-1a"]), ("kubernetes.io/arch", ["arm64"]))[wish]
            spec["affinity"] = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 10, "preference": {"matchExpressions": [requirement(key, *values)]}}]}}
        elif wish == 2:
            term = {"labelSelector": {"matchLabels": labels}, "topologyKey": HOSTNAME}
            spec["affinity"] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 10, "podAffinityTerm": term}]}}
        yield item


def upstream_preferences(rng, pods):
    """Upstream's preference mix: a zone that can be had, apart by zone, which cannot hold, apart by node, which can."""
    labels = {"app": "nginx"}

    def apart(weight, key):
        return {"weight": weight, "podAffinityTerm": {"labelSelector": {"matchLabels": labels}, "topologyKey": key}}

    wishes = {
        "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {"matchExpressions": [requirement(ZONE, "test-zone-1")]}}]},
        "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [apart(10, ZONE), apart(1, HOSTNAME)]},
    }
    for i in range(pods):
        cpu = rng.choice((100, 250, 500, 1000, 1500))
        memory = rng.choice((100, 256, 512, 1024, 2048, 4096)) * MI
        yield pod(f"pod-{i}", labels, cpu, memory, affinity=wishes)


def existing_nodes(rng, count):
    """Nodes of 2 and 4 cores, about 60 % of each taken by one pod."""
    for i in range(count):
        cpus = rng.choice((2, 4))
        cpu, memory = cpus * 1000 - 200, cpus * 4 * 1024 * MI - 700 * MI
        labels = {
            "karpenter.sh/nodepool": "default", "karpenter.sh/registered": "true",
            "karpenter.sh/initialized": "true", "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
            ZONE: f"us-east-1{rng.choice('abc')}", CAPACITY_TYPE: "on-demand", HOSTNAME: f"node-{i}",
            "node.kubernetes.io/instance-type": "m5.large" if cpus == 2 else "m5.xlarge",
        }
        amounts = {"cpu": f"{cpu}m", "memory": str(memory), "pods": "110", "ephemeral-storage": "20Gi"}
        yield {"apiVersion": "v1", "kind": "Node",
               "metadata": {"name": f"node-{i}", "labels": labels},
               "spec": {"providerID": f"kwok://node-{i}"},
               "status": {"capacity": amounts, "allocatable": amounts,
                          "conditions": [{"type": "Ready", "status": "True"}]}}
        taken = pod(f"old-{i}", {"app": "old"}, round(cpu * rng.uniform(0.5, 0.7)),
                    round(memory * rng.uniform(0.5, 0.7)), nodeName=f"node-{i}")
        taken["status"]["phase"] = "Running"
        yield taken


def workloads(seed):
    """Name, types file and objects, in the order of the table."""
    rng = lambda name: random.Random(f"{seed} {name}")
    plain = [node_pool()]
    for pods in (2000, 5000, 20000):
        name = f"services-{pods}"
        yield name, "aws", plain + list(services(rng(name), pods))
    for pods in (2000, 5000):
        name = f"spread-{pods}"
        pool = node_pool(requirement(ZONE, "us-east-1a", "us-east-1b", "us-east-1c"))
        yield name, "aws", [pool] + list(services(rng(name), pods, zone_spread=True))
    for pods in (5000, 20000):
        name = f"distinct-{pods}"
        yield name, "aws", plain + list(distinct(rng(name), pods))
    for pods in (1000, 5000, 10000, 20000, 100000):
        name = f"diverse-{pods}"
        pool = node_pool(requirement(CAPACITY_TYPE, "on-demand"))
        yield name, "many", [pool] + list(diverse(rng(name), pods))
    name = "diverse-aws-10000"
    pool = node_pool(requirement(ZONE, "us-east-1a", "us-east-1b", "us-east-1c"))
    yield name, "aws", [pool] + list(diverse(rng(name), 10000))
    name = "upstream-preferences-4000"
    pool = node_pool(requirement(CAPACITY_TYPE, "on-demand"))
    yield name, "many", [pool] + list(upstream_preferences(rng(name), 4000))
    name = "preferences-5000"
    yield name, "aws", plain + list(preferences(rng(name), 5000))
    for pods in (20, 100, 300):
        name = f"batch-{pods}"
        yield name, "aws", plain + list(services(rng(name), pods, replicas_median=3))
    name = "daemons-5000"
    daemons = [daemon_set(f"agent-{i}", 100, 128 * MI) for i in range(4)]
    yield name, "aws", plain + daemons + list(services(rng(name), 5000))
    name = "spot-5000"
    yield name, "spot", plain + list(services(rng(name), 5000))
    name = "spot-spread-5000"
    pool = node_pool(requirement(ZONE, "us-east-1a", "us-east-1b", "us-east-1c"))
    yield name, "spot", [pool] + list(services(rng(name), 5000, zone_spread=True))
    name = "existing-2000"
    yield name, "aws", plain + list(existing_nodes(rng(name), 500)) + list(services(rng(name), 2000))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="where the files go")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a workload's name; all without it")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    types = {"aws": aws_types(), "spot": spot_types(random.Random(f"{options.seed} spot")), "many": many_types(400)}
    for name, entries in types.items():
        (options.folder / f"types-{name}.json").write_text(json.dumps(entries))
    for name, types_name, objects in workloads(options.seed):
        if options.only and name not in options.only:
            continue
        items = {"apiVersion": "v1", "kind": "List", "items": objects}
        (options.folder / f"{name}.json").write_text(json.dumps(items))
        print(name, f"types-{types_name}.json")


if __name__ == "__main__":
    main()
