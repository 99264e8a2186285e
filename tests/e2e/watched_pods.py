"""All pods of a cluster by a watch: to look often costs the API server nothing."""

import http.client
import threading

from api_client import ApiError

_PODS = "/api/v1/pods"


class WatchedPods:
    """What it shows may be a moment old. Thread-safe."""

    def __init__(self, api):
        self._api = api
        self._lock = threading.Lock()
        self._by_uid = {}
        self._is_over = False
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self):
        self._is_over = True

    def items(self):
        with self._lock:
            return list(self._by_uid.values())

    def _run(self):
        while not self._is_over:
            try:
                listed = self._api.get(_PODS)
                with self._lock:
                    self._by_uid = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
                for kind, pod in self._api.watch(_PODS, listed["metadata"]["resourceVersion"]):
                    if kind == "ERROR":
                        break
                    with self._lock:
                        if kind == "DELETED":
                            self._by_uid.pop(pod["metadata"]["uid"], None)
                        else:
                            self._by_uid[pod["metadata"]["uid"]] = pod
            except (ApiError, OSError, ValueError, http.client.HTTPException):
                threading.Event().wait(0.1)
