"""The custom resource definitions under test, and how they get into a cluster."""

import pathlib
import subprocess


def printed_by(joiner):
    return subprocess.run([joiner, "crds"], capture_output=True, text=True, check=True).stdout


def in_folder(folder):
    return "\n---\n".join(path.read_text() for path in sorted(pathlib.Path(folder).glob("*.yaml")))


def install(cluster, manifests):
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=manifests)
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
