"""From nodes nobody needs to none, as fast as the budgets allow and no faster."""

import time

import manifests
from cluster_state import NODE_CLAIMS, NODE_POOLS, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test

# Karpenter looks every 10 s and waits 15 s before it believes what it sees.
_SECONDS_TO_NOTICE = 90


def _scale_up_and_down(world, budget):
    world.start_joiner()
    world.open_pools(manifests.node_pool(
        requirements=[manifests.requirement(manifests.TYPE, "c-16x-amd64-linux")],
        policy="WhenEmpty", consolidate_after="0s", budget=budget))
    world.deploy("load", 60)
    world.run_all("load", 60)
    world.expect_in_order()
    world.scale("load", 0)
    wait_until(lambda: not pods(world.api), 60, "the pods are gone")


@test()
def empty_nodes_and_their_claims_go(world):
    _scale_up_and_down(world, budget="100%")
    world.wait_no_nodes(_SECONDS_TO_NOTICE)


@test()
def a_budget_of_no_nodes_keeps_every_empty_node(world):
    _scale_up_and_down(world, budget="0")
    before = {node["metadata"]["uid"] for node in nodes(world.api)}
    for _ in range(40):
        time.sleep(1)
        there = {node["metadata"]["uid"] for node in nodes(world.api) if not node["metadata"].get("deletionTimestamp")}
        expect(there == before, "a node went although the budget is 0")
    # The same nodes go when the budget does, so it was the budget that kept them.
    world.api.patch(f"{NODE_POOLS}/default", {"spec": {"disruption": {"budgets": [{"nodes": "100%"}]}}})
    world.wait_no_nodes(_SECONDS_TO_NOTICE)


@test()
def a_deleted_claim_waits_for_a_pod_disruption_budget(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("guarded", 1)
    world.run_all("guarded", 1)
    world.expect_in_order()
    world.api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                   manifests.disruption_budget("guard", app="guarded", max_unavailable=0))
    claim, = node_claims(world.api)
    node = f"/api/v1/nodes/{claim['status']['nodeName']}"
    pod, = pods(world.api)
    world.cluster.kubectl("delete", "nodeclaim", claim["metadata"]["name"], "--wait=false")

    def carries_disrupted_taint():
        taints = world.api.get(node)["spec"].get("taints", [])
        return any(taint["key"] == "karpenter.sh/disrupted" and taint["effect"] == "NoSchedule" for taint in taints)

    wait_until(carries_disrupted_taint, 20, "the node is closed to new pods")
    for _ in range(15):
        time.sleep(1)
        same = world.api.get(f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}")
        expect(not same["metadata"].get("deletionTimestamp"), "the guarded pod was evicted")
        expect(world.api.get_or_none(node) is not None, "the node went before its pod")

    world.api.delete("/apis/policy/v1/namespaces/default/poddisruptionbudgets/guard")
    wait_until(lambda: world.api.get_or_none(node) is None, 90, "the node is gone")
    wait_until(lambda: world.api.get_or_none(f"{NODE_CLAIMS}/{claim['metadata']['name']}") is None, 30,
               "the claim is gone")
    world.run_all("guarded", 1)
    world.expect_in_order()


@test()
def a_node_deleted_by_hand_takes_its_claim_along(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("load", 5)
    world.run_all("load", 5)
    world.expect_in_order()
    claim, = node_claims(world.api)
    world.cluster.kubectl("delete", "node", claim["status"]["nodeName"], "--wait=false")
    wait_until(lambda: world.api.get_or_none(f"{NODE_CLAIMS}/{claim['metadata']['name']}") is None, 90,
               "the claim is gone")
    world.run_all("load", 5)
    world.expect_in_order()
