"""The same story with the first API's objects: an AWSNodeTemplate and a Provisioner in place of class and pool."""

import cluster_state
import manifests
from cloud import DISCOVERY, ROLE
from processes import wait_until
from story import CLASSES, SECRET_IN_USER_DATA, Story

_TEMPLATES = "/apis/karpenter.k8s.aws/v1alpha1/awsnodetemplates"
_PROVISIONERS = "/apis/karpenter.sh/v1alpha5/provisioners"
_PROFILE = "nodes-of-the-first-api"


def node_template():
    return {"apiVersion": "karpenter.k8s.aws/v1alpha1", "kind": "AWSNodeTemplate", "metadata": {"name": "default"},
            "spec": {"amiFamily": "Bottlerocket", "instanceProfile": _PROFILE, "subnetSelector": DISCOVERY,
                     "securityGroupSelector": DISCOVERY, "tags": {"team": "payments"},
                     "userData": f'[settings.host-containers.admin]\nuser-data = "{SECRET_IN_USER_DATA}"\n'}}


def provisioner():
    return {"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": "default"},
            "spec": {"providerRef": {"name": "default"}, "ttlSecondsAfterEmpty": 5,
                     "requirements": [
                         manifests.requirement(manifests.CAPACITY_TYPE, "spot", "on-demand"),
                         manifests.requirement("karpenter.k8s.aws/instance-category", "c", "m", "r"),
                         manifests.requirement("karpenter.k8s.aws/instance-generation", "4", operator="Gt"),
                         manifests.requirement("karpenter.k8s.aws/instance-cpu", "17", operator="Lt")]}}


class FirstApiStory(Story):
    def class_turns_ready(self):
        self.cloud.iam.create_instance_profile(InstanceProfileName=_PROFILE)
        self.cloud.iam.add_role_to_instance_profile(InstanceProfileName=_PROFILE, RoleName=ROLE)
        self.api.post(_TEMPLATES, node_template())
        wait_until(lambda: cluster_state.is_true(self.api.get(f"{_TEMPLATES}/default"), "Ready"), 60,
                   "the template is Ready", interval=0.2)
        status = self.api.get(f"{_TEMPLATES}/default")["status"]
        assert len(status["subnets"]) == 3 and len(status["securityGroups"]) == 1 and status["amis"], status
        made = self.api.get(f"{CLASSES}/default")["metadata"]["annotations"]
        assert made["joiner.sh/made-from"] == "AWSNodeTemplate/default", made
        self.say(f"the template is Ready, by a class that was made of it: {len(status['amis'])} images")

    def make_pool(self):
        self.api.post(_PROVISIONERS, provisioner())

    def pods_run(self):
        super().pods_run()
        for node in cluster_state.nodes(self.api):
            assert node["metadata"]["labels"]["karpenter.sh/provisioner-name"] == "default", node["metadata"]
        self.say("every node has the Provisioner's name")

    def take_pool_away(self):
        self.api.delete(f"{_PROVISIONERS}/default")
        self.api.delete(f"{_TEMPLATES}/default")
        wait_until(lambda: not self.api.items(CLASSES), 60, "the class that was made is gone", interval=0.3)
        self.cloud.iam.remove_role_from_instance_profile(InstanceProfileName=_PROFILE, RoleName=ROLE)
        self.cloud.iam.delete_instance_profile(InstanceProfileName=_PROFILE)
