#!/usr/bin/env python3
"""A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-scheduler,
kube-controller-manager, and KWOK kubelets for nodes annotated kwok.x-k8s.io/node=fake.

    with ControlPlane() as cluster:
        cluster.api.items("/api/v1/nodes")
        cluster.kubectl("get", "nodes")

    cluster.py run --kubeconfig FILE        stays up until standard input closes or SIGTERM

Every server listens on 127.0.0.1 and dies with this process, however it ends.
"""

import argparse
import base64
import datetime
import json
import os
import pathlib
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import typing

from api_client import ApiClient
from processes import Child, exit_cleanly_when_terminated, free_port, wait_until

_HERE = pathlib.Path(__file__).resolve().parent
CANNOT_BUILD = 77
# May do everything, as "admin" may; told apart from it and from one another in the audit log.
FURTHER_USERS = ("first", "second", "joiner", "karpenter")
# May do what roles give it, and nothing else.
SERVICE_ACCOUNT = "system:serviceaccount:joiner:joiner"


class Write(typing.NamedTuple):
    """A request that was to change something, as the API server's audit log has it."""
    received: float  # Seconds since 1970.
    verb: str
    uri: str
    group: str
    resource: str    # With its subresource: "pods/binding".
    name: str        # "" for a collection.
    code: int
    sent: dict       # The object in the body, of a binding; else empty.


class Use(typing.NamedTuple):
    """A request as a rule of a role is about it."""
    group: str
    resource: str  # With its subresource.
    verb: str


class CannotBuild(Exception):
    """The control plane cannot be built on this machine; tests are skipped."""


def binaries():
    """The directory of the control plane's programs, built when they are not there yet."""
    built = subprocess.run([_HERE / "build.sh"], stdout=subprocess.PIPE, text=True)
    last_line = built.stdout.strip().rsplit("\n", 1)[-1]
    if built.returncode == CANNOT_BUILD:
        raise CannotBuild(last_line)
    built.check_returncode()
    return pathlib.Path(last_line)


