"""Where the facts of the catalogue come from.

Each function reads the data files of one published package and returns plain dictionaries. Nothing is
imported or run from those packages. The libraries of requirements.txt are found among the installed ones;
the Go module is fetched by the ordinary Go client.
"""

import gzip
import importlib.metadata
import json
import pathlib
import re
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass

REGION = "us-east-1"
REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")
PRICE_MODULE = "github.com/aws/karpenter-provider-aws@v1.15.1"
AZURE_MODULE = "github.com/Azure/karpenter-provider-azure@v1.14.2"


@dataclass
class Table:
    """Numbers by instance type, and the day they were taken."""

    values: dict
    date: str


def installed(package):
    """The package in the version that requirements.txt names; another one would quietly give other facts."""
    pin = re.search(rf"^{package}==(\S+)", REQUIREMENTS.read_text(), re.M)[1]
    try:
        found = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        raise SystemExit(f"{package} {pin} is not installed: see {REQUIREMENTS}") from None
    if found.version != pin:
        raise SystemExit(f"{package} is {found.version} here, not {pin}: see {REQUIREMENTS}")
    return found


def package_version(package):
    return installed(package).version


def read_package_json(package, path):
    content = installed(package).locate_file(path).read_bytes()
    return json.loads(gzip.decompress(content) if path.endswith(".gz") else content)


def instance_types():
    """What EC2 says of each type, in the words of DescribeInstanceTypes."""
    return read_package_json("moto", "moto/ec2/resources/instance_types.json.gz")


def offerings(location_type):
    """Zone -> the set of types it offers. `location_type`: availability-zone or availability-zone-id."""
    path = f"moto/ec2/resources/instance_type_offerings/{location_type}/{REGION}.json.gz"
    by_zone = {}
    for offering in read_package_json("moto", path):
        by_zone.setdefault(offering["Location"], set()).add(offering["InstanceType"])
    return by_zone


def libcloud_prices():
    """Linux on-demand prices in USD per hour. Zero stands for unknown there and is left out."""
    document = read_package_json("apache-libcloud", "libcloud/data/pricing.json")
    by_type = document["compute"]["ec2_linux"]
    prices = {name: regions.get(REGION, 0) for name, regions in by_type.items()}
    return {name: price for name, price in prices.items() if price > 0}


def libcloud_regions():
    """Type -> region -> Linux on-demand price of EC2 in USD per hour, without the zeros that stand for unknown."""
    by_type = read_package_json("apache-libcloud", "libcloud/data/pricing.json")["compute"]["ec2_linux"]
    return {name: {r: price for r, price in regions.items() if price > 0} for name, regions in by_type.items()}


def libcloud_google():
    """Family -> "on_demand" or "preemptible" -> "cpu" or "ram" -> region -> USD per hour of a core or a GiB. No zeros."""
    families = read_package_json("apache-libcloud", "libcloud/data/pricing.json")["compute"]["gce_instances"]
    return {
        family: {
            kind: {
                part: {r: entry["price"] for r, entry in parts.get(part, {}).get(kind, {}).items() if entry["price"]}
                for part in ("cpu", "ram")
            }
            for kind in ("on_demand", "preemptible")
        }
        for family, parts in families.items()
    }


class GoModule:
    """The Go sources of one version of a module, read as text."""

    def __init__(self, module):
        # The module may ask for a newer Go than is installed. That is no matter: only its archive is read.
        with tempfile.TemporaryDirectory() as empty:
            answer = subprocess.run(
                ["go", "mod", "download", "-json", module], cwd=empty, capture_output=True, text=True
            )
        archive = json.loads(answer.stdout or "{}").get("Zip")
        if not archive:
            raise SystemExit(f"{module} cannot be fetched: {answer.stdout}{answer.stderr}")
        self._module = module
        self._archive = zipfile.ZipFile(archive)

    def _read(self, path):
        return self._archive.read(f"{self._module}/pkg/providers/{path}").decode()


class AzureModule(GoModule):
    """The tables of Karpenter's provider for Azure."""

    def __init__(self):
        super().__init__(AZURE_MODULE)

    def prices(self):
        """Region -> type -> on-demand price in micro-dollars per hour (Linux), and the day they were taken."""
        text = self._read("pricing/zz_generated.pricing.go")
        date = re.search(r"generated at (\d+-\d+-\d+)", text)[1]
        blocks = re.findall(r'initialOnDemandPrices\["([^"]+)"\] = map\[string\]float64\{(.*?)\n\t\}', text, re.S)
        by_region = {
            region: {name: usd_to_micro(usd) for name, usd in re.findall(r'"([^"]+)":\s*([0-9.]+)', block)}
            for region, block in blocks
        }
        return Table(by_region, date)

    def known_types(self):
        """The types that the provider has seen in some region: what AKS may run on."""
        return set(re.findall(r"^- name: (\S+)", self._read("instancetype/known_skus.yaml"), re.M))


class PriceModule(GoModule):
    """The tables of Karpenter's provider for AWS."""

    def __init__(self):
        super().__init__(PRICE_MODULE)

    def prices(self):
        """On-demand prices in micro-dollars per hour: Linux, shared tenancy; dedicated for bare metal."""
        text = self._read("pricing/zz_generated.pricing_aws.go")
        date = re.search(rf"generated at (\d+-\d+-\d+)\S* for {REGION}", text)[1]
        block = text.split(f'"{REGION}": {{', 1)[1].split("\n\t},", 1)[0]
        values = {name: usd_to_micro(usd) for name, usd in re.findall(r'"([^"]+)": ([0-9.]+)', block)}
        return Table({name: price for name, price in values.items() if price > 0}, date)

    def bandwidth(self):
        """Baseline network bandwidth in Mbps, where one is published."""
        text = self._read("instancetype/zz_generated.bandwidth.go")
        return {name: int(mbps) for name, mbps in re.findall(r'^\s*"([^"]+)":\s*(\d+),', text, re.M)}

    def branch_interfaces(self):
        """How many interfaces a trunk can carry for pods; types that cannot trunk are left out."""
        text = self._read("instancetype/zz_generated.vpclimits.go")
        date = re.search(r"generated at (\d+-\d+-\d+)", text)[1]
        entries = re.findall(
            r'^\t"([^"]+)": \{.*?IsTrunkingCompatible:\s*(\w+),\s*BranchInterface:\s*(\d+)', text, re.M | re.S
        )
        return Table({name: int(count) for name, trunking, count in entries if trunking == "true"}, date)


def usd_to_micro(usd):
    """A decimal text to whole micro-dollars, without passing through a float."""
    whole, _, fraction = usd.partition(".")
    assert not fraction[6:].strip("0"), f"price {usd} is finer than a micro-dollar"
    return int(whole) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
