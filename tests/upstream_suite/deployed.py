"""Joiner as a chart leaves it in a cluster: the Deployment kube-system/karpenter on a tainted node.

Karpenter's suites read that Deployment's environment, change it, and wait until the pod made anew is ready and holds
the lease. Nothing runs containers here, so this module is the kubelet of that one node: each of the Deployment's pods
is a Joiner process with the environment of the pod and its name as host name, ready when Joiner says that it is.
"""

import datetime
import os
import pathlib
import threading
import time

from api_client import ApiError
from joiner import Joiner
from processes import wait_until

_NODE = "control-plane"
_SYSTEM = "/api/v1/namespaces/kube-system/pods"
_DEPLOYMENTS = "/apis/apps/v1/namespaces/kube-system/deployments"
_NODE_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_LEADER_LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/karpenter-leader-election"
_LABELS = {"app.kubernetes.io/instance": "karpenter", "app.kubernetes.io/name": "karpenter"}
_TOLERATE_ALL = [{"operator": "Exists"}]
_LEASE_RENEWAL = 10.0
# The specs that change kube-scheduler's defaults look for this file among the arguments of its pod.
_SCHEDULER_FILE = "/etc/kubernetes/karpenter-scheduler-config/kube-scheduler-config.yaml"


class _PodsJoiner(Joiner):
    """Takes its environment and its host name, by which it signs the lease, from a pod."""

    def __init__(self, pod, binary, kubeconfig, log, types_file):
        super().__init__(binary, kubeconfig, log, types_file, leader_election=True)
        self._pod = pod

    def command(self):
        # The kernel forgets whom to end with their parent where a process enters namespaces; setpriv says it again.
        return ["unshare", "--user", "--map-root-user", "--uts", "setpriv", "--pdeathsig", "KILL",
                "sh", "-c", 'hostname "$0" && exec "$@"', self._pod["metadata"]["name"],
                str(pathlib.Path(self.binary).resolve()), *super().command()[1:]]

    def environment(self):
        variables = self._pod["spec"]["containers"][0].get("env", [])
        return os.environ | {each["name"]: each.get("value", "") for each in variables}

    def says_it_is_ready(self):
        return self._get(self._health_port, "/readyz") is not None


class DeployedJoiner:
    """REQUIRES: the definitions of its kinds are installed."""

    def __init__(self, cluster, binary, log, types_file, environment):
        self._api = cluster.api
        self._start = lambda pod: _PodsJoiner(pod, binary, cluster.kubeconfig, log, types_file)
        self._environment = environment
        self._processes = {}  # By the uid of the pod.
        self._restarts = {}   # Likewise: how often one ended by itself.
        self._lease_renewed = 0.0
        self._is_over = threading.Event()
        self._kubelet = threading.Thread(target=self._be_kubelet, daemon=True)

    def __enter__(self):
        self._api.post("/api/v1/nodes", _node())
        self._api.post(_NODE_LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                      "metadata": {"name": _NODE}, "spec": _renewal()})
        self._api.post(_SYSTEM, _scheduler_pod())
        self._api.post(_DEPLOYMENTS, _deployment(self._environment))
        self._kubelet.start()
        try:
            wait_until(self._leads, 60, "the pod of the Deployment holds the lease", interval=0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._kubelet.join()

    def _leads(self):
        lease = self._api.get_or_none(_LEADER_LEASE)
        holder = ((lease or {}).get("spec", {}).get("holderIdentity") or "").split("_")[0]
        return holder in [pod["metadata"]["name"] for pod in self._api.items(_SYSTEM)]

    def _be_kubelet(self):
        try:
            while not self._is_over.is_set():
                try:
                    self._look()
                except ApiError as error:
                    if error.code not in (404, 409):
                        raise
                self._is_over.wait(0.2)
        finally:
            for process in self._processes.values():
                process.stop()

    def _look(self):
        if time.monotonic() - self._lease_renewed > _LEASE_RENEWAL:
            self._api.patch(f"{_NODE_LEASES}/{_NODE}", {"spec": _renewal()})
            self._lease_renewed = time.monotonic()
        for pod in self._api.items("/api/v1/pods", fieldSelector=f"spec.nodeName={_NODE}"):
            if "deletionTimestamp" in pod["metadata"]:
                self._end(pod)
            elif self._is_ready(pod):
                self._say_ready(pod)

    def _end(self, pod):
        process = self._processes.pop(pod["metadata"]["uid"], None)
        if process is not None and process.is_running:
            process.terminate()
        self._api.delete(_path(pod), gracePeriodSeconds="0")

    def _is_ready(self, pod):
        if not _LABELS.items() <= pod["metadata"].get("labels", {}).items():
            return True
        uid = pod["metadata"]["uid"]
        process = self._processes.get(uid)
        if process is not None and process.is_running:
            return process.says_it_is_ready()
        if process is not None:
            self._restarts[uid] = self._restarts.get(uid, 0) + 1
        self._processes[uid] = self._start(pod)
        self._processes[uid].start()
        return False

    def _say_ready(self, pod):
        restarts = self._restarts.get(pod["metadata"]["uid"], 0)
        said = pod["status"].get("containerStatuses", [])
        if said and said[0]["restartCount"] == restarts:
            return
        now = _timestamp()
        self._api.patch(f"{_path(pod)}/status", {"status": {
            "phase": "Running", "startTime": now,
            "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now}
                           for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")],
            "containerStatuses": [{"name": container["name"], "image": container["image"], "imageID": "",
                                   "ready": True, "started": True, "restartCount": restarts,
                                   "state": {"running": {"startedAt": now}}}
                                  for container in pod["spec"]["containers"]]}})


def _node():
    size = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node",
            "metadata": {"name": _NODE, "labels": {"kubernetes.io/hostname": _NODE, "kubernetes.io/os": "linux",
                                                   "kubernetes.io/arch": "amd64"}},
            "spec": {"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]},
            "status": {"capacity": size, "allocatable": size,
                       "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady",
                                       "lastTransitionTime": _timestamp(), "lastHeartbeatTime": _timestamp()}]}}


def _scheduler_pod():
    """As kubeadm shows the scheduler that it starts; ours runs beside the cluster, with the profiles of that file."""
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"kube-scheduler-{_NODE}", "labels": {"component": "kube-scheduler"}},
            "spec": {"nodeName": _NODE, "tolerations": _TOLERATE_ALL,
                     "containers": [{"name": "kube-scheduler", "image": "kube-scheduler",
                                     "command": ["kube-scheduler", f"--config={_SCHEDULER_FILE}"]}]}}


def _deployment(environment):
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "karpenter", "labels": _LABELS},
            "spec": {"replicas": 1, "selector": {"matchLabels": _LABELS},
                     # With the old pod gone first there is no doubt who leads after a change of the environment.
                     "strategy": {"type": "Recreate"},
                     "template": {"metadata": {"labels": _LABELS}, "spec": {
                         "nodeSelector": {"kubernetes.io/hostname": _NODE}, "tolerations": _TOLERATE_ALL,
                         "priorityClassName": "system-cluster-critical",
                         "containers": [{"name": "controller", "image": "joiner", "env": [
                             {"name": name, "value": value} for name, value in environment.items()]}]}}}}


def _renewal():
    return {"holderIdentity": _NODE, "leaseDurationSeconds": 40, "renewTime": _timestamp(micro=True)}


def _timestamp(micro=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _path(pod):
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
