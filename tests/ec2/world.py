"""What an account has before there is a node."""

import boto3

TAGS = [{"Key": "joiner", "Value": "test"}]

ec2 = boto3.client("ec2")
subnets = [subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]]
group = next(g["GroupId"] for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] == "default")
images = ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}], Owners=["amazon"])["Images"]
image = next(image["ImageId"] for image in images if image["Name"].startswith("al2023"))
ec2.create_tags(Resources=[*subnets[:3], group, image], Tags=TAGS)

boto3.client("ssm").put_parameter(Name="/joiner/image", Value=image, Type="String")

iam = boto3.client("iam")
iam.create_role(RoleName="joiner-node", AssumeRolePolicyDocument="{}")
iam.create_instance_profile(InstanceProfileName="somebody-elses", Path="/karpenter/us-east-1/other/uid/")

queue = boto3.client("sqs").create_queue(QueueName="joiner")["QueueUrl"]
boto3.client("sqs").send_message(QueueUrl=queue, MessageBody='{"source": "somebody"}')

boto3.client("eks").create_cluster(
    name="joiner",
    version="1.34",
    roleArn="arn:aws:iam::123456789012:role/joiner-node",
    resourcesVpcConfig={"subnetIds": subnets[:2]},
)
