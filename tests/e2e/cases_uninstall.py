"""`joiner uninstall`: no finalizer is left behind, whichever of the two ways is taken."""

import subprocess

import manifests
from cluster_state import KWOK_NODE_CLASSES, NODE_POOLS, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def _uninstall(world, *flags):
    return subprocess.run([world.joiner, "uninstall", f"--kubeconfig={world.cluster.kubeconfig}", *flags],
                          capture_output=True, text=True, timeout=300)


def _running(world, leads):
    joiner = world.start_joiner(leader_election=leads)
    world.open_pools(manifests.node_pool())
    world.deploy("load", 12)
    world.run_all("load", 12)
    return joiner


def _expect_definitions_to_go(world):
    """A finalizer that nobody takes off would keep them for ever."""
    for definition in world.api.items(_DEFINITIONS):
        world.api.delete(f"{_DEFINITIONS}/{definition['metadata']['name']}")
    wait_until(lambda: not world.api.items(_DEFINITIONS), 60, "the definitions are gone")
    world.leave()


@test()
def nodes_left_to_themselves_and_their_pods_run_on(world):
    joiner = _running(world, leads=True)
    pods_before = {pod["metadata"]["uid"] for pod in pods(world.api)}
    nodes_before = {node["metadata"]["uid"] for node in nodes(world.api)}
    refused = _uninstall(world, "--orphan")
    expect(refused.returncode == 2 and "scale the controller to 0" in refused.stderr, refused)
    expect(len(node_claims(world.api)) == len(nodes_before), "nothing was touched")
    joiner.terminate()
    done = _uninstall(world, "--orphan")
    expect(done.returncode == 0 and "no pod was touched" in done.stdout, done)
    expect(not node_claims(world.api), "the NodeClaims are gone")
    world.run_all("load", 12, seconds=10)
    expect({pod["metadata"]["uid"] for pod in pods(world.api)} == pods_before, "the pods are the same")
    expect({node["metadata"]["uid"] for node in nodes(world.api)} == nodes_before, "the nodes are the same")
    for node in nodes(world.api):
        expect(not node["metadata"].get("ownerReferences") and not node["metadata"].get("finalizers"), node["metadata"])
    _expect_definitions_to_go(world)


@test()
def drained_nodes_are_gone_before_the_controller(world):
    joiner = _running(world, leads=True)
    done = _uninstall(world, "--drain", "--timeout=3")
    expect(done.returncode == 0 and "no node is left" in done.stdout, done)
    expect(not nodes(world.api) and not node_claims(world.api), "nothing is left")
    expect(not world.api.items(NODE_POOLS), "the NodePools are gone")
    joiner.terminate()
    refused = _uninstall(world, "--drain")
    expect(refused.returncode == 2 and "no controller holds a lease" in refused.stderr, refused)
    expect(_uninstall(world).returncode == 2, "without a choice nothing is done")
    world.api.delete(f"{KWOK_NODE_CLASSES}/default")
    _expect_definitions_to_go(world)
