"""The made-up catalogue that Karpenter's KWOK provider starts with, made by its formula: 144 types,
in the file format of --instance-types-file-path."""

import json
import pathlib

_CPUS = (1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256)
_FAMILY_OF_MEMORY_FACTOR = {2: "c", 4: "s", 8: "m"}
_ZONES = ("test-zone-a", "test-zone-b", "test-zone-c", "test-zone-d")
_SPOT_SHARE_OF_PRICE = 0.7


def generic_instance_types():
    return [_instance_type(cpus, factor, architecture, system)
            for cpus in _CPUS for factor in _FAMILY_OF_MEMORY_FACTOR
            for system in ("linux", "windows") for architecture in ("amd64", "arm64")]


def write_instance_types(path, types=None):
    pathlib.Path(path).write_text(json.dumps(generic_instance_types() if types is None else types))
    return path


def price_per_hour(types):
    """(type name, zone, capacity type) -> price."""
    prices = {}
    for entry in types:
        for offering in entry["offerings"]:
            at = {requirement["key"]: requirement["values"][0] for requirement in offering["Requirements"]}
            where = (entry["name"], at["topology.kubernetes.io/zone"], at["karpenter.sh/capacity-type"])
            prices[where] = offering["Price"]
    return prices


def instance_type(name, cpus, gibibytes, pods, price, *, architecture="amd64", zones=_ZONES, spot_zones=None,
                  **more_resources):
    """A Linux type as a test wants it, sold on demand in all its zones and as spot in some."""
    on_demand = [_offering(zone, "on-demand", price) for zone in zones]
    spot = [_offering(zone, "spot", price) for zone in (zones if spot_zones is None else spot_zones)]
    return {"name": name, "architecture": architecture, "operatingSystems": ["linux"],
            "resources": {"cpu": str(cpus), "memory": _quantity(gibibytes), "pods": str(pods),
                          "ephemeral-storage": "20Gi", **more_resources},
            "offerings": on_demand + spot}


def _instance_type(cpus, memory_factor, architecture, system):
    gibibytes = cpus * memory_factor
    price = 0.025 * cpus + 0.001 * (gibibytes * 2**30) / 1e9
    return {
        "name": f"{_FAMILY_OF_MEMORY_FACTOR[memory_factor]}-{cpus}x-{architecture}-{system}",
        "architecture": architecture,
        "operatingSystems": [system],
        "resources": {"cpu": str(cpus), "memory": _quantity(gibibytes), "pods": str(min(cpus * 16, 1024)),
                      "ephemeral-storage": "20Gi"},
        "offerings": [_offering(zone, capacity_type, price)
                      for zone in _ZONES for capacity_type in ("spot", "on-demand")],
    }


def _quantity(gibibytes):
    """As Kubernetes itself writes it."""
    return f"{gibibytes}Gi" if gibibytes % 1024 else f"{gibibytes // 1024}Ti"


def _offering(zone, capacity_type, on_demand_price):
    return {
        "Price": on_demand_price * (_SPOT_SHARE_OF_PRICE if capacity_type == "spot" else 1),
        "Available": True,
        "Requirements": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": [capacity_type]},
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]},
        ],
    }
