"""Whose is what in a cluster that two controllers share, and who wrote to what is the other's.

A NodePool belongs to the side that its name begins with ("ours", "theirs-brief"); a NodeClaim and a Node belong to
their pool's side, and so does what is done to a pod on a node.
"""

import collections
import http.client
import threading
import time

from api_client import ApiError
from cluster_state import NODE_CLAIMS

OURS, THEIRS = "ours", "theirs"
POOL = "karpenter.sh/nodepool"


def side_of_pool(name):
    side = name.split("-")[0]
    return side if side in (OURS, THEIRS) else None


class Owners:
    """Remembers every claim, node and pod that there ever was."""

    def __init__(self, api):
        self._api = api
        self._claims, self._nodes, self._hosts = {}, {}, {}
        for collection, note in ((NODE_CLAIMS, self._note_claim), ("/api/v1/nodes", self._note_node),
                                 ("/api/v1/pods", self._note_pod)):
            threading.Thread(target=self._follow, args=(collection, note), daemon=True).start()

    def side_of(self, write, classes, leases):
        """OURS, THEIRS, or None for what this cannot tell. `classes`: by group; `leases`: by name."""
        resource = write.resource.split("/")[0]
        if resource == "nodepools":
            return side_of_pool(write.name)
        if resource == "nodeclaims":
            return self._claims.get(write.name)
        if resource == "nodes":
            return self._nodes.get(write.name)
        if write.resource == "pods/binding":
            return self._nodes.get(write.sent["target"]["name"])
        if resource == "pods":
            return self._nodes.get(self._hosts.get(write.name))
        if resource == "leases":
            return leases.get(write.name)
        return classes.get(write.group) if resource == "kwoknodeclasses" else None

    def side_of_reference(self, reference):
        """For the object that an Event is about; None: it belongs to neither, a pod does."""
        known = {"NodeClaim": self._claims.get, "Node": self._nodes.get, "NodePool": side_of_pool}
        return known.get(reference.get("kind"), lambda _: None)(reference.get("name", ""))

    def _note_claim(self, claim):
        self._claims[claim["metadata"]["name"]] = side_of_pool(claim["metadata"].get("labels", {}).get(POOL, ""))

    def _note_node(self, node):
        self._nodes[node["metadata"]["name"]] = side_of_pool(node["metadata"].get("labels", {}).get(POOL, ""))

    def _note_pod(self, pod):
        if pod["spec"].get("nodeName"):
            self._hosts[pod["metadata"]["name"]] = pod["spec"]["nodeName"]

    def _follow(self, collection, note):
        while True:
            try:
                listed = self._api.get(collection)
                for item in listed["items"]:
                    note(item)
                for kind, item in self._api.watch(collection, listed["metadata"]["resourceVersion"]):
                    if kind not in ("ADDED", "MODIFIED", "DELETED"):
                        break
                    note(item)
            except (ApiError, OSError, http.client.HTTPException, ValueError):
                time.sleep(0.1)


class Writes:
    """What one user of the API server wrote, sorted by whose it was."""

    def __init__(self, cluster, owners, user, classes, leases):
        self.counted = collections.Counter()  # (resource, side)
        self.changes = {OURS: [], THEIRS: []}  # To what is the side's, in words.
        self.remarks = {OURS: [], THEIRS: []}  # Events about what is the side's.
        self.unknown = []
        events = {event["metadata"]["name"]: event for event in cluster.api.items("/api/v1/events")}
        for write in cluster.writes_of(user):
            if write.resource == "events":
                event = events.get(write.name, {})
                about = event.get("involvedObject", {})
                side = owners.side_of_reference(about)
                if side is not None:
                    self.remarks[side].append(
                        f"{about['kind']} {about['name']}: {event['reason']}: {event.get('message')}")
            else:
                side = owners.side_of(write, classes, leases)
                if side is None:
                    self.unknown.append(f"{write.verb} {write.uri} ({write.code})")
                else:
                    self.changes[side].append(f"{write.verb} {write.resource} {write.name} ({write.code})")
            self.counted[write.resource, side] += 1
