"""AWS's price list, which moto does not serve: a link for a Proxy. The prices are those that the mended moto buys by."""

import json

from mended_moto import SPOT_SHARE, made_up_price
from moto.ec2.models.instance_types import INSTANCE_TYPES
from proxy import Answer

_A_PAGE = 100


class PriceList:
    def __call__(self, call, ask):
        if call.key != "pricing:GetProducts":
            return ask(call)
        asked = json.loads(call.body)
        wants_metal = any("bare metal" in each["Value"] for each in asked["Filters"])
        names = [name for name in sorted(INSTANCE_TYPES) if ("metal" in name) == wants_metal]
        start = int(asked.get("NextToken") or 0)
        answer = {"FormatVersion": "aws_v1", "PriceList": [_product(name) for name in names[start:start + _A_PAGE]]}
        if start + _A_PAGE < len(names):
            answer["NextToken"] = str(start + _A_PAGE)
        return Answer(200, "application/x-amz-json-1.1", json.dumps(answer).encode())


def price_of(instances):
    """Dollars an hour."""
    return sum(made_up_price(one["InstanceType"]) if one.get("InstanceLifecycle") != "spot" else
               SPOT_SHARE * made_up_price(one["InstanceType"], one["Placement"]["AvailabilityZone"])
               for one in instances)


def _product(name):
    return json.dumps({
        "product": {"productFamily": "Compute Instance", "attributes": {"instanceType": name}},
        "terms": {"OnDemand": {"term": {"priceDimensions": {"dimension": {
            "unit": "Hrs", "pricePerUnit": {"USD": f"{made_up_price(name):.6f}"}}}}}}})
