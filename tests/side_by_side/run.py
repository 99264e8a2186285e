#!/usr/bin/env python3
"""Joiner and Karpenter's own KWOK controller in one cluster, told apart by the group of nodeClassRef.

    tests/side_by_side/run.py --joiner build/joiner [--logs FOLDER]

One real control plane, one story: each has pools of its own, both are put through all that a controller does to its
nodes, and each is away for a while. After each step the API server's audit log must not show that either wrote to
what is the other's. One line a step, then what was written, and a closing line that counts. Exit code 77: the
programs cannot be built here.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE.parent / "e2e"),
                str(_HERE.parents[1] / "bench" / "e2e"), str(_HERE)]

from cluster import CANNOT_BUILD, CannotBuild  # noqa: E402
from processes import exit_cleanly_when_terminated  # noqa: E402
from shared_cluster import GROUP_OF_THEIRS, SharedCluster  # noqa: E402
from story import STEPS  # noqa: E402


def karpenter_program():
    built = subprocess.run([_HERE / "build.sh", GROUP_OF_THEIRS], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(last_line)
    built.check_returncode()
    return pathlib.Path(last_line)


def run_steps(shared):
    """How many passed, failed and were not reached; a step builds on those before it."""
    for number, step in enumerate(STEPS):
        began = time.monotonic()
        name = step.__name__
        try:
            step(shared)
            shared.expect_no_trespass()
        except Exception as failure:
            print(f"FAIL  {name} ({time.monotonic() - began:.1f} s): {type(failure).__name__}: {failure}", flush=True)
            print("\n".join(f"      {line}" for line in shared.in_words()))
            return number, 1, len(STEPS) - number - 1
        print(f"ok    {name} ({time.monotonic() - began:.1f} s)", flush=True)
    return len(STEPS), 0, 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--joiner", required=True)
    parser.add_argument("--logs", help="keep all logs in this folder")
    arguments = parser.parse_args()
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-side-by-side-") as temporary:
        folder = pathlib.Path(arguments.logs or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with SharedCluster(arguments.joiner, karpenter_program(), folder) as shared:
                passed, failed, skipped = run_steps(shared)
                print("\n".join(shared.written_in_words()))
        except CannotBuild as reason:
            print(f"side by side: skipped, {reason}")
            return CANNOT_BUILD
    print(f"side by side: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
