"""From pending pods to running ones."""

import json
import time

import manifests
from api_client import ApiError
from cluster_state import KWOK_NODE_CLASSES, is_true, node_claims, pods
from processes import wait_until
from suite import expect, test


def _run_five_hundred(world, binding):
    joiner = world.start_joiner(f"--pod-binding={binding}")
    world.open_pools(manifests.node_pool())
    world.deploy("load", 500)
    world.run_all("load", 500)
    world.expect_in_order()
    return joiner


@test()
def joiner_binds_five_hundred_pods_as_planned_and_all_run(world):
    joiner = _run_five_hundred(world, "auto")
    wait_until(lambda: joiner.metric("joiner_pods_bound_total", result="bound") == 500, 10,
               "Joiner reports 500 bindings as its own")
    expect(not joiner.metric("joiner_pods_bound_total", result="conflict"), "no binding met another one")


@test()
def five_hundred_pods_run_when_the_scheduler_binds_them(world):
    joiner = _run_five_hundred(world, "scheduler")
    expect(not joiner.metric("joiner_pods_bound_total", result="bound"), "Joiner binds nothing")


@test()
def pods_that_come_later_use_the_room_that_is_left(world):
    world.start_joiner()
    # 16 CPU, 0.1 of them the system's: room for 15 pods, so ten leave room for five.
    sixteen_cpus = manifests.requirement(manifests.TYPE, "c-16x-amd64-linux")
    world.open_pools(manifests.node_pool(requirements=[sixteen_cpus]))
    world.deploy("first", 10)
    world.run_all("first", 10)
    world.deploy("second", 5)
    world.run_all("second", 5)
    world.expect_in_order()
    expect(len(node_claims(world.api)) == 1, "the second Deployment needs no node of its own")


@test()
def a_startup_taint_keeps_pods_off_until_it_is_lifted(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool(startupTaints=[{"key": "example.com/network", "effect": "NoSchedule"}]))
    world.deploy("load", 20)
    def all_registered():
        claims = node_claims(world.api)
        return claims if claims and all(is_true(each, "Registered") for each in claims) else None

    claims = wait_until(all_registered, 30, "the claims are registered")
    for _ in range(30):
        time.sleep(0.1)
        expect(not any(pod["spec"].get("nodeName") for pod in pods(world.api)), "no pod is bound early")
    for claim in claims:
        _lift_taint(world.api, f"/api/v1/nodes/{claim['status']['nodeName']}", "example.com/network")
    world.run_all("load", 20)
    world.expect_in_order()


def _lift_taint(api, node, key):
    """As the daemon that put it there would: only if nobody else changed the node meanwhile."""
    def try_once():
        found = api.get(node)
        kept = [taint for taint in found["spec"].get("taints", []) if taint["key"] != key]
        try:
            return api.patch(node, {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"]},
                                    "spec": {"taints": kept or None}})
        except ApiError as error:
            if error.code != 409:
                raise
            return None

    wait_until(try_once, 10, f"{key} is lifted")


@test()
def what_is_sold_out_is_written_down_for_the_next_process(world):
    world.start_joiner()
    small, large = "c-4x-amd64-linux", "c-8x-amd64-linux"
    world.open_pools(manifests.node_pool(requirements=[manifests.requirement(manifests.TYPE, small, large)]))
    sold_out = {"metadata": {"annotations": {"joiner.sh/sold-out": f"{small}/test-zone-a"}}}
    world.api.patch(f"{KWOK_NODE_CLASSES}/default", sold_out)
    memory = "/api/v1/namespaces/joiner/configmaps/joiner-shortages"
    versions = []
    for batch in range(2):
        world.deploy(f"load-{batch}", 10)
        world.run_all(f"load-{batch}", 10)
        wait_until(lambda: (world.api.get_or_none(memory) or {}).get("metadata", {}).get("resourceVersion", "") not in
                   ("", *versions), 60, "what was found sold out is written down")
        versions.append(world.api.get(memory)["metadata"]["resourceVersion"])
        sold_out["metadata"]["annotations"]["joiner.sh/sold-out"] += f", {small}/test-zone-b"
        world.api.patch(f"{KWOK_NODE_CLASSES}/default", sold_out)
    expect(small in json.dumps(world.api.get(memory)["data"]), "it names the type")
