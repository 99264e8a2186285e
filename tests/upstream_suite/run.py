#!/usr/bin/env python3
"""Karpenter's own end-to-end suites against Joiner, on a real control plane with KWOK kubelets.

    tests/upstream_suite/run.py --joiner build/joiner [--suite regression|disruption]... [-k PART_OF_A_NAME]...
                                [--part K/N] [--limit SECONDS] [--logs FOLDER]

Each of their specs gets a control plane and a controller of its own, and --limit seconds: most last a minute or two, a
few wait ten for time to pass, and many a quarter of an hour for what does not come. One line a spec, and a table at the end. Exit code 77: the suites cannot be built here.

Not among them: `dra` (pods with resource claims wait, with Joiner) and `performance` (judges the heap of a Go
program, through a kubelet).
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE.parent / "e2e"), str(_HERE)]

import crds  # noqa: E402
import specs  # noqa: E402
from api_client import ApiError  # noqa: E402
from cluster import CANNOT_BUILD, CannotBuild, ControlPlane, binaries  # noqa: E402
from deployed import DeployedJoiner  # noqa: E402
from instance_types import generic_instance_types, write_instance_types  # noqa: E402
from processes import exit_cleanly_when_terminated  # noqa: E402
from specs import FAILED, PASSED, SKIPPED, Outcome  # noqa: E402

_GATES = "NodeRepair=true,StaticCapacity=true,CapacityBuffer=true,NodeOverlay=true,SpotToSpotConsolidation=true"


def built_suites():
    built = subprocess.run([_HERE / "build.sh"], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(last_line)
    built.check_returncode()
    return pathlib.Path(last_line)


def scheduler_profiles(programs):
    """Those of the file that the specs of default spread constraints hold the scheduler to; kubectl reads its YAML."""
    read = subprocess.run([binaries() / "kubectl", "annotate", "--local", "--filename",
                           programs / "kube-scheduler-config.yaml", "read=true", "--output=json"],
                          check=True, capture_output=True, text=True)
    return {"profiles": json.loads(read.stdout)["profiles"]}


def run(programs, spec, number, options, folder, types_file):
    stem = f"{number:03}-{spec.suite}"
    log_dir = folder / f"{stem}-controlplane" if options.logs else None
    with ControlPlane(more_stages=programs / "stages", scheduler_configuration=scheduler_profiles(programs),
                      log_dir=log_dir) as cluster:
        crds.install(cluster, crds.printed_by(options.joiner))
        with DeployedJoiner(cluster, options.joiner, folder / f"{stem}-joiner.log", types_file,
                            {"FEATURE_GATES": options.feature_gates}):
            return specs.run(programs, spec, cluster, options.limit, folder / f"{stem}-suite.log")


def chosen(options, found):
    """Numbered as in the whole, so that parts can share a folder for logs. A part is a stretch of neighbours, because
    two of them, which stand together, listen on one fixed port."""
    matching = [(number, spec) for number, spec in enumerate(found)
                if any(part in spec.name for part in options.parts or [""])]
    part, parts = options.part
    return matching[len(matching) * (part - 1) // parts:len(matching) * part // parts]


def part(text):
    try:
        number, of = map(int, text.split("/"))
    except ValueError:
        number, of = 0, 0
    if not 1 <= number <= of:
        raise argparse.ArgumentTypeError(f"{text!r} is no K/N with K from 1 to N")
    return number, of


def print_table(outcomes):
    words = (PASSED, FAILED, SKIPPED)
    print(f"\n{'suite':12}" + "".join(f"{word:>9}" for word in words))
    for suite in (*dict.fromkeys(spec.suite for spec, _ in outcomes), "together"):
        counts = [sum(outcome.word == word and suite in (spec.suite, "together") for spec, outcome in outcomes)
                  for word in words]
        print(f"{suite:12}" + "".join(f"{count:9}" for count in counts))
    for word in (FAILED, SKIPPED):
        for spec, outcome in outcomes:
            if outcome.word == word:
                print(f"{word}: {spec.suite}: {spec.name}: {outcome.reason}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--suite", dest="suites", action="append", choices=specs.SUITES, help="both, if not said")
    parser.add_argument("-k", dest="parts", action="append", metavar="PART",
                        help="only specs whose name contains this, or another that is given so")
    parser.add_argument("--part", type=part, default=(1, 1), metavar="K/N", help="only the Kth of N parts")
    parser.add_argument("--limit", type=int, default=1200, help="seconds a spec")
    parser.add_argument("--feature-gates", default=_GATES)
    parser.add_argument("--logs", help="keep all logs in this folder")
    options = parser.parse_args()
    exit_cleanly_when_terminated()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="joiner-upstream-suite-") as temporary:
        folder = pathlib.Path(options.logs or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        types_file = write_instance_types(folder / "instance-types.json", generic_instance_types())
        try:
            programs = built_suites()
            with ControlPlane(api_server_only=True) as cluster:
                crds.install(cluster, crds.printed_by(options.joiner))
                found = specs.all_specs(programs, options.suites or specs.SUITES, cluster.kubeconfig, folder)
        except CannotBuild as reason:
            print(f"upstream suites: skipped, {reason}")
            return CANNOT_BUILD
        for number, spec in chosen(options, found):
            began = time.monotonic()
            try:
                outcome = run(programs, spec, number, options, folder, types_file)
            except (ApiError, OSError, RuntimeError, subprocess.CalledProcessError) as trouble:
                outcome = Outcome(FAILED, " ".join(f"could not be run: {trouble}".split())[:240])
            outcomes.append((spec, outcome))
            print(f"{outcome.word:7} {time.monotonic() - began:6.1f}s {number:03} {spec.suite}: {spec.name}"
                  + (f": {outcome.reason}" if outcome.reason else ""), flush=True)
    print_table(outcomes)
    return 1 if any(outcome.word == FAILED for _, outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
