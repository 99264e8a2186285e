#!/usr/bin/env python3
"""Runs the contract suite of the embedded API server against the real one.

    tests/controlplane/contract.py build/test/sim_test

Fails where the control plane cannot be built.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from cluster import CannotBuild, ControlPlane
from processes import exit_cleanly_when_terminated


def main():
    exit_cleanly_when_terminated()
    with tempfile.TemporaryDirectory(prefix="joiner-contract-") as directory:
        kubeconfig = pathlib.Path(directory) / "kubeconfig"
        try:
            with ControlPlane(api_server_only=True) as cluster:
                cluster.write_kubeconfig(kubeconfig)
                environment = {**os.environ, "JOINER_CONTRACT_KUBECONFIG": str(kubeconfig)}
                command = [sys.argv[1], "--gtest_filter=*Contract*/real", "--gtest_brief=1"]
                return subprocess.run(command, env=environment).returncode
        except CannotBuild as reason:
            print(reason)
            return 1


if __name__ == "__main__":
    sys.exit(main())
