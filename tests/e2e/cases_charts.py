"""The Helm charts of deploy/charts, rendered by Helm itself and taken by the real API server."""

import json
import pathlib
import re
import subprocess

import manifests
from helm import CHARTS, helm, rendered
from suite import API_SERVER, expect, expect_none, test

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
# As people have them for Karpenter's chart; more than one would set at once.
_MANY_VALUES = {
    "additionalLabels": {"team": "platform"},
    "additionalAnnotations": {"note": "all"},
    "imagePullSecrets": [{"name": "pull"}],
    "service": {"annotations": {"scrape": "yes"}},
    "serviceAccount": {"name": "karpenter", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/r"}},
    "additionalClusterRoleRules": [{"apiGroups": ["x"], "resources": ["y"], "verbs": ["get"]}],
    "replicas": 3,
    "podLabels": {"pod": "label"},
    "podAnnotations": {"pod": "annotation"},
    "podDisruptionBudget": {"name": "karpenter", "maxUnavailable": 2},
    "terminationGracePeriodSeconds": 45,
    "hostNetwork": True,
    "dnsPolicy": "Default",
    "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
    "initContainers": [{"name": "first", "image": "i"}],
    "nodeSelector": {"role": "system"},
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname"}]}},
    "tolerations": [{"operator": "Exists"}],
    "extraVolumes": [{"name": "v", "emptyDir": {}}],
    "controller": {
        "containerName": "karpenter-controller",
        "image": {"repository": "mine/joiner", "tag": "7", "digest": "sha256:" + "0" * 64},
        "env": [{"name": "AWS_REGION", "value": "eu-west-1"}], "envFrom": [{"configMapRef": {"name": "m"}}],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "resources": {"limits": {"cpu": "1"}}, "extraVolumeMounts": [{"name": "v", "mountPath": "/v"}],
        "sidecarContainer": [{"name": "side", "image": "s"}],
        "sidecarVolumeMounts": [{"name": "v", "mountPath": "/side"}],
        "metrics": {"port": 8000}, "healthProbe": {"port": 8001}},
    "webhook": {"enabled": True, "port": 8443},
    "logLevel": "debug",
    "settings": {"clusterName": "prod", "clusterEndpoint": "https://e", "interruptionQueue": "q", "reservedENIs": "1",
                 "batchIdleDuration": "2s", "pagePort": 8082, "preferencePolicy": "Ignore", "isolatedVPC": True,
                 "featureGates": {"nodeRepair": True, "spotToSpotConsolidation": True}},
}


def _environment(deployment):
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {one["name"]: one.get("value", "") for one in container["env"]}


def _grants(role):
    return {(group, resource, verb, name) for rule in role["rules"] for group in rule["apiGroups"]
            for resource in rule["resources"] for verb in rule["verbs"] for name in rule.get("resourceNames", [""])}


@test(cluster=API_SERVER, needs_joiner=False, needs_crds=False)
def the_charts_are_installed_upgraded_and_removed_and_definitions_stay(world):
    cluster = world.cluster
    releases = {"mine-crd": "joiner-crd", "mine": "joiner"}
    for release, chart in releases.items():
        helm(cluster, "lint", "--strict", str(CHARTS / chart))
        helm(cluster, "install", release, str(CHARTS / chart), "--namespace=joiner-system", "--create-namespace")
    definitions = {one["metadata"]["name"] for one in world.api.items(_DEFINITIONS)}
    expect(len(definitions) == len(list((CHARTS / "joiner-crd" / "definitions").glob("*.yaml"))), definitions)
    path = "/apis/apps/v1/namespaces/joiner-system/deployments/mine-joiner"
    expect(world.api.get(path)["spec"]["replicas"] == 2, "two replicas")
    helm(cluster, "upgrade", "mine", str(CHARTS / "joiner"), "--namespace=joiner-system", "--values=-",
         stdin=json.dumps(_MANY_VALUES))
    expect(world.api.get(path)["spec"]["replicas"] == 3, "upgraded")
    for release in ("mine", "mine-crd"):
        helm(cluster, "uninstall", release, "--namespace=joiner-system")
    left = {one["metadata"]["name"] for one in world.api.items(_DEFINITIONS)}
    expect(left == definitions, "the definitions, and what people made of them, stay")
    expect_none([role["metadata"]["name"] for role in world.api.items("/apis/rbac.authorization.k8s.io/v1/clusterroles")
                 if role["metadata"]["name"].startswith("mine")], "left of the release")


@test(cluster=API_SERVER, needs_joiner=False, needs_crds=False)
def definitions_that_someone_else_installed_are_left_alone(world):
    theirs = next(text for text in (path.read_text() for path in (CHARTS / "joiner-crd" / "definitions").iterdir())
                  if "name: capacitybuffers." in text)
    world.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=theirs)
    before = world.api.get(f"{_DEFINITIONS}/capacitybuffers.autoscaling.x-k8s.io")
    refused = helm(world.cluster, "install", "definitions", str(CHARTS / "joiner-crd"), "--dry-run=server",
                   "--set=definitions.capacitybuffers\\.autoscaling\\.x-k8s\\.io=maybe", check=False)
    expect("may be true, false or auto" in refused.stderr, refused)
    made = helm(world.cluster, "template", "definitions", str(CHARTS / "joiner-crd"), "--dry-run=server").stdout
    expect("name: nodepools.karpenter.sh" in made, "the others are made")
    expect("name: capacitybuffers." not in made, "what is there stays as it is")
    after = world.api.get(f"{_DEFINITIONS}/capacitybuffers.autoscaling.x-k8s.io")
    expect(before["metadata"]["uid"] == after["metadata"]["uid"], "it is the same")


