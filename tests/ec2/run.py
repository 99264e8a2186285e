#!/usr/bin/env python3
"""Joiner on a pretend EC2: a real control plane, moto for AWS, and machines that join as kubelets do.

    tests/ec2/run.py --joiner build/joiner [--pods 200] [--logs FOLDER]

One story: a class turns Ready, pods wait, machines are bought and join, pods run; the controller is killed in the
middle of launches; a spot machine is taken back; everything is scaled to nothing; pool and class go. At the end
nothing is left that was bought or made. Exit code 77: moto or the control plane cannot be had here.
"""

import argparse
import collections
import pathlib
import sys
import tempfile
import time

from moto_server import with_moto

with_moto()

import cluster_state  # noqa: E402
import crds  # noqa: E402
import manifests  # noqa: E402
from cloud import CLUSTER, Cloud, DISCOVERY, ROLE, tags_of  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane  # noqa: E402
from joiner import Controller  # noqa: E402
from machines import Machines  # noqa: E402
from processes import exit_cleanly_when_terminated, wait_until  # noqa: E402

_CLASSES = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def node_class():
    selector = [{"tags": DISCOVERY}]
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "default"},
            "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}], "role": ROLE, "tags": {"team": "payments"},
                     "subnetSelectorTerms": selector, "securityGroupSelectorTerms": selector}}


def node_pool():
    pool = manifests.node_pool(consolidate_after="5s")
    spec = pool["spec"]["template"]["spec"]
    spec["nodeClassRef"] = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}
    spec["requirements"] = [
        manifests.requirement("kubernetes.io/arch", "amd64"), manifests.requirement("kubernetes.io/os", "linux"),
        manifests.requirement(manifests.CAPACITY_TYPE, "spot", "on-demand"),
        manifests.requirement("karpenter.k8s.aws/instance-category", "c", "m", "r"),
        manifests.requirement("karpenter.k8s.aws/instance-generation", "4", operator="Gt"),
        # So that it takes several, and each further batch of pods takes more.
        manifests.requirement("karpenter.k8s.aws/instance-cpu", "17", operator="Lt")]
    return pool


