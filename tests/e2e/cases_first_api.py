"""Provisioners as they were written for Karpenter v0.5, with a KWOKNodeClass in place of the cloud's settings."""

import json
import time

import manifests
from cluster_state import NODE_CLAIMS, PROVISIONERS, condition, is_true, node_claims, nodes, pods
from processes import wait_until
from suite import expect, test


def provisioner(name="default", **spec):
    return {"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": name},
            "spec": {"providerRef": {"apiVersion": "karpenter.kwok.sh/v1alpha1", "kind": "KWOKNodeClass", "name": "default"},
                     "requirements": [manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")], **spec}}


def open_provisioner(world, **spec):
    world.start_joiner()
    world.api.post("/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", manifests.node_class())
    world.api.post(PROVISIONERS, provisioner(**spec))
    wait_until(lambda: is_true(world.api.get(f"{PROVISIONERS}/default"), "Ready"), 30, "the Provisioner is ready")


def load(world, replicas):
    world.deploy("load", replicas)
    world.run_all("load", replicas)
    world.expect_in_order()


@test()
def a_provisioner_scales_up_and_its_nodes_say_whose_they_are(world):
    open_provisioner(world, labels={"team": "a"}, taints=[{"key": "team", "value": "a", "effect": "NoSchedule"}])
    world.deploy("load", 20, tolerations=[{"key": "team", "operator": "Exists"}],
                 nodeSelector={"karpenter.sh/provisioner-name": "default"})
    world.run_all("load", 20)
    for node in nodes(world.api):
        labels = node["metadata"]["labels"]
        expect(labels["karpenter.sh/provisioner-name"] == "default" and labels["team"] == "a", labels)
        expect(labels["karpenter.sh/capacity-type"] == "on-demand", labels)
        expect("karpenter.sh/termination" in node["metadata"]["finalizers"], node["metadata"])
    for claim in node_claims(world.api):
        owner, = claim["metadata"]["ownerReferences"]
        expect((owner["kind"], owner["name"]) == ("Provisioner", "default"), owner)
    cores = 4 * len(nodes(world.api))
    wait_until(lambda: world.api.get(f"{PROVISIONERS}/default")["status"].get("resources", {}).get("cpu") == str(cores),
               30, "the Provisioner's status says what its nodes add up to")


@test()
def an_empty_node_of_a_provisioner_goes_after_its_seconds(world):
    open_provisioner(world, ttlSecondsAfterEmpty=20)
    load(world, 6)
    before = [node["metadata"]["name"] for node in nodes(world.api)]
    world.scale("load", 0)
    emptied, deleted = {}, {}

    def all_are_deleted():
        """Notes when each node was first seen without pods, and when its claim was first seen on its way out."""
        taken = {pod["spec"].get("nodeName") for pod in pods(world.api)}
        claims = {claim["status"].get("nodeName"): claim for claim in node_claims(world.api)}
        now = time.monotonic()
        for name in before:
            if name not in taken:
                emptied.setdefault(name, now)
            if name not in claims or claims[name]["metadata"].get("deletionTimestamp"):
                deleted.setdefault(name, now)
        return len(deleted) == len(before)

    wait_until(all_are_deleted, 60, "all claims are deleted", interval=0.05)
    waited = sorted(deleted[name] - emptied[name] for name in before)
    expect(19.8 <= waited[0] and waited[-1] <= 21, f"nodes went after {waited} s, where 20 are asked for")
    world.wait_no_nodes(20)


@test()
def nodes_of_a_provisioner_without_seconds_stay(world):
    open_provisioner(world)
    load(world, 6)
    before = {node["metadata"]["uid"] for node in nodes(world.api)}
    world.scale("load", 0)
    wait_until(lambda: not pods(world.api), 60, "the pods are gone")
    for _ in range(30):
        time.sleep(1)
        there = {node["metadata"]["uid"] for node in nodes(world.api) if not node["metadata"].get("deletionTimestamp")}
        expect(there == before, "a node went although neither seconds nor consolidation were asked for")


@test()
def a_node_of_a_provisioner_is_replaced_when_it_is_too_old(world):
    open_provisioner(world, ttlSecondsUntilExpired=45)
    load(world, 3)
    first, = node_claims(world.api)
    wait_until(lambda: world.api.get_or_none(f"{NODE_CLAIMS}/{first['metadata']['name']}") is None, 120,
               "the first node is gone")
    world.run_all("load", 3)


@test()
def do_not_evict_keeps_an_old_node_as_long_as_its_pod(world):
    open_provisioner(world, ttlSecondsUntilExpired=45)
    world.api.post("/api/v1/namespaces/default/pods", {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "precious", "annotations": {"karpenter.sh/do-not-evict": "true"}},
        "spec": manifests.pod_spec()})
    wait_until(lambda: [pod for pod in pods(world.api) if pod["status"].get("phase") == "Running"], 60, "the pod runs")
    uid = pods(world.api)[0]["metadata"]["uid"]
    first, = node_claims(world.api)
    for _ in range(75):
        time.sleep(1)
        there = pods(world.api)
        expect(len(there) == 1 and there[0]["metadata"]["uid"] == uid
               and not there[0]["metadata"].get("deletionTimestamp"), "the pod was evicted")
    world.api.delete("/api/v1/namespaces/default/pods/precious")
    wait_until(lambda: world.api.get_or_none(f"{NODE_CLAIMS}/{first['metadata']['name']}") is None, 60,
               "the old node is gone")


@test()
def limits_of_a_provisioner_hold(world):
    open_provisioner(world, limits={"resources": {"cpu": "12"}})
    world.deploy("load", 40)
    wait_until(lambda: len(nodes(world.api)) == 3, 60, "as many nodes as the limit allows")
    for _ in range(10):
        time.sleep(1)
        expect(len(nodes(world.api)) <= 3, "the limit was passed")


@test()
def mistakes_in_one_provisioner_are_said_and_others_go_on(world):
    open_provisioner(world)
    both = provisioner("both", ttlSecondsAfterEmpty=30, consolidation={"enabled": True})
    refusal = world.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(both), check=False)
    expect(refusal.returncode != 0 and "expected exactly one, got both" in refusal.stderr, refusal)
    odd = provisioner("odd", provider={"instanceProfile": "p", "subnetSelector": {"a": "b"},
                                       "securityGroupSelector": {"a": "b"}, "colour": "red"})
    del odd["spec"]["providerRef"]
    world.api.post(PROVISIONERS, odd)
    wait_until(lambda: condition(world.api.get(f"{PROVISIONERS}/odd"), "ValidationSucceeded"), 30, "it is judged")
    said = condition(world.api.get(f"{PROVISIONERS}/odd"), "ValidationSucceeded")
    expect(said["status"] == "False" and "colour" in said["message"], said)
    rival = manifests.node_pool("rival", requirements=[manifests.requirement(manifests.TYPE, "c-4x-amd64-linux")])
    world.api.post(PROVISIONERS, provisioner("rival"))
    world.api.post("/apis/karpenter.sh/v1/nodepools", rival)

    def is_taken():
        found = condition(world.api.get(f"{PROVISIONERS}/rival"), "ValidationSucceeded")
        return found and found["reason"] == "NameTaken"

    wait_until(is_taken, 30, "the Provisioner says that its name is a NodePool's")
    load(world, 10)


