"""Helm, built from its own Go module, against a test's control plane."""

import json
import pathlib
import subprocess

_HERE = pathlib.Path(__file__).resolve().parent
CHARTS = _HERE.parents[1] / "deploy" / "charts"
_programs = []


def _program():
    if not _programs:
        built = subprocess.run([_HERE.parent / "charts" / "build.sh"], stdout=subprocess.PIPE, text=True, check=True)
        _programs.append(pathlib.Path(built.stdout.strip().rsplit("\n", 1)[-1]) / "helm")
    return _programs[0]


def helm(cluster, *arguments, stdin=None, check=True):
    """subprocess.CompletedProcess of `helm --kubeconfig …`."""
    done = subprocess.run([_program(), "--kubeconfig", cluster.kubeconfig, *arguments], input=stdin,
                          capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"helm {' '.join(arguments)}: {done.stderr}")
    return done


def rendered(cluster, chart, *arguments, values=None):
    """The chart's objects, by (kind, name), as `helm template` makes them."""
    text = helm(cluster, "template", "joiner", str(CHARTS / chart), "--namespace=joiner", "--values=-", *arguments,
                stdin=json.dumps(values or {})).stdout
    listed = cluster.kubectl("create", "--dry-run=client", "-o", "json", "--validate=false", "-f", "-", stdin=text).stdout
    objects, decoder, at = {}, json.JSONDecoder(), 0
    while at < len(listed.rstrip()):
        one, at = decoder.raw_decode(listed, at)
        at += len(listed[at:]) - len(listed[at:].lstrip())
        for item in one.get("items", [one]):
            objects[(item["kind"], item["metadata"]["name"])] = item
    return objects
