"""How nodes end: replacements that come first, attachments that stay, pools of a fixed size."""

import time

import manifests
from cluster_state import NODE_CLAIMS, condition, is_true, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test

_ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"


def _ready_pods(api):
    return [pod for pod in pods(api) if is_true(pod, "Ready") and not pod["metadata"].get("deletionTimestamp")]


@test()
def a_single_replica_that_asks_for_surge_is_always_ready(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    deployment = manifests.deployment("single", 1)
    deployment["spec"]["template"]["metadata"]["annotations"] = {"joiner.sh/surge-before-evict": "true"}
    world.api.post("/apis/apps/v1/namespaces/default/deployments", deployment)
    world.run_all("single", 1)
    world.expect_in_order()
    # No eviction would be allowed without a replacement.
    world.api.post("/apis/policy/v1/namespaces/default/poddisruptionbudgets",
                   manifests.disruption_budget("single", app="single", max_unavailable=0))
    claim, = node_claims(world.api)
    node = f"/api/v1/nodes/{claim['status']['nodeName']}"
    old, = pods(world.api)
    world.cluster.kubectl("delete", "nodeclaim", claim["metadata"]["name"], "--wait=false")
    fewest = 1

    def is_gone():
        nonlocal fewest
        fewest = min(fewest, len(_ready_pods(world.api)))
        return world.api.get_or_none(node) is None

    wait_until(is_gone, 120, "the node is gone", interval=0.05)
    expect(fewest >= 1, "there was a moment without a ready pod")
    wait_until(lambda: len(pods(world.api)) == 1, 30, "one pod is left")
    new, = pods(world.api)
    expect(new["metadata"]["uid"] != old["metadata"]["uid"], "the pod is the old one")
    expect(new["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet", "the pod left is nobody's")
    world.run_all("single", 1)
    world.expect_in_order()


@test()
def an_attachment_that_stays_keeps_its_node_and_says_so(world):
    world.start_joiner()
    world.open_pools(manifests.node_pool())
    world.deploy("load", 1)
    world.run_all("load", 1)
    world.expect_in_order()
    claim, = node_claims(world.api)
    node = claim["status"]["nodeName"]
    world.api.post(_ATTACHMENTS, {
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": "stays"},
        "spec": {"attacher": "nobody.example.com", "nodeName": node, "source": {"persistentVolumeName": "pv"}}})
    world.cluster.kubectl("delete", "nodeclaim", claim["metadata"]["name"], "--wait=false")

    def waits_for_volumes():
        found = world.api.get(f"{NODE_CLAIMS}/{claim['metadata']['name']}")
        return condition(found, "VolumesDetached").get("reason") == "AwaitingVolumeDetachment"

    wait_until(waits_for_volumes, 60, "the claim says that it waits for a volume")
    for _ in range(5):
        time.sleep(1)
        expect(world.api.get_or_none(f"/api/v1/nodes/{node}") is not None, "the node went before its volume")
    world.api.delete(f"{_ATTACHMENTS}/stays")
    wait_until(lambda: world.api.get_or_none(f"/api/v1/nodes/{node}") is None, 60, "the node is gone")
    world.run_all("load", 1)
    world.expect_in_order()


@test()
def a_static_pool_keeps_its_size(world):
    world.start_joiner("--feature-gates=StaticCapacity=true")
    pool = manifests.node_pool(requirements=[manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")])
    pool["spec"]["replicas"] = 3
    world.open_pools(pool)
    wait_until(lambda: sum(is_true(claim, "Initialized") for claim in node_claims(world.api)) == 3, 60,
               "three nodes are up")
    world.cluster.kubectl("scale", "nodepool", "default", "--replicas=1")
    wait_until(lambda: len(nodes(world.api)) == 1 and len(node_claims(world.api)) == 1, 60, "one node is left")
    world.expect_in_order()
