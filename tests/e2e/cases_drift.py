"""Nodes that their NodePool would not make so any more are replaced, and nobody notices."""

import manifests
from cluster_state import NODE_POOLS, condition, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test

_SECONDS_A_NODE = 60


def _is_going(node):
    return bool(node["metadata"].get("deletionTimestamp"))


def _is_old(node):
    return node["metadata"]["labels"].get("generation") != "two"


def _ready_pods(api):
    return [pod for pod in pods(api)
            if condition(pod, "Ready").get("status") == "True" and not pod["metadata"].get("deletionTimestamp")]


@test()
def a_changed_template_replaces_nodes_one_by_one(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool(
        requirements=[manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")], budget="1"))
    world.deploy("web", 9)
    world.run_all("web", 9)
    world.expect_in_order()
    world.api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                   manifests.disruption_budget("web", app="web", max_unavailable=1))
    before = len(nodes(world.api))
    expect(before >= 3, f"{before} nodes are too few for this test")

    world.api.patch(f"{NODE_POOLS}/default",
                    {"spec": {"template": {"metadata": {"labels": {"generation": "two"}}}}})
    most_leaving = 0
    fewest_ready = 9

    def all_are_new():
        nonlocal most_leaving, fewest_ready
        there = nodes(world.api)
        leaving = [node for node in there if _is_going(node)
                   or any(taint["key"] == "karpenter.sh/disrupted" for taint in node["spec"].get("taints", []))]
        most_leaving = max(most_leaving, len(leaving))
        fewest_ready = min(fewest_ready, len(_ready_pods(world.api)))
        return there and not any(_is_old(node) for node in there)

    wait_until(all_are_new, _SECONDS_A_NODE * before, "every node is of the new template", interval=0.1)
    expect(most_leaving == 1, f"{most_leaving} nodes were leaving at once, and the budget is 1")
    expect(fewest_ready >= 8, f"only {fewest_ready} of 9 pods were ready, and their budget lets one go")
    world.run_all("web", 9)
    expect(len(nodes(world.api)) == before, f"{len(nodes(world.api))} nodes for {before}")
    # The last claim goes after its node.
    wait_until(lambda: not [claim for claim in node_claims(world.api) if condition(claim, "Drifted")], 20,
               "no claim is drifted")
    world.expect_in_order()
