"""What cannot be served is said, and does not keep the rest from being served."""

import manifests
from cluster_state import NODE_POOLS, condition, is_true, pods
from processes import wait_until
from suite import expect, test


def _event_from_us(world, reason, pod_name):
    """The scheduler writes FailedScheduling events too, under its own name."""
    for event in world.api.items("/api/v1/namespaces/default/events"):
        source = event.get("source", {}).get("component") or event.get("reportingComponent")
        if event["reason"] == reason and source != "default-scheduler" \
                and event["involvedObject"]["name"].startswith(pod_name):
            return event
    return None


def _expect_refused_while_others_run(world, refused):
    world.deploy("fine", 5)
    event = wait_until(lambda: _event_from_us(world, "FailedScheduling", refused), 60,
                       f"an event says why {refused} waits")
    expect(event["type"] == "Warning" and event["message"], f"the event gives a reason: {event}")
    world.run_all("fine", 5)
    expect(all(not pod["spec"].get("nodeName") for pod in pods(world.api)
               if pod["metadata"]["name"].startswith(refused)), f"{refused} runs nowhere")


@test()
def an_invalid_node_pool_says_so_and_the_others_go_on(world):
    world.start_joiner()
    twice = {"key": "example.com/dedicated", "effect": "NoSchedule"}
    bad = manifests.node_pool("bad", taints=[twice], startupTaints=[twice])
    bad["spec"]["weight"] = 100
    world.api.post(NODE_POOLS, bad)
    world.open_pools(manifests.node_pool("good"))

    def validation():
        return condition(world.api.get(f"{NODE_POOLS}/bad"), "ValidationSucceeded")

    wait_until(lambda: validation().get("status") == "False", 30, "the NodePool is called invalid")
    expect(validation()["reason"] == "NodePoolValidationFailed", f"the reason is {validation()['reason']}")
    expect("example.com/dedicated" in validation()["message"], "the message names the taint")
    expect(not is_true(world.api.get(f"{NODE_POOLS}/bad"), "Ready"), "an invalid NodePool is not ready")
    world.deploy("load", 5)
    world.run_all("load", 5)
    world.expect_in_order()


@test()
def a_node_pool_without_its_node_class_is_not_ready_until_it_comes(world):
    world.start_joiner()
    world.api.post(NODE_POOLS, manifests.node_pool())
    wait_until(lambda: condition(world.api.get(f"{NODE_POOLS}/default"), "NodeClassReady").get("reason")
               == "NodeClassNotFound", 30, "the NodePool misses its NodeClass")
    world.api.post("/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", manifests.node_class())
    wait_until(lambda: is_true(world.api.get(f"{NODE_POOLS}/default"), "Ready"), 30, "the NodePool is ready")


@test()
def a_pod_larger_than_every_type_is_named_in_an_event(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("giant", 1, cpu="1000")
    _expect_refused_while_others_run(world, "giant")


@test()
def a_pod_that_no_pool_admits_is_named_in_an_event(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("elsewhere", 1, nodeSelector={"topology.kubernetes.io/zone": "no-such-zone"})
    _expect_refused_while_others_run(world, "elsewhere")


@test()
def a_pod_with_a_resource_claim_is_named_in_an_event(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.api.post("/apis/resource.k8s.io/v1/namespaces/default/resourceclaimtemplates", {
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaimTemplate", "metadata": {"name": "device"},
        "spec": {"spec": {"devices": {"requests": [
            {"name": "one", "exactly": {"deviceClassName": "no-such-class"}}]}}}})
    world.deploy("wants-a-device", 1, resourceClaims=[{"name": "device", "resourceClaimTemplateName": "device"}])
    _expect_refused_while_others_run(world, "wants-a-device")


@test()
def limits_hold_and_what_they_leave_out_waits(world):
    world.start_joiner()
    pool = manifests.node_pool(requirements=[manifests.requirement(manifests.TYPE, "c-16x-amd64-linux")])
    pool["spec"]["limits"] = {"cpu": "32"}
    world.open_pools(pool)
    world.deploy("load", 60)
    wait_until(lambda: sum(pod["status"].get("phase") == "Running" for pod in pods(world.api)) == 30, 60,
               "thirty pods run on the two nodes that the limit allows")
    wait_until(lambda: _event_from_us(world, "FailedScheduling", "load"), 60, "an event says why the others wait")
    expect(len(world.api.items("/apis/karpenter.sh/v1/nodeclaims")) == 2, "no claim above the limit")