class ControlPlane:
    """One cluster of its own. Not thread-safe, but for `api`; start it from the main thread."""

    def __init__(self, *, api_server_only=False, scheduler_qps=5000, node_ready_seconds=0.0, log_dir=None,
                 more_stages=None, scheduler_configuration=None, audit=False, audit_service_account=False):
        """
        api_server_only: etcd and kube-apiserver, for questions about the API alone.
        scheduler_qps: kube-scheduler's client limit; its own default is 50.
        node_ready_seconds: how long after its creation a KWOK node turns Ready.
        more_stages: a folder of further KWOK stages; one of a name that is there already takes its place.
        scheduler_configuration: fields of KubeSchedulerConfiguration beside those of the client.
        audit: the API server keeps a log of all that changes something (see writes_of()).
        audit_service_account: and of all that SERVICE_ACCOUNT asks (see uses_of_service_account()).
        log_dir: kept after stop(); a temporary directory, removed, when None.
        """
        self._api_server_only = api_server_only
        self._scheduler_qps = scheduler_qps
        self._node_ready_seconds = node_ready_seconds
        self._token = secrets.token_hex(16)
        self._kept_log_dir = log_dir
        self._more_stages = more_stages
        self._scheduler_configuration = scheduler_configuration or {}
        self._audit = audit
        self._audit_service_account = audit_service_account
        self._children = {}
        self.start_seconds = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._bin = binaries()
        began = time.monotonic()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="joiner-controlplane-"))
        self.log_dir = pathlib.Path(self._kept_log_dir or self.dir / "logs")
        self.log_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._write_credentials()
            self._start_etcd()
            self._start_api_server()
            self._wait_for_api_server()
            if not self._api_server_only:
                self._start_controllers()
                self._wait_for_controllers()
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.monotonic() - began

    def stop(self):
        # Nothing here is worth saving, so nobody is asked to end gracefully.
        for child in self._children.values():
            child.kill()
        self._children.clear()
        shutil.rmtree(self.dir, ignore_errors=True)

    def writes_of(self, user):
        """[Write] of what a user (write_kubeconfig()) asked to have changed, in the order it came.

        REQUIRES: audit.
        """
        found = []
        for line in (self.log_dir / "audit.log").read_text().splitlines():
            event = json.loads(line)
            if event["user"]["username"] == user:
                found.append(_as_write(event))
        return sorted(found, key=lambda write: write.received)

    def uses_of_service_account(self):
        """[(Use, whether it was allowed)], one a request, in the order of the audit log.

        REQUIRES: audit_service_account.
        """
        found = []
        for line in (self.log_dir / "audit.log").read_text().splitlines():
            event = json.loads(line)
            target = event.get("objectRef")
            if event["user"]["username"] != SERVICE_ACCOUNT or target is None:
                continue
            use = Use(target.get("apiGroup", ""), _resource_of(target), event["verb"])
            found.append((use, event.get("responseStatus", {}).get("code", 0) != 403))
        return found

    def kubectl(self, *arguments, stdin=None, check=True):
        return subprocess.run(
            [self._bin / "kubectl", "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin, capture_output=True, text=True, check=check)

    def pause_api_server(self):
        """The server stops answering while its connections stay open, as with a dead network path."""
        self._children["kube-apiserver"].send(signal.SIGSTOP)

    def continue_api_server(self):
        self._children["kube-apiserver"].send(signal.SIGCONT)

    def restart_api_server(self):
        self._children["kube-apiserver"].terminate(grace_seconds=15)
        self._start_api_server()
        self._wait_for_api_server()

    def _run(self, name, *arguments):
        self._children[name] = Child(name, [self._bin / name, *arguments], self.log_dir / f"{name}.log")

    def _write_credentials(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        ca_key, self._ca_file = self.dir / "ca.key", self.dir / "ca.crt"
        openssl("req", "-x509", *curve, "-keyout", ca_key, "-out", self._ca_file, "-subj", "/CN=test-ca",
                "-days", "30")
        self._server_key, self._server_cert = self.dir / "server.key", self.dir / "server.crt"
        openssl("req", "-x509", *curve, "-keyout", self._server_key, "-out", self._server_cert,
                "-CA", self._ca_file, "-CAkey", ca_key, "-subj", "/CN=kube-apiserver", "-days", "30",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc",
                "-addext", "basicConstraints=critical,CA:FALSE")
        self._service_account_key = self.dir / "service-account.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self._service_account_key)

        self._token_file = self.dir / "tokens.csv"
        self._tokens = {"admin": self._token}
        self._tokens.update((user, secrets.token_hex(16)) for user in FURTHER_USERS)
        self._token_file.write_text("".join(f"{token},{user},{user},system:masters\n"
                                            for user, token in self._tokens.items()))
        self._tokens[SERVICE_ACCOUNT] = secrets.token_hex(16)
        with self._token_file.open("a") as tokens:
            tokens.write(f"{self._tokens[SERVICE_ACCOUNT]},{SERVICE_ACCOUNT},{SERVICE_ACCOUNT},"
                         '"system:serviceaccounts,system:serviceaccounts:joiner"\n')

        self.port = free_port()
        self.kubeconfig = self.dir / "kubeconfig"
        self.write_kubeconfig(self.kubeconfig)
        self.api = self.new_client()

    def new_client(self):
        """For a thread of its own."""
        return ApiClient("127.0.0.1", self.port, self._token, self._ca_file)

    def write_kubeconfig(self, path, user="admin"):
        """For a client that is to be known by a name of its own, one of FURTHER_USERS or SERVICE_ACCOUNT."""
        certificate = base64.b64encode(self._ca_file.read_bytes()).decode()
        # JSON is YAML too, and every reader of kubeconfig files takes it.
        pathlib.Path(path).write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {
                "server": f"https://127.0.0.1:{self.port}", "certificate-authority-data": certificate}}],
            "users": [{"name": user, "user": {"token": self._tokens[user]}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": user}}],
        }, indent=1))

    def _start_etcd(self):
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        self._etcd = client
        self._run("etcd", "--data-dir", self.dir / "etcd", "--unsafe-no-fsync", "--log-level=warn",
                  f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                  f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
                  f"--initial-cluster=default={peer}", "--quota-backend-bytes=8589934592")

    def _start_api_server(self):
        self._run("kube-apiserver",
                  f"--etcd-servers={self._etcd}",
                  "--bind-address=127.0.0.1", f"--secure-port={self.port}", "--advertise-address=127.0.0.1",
                  "--endpoint-reconciler-type=none",  # a loopback address cannot be an endpoint
                  f"--tls-cert-file={self._server_cert}", f"--tls-private-key-file={self._server_key}",
                  f"--token-auth-file={self._token_file}", "--authorization-mode=RBAC",
                  "--disable-admission-plugins=ServiceAccount",  # pods need no service account to exist first
                  "--enable-priority-and-fairness=false",
                  "--service-cluster-ip-range=10.0.0.0/24",
                  "--service-account-issuer=https://kubernetes.default.svc",
                  f"--service-account-key-file={self._service_account_key}",
                  f"--service-account-signing-key-file={self._service_account_key}",
                  f"--cert-dir={self.dir / 'certs'}", *self._audit_flags())

    def _audit_flags(self):
        if not self._audit and not self._audit_service_account:
            return []
        rules = [{"level": "Metadata", "users": [SERVICE_ACCOUNT]}] if self._audit_service_account else []
        if self._audit:
            rules += [# Where a pod is bound to is in the body, and a name that the server makes is in the answer.
                      {"level": "RequestResponse", "verbs": ["create"], "resources": [
                          {"group": "", "resources": ["pods/binding"]},
                          {"group": "karpenter.sh", "resources": ["nodeclaims"]}]},
                      {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}]
        policy = self.dir / "audit-policy.json"
        policy.write_text(json.dumps({"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
                                      "omitStages": ["RequestReceived"], "rules": [*rules, {"level": "None"}]}))
        return [f"--audit-policy-file={policy}", f"--audit-log-path={self.log_dir / 'audit.log'}"]

    def _wait_for_api_server(self):
        def is_ready():
            server = self._children["kube-apiserver"]
            if not server.is_running:
                raise RuntimeError(f"kube-apiserver ended at start:\n{server.log_tail()}")
            try:
                return self.api.raw("/readyz", timeout=5) == b"ok"
            except OSError:
                return False

        wait_until(is_ready, 60, "kube-apiserver is ready", interval=0.05)

    def _start_controllers(self):
        configuration = self.dir / "scheduler.json"
        configuration.write_text(json.dumps({
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(self.kubeconfig), "qps": self._scheduler_qps,
                                 "burst": 2 * self._scheduler_qps},
            **self._scheduler_configuration,
        }))
        self._run("kube-scheduler", f"--config={configuration}", "--secure-port=0")
        self._run("kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--secure-port=0",
                  "--leader-elect=false", "--use-service-account-credentials=false",
                  "--kube-api-qps=5000", "--kube-api-burst=10000", "--concurrent-deployment-syncs=20",
                  "--concurrent-replicaset-syncs=20", "--concurrent-gc-syncs=40",
                  "--pvclaimbinder-sync-period=1s",  # a claim made before its volume is looked at again then
                  f"--service-account-private-key-file={self._service_account_key}")
        self._run("kwok", f"--kubeconfig={self.kubeconfig}", f"--config={self._write_kwok_stages()}",
                  "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
                  "--node-lease-duration-seconds=40")

    def _write_kwok_stages(self):
        documents = [json.dumps({
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1", "kind": "KwokConfiguration",
            "options": {"podPlayStageParallelism": 16, "nodePlayStageParallelism": 16,
                        "nodeLeaseParallelism": 16, "podsOnNodeSyncParallelism": 4}})]
        stages = {}
        for folder in filter(None, (self._bin / "kwok-stages", self._more_stages)):
            stages |= {stage.name: stage for stage in pathlib.Path(folder).iterdir()}
        for _, stage in sorted(stages.items()):
            text = stage.read_text()
            if stage.stem == "node-initialize" and self._node_ready_seconds:
                milliseconds = int(self._node_ready_seconds * 1000)
                text = text.replace("\n  next:", f"\n  delay:\n    durationMilliseconds: {milliseconds}\n  next:", 1)
            documents.append(text)
        path = self.dir / "kwok.yaml"
        path.write_text("\n---\n".join(documents))
        return path

    def _wait_for_controllers(self):
        """A Deployment whose pod the scheduler refuses (there is no node) shows that both are at work."""
        deployments = "/apis/apps/v1/namespaces/default/deployments"
        labels = {"app": "controllers-are-up"}
        self.api.post(deployments, {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "controllers-are-up"},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "pause", "image": "pause"}]}}}})

        def our_pods():
            return self.api.items("/api/v1/namespaces/default/pods")

        wait_until(lambda: any(pod["status"].get("conditions") for pod in our_pods()), 60,
                   "controller-manager and scheduler are at work", interval=0.05)
        self.api.delete(f"{deployments}/controllers-are-up", propagationPolicy="Foreground")
        wait_until(lambda: not our_pods() and not self.api.items(deployments), 60,
                   "garbage collection is at work", interval=0.05)


