"""What a cluster looks like from outside, and what must hold of it whatever the autoscaler did."""

import collections
import re

NODE_CLAIMS = "/apis/karpenter.sh/v1/nodeclaims"
NODE_POOLS = "/apis/karpenter.sh/v1/nodepools"
PROVISIONERS = "/apis/karpenter.sh/v1alpha5/provisioners"
KWOK_NODE_CLASSES = "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses"

_FACTORS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
            "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


def quantity(text):
    number, suffix = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()
    return float(number) * _FACTORS[suffix]


def nodes(api):
    return api.items("/api/v1/nodes")


def node_claims(api):
    return api.items(NODE_CLAIMS)


def pods(api, namespace="default"):
    return api.items(f"/api/v1/namespaces/{namespace}/pods")


def condition(thing, kind):
    """The condition of that type, or an empty dict."""
    return next((each for each in thing.get("status", {}).get("conditions", []) if each["type"] == kind), {})


def is_true(thing, kind):
    return condition(thing, kind).get("status") == "True"


def names(things):
    return sorted(thing["metadata"]["name"] for thing in things)


def over_capacity(all_nodes, all_pods):
    """Sentences on nodes whose pods ask for more than the node has, and on pods on no known node."""
    used = collections.defaultdict(lambda: collections.Counter())
    for pod in all_pods:
        node = pod["spec"].get("nodeName")
        if node and pod["status"].get("phase") not in ("Succeeded", "Failed"):
            used[node].update(_requests(pod))
    problems = []
    for node in all_nodes:
        allocatable = node["status"].get("allocatable", {})
        for resource, amount in used.pop(node["metadata"]["name"], {}).items():
            there = quantity(allocatable.get(resource, "0"))
            if amount > there * (1 + 1e-9):
                problems.append(f"{node['metadata']['name']}: {amount:g} of {there:g} {resource}")
    problems += [f"{node}: pods but no such node" for node in used]
    return problems


def taints(all_nodes):
    return [f"{node['metadata']['name']}: {taint['key']}:{taint['effect']}"
            for node in all_nodes for taint in node["spec"].get("taints", [])]


def claim_problems(all_nodes, all_claims):
    """Sentences on nodes without a claim, claims without a node, and claims not done."""
    problems = []
    by_provider_id = {node["spec"].get("providerID"): node for node in all_nodes}
    claimed = collections.Counter(claim.get("status", {}).get("providerID") for claim in all_claims)
    for claim in all_claims:
        name = claim["metadata"]["name"]
        for kind in ("Launched", "Registered", "Initialized", "Ready"):
            if not is_true(claim, kind):
                problems.append(f"claim {name}: {kind} is {condition(claim, kind).get('status', 'absent')}")
        node = by_provider_id.get(claim.get("status", {}).get("providerID"))
        if node is None:
            problems.append(f"claim {name} has no node")
        elif claim["status"].get("nodeName") != node["metadata"]["name"]:
            problems.append(f"claim {name} names node {claim['status'].get('nodeName')}")
    for provider_id, node in by_provider_id.items():
        if claimed[provider_id] != 1:
            problems.append(f"node {node['metadata']['name']} has {claimed[provider_id]} claims")
    return problems


def price_per_hour(all_nodes, prices):
    """`prices` as instance_types.price_per_hour() makes them."""
    total = 0.0
    for node in all_nodes:
        labels = node["metadata"]["labels"]
        total += prices[(labels["node.kubernetes.io/instance-type"], labels["topology.kubernetes.io/zone"],
                         labels["karpenter.sh/capacity-type"])]
    return total


def _requests(pod):
    total = collections.Counter(pods=1)
    for container in pod["spec"]["containers"]:
        for resource, amount in container.get("resources", {}).get("requests", {}).items():
            total[resource] += quantity(amount)
    return total
