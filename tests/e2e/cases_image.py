"""The root of the container image, as deploy/image/Dockerfile makes it, without a container engine."""

import os
import pathlib
import shutil
import subprocess

from suite import NO_CLUSTER, Skipped, expect, test

_COLLECT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "image" / "collect.sh"
_USER = 65532


@test(cluster=NO_CLUSTER, needs_crds=False)
def the_image_has_all_that_the_program_needs_and_runs_as_nobody(world):
    if os.geteuid() != 0:
        raise Skipped("needs root, to change the root")
    root = world.directory / "image"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run([_COLLECT, world.joiner, root], check=True)
    world.directory.chmod(0o755)

    def run(*arguments):
        return subprocess.run(["/usr/sbin/chroot", f"--userspec={_USER}:{_USER}", root, "/usr/bin/joiner", *arguments],
                              capture_output=True, text=True, env={})

    said = run("version")
    expect(said.returncode == 0 and said.stdout.startswith("joiner "), said)
    refused = run("controller", "--kubeconfig=/missing")
    expect(refused.returncode == 2 and "/missing" in refused.stderr, refused)
    for program in ("bin/sh", "usr/bin/apt-get", "bin/ls"):
        expect(not (root / program).exists(), f"{program} is in the image")
