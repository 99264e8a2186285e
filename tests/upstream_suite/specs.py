"""The specs of Karpenter's suites: what there is, and one of them run by its program."""

import json
import os
import pathlib
import re
import subprocess
import typing

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
SUITES = ("regression", "disruption")
_LONGEST_REASON = 240


class Spec(typing.NamedTuple):
    suite: str
    text: str   # As Ginkgo matches it: the suite's own name, those of the containers, and the spec's.
    name: str   # Without the suite's.


class Outcome(typing.NamedTuple):
    word: str
    reason: str = ""


def all_specs(programs, suites, kubeconfig, folder):
    """[Spec], in the same order each time."""
    found = []
    for suite in suites:
        report = folder / f"specs-of-{suite}.json"
        subprocess.run([programs / suite, "--ginkgo.dry-run", "--ginkgo.seed=1", f"--ginkgo.json-report={report}"],
                       check=True, capture_output=True, cwd=folder, env=os.environ | {"KUBECONFIG": str(kubeconfig)})
        for described in json.loads(report.read_text()):
            for spec in _its(described):
                name = " ".join([*(spec["ContainerHierarchyTexts"] or []), spec["LeafNodeText"]])
                found.append(Spec(suite, f"{described['SuiteDescription']} {name}", name))
    return found


def run(programs, spec, cluster, limit, log):
    report = pathlib.Path(f"{log}.json")
    command = [programs / spec.suite, f"--ginkgo.focus=^{re.escape(spec.text)}$", "--ginkgo.v", "--ginkgo.no-color",
               f"--ginkgo.json-report={report}"]
    with open(log, "w") as out:
        try:
            subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, timeout=limit, cwd=log.parent,
                           env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig)})
        except subprocess.TimeoutExpired:
            return Outcome(FAILED, f"not over after {limit} s")
    if not report.exists():
        return Outcome(FAILED, "the program of the suite ended without a report")
    return _outcome(json.loads(report.read_text()))


def _outcome(suites):
    # Specs out of focus are "skipped" too, but without a word.
    failures = [(spec["State"], spec["Failure"]["Message"]) for suite in suites
                for spec in suite["SpecReports"] or [] if spec.get("Failure")]
    bad = [message for state, message in failures if state != "skipped"]
    if bad:
        return Outcome(FAILED, _in_one_line(bad))
    ran = [spec for suite in suites for spec in _its(suite) if spec["State"] == "passed"]
    if len(ran) == 1:
        return Outcome(PASSED)
    if ran:
        return Outcome(FAILED, f"{len(ran)} specs have this name")
    return Outcome(SKIPPED, _in_one_line([message for _, message in failures]) or "does not say why")


def _its(suite):
    return [spec for spec in suite["SpecReports"] or [] if spec["LeafNodeType"] == "It"]


def _in_one_line(messages):
    return " ".join(" ".join(messages).split())[:_LONGEST_REASON]
