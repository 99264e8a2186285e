"""A pretend AWS account on loopback: moto with a cluster's network, roles, images and queue in it."""

import json
import time

import boto3
from moto_server import MENDED, Moto, REGION

CLUSTER, QUEUE, ROLE = "joiner-test", "joiner-test", "KarpenterNodeRole-joiner-test"
DISCOVERY = {"karpenter.sh/discovery": CLUSTER}


class Cloud(Moto):
    def __init__(self, log_file, kubeconfig):
        cluster = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]
        super().__init__(log_file, MENDED, {"CLUSTER_CA": cluster["certificate-authority-data"]})
        self._cluster_endpoint = cluster["server"]
        self.ec2, self.iam, self.sqs, self.eks = (
            boto3.client(name, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test",
                         aws_secret_access_key="test") for name in ("ec2", "iam", "sqs", "eks"))

    def environment_of_controller(self):
        """What upstream's controller reads."""
        return self.environment() | {"CLUSTER_NAME": CLUSTER, "CLUSTER_ENDPOINT": self._cluster_endpoint,
                                     "INTERRUPTION_QUEUE": QUEUE}

    def set_up(self, zones="abc"):
        vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for number, zone in enumerate(zones):
            subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{16 * number}.0/20",
                                            AvailabilityZone=REGION + zone)["Subnet"]["SubnetId"]
            self._tag(subnet)
        self._tag(self.ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=vpc)["GroupId"])
        self.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")
        self.queue_url = self.sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
        self.eks.create_cluster(name=CLUSTER, version="1.36", roleArn="arn:aws:iam::123456789012:role/cluster",
                                resourcesVpcConfig={})

    def instances(self, *states):
        pages = self.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": list(states or ["pending", "running"])}])
        return [instance for page in pages for reservation in page["Reservations"]
                for instance in reservation["Instances"]]

    def user_data(self, instance_id):
        return self.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")["UserData"]["Value"]

    def ever_bought(self):
        """Instances in whatever state; moto forgets none."""
        return self.instances("pending", "running", "shutting-down", "terminated", "stopping", "stopped")

    def zones_of_subnets(self):
        return {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in self.ec2.describe_subnets()["Subnets"]}

    def launch_templates(self):
        return self.ec2.describe_launch_templates()["LaunchTemplates"]

    def warn_of_interruption(self, instance_id):
        """The message that EventBridge puts into the queue two minutes before a spot instance is taken back."""
        self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=json.dumps({
            "version": "0", "id": f"event-{instance_id}", "detail-type": "EC2 Spot Instance Interruption Warning",
            "source": "aws.ec2", "account": "123456789012", "region": REGION,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "resources": [f"arn:aws:ec2:{REGION}:123456789012:instance/{instance_id}"],
            "detail": {"instance-id": instance_id, "instance-action": "terminate"}}))

    def _tag(self, resource):
        self.ec2.create_tags(Resources=[resource], Tags=[{"Key": key, "Value": value}
                                                         for key, value in DISCOVERY.items()])


def tags_of(instance):
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
