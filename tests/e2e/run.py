#!/usr/bin/env python3
"""End-to-end tests on a real control plane with KWOK kubelets.

    tests/e2e/run.py --joiner build/joiner [-k PART_OF_A_NAME] [--seed N] [--worlds N] [--logs FOLDER]

One line a test, and a closing line `e2e: N passed, N failed, N skipped`. Without --joiner only the tests that
need no controller run, those of the custom resource definitions with --crds FOLDER.
"""

import argparse
import importlib
import pathlib
import sys
import tempfile
import time
import traceback

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE)]

import crds  # noqa: E402
import suite  # noqa: E402
from cluster import CannotBuild  # noqa: E402
from processes import exit_cleanly_when_terminated  # noqa: E402

_TEST_FILES = tuple(sorted(path.stem for path in _HERE.glob("cases_*.py")))


def run(test, world):
    """("ok" | "FAIL" | "skip", reason)"""
    if test.needs_joiner and world.joiner is None:
        return "skip", "needs --joiner"
    if test.needs_crds and world.crd_manifests is None:
        return "skip", "needs --joiner or --crds"
    try:
        world.enter(test)
        test.function(world)
        return "ok", ""
    except (CannotBuild, suite.Skipped) as reason:
        return "skip", str(reason)
    except Exception as failure:
        lines = [f"{type(failure).__name__}: {failure}"]
        if not isinstance(failure, (AssertionError, TimeoutError)):
            lines += traceback.format_exc().splitlines()
        lines += world.joiners_in_words()
        # What is left of a failed test is not worth cleaning up for the next one.
        world.leave()
        return "FAIL", "\n      ".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", help="the program under test")
    parser.add_argument("--crds", help="a folder of CRD files to use instead of what `joiner crds` prints")
    parser.add_argument("-k", dest="part", default="", help="only tests whose name contains this")
    parser.add_argument("--seed", type=int, default=1, help="for what is random in the tests")
    parser.add_argument("--worlds", type=int, default=1, help="how many random worlds the scheduler judges")
    parser.add_argument("--logs", help="keep all logs in this folder")
    arguments = parser.parse_args()
    exit_cleanly_when_terminated()

    for file in _TEST_FILES:
        importlib.import_module(file)
    manifests = crds.in_folder(arguments.crds) if arguments.crds else None
    if manifests is None and arguments.joiner:
        manifests = crds.printed_by(arguments.joiner)

    count = {"ok": 0, "FAIL": 0, "skip": 0}
    failures = []
    with tempfile.TemporaryDirectory(prefix="joiner-e2e-") as temporary:
        directory = pathlib.Path(arguments.logs or temporary)
        directory.mkdir(parents=True, exist_ok=True)
        joiner = str(pathlib.Path(arguments.joiner).resolve()) if arguments.joiner else None
        world = suite.World(directory, joiner, manifests, arguments.seed, arguments.worlds)
        try:
            world.is_whole_run = not arguments.part
            for test in sorted(suite.TESTS, key=lambda test: test.runs_last):
                if arguments.part not in test.name:
                    continue
                began = time.monotonic()
                outcome, reason = run(test, world)
                count[outcome] += 1
                took = time.monotonic() - began
                if outcome == "FAIL":
                    failures.append(f"FAIL  {test.name}: {reason.splitlines()[0]}")
                print(f"{outcome:4}  {test.name} ({took:.1f} s){reason and ': ' + reason}", flush=True)
        except KeyboardInterrupt:
            count["FAIL"] += 1
        finally:
            world.leave()
    # Again, and short: the lines above are many, and a log is often read from its end.
    print("\n".join(failures), end="\n" if failures else "")
    print(f"e2e: {count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped")
    return 1 if count["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
