"""What a CSI driver does for a cluster without one: makes volumes that pods' claims wait for, and says of new nodes how
many volumes they take."""

import threading

import manifests
from api_client import ApiError
from random_world import ZONE, csi_node, volume

_SELECTED_NODE = "volume.kubernetes.io/selected-node"


class StorageDriver:
    def __init__(self, api, volume_limit_of_type):
        self._api = api
        self._limits = volume_limit_of_type
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _run(self):
        zones = {}
        while not self._is_over.wait(0.3):
            try:
                for node in self._api.items("/api/v1/nodes"):
                    self._say_limit(node, zones)
                for claim in self._api.items("/api/v1/persistentvolumeclaims"):
                    node = claim["metadata"].get("annotations", {}).get(_SELECTED_NODE)
                    if node in zones and not claim["spec"].get("volumeName"):
                        made = volume(claim, zones[node], f"made-{claim['metadata']['uid']}")
                        self._make("/api/v1/persistentvolumes", made)
            except (ApiError, OSError):
                continue

    def _say_limit(self, node, zones):
        name, labels = node["metadata"]["name"], node["metadata"].get("labels", {})
        limit = self._limits.get(labels.get(manifests.TYPE))
        if name not in zones and limit is not None:
            self._make("/apis/storage.k8s.io/v1/csinodes", csi_node(name, limit))
        zones[name] = labels.get(ZONE)

    def _make(self, collection, thing):
        try:
            self._api.post(collection, thing)
        except ApiError as error:
            if error.code != 409:
                raise
