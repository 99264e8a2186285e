"""The program under test as a child process: started, stopped, killed, measured."""

import os
import re
import urllib.error
import urllib.request

from processes import Child, free_port, wait_until

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Controller:
    """A node autoscaler with Karpenter's flags. Each start is a new process on new ports, with one log."""

    def __init__(self, binary, kubeconfig, log_file, flags=()):
        self.binary = binary
        self.kubeconfig = kubeconfig
        self.log_file = log_file
        self.flags = list(flags)
        self._child = None
        self._peak_memory_kib = 0

    def command(self):
        raise NotImplementedError

    def environment(self):
        return None

    def start(self):
        self._metrics_port, self._health_port = free_port(), free_port()
        command = [*self.command(), f"--metrics-port={self._metrics_port}",
                   f"--health-probe-port={self._health_port}", *self.flags]
        self._child = Child("controller", command, self.log_file, env=self.environment())

    def wait_ready(self, seconds=30):
        def is_ready():
            if not self.is_running:
                raise RuntimeError(f"ended with code {self.exit_code} at start:\n{self._child.log_tail()}")
            return self._get(self._health_port, "/readyz") is not None

        wait_until(is_ready, seconds, "the controller says it is ready", interval=0.05)

    def terminate(self):
        """TERM; returns the exit code."""
        self._note_peak_memory()
        return self._child.terminate()

    def kill(self):
        self._note_peak_memory()
        self._child.kill()

    def stop(self):
        """For cleaning up: whatever state it is in."""
        if self._child is not None and self.is_running:
            self.kill()

    @property
    def is_running(self):
        return self._child.is_running

    @property
    def exit_code(self):
        return self._child.exit_code

    @property
    def pid(self):
        return self._child.pid

    @property
    def peak_memory_kib(self):
        """The highest resident memory of any process started so far."""
        self._note_peak_memory()
        return self._peak_memory_kib

    def metrics(self):
        """[(name, labels, value)] as the program reports them now."""
        samples = []
        for line in (self._get(self._metrics_port, "/metrics") or "").splitlines():
            found = _SAMPLE.match(line)
            if found:
                name, labels, value = found.groups()
                samples.append((name, dict(_LABEL.findall(labels or "")), float(value)))
        return samples

    def metric(self, name, **labels):
        """The sum over all samples of that name with those labels; None when there is none."""
        values = [value for sample, its_labels, value in self.metrics()
                  if sample == name and labels.items() <= its_labels.items()]
        return sum(values) if values else None

    def log(self):
        with open(self.log_file, errors="replace") as log:
            return log.read()

    def _note_peak_memory(self):
        try:
            with open(f"/proc/{self.pid}/status") as status:
                kib = next((int(line.split()[1]) for line in status if line.startswith("VmHWM:")), 0)
        except FileNotFoundError:
            return
        self._peak_memory_kib = max(self._peak_memory_kib, kib)

    @staticmethod
    def _get(port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except (urllib.error.URLError, OSError):
            return None


class Joiner(Controller):
    def __init__(self, binary, kubeconfig, log_file, types_file, *, leader_election=False,
                 namespace="kube-system", environment=None, flags=()):
        election = [f"--leader-election-namespace={namespace}"]
        if not leader_election:
            election.append("--disable-leader-election=true")
        super().__init__(binary, kubeconfig, log_file,
                         [f"--instance-types-file-path={types_file}", *election, *flags])

        self._environment = environment

    def command(self):
        return [self.binary, "controller", f"--kubeconfig={self.kubeconfig}"]

    def environment(self):
        return None if self._environment is None else os.environ | self._environment

