"""Nodes that a cluster no longer needs to be so many, or so large, become fewer or smaller, and then nothing moves any more."""

import time

import manifests
from cluster_state import is_true, nodes, pods
from processes import wait_until
from suite import expect, test

_SECONDS = 90


def _pool(*types):
    return manifests.node_pool(requirements=[manifests.requirement(manifests.TYPE, *types)], consolidate_after="0s")


def _types(api):
    return sorted(node["metadata"]["labels"][manifests.TYPE] for node in nodes(api))


def _ready(api):
    return [pod for pod in pods(api) if is_true(pod, "Ready") and not pod["metadata"].get("deletionTimestamp")]


def _expect_rest(world, seconds=20):
    """Nobody is moved without a cause."""
    before = {pod["metadata"]["uid"] for pod in pods(world.api)}
    time.sleep(seconds)
    expect({pod["metadata"]["uid"] for pod in pods(world.api)} == before, "a pod was moved although nothing had changed")
    marked = [node["metadata"]["name"] for node in nodes(world.api) if node["spec"].get("taints")]
    expect(not marked, f"taints are left on {marked}")


@test()
def pods_of_half_empty_nodes_come_to_share_fewer(world):
    world.start_joiner()
    world.open_pools(_pool("c-4x-amd64-linux"))
    world.deploy("web", 24)
    world.run_all("web", 24)
    world.api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                   manifests.disruption_budget("web", app="web", max_unavailable=2))
    world.scale("web", 9)
    world.run_all("web", 9)
    fewest = 9

    def is_packed():
        nonlocal fewest
        fewest = min(fewest, len(_ready(world.api)))
        return len(nodes(world.api)) == 3

    wait_until(is_packed, _SECONDS, "nine pods share three nodes", interval=0.1)
    world.run_all("web", 9)
    expect(fewest >= 7, f"only {fewest} of 9 pods were ready, and their budget lets two go")
    world.expect_in_order()
    _expect_rest(world)


@test()
def a_node_too_large_becomes_a_smaller_one_that_is_up_first(world):
    world.start_joiner()
    world.open_pools(_pool("c-16x-amd64-linux", "c-4x-amd64-linux"))
    world.deploy("web", 15)
    world.run_all("web", 15)
    expect(_types(world.api) == ["c-16x-amd64-linux"], f"{_types(world.api)} is not what this test is about")
    world.scale("web", 2)
    large, = nodes(world.api)

    def others_are_up():
        return any(node["metadata"]["labels"].get("karpenter.sh/initialized") == "true"
                   for node in nodes(world.api) if node["metadata"]["uid"] != large["metadata"]["uid"])

    def is_replaced():
        there = world.api.get_or_none(f"/api/v1/nodes/{large['metadata']['name']}")
        if there is not None and there["metadata"].get("deletionTimestamp"):
            expect(others_are_up(), "the old node goes before the new one is initialised")
        return there is None

    wait_until(is_replaced, _SECONDS, "the large node is gone", interval=0.1)
    world.run_all("web", 2)
    expect(_types(world.api) == ["c-4x-amd64-linux"], f"{_types(world.api)} is left")
    world.expect_in_order()
    _expect_rest(world)
    events = world.api.items("/api/v1/namespaces/default/events")
    said = [event for event in events if event["reason"] == "DisruptionTerminating"]
    expect(any("Underutilized" in event["message"] for event in said), "no Event says why the node went")
