#!/usr/bin/env python3
"""Runs the contract suites of the embedded cluster against the real one: first that of the API server alone, then
that of scheduler, kubelets and controllers.

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
        environment = {**os.environ, "JOINER_CONTRACT_KUBECONFIG": str(kubeconfig)}
        failed = 0
        try:
            for api_server_only, tests in ((True, "*Contract*/real-*ClusterContract*"), (False, "*ClusterContract*/real")):
                with ControlPlane(api_server_only=api_server_only) as cluster:
                    cluster.write_kubeconfig(kubeconfig)
                    command = [sys.argv[1], f"--gtest_filter={tests}", "--gtest_brief=1"]
                    failed |= subprocess.run(command, env=environment).returncode
        except CannotBuild as reason:
            print(reason)
            return 1
        return failed


if __name__ == "__main__":
    sys.exit(main())
