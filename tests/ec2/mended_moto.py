"""moto's server on loopback, with what it gets wrong about EC2 put right from outside.

    mended_moto.py [arguments of moto_server]

Stock moto forgets most of a launch template, buys twice for one client token, takes the first offering whatever it
costs, has no images of EKS, and makes up a CA for each cluster: here it is that of CLUSTER_CA. A controller would see
drift on each node that it has just bought.
"""

import datetime
import os
import sys

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses.fleets import Fleets
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.spot_instances import SpotInstances
from moto.eks.models import Cluster
from moto.server import main
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

SPOT_SHARE = 0.4  # Of a made-up price on demand.


def made_up_price(instance_type, zone=""):
    """Dollars an hour, the same whenever it is asked, larger for larger types."""
    size = instance_type.partition(".")[2]
    sizes = {"nano": 0.25, "micro": 0.5, "small": 1, "medium": 2, "large": 4, "xlarge": 8, "metal": 400}
    units = sizes.get(size) or (8 * int(size.removesuffix("xlarge")) if size.removesuffix("xlarge").isdigit() else 400)
    return units * (0.02 + (sum(map(ord, instance_type.partition(".")[0] + zone)) % 17) / 1000)


def _zone_of(backend, override):
    subnet = override.get("SubnetId")
    return backend.get_subnet(subnet).availability_zone if subnet else override.get("AvailabilityZone", "")


def _cheapest(backend, configs, is_spot):
    """The configuration of the cheapest override, with that alone. Prices of zones are those of spot."""
    choices = [(made_up_price(override["InstanceType"], zone if is_spot else ""), override["InstanceType"], zone,
                config, override)
               for config in configs for override in config.get("Overrides") or []
               for zone in [_zone_of(backend, override)]]
    _, _, _, config, override = min(choices, key=lambda each: each[:3])
    return {**config, "Overrides": [override]}


def _remember_template(fleet):
    bought = [(one["instance"], one["launch_spec"], None) for one in fleet.on_demand_instances]
    bought += [(one.instance, one.launch_spec, one.id) for one in fleet.spot_requests]
    backend = fleet.ec2_backend
    for instance, spec, request in bought:
        template = backend.get_launch_template(template_id=spec.launch_template_spec["LaunchTemplateId"])
        data = template.get_version(spec.launch_template_spec["Version"]).data
        groups = [group for interface in data.get("NetworkInterfaces", []) for group in
                  interface.get("Groups", interface.get("SecurityGroupId", []))]
        groups += data.get("SecurityGroupIds", data.get("SecurityGroupId", []))
        instance.security_groups = [backend.get_security_group_from_id(group) for group in dict.fromkeys(groups)]
        for interface in instance.nics.values():
            interface._group_set = list(instance.security_groups)
        if request:
            instance.spot_instance_request_id = request
        instance.add_tags({"aws:ec2launchtemplate:id": template.id})


class TokenUsedBefore(EC2ClientError):
    def __init__(self):
        super().__init__("IdempotentParameterMismatch", "The client token was used with other parameters before")


def create_fleet(self):
    """Fleets.create_fleet with client tokens and prices."""
    self.error_on_dryrun()
    backend = self.ec2_backend
    token = self._get_param("ClientToken")
    answers = backend.__dict__.setdefault("answers_by_token", {})
    asked = sorted((key, value) for key, value in self.querystring.items())
    if token in answers:
        asked_before, answer = answers[token]
        if asked != asked_before:
            raise TokenUsedBefore
        return ActionResult(answer)
    target = self._get_param("TargetCapacitySpecification", {})
    fleet = backend.create_fleet(
        on_demand_options={}, spot_options={}, target_capacity_specification=target,
        launch_template_configs=[_cheapest(backend, self._get_param("LaunchTemplateConfigs", []),
                                           target.get("DefaultTargetCapacityType") == "spot")],
        excess_capacity_termination_policy=None, replace_unhealthy_instances=None,
        terminate_instances_with_expiration=True, fleet_type="instant", valid_from=None, valid_until=None,
        tag_specifications=self._get_param("TagSpecifications", []))
    _remember_template(fleet)
    answer = {"FleetId": fleet.id, "Errors": [], "Instances": fleet.instances}
    if token:
        answers[token] = (asked, answer)
    return ActionResult(answer)


def describe_spot_price_history(self):
    rows = self.ec2_backend.describe_spot_price_history(self._get_param("InstanceTypes", []),
                                                        self._filters_from_querystring())
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return ActionResult({"SpotPriceHistory": [
        {"InstanceType": row["InstanceType"], "AvailabilityZone": row["Location"], "Timestamp": now,
         "ProductDescription": "Linux/UNIX",
         "SpotPrice": f"{SPOT_SHARE * made_up_price(row['InstanceType'], row['Location']):.6f}"} for row in rows]})


def get_parameter(self, name):
    """Images of EKS: some built-in image of the architecture stands for each."""
    known = _stock_parameter(self, name)
    if known or not name.startswith(("/aws/service/eks/", "/aws/service/bottlerocket/")):
        return known
    if "gpu" in name or "nvidia" in name or "neuron" in name:
        return None
    architecture = "arm64" if "arm64" in name else "x86_64"
    images = sorted(image.id for image in ec2_backends[self.account_id][self.region_name].describe_images()
                    if image.architecture == architecture and image.platform != "windows")
    return Parameter(account_id=self.account_id, name=name, value=images[0], parameter_type="String", description="",
                     allowed_pattern=None, keyid=None, last_modified_date=0, version=1, data_type="text",
                     policies=None) if images else None


def describe_instance_types(self):
    self.error_on_dryrun()
    return _stock_types(self)


_stock_parameter = SimpleSystemManagerBackend.get_parameter
_stock_types = InstanceResponse.describe_instance_types
_stock_cluster = Cluster.__init__


def make_cluster(self, *arguments, **named):
    _stock_cluster(self, *arguments, **named)
    self.certificate_authority = {"data": os.environ["CLUSTER_CA"]}


def repair():
    Fleets.create_fleet = create_fleet
    SpotInstances.describe_spot_price_history = describe_spot_price_history
    SimpleSystemManagerBackend.get_parameter = get_parameter
    InstanceResponse.describe_instance_types = describe_instance_types
    Cluster.__init__ = make_cluster


if __name__ == "__main__":
    repair()
    main(sys.argv[1:])
