"""Puts a workload on a cluster and waits for it."""

import http.client
import threading
import time

from api_client import ApiError
from processes import PATIENCE

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def wait_all_ready(api, name, replicas, seconds):
    """Until the Deployment reports that many ready replicas. Returns the monotonic time of that moment.

    A watch shows it within milliseconds and costs the server next to nothing.
    """
    deadline = time.monotonic() + PATIENCE * seconds
    ready = 0
    while time.monotonic() < deadline:
        try:
            found = api.get(f"{DEPLOYMENTS}/{name}")
            ready = found["status"].get("readyReplicas", 0)
            if ready == replicas:
                return time.monotonic()
            seconds_left = max(1, int(deadline - time.monotonic()))
            for kind, each in api.watch(DEPLOYMENTS, found["metadata"]["resourceVersion"],
                                        timeout_seconds=seconds_left, fieldSelector=f"metadata.name={name}"):
                if kind not in ("ADDED", "MODIFIED"):
                    break
                ready = each["status"].get("readyReplicas", 0)
                if ready == replicas:
                    return time.monotonic()
        except (ApiError, OSError, http.client.HTTPException, ValueError):
            time.sleep(0.1)  # the server is away or busy: a test may have stopped it
    raise TimeoutError(f"{ready} of {replicas} replicas of {name} ready after {PATIENCE * seconds:g} s")



class UnboundPoll:
    """Notes when the last pod of the namespace default got its node.

    It asks for one unbound pod each 50 ms: a watch of all that happens to pods is too much to read here, and the
    server drops those that do not keep up.
    """

    _PATH = "/api/v1/namespaces/default/pods"

    def __init__(self, api):
        self._api = api
        self._none_since = None  # Monotonic; None: some were unbound when it was last asked.
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self):
        """The monotonic time, for when all are known to be bound; None: not known."""
        self._is_over.set()
        self._thread.join()
        return self._none_since

    def _run(self):
        while not self._is_over.wait(0.05):
            try:
                unbound = self._api.items(self._PATH, limit=1, fieldSelector="spec.nodeName=")
            except (ApiError, OSError, http.client.HTTPException):
                continue
            if unbound:
                self._none_since = None
            elif self._none_since is None:
                self._none_since = time.monotonic()
