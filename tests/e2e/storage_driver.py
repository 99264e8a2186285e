"""What a CSI driver does for a cluster without one: makes volumes that pods' claims wait for, and says of new nodes how
many volumes they take."""

import manifests
from api_client import ApiError
from background import Background
from random_world import ZONE, csi_node, volume

_SELECTED_NODE = "volume.kubernetes.io/selected-node"


class StorageDriver(Background):
    def __init__(self, api, volume_limit_of_type):
        super().__init__(0.3)
        self._api = api
        self._limits = volume_limit_of_type
        self._zones = {}  # By node.

    def turn(self):
        for node in self._api.items("/api/v1/nodes"):
            self._say_limit(node)
        for claim in self._api.items("/api/v1/persistentvolumeclaims"):
            node = claim["metadata"].get("annotations", {}).get(_SELECTED_NODE)
            if node in self._zones and not claim["spec"].get("volumeName"):
                made = volume(claim, self._zones[node], f"made-{claim['metadata']['uid']}")
                self._make("/api/v1/persistentvolumes", made)

    def _say_limit(self, node):
        name, labels = node["metadata"]["name"], node["metadata"].get("labels", {})
        limit = self._limits.get(labels.get(manifests.TYPE))
        if name not in self._zones and limit is not None:
            self._make("/apis/storage.k8s.io/v1/csinodes", csi_node(name, limit))
        self._zones[name] = labels.get(ZONE)

    def _make(self, collection, thing):
        try:
            self._api.post(collection, thing)
        except ApiError as error:
            if error.code != 409:
                raise
