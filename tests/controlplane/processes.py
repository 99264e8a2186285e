"""Child processes that never outlive us: servers of the control plane, and the program under test."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A started program whose output goes to a log file.

    The kernel kills it when the *thread* that started it ends, so start children from the main thread.
    """

    def __init__(self, name, command, log_file, env=None):
        self.name = name
        self.log_file = log_file
        parent = os.getpid()

        def die_with_parent():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        with open(log_file, "ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env,
                preexec_fn=die_with_parent, start_new_session=True)

    @property
    def pid(self):
        return self._process.pid

    @property
    def exit_code(self):
        return self._process.poll()

    @property
    def is_running(self):
        return self.exit_code is None

    def send(self, signal_number):
        if self.is_running:
            self._process.send_signal(signal_number)

    def kill(self):
        self.send(signal.SIGKILL)
        self._process.wait()

    def terminate(self, grace_seconds=10):
        """TERM, then KILL after the grace. Returns the exit code, negative for a signal."""
        self.send(signal.SIGTERM)
        try:
            return self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.exit_code

    def log_tail(self, lines=15):
        with open(self.log_file, errors="replace") as log:
            return "".join(log.readlines()[-lines:])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# Limits are written down as an idle machine needs them; two cores that build at the same time take longer.
PATIENCE = 3


def wait_until(condition, seconds, what, interval=0.02):
    """Returns the first truthy answer of condition(); raises TimeoutError naming `what` otherwise."""
    deadline = time.monotonic() + PATIENCE * seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE * seconds:g} s: {what}")
        time.sleep(interval)


def exit_cleanly_when_terminated():
    """Turns SIGTERM into SystemExit, so that `with` blocks stop their children and remove their files."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
