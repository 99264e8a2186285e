"""The custom resource definitions, asked of the real API server."""

import json
import pathlib
import subprocess

import manifests
from api_client import ApiError
from cluster_state import KWOK_NODE_CLASSES, NODE_CLAIMS, NODE_POOLS, is_true
from crd_cases import CASES, COLLECTIONS
from suite import API_SERVER, expect, expect_none, test

_INVALID = 422


@test(API_SERVER, needs_joiner=False)
def manifests_are_accepted_and_rejected_as_the_table_says(world):
    expect_none([complaint for case in CASES if (complaint := _complaint(world.api, case))],
                f"of {len(CASES)} cases")


@test(API_SERVER, needs_joiner=False)
def what_a_node_pool_leaves_out_is_filled_in(world):
    pool = manifests.node_pool()
    del pool["spec"]["disruption"], pool["spec"]["template"]["spec"]["expireAfter"]
    made = world.api.post(NODE_POOLS, pool)
    expect(made["spec"]["template"]["spec"]["expireAfter"] == "720h", "nodes expire after 30 days")
    expect(made["spec"]["disruption"] == {"consolidateAfter": "0s", "consolidationPolicy": "WhenEmptyOrUnderutilized",
                                          "budgets": [{"nodes": "10%"}]}, f"disruption: {made['spec']['disruption']}")


@test(API_SERVER, needs_joiner=False)
def what_a_node_claim_leaves_out_is_filled_in(world):
    made = world.api.post(NODE_CLAIMS, {
        "apiVersion": "karpenter.sh/v1", "kind": "NodeClaim", "metadata": {"name": "made-by-hand"},
        "spec": {"requirements": [], "nodeClassRef": {"group": "example.com", "kind": "Class", "name": "default"}}})
    expect(made["spec"]["expireAfter"] == "720h", "a claim made by hand expires after 30 days")


@test(API_SERVER, needs_joiner=False)
def a_kwok_node_class_is_ready_from_the_start(world):
    made = world.api.post(KWOK_NODE_CLASSES, manifests.node_class())
    expect(is_true(made, "Ready"), f"status: {made.get('status')}")


@test(API_SERVER, needs_joiner=False)
def the_kinds_answer_to_their_short_names_and_category(world):
    world.api.post(KWOK_NODE_CLASSES, manifests.node_class())
    world.api.post(NODE_POOLS, manifests.node_pool())
    for name in ("kwoknc", "kwokncs", "overlays", "cb", "karpenter", "autoscaling"):
        world.cluster.kubectl("get", name)
    listed = world.cluster.kubectl("get", "karpenter", "-o", "name").stdout.split()
    expect(listed == ["kwoknodeclass.karpenter.kwok.sh/default", "nodepool.karpenter.sh/default"],
           f"get karpenter lists {listed}")


@test(API_SERVER, needs_joiner=False)
def a_static_node_pool_can_be_scaled(world):
    pool = manifests.node_pool("static")
    pool["spec"]["replicas"] = 1
    world.api.post(NODE_POOLS, pool)
    world.cluster.kubectl("scale", "nodepool", "static", "--replicas=4")
    expect(world.api.get(f"{NODE_POOLS}/static")["spec"]["replicas"] == 4, "kubectl scale sets replicas")


_PAIRS = pathlib.Path(__file__).resolve().parents[1] / "convert"
_CONVERTED_TO = {"NodePool": NODE_POOLS, "EC2NodeClass": "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"}


@test(API_SERVER)
def what_convert_writes_is_admitted(world):
    written = 0
    for pair in sorted(_PAIRS.glob("*.yaml")):
        done = subprocess.run([world.joiner, "convert", "-o", "json", "-f", "-"], text=True, capture_output=True,
                              input=pair.read_text().split("# becomes")[0], check=False)
        expect(done.returncode == (1 if "launch_template" in pair.name else 0), f"{pair.name}: {done.stderr}")
        if done.returncode != 0:
            continue
        whole = json.loads(done.stdout)
        for made in whole["items"] if whole["kind"] == "List" else [whole]:
            world.api.post(_CONVERTED_TO[made["kind"]], made, dryRun="All")
            written += 1
    expect(written == 17, f"{written} objects")


# kind -> columns of `kubectl get`, and those that only `-o wide` shows.
_COLUMNS = {
    "nodepools.karpenter.sh": ("NodeClass Nodes Ready Age", "Weight CPU Memory"),
    "provisioners.karpenter.sh": ("Template Nodes Ready Age", "Weight"),
    "awsnodetemplates.karpenter.k8s.aws": ("Ready Age", ""),
    "nodeclaims.karpenter.sh": ("Type Capacity Zone Node Ready Age", "ImageID ID NodePool NodeClass Drifted"),
    "nodeoverlays.karpenter.sh": ("Ready Age", "Weight"),
    "capacitybuffers.autoscaling.x-k8s.io":
        ("Strategy PodTemplate Replicas ConditionsType ConditionsStatus ConditionsReason Age", ""),
}


@test(API_SERVER, needs_joiner=False)
def tables_have_the_columns_that_people_know(world):
    for name, (always, wide) in _COLUMNS.items():
        crd = world.api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}")
        version, = crd["spec"]["versions"]
        columns = version.get("additionalPrinterColumns", [])
        shown = " ".join(each["name"] for each in columns if not each.get("priority"))
        hidden = " ".join(each["name"] for each in columns if each.get("priority"))
        expect((shown, hidden) == (always, wide), f"{name}: {shown} / {hidden}")


def _complaint(api, case):
    """None when the API server answers as the case says."""
    collection = COLLECTIONS[case.kind]
    before = case.manifest_before()
    try:
        if before is None:
            api.post(collection, case.manifest(), dryRun="All")
        else:
            version = api.post(collection, before)["metadata"]["resourceVersion"]
            manifest = case.manifest()
            manifest["metadata"]["resourceVersion"] = version
            api.put(f"{collection}/case", manifest, dryRun="All")
        is_accepted, message = True, "accepted"
    except ApiError as error:
        if error.code != _INVALID:
            raise
        is_accepted, message = False, str(error)
    finally:
        if before is not None:
            api.delete(f"{collection}/case")
    return None if is_accepted == case.accepted else f"{case.kind}, {case.name}: {message}"
