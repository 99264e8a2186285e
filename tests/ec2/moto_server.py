"""A moto server on loopback: AWS's wire formats without AWS. Its packages live in a venv in the cache."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PACKAGES = ["moto[server]==5.2.5", "boto3"]
REGION = "us-east-1"


class CannotBuild(Exception):
    pass


def venv_python():
    """Makes the venv beside its place and moves it there whole; a folder that is there is never touched."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    folder = cache / "joiner" / "tests-ec2-moto-5.2.5"
    if folder.exists():
        return folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = pathlib.Path(tempfile.mkdtemp(prefix="making-moto-", dir=folder.parent))
    try:
        subprocess.run([sys.executable, "-m", "venv", making], check=True, stdout=subprocess.DEVNULL)
        subprocess.run([making / "bin" / "python", "-m", "pip", "install", "-q", *PACKAGES], check=True)
        making.rename(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        shutil.rmtree(making, ignore_errors=True)
        if not folder.exists():  # Somebody else may have made it meanwhile.
            raise CannotBuild(f"moto cannot be installed into {folder}: {error}") from error
    return folder / "bin" / "python"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Moto:
    """`with Moto() as moto:` a server that is empty but for what AWS gives everybody; it ends with the block."""

    def __enter__(self):
        self.python = venv_python()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [self.python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/moto-api/", timeout=5).read()
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    self.__exit__()
                    raise CannotBuild("moto does not start") from None
                time.sleep(0.1)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)

    def environment(self):
        return {
            **os.environ,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }

    def run(self, script):
        """Runs a Python script that speaks to the server by boto3."""
        subprocess.run([self.python, script], check=True, env=self.environment())
