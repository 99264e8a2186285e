#!/usr/bin/env python3
"""Runs the typed calls to AWS against a moto server.

    tests/ec2/calls.py build/test/cloud_test

Exit code 77: moto cannot be had here.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from moto_server import Moto, with_moto


def main():
    with_moto()
    with tempfile.TemporaryDirectory(prefix="joiner-ec2-calls-") as folder, \
            Moto(pathlib.Path(folder) / "moto.log") as server:
        environment = {**os.environ, **server.environment()}
        subprocess.run([sys.executable, pathlib.Path(__file__).parent / "world.py"], check=True, env=environment)
        command = [sys.argv[1], "--gtest_filter=LiveCalls.*", *sys.argv[2:]]
        return subprocess.run(command, env={**environment, "JOINER_EC2_ENDPOINT": server.url}).returncode


if __name__ == "__main__":
    sys.exit(main())