def _resource_of(target):
    return "/".join(filter(None, (target.get("resource", ""), target.get("subresource"))))


def _as_write(event):
    received = datetime.datetime.fromisoformat(event["requestReceivedTimestamp"].replace("Z", "+00:00"))
    target = event.get("objectRef", {})
    answer = event.get("responseObject") or {}
    resource = _resource_of(target)
    return Write(received.timestamp(), event["verb"], event["requestURI"], target.get("apiGroup", ""), resource,
                 target.get("name") or answer.get("metadata", {}).get("name", ""), event["responseStatus"]["code"],
                 (event.get("requestObject") or {}) if resource == "pods/binding" else {})


def _wait_for_the_end():
    """Until standard input closes; if that is not a terminal or pipe, until a signal."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if sys.stdin.isatty() or stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        sys.stdin.read()
    else:
        signal.pause()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run"])
    parser.add_argument("--kubeconfig", required=True, help="written once the cluster is up")
    parser.add_argument("--api-server-only", action="store_true", help="no scheduler, controllers and kubelets")
    parser.add_argument("--scheduler-qps", type=int, default=5000)
    parser.add_argument("--node-ready-seconds", type=float, default=0.0)
    parser.add_argument("--log-dir", help="keep the servers' logs here")
    arguments = parser.parse_args()

    exit_cleanly_when_terminated()
    cluster = ControlPlane(api_server_only=arguments.api_server_only, scheduler_qps=arguments.scheduler_qps,
                           node_ready_seconds=arguments.node_ready_seconds, log_dir=arguments.log_dir)
    try:
        with cluster:
            cluster.write_kubeconfig(arguments.kubeconfig)
            print(f"up in {cluster.start_seconds:.1f} s at https://127.0.0.1:{cluster.port}", flush=True)
            _wait_for_the_end()
    except CannotBuild as reason:
        print(reason)
        return CANNOT_BUILD
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
