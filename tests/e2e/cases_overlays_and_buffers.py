"""NodeOverlays and CapacityBuffers, behind their gates."""

import manifests
from cluster_state import is_true, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test

_OVERLAYS = "/apis/karpenter.sh/v1alpha1/nodeoverlays"
_BUFFERS = "/apis/autoscaling.x-k8s.io/v1beta1/namespaces/default/capacitybuffers"
_TEMPLATES = "/api/v1/namespaces/default/podtemplates"


@test()
def an_overlay_decides_what_is_bought_and_says_that_it_is_valid(world):
    world.start_joiner("--feature-gates=NodeOverlay=true")
    world.open_pools(manifests.node_pool())
    world.api.post(_OVERLAYS, {
        "apiVersion": "karpenter.sh/v1alpha1", "kind": "NodeOverlay", "metadata": {"name": "paid-for"},
        "spec": {"requirements": [manifests.requirement(manifests.TYPE, "c-64x-amd64-linux")], "price": "0.001"}})
    wait_until(lambda: is_true(world.api.get(f"{_OVERLAYS}/paid-for"), "Ready"), 10, "the overlay is ready")
    world.deploy("load", 3)
    world.run_all("load", 3)
    world.expect_in_order()
    types = [node["metadata"]["labels"][manifests.TYPE] for node in nodes(world.api)]
    expect(types == ["c-64x-amd64-linux"], f"the type that costs next to nothing is bought, not {types}")
    annotations = node_claims(world.api)[0]["metadata"]["annotations"]
    expect(annotations.get("karpenter.sh/price-overlay-applied") == "true", "the claim says so")
    world.api.delete(f"{_OVERLAYS}/paid-for")


@test()
def a_buffer_keeps_room_that_a_pod_takes_at_once(world):
    world.start_joiner("--feature-gates=CapacityBuffer=true")
    # 4 CPU, 0.1 of them the system's: one pod of three a node.
    four_cpus = manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")
    world.open_pools(manifests.node_pool(requirements=[four_cpus], policy="WhenEmpty", consolidate_after="5s"))
    world.api.post(_TEMPLATES, {
        "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "large", "namespace": "default"},
        "template": {"spec": manifests.pod_spec(cpu="3")}})
    world.api.post(_BUFFERS, {
        "apiVersion": "autoscaling.x-k8s.io/v1beta1", "kind": "CapacityBuffer",
        "metadata": {"name": "spare", "namespace": "default"},
        "spec": {"podTemplateRef": {"name": "large"}, "replicas": 2}})

    def has_its_room():
        return is_true(world.api.get(f"{_BUFFERS}/spare"), "Provisioning")

    def nodes_up():
        return {node["metadata"]["name"] for node in nodes(world.api)
                if node["metadata"]["labels"].get("karpenter.sh/initialized") == "true"}

    wait_until(lambda: has_its_room() and len(nodes_up()) == 2, 30, "the buffer has its room")
    expect(not pods(world.api), "no pod was made")
    first = nodes_up()
    world.deploy("load", 1, cpu="3")
    world.run_all("load", 1)
    expect(pods(world.api)[0]["spec"]["nodeName"] in first, "the pod runs on a node that was there")
    wait_until(lambda: len(nodes_up()) == 3 and has_its_room(), 30, "the room is bought again")
    world.api.delete(f"{_BUFFERS}/spare")
    wait_until(lambda: len(nodes(world.api)) == 1, 60, "the room goes with the buffer")
    world.api.delete(f"{_TEMPLATES}/large")
    world.expect_in_order()