class Story:
    def __init__(self, cluster, cloud, joiner, pods):
        self.cluster, self.api, self.cloud, self.joiner, self.pods = cluster, cluster.api, cloud, joiner, pods
        self.began = time.monotonic()

    def say(self, what):
        print(f"ok {time.monotonic() - self.began:6.1f}s {what}", flush=True)

    def running(self):
        return sum(pod["status"].get("phase") == "Running" for pod in cluster_state.pods(self.api))

    def claims(self):
        return cluster_state.node_claims(self.api)

    def provider_ids(self):
        return sorted(claim.get("status", {}).get("providerID", "") for claim in self.claims())

    def ids_of_instances(self):
        return sorted(f"aws:///{one['Placement']['AvailabilityZone']}/{one['InstanceId']}"
                      for one in self.cloud.instances())

    def class_turns_ready(self):
        self.api.post(_CLASSES, node_class())
        wait_until(lambda: cluster_state.is_true(self.api.get(f"{_CLASSES}/default"), "Ready"), 60, "the class is Ready",
                   interval=0.2)
        status = self.api.get(f"{_CLASSES}/default")["status"]
        assert len(status["subnets"]) == 3 and len(status["securityGroups"]) == 1, status
        assert status["amis"] and status["instanceProfile"], status
        self.say(f"the class is Ready: {len(status['amis'])} images, profile {status['instanceProfile']}")

    def pods_run(self):
        self.api.post("/apis/karpenter.sh/v1/nodepools", node_pool())
        self.api.post(_DEPLOYMENTS, manifests.deployment("web", self.pods))
        self.all_run(self.pods)
        self.agrees()
        instances = self.cloud.instances()
        for instance in instances:
            tags = tags_of(instance)
            assert tags.get("team") == "payments", tags
            for key in ("karpenter.sh/nodepool", "karpenter.sh/nodeclaim", "karpenter.k8s.aws/ec2nodeclass",
                        "eks:eks-cluster-name", f"kubernetes.io/cluster/{CLUSTER}"):
                assert key in tags, f"{key} is not among {sorted(tags)}"
        types = collections.Counter(instance["InstanceType"] for instance in instances)
        self.say(f"{self.pods} pods run on {len(instances)} instances ({dict(types)}), "
                 f"{len(self.cloud.launch_templates())} launch templates")

    def all_run(self, pods, seconds=120):
        wait_until(lambda: self.running() == pods and len(cluster_state.pods(self.api)) == pods, seconds,
                   f"{pods} pods run", interval=0.3)

    def agrees(self):
        """Every instance has its claim and every claim its instance."""
        wait_until(lambda: self.provider_ids() == self.ids_of_instances(), 60, "claims and instances agree",
                   interval=0.5)

    def is_killed_in_the_middle(self):
        before = len(self.cloud.instances())
        for kill in range(3):
            self.api.post(_DEPLOYMENTS, manifests.deployment(f"more-{kill}", self.pods // 4))
            wait_until(lambda: len(self.cloud.instances()) > before, 60, "more is bought", interval=0.01)
            self.joiner.kill()
            before = len(self.cloud.instances())
            self.joiner.start()
            self.joiner.wait_ready(60)
        self.all_run(self.pods + 3 * (self.pods // 4))
        self.agrees()
        names = collections.Counter(tags_of(one)["karpenter.sh/nodeclaim"] for one in self.cloud.instances())
        assert max(names.values()) == 1, f"bought twice: {names}"
        self.say(f"killed three times in the middle of launches: {len(names)} instances, none bought twice")

    def nothing_drifts(self):
        drifted = [claim["metadata"]["name"] for claim in self.claims() if cluster_state.is_true(claim, "Drifted")]
        assert not drifted, f"drifted: {drifted}"
        self.say("no node has drifted")

    def spot_is_taken_back(self):
        spot = next((one for one in self.cloud.instances() if one.get("InstanceLifecycle") == "spot"), None)
        assert spot is not None, "no instance is spot"
        self.cloud.warn_of_interruption(spot["InstanceId"])
        wait_until(lambda: spot["InstanceId"] not in [one["InstanceId"] for one in self.cloud.instances()], 120,
                   "the interrupted instance is drained and terminated", interval=0.3)
        self.all_run(self.pods + 3 * (self.pods // 4))
        self.agrees()
        self.say("a spot instance was taken back: its pods run elsewhere")

    def nothing_is_left(self):
        for deployment in self.api.items(_DEPLOYMENTS):
            self.api.delete(f"{_DEPLOYMENTS}/{deployment['metadata']['name']}")
        wait_until(lambda: not self.cloud.instances() and not self.claims(), 180, "all instances are gone", interval=0.5)
        self.say("scaled to nothing")
        self.api.delete("/apis/karpenter.sh/v1/nodepools/default")
        self.api.delete(f"{_CLASSES}/default")
        wait_until(lambda: not self.api.items(_CLASSES), 60, "the class is gone", interval=0.3)
        templates = [one["LaunchTemplateName"] for one in self.cloud.launch_templates()]
        assert not templates, f"launch templates are left: {templates}"
        profiles = [one["InstanceProfileName"] for one in
                    self.cloud.iam.list_instance_profiles()["InstanceProfiles"]]
        assert not profiles, f"instance profiles are left: {profiles}"
        assert not cluster_state.nodes(self.api)
        self.say("class and pool are deleted, and nothing is left")


class OnEc2(Controller):
    """Told of its cloud by the environment alone, as upstream's controller is."""

    def __init__(self, binary, kubeconfig, log_file, environment):
        super().__init__(binary, kubeconfig, log_file, ["--disable-leader-election=true"])
        self._environment = environment

    def command(self):
        return [self.binary, "controller", f"--kubeconfig={self.kubeconfig}"]

    def environment(self):
        return self._environment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--pods", type=int, default=200)
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-ec2-") as temporary:
        logs = pathlib.Path(options.logs or temporary).resolve()
        logs.mkdir(parents=True, exist_ok=True)
        try:
            with ControlPlane(log_dir=logs / "controlplane") as cluster, Cloud(logs / "moto.log") as cloud:
                cloud.set_up()
                crds.install(cluster, crds.printed_by(options.joiner))
                joiner = OnEc2(options.joiner, cluster.kubeconfig, logs / "joiner.log",
                               cloud.environment_of_controller(f"https://127.0.0.1:{cluster.port}"))
                with Machines(cloud, cluster.api) as machines:
                    joiner.start()
                    try:
                        joiner.wait_ready(60)
                        story = Story(cluster, cloud, joiner, options.pods)
                        for step in (story.class_turns_ready, story.pods_run, story.is_killed_in_the_middle,
                                     story.nothing_drifts, story.spot_is_taken_back, story.nothing_is_left):
                            step()
                    finally:
                        joiner.stop()
                        for problem in machines.problems[:5]:
                            print(f"machines: {problem}")
        except CannotBuild as reason:
            print(f"ec2: skipped, {reason}")
            return CANNOT_BUILD
        except (AssertionError, TimeoutError, RuntimeError) as failure:
            print(f"FAIL {failure}")
            return 1
    print("ec2: passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
