"""A cluster that ran Karpenter's KWOK provider keeps its manifests, and finds the names it knows."""

import pathlib
import re

from cluster_state import NODE_POOLS, is_true, node_claims, nodes
from processes import wait_until
from suite import expect, test

_MANIFESTS = pathlib.Path(__file__).with_name("upstream_manifests.yaml").read_text()

# Karpenter's hash of this NodePool's template: the KWOKNodeClass reference and expireAfter 720h. Another value
# would make every node drift on the day of the switch.
_HASH = "12745407319442031341"


@test()
def upstream_manifests_work_unchanged(world):
    world.start_joiner()
    world.cluster.kubectl("apply", "-f", "-", stdin=_MANIFESTS)
    wait_until(lambda: is_true(world.api.get(f"{NODE_POOLS}/default"), "Ready"), 30, "the NodePool is ready")
    world.cluster.kubectl("scale", "deployment", "inflate", "--replicas=5")
    world.run_all("inflate", 5)
    world.expect_in_order()

    pool = world.api.get(f"{NODE_POOLS}/default")
    _expect_values("NodePool", pool["metadata"]["annotations"],
                   {"karpenter.sh/nodepool-hash": _HASH, "karpenter.sh/nodepool-hash-version": "v3"})
    wait_until(lambda: world.api.get(f"{NODE_POOLS}/default")["status"].get("nodes") == len(nodes(world.api)), 15,
               "the NodePool counts its nodes")

    for claim in node_claims(world.api):
        node = next(each for each in nodes(world.api) if each["metadata"]["name"] == claim["status"]["nodeName"])
        _check_claim(claim, pool)
        _check_node(node, claim)


def _check_claim(claim, pool):
    metadata, spec = claim["metadata"], claim["spec"]
    expect(re.fullmatch(r"default-[a-z0-9]{5}", metadata["name"]), f"claim name {metadata['name']}")
    expect("karpenter.sh/termination" in metadata.get("finalizers", []), "claim has the finalizer")
    owner, = metadata["ownerReferences"]
    expect((owner["kind"], owner["uid"], owner.get("blockOwnerDeletion"))
           == ("NodePool", pool["metadata"]["uid"], True), f"claim is owned by the NodePool: {owner}")
    _expect_values("claim annotations", metadata["annotations"],
                   {"karpenter.sh/nodepool-hash": _HASH, "karpenter.sh/nodepool-hash-version": "v3"})
    _expect_values("claim labels", metadata["labels"], {
        "karpenter.sh/nodepool": "default", "karpenter.kwok.sh/kwoknodeclass": "default",
        "karpenter.sh/capacity-type": "spot", "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": re.compile(r"[csm]-\d+x-amd64-linux"),
        "topology.kubernetes.io/zone": re.compile(r"test-zone-[a-d]")})
    expect(spec["nodeClassRef"] == {"group": "karpenter.kwok.sh", "kind": "KWOKNodeClass", "name": "default"},
           "claim names the NodeClass")
    expect(spec["expireAfter"] == "720h", "claim expires with the pool's age")
    expect("cpu" in spec["resources"]["requests"] and "pods" in spec["resources"]["requests"],
           f"claim asks for what its pods ask for: {spec['resources']}")
    requirements = {each["key"]: each for each in spec["requirements"]}
    expect(requirements["karpenter.sh/capacity-type"]["values"] == ["spot"], "claim requires spot")
    types = requirements["node.kubernetes.io/instance-type"]
    expect(types["operator"] == "In" and types["values"] == sorted(types["values"]), "claim lists types, sorted")
    expect(metadata["labels"]["node.kubernetes.io/instance-type"] in types["values"], "launched type was asked for")


def _check_node(node, claim):
    metadata, name = node["metadata"], node["metadata"]["name"]
    claim_name = claim["metadata"]["name"]
    expect(name.startswith(f"kwok-{claim_name}-"), f"node name {name}")
    expect(node["spec"]["providerID"] == f"kwok://{name}" == claim["status"]["providerID"], "provider id")
    expect("karpenter.sh/termination" in metadata.get("finalizers", []), "node has the finalizer")
    owner, = metadata["ownerReferences"]
    expect((owner["kind"], owner["uid"]) == ("NodeClaim", claim["metadata"]["uid"]), "node is owned by the claim")
    _expect_values("node annotations", metadata["annotations"], {
        "kwok.x-k8s.io/node": "fake", "karpenter.sh/nodepool-hash": _HASH, "karpenter.sh/nodepool-hash-version": "v3"})
    number = re.compile(r"\d+")
    _expect_values("node labels", metadata["labels"], {
        **claim["metadata"]["labels"],
        "karpenter.sh/registered": "true", "karpenter.sh/initialized": "true",
        "kubernetes.io/hostname": claim_name, "kwok.x-k8s.io/node": "fake", "kwok-partition": "a",
        "eks-node-viewer/instance-price": re.compile(r"\d+\.\d{6}"),
        "karpenter.kwok.sh/instance-family": re.compile(r"[csm]"), "karpenter.kwok.sh/instance-size": number,
        "karpenter.kwok.sh/instance-cpu": number, "karpenter.kwok.sh/instance-memory": re.compile(r"\d+[GT]i")})


def _expect_values(what, found, wanted):
    for key, value in wanted.items():
        there = found.get(key)
        is_right = there is not None and (value.fullmatch(there) if isinstance(value, re.Pattern) else value == there)
        expect(is_right, f"{what}: {key} is {there!r}, wanted {value!r}")
