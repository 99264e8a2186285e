"""The custom resource definitions under test, and how they get into a cluster."""

import pathlib
import subprocess

from api_client import ApiError
from processes import wait_until

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def printed_by(joiner):
    return subprocess.run([joiner, "crds"], capture_output=True, text=True, check=True).stdout


def in_folder(folder):
    return "\n---\n".join(path.read_text() for path in sorted(pathlib.Path(folder).glob("*.yaml")))


def install(cluster, manifests):
    """Returns when the API server serves every kind: it accepts a definition seconds before."""
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifests)
    wait_until(lambda: all(_is_served(cluster.api, each["spec"]) for each in cluster.api.items(_DEFINITIONS)), 60,
               "the API server serves the custom resources", interval=0.1)


def _is_served(api, definition):
    version = definition["versions"][0]["name"]
    try:
        api.get(f"/apis/{definition['group']}/{version}/{definition['names']['plural']}")
        return True
    except ApiError as error:
        if error.code in (404, 429):
            return False
        raise
