"""The rig itself: a test that fails because of Joiner should not be one that could never pass."""

import manifests
from cluster_state import is_true, nodes, over_capacity, pods, taints
from processes import wait_until
from suite import WHOLE_CLUSTER, expect, expect_none, test


@test(WHOLE_CLUSTER, needs_joiner=False, needs_crds=False)
def a_node_made_by_hand_runs_a_deployment_of_twenty_pods(world):
    world.api.post("/api/v1/nodes", manifests.kwok_node("by-hand", cpu=20, memory="20Gi", pods=20))
    wait_until(lambda: is_true(world.api.get("/api/v1/nodes/by-hand"), "Ready"), 10, "the node is ready")
    wait_until(lambda: not taints(nodes(world.api)), 10, "the node is open")
    world.deploy("twenty", 20)
    world.run_all("twenty", 20, seconds=60)
    expect({pod["spec"]["nodeName"] for pod in pods(world.api)} == {"by-hand"}, "all pods run on the one node")
    expect_none(over_capacity(nodes(world.api), pods(world.api)), "over capacity")


@test(WHOLE_CLUSTER, needs_joiner=False, needs_crds=False)
def the_api_server_can_be_paused_and_restarted(world):
    world.api.post("/api/v1/nodes", manifests.kwok_node("another-by-hand", cpu=20, memory="20Gi", pods=20))
    world.cluster.pause_api_server()
    try:
        world.api.request("GET", "/api/v1/nodes", timeout=1)
        expect(False, "a paused server answered")
    except TimeoutError:
        pass
    world.cluster.continue_api_server()
    world.cluster.restart_api_server()
    expect(len(nodes(world.api)) == 1, "the node is still there after the restart")
    world.deploy("after-the-restart", 3)
    world.run_all("after-the-restart", 3, seconds=60)


@test(WHOLE_CLUSTER, needs_joiner=False, needs_crds=False)
def what_a_test_leaves_behind_is_gone_for_the_next_one(world):
    expect(not nodes(world.api), "nodes of the test before")
    expect(not pods(world.api), "pods of the test before")
