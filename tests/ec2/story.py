"""What a controller goes through on a pretend EC2, and what must hold after each step."""

import base64
import collections
import json
import random
import time

import cluster_state
import manifests
from cloud import CLUSTER, DISCOVERY, ROLE, tags_of
from joiner import Controller
from processes import wait_until

CLASSES = "/apis/karpenter.k8s.aws/v1/ec2nodeclasses"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
# Of any spot offering, an hour (docs/prices.md).
_PRIOR_RATE = 0.05 / 720
# What a user might have in user data; it is nobody else's to read.
SECRET_IN_USER_DATA = "hunter2-is-in-the-user-data"


def node_class():
    selector = [{"tags": DISCOVERY}]
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "default"},
            "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}], "role": ROLE, "tags": {"team": "payments"},
                     "subnetSelectorTerms": selector, "securityGroupSelectorTerms": selector,
                     "userData": f"#!/bin/bash\necho {SECRET_IN_USER_DATA} >/etc/password\n"}}


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
    """`purchases`: the link that sees what moto has bought; `owners`: whose each instance is or was."""

    def __init__(self, cluster, cloud, joiner, purchases, owners, pods):
        self.api, self.cloud, self.joiner, self.purchases, self.pods = cluster.api, cloud, joiner, purchases, pods
        self.owners = owners
        self.all_pods = 0
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
        self.api.post(CLASSES, node_class())
        wait_until(lambda: cluster_state.is_true(self.api.get(f"{CLASSES}/default"), "Ready"), 60, "the class is Ready",
                   interval=0.2)
        status = self.api.get(f"{CLASSES}/default")["status"]
        assert len(status["subnets"]) == 3 and len(status["securityGroups"]) == 1, status
        assert status["amis"] and status["instanceProfile"], status
        self.say(f"the class is Ready: {len(status['amis'])} images, profile {status['instanceProfile']}")

    def pods_run(self):
        self.make_pool()
        self.deploy("web", self.pods)
        self.all_run()
        self.agrees()
        self.all_are_tagged()
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

    def make_pool(self):
        self.api.post("/apis/karpenter.sh/v1/nodepools", node_pool())

    def take_pool_away(self):
        self.api.delete("/apis/karpenter.sh/v1/nodepools/default")
        self.api.delete(f"{CLASSES}/default")
        wait_until(lambda: not self.api.items(CLASSES), 60, "the class is gone", interval=0.3)

    def deploy(self, name, pods):
        self.api.post(_DEPLOYMENTS, manifests.deployment(name, pods))
        self.all_pods += pods

    def all_run(self, seconds=120):
        wait_until(lambda: self.running() == self.all_pods == len(cluster_state.pods(self.api)), seconds,
                   f"{self.all_pods} pods run", interval=0.3)

    def agrees(self):
        """Every instance has its claim and every claim its instance."""
        wait_until(lambda: self.provider_ids() == self.ids_of_instances(), 60, "claims and instances agree",
                   interval=0.5)

    def all_are_tagged(self):
        """An instance that was bought with others is its claim's by name once it is a node."""
        wait_until(lambda: all("Name" in tags_of(instance) for instance in self.cloud.instances()), 180,
                   "instances are tagged as nodes", interval=0.2)

    def is_killed_in_the_middle(self):
        """Each time it has asked for machines and has not heard yet that they were bought."""
        times = 3
        for kill in range(times):
            self.purchases.hold()
            self.deploy(f"more-{kill}", self.pods // 4)
            assert self.purchases.wait_held(180), "nothing more is bought"
            self.restart()
        self.all_run()
        self.agrees()
        self.say(f"killed {times} times in the middle of launches: {self.none_bought_twice()}")

    def is_killed_at_any_time(self, seed):
        draw, times = random.Random(seed), 3
        for kill in range(times):
            self.deploy(f"yet-more-{kill}", self.pods // 8)
            time.sleep(draw.uniform(0, 4))
            self.restart()
        self.all_run()
        self.agrees()
        self.say(f"killed {times} times at any time: {self.none_bought_twice()}")

    def restart(self):
        self.joiner.kill()
        self.purchases.release()
        self.joiner.start()
        self.joiner.wait_ready(60)

    def none_bought_twice(self):
        """Not even for a while: moto remembers what has ended, too."""
        bought = self.cloud.ever_bought()
        self.owners.turn()
        claims = collections.Counter(map(self.owners.of, bought))
        nobodys = [one["InstanceId"] for one in bought if not self.owners.of(one)]
        assert not nobodys, f"bought for no claim: {nobodys}"
        twice = [name for name, count in claims.items() if count > 1]
        assert not twice, f"bought twice: {twice}"
        return f"{len(bought)} instances were bought, none twice"

    def nothing_has_drifted(self):
        """Not even for a while: no node was about to be replaced."""
        drifted = [claim["metadata"]["name"] for claim in self.claims() if cluster_state.is_true(claim, "Drifted")]
        assert not drifted, f"drifted: {drifted}"
        acted = [line for line in self.joiner.log().splitlines() if '"reason":"drifted"' in line.lower()]
        assert not acted, f"drift was acted upon {len(acted)} times, first: {acted[0][:300]}"
        self.say("no node has drifted")

    def token_is_changed(self, identity):
        given = identity.given
        identity.rotate()
        wait_until(lambda: identity.given > given, 120, "keys are asked for by the new token", interval=0.2)
        self.deploy("after-the-change", self.pods // 4)
        self.all_run()
        self.agrees()
        self.say(f"the token was changed and its keys ended: {identity.turned_away} calls were refused in all, "
                 f"keys were given {identity.given} times")

    def spot_is_taken_back(self):
        spot = next((one for one in self.cloud.instances() if one.get("InstanceLifecycle") == "spot"), None)
        assert spot is not None, "no instance is spot"
        self.cloud.warn_of_interruption(spot["InstanceId"])
        wait_until(lambda: spot["InstanceId"] not in [one["InstanceId"] for one in self.cloud.instances()], 120,
                   "the interrupted instance is drained and terminated", interval=0.3)
        self.all_run()
        self.agrees()
        wait_until(lambda: self.interruptions_per_hour() > _PRIOR_RATE, 60, "what interruptions cost is learned",
                   interval=0.3)
        rate = self.interruptions_per_hour()
        # Halves in three days, and is written to the API server.
        wait_until(lambda: "interruptions" in self.memory(), 30, "what was learned is written down", interval=0.3)
        self.restart()
        wait_until(lambda: self.interruptions_per_hour() > 0.9 * rate, 30, "what was learned outlives the process",
                   interval=0.3)
        self.say(f"a spot instance was taken back: its pods run elsewhere, and its offering counts {rate:.4f} "
                 "interruptions an hour, also after a restart")

    def interruptions_per_hour(self):
        return max((value for name, _, value in self.joiner.metrics() if name == "joiner_offering_interruptions_per_hour"),
                   default=0)

    def memory(self):
        maps = [one for one in self.api.items("/api/v1/configmaps") if one["metadata"]["name"] == "joiner-shortages"]
        return json.dumps(maps)

    def nothing_tells_secrets(self, secrets):
        """In all that others may read: the log with its decisions, Events, claims, metrics, and the class's status."""
        user_data = [self.cloud.user_data(one["InstanceId"]) for one in self.cloud.instances()[:1]]
        decoded = [base64.b64decode(text).decode() for text in user_data]
        assert all(SECRET_IN_USER_DATA in text for text in decoded), "the user data is not the class's"
        everything = {"log": self.joiner.log(), "metrics": str(self.joiner.metrics())}
        for kind, path in (("Events", "/api/v1/events"), ("NodeClaims", cluster_state.NODE_CLAIMS),
                           ("Nodes", "/api/v1/nodes"), ("NodePools", cluster_state.NODE_POOLS)):
            everything[kind] = json.dumps(self.api.items(path))
        everything["the class's status"] = json.dumps(self.api.get(f"{CLASSES}/default").get("status"))
        assert '"logger":"decision"' in everything["log"] and "NodeClaim" in everything["Events"], "nothing was said"
        # A part of a secret is one too.
        parts = [secret[at:at + 24] for secret in (*secrets, *user_data, SECRET_IN_USER_DATA)
                 for at in range(0, max(1, len(secret) - 24), 8)]
        told = [place for place, text in everything.items() for part in parts if part in text]
        assert not told, f"secrets stand in {sorted(set(told))}"
        self.say(f"no secret in {', '.join(everything)} ({sum(map(len, everything.values())) // 1000} kB)")

    def nothing_is_left(self):
        for deployment in self.api.items(_DEPLOYMENTS):
            self.api.delete(f"{_DEPLOYMENTS}/{deployment['metadata']['name']}")
        wait_until(lambda: not self.cloud.instances() and not self.claims(), 180, "all instances are gone", interval=0.5)
        self.say("scaled to nothing")
        self.take_pool_away()
        templates = [one["LaunchTemplateName"] for one in self.cloud.launch_templates()]
        assert not templates, f"launch templates are left: {templates}"
        profiles = [one["InstanceProfileName"] for one in
                    self.cloud.iam.list_instance_profiles()["InstanceProfiles"]]
        assert not profiles, f"instance profiles are left: {profiles}"
        nodes = [one["metadata"]["name"] for one in cluster_state.nodes(self.api)]
        assert not nodes, f"nodes are left: {nodes}"
        self.say(f"class and pool are deleted, and nothing is left; {self.none_bought_twice()}")


class OnEc2(Controller):
    """Told of its cloud by the environment alone, as upstream's controller is."""

    def __init__(self, binary, kubeconfig, log_file, environment):
        super().__init__(binary, kubeconfig, log_file, ["--disable-leader-election=true"])
        self._environment = environment

    def command(self):
        return [self.binary, "controller", f"--kubeconfig={self.kubeconfig}"]

    def environment(self):
        return self._environment
