"""Puts a workload on a cluster and waits for it."""

import http.client
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
