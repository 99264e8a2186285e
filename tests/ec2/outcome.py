"""How the programs here end: with exit code 0, 1 where something does not hold, 77 where a program cannot be had."""

import contextlib
import pathlib
import tempfile

from cluster import CANNOT_BUILD, CannotBuild
from processes import exit_cleanly_when_terminated


def outcome_of(tell, name, logs):
    """The exit code of `tell(folder of logs, stack)`. Without `logs` the folder goes at the end."""
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-ec2-") as temporary, contextlib.ExitStack() as stack:
        folder = pathlib.Path(logs or temporary).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            tell(folder, stack)
        except CannotBuild as reason:
            print(f"{name}: skipped, {reason}")
            return CANNOT_BUILD
        except (AssertionError, TimeoutError, RuntimeError) as failure:
            print(f"FAIL {failure}")
            return 1
    print(f"{name}: passed")
    return 0
