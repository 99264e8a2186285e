#!/usr/bin/env python3
"""Runs the typed calls to AWS against a moto server.

    tests/ec2/calls.py build/test/cloud_test

Fails where moto cannot be installed.
"""

import pathlib
import subprocess
import sys

from moto_server import CannotBuild, Moto


def main():
    try:
        with Moto() as server:
            server.run(pathlib.Path(__file__).parent / "world.py")
            environment = {**server.environment(), "JOINER_EC2_ENDPOINT": server.url}
            command = [sys.argv[1], "--gtest_filter=LiveCalls.*", *sys.argv[2:]]
            return subprocess.run(command, env=environment).returncode
    except CannotBuild as reason:
        print(reason)
        return 1


if __name__ == "__main__":
    sys.exit(main())
