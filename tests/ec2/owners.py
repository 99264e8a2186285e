"""Whose an instance is, also once the claim is gone: what all NodeClaims have said of their instances."""

import threading

import cluster_state
from api_client import ApiError
from cloud import tags_of


class Owners:
    """Reads the claims all the time. An instance that was bought with others is tagged with its claim's name only once
    it is a node, and it may go before that."""

    def __init__(self, api, seconds=0.5):
        self._api, self._seconds = api, seconds
        self._claims = {}  # By the id of the instance.
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def of(self, instance):
        """The name of a claim, by the instance's tags or else by what a claim has said; "" where there is none."""
        return tags_of(instance).get("karpenter.sh/nodeclaim") or self._claims.get(instance["InstanceId"], "")

    def look(self):
        for claim in cluster_state.node_claims(self._api):
            provider_id = claim.get("status", {}).get("providerID", "")
            if provider_id:
                self._claims[provider_id.rpartition("/")[2]] = claim["metadata"]["name"]

    def _run(self):
        while not self._is_over.wait(self._seconds):
            try:
                self.look()
            except (ApiError, OSError):
                pass  # The next reading says it too.
