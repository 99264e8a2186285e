#!/usr/bin/env python3
"""Karpenter's own regression suite against Joiner, on a real control plane with KWOK kubelets.

    tests/upstream_suite/run.py --joiner build/joiner [-k PART_OF_A_NAME]... [--limit SECONDS] [--logs FOLDER]

Each of its tests gets a control plane and a controller of its own, and --limit seconds: many wait a quarter of an
hour for what does not come. One line a test; the last line counts. Exit code 77: the suite cannot be built here.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE.parent / "e2e")]

import crds  # noqa: E402
from api_client import ApiError  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane  # noqa: E402
from instance_types import generic_instance_types, write_instance_types  # noqa: E402
from joiner import Joiner  # noqa: E402
from processes import exit_cleanly_when_terminated  # noqa: E402

_FEATURES = "NodeRepair=true,StaticCapacity=true,CapacityBuffer=true,NodeOverlay=true,SpotToSpotConsolidation=true"


def suite_program():
    built = subprocess.run([_HERE / "build.sh"], stdout=subprocess.PIPE, text=True)
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(built.stdout.strip())
    built.check_returncode()
    return pathlib.Path(built.stdout.strip().rsplit("\n", 1)[-1]) / "regression"


def names(program, kubeconfig, folder):
    report = folder / "names.json"
    subprocess.run([program, "--ginkgo.dry-run", f"--ginkgo.json-report={report}"], check=True, capture_output=True,
                   cwd=folder, env=os.environ | {"KUBECONFIG": str(kubeconfig)})
    specs = [spec for suite in json.loads(report.read_text()) for spec in suite["SpecReports"] or []]
    return [" ".join([*(spec["ContainerHierarchyTexts"] or []), spec["LeafNodeText"]]) for spec in specs
            if spec["LeafNodeType"] == "It" and spec["State"] != "pending"]


def run_one(program, name, cluster, options, log):
    """("ok" | "skip" | "FAIL", the reason in one line)"""
    environment = os.environ | {"KUBECONFIG": str(cluster.kubeconfig)}
    command = [program, f"--ginkgo.focus={re.escape(name)}$", "--ginkgo.v", "--ginkgo.no-color",
               f"--ginkgo.json-report={log}.json"]
    with open(log, "w") as out:
        try:
            code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=environment, timeout=options.limit,
                                  cwd=log.parent).returncode
        except subprocess.TimeoutExpired:
            return "FAIL", f"not over after {options.limit} s"
    suites = json.loads(pathlib.Path(f"{log}.json").read_text())
    ran = [spec for suite in suites for spec in suite["SpecReports"] or []
           if spec["LeafNodeType"] == "It" and spec["State"] in ("passed", "failed", "panicked")]
    if code == 0:
        return ("ok", "") if ran else ("skip", "skips itself")
    failures = [spec["Failure"]["Message"] for suite in suites for spec in suite["SpecReports"] or []
                if spec.get("Failure")]
    return "FAIL", " ".join(" ".join(failures).split())[:200]


def run(program, name, number, options, folder, types_file):
    log_dir = folder / f"{number:03}-controlplane" if options.logs else None
    with ControlPlane(more_stages=program.parent / "stages", log_dir=log_dir) as cluster:
        crds.install(cluster, crds.printed_by(options.joiner))
        joiner = Joiner(options.joiner, cluster.kubeconfig, folder / f"{number:03}-joiner.log", types_file,
                        flags=[f"--feature-gates={options.feature_gates}"])
        joiner.start()
        try:
            joiner.wait_ready(60)
            return run_one(program, name, cluster, options, folder / f"{number:03}-suite.log")
        finally:
            joiner.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("-k", dest="parts", action="append", metavar="PART",
                        help="only tests whose name contains this, or another that is given so")
    parser.add_argument("--limit", type=int, default=180, help="seconds a test")
    parser.add_argument("--feature-gates", default=_FEATURES)
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-upstream-suite-") as temporary:
        folder = pathlib.Path(options.logs or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        types_file = write_instance_types(folder / "instance-types.json", generic_instance_types())
        try:
            program = suite_program()
            with ControlPlane(api_server_only=True) as cluster:
                crds.install(cluster, crds.printed_by(options.joiner))
                all_names = names(program, cluster.kubeconfig, folder)
        except CannotBuild as reason:
            print(f"upstream suite: skipped, {reason}")
            return CANNOT_BUILD
        chosen = [name for name in all_names if any(part in name for part in options.parts or [""])]
        counts = {"ok": 0, "FAIL": 0, "skip": 0}
        for number, name in enumerate(chosen):
            began = time.monotonic()
            try:
                outcome, reason = run(program, name, number, options, folder, types_file)
            except (ApiError, OSError, RuntimeError, subprocess.CalledProcessError) as trouble:
                outcome, reason = "FAIL", " ".join(f"could not be run: {trouble}".split())[:200]
            counts[outcome] += 1
            print(f"{outcome:4} {time.monotonic() - began:6.1f}s {number:03} {name}" + (f": {reason}" if reason else ""),
                  flush=True)
    print(f"upstream suite: {counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
