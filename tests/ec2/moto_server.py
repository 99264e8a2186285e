"""A moto server on loopback: AWS's wire formats without AWS."""

import os
import pathlib
import subprocess
import sys
import urllib.request

_HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent / "controlplane"), str(_HERE.parent / "e2e")]

from processes import Child, free_port, wait_until  # noqa: E402

REGION = "us-east-1"
STOCK = ["-m", "moto.server"]
MENDED = [_HERE / "mended_moto.py"]


def with_moto():
    """Returns on the Python that has moto; on another it runs the program again. Exit code 77: it cannot be had."""
    try:
        import boto3  # noqa: F401
        import moto  # noqa: F401
        import yaml  # noqa: F401
        return
    except ImportError:
        pass
    built = subprocess.run([_HERE / "build.sh"], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode:
        print(f"skipped, {last_line}")
        sys.exit(built.returncode)
    os.execv(last_line, [last_line, *sys.argv])


class Moto:
    """`with Moto(log_file) as moto:` a server that is empty but for what AWS gives everybody.

    program: how Python is asked to run it, STOCK or MENDED.
    variables: for its environment.
    """

    def __init__(self, log_file, program=STOCK, variables=None):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._child = Child("moto", [sys.executable, *program, "-H", "127.0.0.1", "-p", str(port)], log_file,
                            env=os.environ | (variables or {}))
        wait_until(self._answers, 60, "moto answers", interval=0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()

    def environment(self):
        """What a client of AWS reads."""
        return {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"}

    def _answers(self):
        try:
            return urllib.request.urlopen(self.url + "/moto-api/", timeout=5).status == 200
        except OSError:
            return False