@test(cluster=API_SERVER, needs_crds=False)
def values_of_karpenters_chart_have_their_meaning(world):
    objects = rendered(world.cluster, "joiner", values=_MANY_VALUES)
    deployment = objects[("Deployment", "joiner")]
    pod = deployment["spec"]["template"]["spec"]
    container, sidecar = pod["containers"]
    environment = _environment(deployment)
    expect(container["image"] == "mine/joiner:7@sha256:" + "0" * 64, container["image"])
    expect(environment["CLUSTER_NAME"] == "prod" and environment["AWS_REGION"] == "eu-west-1", environment)
    expect("NodeRepair=true" in environment["FEATURE_GATES"], environment["FEATURE_GATES"])
    expect(environment["PREFERENCE_POLICY"] == "Ignore" and environment["ISOLATED_VPC"] == "true", environment)
    expect([port["containerPort"] for port in container["ports"]] == [8000, 8001, 8082], container["ports"])
    expect({mount["mountPath"] for mount in sidecar["volumeMounts"]} == {"/v", "/side"}, sidecar)
    expect(pod["serviceAccountName"] == "karpenter" and pod["hostNetwork"] and pod["dnsPolicy"] == "Default", pod)
    terms = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    expect(terms[0]["labelSelector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"], terms)
    account = objects[("ServiceAccount", "karpenter")]
    expect("eks.amazonaws.com/role-arn" in account["metadata"]["annotations"], account)
    expect(("x", "y", "get", "") in _grants(objects[("ClusterRole", "joiner")]), "more rules")
    # Every variable is one that the program knows, so that none is set in vain.
    known = set(re.findall(r"\(Env:(\w+)\)", subprocess.run([world.joiner, "controller", "--help"], capture_output=True,
                                                             text=True, check=True).stdout))
    expect(known, "the help names variables")
    expect_none(sorted(set(environment) - known - {"AWS_REGION"}), "variables that nobody reads")
    image = helm(world.cluster, "template", "j", str(CHARTS / "joiner"),
                 "--set=controller.image.repository=somewhere/karpenter/controller", check=False)
    expect("Karpenter's own image" in image.stderr, image)


@test(cluster=API_SERVER, needs_joiner=False, needs_crds=False)
def the_charts_rights_are_those_of_the_plain_manifests(world):
    plain = {}
    role = pathlib.Path(CHARTS).parent / "rbac.yaml"
    listed = world.cluster.kubectl("create", "--dry-run=client", "-o", "json", "--validate=false", "-f", str(role)).stdout
    decoder, at = json.JSONDecoder(), 0
    while at < len(listed.rstrip()):
        one, at = decoder.raw_decode(listed, at)
        at += len(listed[at:]) - len(listed[at:].lstrip())
        plain[one["kind"]] = one
    objects = rendered(world.cluster, "joiner", values={"pretendNodes": {"enabled": True},
                                                        "settings": {"clusterName": "c", "pagePort": 8082}})
    for kind in ("ClusterRole", "Role"):
        expect(_grants(plain[kind]) == _grants(objects[(kind, "joiner")]),
               sorted(_grants(plain[kind]) ^ _grants(objects[(kind, "joiner")])))
    least = _grants(rendered(world.cluster, "joiner", values={"settings": {"podBinding": "scheduler"}})[("ClusterRole", "joiner")])
    expect_none(sorted(grant for grant in least if grant[:3] in (
        ("", "pods/binding", "create"), ("", "nodes", "create"), ("karpenter.k8s.aws", "ec2nodeclasses", "delete"),
        ("authentication.k8s.io", "tokenreviews", "create"))),
        "given and not needed")


@test()
def the_program_starts_with_the_settings_of_the_chart(world):
    deployment = rendered(world.cluster, "joiner", values={"pretendNodes": {"enabled": True}})[("Deployment", "joiner")]
    environment = {name: value for name, value in _environment(deployment).items() if value and not name.endswith("_PORT")}
    world.start_joiner(leader_election=True, environment=environment)
    world.open_pools(manifests.node_pool())
    world.deploy("load", 10)
    world.run_all("load", 10)