@test()
def a_definition_that_drops_what_is_written_is_not_written_to_again_and_again(world):
    """Conditions of Karpenter's own definition of the first API have no observedGeneration: it is lost."""
    definition = json.loads(world.cluster.kubectl("get", "crd", "provisioners.karpenter.sh", "-o", "json").stdout)
    for version in definition["spec"]["versions"]:
        status = version["schema"]["openAPIV3Schema"]["properties"]["status"]["properties"]
        del status["conditions"]["items"]["properties"]["observedGeneration"]
    world.cluster.kubectl("replace", "-f", "-", stdin=json.dumps(definition))
    world.start_joiner()
    world.api.post("/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses", manifests.node_class())
    world.api.post(PROVISIONERS, provisioner())
    load(world, 6)
    ready = condition(world.api.get(f"{PROVISIONERS}/default"), "Ready")
    expect(ready and "observedGeneration" not in ready, f"the definition drops the field: {ready}")

    def writes():
        return sum(use.resource.startswith("provisioners") and use.verb in ("patch", "update")
                   for use, _ in world.cluster.uses_of_service_account())

    time.sleep(15)  # Until the last of what has changed is written.
    before = writes()
    time.sleep(15)
    expect(before > 0, "the log has what was written to the Provisioner")
    expect(writes() == before, f"{writes() - before} more writes to a Provisioner of which nothing changed")
    world.leave()
