"""Tells kube-scheduler where pods may go at all, and leaves every rule to it.

An extender of kube-scheduler on loopback: the scheduler asks it, after its own filters, which of the nodes that passed
remain. So a pod can be held to one node without a word of it changed, and lands there only if the scheduler's own
filters accept it.
"""

import http.server
import json
import threading

ANYWHERE = None


def group_of(pod):
    """Pods that one Deployment makes are one group; any other is its own."""
    meta = pod["metadata"]
    for owner in meta.get("ownerReferences", []):
        if owner["kind"] == "ReplicaSet":
            return f"{meta['namespace']}/{owner['name'].rsplit('-', 1)[0]}"
    return f"{meta['namespace']}/{meta['name']}"


def is_daemon(pod):
    return any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences", []))


class Pins:
    """Places for groups of pods. A place is a set of node names, or ANYWHERE. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._free = {}
        self._given = {}
        self._leaving = set()
        self._others_may_go = False
        pins = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(pins.answer(asked["Pod"], asked["NodeNames"] or [])).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def scheduler_configuration(self):
        """Without preemption: a plan evicts nobody, so neither may its judge."""
        return {
            "extenders": [{"urlPrefix": f"http://127.0.0.1:{self._server.server_address[1]}", "filterVerb": "filter",
                           "nodeCacheCapable": True, "httpTimeout": "30s", "weight": 1}],
            "profiles": [{"schedulerName": "default-scheduler",
                          "plugins": {"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}}}],
            "podInitialBackoffSeconds": 1, "podMaxBackoffSeconds": 1,
        }

    def set(self, places, leaving=()):
        """places: group -> a list with a place for each of its pods that may go; the others of a group wait.
        Pods that are `leaving`, about to be deleted, get none of them."""
        with self._lock:
            self._free = {group: list(each) for group, each in places.items()}
            self._given = {}
            self._leaving = {pod["metadata"]["uid"] for pod in leaving}
            self._others_may_go = False

    def let_others_go(self):
        with self._lock:
            self._others_may_go = True

    def give_back(self, pods):
        """These pods are about to be deleted, and others of their groups may have their places."""
        with self._lock:
            self._leaving |= {pod["metadata"]["uid"] for pod in pods}
            for pod in pods:
                group, place = self._given.pop(pod["metadata"]["uid"], (None, None))
                if group is not None:
                    self._free[group].append(place)

    def has_place(self, pod):
        with self._lock:
            return self._may_go(pod) is not False

    def answer(self, pod, nodes):
        with self._lock:
            place = self._may_go(pod)
        if place is ANYWHERE:
            return {"NodeNames": nodes, "FailedNodes": {}}
        stay = [node for node in nodes if place and node in place]
        why = "node(s) not where the plan has the pod" if place else "node(s) not asked about yet"
        return {"NodeNames": stay, "FailedNodes": {node: why for node in nodes if node not in stay}}

    def _may_go(self, pod):
        """A place, or False."""
        if is_daemon(pod):
            return ANYWHERE
        uid, group = pod["metadata"]["uid"], group_of(pod)
        if uid in self._leaving:
            return False
        if uid not in self._given:
            if not self._free.get(group):
                return ANYWHERE if self._others_may_go else False
            self._given[uid] = (group, self._free[group].pop(0))
        return self._given[uid][1]
